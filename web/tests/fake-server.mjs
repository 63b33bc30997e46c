// A bank in memory that answers as the API contract says, for looking at the screens without the real one.
// It checks no signatures and keeps no books: it is never evidence that money is right, only that screens are.
import { createReadStream, existsSync, statSync } from 'node:fs'
import http from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FakeMarkets } from './fake-markets.mjs'
import { acceptSocket } from './fake-socket.mjs'

const DIST = fileURLToPath(new URL('../wallet/dist', import.meta.url))
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png', '.webmanifest': 'application/manifest+json' }
export const POLICY = [
  "default-src 'self'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "connect-src 'self'", "font-src 'self'",
  "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
].join('; ')

const BANKS = [
  { code: '900000000001', name_zh: '金库银行', name_en: 'Jinku Bank', ours: true },
  { code: '900000000101', name_zh: '东江银行', name_en: 'Dongjiang Bank', ours: false },
  { code: '900000000202', name_zh: '北原银行', name_en: 'Beiyuan Bank', ours: false },
]
const SMALL = 20_000n
const UNDO_FROM = 50_000n
const INSTANT_CEILING = 100_000_000n
const text = (minor) => `${minor / 100n}.${String(minor % 100n).padStart(2, '0')}`
const cny = (minor) => ({ asset: 'CNY', value: text(minor) })
const minorOf = (amount) => BigInt(amount.value.replace('.', ''))
const iso = (offset = 0) => new Date(Date.now() + offset).toISOString()
const DAY_MS = 86_400_000

class Refusal extends Error {
  constructor(status, code, params = {}) {
    super(code)
    Object.assign(this, { status, code, params })
  }
}

/** Starts the bank; `undoMs` is its undo window, `history` whether the customer has a past. */
export async function startFakeBank({ port = 0, undoMs = 60_000, history = false, quoteMs } = {}) {
  const bank = newBank(undoMs, history)
  bank.markets = new FakeMarkets({ home: homeOf(bank), tell: (who, event, data) => tell(bank, event, data, who), refuse, quoteMs })
  const server = http.createServer((request, response) => void serve(bank, request, response))
  server.on('upgrade', (request, socket) => {
    const number = /^\/api\/v1\/markets\/(\d+)\/stream$/.exec(request.url)?.[1]
    if (!number || bank.down || bank.deaf) socket.destroy()
    else bank.markets.follow(Number(number), acceptSocket(request, socket))
  })
  await new Promise((resolve) => server.listen(port, 'localhost', resolve))
  return {
    url: `http://localhost:${server.address().port}`,
    bank,
    stop: () => new Promise((resolve) => { bank.markets.dropLines(); server.close(resolve); server.closeAllConnections() }),
  }
}

function newBank(undoMs, history) {
  return { undoMs, history, seq: 1, next: 1, me: null, signedIn: false, down: false, posted: 0n, movements: [], payments: new Map(), payees: [], devices: [], totp: null, keys: new Map(), streams: new Set(), log: [], banks: BANKS }
}

const id = (bank, kind) => `${kind}${String(bank.next++).padStart(6, '0')}`
const held = (bank) => [...bank.payments.values()].filter((p) => p.state === 'waiting' || p.state === 'sending').reduce((sum, p) => sum + minorOf(p.amount), 0n)
const account = (bank) => ({ id: 'acc1', number: '6230000000000017', asset: 'CNY', posted: cny(bank.posted), held: cny(held(bank)), available: cny(bank.posted - held(bank)), opened_at: iso(-40 * DAY_MS) })
/** The first customer's account in the bank's own currency, as the markets see it. */
const homeOf = (bank) => {
  let orders = 0n
  return { id: 'acc1', get posted() { return bank.posted }, set posted(minor) { bank.posted = minor }, get held() { return held(bank) + orders }, set held(minor) { orders = minor } }
}
const accountsOf = (bank, who) => bank.markets.accounts(who).map((found, n) => (who === '1' && n === 0 ? { ...account(bank), held: found.held, available: found.available } : found))
const me = (bank, who = '1') => ({ ...bank.me, accounts: accountsOf(bank, who) })
function refuse(status, code, params) {
  throw new Refusal(status, code, params)
}
const party = (bank, p) => {
  const found = bank.banks.find((b) => b.code === p.bank_code) ?? bank.banks[1]
  return { name: p.name, account_number: p.account_number, bank_code: found.code, bank_name_zh: found.name_zh, bank_name_en: found.name_en, own_bank: found.ours }
}

function tell(bank, event, data, who = '1') {
  bank.seq += 1
  const entry = `id: ${bank.seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
  bank.log.push({ seq: bank.seq, entry, who })
  for (const stream of bank.streams) if (stream.who === who) stream.write(entry)
}

function move(bank, minor, direction, kind, counterparty, note, payment, state = 'settled', at = iso()) {
  bank.posted += direction === 'in' ? minor : -minor
  const movement = { id: id(bank, 'mov'), seq: bank.seq + 1, account_id: 'acc1', payment_id: payment?.id ?? null, kind, direction, amount: cny(minor), balance_after: cny(bank.posted), counterparty, note, recorded_at: at, effective_at: at, state, receipt_ready: true }
  bank.movements.unshift(movement)
  payment?.movement_ids.push(movement.id)
  tell(bank, 'movement', movement)
  tell(bank, 'accounts', { items: accountsOf(bank, '1') })
  return movement
}

function past(bank) {
  const names = [['青禾超市', '0101', 12_650n], ['林晓雯', '0001', 80_000n], ['城市水务', '0202', 8_430n], ['山海书店', '0101', 15_900n]]
  for (let day = 29; day >= 1; day -= 1) {
    const at = iso(-day * DAY_MS)
    if (day % 15 === 14) move(bank, 1_260_000n, 'in', 'deposit', party(bank, { name: '远航科技有限公司', account_number: '8801200000000432', bank_code: BANKS[1].code }), '工资', null, 'settled', at)
    const [name, code, minor] = names[day % names.length]
    if (day % 2) move(bank, minor + BigInt(day) * 37n, 'out', code === '0001' ? 'transfer_out' : 'withdrawal', party(bank, { name, account_number: '6230000000000108', bank_code: `90000000${code}` }), day % 4 === 1 ? '午餐' : '', null, 'settled', at)
  }
}

function enrolled(bank, name, phone, device) {
  bank.me ??= { customer_id: 'cus1', display_name: name, phone_masked: `${phone.slice(0, 6)}****${phone.slice(-4)}`, grade: 'verified', locale: 'zh', status: 'active', session: { via: 'passkey', device_id: 'dev1', expires_at: iso(3_600_000) }, totp_enabled: false }
  if (!bank.devices.length) {
    bank.devices.push({ id: 'dev1', name: device, bound_at: iso(), last_seen_at: iso(), current: true, status: 'active', passkeys: [{ id: 'key1', name: device, added_at: iso(), last_used_at: iso(), backed_up: false }] })
    bank.devices.push({ id: 'dev2', name: 'Windows · Firefox', bound_at: iso(-20 * DAY_MS), last_seen_at: iso(-3 * DAY_MS), current: false, status: 'active', passkeys: [] })
    bank.payees.push(payee(bank, { name: '林晓雯', account_number: '6230000000000108', bank_code: BANKS[0].code }), payee(bank, { name: '周国梁', account_number: '8801200000000777', bank_code: BANKS[1].code }))
    if (bank.history) past(bank)
  }
  bank.signedIn = true
  return me(bank)
}

const payee = (bank, p) => ({ id: id(bank, 'pay'), ...party(bank, p), verified: party(bank, p).own_bank, added_at: iso(), last_paid_at: null })
const STEPS = { transfer: ['requested', 'checked', 'settled'], withdrawal: ['requested', 'checked', 'waiting', 'sent', 'confirmed', 'settled'] }

function advance(bank, payment, state, step, failed = false) {
  payment.state = state
  payment.can_cancel = state === 'waiting'
  for (const known of payment.steps) {
    if (known.done) continue
    Object.assign(known, { done: !failed || known.step !== step, failed: failed && known.step === step, at: iso() })
    if (known.step === step) break
  }
  tell(bank, 'payment', payment)
}

function preview(bank, body) {
  const minor = minorOf(body.amount)
  const to = party(bank, body.payee)
  if (minor === 0n) throw new Refusal(422, 'amount_zero')
  if (minor > bank.posted - held(bank)) throw new Refusal(422, 'insufficient_funds', { available: `CNY ${text(bank.posted - held(bank))}`, needed: `CNY ${text(minor)}` })
  const rail = to.own_bank ? 'internal' : minor <= INSTANT_CEILING ? 'instant' : 'high_value'
  const fee = 0n
  return {
    intent: { payment_id: id(bank, 'pmt'), from_account: body.from_account, payee: body.payee, amount: body.amount, fee_cap: cny(fee), rail, expires_at: iso(300_000), nonce: 'bm9uY2Vub25jZW5vbmNlMQ', note: body.note },
    challenge: 'Y2hhbGxlbmdlY2hhbGxlbmdlY2hhbGxlbmdlY2hhbGw', fee: cny(fee), total: cny(minor + fee),
    arrives: to.own_bank ? { kind: 'at_once', at: null, seconds: null } : { kind: 'seconds', at: null, seconds: 10 },
    route: { rail, reason_code: rail === 'internal' ? 'same_bank' : 'below_instant_ceiling', reason_params: {} },
    payee_check: to.own_bank ? 'verified' : 'not_verified', verified_name_masked: to.own_bank ? `*${to.name.slice(1)}` : null,
    needs_passkey: minor > SMALL, small_amount_limit: cny(SMALL), undo_seconds: to.own_bank || minor < UNDO_FROM ? 0 : Math.ceil(bank.undoMs / 1000), undo_reason: null, cancellable_after_send: false,
    request_options: minor > SMALL ? { challenge: 'Y2hhbGxlbmdlY2hhbGxlbmdlY2hhbGxlbmdlY2hhbGw', rpId: 'localhost', userVerification: 'required', allowCredentials: [] } : null,
  }
}

function submit(bank, { intent }) {
  if (bank.me.status === 'locked') throw new Refusal(403, 'customer_locked')
  const to = party(bank, intent.payee)
  const kind = to.own_bank ? 'transfer' : 'withdrawal'
  const undo = kind === 'withdrawal' && minorOf(intent.amount) >= UNDO_FROM
  const payment = { id: intent.payment_id, kind, state: undo ? 'waiting' : 'sending', amount: intent.amount, fee: cny(0n), counterparty: to, account_id: 'acc1', rail: intent.rail, note: intent.note, created_at: iso(), undo_until: undo ? iso(bank.undoMs) : null, can_cancel: undo, steps: STEPS[kind].filter((s) => undo || s !== 'waiting').map((step) => ({ step, at: null, done: false, failed: false })), reason: null, movement_ids: [], reference: intent.payment_id.toUpperCase() }
  bank.payments.set(payment.id, payment)
  advance(bank, payment, payment.state, 'checked')
  if (kind === 'transfer') settle(bank, payment, 'transfer_out')
  else setTimeout(() => { if (payment.state === 'waiting' || payment.state === 'sending') sendOut(bank, payment) }, undo ? bank.undoMs : 300)
  tell(bank, 'accounts', { items: accountsOf(bank, '1') })
  return payment
}

function sendOut(bank, payment) {
  advance(bank, payment, 'sending', 'sent')
  setTimeout(() => settle(bank, payment, 'withdrawal'), 800)
}

function settle(bank, payment, kind) {
  advance(bank, payment, 'settled', 'settled')
  move(bank, minorOf(payment.amount), 'out', kind, payment.counterparty, payment.note, payment)
}

function cancel(bank, payment) {
  if (payment.state !== 'waiting') throw new Refusal(409, 'undo_window_over')
  payment.steps = [...payment.steps.filter((s) => s.done), { step: 'cancelled', at: null, done: false, failed: false }]
  advance(bank, payment, 'cancelled', 'cancelled')
  tell(bank, 'accounts', { items: accountsOf(bank, '1') })
  return payment
}

function movements(bank, query) {
  const q = query.get('q') ?? ''
  const from = Number(query.get('cursor') ?? 0)
  const limit = Number(query.get('limit') ?? 20)
  const all = bank.movements.filter((m) => (!query.get('direction') || m.direction === query.get('direction')) && (!query.get('from') || m.recorded_at >= query.get('from')) && (!query.get('to') || m.recorded_at <= query.get('to')) && (!q || `${m.counterparty?.name} ${m.note} ${m.amount.value}`.includes(q)))
  return { items: all.slice(from, from + limit), next_cursor: all.length > from + limit ? String(from + limit) : null, seq: bank.seq }
}

function points(bank) {
  return Array.from({ length: 30 }, (_, i) => {
    const at = iso(-(29 - i) * DAY_MS)
    const last = bank.movements.find((m) => m.recorded_at <= at)
    return { at, posted: i === 29 ? cny(bank.posted) : (last?.balance_after ?? cny(0n)) }
  })
}

function weeks(bank) {
  return Array.from({ length: 8 }, (_, i) => {
    const [from, to] = [iso(-(8 - i) * 7 * DAY_MS), iso(-(7 - i) * 7 * DAY_MS)]
    const sum = (d) => bank.movements.filter((m) => m.direction === d && m.recorded_at > from && m.recorded_at <= to).reduce((total, m) => total + minorOf(m.amount), 0n)
    return { from: from.slice(0, 10), to: to.slice(0, 10), in: cny(sum('in')), out: cny(sum('out')) }
  })
}

const creation = (name) => ({ challenge: 'Y2hhbGxlbmdlY2hhbGxlbmdlY2hhbGxlbmdlY2hhbGw', rp: { id: 'localhost', name: 'Jinku' }, user: { id: Buffer.from(name + Math.random()).toString('base64url'), name, displayName: name }, pubKeyCredParams: [{ type: 'public-key', alg: -7 }], authenticatorSelection: { residentKey: 'required', userVerification: 'required' }, excludeCredentials: [] })
const request = () => ({ challenge: 'Y2hhbGxlbmdlY2hhbGxlbmdlY2hhbGxlbmdlY2hhbGw', rpId: 'localhost', userVerification: 'required', allowCredentials: [] })

function enrolment(bank, path, body) {
  if (path === '/enrolments') {
    if (!body.display_name) throw new Refusal(422, 'name_invalid')
    if (!/^\+\d{8,15}$/.test(body.phone)) throw new Refusal(422, 'phone_invalid')
    bank.pending = body
    return { enrolment_id: 'enr1', creation_options: creation(body.display_name) }
  }
  if (path === '/enrolments/enr1/finish') return enrolled(bank, bank.pending.display_name, bank.pending.phone, body.device_name)
  if (path === '/sessions/passkey') return { ceremony_id: 'cer1', request_options: request() }
  if (path === '/sessions/passkey/cer1/finish') return enrolled(bank, '客户', '+8613800000000', body.device_name)
  if (path === '/sessions/totp') throw new Refusal(401, 'totp_wrong')
  return undefined
}

function read(bank, path, query, who) {
  const part = path.split('/')
  if (path === '/me') return me(bank, who)
  if (path === '/accounts') return { items: accountsOf(bank, who), seq: bank.seq }
  if (path.endsWith('/holds')) return { items: [...bank.payments.values()].filter((p) => p.state === 'waiting' || p.state === 'sending').map((p) => ({ id: `h${p.id}`, payment_id: p.id, amount: p.amount, reason: p.state === 'waiting' ? 'withdrawal_undo' : 'withdrawal_sending', placed_at: p.created_at, expires_at: p.undo_until, can_cancel: p.can_cancel })) }
  if (path.endsWith('/receive')) return { holder_name: bank.me.display_name, account_number: account(bank).number, bank_code: BANKS[0].code, bank_name_zh: BANKS[0].name_zh, bank_name_en: BANKS[0].name_en, qr_payload: `JINKU1|${BANKS[0].code}|${account(bank).number}|${bank.me.display_name}` }
  if (path.endsWith('/history')) return { points: bank.movements.length ? points(bank) : [] }
  if (path.endsWith('/spending')) return { weeks: bank.movements.length ? weeks(bank) : [] }
  if (path === '/banks') return { items: BANKS }
  if (path === '/limits') return { small_amount: cny(SMALL), undo_from: cny(UNDO_FROM), rows: [['single', 5_000_000n, 0n], ['day', 10_000_000n, 2_345_000n], ['month', 100_000_000n, 85_400_000n], ['year', null, 85_400_000n]].map(([period, cap, used]) => ({ period, cap: cap && cny(cap), used: cny(used), remaining: cap && cny(cap - used) })) }
  if (path === '/payees') return { items: bank.payees }
  if (path === '/payments') return { items: [...bank.payments.values()].filter((p) => p.state === 'waiting' || p.state === 'sending') }
  if (part[1] === 'payments') return bank.payments.get(part[2]) ?? missing('payment_unknown')
  if (path === '/movements') return movements(bank, query)
  if (part[1] === 'movements') return bank.movements.find((m) => m.id === part[2]) ?? missing('movement_unknown')
  if (path === '/devices') return { items: bank.devices }
  if (path === '/health') return { status: 'ok', seq: bank.seq, durable_seq: bank.seq, projection_seq: bank.seq, projection_lag_ms: 0, recorded_at: iso(), rails: [{ rail: 'instant', state: 'open', business_date: iso().slice(0, 10) }] }
  if (part[1] === 'receipts') throw new Refusal(409, 'receipt_not_ready')
  if (path === '/log/key') return { name: 'fake', vkey: 'fake+00000000+AA' }
  return missing('not_found')
}

function missing(code) {
  throw new Refusal(404, code)
}

function write(bank, method, path, body) {
  const part = path.split('/')
  if (path === '/session') { bank.signedIn = false; return null }
  if (path === '/me/locale') { bank.me.locale = body.locale; return me(bank) }
  if (path === '/qr/parse') {
    const [mark, bank_code, account_number, name] = body.payload.split('|')
    if (mark !== 'JINKU1' || !name) throw new Refusal(422, 'qr_invalid')
    return { payee: party(bank, { name, account_number, bank_code }), amount: null }
  }
  if (path === '/payees') { const made = payee(bank, body); bank.payees.unshift(made); return made }
  if (method === 'DELETE' && part[1] === 'payees') { bank.payees = bank.payees.filter((p) => p.id !== part[2]); return null }
  if (path === '/payments/preview') return preview(bank, body)
  if (path === '/payments') return submit(bank, body)
  if (path.endsWith('/cancel')) return cancel(bank, bank.payments.get(part[2]) ?? missing('payment_unknown'))
  if (path.endsWith('/block')) { bank.devices.find((d) => d.id === part[2]).status = 'blocked'; return null }
  if (path === '/passkeys') return { ceremony_id: 'cer2', creation_options: creation('spare') }
  if (path === '/passkeys/cer2/finish') { bank.devices[0].passkeys.push({ id: id(bank, 'key'), name: body.name, added_at: iso(), last_used_at: null, backed_up: true }); return bank.devices[0] }
  if (part[1] === 'passkeys') { const d = bank.devices[0]; if (d.passkeys.length === 1) throw new Refusal(409, 'last_passkey'); d.passkeys = d.passkeys.filter((k) => k.id !== part[2]); return null }
  if (path === '/totp' && method === 'POST') return { secret_base32: 'JBSWY3DPEHPK3PXPJBSWY3DP', otpauth_uri: 'otpauth://totp/Jinku:demo?secret=JBSWY3DPEHPK3PXPJBSWY3DP&issuer=Jinku' }
  if (path === '/totp/confirm') { if (body.code !== '123456') throw new Refusal(422, 'totp_wrong'); bank.me.totp_enabled = true; return null }
  if (path === '/totp') { bank.me.totp_enabled = false; return null }
  if (path === '/lock') { bank.me.status = 'locked'; return null }
  if (path === '/unlock/begin') return { request_options: request() }
  if (path === '/unlock') { bank.me.status = 'active'; return me(bank) }
  if (path === '/control/send-credit') { move(bank, BigInt(body.amount.replace('.', '')), 'in', 'deposit', party(bank, { name: '陈思远', account_number: '8801200000000999', bank_code: BANKS[1].code }), '', null); return { ok: true } }
  return missing('not_found')
}

async function serve(bank, request, response) {
  const url = new URL(request.url, 'http://localhost')
  if (bank.down) { response.destroy(); return }
  if (!url.pathname.startsWith('/api/v1/') && url.pathname !== '/control/send-credit') return file(url.pathname, response)
  const path = url.pathname.replace('/api/v1', '')
  const body = await json(request)
  const safe = request.method === 'GET'
  try {
    if (!safe && path !== '/control/send-credit' && !/^.{26,64}$/.test(request.headers['idempotency-key'] ?? '')) throw new Refusal(400, 'bad_request')
    const key = request.headers['idempotency-key']
    const again = key && bank.keys.get(key)
    if (again) return send(bank, response, 200, again)
    const known = /fake=(\d+)/.exec(request.headers.cookie ?? '')?.[1]
    let who = known ?? '1'
    if (!known && /\/finish$/.test(path) && !path.startsWith('/passkeys')) {
      // Each customer is known by a cookie of their own; the first has the past and the payments.
      who = String((bank.customers = (bank.customers ?? 0) + 1))
      response.setHeader('set-cookie', `fake=${who}; Path=/; HttpOnly`)
    }
    let answer = safe ? undefined : enrolment(bank, path, body)
    if (answer?.accounts) answer = me(bank, who)
    if (answer === undefined) {
      if ((!bank.signedIn || !known) && path !== '/control/send-credit' && path !== '/health') throw new Refusal(401, 'session_expired')
      if (path === '/events') return events(bank, request, response, who)
      if (path === '/statements.csv') return csv(bank, response)
      answer = bank.markets.serve(request.method, path, url.searchParams, body, who)
      answer ??= safe ? read(bank, path, url.searchParams, who) : write(bank, request.method, path, body)
    }
    if (key && answer) bank.keys.set(key, answer)
    send(bank, response, answer === null ? 204 : 200, answer)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const problem = { type: `about:blank#${error.code}`, title: error.code, status: error.status, detail: error.code, code: error.code, reference: 'REF7K2Q', params: error.params }
    response.writeHead(error.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem))
  }
}

function send(bank, response, status, answer) {
  response.writeHead(status, { 'content-type': 'application/json', 'x-jinku-seq': String(bank.seq) })
  response.end(answer === null ? undefined : JSON.stringify(answer))
}

async function json(request) {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  return pieces.length ? JSON.parse(Buffer.concat(pieces).toString()) : {}
}

function events(bank, request, response, who) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(': open\n\n')
  const last = Number(request.headers['last-event-id'] ?? bank.seq)
  for (const { seq, entry, who: whose } of bank.log) if (seq > last && whose === who) response.write(entry)
  response.who = who
  bank.streams.add(response)
  request.on('close', () => bank.streams.delete(response))
}

function csv(bank, response) {
  response.writeHead(200, { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': 'attachment; filename="statement.csv"' })
  response.end(`\uFEFFdate,direction,amount\n${bank.movements.map((m) => `${m.recorded_at},${m.direction},${m.amount.value}`).join('\n')}\n`)
}

function file(path, response) {
  const wanted = join(DIST, normalize(path))
  const found = wanted.startsWith(DIST) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(DIST, 'index.html')
  response.writeHead(200, { 'content-type': TYPES[extname(found)] ?? 'application/octet-stream', 'content-security-policy': POLICY })
  createReadStream(found).pipe(response)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startFakeBank({ port: Number(process.env.PORT ?? 7460), history: true })
  console.log(url)
}
