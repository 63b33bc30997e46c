import { describe, expect, it } from 'vitest'
import { formatAmount, fromMinor, grouped, minorOf, parseEntry, pressKey, spacedAccount, sum, toMinor } from './money'

describe('amounts', () => {
  it('groups thousands and keeps every digit', () => {
    const check = (value: string, expected: string) => expect(grouped(value)).toBe(expected)
    check('0.00', '0.00')
    check('999.99', '999.99')
    check('1234567.50', '1,234,567.50')
    check('-1234.56', '−1,234.56')
    check('90071992547409931234.07', '90,071,992,547,409,931,234.07')
  })

  it('always shows the currency', () => {
    expect(formatAmount({ asset: 'CNY', value: '1234.56' })).toBe('CNY 1,234.56')
  })

  it('turns text into minor units and back without a float', () => {
    expect(toMinor('90071992547409931.07', 2)).toBe(9007199254740993107n)
    expect(toMinor('1.005', 2)).toBeNull()
    expect(toMinor('1e5', 2)).toBeNull()
    expect(fromMinor(5n, 'CNY').value).toBe('0.05')
    expect(fromMinor(-12345n, 'CNY').value).toBe('-123.45')
    expect(minorOf({ asset: 'CNY', value: '12.30' })).toBe(1230n)
  })

  it('sums one currency only', () => {
    expect(sum([{ asset: 'CNY', value: '0.10' }, { asset: 'CNY', value: '0.20' }, { asset: 'USD', value: '5.00' }], 'CNY').value).toBe('0.30')
  })

  it('reads what is typed or says why not', () => {
    const check = (text: string, expected: object) => expect(parseEntry(text, 'CNY')).toEqual(expected)
    check('1,234.5', { amount: { asset: 'CNY', value: '1234.50' } })
    check('.5', { amount: { asset: 'CNY', value: '0.50' } })
    check('0', { fault: 'amount_zero' })
    check('0.00', { fault: 'amount_zero' })
    check('1.234', { fault: 'amount_decimals' })
    check('-5', { fault: 'amount_malformed' })
    check('', { fault: 'amount_malformed' })
    check('12a', { fault: 'amount_malformed' })
  })

  it('the pad never makes an unreadable amount', () => {
    const press = (keys: string[]) => keys.reduce((text, key) => pressKey(text, key, 'CNY'), '')
    expect(press(['1', '2', '.', '3', '4', '5'])).toBe('12.34')
    expect(press(['.', '5'])).toBe('0.5')
    expect(press(['0', '0', '7'])).toBe('7')
    expect(press(['1', '.', '.', '2', 'back', 'back'])).toBe('1')
    expect(press(Array<string>(20).fill('9'))).toHaveLength(12)
  })

  it('spaces account numbers', () => {
    expect(spacedAccount('6230000000000017')).toBe('6230 0000 0000 0017')
  })
})
