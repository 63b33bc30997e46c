import { describe, expect, it } from 'vitest'
import type { Rules } from '../api'
import en from '../i18n/en'
import zh from '../i18n/zh'
import { csv } from './csv'
import { differences, faultsOf, formOf, rulesOf } from './rules'

const now: Rules = { lot: '0.001', tick: '10', quantity_max: '1000', min_notional: '10.00', maker_ppm: 500, taker_ppm: 1500, band_bps: 1000, halt_bps: 500, reference_ms: 300_000, call_ms: 120_000, open_orders_max: 200, hours: null }

describe('rows as a file', () => {
  it('quote what needs it and spell nothing that a spreadsheet would carry out', () => {
    expect(csv(['a', 'b'], [['x,"y"', null], ['-12.5', '=1+1']])).toBe('\uFEFFa,b\r\n"x,""y""",\r\n-12.5,\'=1+1\r\n')
  })
})

describe('rules', () => {
  it('come back from a form as they were', () => {
    expect(rulesOf(formOf(now), null)).toEqual(now)
    expect(faultsOf(formOf(now), now)).toEqual({})
  })

  it('differ by value, not by how they are written', () => {
    expect(differences(now, { ...now, min_notional: '10', taker_ppm: 1200 })).toEqual([{ field: 'taker_ppm', before: '1500', after: '1200' }])
  })

  it('are checked', () => {
    const faults = (change: object) => faultsOf({ ...formOf(now), ...change }, now)
    expect(faults({ taker_ppm: '1.5', min_notional: 'x' })).toEqual({ taker_ppm: 'whole', min_notional: 'number' })
    expect(faults({ min_notional: '0', band_bps: '0' })).toEqual({ min_notional: 'positive', band_bps: 'positive' })
    expect(faults({ maker_ppm: '-1600' })).toEqual({ maker_ppm: 'rebate' })
    expect(faults({ halt_bps: '1200' })).toEqual({ halt_bps: 'halt' })
    expect(faults({ tick: '20' })).toEqual({ tick: 'fixed' })
    expect(faults({ quantity_max: '0.0005' })).toEqual({ quantity_max: 'lots' })
  })
})

describe('the two languages', () => {
  const leaves = (tree: object, path = ''): string[] => Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [path + key] : leaves(value as object, `${path}${key}.`)))
  it('have the same keys', () => expect(leaves(en).sort()).toEqual(leaves(zh).sort()))
})
