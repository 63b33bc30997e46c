import { ref } from 'vue'
import { openStream, type ServerEvent } from '../api/sse'
import type { Account, Movement, Payment } from '../api/types'
import { applyAccounts, applyMovement, applyPayment, goneStale, leave, refresh, wallet } from './session'

// The open line to the bank: what happens there shows here without asking. The last number seen survives a
// reload, so nothing in between is missed.

const LAST = 'jinku.stream.last'
const LISTENERS = new Set<(event: LiveEvent) => void>()

export type LiveEvent =
  | { kind: 'movement'; movement: Movement }
  | { kind: 'payment'; payment: Payment }
  | { kind: 'accounts'; items: Account[] }
  | { kind: 'security'; about: string }
  | { kind: 'order' }

export const line = ref<'live' | 'waiting'>('waiting')
let close: (() => void) | null = null

// A stream that the network has left stays silent for long: the device itself knows sooner.
addEventListener('offline', () => {
  if (close) goneStale()
})
addEventListener('online', () => {
  if (close) follow()
})

export function decode(event: ServerEvent): LiveEvent | null {
  let data: unknown
  try {
    data = JSON.parse(event.data)
  } catch {
    return null
  }
  if (event.event === 'movement') return { kind: 'movement', movement: data as Movement }
  if (event.event === 'payment') return { kind: 'payment', payment: data as Payment }
  if (event.event === 'accounts') return { kind: 'accounts', items: (data as { items: Account[] }).items }
  if (event.event === 'order') return { kind: 'order' }
  if (event.event === 'security') return { kind: 'security', about: (data as { kind: string }).kind }
  return null
}

function receive(event: ServerEvent): void {
  if (event.id) sessionStorage.setItem(LAST, event.id)
  const live = decode(event)
  if (!live) return
  if (live.kind === 'movement') applyMovement(live.movement)
  else if (live.kind === 'payment') applyPayment(live.payment)
  else if (live.kind === 'accounts') applyAccounts(live.items)
  for (const listener of LISTENERS) listener(live)
}

export function follow(): void {
  close?.()
  close = openStream('/api/v1/events', {
    lastId: () => sessionStorage.getItem(LAST),
    onEvent: receive,
    onState(state) {
      if (state === 'refused') {
        leave(true)
        return
      }
      line.value = state
      if (state === 'waiting') goneStale()
      else if (wallet.staleSince) void refresh().catch(() => {})
    },
  })
}

export function unfollow(): void {
  close?.()
  close = null
  line.value = 'waiting'
}

/** Calls `hook` for every live event until the returned function is called. */
export function onLive(hook: (event: LiveEvent) => void): () => void {
  LISTENERS.add(hook)
  return () => LISTENERS.delete(hook)
}
