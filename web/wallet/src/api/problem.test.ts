import { readFileSync } from 'node:fs'
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

// The page that lists every refusal of the interface, with the words of both languages beside each code.
const PAGE = readFileSync(new URL('../../../../docs/REFUSALS.md', import.meta.url), 'utf8')
const ROWS = [...PAGE.matchAll(/^\| `(\w+)` \| [\d, ]+ \| .+ \| (.+) \| (.+) \|$/gm)].map(([, code = '', inChinese = '', inEnglish = '']) => ({ code, zh: inChinese, en: inEnglish }))
const RAIL_ROWS = [...PAGE.matchAll(/^\| (RJ\d+) \| (.+) \| (.+) \|$/gm)].map(([, code = '', inChinese = '', inEnglish = '']) => ({ code, zh: inChinese, en: inEnglish }))
// What the wallet says where the bank gave no answer.
const OWN = ['unknown', 'unexpected', 'unreachable', 'passkey_cancelled', 'passkey_unsupported', 'passkey_exists', 'passkey_failed']

describe('refusals', () => {
  for (const [name, texts] of [['zh', zh], ['en', en]] as const) {
    it(`every code says what and what next, ${name}`, () => {
      expect(ROWS.length).toBeGreaterThan(50)
      for (const { code, [name]: written } of ROWS) {
        const { what, next } = explain(code, {}, 'server text', lookIn(texts))
        expect(what, code).toBe(written)
        expect(next.length, code).toBeGreaterThan(4)
        expect(what + next, code).not.toContain(code)
      }
    })
  }

  it('no words are left without a sender', () => {
    const sent = [...ROWS.map((row) => row.code), ...OWN].sort()
    expect(Object.keys(zh.problem).sort()).toEqual(sent)
  })

  it('every reason of the rails is said as the page says it', () => {
    expect(RAIL_ROWS.length).toBeGreaterThan(10)
    for (const row of RAIL_ROWS) {
      expect(railReason({ code: row.code, params: {} }, lookIn(zh))).toBe(row.zh)
      expect(railReason({ code: row.code, params: {} }, lookIn(en))).toBe(row.en)
    }
  })

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
