import type { Candle, Trade } from '@jinku/markets'
import { describe, expect, it } from 'vitest'
import { withTrades } from './candles'

const candle: Candle = { start_ms: 60_000, open: '10', high: '12', low: '9', close: '11', volume_base: '1', volume_quote: '11', trades: 2 }
const trade = (at: number, price: string, quantity = '0.5'): Trade => ({ number: at, at, price, quantity, taker: 'buy' })

describe('candles that go on with trades', () => {
  it('stretch the last one', () => {
    expect(withTrades([candle], [trade(61_000, '13'), trade(119_999, '8')], '1m')).toEqual([
      { ...candle, high: '13', low: '8', close: '8', volume_base: '2.0', volume_quote: '21.5', trades: 4 },
    ])
  })

  it('begin a new one at its own minute, also the first', () => {
    expect(withTrades([candle], [trade(185_000, '13')], '1m').map((each) => each.start_ms)).toEqual([60_000, 180_000])
    expect(withTrades([], [trade(301_000, '13')], '5m')[0]).toMatchObject({ start_ms: 300_000, open: '13', trades: 1 })
  })

  it('are not changed by a trade of the past, and the ones given stay as they were', () => {
    expect(withTrades([candle], [trade(59_000, '99')], '1m')).toEqual([candle])
    expect(candle.high).toBe('12')
  })
})
