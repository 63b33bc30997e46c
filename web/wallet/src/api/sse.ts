// Server-sent events over fetch, so that a reload can resume from the last number seen: the browser's own
// EventSource forgets it with the page.

export interface ServerEvent {
  id: string | null
  event: string
  data: string
}

/** Cuts a byte stream into events as the HTML standard describes; knows nothing of their meaning. */
export class EventParser {
  private rest = ''
  private id: string | null = null
  private event = ''
  private data: string[] = []

  push(text: string): ServerEvent[] {
    const found: ServerEvent[] = []
    this.rest += text
    // A carriage return at the very end may be half of a CRLF: it waits for the next piece.
    const lines = this.rest.split(/\r\n|\n|\r(?=[\s\S])/)
    this.rest = lines.pop() ?? ''
    for (const line of lines) {
      const done = this.line(line)
      if (done) found.push(done)
    }
    return found
  }

  private line(line: string): ServerEvent | null {
    if (line === '') return this.flush()
    if (line.startsWith(':')) return null
    const cut = line.indexOf(':')
    const field = cut < 0 ? line : line.slice(0, cut)
    const value = cut < 0 ? '' : line.slice(cut + 1).replace(/^ /, '')
    if (field === 'id' && !value.includes('\0')) this.id = value
    else if (field === 'event') this.event = value
    else if (field === 'data') this.data.push(value)
    return null
  }

  private flush(): ServerEvent | null {
    const event = this.event || 'message'
    const data = this.data
    this.event = ''
    this.data = []
    return data.length === 0 ? null : { id: this.id, event, data: data.join('\n') }
  }
}

export interface StreamHooks {
  lastId(): string | null
  onEvent(event: ServerEvent): void
  onState(state: 'live' | 'waiting' | 'refused'): void
}

const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 15_000
// The server sends a heartbeat every 15 s; three missed ones mean the line is dead.
const SILENCE_MS_MAX = 45_000

/** How long to wait before the next attempt; doubles with each failure in a row. */
export function pauseMs(failures: number): number {
  return Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(failures, 10))
}

/** Keeps one event stream open until the returned function is called. */
export function openStream(url: string, hooks: StreamHooks, fetcher: typeof fetch = fetch): () => void {
  const stop = new AbortController()
  void follow(url, hooks, fetcher, stop.signal)
  return () => stop.abort()
}

async function follow(url: string, hooks: StreamHooks, fetcher: typeof fetch, stop: AbortSignal): Promise<void> {
  let failures = 0
  while (!stop.aborted) {
    const outcome = await once(url, hooks, fetcher, stop).catch(() => 'failed' as const)
    if (stop.aborted) return
    if (outcome === 'refused') {
      hooks.onState('refused')
      return
    }
    failures = outcome === 'served' ? 0 : failures + 1
    hooks.onState('waiting')
    await sleep(pauseMs(failures), stop)
  }
}

async function once(
  url: string,
  hooks: StreamHooks,
  fetcher: typeof fetch,
  stop: AbortSignal,
): Promise<'served' | 'failed' | 'refused'> {
  const silent = new AbortController()
  const lastId = hooks.lastId()
  const response = await fetcher(url, {
    headers: { Accept: 'text/event-stream', ...(lastId ? { 'Last-Event-ID': lastId } : {}) },
    signal: AbortSignal.any([stop, silent.signal]),
    cache: 'no-store',
  })
  if (response.status === 401) return 'refused'
  if (!response.ok || !response.body) return 'failed'
  hooks.onState('live')
  const parser = new EventParser()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let watchdog = setTimeout(() => silent.abort(), SILENCE_MS_MAX)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return 'served'
      clearTimeout(watchdog)
      watchdog = setTimeout(() => silent.abort(), SILENCE_MS_MAX)
      for (const event of parser.push(value)) hooks.onEvent(event)
    }
  } finally {
    clearTimeout(watchdog)
  }
}

function sleep(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    stop.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
