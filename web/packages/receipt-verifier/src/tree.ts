// The Merkle tree of RFC 6962: hashes of leaves and nodes, and the walk from a leaf to the root.
import { fromBase64, sha256, type Bytes } from './bytes'

export const HASH_BYTES = 32
const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

export const leafHash = (leaf: Bytes): Promise<Bytes> => sha256(LEAF, leaf)

/** A hash in base64, or null. */
export function parseHash(text: string): Bytes | null {
  const bytes = fromBase64(text)
  return bytes?.length === HASH_BYTES ? bytes : null
}

/** The root to which the proof leads, or null where it has not the number of hashes that the place needs. */
export async function rootFromProof(leaf: Bytes, index: bigint, size: bigint, proof: Bytes[]): Promise<Bytes | null> {
  let [place, last, hash] = [index, size - 1n, leaf]
  for (const beside of proof) {
    if (last === 0n) return null
    if (place % 2n === 1n || place === last) {
      hash = await sha256(NODE, beside, hash)
      // At the right edge of an uneven tree, levels without a neighbour have no hash in the proof.
      while (place % 2n === 0n && place !== 0n) [place, last] = [place / 2n, last / 2n]
    } else {
      hash = await sha256(NODE, hash, beside)
    }
    ;[place, last] = [place / 2n, last / 2n]
  }
  return last === 0n ? hash : null
}
