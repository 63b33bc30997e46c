import { describe, expect, it } from 'vitest'
import { checksumOf, type Level } from './book'
import { type MarketMessage, MarketStream, pauseAfter, type Socket } from './stream'

class FakeSocket implements Socket {
  onopen = null
  onmessage: Socket['onmessage'] = null
  onclose: Socket['onclose'] = null
  closed = false
  close(): void {
    this.closed = true
  }
}

function rig() {
  const sockets: FakeSocket[] = []
  const states: string[] = []
  const seen: MarketMessage[] = []
  const timers: { ms: number; then: () => void }[] = []
  const stream = new MarketStream(
    () => {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket
    },
    { onMessage: (message) => seen.push(message), onState: (state) => states.push(state) },
    { after: (ms, then) => timers[timers.push({ ms, then }) - 1], stop: (timer) => void (timers.includes(timer as never) && timers.splice(timers.indexOf(timer as never), 1)) },
  )
  const say = (message: object) => sockets.at(-1)?.onmessage?.({ data: JSON.stringify(message) })
  return { stream, sockets, states, seen, timers, say }
}

const bids: Level[] = [['100', '1', 1]]
const snapshot = { type: 'snapshot', sequence: 1, checksum: checksumOf(bids, []), bids, asks: [] }
const good = { type: 'delta', sequence: 2, checksum: checksumOf([['100', '2', 1]], []), bids: [['100', '2', 1]], asks: [] }

describe('a market stream', () => {
  it('is live from its snapshot on', () => {
    const { say, states, seen, stream } = rig()
    say(snapshot)
    say(good)
    expect(states.at(-1)).toBe('live')
    expect(seen.map((message) => message.sequence)).toEqual([1, 2])
    expect(stream.book.bids).toEqual([['100', '2', 1]])
  })

  it('asks for a new snapshot when the checksum does not fit, and shows nothing of it', () => {
    const { say, sockets, states, seen } = rig()
    say(snapshot)
    say({ ...good, checksum: good.checksum ^ 1 })
    expect(seen.length).toBe(1)
    expect(sockets.length).toBe(2)
    expect(sockets[0]?.closed).toBe(true)
    expect(states.at(-1)).toBe('resyncing')
    say({ ...snapshot, sequence: 9 })
    expect(states.at(-1)).toBe('live')
  })

  it('waits longer when every snapshot is wrong', () => {
    const { say, sockets, states } = rig()
    for (let turn = 0; turn < 3; turn += 1) say({ ...snapshot, checksum: 1 })
    expect(sockets.length).toBe(3)
    expect(states.at(-1)).toBe('waiting')
  })

  it('comes back after a lost line, with growing pauses', () => {
    const { sockets, states, timers, say } = rig()
    const pauses: number[] = []
    for (let turn = 0; turn < 3; turn += 1) {
      sockets.at(-1)?.onclose?.({} as never)
      expect(states.at(-1)).toBe('waiting')
      const timer = timers.at(-1)
      pauses.push(timer?.ms ?? 0)
      timer?.then()
    }
    expect(pauses).toEqual([500, 1000, 2000])
    say(snapshot)
    sockets.at(-1)?.onclose?.({} as never)
    expect(timers.at(-1)?.ms).toBe(500)
    expect(pauseAfter(50)).toBe(15_000)
  })

  it('passes over what it cannot read and hears nothing once ended', () => {
    const { say, sockets, seen, stream } = rig()
    sockets[0]?.onmessage?.({ data: '{' })
    say({ type: 'delta' })
    say({ type: 'other', sequence: 1, bids: [], asks: [] })
    stream.end()
    sockets[0]?.onmessage?.({ data: JSON.stringify(snapshot) })
    expect(seen).toEqual([])
    expect(sockets[0]?.closed).toBe(true)
  })
})
