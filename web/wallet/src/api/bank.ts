// Every call the wallet makes, in the bank's words. The only file that knows addresses.
import { answer, http } from './client'
import type { Amount, Intent, Json } from './types'

type PayeeInput = { name: string; account_number: string; bank_code: string }
const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } })
const byId = (id: string) => ({ params: { path: { id } } })

export const bank = {
  enrol: (body: { display_name: string; phone: string; locale: 'zh' | 'en' }) =>
    answer(http.POST('/api/v1/enrolments', { body })),
  enrolFinish: (id: string, credential: Json, device_name: string) =>
    answer(http.POST('/api/v1/enrolments/{id}/finish', { ...byId(id), body: { credential, device_name } })),
  signInBegin: () => answer(http.POST('/api/v1/sessions/passkey')),
  signInFinish: (ceremony_id: string, credential: Json, device_name: string) =>
    answer(
      http.POST('/api/v1/sessions/passkey/{ceremony_id}/finish', {
        params: { path: { ceremony_id } },
        body: { credential, device_name },
      }),
    ),
  signInTotp: (code: string) => answer(http.POST('/api/v1/sessions/totp', { body: { code } })),
  signOut: () => answer(http.DELETE('/api/v1/session')),
  me: () => answer(http.GET('/api/v1/me')),
  setLocale: (locale: 'zh' | 'en') => answer(http.PUT('/api/v1/me/locale', { body: { locale } })),

  accounts: () => answer(http.GET('/api/v1/accounts')),
  holds: (id: string) => answer(http.GET('/api/v1/accounts/{id}/holds', byId(id))),
  receive: (id: string) => answer(http.GET('/api/v1/accounts/{id}/receive', byId(id))),
  history: (id: string, days: number) =>
    answer(http.GET('/api/v1/accounts/{id}/history', { params: { path: { id }, query: { days } } })),
  spending: (id: string, weeks: number) =>
    answer(http.GET('/api/v1/accounts/{id}/spending', { params: { path: { id }, query: { weeks } } })),
  banks: () => answer(http.GET('/api/v1/banks')),
  limits: () => answer(http.GET('/api/v1/limits')),
  parseQr: (payload: string) => answer(http.POST('/api/v1/qr/parse', { body: { payload } })),

  payees: (q = '') => answer(http.GET('/api/v1/payees', { params: { query: q ? { q } : {} } })),
  addPayee: (body: PayeeInput) => answer(http.POST('/api/v1/payees', { body })),
  deletePayee: (id: string) => answer(http.DELETE('/api/v1/payees/{id}', byId(id))),

  preview: (body: { from_account: string; payee: PayeeInput; amount: Amount; note: string }) =>
    answer(http.POST('/api/v1/payments/preview', { body })),
  pay: (intent: Intent, assertion: Json | null, key: string) =>
    answer(http.POST('/api/v1/payments', { body: { intent, assertion }, ...keyed(key) })),
  payment: (id: string) => answer(http.GET('/api/v1/payments/{id}', byId(id))),
  openPayments: () => answer(http.GET('/api/v1/payments', { params: { query: { state: 'open' } } })),
  cancel: (id: string, key: string) =>
    answer(http.POST('/api/v1/payments/{id}/cancel', { ...byId(id), ...keyed(key) })),

  movements: (query: {
    account?: string
    q?: string
    direction?: 'in' | 'out'
    from?: string
    to?: string
    cursor?: string
    limit?: number
  }) => answer(http.GET('/api/v1/movements', { params: { query } })),
  movement: (id: string) => answer(http.GET('/api/v1/movements/{id}', byId(id))),
  receipt: (movement_id: string) =>
    answer(http.GET('/api/v1/receipts/{movement_id}', { params: { path: { movement_id } } })),
  logKey: () => answer(http.GET('/api/v1/log/key')),
  statementAddress: (query: Record<string, string>) => `/api/v1/statements.csv?${new URLSearchParams(query)}`,

  devices: () => answer(http.GET('/api/v1/devices')),
  blockDevice: (id: string) => answer(http.POST('/api/v1/devices/{id}/block', byId(id))),
  passkeyBegin: () => answer(http.POST('/api/v1/passkeys')),
  passkeyFinish: (ceremony_id: string, credential: Json, name: string) =>
    answer(
      http.POST('/api/v1/passkeys/{ceremony_id}/finish', {
        params: { path: { ceremony_id } },
        body: { credential, name },
      }),
    ),
  deletePasskey: (id: string) => answer(http.DELETE('/api/v1/passkeys/{id}', byId(id))),
  totpBegin: () => answer(http.POST('/api/v1/totp')),
  totpConfirm: (code: string) => answer(http.POST('/api/v1/totp/confirm', { body: { code } })),
  totpRemove: () => answer(http.DELETE('/api/v1/totp')),
  lock: () => answer(http.POST('/api/v1/lock')),
  unlockBegin: () => answer(http.POST('/api/v1/unlock/begin')),
  unlock: (assertion: Json) => answer(http.POST('/api/v1/unlock', { body: { assertion } })),
  health: () => answer(http.GET('/api/v1/health')),
}
