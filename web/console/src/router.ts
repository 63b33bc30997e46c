import { createRouter, createWebHashHistory } from 'vue-router'
import { session } from './session'

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', redirect: '/proposals' },
    { path: '/sign-in', component: () => import('./screens/SignIn.vue') },
    { path: '/markets', component: () => import('./screens/MarketsPage.vue') },
    { path: '/markets/:number(\\d+)', component: () => import('./screens/MarketPage.vue'), props: (to) => ({ number: Number(to.params.number) }) },
    { path: '/proposals', component: () => import('./screens/ProposalsPage.vue') },
    { path: '/surveillance', component: () => import('./screens/SurveillancePage.vue') },
    { path: '/prices', component: () => import('./screens/PricesPage.vue') },
    { path: '/convert', component: () => import('./screens/ConvertPage.vue') },
    { path: '/:rest(.*)*', redirect: '/markets' },
  ],
})

router.beforeEach((to) => {
  if (!session.in && to.path !== '/sign-in') return { path: '/sign-in', query: { to: to.fullPath } }
  if (session.in && to.path === '/sign-in') return '/'
  return true
})
