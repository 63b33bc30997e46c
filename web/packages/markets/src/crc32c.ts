// CRC-32C (Castagnoli, reflected 0x82F63B78), the checksum of a book that the bank sends with every change.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let rest = n
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1
  return rest >>> 0
})

/** Over the bytes of an ASCII text. */
export function crc32c(text: string): number {
  let sum = 0xffffffff
  for (let at = 0; at < text.length; at += 1) sum = (TABLE[(sum ^ text.charCodeAt(at)) & 0xff] ?? 0) ^ (sum >>> 8)
  return (sum ^ 0xffffffff) >>> 0
}
