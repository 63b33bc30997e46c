import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// The server of the bank serves dist/ under a strict content security policy: nothing may be inlined.
export default defineConfig({
  plugins: [vue()],
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
