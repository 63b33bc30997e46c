import { onBeforeUnmount, onMounted, ref } from 'vue'
import { exchange, type Order, type Plan } from '../api/markets'
import { freshKey } from '../lib/ids'
import { onLive } from './live'
import { refresh } from './session'
import { useTask } from './task'

// The customer's open orders and orders of orders, of one market or of all; read again when the bank tells of a change.

const SETTLE_MS = 120

export function useOrders(market?: () => number | undefined) {
  const orders = ref<Order[]>([])
  const plans = ref<Plan[]>([])
  const loaded = ref(false)
  const task = useTask()
  let timer: ReturnType<typeof setTimeout> | undefined
  let stop = () => {}

  async function load(): Promise<void> {
    const only = market?.()
    const [open, all] = await Promise.all([exchange.orders({ open: true, ...(only ? { market: only } : {}) }), exchange.plans()])
    orders.value = open.orders
    plans.value = all.plans.filter((plan) => !only || plan.market === only)
    loaded.value = true
  }

  /** Several changes of one moment are read once. */
  function soon(): void {
    clearTimeout(timer)
    timer = setTimeout(() => void load().catch(() => {}), SETTLE_MS)
  }

  /** Carries out one change of an order under one key, then shows what became of it. */
  async function change(work: (key: string) => Promise<unknown>): Promise<boolean> {
    const key = freshKey()
    const done = await task.run(async () => {
      await work(key)
      return true
    })
    await load().catch(() => {})
    void refresh().catch(() => {})
    return done === true
  }

  onMounted(() => {
    stop = onLive((event) => event.kind === 'order' && soon())
    void task.run(load)
  })
  onBeforeUnmount(() => {
    stop()
    clearTimeout(timer)
  })

  return { orders, plans, loaded, load, soon, change, busy: task.busy, trouble: task.trouble, run: task.run }
}
