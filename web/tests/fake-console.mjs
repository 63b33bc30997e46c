// The operators' desk in memory, for looking at the console without the real one. It keeps no books.
import { createReadStream, existsSync, statSync } from 'node:fs'
import http from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { POLICY } from './fake-server.mjs'

const DIST = fileURLToPath(new URL('../console/dist', import.meta.url))
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' }
export const TOKEN = 'f00d'.repeat(16)
const iso = (offset = 0) => new Date(Date.now() + offset).toISOString()
const RULES = { lot: '0.001', tick: '10', quantity_max: '1000', min_notional: '10.00', maker_ppm: 500, taker_ppm: 1500, band_bps: 1000, halt_bps: 500, reference_ms: 300_000, call_ms: 120_000, open_orders_max: 200, hours: null }

function newDesk() {
  const market = (number, base, reference, phase, rules = {}) => ({ number, base: { code: base, scale: 8 }, quote: { code: 'CNY', scale: 2 }, rules: { ...RULES, ...rules }, phase, phase_until: phase === 'call' ? iso(90_000) : null, phase_why: phase === 'call' ? 'halt' : null, reference: String(reference), last: String(reference - 10), band: { low: String(reference * 9 / 10), high: String(reference * 11 / 10) }, halt: { low: String(reference * 19 / 20), high: String(reference * 21 / 20) }, seats: 42, orders: 318 })
  return {
    markets: [market(1, 'BTC', 432100, 'open'), market(2, 'ETH', 15820, 'call', { lot: '0.01', tick: '1' }), market(3, 'XAU', 28410, 'closed')],
    seats: Array.from({ length: 42 }, (_, n) => ({ seat: n + 1, owner: n % 9 ? `cus${String(1000 + n * 37)}` : `desk of the bank ${n}`, open: (n * 7) % 19, stopped: n === 4 })),
    proposals: [{ number: 7, market: 1, kind: 'rules', by: '王敏', at: iso(-600_000), from: iso(86_400_000), rules: { ...RULES, taker_ppm: 1200, halt_bps: 400 }, now: RULES }],
    next: 8,
    deeds: [],
  }
}

const book = (reference) => Object.fromEntries([['bids', -1], ['asks', 1]].map(([side, way]) => [side, Array.from({ length: 14 }, (_, n) => ({ price: String(reference + way * 10 * (n + 1)), orders: Array.from({ length: 1 + (n % 3) }, (__, k) => ({ id: `1-${n * 3 + k + 1}`, seat: ((n * 5 + k * 3) % 41) + 1, left: (0.01 * (k + 1) + 0.004 * n).toFixed(3), shown: n % 5 === 0 ? '0.005' : null, placed_at: iso(-n * 1000) })) }))]))
const HINTS = [
  { kind: 'wash', market: 1, seats: [12, 19], from: iso(-900_000), to: iso(-840_000), score: 87, evidence: [{ at: iso(-900_000), what: '12 → 19', order: '1-9', price: '432100', quantity: '0.200' }, { at: iso(-870_000), what: '19 → 12', order: '1-14', price: '432100', quantity: '0.200' }] },
  { kind: 'spoof', market: 2, seats: [3], from: iso(-300_000), to: iso(-290_000), score: 61, evidence: [{ at: iso(-300_000), what: 'large order, cancelled after 180 ms', order: '2-77', price: '15830', quantity: '40.00' }] },
  { kind: 'momentum', market: 1, seats: [30], from: iso(-100_000), to: iso(-90_000), score: 44, evidence: [{ at: iso(-99_000), what: 'twelve takes in two seconds', order: null, price: '432400', quantity: '1.100' }] },
]
const PRICES = [{ base: 'BTC', quote: 'CNY', mid: '432105', at: iso(-800), state: 'good', sources: [{ name: 'north', bid: '432090', ask: '432110', at: iso(-900), state: 'used' }, { name: 'south', bid: '432100', ask: '432120', at: iso(-1200), state: 'used' }, { name: 'east', bid: '401000', ask: '401020', at: iso(-700), state: 'jump' }] }, { base: 'ETH', quote: 'CNY', mid: null, at: null, state: 'none', sources: [{ name: 'north', bid: '15810', ask: '15830', at: iso(-90_000), state: 'stale' }] }]
const CONVERT = {
  terms: [{ base: 'BTC', quote: 'CNY', least: { asset: 'CNY', value: '10.00' }, lock_ms: 12_000, fee_ppm: 0, spread_max_ppm: 20_000, skew_ppm: 2000, target: { asset: 'BTC', value: '25.00000000' } }],
  inventory: [{ asset: 'BTC', held: '24.18230000', target: '25.00000000', offered: '0.01153678' }, { asset: 'CNY', held: '10342100.00', target: '10000000.00', offered: '5000.00' }],
  offers: [{ id: 'qte19', customer: 'cus1037', pays: { asset: 'CNY', value: '5000.00' }, takes: { asset: 'BTC', value: '0.01153678' }, expires_at: iso(9000) }],
  hedges: [{ market: 1, side: 'buy', quantity: '0.011', price: '432110', at: iso(-20_000), state: 'filled' }],
}

/** One request of an operator: an answer, or [status, code, detail] of a refusal. */
function serve(desk, method, path, body) {
  const part = path.split('/').slice(1)
  const market = desk.markets.find((m) => String(m.number) === part[1])
  if (path === '/markets') return { markets: desk.markets }
  if (path === '/proposals' && method === 'GET') return { proposals: desk.proposals }
  if (path === '/proposals') {
    const target = desk.markets.find((m) => m.number === body.market)
    const made = { number: desk.next++, market: body.market, kind: body.kind, by: body.by, at: iso(), from: body.from ?? null, rules: body.rules ?? null, now: body.rules ? target.rules : null }
    desk.proposals.push(made)
    return made
  }
  if (part[0] === 'proposals') {
    const found = desk.proposals.find((p) => String(p.number) === part[1])
    if (!found) return [404, 'proposal_unknown', 'There is no such proposal.']
    if (part[2] === 'approve' && found.by === body.by) return [409, 'own_proposal', 'Another operator must approve it.']
    desk.proposals = desk.proposals.filter((p) => p !== found)
    desk.deeds.push({ what: part[2], number: found.number, by: body.by })
    const target = desk.markets.find((m) => m.number === found.market)
    if (part[2] === 'approve') Object.assign(target, found.kind === 'resume' ? { phase: 'call', phase_why: 'resumption', phase_until: iso(120_000) } : { rules: found.rules })
    return {}
  }
  if (path === '/surveillance') return { hints: HINTS }
  if (path === '/prices') return { pairs: PRICES }
  if (path === '/convert') return CONVERT
  if (part[0] !== 'markets' || !market) return [404, 'not_found', 'Not found.']
  if (part[2] === 'book') return { sequence: 1, ...book(Number(market.reference)) }
  if (part[2] === 'suspend') { Object.assign(market, { phase: 'suspended', phase_until: null, phase_why: null }); desk.deeds.push({ what: 'suspend', by: body.by, why: body.why }); return {} }
  if (part[2] === 'seats' && part[3]) { desk.seats.find((s) => String(s.seat) === part[3]).stopped = part[4] === 'stop'; return {} }
  if (part[2] === 'seats') return { seats: desk.seats }
  return [404, 'not_found', 'Not found.']
}

export async function startFakeDesk() {
  const desk = newDesk()
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    if (pathname.startsWith('/console/')) return file(pathname.replace('/console', ''), response)
    const pieces = []
    for await (const piece of request) pieces.push(piece)
    const known = request.headers.authorization === `Bearer ${TOKEN}`
    const answer = known ? serve(desk, request.method, pathname, pieces.length ? JSON.parse(Buffer.concat(pieces)) : {}) : [401, 'token', '']
    const refused = Array.isArray(answer)
    response.writeHead(refused ? answer[0] : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(refused ? { code: answer[1], detail: answer[2], reference: 'REF7K2Q' } : answer))
  })
  await new Promise((resolve) => server.listen(0, 'localhost', resolve))
  return { url: `http://localhost:${server.address().port}`, desk, stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections() }) }
}

function file(path, response) {
  const wanted = join(DIST, normalize(path))
  const found = wanted.startsWith(DIST) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(DIST, 'index.html')
  response.writeHead(200, { 'content-type': TYPES[extname(found)] ?? 'application/octet-stream', 'content-security-policy': POLICY })
  createReadStream(found).pipe(response)
}
