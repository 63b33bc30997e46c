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
