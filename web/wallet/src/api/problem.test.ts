import { describe, expect, it } from 'vitest'
import en from '../i18n/en'
import zh from '../i18n/zh'
import { PasskeyRefused } from '../lib/webauthn'
import { Refused, Unreachable } from './client'
import { explain, type Lookup, railReason, troubleOf } from './problem'

function lookIn(texts: object): Lookup {
  return (key, params) => {
    const text = key.split('.').reduce<unknown>((tree, part) => (tree as Record<string, unknown> | undefined)?.[part], texts)
    return typeof text === 'string' ? text.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '') : null
  }
}
const CODES = [
  'insufficient_funds', 'over_limit', 'small_amount_limit_needs_passkey', 'intent_expired', 'assertion_invalid', 'assertion_replayed', 'account_closed', 'account_unknown',
  'payee_name_mismatch', 'amount_zero', 'amount_decimals', 'asset_mismatch', 'rail_closed', 'rail_down', 'session_expired', 'device_blocked', 'customer_locked', 'undo_window_over',
  'idempotency_mismatch', 'rate_limited', 'totp_wrong', 'totp_replayed', 'projection_behind', 'receipt_not_ready', 'payment_unknown', 'payee_unknown', 'last_passkey', 'note_too_long',
  'name_invalid', 'phone_invalid', 'own_account',
]

describe('refusals', () => {
  for (const [name, texts] of [['zh', zh], ['en', en]] as const) {
    it(`every code says what and what next, ${name}`, () => {
      for (const code of CODES) {
        const { what, next } = explain(code, {}, 'server text', lookIn(texts))
        expect(what, code).not.toBe('server text')
        expect(next.length, code).toBeGreaterThan(4)
        expect(what + next, code).not.toContain(code)
      }
    })
  }

  it('an unknown code falls back to the bank’s sentence, never to the code alone', () => {
    expect(explain('new_rule', {}, 'The account is frozen', lookIn(en)).what).toBe('The account is frozen')
    expect(explain('new_rule', {}, '', lookIn(en)).what).toBe(en.problem.unknown.what)
  })

  it('keeps the reference to quote', () => {
    const error = new Refused({ type: '', title: '', status: 422, detail: '', code: 'over_limit', reference: 'R7', params: {} })
    expect(troubleOf(error, lookIn(zh))).toEqual({ code: 'over_limit', reference: 'R7', what: zh.problem.over_limit.what, next: zh.problem.over_limit.next })
  })

  it('a lost line, a declined passkey and a surprise are told apart', () => {
    const code = (error: unknown) => troubleOf(error, lookIn(en)).code
    expect(code(new Unreachable())).toBe('unreachable')
    expect(code(new PasskeyRefused('cancelled'))).toBe('passkey_cancelled')
    expect(code(new TypeError('x'))).toBe('unexpected')
  })

  it('a clearing centre’s answer is said in words', () => {
    expect(railReason({ code: 'RJ01', params: {} }, lookIn(zh))).toBe(zh.rail.RJ01)
    expect(railReason({ code: 'RJ77', params: {} }, lookIn(en))).toContain('RJ77')
  })
})
