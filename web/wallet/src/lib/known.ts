// The last known answers of the bank, kept on this device with the time they were true, so that without a
// network the wallet shows what it last knew and says so. Cleared when the session ends.

import type { TextStore } from './drafts'

export interface Known<T> {
  at: string
  value: T
}

const PREFIX = 'jinku.known.'
const NAMES = ['me', 'movements', 'payments', 'history'] as const
export type KnownName = (typeof NAMES)[number]

export function keep<T>(store: TextStore, name: KnownName, value: T, now = new Date()): void {
  try {
    store.setItem(PREFIX + name, JSON.stringify({ at: now.toISOString(), value }))
  } catch {
    // A full store costs the offline view, not the payment under way.
  }
}

export function lastKnown<T>(store: TextStore, name: KnownName): Known<T> | null {
  try {
    const found = JSON.parse(store.getItem(PREFIX + name) ?? 'null') as Known<T> | null
    return found && typeof found.at === 'string' ? found : null
  } catch {
    return null
  }
}

export function forget(store: TextStore): void {
  for (const name of NAMES) store.removeItem(PREFIX + name)
}
