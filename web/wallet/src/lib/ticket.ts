// What somebody has filled in, as an order or as faults field by field. The bank checks all of it again.
import { compare, decimal, isMultiple, isZero, multiply } from '@jinku/markets'
import type { InForce, Market, NewOrder, OrderType, SelfTrade, Side } from '../api/markets'

export interface TicketDraft {
  side: Side
  type: OrderType
  price: string
  quantity: string
  budget: string
  trigger: string
  worst: string
  shown: string
  in_force: InForce
  until: string
  self_trade: SelfTrade
  stop_trigger: string
  stop_limit: string
  pieces: string
  every_seconds: string
}

export const EMPTY_TICKET: TicketDraft = {
  side: 'buy', type: 'limit', price: '', quantity: '', budget: '', trigger: '', worst: '', shown: '', in_force: 'gtc',
  until: '', self_trade: 'taker', stop_trigger: '', stop_limit: '', pieces: '6', every_seconds: '60',
}

export type TicketField = 'price' | 'quantity' | 'budget' | 'trigger' | 'worst' | 'shown' | 'until' | 'stop_trigger' | 'stop_limit' | 'pieces' | 'every_seconds'

export interface FieldFault {
  /** Below `ticket.fault` in the texts. */
  key: 'needed' | 'number' | 'step' | 'band' | 'above' | 'below' | 'shown_above' | 'past' | 'whole'
  params: Record<string, string>
}
export type Faults = Partial<Record<TicketField, FieldFault>>

/** The fields that an order of this type has. */
export const FIELDS: Readonly<Record<OrderType, readonly TicketField[]>> = {
  limit: ['price', 'quantity', 'shown'],
  market: ['quantity', 'worst'],
  budget: ['budget', 'worst'],
  stop: ['trigger', 'quantity', 'worst'],
  stop_limit: ['trigger', 'price', 'quantity'],
  oco: ['price', 'stop_trigger', 'stop_limit', 'quantity'],
  twap: ['quantity', 'price', 'pieces', 'every_seconds'],
}
const OPTIONAL = new Set<TicketField>(['worst', 'shown'])
const PIECES_MAX = 1000
const PRICES = new Set<TicketField>(['price', 'trigger', 'worst', 'stop_trigger', 'stop_limit'])

const clean = (text: string) => text.replace(/[,，\s]/g, '').replace('。', '.')

function faultOf(field: TicketField, text: string, market: Market): FieldFault | null {
  if (text === '') return OPTIONAL.has(field) ? null : { key: 'needed', params: {} }
  if (!decimal(text) || text.startsWith('-')) return { key: 'number', params: {} }
  if (isZero(text)) return { key: 'needed', params: {} }
  if (field === 'pieces' || field === 'every_seconds') {
    const n = Number(text)
    return Number.isInteger(n) && n >= 1 && (field !== 'pieces' || (n >= 2 && n <= PIECES_MAX)) ? null : { key: 'whole', params: { max: String(PIECES_MAX) } }
  }
  if (PRICES.has(field)) {
    if (!isMultiple(text, market.tick)) return { key: 'step', params: { step: market.tick } }
    const { band } = market
    const resting = field === 'price' || field === 'worst'
    if (resting && band && (compare(text, band.low) < 0 || compare(text, band.high) > 0)) return { key: 'band', params: { low: band.low, high: band.high } }
    return null
  }
  if (field === 'budget') return null
  if (!isMultiple(text, market.lot)) return { key: 'step', params: { step: market.lot } }
  return compare(text, market.quantity_max) > 0 ? { key: 'above', params: { max: market.quantity_max } } : null
}

/** The order, or what is wrong with each field. */
export function orderOf(draft: TicketDraft, market: Market, now: Date): { order: NewOrder } | { faults: Faults } {
  const faults: Faults = {}
  const given: Partial<Record<TicketField, string>> = {}
  for (const field of FIELDS[draft.type]) {
    const text = clean(draft[field as Exclude<TicketField, never>])
    const fault = faultOf(field, text, market)
    if (fault) faults[field] = fault
    else if (text !== '') given[field] = text
  }
  if (given.shown && given.quantity && compare(given.shown, given.quantity) >= 0) faults.shown = { key: 'shown_above', params: {} }
  if (given.price && given.quantity && compare(multiply(given.price, given.quantity), market.min_notional) < 0) {
    faults.quantity = { key: 'below', params: { min: market.min_notional, asset: market.quote.code } }
  }
  const order: NewOrder = { side: draft.side, type: draft.type, self_trade: draft.self_trade }
  if (draft.type === 'limit' || draft.type === 'stop_limit') {
    order.in_force = draft.in_force
    if (draft.in_force === 'gtd') {
      const until = new Date(draft.until)
      if (draft.until === '' || Number.isNaN(until.getTime())) faults.until = { key: 'needed', params: {} }
      else if (until <= now) faults.until = { key: 'past', params: {} }
      else order.until = until.toISOString()
    }
  }
  if (Object.keys(faults).length > 0) return { faults }
  const { price, quantity, budget, trigger, worst, shown, stop_trigger, stop_limit, pieces, every_seconds } = given
  Object.assign(order, { price, quantity, budget, trigger, worst, shown })
  if (draft.type === 'oco') order.oco = { stop_trigger: stop_trigger ?? '', stop_limit: stop_limit ?? '' }
  if (draft.type === 'twap') order.twap = { pieces: Number(pieces), every_seconds: Number(every_seconds) }
  return { order: JSON.parse(JSON.stringify(order)) as NewOrder }
}
