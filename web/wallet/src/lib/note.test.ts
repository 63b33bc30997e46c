import { describe, expect, it } from 'vitest'
import { plainNote } from './note'

describe('the note of a movement of the market', () => {
  it('is read into its parts', () => {
    expect(plainNote({ kind: 'trade', note: 'BUY 0.004 BTC @ 68250 CNY' })).toEqual({ key: 'buy', params: { quantity: '0.004', base: 'BTC', price: '68,250', quote: 'CNY' } })
    expect(plainNote({ kind: 'trade', note: 'SELL 1200 USDC @ 7.12 CNY' })?.key).toBe('sell')
    expect(plainNote({ kind: 'convert', note: 'CONVERT 1000.00 CNY -> 0.00146 BTC' })).toEqual({ key: 'convert', params: { paid: '1,000.00', from: 'CNY', got: '0.00146', to: 'BTC' } })
  })

  it('leaves the words of a person alone', () => {
    for (const note of ['', 'lunch', 'BUY milk', 'BUY 1 BTC', 'buy 1 BTC @ 2 CNY', 'BUY 1 BTC @ 2 CNY!']) expect(plainNote({ kind: 'trade', note })).toBe(null)
    expect(plainNote({ kind: 'transfer_in', note: 'BUY 1 BTC @ 2 CNY' })).toBe(null)
  })
})
