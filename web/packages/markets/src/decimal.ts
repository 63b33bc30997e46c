// Decimal text in and out, by integers. Prices, quantities and amounts never pass through a float, except for a picture.

const PLAIN = /^(-?)(\d{1,60})(?:\.(\d{0,40}))?$/

export interface Decimal {
  units: bigint
  scale: number
}

/** "12.50" → 1250 at scale 2; null when the text is no plain decimal. */
export function decimal(text: string): Decimal | null {
  const found = PLAIN.exec(text)
  if (!found) return null
  const fraction = found[3] ?? ''
  const units = BigInt((found[2] ?? '0') + fraction)
  return { units: found[1] ? -units : units, scale: fraction.length }
}

/** The number in units of 10^-scale; null when it is no decimal or finer than that. */
export function unitsOf(text: string, scale: number): bigint | null {
  const found = decimal(text)
  if (!found) return null
  if (found.scale <= scale) return found.units * 10n ** BigInt(scale - found.scale)
  const step = 10n ** BigInt(found.scale - scale)
  return found.units % step === 0n ? found.units / step : null
}

/** 1250 at scale 2 → "12.50". */
export function textOf(units: bigint, scale: number): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  return sign + (scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`)
}

function aligned(a: string, b: string): [bigint, bigint, number] | null {
  const [x, y] = [decimal(a), decimal(b)]
  if (!x || !y) return null
  const scale = Math.max(x.scale, y.scale)
  return [x.units * 10n ** BigInt(scale - x.scale), y.units * 10n ** BigInt(scale - y.scale), scale]
}

/** −1, 0 or 1 as the first is below, equal to or above the second. What is no number counts as nothing. */
export function compare(a: string, b: string): number {
  const both = aligned(decimal(a) ? a : '0', decimal(b) ? b : '0')
  if (!both) return 0
  return both[0] < both[1] ? -1 : both[0] > both[1] ? 1 : 0
}

export function add(a: string, b: string): string {
  const both = aligned(a, b)
  return both ? textOf(both[0] + both[1], both[2]) : a
}

export function subtract(a: string, b: string): string {
  const both = aligned(a, b)
  return both ? textOf(both[0] - both[1], both[2]) : a
}

export function multiply(a: string, b: string): string {
  const [x, y] = [decimal(a), decimal(b)]
  return x && y ? textOf(x.units * y.units, x.scale + y.scale) : '0'
}

/** Whether the number is a whole multiple of the step. */
export function isMultiple(text: string, step: string): boolean {
  const both = aligned(text, step)
  return both !== null && both[1] > 0n && both[0] % both[1] === 0n
}

export const isZero = (text: string): boolean => decimal(text)?.units === 0n

/** Without the zeros that say nothing: "0.5000" → "0.5". */
export function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** How many decimals a step such as "0.001" has. */
export function placesOf(step: string): number {
  return (trimmed(step).split('.')[1] ?? '').length
}

/** Cut, never rounded up, to so many decimals: what is shown is never more than there is. */
export function cut(text: string, places: number): string {
  const found = decimal(text)
  if (!found || found.scale <= places) return text
  return textOf(found.units / 10n ** BigInt(found.scale - places), places)
}

/** Groups thousands: "-1234567.5" → "−1,234,567.5". */
export function grouped(text: string): string {
  const sign = text.startsWith('-') ? '−' : ''
  const [whole = '0', fraction] = text.replace(/^-/, '').split('.')
  const head = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  return sign + (fraction === undefined ? head : `${head}.${fraction}`)
}

/** A price or quantity of a market, grouped and with exactly the decimals of its step. */
export function stepped(text: string, step: string): string {
  const units = unitsOf(text, placesOf(step))
  return grouped(units === null ? trimmed(text) : textOf(units, placesOf(step)))
}

/** A change in hundredths of a percent with its sign: 125 → "+1.25 %". */
export function change(bps: number): string {
  const size = textOf(BigInt(Math.abs(Math.trunc(bps))), 2)
  return `${bps > 0 ? '+' : bps < 0 ? '−' : ''}${size} %`
}

/** Parts per million as a percentage: 1500 → "0.15 %". */
export function percentOfPpm(ppm: number): string {
  const text = trimmed(textOf(BigInt(Math.trunc(ppm)), 4))
  return `${text.replace('-', '−')} %`
}

const LARGE: Record<'zh' | 'en', [digits: number, word: string][]> = {
  zh: [[12, '万亿'], [8, '亿'], [4, '万']],
  en: [[12, 'T'], [9, 'B'], [6, 'M'], [3, 'K']],
}

/** A large number in few digits, cut and not rounded: 12345678 → "1234.5 万" or "12.3 M". */
export function compact(text: string, locale: 'zh' | 'en'): string {
  const found = decimal(text)
  if (!found) return text
  const whole = (found.units < 0n ? -found.units : found.units) / 10n ** BigInt(found.scale)
  const digits = whole.toString().length
  const large = LARGE[locale].find(([size]) => digits > size)
  if (!large) return grouped(trimmed(cut(text, 4)))
  const sign = found.units < 0n ? '-' : ''
  return `${grouped(trimmed(sign + cut(textOf(whole, large[0]), 1)))} ${large[1]}`
}
