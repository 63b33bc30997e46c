// Checks a receipt without asking the bank: what the crate `receipts` accepts, this accepts, and the reverse. Both read
// the golden files of that crate. It takes the file as parsed JSON, so how a number is spelt is the JSON reader's.
import { same, toBase64, type Bytes } from './bytes'
import { parseKey, verifyNote } from './note'
import { parseReceipt, type Receipt } from './receipt'
import { canonicalBytes } from './statement'
import { leafHash, rootFromProof } from './tree'

export type StepName = 'format' | 'leaf' | 'inclusion' | 'checkpoint'

export interface Step {
  name: StepName
  ok: boolean
  /** What was found, or why it was refused, for people who want to see it. */
  detail: string
}

export interface Verdict {
  /** Only all four steps together prove anything. */
  ok: boolean
  /** The steps taken, in order; the first that fails is the last. */
  steps: Step[]
}

/**
 * Checks a receipt with the bank's log key (`name+id+key`): that the file is a receipt (format), what is hashed of the
 * movement (leaf), that this leads to the root (inclusion), and that the bank signed the root (checkpoint).
 */
export async function verifyReceipt(file: unknown, vkey: string): Promise<Verdict> {
  const steps: Step[] = []
  let current: StepName = 'format'
  const passed = (detail: string, next: StepName) => {
    steps.push({ name: current, ok: true, detail })
    current = next
  }
  try {
    const receipt = parseReceipt(file)
    passed(`version 1, leaf ${receipt.index} of ${receipt.size}`, 'leaf')
    const leaf = await leafHash(canonicalBytes(receipt.entry))
    passed(toBase64(leaf), 'inclusion')
    await checkInclusion(receipt, leaf)
    passed(toBase64(receipt.checkpoint.root), 'checkpoint')
    passed(await checkSignature(receipt, vkey), 'checkpoint')
    return { ok: true, steps }
  } catch (error) {
    steps.push({ name: current, ok: false, detail: error instanceof Error ? error.message : String(error) })
    return { ok: false, steps }
  }
}

async function checkInclusion({ index, size, proof, checkpoint }: Receipt, leaf: Bytes): Promise<void> {
  if (checkpoint.size !== size) throw new Error(`the receipt is for a tree of ${size}, its checkpoint for one of ${checkpoint.size}`)
  const root = await rootFromProof(leaf, index, size, proof)
  if (!root) throw new Error('the proof has not the number of hashes that its place needs')
  if (!same(root, checkpoint.root)) throw new Error('the movement, as it stands in the receipt, is not in the log')
}

async function checkSignature({ bank, note, checkpoint }: Receipt, vkey: string): Promise<string> {
  const key = await parseKey(vkey)
  if (bank !== checkpoint.origin || bank !== key.name) throw new Error(`the receipt is of ${bank}, its checkpoint of ${checkpoint.origin}, the key of ${key.name}`)
  await verifyNote(note, key)
  return `signed by ${key.name} with key ${key.id}`
}
