// Pictures of customers with a past, for the documentation: they sign in through the demo desk.
// Needs JINKU_URL and JINKU_DESK_URL.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { selectors } from 'playwright-core'
import { launch, look, phone } from './browser.mjs'

const WALLET = process.env.JINKU_URL
const DESK = process.env.JINKU_DESK_URL
// Long enough to show what a list looks like, short enough to stand in a table.
const LONGEST = 1500

let browser
before(async () => {
  assert.ok(WALLET && DESK, 'JINKU_URL and JINKU_DESK_URL are set')
  selectors.setTestIdAttribute('data-test')
  browser = await launch()
})
after(() => browser?.close())

for (const [locale, handle] of [['zh', 'lin'], ['en', 'amara']]) {
  test(`a month of history (${locale})`, async () => {
    const page = await phone(browser, { locale, origin: WALLET })
    const answer = await page.goto(`${DESK}/sign-in/${handle}`)
    assert.ok(answer.ok(), `the desk signed ${handle} in: ${answer.status()} ${answer.ok() ? '' : await answer.text()}`)
    await page.getByTestId('available').waitFor()
    page.complaints.length = 0
    await page.locator('canvas').waitFor()
    await look(page, `home-history-${locale}`, { full: true, longest: LONGEST })
    await page.goto(`${WALLET}/assets`)
    await page.locator('.bars').waitFor()
    await look(page, `assets-history-${locale}`, { full: true, longest: LONGEST })
    await page.goto(`${WALLET}/movements`)
    await page.locator('.list .item').first().waitFor()
    await look(page, `movements-history-${locale}`, { full: true, longest: LONGEST })
    assert.deepEqual(page.complaints, [])
    await page.context().close()
  })
}
