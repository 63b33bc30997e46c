// What a customer does, as functions: both the smoke test and the test of the real system walk these.
import assert from 'node:assert/strict'

const exact = (name) => ({ name, exact: true })

export async function signUp(page, url, w, name, phone) {
  await page.goto(`${url}/sign-up`)
  await page.getByLabel(w.name).fill(name)
  await page.getByLabel(w.phone).fill(phone)
  await page.getByRole('button', { name: w.create }).click()
  await page.getByTestId('available').waitFor()
}

export async function figure(page, name) {
  return (await page.getByTestId(name).innerText()).replace(/[^\d.]/g, '')
}

export async function untilFigure(page, name, value) {
  await page.waitForFunction(([test, want]) => document.querySelector(`[data-test="${test}"]`)?.textContent?.replace(/[^\d.]/g, '') === want, [name, value])
}

export async function addContact(page, url, w, { name, account, bank }) {
  await page.goto(`${url}/contacts`)
  await page.getByRole('button', exact(w.add_contact)).first().click()
  const sheet = page.getByRole('dialog', exact(w.add_contact))
  await sheet.getByLabel(w.payee_name).fill(name)
  await sheet.getByLabel(w.payee_account).fill(account)
  await pickBank(sheet, w, bank)
  await sheet.getByRole('button', exact(w.save)).click()
  await sheet.waitFor({ state: 'hidden' })
}

async function pickBank(scope, w, code) {
  const select = scope.getByLabel(w.bank, { exact: true })
  await select.locator(`option[value="${code}"]`).waitFor({ state: 'attached' })
  await select.selectOption(code)
}

/** Types an amount on the pad and goes to the review. */
export async function enterAmount(page, w, value, note = '') {
  await page.getByLabel(w.amount, { exact: true }).waitFor()
  for (const key of value) await page.locator('.pad button', { hasText: key }).first().click()
  if (note) await page.locator('form input').last().fill(note)
  await page.getByRole('button', exact(w.review)).click()
  await page.getByTestId('confirm').waitFor()
}

export async function confirm(page) {
  await page.getByTestId('confirm').click()
  await page.waitForURL(/\/payments\//)
}

export async function untilState(page, state, timeout = 15_000) {
  await page.locator(`[data-state="${state}"]`).first().waitFor({ timeout })
}

export async function startWithdrawal(page, url, w, { name, account, bank, amount }) {
  await page.goto(`${url}/withdraw`)
  await page.getByRole('button', { name: w.start }).click()
  await page.getByLabel(w.payee_name).fill(name)
  await page.getByLabel(w.payee_account).fill(account)
  await pickBank(page, w, bank)
  await page.getByRole('button', exact(w.next)).click()
  await enterAmount(page, w, amount)
}

export async function undo(page, w) {
  await page.getByRole('button', { name: w.undo }).click()
  await untilState(page, 'cancelled')
}

export async function verify(page, w) {
  await page.getByRole('button', { name: w.verify }).click()
  await page.getByTestId('verified').waitFor()
  const states = await page.locator('[data-step]').evaluateAll((items) => items.map((item) => item.dataset.state))
  assert.deepEqual(states, ['passed', 'passed', 'passed', 'passed'])
}

// Markets and conversions.

export async function openAccount(page, url, w, asset) {
  await page.goto(url)
  await page.getByRole('button', exact(w.new_account)).click()
  await page.getByRole('dialog').getByRole('button', { name: w.open_btc.replace('BTC', asset) }).click()
  await page.locator(`[data-asset="${asset}"]`).waitFor()
}

/** What an account holds, as the home page shows it. */
export async function assetFigure(page, asset) {
  return (await page.locator(`[data-asset="${asset}"]`).innerText()).replace(/[^\d.]/g, '')
}

export async function openMissing(page, w) {
  await page.getByTestId('open-account').getByRole('button', exact(w.open_btc)).click()
  await page.getByTestId('open-account').waitFor({ state: 'detached' })
}

/** Types an amount on the pad and asks for a firm price. */
export async function askPrice(page, w, value) {
  for (const key of value) await page.locator('.pad button', { hasText: key }).first().click()
  await page.getByRole('button', exact(w.firm)).click()
  await page.getByTestId('offer').waitFor()
}

export async function openMarket(page, url, number) {
  await page.goto(`${url}/markets/${number}`)
  await page.locator('[data-line="live"]').waitFor()
  await page.locator('.ladder .level').first().waitFor()
}

export async function writeOrder(page, w, { side, price, quantity }) {
  await page.getByRole('button', exact(side === 'buy' ? w.buy_btc : w.sell_btc)).click()
  const sheet = page.getByRole('dialog')
  await sheet.getByRole('radio', exact(w.limit)).check()
  await sheet.getByLabel(w.price).fill(price)
  await sheet.getByLabel(w.quantity).fill(quantity)
}

/** Previews what is written, places it, and waits for what became of it. */
export async function placeOrder(page, w, outcome) {
  await page.getByRole('button', exact(w.preview)).click()
  await page.getByTestId('preview').waitFor()
  await page.getByTestId('place').click()
  await page.locator(outcome ? `[data-test="placed"][data-outcome="${outcome}"]` : '[data-test="placed"]').waitFor()
}
