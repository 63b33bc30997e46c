// What somebody has typed survives going back and a reload, until it is used or they sign out.

export interface TextStore {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

const PREFIX = 'jinku.draft.'

export function readDraft<T>(store: TextStore, name: string, empty: T): T {
  const text = store.getItem(PREFIX + name)
  if (text === null) return empty
  try {
    const kept: unknown = JSON.parse(text)
    return typeof kept === 'object' && kept !== null ? { ...empty, ...kept } : empty
  } catch {
    return empty
  }
}

export function writeDraft(store: TextStore, name: string, draft: object): void {
  store.setItem(PREFIX + name, JSON.stringify(draft))
}

export function dropDraft(store: TextStore, name: string): void {
  store.removeItem(PREFIX + name)
}
