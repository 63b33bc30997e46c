import { describe, expect, it } from 'vitest'
import { dayEnd, dayStart, formatTime, localDay, recentStyle, zoneName } from './times'

describe('times', () => {
  const at = '2026-03-05T16:30:15.250Z'

  it('names the zone of the device', () => {
    expect(zoneName('zh', new Date(at))).toMatch(/^(GMT|UTC)([+−-]\d{1,2}(:\d{2})?)?$/)
  })

  it('shows the local day, whole or without its year', () => {
    const day = new Date(at).getDate()
    expect(formatTime(at, 'en', 'day')).toBe(`${day} Mar`)
    expect(formatTime(at, 'zh', 'date')).toBe(`2026年3月${day}日`)
    expect(formatTime('not a time', 'zh')).toBe('not a time')
  })

  it('leaves the year out only of this year', () => {
    expect(recentStyle(at, new Date('2026-11-01T00:00:00'))).toBe('day')
    expect(recentStyle(at, new Date('2027-01-05T00:00:00'))).toBe('date')
  })

  it('a local day spans from its first to its last instant', () => {
    const day = localDay(at)
    expect(Date.parse(dayEnd(day)) - Date.parse(dayStart(day))).toBe(86_399_999)
    expect(dayStart(day) <= at && at <= dayEnd(day)).toBe(true)
  })
})
