// The bank writes what a movement of the market was about in a form of no language, such as "BUY 0.004 BTC @ 68250 CNY".
import { grouped } from '@jinku/markets'

export interface PlainNote {
  /** Below `movement` in the texts, after `note_`. */
  key: 'buy' | 'sell' | 'convert'
  params: Record<string, string>
}

const TRADE = /^(BUY|SELL) (\d+(?:\.\d+)?) (\w+) @ (\d+(?:\.\d+)?) (\w+)$/
const CONVERT = /^CONVERT (\d+(?:\.\d+)?) (\w+) -> (\d+(?:\.\d+)?) (\w+)$/

/** What the note says, or null where it is words of a person: theirs are shown as they are. */
export function plainNote({ kind, note }: { kind: string; note: string }): PlainNote | null {
  if (kind === 'trade') {
    const [, side, quantity = '', base = '', price = '', quote = ''] = TRADE.exec(note) ?? []
    return side ? { key: side === 'BUY' ? 'buy' : 'sell', params: { quantity: grouped(quantity), base, price: grouped(price), quote } } : null
  }
  if (kind !== 'convert') return null
  const [, paid, from = '', got = '', to = ''] = CONVERT.exec(note) ?? []
  return paid ? { key: 'convert', params: { paid: grouped(paid), from, got: grouped(got), to } } : null
}
