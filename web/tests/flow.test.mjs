// The main job on the running system, once in each language: sign up, receive from another bank, pay a contact,
// withdraw, undo, verify the receipt. Needs JINKU_URL and JINKU_SANDBOX_URL.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { selectors } from 'playwright-core'
import { fits, launch, look, phone } from './browser.mjs'
import * as act from './steps.mjs'
import { WORDS } from './words.mjs'

const URL_WALLET = process.env.JINKU_URL
const URL_SANDBOX = process.env.JINKU_SANDBOX_URL
const CREDIT = '1234.56'
const PAID = '88.80'

let browser
before(async () => {
  assert.ok(URL_WALLET && URL_SANDBOX, 'JINKU_URL and JINKU_SANDBOX_URL are set')
  selectors.setTestIdAttribute('data-test')
  browser = await launch()
})
after(() => browser?.close())

const number = () => `+86139${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`
const minor = (value) => BigInt(value.replace('.', ''))
const value = (amount) => `${amount / 100n}.${String(amount % 100n).padStart(2, '0')}`
const get = (page, path) => page.evaluate((at) => fetch(`/api/v1${at}`).then((answer) => answer.json()), path)

async function credit(account, name, amount) {
  const answer = await fetch(`${URL_SANDBOX}/control/send-credit`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ to_account: account, to_name: name, amount }) })
  assert.ok(answer.ok, `the sandbox sent the credit (${answer.status})`)
}

// Locking may close this session too; then a passkey opens the next one and unlocks from there.
async function unlock(page, w) {
  const button = page.getByRole('button', { name: w.unlock })
  await Promise.race([button.waitFor(), page.waitForURL(/welcome/)])
  await page.waitForTimeout(500)
  if (page.url().includes('welcome')) {
    await page.goto(`${URL_WALLET}/sign-in`)
    await page.getByRole('button', { name: w.sign_in_key }).click()
    await page.getByTestId('available').waitFor()
    await page.goto(`${URL_WALLET}/security`)
  }
  await button.click()
}

for (const locale of ['zh', 'en']) {
  test(`sign up, receive, pay, withdraw, undo, verify (${locale})`, async () => {
    const w = WORDS[locale]
    const shot = (screen) => `${screen}-${locale}`
    const names = locale === 'zh' ? { me: '陈思远', friend: '林晓雯', other: '周国梁' } : { me: 'Chen Siyuan', friend: 'Lin Xiaowen', other: 'Zhou Guoliang' }

    const friend = await phone(browser, { locale, origin: URL_WALLET })
    await act.signUp(friend, URL_WALLET, w, names.friend, number())
    const friendAccount = (await get(friend, '/me')).accounts[0]

    const page = await phone(browser, { locale, origin: URL_WALLET })
    await page.goto(URL_WALLET)
    await page.waitForURL(/welcome/)
    await look(page, shot('welcome'))
    await page.goto(`${URL_WALLET}/sign-up`)
    await look(page, shot('sign-up'))
    await act.signUp(page, URL_WALLET, w, names.me, number())
    await look(page, shot('home-empty'))
    const account = (await get(page, '/me')).accounts[0]
    await page.goto(`${URL_WALLET}/receive`)
    await page.locator('canvas').waitFor()
    await look(page, shot('receive'), { full: true })

    // Receive: the money shows on the open home page without a touch.
    await page.goto(URL_WALLET)
    await page.getByTestId('available').waitFor()
    await credit(account.number, names.me, CREDIT)
    await act.untilFigure(page, 'available', CREDIT)
    await look(page, shot('home-received'), { full: true })

    // Pay a contact within the bank.
    const banks = (await get(page, '/banks')).items
    const ours = banks.find((bank) => bank.ours)
    const theirs = banks.find((bank) => !bank.ours)
    await act.addContact(page, URL_WALLET, w, { name: names.friend, account: friendAccount.number, bank: ours.code })
    await look(page, shot('contacts'))
    await page.goto(`${URL_WALLET}/pay`)
    await look(page, shot('pay'))
    await page.locator('.list .item').first().click()
    await page.getByLabel(w.amount, { exact: true }).waitFor()
    await look(page, shot('amount'))
    await act.enterAmount(page, w, PAID)
    await look(page, shot('review'), { full: true })
    await act.confirm(page)
    await act.untilState(page, 'settled')
    await look(page, shot('result'), { full: true })
    await act.untilFigure(friend, 'available', PAID)

    // Withdraw above the undo amount, and take it back.
    const limits = await get(page, '/limits')
    const left = minor(CREDIT) - minor(PAID)
    const out = value(minor(limits.undo_from.value) > 50_000n ? minor(limits.undo_from.value) : 50_000n)
    if (minor(out) > left) {
      await credit(account.number, names.me, out)
      await page.goto(URL_WALLET)
      await act.untilFigure(page, 'available', value(left + minor(out)))
    }
    const had = minor((await get(page, '/accounts')).items[0].available.value)
    await act.startWithdrawal(page, URL_WALLET, w, { name: names.other, account: '6200000000009999', bank: theirs.code, amount: out })
    await look(page, shot('review-withdrawal'), { full: true })
    await act.confirm(page)
    await act.untilState(page, 'waiting')
    await look(page, shot('withdrawal'), { full: true })
    await page.goto(URL_WALLET)
    await act.untilFigure(page, 'available', value(had - minor(out)))
    assert.equal(await act.figure(page, 'held'), out)
    await look(page, shot('home-undo'), { full: true })
    await page.getByRole('button', { name: w.why }).click()
    await page.getByRole('dialog').waitFor()
    await page.waitForTimeout(300)
    await look(page, shot('why-held'))
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: w.undo }).click()
    await act.untilFigure(page, 'available', value(had))
    assert.equal(await act.figure(page, 'held'), '0.00')

    // The receipt proves itself in the browser.
    await page.goto(`${URL_WALLET}/movements`)
    await page.locator('.list .item').first().waitFor()
    await look(page, shot('movements'), { full: true })
    await page.locator('.list .item').first().click()
    await act.verify(page, w)
    await look(page, shot('receipt'), { full: true })
    await page.goto(`${URL_WALLET}/movements`)
    await page.getByLabel(w.search).fill('no such thing')
    await page.getByText(w.nothing).waitFor()
    await look(page, shot('movements-none'))
    await page.getByRole('button', { name: w.clear }).click()

    for (const path of ['assets', 'me', 'withdraw', 'limits', 'security', 'settings', 'pay/scan', 'pay/payee']) {
      await page.goto(`${URL_WALLET}/${path}`)
      await page.locator('#main').waitFor()
      await page.waitForTimeout(400)
      await look(page, shot(path.replace('pay/', '')), { full: true })
    }
    await page.setViewportSize({ width: 360, height: 780 })
    await page.goto(URL_WALLET)
    await page.getByTestId('available').waitFor()
    await fits(page, 'home at 360 px')

    // Lock everything, unlock with the passkey, sign out and in again.
    await page.goto(`${URL_WALLET}/security`)
    await page.getByTestId('lock').click()
    await page.getByRole('dialog').getByRole('button', { name: w.lock, exact: true }).click()
    await unlock(page, w)
    await page.getByTestId('lock').waitFor()
    await page.goto(`${URL_WALLET}/me`)
    await page.getByRole('button', { name: w.sign_out }).click()
    await page.getByRole('dialog').getByRole('button', { name: w.sign_out, exact: true }).click()
    await page.waitForURL(/welcome/)
    await page.goto(`${URL_WALLET}/sign-in`)
    await look(page, shot('sign-in'))
    await page.getByRole('button', { name: w.sign_in_key }).click()
    await act.untilFigure(page, 'available', value(had))

    assert.deepEqual([...friend.complaints, ...page.complaints], [])
    await friend.context().close()
    await page.context().close()
  })
}
