import { describe, expect, it } from 'vitest'
import { dropDraft, readDraft, type TextStore, writeDraft } from './drafts'
import { forget, keep, lastKnown } from './known'

function store(start: Record<string, string> = {}): TextStore {
  const kept = new Map(Object.entries(start))
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key) }
}

describe('drafts', () => {
  const empty = { name: '', amount: '' }

  it('come back as they were left', () => {
    const s = store()
    writeDraft(s, 'pay', { name: '林晓雯', amount: '12.5' })
    expect(readDraft(s, 'pay', empty)).toEqual({ name: '林晓雯', amount: '12.5' })
    dropDraft(s, 'pay')
    expect(readDraft(s, 'pay', empty)).toEqual(empty)
  })

  it('a damaged or older draft costs nothing but itself', () => {
    expect(readDraft(store({ 'jinku.draft.pay': '{broken' }), 'pay', empty)).toEqual(empty)
    expect(readDraft(store({ 'jinku.draft.pay': '"text"' }), 'pay', empty)).toEqual(empty)
    expect(readDraft(store({ 'jinku.draft.pay': '{"name":"A"}' }), 'pay', empty)).toEqual({ name: 'A', amount: '' })
  })
})

describe('last known figures', () => {
  it('carry the time they were true and can be forgotten', () => {
    const s = store()
    keep(s, 'me', { name: 'A' }, new Date(0))
    expect(lastKnown(s, 'me')).toEqual({ at: '1970-01-01T00:00:00.000Z', value: { name: 'A' } })
    forget(s)
    expect(lastKnown(s, 'me')).toBeNull()
  })

  it('a full store is no failure', () => {
    const full = { ...store(), setItem: () => { throw new Error('full') } }
    expect(() => keep(full, 'me', {})).not.toThrow()
  })
})
