import { describe, expect, it } from 'vitest'
import { clockText, remaining } from './clock'

const at = (seconds: number) => new Date(seconds * 1000).toISOString()

describe('the undo clock', () => {
  it('counts whole seconds up, so it never shows nothing while there is something', () => {
    expect(remaining(at(100), 40_000, at(40))).toEqual({ over: false, seconds: 60, share: 1 })
    expect(remaining(at(100), 99_500, at(40)).seconds).toBe(1)
    expect(remaining(at(100), 70_000, at(40)).share).toBeCloseTo(0.5)
  })

  it('is over at the instant itself and stays over', () => {
    expect(remaining(at(100), 100_000).over).toBe(true)
    expect(remaining(at(100), 500_000).seconds).toBe(0)
    expect(remaining('', 0).over).toBe(true)
  })

  it('a clock of the device that runs behind the bank’s never shows more than the whole', () => {
    expect(remaining(at(100), 10_000, at(40))).toEqual({ over: false, seconds: 60, share: 1 })
  })

  it('reads like a clock', () => {
    expect(clockText(0)).toBe('0:00')
    expect(clockText(65)).toBe('1:05')
    expect(clockText(3725)).toBe('1:02:05')
  })
})
