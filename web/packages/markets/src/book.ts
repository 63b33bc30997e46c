// The levels of a market as a stream tells them: a snapshot, then changes. After each change the checksum over the best
// levels must be the bank's, else what is held here is not the book and a new snapshot is needed.
import { crc32c } from './crc32c'
import { compare, isZero } from './decimal'

/** Price, quantity, number of orders. */
export type Level = [price: string, quantity: string, count: number]

export interface Levels {
  sequence: number
  checksum: number
  bids: Level[]
  asks: Level[]
  /** Of a change: the sequence of the message before it. */
  previous?: number
}

/** Of each side, this many levels are under the checksum. */
export const CHECKED_LEVELS = 25

export function checksumOf(bids: Level[], asks: Level[]): number {
  const side = (levels: Level[]) => levels.slice(0, CHECKED_LEVELS).map(([price, quantity]) => `${price}:${quantity}|`).join('')
  return crc32c(side(bids) + side(asks))
}

/** The changed levels put into a side, best first. */
export function merged(held: Level[], changed: Level[], best: 'highest' | 'lowest'): Level[] {
  const next = [...held]
  const order = best === 'highest' ? -1 : 1
  for (const level of changed) {
    const at = place(next, level[0], order)
    const there = at < next.length && compare(next[at]?.[0] ?? '', level[0]) === 0
    if (isZero(level[1])) {
      if (there) next.splice(at, 1)
    } else next.splice(at, there ? 1 : 0, level)
  }
  return next
}

/** Where the price stands, or would stand, among levels sorted best first. */
function place(levels: Level[], price: string, order: number): number {
  let [low, high] = [0, levels.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(levels[middle]?.[0] ?? '', price) * order < 0) low = middle + 1
    else high = middle
  }
  return low
}

export class Book {
  sequence = -1
  bids: Level[] = []
  asks: Level[] = []

  /** Takes a snapshot; false when it does not fit its own checksum. */
  load(levels: Levels): boolean {
    this.sequence = levels.sequence
    this.bids = merged([], levels.bids, 'highest')
    this.asks = merged([], levels.asks, 'lowest')
    return checksumOf(this.bids, this.asks) === levels.checksum
  }

  /** Takes a change; `stale` is one already held, after `mismatch` only a snapshot helps. */
  merge(delta: Levels): 'ok' | 'stale' | 'mismatch' {
    if (this.sequence < 0) return 'mismatch'
    if (delta.sequence < this.sequence) return 'stale'
    if (delta.previous !== undefined && delta.previous !== this.sequence) return 'mismatch'
    this.sequence = delta.sequence
    this.bids = merged(this.bids, delta.bids, 'highest')
    this.asks = merged(this.asks, delta.asks, 'lowest')
    return checksumOf(this.bids, this.asks) === delta.checksum ? 'ok' : 'mismatch'
  }
}
