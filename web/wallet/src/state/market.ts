import { type Level, type MarketMessage, MarketStream, type Socket, type Trade } from '@jinku/markets'
import { onBeforeUnmount, onMounted, ref, shallowRef, watch } from 'vue'
import { exchange, type Market } from '../api/markets'

// One market as it is now: its rules read once in a while, its book and trades by the stream. What is held is shown as
// live only while the stream is.

export type Line = 'connecting' | 'live' | 'waiting' | 'resyncing'
const TRADES_MAX = 50
const RULES_MS = 20_000

export function useMarket(number: () => number) {
  const market = ref<Market | null>(null)
  const bids = shallowRef<Level[]>([])
  const asks = shallowRef<Level[]>([])
  const trades = shallowRef<Trade[]>([])
  /** Trades that came after the snapshot, for what is drawn on. */
  const fresh = shallowRef<Trade[]>([])
  const line = ref<Line>('connecting')
  const staleSince = ref<string | null>(null)
  const resyncs = ref(0)
  let stream: MarketStream | null = null
  let timer: ReturnType<typeof setInterval> | undefined

  async function load(): Promise<void> {
    market.value = await exchange.market(number())
  }

  function take(message: MarketMessage): void {
    if (!stream) return
    bids.value = stream.book.bids
    asks.value = stream.book.asks
    const now = market.value
    if (now && message.phase) {
      if (message.phase !== now.phase) void load().catch(() => {})
      now.phase = message.phase
    }
    if (now && message.last) now.last = message.last
    const told = message.trades ?? []
    // The newest trade stands first in every message.
    if (message.type === 'snapshot') trades.value = told.slice(0, TRADES_MAX)
    else if (told.length > 0) {
      trades.value = told.concat(trades.value).slice(0, TRADES_MAX)
      fresh.value = [...told].reverse()
      if (now) now.last = told[0]?.price ?? now.last
    }
  }

  function state(next: Line): void {
    line.value = next
    if (next === 'live') staleSince.value = null
    else if (next === 'resyncing') resyncs.value += 1
    if (next === 'waiting') staleSince.value ??= new Date().toISOString()
  }

  function follow(): void {
    stream?.end()
    const connect = () => new WebSocket(exchange.streamAddress(number())) as unknown as Socket
    stream = new MarketStream(connect, { onMessage: take, onState: state })
  }

  const back = () => stream?.again()
  const gone = () => state('waiting')
  onMounted(() => {
    follow()
    timer = setInterval(() => void (document.visibilityState === 'visible' && load().catch(() => {})), RULES_MS)
    addEventListener('online', back)
    addEventListener('offline', gone)
  })
  watch(number, follow)
  onBeforeUnmount(() => {
    stream?.end()
    stream = null
    clearInterval(timer)
    removeEventListener('online', back)
    removeEventListener('offline', gone)
  })

  return { market, bids, asks, trades, fresh, line, staleSince, resyncs, load }
}
