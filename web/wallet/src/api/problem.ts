import { PasskeyRefused } from '../lib/webauthn'
import { Refused, Unreachable } from './client'

// Turns whatever went wrong into words: what was wrong, what to do next, a reference to quote.

export interface Trouble {
  code: string
  what: string
  next: string
  reference: string
}

/** Looks a text up; null when the language has none for this code. */
export type Lookup = (key: string, params: Record<string, string>) => string | null

export function explain(code: string, params: Record<string, string>, detail: string, look: Lookup) {
  const what = look(`problem.${code}.what`, params)
  const next = look(`problem.${code}.next`, params)
  if (what !== null && next !== null) return { what, next }
  const sentence = detail.trim()
  return {
    what: sentence === '' ? (look('problem.unknown.what', params) ?? code) : sentence,
    next: look('problem.unknown.next', params) ?? '',
  }
}

/** A clearing centre's answer, such as RJ03, in words. */
export function railReason(reason: { code: string; params: Record<string, string> }, look: Lookup): string {
  return (
    look(`rail.${reason.code}`, reason.params) ??
    look(`problem.${reason.code}.what`, reason.params) ??
    look('rail.unknown', { code: reason.code }) ??
    reason.code
  )
}

export function troubleOf(error: unknown, look: Lookup): Trouble {
  if (error instanceof Refused) {
    const { code, params, detail, reference } = error.problem
    return { code, reference, ...explain(code, params, detail, look) }
  }
  const code =
    error instanceof Unreachable
      ? 'unreachable'
      : error instanceof PasskeyRefused
        ? `passkey_${error.reason}`
        : 'unexpected'
  return { code, reference: '', ...explain(code, {}, '', look) }
}
