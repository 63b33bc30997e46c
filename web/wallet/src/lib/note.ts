// The bank writes what a movement of the market was about in a form of no language, such as "BUY 0.004 BTC @ 68250 CNY".
import { grouped } from '@jinku/markets'

export interface TradeNote {
  side: 'buy' | 'sell'
  params: { quantity: string; base: string; price: string; quote: string }
}

const FORM = /^(BUY|SELL) (\d+(?:\.\d+)?) (\w+) @ (\d+(?:\.\d+)?) (\w+)$/

/** What the note says, or null where it is words of a person. */
export function tradeNote(note: string): TradeNote | null {
  const [, side, quantity = '', base = '', price = '', quote = ''] = FORM.exec(note) ?? []
  if (!side) return null
  return { side: side === 'BUY' ? 'buy' : 'sell', params: { quantity: grouped(quantity), base, price: grouped(price), quote } }
}
