import { describe, expect, it } from 'vitest'
import { Book, checksumOf, type Level, merged } from './book'
import { crc32c } from './crc32c'

describe('CRC-32C', () => {
  it('gives the check value of RFC 3720 and those of zeros and ones', () => {
    expect(crc32c('123456789')).toBe(0xe3069283)
    expect(crc32c('\0'.repeat(32))).toBe(0x8a9136aa)
    expect(crc32c('\xff'.repeat(32))).toBe(0x62a8ab43)
    expect(crc32c('')).toBe(0)
  })
})

const bids: Level[] = [['100', '1', 1], ['99', '2', 1]]
const asks: Level[] = [['101', '3', 2]]

describe('the levels of a book', () => {
  it('are put in their place, replaced and removed', () => {
    expect(merged(bids, [['99.5', '4', 1]], 'highest').map(([price]) => price)).toEqual(['100', '99.5', '99'])
    expect(merged(bids, [['101', '4', 1]], 'highest')[0]).toEqual(['101', '4', 1])
    expect(merged(bids, [['99', '7', 3]], 'highest')).toEqual([['100', '1', 1], ['99', '7', 3]])
    expect(merged(bids, [['100', '0', 0]], 'highest')).toEqual([['99', '2', 1]])
    expect(merged(bids, [['98', '0', 0]], 'highest')).toEqual(bids)
    expect(merged(asks, [['100.5', '1', 1], ['102', '1', 1]], 'lowest').map(([price]) => price)).toEqual(['100.5', '101', '102'])
  })

  it('sort by value and not by text', () => {
    expect(merged([['9', '1', 1]], [['10', '1', 1]], 'highest')[0]?.[0]).toBe('10')
  })

  it('agree with one sorted anew after many changes', () => {
    let [seed, side] = [7, [] as Level[]]
    const next = (n: number) => (seed = (seed * 48271) % 2147483647) % n
    const plain = new Map<string, Level>()
    for (let turn = 0; turn < 2000; turn += 1) {
      const price = String(1000 + next(60))
      const level: Level = [price, next(4) === 0 ? '0' : String(1 + next(9)), 1]
      side = merged(side, [level], 'highest')
      if (level[1] === '0') plain.delete(price)
      else plain.set(price, level)
      expect(side).toEqual([...plain.values()].sort((a, b) => Number(b[0]) - Number(a[0])))
    }
  })
})

describe('a book that follows', () => {
  const snapshot = { sequence: 5, checksum: checksumOf(bids, asks), bids, asks }

  it('takes a snapshot that fits and knows one that does not', () => {
    expect(new Book().load(snapshot)).toBe(true)
    expect(new Book().load({ ...snapshot, checksum: snapshot.checksum ^ 1 })).toBe(false)
  })

  it('takes changes in turn, passes over old ones and notices wrong ones', () => {
    const book = new Book()
    expect(book.merge({ ...snapshot, sequence: 6 })).toBe('mismatch')
    book.load(snapshot)
    const change: Level[] = [['100', '0', 0]]
    const after = checksumOf([['99', '2', 1]], asks)
    expect(book.merge({ sequence: 4, checksum: 0, bids: [], asks: [] })).toBe('stale')
    expect(book.merge({ sequence: 9, previous: 8, checksum: snapshot.checksum, bids: [], asks: [] })).toBe('mismatch')
    expect(book.merge({ sequence: 7, previous: 5, checksum: after, bids: change, asks: [] })).toBe('ok')
    expect(book.merge({ sequence: 8, checksum: after, bids: [['98', '1', 1]], asks: [] })).toBe('mismatch')
  })

  it('checks 25 levels of each side and no more', () => {
    const many = Array.from({ length: 30 }, (_, n): Level => [String(200 - n), '1', 1])
    expect(checksumOf(many, [])).toBe(checksumOf(many.slice(0, 25), []))
    expect(checksumOf(many.slice(0, 25), [])).not.toBe(checksumOf(many.slice(0, 24), []))
  })
})
