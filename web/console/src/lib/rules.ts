// A market's rules as a form: what differs from those in force, and what is unsound. The bank checks all of it again.
import { compare, decimal, isMultiple, isZero } from '@jinku/markets'
import type { Rules } from '../api'

export const DECIMALS = ['lot', 'tick', 'quantity_max', 'min_notional'] as const
export const COUNTS = ['maker_ppm', 'taker_ppm', 'band_bps', 'halt_bps', 'reference_ms', 'call_ms', 'open_orders_max'] as const
export type RuleField = (typeof DECIMALS)[number] | (typeof COUNTS)[number]
export const FIELDS: readonly RuleField[] = [...DECIMALS, ...COUNTS]
/** These never change for a market: its whole book is counted in them. */
export const FIXED: readonly RuleField[] = ['lot', 'tick']

export type RulesForm = Record<RuleField, string>

export interface Difference {
  field: RuleField
  before: string
  after: string
}

export function formOf(rules: Rules): RulesForm {
  return Object.fromEntries(FIELDS.map((field) => [field, String(rules[field])])) as RulesForm
}

export function differences(before: Rules, after: Rules): Difference[] {
  const same = (field: RuleField) => compare(String(before[field]), String(after[field])) === 0
  return FIELDS.filter((field) => !same(field)).map((field) => ({ field, before: String(before[field]), after: String(after[field]) }))
}

export type RuleFault = 'number' | 'whole' | 'positive' | 'rebate' | 'half' | 'band' | 'halt' | 'lots' | 'fixed'
export type RuleFaults = Partial<Record<RuleField, RuleFault>>

const PPM_HALF = 500_000
const BPS_WHOLE = 10_000

/** What is wrong with each field; nothing where the rules may be proposed. */
export function faultsOf(form: RulesForm, now: Rules): RuleFaults {
  const faults: RuleFaults = {}
  for (const field of DECIMALS) {
    if (!decimal(form[field])) faults[field] = 'number'
    else if (isZero(form[field]) || form[field].startsWith('-')) faults[field] = 'positive'
  }
  for (const field of COUNTS) {
    if (!/^-?\d{1,15}$/.test(form[field])) faults[field] = 'whole'
    else if (field !== 'maker_ppm' && Number(form[field]) < (field === 'taker_ppm' ? 0 : 1)) faults[field] = 'positive'
  }
  if (Object.keys(faults).length > 0) return faults
  const n = (field: RuleField) => Number(form[field])
  for (const field of FIXED) if (compare(form[field], String(now[field])) !== 0) faults[field] = 'fixed'
  if (n('taker_ppm') > PPM_HALF || n('maker_ppm') > PPM_HALF) faults.taker_ppm = 'half'
  // A rebate is paid out of the taker's fee.
  if (-n('maker_ppm') > n('taker_ppm')) faults.maker_ppm = 'rebate'
  if (n('band_bps') >= BPS_WHOLE) faults.band_bps = 'band'
  if (n('halt_bps') > n('band_bps')) faults.halt_bps = 'halt'
  if (!isMultiple(form.quantity_max, form.lot)) faults.quantity_max = 'lots'
  return faults
}

export function rulesOf(form: RulesForm, hours: Rules['hours']): Rules {
  const counts = Object.fromEntries(COUNTS.map((field) => [field, Number(form[field])]))
  const decimals = Object.fromEntries(DECIMALS.map((field) => [field, form[field]]))
  return { ...decimals, ...counts, hours } as Rules
}
