import { reactive, watch } from 'vue'
import { askPasskey } from '../lib/webauthn'
import { bank } from '../api/bank'
import { Refused } from '../api/client'
import type { Amount, Json, Payment, Preview } from '../api/types'
import { dropDraft, readDraft, writeDraft } from '../lib/drafts'
import { freshKey } from '../lib/ids'
import { applyPayment, refresh } from './session'

// The payment being written. It is kept while its writer goes back and forth, and a review keeps the one key
// under which it is submitted, however often it is tapped or retried.

export interface PayDraft {
  kind: 'transfer' | 'withdrawal'
  name: string
  account_number: string
  bank_code: string
  bank_name_zh: string
  bank_name_en: string
  verified: boolean
  known: boolean
  save: boolean
  amount: string
  note: string
}

interface Review {
  preview: Preview | null
  key: string
  assertion: Json | null
  sent: boolean
}

const EMPTY: PayDraft = {
  kind: 'transfer', name: '', account_number: '', bank_code: '', bank_name_zh: '', bank_name_en: '',
  verified: false, known: false, save: false, amount: '', note: '',
}
const NO_REVIEW: Review = { preview: null, key: '', assertion: null, sent: false }

export const draft = reactive<PayDraft>(readDraft(sessionStorage, 'pay', EMPTY))
export const review = reactive<Review>(readDraft(sessionStorage, 'review', NO_REVIEW))
watch(draft, () => writeDraft(sessionStorage, 'pay', draft))
watch(review, () => writeDraft(sessionStorage, 'review', review))

export function clearDraft(kind: PayDraft['kind'] = 'transfer'): void {
  Object.assign(draft, EMPTY, { kind })
  Object.assign(review, NO_REVIEW)
  dropDraft(sessionStorage, 'pay')
  dropDraft(sessionStorage, 'review')
}

type Target = Pick<PayDraft, 'name' | 'account_number' | 'bank_code' | 'bank_name_zh' | 'bank_name_en'>

/** Chooses who gets it; amount and note stay as they are when it is the same account. */
export function choose(to: Target, verified: boolean, known: boolean): void {
  if (to.account_number !== draft.account_number) Object.assign(draft, { amount: '', note: '' })
  const { name, account_number, bank_code, bank_name_zh, bank_name_en } = to
  Object.assign(draft, { name, account_number, bank_code, bank_name_zh, bank_name_en, verified, known, save: known ? false : draft.save })
}

export async function makeReview(from_account: string, amount: Amount): Promise<void> {
  const { name, account_number, bank_code, note } = draft
  const preview = await bank.preview({ from_account, payee: { name, account_number, bank_code }, amount, note: note.trim() })
  Object.assign(review, { preview, key: freshKey(), assertion: null, sent: false })
}

/** Submits the review. Safe to call again after a lost connection: same key, same body. */
export async function submit(onSigned: () => void): Promise<Payment> {
  const preview = review.preview
  if (!preview) throw new Error('nothing to submit')
  if (preview.needs_passkey && !review.assertion) {
    review.assertion = await askPasskey((preview.request_options ?? {}) as Json)
  }
  onSigned()
  review.sent = true
  try {
    const payment = await bank.pay(preview.intent, review.assertion, review.key)
    applyPayment(payment)
    void refresh().catch(() => {})
    return payment
  } catch (error) {
    // A refusal used the review up; a lost answer did not.
    if (error instanceof Refused) Object.assign(review, { assertion: null, sent: false, key: freshKey() })
    throw error
  }
}
