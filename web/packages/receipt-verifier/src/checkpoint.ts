// Checkpoints (C2SP tlog-checkpoint): origin, size and root of the log, one line each, and lines of extensions. One
// extension is the bank's own: `journal <number> <hash>` names the journal entry up to which the tree was built.
import type { Bytes } from './bytes'
import { parseHash } from './tree'

export interface Checkpoint {
  origin: string
  size: bigint
  root: Bytes
}

const NUMBER_MAX = 2n ** 64n - 1n

/** Throws where the text is not of the right form. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, ...extensions] = text.slice(0, -1).split('\n')
  const leaves = parseNumber(size)
  const hash = parseHash(root ?? '')
  if (!origin || leaves === null || !hash) throw new Error('the checkpoint has not an origin, a size and a root')
  const journal = extensions.filter((line) => line.startsWith('journal '))
  if (extensions.includes('') || journal.length > 1 || !journal.every(isJournal)) throw new Error('the checkpoint has a malformed extension')
  return { origin, size: leaves, root: hash }
}

function parseNumber(text: string | undefined): bigint | null {
  if (!text || !/^(0|[1-9][0-9]{0,19})$/.test(text)) return null
  const number = BigInt(text)
  return number <= NUMBER_MAX ? number : null
}

function isJournal(line: string): boolean {
  const [, seq, hash] = /^journal ([^ ]*) (.*)$/.exec(line) ?? []
  return parseNumber(seq) !== null && /^[0-9a-f]{64}$/.test(hash ?? '')
}
