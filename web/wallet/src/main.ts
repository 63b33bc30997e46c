import 'vant/es/style/base.css'
import 'vant/es/overlay/index.css'
import 'vant/es/popup/index.css'
import 'vant/es/switch/index.css'
import '@jinku/tokens/tokens.css'
import './styles/app.css'

import { createApp } from 'vue'
import App from './App.vue'
import { i18n, watchLocale } from './i18n'
import { registerWorker } from './lib/worker'
import { router } from './router'
import { start } from './state/session'
import { watchSettings } from './state/settings'

watchSettings()
watchLocale()
registerWorker()
await start()
createApp(App).use(i18n).use(router).mount('#app')
