import { describe, expect, it } from 'vitest'
import type { Market } from '../api/markets'
import { EMPTY_TICKET, orderOf, type TicketDraft } from './ticket'

const market = {
  base: { code: 'BTC', scale: 8 }, quote: { code: 'CNY', scale: 2 }, lot: '0.001', tick: '10', min_notional: '100.00', quantity_max: '10',
  band: { low: '400000', high: '460000' },
} as Market
const NOW = new Date('2026-11-26T08:00:00Z')
const read = (change: Partial<TicketDraft>) => orderOf({ ...EMPTY_TICKET, ...change }, market, NOW)
const faults = (change: Partial<TicketDraft>) => {
  const made = read(change)
  return 'faults' in made ? Object.fromEntries(Object.entries(made.faults).map(([field, fault]) => [field, fault?.key])) : {}
}

describe('a ticket', () => {
  it('becomes an order with the fields of its type alone', () => {
    expect(read({ price: '430,000', quantity: '0.5', budget: '99', trigger: '1' })).toEqual({ order: { side: 'buy', type: 'limit', self_trade: 'taker', in_force: 'gtc', price: '430000', quantity: '0.5' } })
    expect(read({ type: 'budget', budget: '5000', side: 'sell' })).toEqual({ order: { side: 'sell', type: 'budget', self_trade: 'taker', budget: '5000' } })
    expect(read({ type: 'oco', price: '440000', quantity: '1', stop_trigger: '420000', stop_limit: '419000' })).toMatchObject({ order: { oco: { stop_trigger: '420000', stop_limit: '419000' } } })
    expect(read({ type: 'twap', price: '440000', quantity: '1' })).toMatchObject({ order: { twap: { pieces: 6, every_seconds: 60 } } })
  })

  it('says what is missing or malformed', () => {
    expect(faults({})).toEqual({ price: 'needed', quantity: 'needed' })
    expect(faults({ price: 'x', quantity: '-1' })).toEqual({ price: 'number', quantity: 'number' })
    expect(faults({ price: '430000', quantity: '0' })).toEqual({ quantity: 'needed' })
  })

  it('keeps to steps, band, largest and least', () => {
    expect(faults({ price: '430005', quantity: '0.0005' })).toEqual({ price: 'step', quantity: 'step' })
    expect(faults({ price: '470000', quantity: '1' })).toEqual({ price: 'band' })
    expect(faults({ price: '430000', quantity: '11' })).toEqual({ quantity: 'above' })
    expect(read({ price: '430000', quantity: '0.001' })).toHaveProperty('order')
    const dear = { ...market, min_notional: '1000.00' }
    expect(orderOf({ ...EMPTY_TICKET, price: '430000', quantity: '0.001' }, dear, NOW)).toMatchObject({ faults: { quantity: { key: 'below' } } })
    // A stop may wait outside the band: it is checked when it is triggered.
    expect(faults({ type: 'stop', trigger: '390000', quantity: '1' })).toEqual({})
  })

  it('shows less than the whole, and ends in the future', () => {
    expect(faults({ price: '430000', quantity: '1', shown: '1' })).toEqual({ shown: 'shown_above' })
    expect(faults({ price: '430000', quantity: '1', in_force: 'gtd' })).toEqual({ until: 'needed' })
    expect(faults({ price: '430000', quantity: '1', in_force: 'gtd', until: '2026-11-26T07:59:00Z' })).toEqual({ until: 'past' })
    expect(read({ price: '430000', quantity: '1', in_force: 'gtd', until: '2026-11-26T09:00:00Z' })).toMatchObject({ order: { until: '2026-11-26T09:00:00.000Z' } })
    expect(faults({ type: 'twap', price: '440000', quantity: '1', pieces: '1' })).toEqual({ pieces: 'whole' })
  })
})
