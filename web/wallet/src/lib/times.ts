// Times are shown in the zone of the device, and the zone is always named.

const BCP: Record<string, string> = { zh: 'zh-CN', en: 'en-GB' }

/** `day`, `minute` and `second` leave the year out: for what happened in the last weeks. */
export type TimeStyle = 'day' | 'date' | 'time' | 'minute' | 'second' | 'full'

function options(style: TimeStyle): Intl.DateTimeFormatOptions {
  const date: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'short', day: 'numeric' }
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
  if (style === 'date') return date
  if (style === 'day') return { month: 'short', day: 'numeric' }
  if (style === 'time') return time
  if (style === 'minute') return { month: 'short', day: 'numeric', ...time }
  if (style === 'second') return { month: 'short', day: 'numeric', ...time, second: '2-digit' }
  return { ...date, ...time, second: '2-digit' }
}

export function formatTime(at: string, locale: string, style: TimeStyle = 'full'): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return at
  return new Intl.DateTimeFormat(BCP[locale] ?? 'zh-CN', options(style)).format(date)
}

/** A day of this year needs no year. */
export function recentStyle(at: string, now = new Date()): 'day' | 'date' {
  return new Date(at).getFullYear() === now.getFullYear() ? 'day' : 'date'
}

/** The zone's short name, such as GMT+8. */
export function zoneName(locale: string, at = new Date()): string {
  const parts = new Intl.DateTimeFormat(BCP[locale] ?? 'zh-CN', { timeZoneName: 'shortOffset' }).formatToParts(at)
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? 'UTC'
}

/** The local calendar day of a time, as YYYY-MM-DD. */
export function localDay(at: string | Date): string {
  const date = typeof at === 'string' ? new Date(at) : at
  const two = (n: number) => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** The first instant of a local calendar day, as UTC text. */
export function dayStart(day: string): string {
  return new Date(`${day}T00:00:00`).toISOString()
}

/** The last instant of a local calendar day, as UTC text. */
export function dayEnd(day: string): string {
  return new Date(`${day}T23:59:59.999`).toISOString()
}
