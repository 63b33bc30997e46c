// Every call of the console. The token is held here, in memory alone: closing the page forgets it.
import type { Phase } from '@jinku/markets'

export interface AssetCode {
  code: string
  scale: number
}
export interface Hours {
  utc_offset_minutes: number
  days: number[]
  call_at: number
  open_at: number
  closing_call_at: number
  close_at: number
  holidays: string[]
}
export interface Rules {
  lot: string
  tick: string
  quantity_max: string
  min_notional: string
  maker_ppm: number
  taker_ppm: number
  band_bps: number
  halt_bps: number
  reference_ms: number
  call_ms: number
  open_orders_max: number
  hours: Hours | null
}
interface Span {
  low: string
  high: string
}
export interface Market {
  number: number
  base: AssetCode
  quote: AssetCode
  rules: Rules
  phase: Phase
  phase_until: string | null
  phase_why: string | null
  reference: string
  last: string | null
  band: Span
  halt: Span
  seats: number
  orders: number
}
export interface BookOrder {
  id: string
  seat: number
  left: string
  shown: string | null
  placed_at: string
}
export interface BookLevel {
  price: string
  orders: BookOrder[]
}
export interface Seat {
  seat: number
  owner: string
  open: number
  stopped: boolean
}
export interface Proposal {
  number: number
  market: number
  kind: 'rules' | 'resume'
  by: string
  at: string
  from: string | null
  rules: Rules | null
  now: Rules | null
}
export interface Evidence {
  at: string
  what: string
  order: string | null
  price: string | null
  quantity: string | null
}
export interface Hint {
  kind: 'wash' | 'spoof' | 'momentum'
  market: number
  seats: number[]
  from: string
  to: string
  score: number
  evidence: Evidence[]
}
export interface PriceSource {
  name: string
  bid: string
  ask: string
  at: string
  state: 'used' | 'stale' | 'jump' | 'away'
}
export interface PricePair {
  base: string
  quote: string
  mid: string | null
  at: string | null
  state: 'good' | 'held' | 'stale' | 'none'
  sources: PriceSource[]
}
interface Amount {
  asset: string
  value: string
}
export interface ConvertDesk {
  terms: { base: string; quote: string; least: Amount; lock_ms: number; fee_ppm: number; spread_max_ppm: number; skew_ppm: number; target: Amount }[]
  inventory: { asset: string; held: string; target: string; offered: string }[]
  offers: { id: string; customer: string; pays: Amount; takes: Amount; expires_at: string }[]
  hedges: { market: number; side: 'buy' | 'sell'; quantity: string; price: string; at: string; state: string }[]
}

/** Why the bank did not do it; `code` is empty where it could not be reached. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly reference = '',
  ) {
    super(detail)
  }
}

let token = ''
let onLost: () => void = () => {}
export function useToken(next: string): void {
  token = next
}
export function whenTokenFails(hook: () => void): void {
  onLost = hook
}

async function call<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
  let response: Response
  try {
    response = await fetch(new URL(`/${path}`, location.origin), {
      method,
      cache: 'no-store',
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  } catch {
    throw new Refused('unreachable', '')
  }
  const text = await response.text()
  if (response.ok) return (text === '' ? null : JSON.parse(text)) as T
  if (response.status === 401) onLost()
  throw problemOf(response.status, text)
}

function problemOf(status: number, text: string): Refused {
  try {
    const { code, detail, reference } = JSON.parse(text) as { code?: string; detail?: string; reference?: string }
    return new Refused(code ?? `http_${status}`, detail ?? '', reference ?? '')
  } catch {
    // The operators' desk may answer a refusal with a sentence alone.
    return new Refused(status === 401 ? 'token' : `http_${status}`, text)
  }
}

export const desk = {
  markets: () => call<{ markets: Market[] }>('GET', 'markets'),
  book: (market: number, levels: number) => call<{ sequence: number; bids: BookLevel[]; asks: BookLevel[] }>('GET', `markets/${market}/book?levels=${levels}`),
  seats: (market: number) => call<{ seats: Seat[] }>('GET', `markets/${market}/seats`),
  suspend: (market: number, by: string, why: string) => call('POST', `markets/${market}/suspend`, { by, why }),
  seat: (market: number, seat: number, what: 'stop' | 'free', by: string) => call('POST', `markets/${market}/seats/${seat}/${what}`, { by }),
  proposals: () => call<{ proposals: Proposal[] }>('GET', 'proposals'),
  propose: (body: { by: string; market: number; kind: Proposal['kind']; from?: string; rules?: Rules }) => call('POST', 'proposals', body),
  approve: (proposal: number, by: string) => call('POST', `proposals/${proposal}/approve`, { by }),
  withdraw: (proposal: number, by: string) => call('POST', `proposals/${proposal}/withdraw`, { by }),
  surveillance: () => call<{ hints: Hint[] }>('GET', 'surveillance'),
  prices: () => call<{ pairs: PricePair[] }>('GET', 'prices'),
  convert: () => call<ConvertDesk>('GET', 'convert'),
}
