import { createRouter, createWebHistory } from 'vue-router'
import { wallet } from './state/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Reachable without a session. */
    open?: boolean
    /** One of the four tabs. */
    tab?: boolean
  }
}

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: '/welcome', component: () => import('./screens/WelcomeScreen.vue'), meta: { open: true } },
    { path: '/sign-up', component: () => import('./screens/SignUpScreen.vue'), meta: { open: true } },
    { path: '/sign-in', component: () => import('./screens/SignInScreen.vue'), meta: { open: true } },
    { path: '/', component: () => import('./screens/HomeScreen.vue'), meta: { tab: true } },
    { path: '/pay', component: () => import('./screens/PayScreen.vue'), meta: { tab: true } },
    { path: '/assets', component: () => import('./screens/AssetsScreen.vue'), meta: { tab: true } },
    { path: '/me', component: () => import('./screens/MeScreen.vue'), meta: { tab: true } },
    { path: '/receive', component: () => import('./screens/ReceiveScreen.vue') },
    { path: '/pay/payee', component: () => import('./screens/PayeeScreen.vue') },
    { path: '/pay/scan', component: () => import('./screens/ScanScreen.vue') },
    { path: '/pay/amount', component: () => import('./screens/AmountScreen.vue') },
    { path: '/pay/review', component: () => import('./screens/ReviewScreen.vue') },
    { path: '/payments/:id', component: () => import('./screens/PaymentScreen.vue'), props: true },
    { path: '/withdraw', component: () => import('./screens/WithdrawScreen.vue') },
    { path: '/movements', component: () => import('./screens/MovementsScreen.vue') },
    { path: '/movements/:id', component: () => import('./screens/MovementScreen.vue'), props: true },
    { path: '/convert', component: () => import('./screens/ConvertScreen.vue') },
    { path: '/markets', component: () => import('./screens/MarketsScreen.vue') },
    { path: '/markets/:number(\\d+)', component: () => import('./screens/MarketScreen.vue'), props: (to) => ({ number: Number(to.params.number) }) },
    { path: '/orders', component: () => import('./screens/OrdersScreen.vue') },
    { path: '/contacts', component: () => import('./screens/ContactsScreen.vue') },
    { path: '/limits', component: () => import('./screens/LimitsScreen.vue') },
    { path: '/security', component: () => import('./screens/SecurityScreen.vue') },
    { path: '/settings', component: () => import('./screens/SettingsScreen.vue') },
    { path: '/:rest(.*)*', component: () => import('./screens/NotFoundScreen.vue'), meta: { open: true } },
  ],
})

// After a release the files of an open page are gone from the server: the page itself is then loaded anew, once.
const RELOADED = 'jinku.reloaded'
const RELOAD_PAUSE_MS = 10_000
router.onError((error, to) => {
  if (!/import|preload|module/i.test(String(error)) || !navigator.onLine) return
  const last = Number(sessionStorage.getItem(RELOADED) ?? '0')
  if (Date.now() - last < RELOAD_PAUSE_MS) return
  sessionStorage.setItem(RELOADED, String(Date.now()))
  location.assign(to.fullPath)
})

router.beforeEach((to) => {
  if (wallet.phase === 'out' && !to.meta.open) return '/welcome'
  if (wallet.phase === 'in' && ['/welcome', '/sign-up', '/sign-in'].includes(to.path)) return '/'
  return true
})
