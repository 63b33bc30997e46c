// Markets and conversions of the bank in memory: accounts in several assets, orders of several customers, the stream.
import { FakeBook, MAKER_PPM, TAKER_PPM, textOf, unitsOf } from './fake-book.mjs'

const ASSETS = { CNY: 2, BTC: 8, ETH: 18, USDC: 6, XAU: 4 }
const RULES = [
  { number: 1, base: 'BTC', tick: '10', lot: '0.001', reference: '432100', phase: 'open' },
  { number: 2, base: 'ETH', tick: '1', lot: '0.01', reference: '15820', phase: 'open' },
  { number: 3, base: 'USDC', tick: '0.01', lot: '1', reference: '7.12', phase: 'call', until: 540_000, why: 'halt' },
  { number: 4, base: 'XAU', tick: '1', lot: '0.01', reference: '28410', phase: 'closed', until: 41_000_000 },
]
const HOUSE = 'house'
const QUOTE_MS = 12_000
const iso = (offset = 0) => new Date(Date.now() + offset).toISOString()
const INTERVALS = { '1m': 60_000, '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '4h': 14_400_000, '1d': 86_400_000 }

export class FakeMarkets {
  /** `home` is the first customer's account in CNY; `tell(who, event, data)` is the customers' event stream. */
  constructor({ home, tell, refuse, quoteMs = QUOTE_MS }) {
    Object.assign(this, { home, tell, refuse, quoteMs, next: 1, seed: 20_261_126, purses: new Map(), lines: new Map(), offers: new Map(), conversions: new Map(), fills: [], plans: [], stopped: new Set(), keys: new Map() })
    this.books = RULES.map((rules) => this.open(rules))
  }
  random(n) { return (this.seed = (this.seed * 48_271) % 2_147_483_647) % n }

  open(rules) {
    const book = new FakeBook({ ...rules, base: { code: rules.base, scale: ASSETS[rules.base] }, quote: { code: 'CNY', scale: 2 } })
    book.lotUnits = unitsOf(rules.lot, book.base.scale)
    book.tickUnits = unitsOf(rules.tick, 2)
    book.middle = unitsOf(rules.reference, 2)
    for (let n = 1; n <= 30; n += 1) {
      for (const side of ['buy', 'sell']) {
        const price = book.middle + (side === 'buy' ? -1n : 1n) * BigInt(n) * book.tickUnits * BigInt(1 + this.random(2))
        this.rest(book, { who: HOUSE, side, price, quantity: book.lotUnits * BigInt(20 + this.random(300)) })
      }
    }
    for (let n = 20; n > 0; n -= 1) {
      const price = book.price(book.middle + BigInt(this.random(7) - 3) * book.tickUnits)
      book.trades.unshift({ number: this.next++, at: iso(-n * 7000), price, quantity: book.quantity(book.lotUnits * BigInt(1 + this.random(40))), taker: this.random(2) ? 'buy' : 'sell' })
    }
    return book
  }
  rest(book, order) {
    const made = { id: `${book.number}-${this.next++}`, market: book.number, type: 'limit', in_force: 'gtc', filled: 0n, left: order.quantity, spent: 0n, fees: 0n, state: 'open', queue: this.next, placed_at: iso(), ended_at: null, ...order }
    book.orders.push(made)
    return made
  }

  // Accounts.
  purse(who) {
    if (!this.purses.has(who)) this.purses.set(who, new Map([['CNY', who === '1' ? this.home : { id: `acc-${who}-CNY`, posted: 50_000_000n, held: 0n }]]))
    return this.purses.get(who)
  }
  accounts(who) {
    return [...this.purse(who)].map(([asset, { id, posted, held }], n) => {
      const value = (units) => ({ asset, value: textOf(units, ASSETS[asset]) })
      return { id, number: `62300000000${String(n)}00${who.padStart(2, '0')}7`, asset, posted: value(posted), held: value(held), available: value(posted - held), opened_at: iso(-40 * 86_400_000 + n * 60_000) }
    })
  }
  available = (who, asset) => { const a = this.purse(who).get(asset); return a ? a.posted - a.held : null }
  told(who) { this.tell(who, 'accounts', { items: this.accounts(who) }) }

  // What a customer sees of a market.
  shown(book, who) {
    const best = (side) => book.resting(side)[0]?.price
    const day = this.candles(book, '1h', Date.now() - 86_400_000, Date.now())
    const sum = (field, scale) => textOf(day.reduce((total, c) => total + unitsOf(c[field], scale), 0n), scale)
    const [first, last] = [unitsOf(day[0].open, 2), unitsOf(book.last, 2)]
    const all = day.flatMap((c) => [unitsOf(c.high, 2), unitsOf(c.low, 2)])
    return {
      number: book.number, base: book.base, quote: book.quote, lot: book.lot, tick: book.tick, min_notional: '10.00', quantity_max: '1000',
      fees: { maker_ppm: Number(MAKER_PPM), taker_ppm: Number(TAKER_PPM) }, band: { low: book.price((book.middle * 9n) / 10n / book.tickUnits * book.tickUnits), high: book.price((book.middle * 11n) / 10n / book.tickUnits * book.tickUnits) },
      phase: book.phase, phase_until: book.until ? iso(book.until) : null, phase_why: book.why ?? null, reference: book.reference, last: book.last, change_24h_bps: Number(((last - first) * 10_000n) / first),
      high_24h: book.price(all.reduce((a, b) => (a > b ? a : b))), low_24h: book.price(all.reduce((a, b) => (a < b ? a : b))), volume_24h_base: sum('volume_base', book.base.scale), volume_24h_quote: sum('volume_quote', 2),
      best_bid: best('buy') ? book.price(best('buy')) : null, best_ask: best('sell') ? book.price(best('sell')) : null, hours: book.number === 4 ? { utc_offset_minutes: 480, days: [1, 2, 3, 4, 5], call_at: 555, open_at: 570, closing_call_at: 895, close_at: 900, holidays: [] } : null, seat: who ? 1 : null, stopped: this.stopped.has(`${book.number}/${who}`),
    }
  }
  /** A walk that ends at the reference, the same for every reading, with the trades of today on top. */
  candles(book, interval, from, to) {
    const width = INTERVALS[interval]
    const end = Math.floor(to / width)
    const found = []
    for (let n = Math.max(Math.floor(from / width), end - 1499); n <= end; n += 1) {
      const wave = (k) => BigInt(Math.round((Math.sin(k / 7) + Math.sin(k / 23) * 2 + Math.sin(k / 3) * 0.4) * 12 * Number(book.tickUnits)))
      const [open, close] = [book.middle + wave(n - end) - wave(0), book.middle + wave(n + 1 - end) - wave(0)].map((p) => p - (p % book.tickUnits))
      const reach = book.tickUnits * BigInt(2 + Math.abs(n % 5))
      const quantity = book.lotUnits * BigInt(40 + Math.abs((n * 37) % 160))
      found.push({ start_ms: n * width, open: book.price(open), close: book.price(close), high: book.price((open > close ? open : close) + reach), low: book.price((open < close ? open : close) - reach), volume_base: book.quantity(quantity), volume_quote: book.money(book.cost(close, quantity)), trades: 12 })
    }
    return found
  }
  order(book, o) {
    const price = (units) => (units === null || units === undefined ? null : book.price(units))
    return { id: o.id, market: o.market, side: o.side, type: o.type, price: price(o.price), trigger: price(o.trigger), quantity: book.quantity(o.quantity), filled: book.quantity(o.filled), left: book.quantity(o.left), average: o.filled ? book.money((o.spent * book.one) / o.filled) : null, fee_paid: book.money(o.fees), reserved: null, in_force: o.in_force, until: o.until ?? null, shown: o.shown ?? null, state: o.state, placed_at: o.placed_at, ended_at: o.ended_at, plan: null, client: null }
  }

  // Orders.
  read(book, who, body) {
    for (const { code } of [book.base, book.quote]) if (!this.purse(who).has(code)) this.refuse(409, 'seat_accounts', { missing: code })
    if (book.phase === 'closed' || book.phase === 'suspended') this.refuse(409, 'market_not_open', { phase: book.phase })
    if (this.stopped.has(`${book.number}/${who}`)) this.refuse(409, 'seat_stopped')
    const limit = body.price ?? body.worst
    const price = limit === undefined ? null : unitsOf(limit, 2)
    if (price !== null && price % book.tickUnits) this.refuse(422, 'price_step', { tick: book.tick })
    const budget = body.type === 'budget' ? unitsOf(body.budget, 2) : undefined
    const left = body.type === 'budget' ? null : unitsOf(body.quantity, book.base.scale)
    if (left !== null && left % book.lotUnits) this.refuse(422, 'quantity_step', { lot: book.lot })
    return { side: body.side, limit: price, left, budget }
  }
  look(book, who, body) {
    const asked = this.read(book, who, body)
    const waits = ['stop', 'stop_limit', 'oco', 'twap'].includes(body.type) || book.phase === 'call'
    const takes = waits ? [] : book.meets(asked)
    const filled = takes.reduce((sum, t) => sum + t.quantity, 0n)
    const cost = takes.reduce((sum, t) => sum + book.cost(t.other.price, t.quantity), 0n)
    const quantity = asked.left ?? filled
    const rests = ['market', 'budget'].includes(body.type) || ['ioc', 'fok'].includes(body.in_force) ? 0n : quantity - filled
    const limit = asked.limit ?? (takes.at(-1)?.other.price ?? book.middle)
    const most = cost + book.cost(limit, quantity - filled)
    const feeMost = book.fee(most, TAKER_PPM)
    const reserved = body.side === 'buy' ? { asset: 'CNY', units: most + feeMost } : { asset: book.base.code, units: quantity }
    return { asked, takes, filled, cost, rests, limit, feeMost, reserved, quantity, waits }
  }
  short(who, { asset, units }) {
    const there = this.available(who, asset)
    return units <= there ? null : { code: 'insufficient_funds', params: { available: `${asset} ${textOf(there, ASSETS[asset])}`, needed: `${asset} ${textOf(units, ASSETS[asset])}` } }
  }
  preview(book, who, body) {
    const l = this.look(book, who, body)
    const refusal = this.short(who, l.reserved) ?? (body.in_force === 'post_only' && l.filled ? { code: 'would_trade', params: {} } : null)
    return {
      fills_now: { quantity: book.quantity(l.filled), average: l.filled ? book.money((l.cost * book.one) / l.filled) : null, worst: l.filled ? book.price(l.takes.at(-1).other.price) : null, cost: book.money(l.cost) },
      rests: { quantity: book.quantity(l.rests), price: l.rests && body.price ? book.price(l.limit) : null }, fee_max: book.money(l.feeMost), fee_expected: book.money(book.fee(l.cost, TAKER_PPM)),
      reserved: { asset: l.reserved.asset, value: textOf(l.reserved.units, ASSETS[l.reserved.asset]) }, refusal,
    }
  }
  place(book, who, body) {
    const l = this.look(book, who, body)
    const short = this.short(who, l.reserved)
    if (short) this.refuse(422, short.code, short.params)
    if (body.in_force === 'post_only' && l.filled) this.refuse(409, 'would_trade')
    if (['oco', 'twap'].includes(body.type)) {
      const plan = { who, number: this.next++, market: book.number, type: body.type, side: body.side, quantity: body.quantity, left: body.quantity, price: body.price, stop_trigger: body.oco?.stop_trigger ?? null, stop_limit: body.oco?.stop_limit ?? null, pieces: body.twap?.pieces ?? null, placed: 0, order: null, next_at: body.twap ? iso(body.twap.every_seconds * 1000) : null, placed_at: iso() }
      this.plans.push(plan)
      this.tell(who, 'order', { market: book.number })
      return { order: null, fills: [], plan }
    }
    const order = this.rest(book, { who, side: body.side, type: body.type, price: l.asked.limit, trigger: body.trigger ? unitsOf(body.trigger, 2) : null, quantity: l.quantity, in_force: body.in_force ?? 'ioc', until: body.until, shown: body.shown })
    if (l.waits && book.phase !== 'call') order.state = 'waiting'
    const made = l.takes.map(({ other, quantity }) => this.trade(book, order, other, quantity))
    if (order.left === 0n) this.end(order, 'filled')
    else if (l.rests === 0n) this.end(order, 'cancelled')
    this.hold(who)
    this.publish(book, made.reverse())
    for (const party of new Set([who, ...l.takes.map((t) => t.other.who)])) if (party !== HOUSE) { this.hold(party); this.told(party); this.tell(party, 'order', { market: book.number }) }
    return { order: this.order(book, order), fills: this.fills.filter((f) => f.order === order.id).map(({ who: _, ...f }) => f), plan: null }
  }
  trade(book, taker, maker, quantity) {
    const trade = { number: this.next++, at: iso(), price: book.price(maker.price), quantity: book.quantity(quantity), taker: taker.side }
    book.trades.unshift(trade)
    const cost = book.cost(maker.price, quantity)
    for (const [order, role, ppm] of [[taker, 'taker', TAKER_PPM], [maker, 'maker', MAKER_PPM]]) {
      const fee = book.fee(cost, ppm)
      order.filled += quantity; order.left -= quantity; order.spent += cost; order.fees += fee
      if (order.left === 0n) this.end(order, 'filled')
      if (order.who === HOUSE) continue
      const purse = this.purse(order.who)
      const way = order.side === 'buy' ? 1n : -1n
      purse.get(book.base.code).posted += way * quantity
      purse.get('CNY').posted -= way * cost + fee
      this.fills.unshift({ who: order.who, trade: trade.number, order: order.id, market: book.number, at: trade.at, side: order.side, role, price: trade.price, quantity: trade.quantity, fee: book.money(fee), movements: [`mov${this.next++}`, `mov${this.next++}`] })
    }
    return trade
  }
  end(order, state) { order.state = state; order.ended_at = iso() }
  /** What the open orders of a customer need. */
  hold(who) {
    const needed = new Map()
    for (const book of this.books) for (const o of book.orders) {
      if (o.who !== who || !['open', 'waiting'].includes(o.state)) continue
      const cost = book.cost(o.price ?? book.middle, o.left)
      const [asset, units] = o.side === 'buy' ? ['CNY', cost + book.fee(cost, TAKER_PPM)] : [book.base.code, o.left]
      needed.set(asset, (needed.get(asset) ?? 0n) + units)
    }
    for (const [asset, account] of this.purse(who)) account.held = needed.get(asset) ?? 0n
  }
  change(book, who, id, what, body) {
    const order = book.orders.find((o) => o.id === id && o.who === who && ['open', 'waiting'].includes(o.state)) ?? this.refuse(404, 'order_unknown')
    if (what === 'reduce') {
      const by = unitsOf(body.by, book.base.scale)
      if (by % book.lotUnits) this.refuse(422, 'quantity_step', { lot: book.lot })
      order.left -= by
    } else if (what === 'move') {
      const price = unitsOf(body.price, 2)
      if (price % book.tickUnits) this.refuse(422, 'price_step', { tick: book.tick })
      Object.assign(order, { price, queue: this.next++ })
    } else this.end(order, 'cancelled')
    this.after(book, who)
    return { ended: 1 }
  }
  cancelAll(book, who) {
    for (const o of book.orders) if (o.who === who && ['open', 'waiting'].includes(o.state)) this.end(o, 'cancelled')
    this.after(book, who)
    return { ended: 1 }
  }
  after(book, who) { this.hold(who); this.publish(book, []); this.told(who); this.tell(who, 'order', { market: book.number }) }

  // The stream.
  follow(number, line) {
    const book = this.books.find((b) => b.number === number)
    if (!book) return line.drop()
    if (!this.lines.has(number)) this.lines.set(number, new Set())
    this.lines.get(number).add(line)
    line.send(book.snapshot())
  }
  publish(book, trades, spoil = false) {
    const message = book.delta(trades)
    if (spoil) message.checksum = (message.checksum ^ 1) >>> 0
    for (const line of this.lines.get(book.number) ?? []) line.send(message)
  }
  dropLines() { for (const lines of this.lines.values()) { for (const line of lines) line.drop(); lines.clear() } }
  /** A stranger's order, so that something moves. */
  houseTrade(number, side) {
    const book = this.books.find((b) => b.number === number)
    const other = book.resting(side === 'buy' ? 'sell' : 'buy')[0]
    const order = this.rest(book, { who: HOUSE, side, price: other.price, quantity: book.lotUnits })
    this.publish(book, [this.trade(book, order, other, book.lotUnits)])
  }

  // Conversions.
  quote(who, { from, to, exact, amount }) {
    const book = this.books.find((b) => (b.base.code === from && to === 'CNY') || (b.base.code === to && from === 'CNY')) ?? this.refuse(422, 'not_converted')
    const buying = from === 'CNY'
    const spread = 30n
    const price = (book.middle * (10_000n + (buying ? spread : -spread))) / 10_000n
    const units = unitsOf(amount, ASSETS[exact === 'in' ? from : to]) ?? this.refuse(422, 'amount_invalid')
    const base = (exact === 'in') === buying ? (units * book.one) / price : units
    const money = (exact === 'in') === buying ? units : (units * price) / book.one
    if (base === 0n || money === 0n) this.refuse(422, 'amount_too_small', { least: 'CNY 10.00' })
    const [pays, takes] = buying ? [money, base] : [base, money]
    const value = (asset, n) => ({ asset, value: textOf(n, ASSETS[asset]) })
    const offer = { id: `qte${this.next++}`, pays: value(from, pays), takes: value(to, takes), mid: book.price(book.middle), price: book.money(price), spread_bps: Number(spread), fee: value('CNY', 0n), route: [{ venue: 'inventory', share_bps: 7000 }, { venue: 'book', share_bps: 3000 }], terms_hash: `hash${this.next}`, made_at: iso(), expires_at: iso(this.quoteMs) }
    this.offers.set(offer.id, { offer, who, pays, takes, used: false })
    return { offer }
  }
  accept(who, id, { terms_hash }) {
    const known = this.offers.get(id)
    if (!known || known.who !== who) this.refuse(404, 'quote_unknown')
    if (known.used) this.refuse(409, 'quote_used')
    if (terms_hash !== known.offer.terms_hash) this.refuse(409, 'quote_altered')
    if (Date.parse(known.offer.expires_at) <= Date.now()) this.refuse(409, 'quote_expired')
    const { pays, takes } = known.offer
    const missing = [pays, takes].find((a) => !this.purse(who).has(a.asset))
    if (missing) this.refuse(409, 'seat_accounts', { missing: missing.asset })
    const short = this.short(who, { asset: pays.asset, units: known.pays })
    if (short) this.refuse(422, short.code, short.params)
    known.used = true
    this.purse(who).get(pays.asset).posted -= known.pays
    this.purse(who).get(takes.asset).posted += known.takes
    const conversion = { id: `cnv${this.next++}`, pays, takes, fee: known.offer.fee, at: iso(), entry: `ent${this.next++}` }
    this.conversions.set(who, [conversion, ...(this.conversions.get(who) ?? [])])
    this.told(who)
    return { conversion }
  }

  /** The answer to one request of a customer; undefined where the address is somebody else's. */
  serve(method, path, query, body, who) {
    const part = path.split('/').slice(1)
    const page = (all) => ({ all: all.slice(0, 50) }).all
    if (path === '/assets') return { assets: Object.entries(ASSETS).map(([code, scale]) => ({ code, scale, opened: this.purse(who).has(code) })) }
    if (path === '/accounts' && method === 'POST') {
      if (!(body.asset in ASSETS)) this.refuse(422, 'asset_mismatch')
      this.purse(who).set(body.asset, { id: `acc-${who}-${body.asset}`, posted: 0n, held: 0n })
      this.told(who)
      return this.accounts(who).find((a) => a.asset === body.asset)
    }
    if (path === '/orders') {
      const open = query.get('open') !== 'false'
      const of = (book) => book.orders.filter((o) => o.who === who && ['open', 'waiting'].includes(o.state) === open && (!query.get('market') || String(book.number) === query.get('market'))).map((o) => this.order(book, o))
      return { orders: page(this.books.flatMap(of).reverse()), next: null }
    }
    if (path === '/plans') return { plans: this.plans.filter((p) => p.who === who).map(({ who: _, ...p }) => p) }
    if (path === '/fills') return { fills: page(this.fills.filter((f) => f.who === who && (!query.get('market') || String(f.market) === query.get('market'))).map(({ who: _, ...f }) => f)), next: null }
    if (path === '/convert/pairs') return { pairs: this.books.slice(0, 2).map((b) => ({ base: b.base.code, quote: 'CNY', mid: b.price(b.middle), at: iso(), min: '10.00', max: '1000000.00' })) }
    if (path === '/convert/quotes') return this.quote(who, body)
    if (part[0] === 'convert' && part[3] === 'accept') return this.accept(who, part[2], body)
    if (path === '/convert/history') return { conversions: this.conversions.get(who) ?? [], next: null }
    if (part[0] !== 'markets') return undefined
    if (part.length === 1) return { markets: this.books.map((b) => this.shown(b, who)) }
    const book = this.books.find((b) => String(b.number) === part[1]) ?? this.refuse(404, 'market_unknown')
    const [, , what, id, deed] = part
    if (!what) return this.shown(book, who)
    if (what === 'depth') { const [bids, asks] = [book.levels('buy'), book.levels('sell')]; return { sequence: book.sequence, checksum: 0, bids, asks } }
    if (what === 'trades') return { trades: book.trades.slice(0, 50) }
    if (what === 'candles') return { candles: this.candles(book, query.get('interval'), Number(query.get('from')), Number(query.get('to'))) }
    if (what === 'orders' && id === 'preview') return this.preview(book, who, body)
    if (what === 'orders' && method === 'POST' && !id) return this.place(book, who, body)
    if (what === 'orders' && method === 'DELETE' && !id) return this.cancelAll(book, who)
    if (what === 'orders') return this.change(book, who, decodeURIComponent(id), deed ?? 'cancel', body)
    if (what === 'plans') { this.plans = this.plans.filter((p) => String(p.number) !== id); this.tell(who, 'order', {}); return { ended: 1 } }
    if (what === 'stop') { this.stopped.add(`${book.number}/${who}`); return this.cancelAll(book, who) }
    if (what === 'free') { this.stopped.delete(`${book.number}/${who}`); return { ended: 0 } }
    return undefined
  }
}
