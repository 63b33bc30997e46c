import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

// Not part of the shell: the reader of QR codes for browsers without one, and the charts. Both need the bank anyway.
const NOT_KEPT = /^assets\/(jsQR|CandleChart)-/

/** Writes the service worker with the list of files that it keeps, so that every screen opens without a network. */
function serviceWorker(): Plugin {
  const source = new URL('src/sw.js', import.meta.url)
  return {
    name: 'jinku-service-worker',
    apply: 'build',
    generateBundle(_options, bundle) {
      const files = Object.keys(bundle).filter((name) => name.startsWith('assets/') && !NOT_KEPT.test(name))
      const list = JSON.stringify(files.sort().map((name) => `/${name}`))
      const version = createHash('sha256').update(list).digest('hex').slice(0, 12)
      const text = readFileSync(source, 'utf8').replace('__VERSION__', version).replace('__FILES__', list)
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: text })
    },
  }
}

// The server of the bank serves dist/ under a strict content security policy: nothing may be inlined.
export default defineConfig({
  plugins: [vue(), serviceWorker()],
  define: {
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_OPTIONS_API__: true,
    __VUE_PROD_DEVTOOLS__: false,
  },
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    proxy: { '/api': process.env.JINKU_URL ?? 'http://localhost:7460' },
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
})
