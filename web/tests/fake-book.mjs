// A page of order book for the bank in memory: price-time priority, fees, stops that wait. It is no evidence about
// matching, only something for the screens to show.

const FEE_BASE = 1_000_000n
export const TAKER_PPM = 1500n
export const MAKER_PPM = 500n
const ceil = (a, b) => (a + b - 1n) / b

export function unitsOf(text, scale) {
  const found = /^(\d+)(?:\.(\d*))?$/.exec(text ?? '')
  if (!found || (found[2] ?? '').length > scale) return null
  return BigInt(found[1] + (found[2] ?? '').padEnd(scale, '0'))
}
export function textOf(units, scale) {
  const digits = units.toString().padStart(scale + 1, '0')
  return scale ? `${digits.slice(0, -scale)}.${digits.slice(-scale)}` : digits
}
const short = (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** CRC-32C, bit by bit: the other way of writing what the wallet does with a table. */
export function checksum(bids, asks) {
  let sum = 0xffffffff
  for (const [price, quantity] of [...bids.slice(0, 25), ...asks.slice(0, 25)]) {
    for (const byte of Buffer.from(`${price}:${quantity}|`)) {
      sum ^= byte
      for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1
    }
  }
  return (sum ^ 0xffffffff) >>> 0
}

export class FakeBook {
  constructor(rules) {
    Object.assign(this, rules)
    this.one = 10n ** BigInt(rules.base.scale)
    this.orders = []
    this.trades = []
    this.sequence = 1
    this.told = { bids: [], asks: [] }
  }
  price = (units) => short(textOf(units, this.quote.scale))
  quantity = (units) => short(textOf(units, this.base.scale))
  money = (units) => textOf(units, this.quote.scale)
  cost = (price, quantity) => (price * quantity) / this.one

  resting(side) {
    const way = side === 'buy' ? -1 : 1
    return this.orders.filter((o) => o.state === 'open' && o.side === side && o.left > 0n).sort((a, b) => (a.price === b.price ? a.queue - b.queue : (a.price < b.price ? -1 : 1) * way))
  }
  levels(side) {
    const found = []
    for (const o of this.resting(side)) {
      const last = found.at(-1)
      if (last && last[0] === o.price) { last[1] += o.left; last[2] += 1 } else found.push([o.price, o.left, 1])
    }
    return found.map(([price, quantity, count]) => [this.price(price), this.quantity(quantity), count])
  }
  /** What an order would take now, best first. */
  meets({ side, limit, left, budget }) {
    const found = []
    for (const other of this.resting(side === 'buy' ? 'sell' : 'buy')) {
      if (limit !== null && (side === 'buy' ? other.price > limit : other.price < limit)) break
      let quantity = left === null ? other.left : left < other.left ? left : other.left
      if (budget !== undefined) {
        const most = (budget * this.one) / other.price / this.lotUnits * this.lotUnits
        if (most < quantity) quantity = most
        budget -= this.cost(other.price, quantity)
      }
      if (quantity === 0n) break
      found.push({ other, quantity })
      if (left !== null && (left -= quantity) === 0n) break
    }
    return found
  }
  fee = (cost, ppm) => ceil(cost * ppm, FEE_BASE)
  get last() { return this.trades[0]?.price ?? null }
  snapshot() {
    const [bids, asks] = [this.levels('buy'), this.levels('sell')]
    this.told = { bids, asks }
    return { type: 'snapshot', sequence: this.sequence, checksum: checksum(bids, asks), bids, asks, phase: this.phase, last: this.last, trades: this.trades.slice(0, 50) }
  }
  /** What has changed since it was last told. */
  delta(trades) {
    const [bids, asks] = [this.levels('buy'), this.levels('sell')]
    const changed = (before, after) => [
      ...after.filter(([price, quantity]) => !before.some((l) => l[0] === price && l[1] === quantity)),
      ...before.filter(([price]) => !after.some((l) => l[0] === price)).map(([price]) => [price, '0', 0]),
    ]
    const message = { type: 'delta', previous: this.sequence, sequence: ++this.sequence, checksum: checksum(bids, asks), bids: changed(this.told.bids, bids), asks: changed(this.told.asks, asks), trades, phase: this.phase }
    this.told = { bids, asks }
    return message
  }
}
