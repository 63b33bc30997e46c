// Follows one market over a WebSocket: snapshot, changes, checksum. A wrong checksum asks for a new snapshot by a new
// connection; a lost line is tried again with growing pauses. Nothing is shown as live that is not.
import { Book, type Levels } from './book'

export type Phase = 'closed' | 'call' | 'open' | 'suspended'

export interface Trade {
  number: string | number
  at: string | number
  price: string
  quantity: string
  taker: 'buy' | 'sell' | 'auction'
}

export interface Candle {
  start_ms: number
  open: string
  high: string
  low: string
  close: string
  volume_base: string
  volume_quote?: string
  trades?: number
}

export interface MarketMessage extends Levels {
  type: 'snapshot' | 'delta'
  phase?: Phase | null
  phase_until?: string | null
  phase_why?: string | null
  last?: string | null
  trades?: Trade[]
  candle?: Candle | null
}

/** What is needed of a socket; the browser's own has it. */
export interface Socket {
  onopen: ((event: never) => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: never) => void) | null
  close(): void
}

export interface Timers {
  after(ms: number, then: () => void): unknown
  stop(timer: unknown): void
}

export interface MarketHooks {
  onMessage(message: MarketMessage, book: Book): void
  onState(state: 'connecting' | 'live' | 'waiting' | 'resyncing'): void
}

const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 15_000
// A market may be quiet, so a silent line is no dead line; but after this long a new snapshot is cheap and certain.
const SILENCE_MS_MAX = 60_000
/** So many wrong checksums in a row and the pauses grow as they do for a lost line. */
const RESYNCS_AT_ONCE = 2

export function pauseAfter(failures: number): number {
  return Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(failures, 10))
}

const CLOCK: Timers = { after: (ms, then) => setTimeout(then, ms), stop: (timer) => clearTimeout(timer as number) }

export class MarketStream {
  readonly book = new Book()
  private socket: Socket | null = null
  private timer: unknown = null
  private silence: unknown = null
  private failures = 0
  private resyncs = 0
  private ended = false

  constructor(
    private readonly connect: () => Socket,
    private readonly hooks: MarketHooks,
    private readonly timers: Timers = CLOCK,
  ) {
    this.open()
  }

  /** Tries at once, for when the device says that its network is back. */
  again(): void {
    if (this.ended) return
    this.failures = 0
    this.open()
  }

  end(): void {
    this.ended = true
    this.drop()
  }

  private open(): void {
    this.drop()
    this.hooks.onState(this.resyncs > 0 ? 'resyncing' : 'connecting')
    const socket = this.connect()
    this.socket = socket
    socket.onmessage = (event) => {
      if (socket === this.socket) this.take(event.data)
    }
    socket.onclose = () => {
      if (socket === this.socket) this.lost()
    }
    this.listen()
  }

  private drop(): void {
    this.timers.stop(this.timer)
    this.timers.stop(this.silence)
    const socket = this.socket
    this.socket = null
    socket?.close()
  }

  private listen(): void {
    this.timers.stop(this.silence)
    this.silence = this.timers.after(SILENCE_MS_MAX, () => this.open())
  }

  private lost(): void {
    this.drop()
    this.hooks.onState('waiting')
    this.timer = this.timers.after(pauseAfter(this.failures), () => this.open())
    this.failures += 1
  }

  private take(data: unknown): void {
    const message = read(data)
    if (!message) return
    this.listen()
    if (message.type === 'snapshot') {
      if (!this.book.load(message)) return this.resync()
      this.failures = 0
    } else {
      const outcome = this.book.merge(message)
      if (outcome === 'stale') return
      if (outcome === 'mismatch') return this.resync()
      this.resyncs = 0
    }
    this.hooks.onState('live')
    this.hooks.onMessage(message, this.book)
  }

  private resync(): void {
    this.resyncs += 1
    if (this.resyncs <= RESYNCS_AT_ONCE) this.open()
    else this.lost()
  }
}

function read(data: unknown): MarketMessage | null {
  if (typeof data !== 'string') return null
  try {
    const message = JSON.parse(data) as MarketMessage
    const whole = Array.isArray(message.bids) && Array.isArray(message.asks) && Number.isFinite(message.sequence)
    return whole && (message.type === 'snapshot' || message.type === 'delta') ? message : null
  } catch {
    return null
  }
}
