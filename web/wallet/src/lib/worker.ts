// Registers the service worker. Under Trusted Types its address must come from a policy; this one lets exactly
// one address through.

interface TrustedScripts {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown }
}

const WORKER = '/sw.js'

export function registerWorker(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  const types = (window as unknown as { trustedTypes?: TrustedScripts }).trustedTypes
  const policy = types?.createPolicy('jinku', {
    createScriptURL(url) {
      if (url !== WORKER) throw new TypeError('no such worker')
      return url
    },
  })
  const address = (policy?.createScriptURL(WORKER) ?? WORKER) as string
  // Without a worker the wallet works as before, only not without a network.
  navigator.serviceWorker.register(address).catch(() => {})
}
