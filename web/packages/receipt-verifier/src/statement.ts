// What the bank states about a movement, and the bytes that are hashed into the log: UTF-8 lines, each `name: value`.
import { utf8, type Bytes } from './bytes'

const TEXTS = [
  'movement_id', 'payment_id', 'account_number', 'direction', 'kind', 'asset', 'amount', 'fee', 'counterparty_name',
  'counterparty_account', 'counterparty_bank', 'note', 'recorded_at', 'effective_at',
] as const

export type Statement = Record<(typeof TEXTS)[number], string> & { journal_seq: number }

export const STATEMENT_KEYS: readonly string[] = [...TEXTS, 'journal_seq']
const HEADER = 'jinku-movement-v1'
const FIELD_BYTES_MAX = 1024
const AMOUNT = /^(0|[1-9][0-9]*)(\.[0-9]+)?$/
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/
const FORMS: Partial<Record<(typeof TEXTS)[number], RegExp>> = {
  movement_id: /./s,
  account_number: /./s,
  kind: /^[a-z_]+$/,
  asset: /^[A-Z0-9]+$/,
  amount: AMOUNT,
  fee: AMOUNT,
  recorded_at: TIME,
  effective_at: TIME,
}

/** The bytes; throws where the statement has no canonical form. */
export function canonicalBytes(statement: Statement): Bytes {
  const lines = [HEADER]
  for (const name of TEXTS) {
    const value = statement[name]
    if (utf8(value).length > FIELD_BYTES_MAX) throw new Error(`${name} is too long`)
    if (FORMS[name] && !FORMS[name].test(value)) throw new Error(`${name} has not the right form`)
    lines.push(`${name}: ${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}`)
  }
  if (statement.journal_seq > Number.MAX_SAFE_INTEGER) throw new Error('journal_seq is too large a number')
  lines.push(`journal_seq: ${statement.journal_seq}`)
  return utf8(`${lines.join('\n')}\n`)
}
