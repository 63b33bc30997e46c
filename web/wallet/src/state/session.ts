import { computed, reactive } from 'vue'
import { bank } from '../api/bank'
import { Refused, Unreachable, whenSessionEnds } from '../api/client'
import type { Account, HistoryPoint, Me, Movement, Payment } from '../api/types'
import { forget, keep, lastKnown } from '../lib/known'
import { learnFrom, sum } from '../lib/money'
import { follow, unfollow } from './live'
import { settings } from './settings'

// Who is signed in and what the bank last said about their money. Screens read from here; only this file and
// the event stream write.

interface Wallet {
  phase: 'starting' | 'out' | 'in'
  me: Me | null
  movements: Movement[]
  open: Payment[]
  history: HistoryPoint[]
  /** Set when what is shown is older than the line to the bank: the time it was true. */
  staleSince: string | null
  loadedAt: string | null
  /** Why the last session is over, when its owner did not end it. */
  ended: '' | 'expired' | 'locked'
}

export const wallet = reactive<Wallet>({
  phase: 'starting',
  me: null,
  movements: [],
  open: [],
  history: [],
  staleSince: null,
  loadedAt: null,
  ended: '',
})

export const accounts = computed<Account[]>(() => wallet.me?.accounts ?? [])
/** The account that was opened first: payments and charts are about it. */
export const mainAccount = computed<Account | null>(
  () => accounts.value.reduce<Account | null>((first, account) => (first && first.opened_at <= account.opened_at ? first : account), null),
)
export const accountIn = (asset: string): Account | null => accounts.value.find((account) => account.asset === asset) ?? null
export const totals = computed(() => {
  const asset = mainAccount.value?.asset ?? 'CNY'
  const all = accounts.value
  return {
    posted: sum(all.map((a) => a.posted), asset),
    held: sum(all.map((a) => a.held), asset),
    available: sum(all.map((a) => a.available), asset),
  }
})

export const HOME_MOVEMENTS = 6
export const HISTORY_DAYS = 30

export async function start(): Promise<void> {
  try {
    enter(await bank.me())
  } catch (error) {
    if (error instanceof Unreachable && restore()) return
    wallet.phase = 'out'
  }
}

function restore(): boolean {
  const me = lastKnown<Me>(localStorage, 'me')
  if (!me) return false
  learnFrom(me.value.accounts.map((account) => account.posted))
  wallet.me = me.value
  wallet.movements = lastKnown<Movement[]>(localStorage, 'movements')?.value ?? []
  wallet.open = lastKnown<Payment[]>(localStorage, 'payments')?.value ?? []
  wallet.history = lastKnown<HistoryPoint[]>(localStorage, 'history')?.value ?? []
  wallet.staleSince = me.at
  wallet.phase = 'in'
  follow()
  return true
}

/** A session has begun: what the bank answered becomes what is shown. */
export function enter(me: Me): void {
  learnFrom(me.accounts.map((account) => account.posted))
  wallet.me = me
  wallet.phase = 'in'
  wallet.ended = ''
  wallet.staleSince = null
  keep(localStorage, 'me', me)
  follow()
}

export async function refresh(): Promise<void> {
  const account = mainAccount.value
  try {
    const [me, page, open, history] = await Promise.all([
      bank.me(),
      bank.movements({ limit: HOME_MOVEMENTS }),
      bank.openPayments(),
      account ? bank.history(account.id, HISTORY_DAYS) : Promise.resolve({ points: [] }),
    ])
    learnFrom(me.accounts.map((each) => each.posted))
    wallet.me = me
    wallet.movements = page.items
    wallet.open = open.items
    // Nothing was there before the account was.
    wallet.history = history.points.filter((point) => !account || point.at >= account.opened_at)
    wallet.staleSince = null
    wallet.loadedAt = new Date().toISOString()
    keep(localStorage, 'me', me)
    keep(localStorage, 'movements', page.items)
    keep(localStorage, 'payments', open.items)
    keep(localStorage, 'history', wallet.history)
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    goneStale()
    if (!wallet.loadedAt && !wallet.me) throw error
  }
}

export function goneStale(): void {
  wallet.staleSince ??= wallet.loadedAt ?? lastKnown(localStorage, 'me')?.at ?? new Date().toISOString()
}

export function applyAccounts(items: Account[]): void {
  if (!wallet.me) return
  learnFrom(items.map((account) => account.posted))
  wallet.me.accounts = items
  keep(localStorage, 'me', wallet.me)
}

const DONE = new Set<Payment['state']>(['settled', 'cancelled', 'rejected', 'returned'])

export function applyPayment(payment: Payment): void {
  const others = wallet.open.filter((p) => p.id !== payment.id)
  wallet.open = DONE.has(payment.state) ? others : [payment, ...others]
  keep(localStorage, 'payments', wallet.open)
}

export function applyMovement(movement: Movement): void {
  const others = wallet.movements.filter((m) => m.id !== movement.id)
  wallet.movements = [movement, ...others].sort((a, b) => b.seq - a.seq).slice(0, HOME_MOVEMENTS)
  keep(localStorage, 'movements', wallet.movements)
}

/** Ends the session on this device; drafts and last known figures go with it. */
export function leave(unasked = false): void {
  const ended = !unasked ? '' : wallet.me?.status === 'locked' ? 'locked' : 'expired'
  unfollow()
  forget(localStorage)
  sessionStorage.clear()
  Object.assign(wallet, {
    phase: 'out',
    me: null,
    movements: [],
    open: [],
    history: [],
    staleSince: null,
    loadedAt: null,
    ended,
  })
}

export async function signOut(): Promise<void> {
  try {
    await bank.signOut()
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof Unreachable)) throw error
  }
  leave()
}

whenSessionEnds(() => {
  if (wallet.phase === 'in') leave(true)
})

/** A bank's name in the language of the screen. */
export function bankName(of: { bank_name_zh: string; bank_name_en: string }): string {
  return settings.locale === 'zh' ? of.bank_name_zh : of.bank_name_en
}
