import { describe, expect, it } from 'vitest'
import { add, change, compact, compare, cut, grouped, isMultiple, multiply, percentOfPpm, placesOf, stepped, subtract, textOf, trimmed, unitsOf } from './decimal'

describe('decimal text', () => {
  it('becomes units and back without loss', () => {
    expect(unitsOf('12.5', 2)).toBe(1250n)
    expect(unitsOf('12.500', 2)).toBe(1250n)
    expect(unitsOf('12.505', 2)).toBe(null)
    expect(unitsOf('1e5', 2)).toBe(null)
    expect(unitsOf('', 2)).toBe(null)
    expect(textOf(5n, 8)).toBe('0.00000005')
    expect(textOf(-1250n, 2)).toBe('-12.50')
    expect(unitsOf('123456789012345678901234.000000000000000001', 18)).toBe(123456789012345678901234000000000000000001n)
  })

  it('is compared and reckoned with exactly', () => {
    expect(compare('10', '9.99')).toBe(1)
    expect(compare('0.10', '0.1')).toBe(0)
    expect(compare('-1', '0')).toBe(-1)
    expect(add('0.1', '0.2')).toBe('0.3')
    expect(subtract('1', '0.00000001')).toBe('0.99999999')
    expect(multiply('430000.50', '0.013')).toBe('5590.00650')
  })

  it('keeps to steps', () => {
    expect(isMultiple('430010', '10')).toBe(true)
    expect(isMultiple('430015', '10')).toBe(false)
    expect(isMultiple('0.0015', '0.001')).toBe(false)
    expect(isMultiple('1', '0')).toBe(false)
    expect(placesOf('0.0010')).toBe(3)
    expect(placesOf('10')).toBe(0)
  })
})

describe('what is shown', () => {
  it('groups and trims', () => {
    expect(grouped('-1234567.50')).toBe('−1,234,567.50')
    expect(trimmed('0.5000')).toBe('0.5')
    expect(trimmed('100')).toBe('100')
    expect(stepped('430000.00', '10')).toBe('430,000')
    expect(stepped('0.5', '0.001')).toBe('0.500')
  })

  it('is never more than there is', () => {
    expect(cut('0.129', 2)).toBe('0.12')
    expect(cut('0.1', 2)).toBe('0.1')
  })

  it('says changes and rates with their sign', () => {
    expect(change(125)).toBe('+1.25 %')
    expect(change(-5)).toBe('−0.05 %')
    expect(change(0)).toBe('0.00 %')
    expect(percentOfPpm(1500)).toBe('0.15 %')
    expect(percentOfPpm(-200)).toBe('−0.02 %')
  })

  it('is short where it is large', () => {
    expect(compact('12345678.9', 'zh')).toBe('1,234.5 万')
    expect(compact('12345678.9', 'en')).toBe('12.3 M')
    expect(compact('123456789012', 'zh')).toBe('1,234.5 亿')
    expect(compact('9.87654321', 'en')).toBe('9.8765')
    expect(compact('999', 'en')).toBe('999')
  })
})
