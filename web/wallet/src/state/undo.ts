import { bank } from '../api/bank'
import type { Payment } from '../api/types'
import { freshKey } from '../lib/ids'
import { applyPayment, refresh } from './session'
import { useTask } from './task'

/** Undoing one waiting payment; the same press repeated is the same request. */
export function useUndo() {
  const { busy, trouble, run } = useTask()
  const key = freshKey()

  async function undo(payment: Payment): Promise<boolean> {
    const answer = await run(() => bank.cancel(payment.id, key))
    if (answer === null) return false
    applyPayment(answer)
    void refresh().catch(() => {})
    return true
  }

  return { busy, trouble, undo }
}
