// Signed notes (C2SP signed-note): a text, a blank line, and lines of signatures, each by a named Ed25519 key. Lines by
// keys that are not known are ignored, so that witnesses can add theirs.
import { Point } from '@noble/ed25519'
import { fromBase64, same, sha256, sha512, toHex, utf8, type Bytes } from './bytes'

const NOTE_BYTES_MAX = 16 * 1024
const SIGNATURES_MAX = 16
const ED25519 = 1
const KEY_BYTES = 32
const ID_BYTES = 4
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const NOT_IN_NAMES = /[\p{White_Space}\p{Cc}+]/u
// Every control character but the line feed.
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/

interface SignatureLine {
  name: string
  /** Of the key, in hex. */
  id: string
  signature: Bytes
}

export interface Note {
  text: string
  signatures: SignatureLine[]
}

export interface VerifierKey {
  name: string
  /** In hex. */
  id: string
  key: Bytes
  point: Point
}

const isName = (name: string) => name !== '' && !NOT_IN_NAMES.test(name)

/** Reads `name+id+key`; throws where it is not a good key. */
export async function parseKey(vkey: string): Promise<VerifierKey> {
  const [, name = '', id = '', rest = ''] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(vkey) ?? []
  const bytes = fromBase64(rest)
  if (!isName(name) || bytes?.length !== KEY_BYTES + 1 || bytes[0] !== ED25519) throw new Error('the log key is not of the form name+id+key')
  const key = bytes.slice(1)
  const computed = toHex(await sha256(utf8(`${name}\n`), bytes)).slice(0, ID_BYTES * 2)
  if (computed !== id) throw new Error(`the log key's id is ${id}, expected ${computed}`)
  const point = Point.fromBytes(key)
  if (point.isSmallOrder()) throw new Error('the log key is weak')
  return { name, id, key, point }
}

/** Takes a note apart, unverified; throws where it is not of the right form. */
export function parseNote(note: string): Note {
  if (utf8(note).length > NOTE_BYTES_MAX) throw new Error('the checkpoint is too long')
  const at = note.lastIndexOf('\n\n')
  const text = note.slice(0, at + 1)
  const lines = note.slice(at + 2)
  if (at < 0 || CONTROL.test(text) || !lines.endsWith('\n')) throw new Error('the checkpoint is not a text, a blank line and signatures')
  const signatures = lines.slice(0, -1).split('\n').map(parseSignature)
  if (signatures.length > SIGNATURES_MAX) throw new Error('the checkpoint has too many signatures')
  return { text, signatures }
}

function parseSignature(line: string): SignatureLine {
  const [, name = '', encoded = ''] = /^\u2014 ([^ ]*) (.*)$/s.exec(line) ?? []
  const bytes = fromBase64(encoded)
  if (!isName(name) || !bytes || bytes.length <= ID_BYTES) throw new Error('the checkpoint has a malformed signature')
  return { name, id: toHex(bytes.slice(0, ID_BYTES)), signature: bytes.slice(ID_BYTES) }
}

/** Throws unless the note is signed once by this key, truly. */
export async function verifyNote(note: Note, key: VerifierKey): Promise<void> {
  const [line, second] = note.signatures.filter((known) => known.name === key.name && known.id === key.id)
  if (!line) throw new Error(`the checkpoint is not signed by ${key.name}`)
  if (second) throw new Error(`the checkpoint is signed twice by ${key.name}`)
  if (!(await isSigned(utf8(note.text), line.signature, key))) throw new Error(`the signature by ${key.name} is false`)
}

/**
 * RFC 8032 in the strict reading, the same as the bank's own: no multiple of the group's order, no points of small order,
 * and equality without the cofactor. Browsers differ here, so their own check is not used.
 */
async function isSigned(text: Bytes, signature: Bytes, key: VerifierKey): Promise<boolean> {
  if (signature.length !== 2 * KEY_BYTES) return false
  const [r, s] = [signature.slice(0, KEY_BYTES), littleEndian(signature.slice(KEY_BYTES))]
  if (s >= ORDER) return false
  const k = littleEndian(await sha512(r, key.key, text)) % ORDER
  const expected = Point.BASE.multiply(s, false).subtract(key.point.multiply(k, false))
  return same(expected.toBytes(), r) && !expected.isSmallOrder()
}

const littleEndian = (bytes: Bytes): bigint => BigInt(`0x${toHex(bytes.toReversed())}`)
