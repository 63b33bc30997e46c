// Candles that go on with the trades of the stream, between one reading of the bank's and the next.
import { add, type Candle, compare, multiply, type Trade } from '@jinku/markets'
import type { Interval } from '../api/markets'

const MINUTE_MS = 60_000
export const INTERVAL_MS: Readonly<Record<Interval, number>> = {
  '1m': MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '1h': 60 * MINUTE_MS,
  '4h': 240 * MINUTE_MS,
  '1d': 1440 * MINUTE_MS,
}

const msOf = (at: string | number) => (typeof at === 'number' ? at : Date.parse(at))

/** The candles with these trades put in, oldest trade first. A trade older than the last candle changes nothing. */
export function withTrades(candles: Candle[], trades: Trade[], interval: Interval): Candle[] {
  const next = [...candles]
  const width = INTERVAL_MS[interval]
  for (const { at, price, quantity } of trades) {
    const ms = msOf(at)
    const start_ms = ms - (ms % width)
    const last = next.at(-1)
    const volume_quote = multiply(price, quantity)
    if (last && start_ms < last.start_ms) continue
    if (!last || start_ms > last.start_ms) {
      next.push({ start_ms, open: price, high: price, low: price, close: price, volume_base: quantity, volume_quote, trades: 1 })
      continue
    }
    next[next.length - 1] = {
      ...last,
      high: compare(price, last.high) > 0 ? price : last.high,
      low: compare(price, last.low) < 0 ? price : last.low,
      close: price,
      volume_base: add(last.volume_base, quantity),
      volume_quote: add(last.volume_quote ?? '0', volume_quote),
      trades: (last.trades ?? 0) + 1,
    }
  }
  return next
}
