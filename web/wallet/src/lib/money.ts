import { grouped } from '@jinku/markets'
import type { Amount } from '../api/types'

// Amounts stay decimal text from the server to the screen; nothing here passes through a float.

const scales = new Map([['CNY', 2]])

export function scaleOf(asset: string): number {
  return scales.get(asset) ?? 2
}

export function learnScale(asset: string, scale: number): void {
  scales.set(asset, scale)
}

/** The bank writes amounts with all decimals of their asset, so any of them tells the scale. */
export function learnFrom(amounts: Amount[]): void {
  for (const { asset, value } of amounts) learnScale(asset, value.split('.')[1]?.length ?? 0)
}

export { grouped }

export function formatAmount(amount: Amount): string {
  return `${amount.asset} ${grouped(amount.value)}`
}

export const HIDDEN = '••••••'

/** The amount in minor units; null when the text is not a plain amount of that scale. */
export function toMinor(value: string, scale: number): bigint | null {
  const found = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(value)
  if (!found) return null
  const fraction = found[3] ?? ''
  if (fraction.length > scale) return null
  const minor = BigInt((found[2] ?? '0') + fraction.padEnd(scale, '0'))
  return found[1] ? -minor : minor
}

export function fromMinor(minor: bigint, asset: string): Amount {
  const scale = scaleOf(asset)
  const sign = minor < 0n ? '-' : ''
  const digits = (minor < 0n ? -minor : minor).toString().padStart(scale + 1, '0')
  const value = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return { asset, value: sign + value }
}

export function minorOf(amount: Amount): bigint {
  return toMinor(amount.value, scaleOf(amount.asset)) ?? 0n
}

export function sum(amounts: Amount[], asset: string): Amount {
  return fromMinor(
    amounts.filter((a) => a.asset === asset).reduce((total, a) => total + minorOf(a), 0n),
    asset,
  )
}

export type EntryFault = 'amount_zero' | 'amount_decimals' | 'amount_malformed'

/** What somebody typed, as an amount of exactly the asset's scale or the reason it is none. */
export function parseEntry(text: string, asset: string): { amount: Amount } | { fault: EntryFault } {
  const clean = text.replace(/[,，\s]/g, '').replace('。', '.')
  const scale = scaleOf(asset)
  if (!/^\d{0,13}(\.\d*)?$/.test(clean) || clean === '' || clean === '.') return { fault: 'amount_malformed' }
  const minor = toMinor(clean.startsWith('.') ? `0${clean}` : clean, scale)
  if (minor === null) return { fault: 'amount_decimals' }
  if (minor === 0n) return { fault: 'amount_zero' }
  return { amount: fromMinor(minor, asset) }
}

/** One key of the amount pad. Refuses what could never become an amount, so the field is always readable. */
export function pressKey(text: string, key: string, asset: string): string {
  if (key === 'back') return text.slice(0, -1)
  const next = key === '.' && text === '' ? '0.' : text === '0' && key !== '.' ? key : text + key
  const shape = new RegExp(`^\\d{1,12}(\\.\\d{0,${scaleOf(asset)}})?$`)
  return shape.test(next) ? next : text
}

/** Groups an account number in fours for reading aloud. */
export function spacedAccount(number: string): string {
  return number.replace(/\s/g, '').replace(/(.{4})(?=.)/g, '$1 ')
}
