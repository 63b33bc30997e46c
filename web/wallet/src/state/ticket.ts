import { reactive, watch } from 'vue'
import { dropDraft, readDraft, writeDraft } from '../lib/drafts'
import { EMPTY_TICKET, type TicketDraft } from '../lib/ticket'

// The order being written. It is one for all markets, kept while its writer looks elsewhere, and emptied of its figures
// when another market is opened.

export const ticket = reactive<TicketDraft & { market: number }>(readDraft(sessionStorage, 'ticket', { ...EMPTY_TICKET, market: 0 }))
watch(ticket, () => writeDraft(sessionStorage, 'ticket', ticket))

export function ticketFor(market: number): void {
  if (ticket.market === market) return
  const { side, type, in_force, self_trade } = ticket
  Object.assign(ticket, EMPTY_TICKET, { side, type, in_force, self_trade, market })
}

export function clearTicket(): void {
  const { side, type, in_force, self_trade, market } = ticket
  Object.assign(ticket, EMPTY_TICKET, { side, type, in_force, self_trade, market })
  dropDraft(sessionStorage, 'ticket')
}
