// The shape of a receipt file, version 1: exactly these keys, each of its kind.
import { hasLoneSurrogate, utf8, type Bytes } from './bytes'
import { parseCheckpoint, type Checkpoint } from './checkpoint'
import { parseNote, type Note } from './note'
import { STATEMENT_KEYS, type Statement } from './statement'
import { parseHash } from './tree'

export interface Receipt {
  bank: string
  entry: Statement
  index: bigint
  size: bigint
  proof: Bytes[]
  note: Note
  checkpoint: Checkpoint
}

const VERSION = 1
const RECEIPT_BYTES_MAX = 64 * 1024
const KEYS = ['version', 'bank', 'entry', 'leaf_index', 'tree_size', 'inclusion_proof', 'checkpoint']
const NUMBER_END = 2 ** 64

/** Throws where this is not a receipt. Nothing is verified yet. */
export function parseReceipt(value: unknown): Receipt {
  const file = object(value, 'the receipt', KEYS)
  if (utf8(JSON.stringify(file)).length > RECEIPT_BYTES_MAX) throw new Error('the receipt is too long')
  if (file.version !== VERSION) throw new Error('the receipt is of a version that is not known here')
  const [index, size] = [whole(file.leaf_index, 'leaf_index'), whole(file.tree_size, 'tree_size')]
  if (index >= size || size > Number.MAX_SAFE_INTEGER) throw new Error(`leaf ${index} is not in a tree of ${size}`)
  const note = parseNote(text(file.checkpoint, 'checkpoint'))
  return {
    bank: text(file.bank, 'bank'),
    entry: statement(file.entry),
    index: BigInt(index),
    size: BigInt(size),
    proof: hashes(file.inclusion_proof),
    note,
    checkpoint: parseCheckpoint(note.text),
  }
}

function statement(value: unknown): Statement {
  const entry = object(value, 'the entry', STATEMENT_KEYS)
  for (const key of STATEMENT_KEYS) {
    if (key === 'journal_seq') whole(entry[key], key)
    else text(entry[key], key)
  }
  if (entry.direction !== 'in' && entry.direction !== 'out') throw new Error('direction is not in or out')
  return entry as Statement
}

function hashes(value: unknown): Bytes[] {
  if (!Array.isArray(value)) throw new Error('inclusion_proof is not a list')
  return value.map((item) => {
    const hash = typeof item === 'string' ? parseHash(item) : null
    if (!hash) throw new Error('inclusion_proof holds something that is no hash')
    return hash
  })
}

function object(value: unknown, what: string, keys: readonly string[]): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  const found = isObject ? Object.keys(value) : []
  if (found.length !== keys.length || !keys.every((key) => found.includes(key))) throw new Error(`${what} has not exactly its fields`)
  return value as Record<string, unknown>
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || hasLoneSurrogate(value)) throw new Error(`${what} is not a text`)
  return value
}

function whole(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= NUMBER_END) throw new Error(`${what} is not a whole number`)
  return value
}
