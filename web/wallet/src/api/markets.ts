// Every call about markets, orders and conversions. The only file that knows their addresses.
import type { Phase } from '@jinku/markets'
import { answer, http } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type BankAsset = Schemas['OfferedAsset']
export type Market = Omit<Schemas['Market'], 'phase'> & { phase: Phase }
export type MarketHours = Schemas['MarketHours']
export type Side = Schemas['OrderSide']
export type OrderType = Schemas['OrderType']
export type InForce = NonNullable<NewOrder['in_force']>
export type SelfTrade = NonNullable<NewOrder['self_trade']>
export type NewOrder = Schemas['OrderRequest']
export type OrderPreview = Schemas['OrderPreview']
export type Order = Schemas['Order']
export type OrderPlaced = Schemas['OrderPlaced']
export type Plan = Schemas['OrderPlan']
export type Fill = Schemas['Fill']
export type Pair = Schemas['ConvertPair']
export type Offer = Schemas['ConvertOffer']
export type Conversion = Schemas['Conversion']
export const INTERVALS = ['1m', '5m', '15m', '1h', '4h', '1d'] as const
export type Interval = (typeof INTERVALS)[number]

const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } })
const of = (number: number) => ({ params: { path: { number } } })
const order = (number: number, id: string) => ({ params: { path: { number, id } } })

export const exchange = {
  assets: () => answer(http.GET('/api/v1/assets')),
  openAccount: (asset: string, key: string) => answer(http.POST('/api/v1/accounts', { body: { asset }, ...keyed(key) })),

  markets: () => answer(http.GET('/api/v1/markets')),
  market: (number: number) => answer(http.GET('/api/v1/markets/{number}', of(number))),
  candles: (number: number, interval: Interval, from: number, to: number) =>
    answer(http.GET('/api/v1/markets/{number}/candles', { params: { path: { number }, query: { interval, from: String(from), to: String(to) } } })),
  streamAddress: (number: number) => `${location.origin.replace(/^http/, 'ws')}/api/v1/markets/${number}/stream`,

  preview: (number: number, body: NewOrder) => answer(http.POST('/api/v1/markets/{number}/orders/preview', { ...of(number), body })),
  place: (number: number, body: NewOrder, key: string) => answer(http.POST('/api/v1/markets/{number}/orders', { ...of(number), body, ...keyed(key) })),
  cancel: (number: number, id: string, key: string) => answer(http.DELETE('/api/v1/markets/{number}/orders/{id}', { ...order(number, id), ...keyed(key) })),
  cancelAll: (number: number, key: string) => answer(http.DELETE('/api/v1/markets/{number}/orders', { ...of(number), ...keyed(key) })),
  reduce: (number: number, id: string, by: string, key: string) =>
    answer(http.POST('/api/v1/markets/{number}/orders/{id}/reduce', { ...order(number, id), body: { by }, ...keyed(key) })),
  move: (number: number, id: string, price: string, key: string) =>
    answer(http.POST('/api/v1/markets/{number}/orders/{id}/move', { ...order(number, id), body: { price }, ...keyed(key) })),
  stop: (number: number, key: string) => answer(http.POST('/api/v1/markets/{number}/stop', { ...of(number), ...keyed(key) })),
  free: (number: number, key: string) => answer(http.POST('/api/v1/markets/{number}/free', { ...of(number), ...keyed(key) })),
  endPlan: (number: number, plan: number, key: string) =>
    answer(http.DELETE('/api/v1/markets/{number}/plans/{plan}', { params: { path: { number, plan } }, ...keyed(key) })),
  orders: (query: { market?: number; open?: boolean; cursor?: string }) => answer(http.GET('/api/v1/orders', { params: { query } })),
  plans: () => answer(http.GET('/api/v1/plans')),
  fills: (query: { market?: number; cursor?: string }) => answer(http.GET('/api/v1/fills', { params: { query } })),

  pairs: () => answer(http.GET('/api/v1/convert/pairs')),
  quote: (body: Schemas['ConvertRequest']) => answer(http.POST('/api/v1/convert/quotes', { body })),
  accept: ({ id, terms_hash }: Offer, key: string) =>
    answer(http.POST('/api/v1/convert/quotes/{id}/accept', { params: { path: { id } }, body: { terms_hash }, ...keyed(key) })),
  conversions: () => answer(http.GET('/api/v1/convert/history')),
}
