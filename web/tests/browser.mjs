// What every browser test needs: a phone-sized page with a software passkey, an accessibility check, a picture.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-default-browser-check']

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS })
}

/** A fresh phone: its own storage and its own authenticator. Complaints gather in `page.complaints`. */
export async function phone(browser, { locale = 'zh', dark = false, origin, width = 390 } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 844 }, deviceScaleFactor: 2, locale: locale === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'Asia/Shanghai', colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  page.complaints = []
  page.on('pageerror', (error) => page.complaints.push(`page: ${error.message}`))
  page.on('console', (line) => {
    if (line.type() === 'error' && /Content Security Policy|Trusted|violat|Vue warn|TypeError/i.test(line.text())) page.complaints.push(`console: ${line.text()}`)
  })
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.origin !== origin && !['data:', 'blob:'].includes(url.protocol)) page.complaints.push(`request to ${url.origin}`)
  })
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })
  return page
}

/** No serious or critical finding of axe-core on what is shown now. */
export async function accessible(page, where) {
  // Run through the protocol, so the page's own policy needs no exception for the check.
  await page.evaluate(AXE)
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  const grave = found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
  assert.deepEqual(grave.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`), [], `accessibility of ${where}`)
}

/** Nothing wider than the screen. */
export async function fits(page, where) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  assert.ok(over <= 0, `${where} is ${over} px wider than the screen`)
}

/** Checks the screen and, when asked for, keeps a picture of it. */
export async function look(page, name, { full = false, longest = Infinity } = {}) {
  await page.waitForTimeout(250)
  await accessible(page, name)
  await fits(page, name)
  const folder = process.env.JINKU_SHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  const size = page.viewportSize()
  const height = full ? await page.evaluate(() => document.documentElement.scrollHeight) : size.height
  // A taller window rather than a stitched picture: the tab bar then stands where it belongs, at the foot.
  await page.setViewportSize({ ...size, height: Math.max(size.height, Math.min(height, longest)) })
  // One pixel to a point: sharp enough beside text, and a quarter of the size.
  await page.screenshot({ path: join(folder, `${name}.png`), scale: 'css' })
  await page.setViewportSize(size)
}
