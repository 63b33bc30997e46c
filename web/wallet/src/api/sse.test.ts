import { describe, expect, it, vi } from 'vitest'
import { EventParser, openStream, pauseMs, type ServerEvent } from './sse'

describe('the event parser', () => {
  it('reads events however the bytes are cut', () => {
    const text = ': hello\n\nid: 7\nevent: payment\ndata: {"a":1}\n\nid: 8\ndata: x\ndata: y\r\n\r\n'
    const expected = [{ id: '7', event: 'payment', data: '{"a":1}' }, { id: '8', event: 'message', data: 'x\ny' }]
    for (let size = 1; size <= text.length; size += 1) {
      const parser = new EventParser()
      const found: ServerEvent[] = []
      for (let at = 0; at < text.length; at += size) found.push(...parser.push(text.slice(at, at + size)))
      expect(found, `pieces of ${size}`).toEqual(expected)
    }
  })

  it('a heartbeat is no event and an unfinished event waits', () => {
    const parser = new EventParser()
    expect(parser.push(': beat\n\n')).toEqual([])
    expect(parser.push('data: half\n')).toEqual([])
    expect(parser.push('\n')).toEqual([{ id: null, event: 'message', data: 'half' }])
  })
})

describe('resuming', () => {
  const body = (text: string) => new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text))
      controller.close()
    },
  })

  it('asks again from the last number seen', async () => {
    vi.useFakeTimers()
    const asked: (string | null)[] = []
    const seen: string[] = []
    let last: string | null = null
    const answers = ['id: 41\nevent: accounts\ndata: 1\n\n', 'id: 42\nevent: accounts\ndata: 2\n\n']
    const fetcher = vi.fn(async (_: unknown, init?: RequestInit) => {
      asked.push(new Headers(init?.headers).get('Last-Event-ID'))
      const text = answers.shift()
      return text === undefined ? new Response(null, { status: 401 }) : new Response(body(text))
    })
    const states: string[] = []
    openStream('http://localhost/events', { lastId: () => last, onEvent: (event) => { last = event.id; seen.push(event.data) }, onState: (state) => states.push(state) }, fetcher as unknown as typeof fetch)
    for (let turn = 0; turn < 20; turn += 1) await vi.advanceTimersByTimeAsync(500)
    vi.useRealTimers()
    expect(asked).toEqual([null, '41', '42'])
    expect(seen).toEqual(['1', '2'])
    expect(states.at(-1)).toBe('refused')
  })

  it('waits longer after each failure, up to a bound', () => {
    expect([0, 1, 2, 3].map(pauseMs)).toEqual([500, 1000, 2000, 4000])
    expect(pauseMs(99)).toBe(15_000)
  })
})
