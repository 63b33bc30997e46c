// The golden receipts of the crate `receipts`: the verdict, and the step at which each is refused, must be the same.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { verifyReceipt, type StepName } from './index'

interface Case {
  name: string
  refused_at: StepName | null
  receipt: unknown
}

const STEPS: StepName[] = ['format', 'leaf', 'inclusion', 'checkpoint']
const read = (name: string) => readFileSync(fileURLToPath(new URL(`../../../../crates/receipts/tests/golden/${name}`, import.meta.url)), 'utf8')
const vkey = read('vkey.txt').trim()
const cases = JSON.parse(read('cases.json')) as Case[]
const good = JSON.parse(read('receipt.json')) as Record<string, unknown> & { entry: Record<string, unknown>; checkpoint: string }

describe('golden receipts', () => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_, { receipt, refused_at }) => {
    const verdict = await verifyReceipt(receipt, vkey)
    expect(verdict.steps.find((step) => !step.ok)?.name ?? null).toBe(refused_at)
    expect(verdict.ok).toBe(refused_at === null)
    const taken = refused_at === null ? STEPS : STEPS.slice(0, STEPS.indexOf(refused_at) + 1)
    expect(verdict.steps.map((step) => step.name)).toEqual(taken)
  })
})

describe('keys', () => {
  test.each([
    ['none', ''],
    ['an id of another length', vkey.replace('+', '+0')],
    ['another name', vkey.replace('log.', 'logs.')],
    ['another id', vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
    ['padding too much', `${vkey}=`],
    ['a point of small order', 'log.jinku.example+d7567195+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ])('%s', async (_, key) => {
    const verdict = await verifyReceipt(good, key)
    expect(verdict.steps.map((step) => step.ok)).toEqual([true, true, true, false])
  })
})

test('half a character is no text', async () => {
  const verdict = await verifyReceipt({ ...good, entry: { ...good.entry, note: '\ud83c' } }, vkey)
  expect(verdict.steps).toMatchObject([{ name: 'format', ok: false }])
})

test('every letter of the signature counts', async () => {
  const start = good.checkpoint.lastIndexOf(' ') + 1
  for (let at = start; at < good.checkpoint.length - 1; at += 1) {
    const other = good.checkpoint[at] === 'A' ? 'B' : 'A'
    const verdict = await verifyReceipt({ ...good, checkpoint: good.checkpoint.slice(0, at) + other + good.checkpoint.slice(at + 1) }, vkey)
    expect(verdict.ok, `letter ${at - start}`).toBe(false)
  }
})
