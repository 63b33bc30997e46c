import { describe, expect, it } from 'vitest'
import { tradeNote } from './note'

describe('the note of a trade', () => {
  it('is read into its parts', () => {
    expect(tradeNote('BUY 0.004 BTC @ 68250 CNY')).toEqual({ side: 'buy', params: { quantity: '0.004', base: 'BTC', price: '68,250', quote: 'CNY' } })
    expect(tradeNote('SELL 1200 USDC @ 7.12 CNY')?.side).toBe('sell')
  })

  it('leaves the words of a person alone', () => {
    for (const words of ['', 'lunch', 'BUY milk', 'BUY 1 BTC', 'buy 1 BTC @ 2 CNY', 'BUY 1 BTC @ 2 CNY!']) expect(tradeNote(words)).toBe(null)
  })
})
