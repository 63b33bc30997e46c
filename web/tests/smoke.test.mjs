// Every screen against the bank in memory: it opens, reads well, fits a phone and asks nobody else for anything.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { selectors } from 'playwright-core'
import { fits, launch, look, phone } from './browser.mjs'
import { startFakeBank } from './fake-server.mjs'
import * as act from './steps.mjs'
import { WORDS } from './words.mjs'

let browser
before(async () => {
  selectors.setTestIdAttribute('data-test')
  browser = await launch()
})
after(() => browser.close())
// A test that failed did not come to its own end, and a bank left open would keep the process for ever.
const banks = new Set()
after(() => Promise.all([...banks].map((fake) => fake.stop())))

async function open(options, bankOptions) {
  const fake = await startFakeBank(bankOptions)
  banks.add(fake)
  const page = await phone(browser, { ...options, origin: fake.url })
  const close = async () => {
    await page.context().close()
    await fake.stop()
    banks.delete(fake)
    assert.deepEqual(page.complaints, [])
  }
  return { fake, page, close }
}

for (const locale of ['zh', 'en']) {
  for (const dark of [false, true]) {
    test(`every screen, ${locale}, ${dark ? 'dark' : 'light'}`, async () => {
      const { fake, page, close } = await open({ locale, dark, width: dark ? 360 : 390 }, { history: true })
      const w = WORDS[locale]
      const name = (screen) => `smoke-${screen}-${locale}${dark ? '-dark' : ''}`
      await page.goto(fake.url)
      await page.waitForURL(/welcome/)
      await look(page, name('welcome'))
      await page.goto(`${fake.url}/sign-in`)
      await look(page, name('sign-in'))
      await page.goto(`${fake.url}/sign-up`)
      await look(page, name('sign-up'))
      await act.signUp(page, fake.url, w, locale === 'zh' ? '陈思远' : 'Chen Siyuan', '+86 138 0000 0000')
      await page.locator('canvas').first().waitFor()
      await look(page, name('home'), { full: true })
      for (const path of ['pay', 'assets', 'me', 'receive', 'withdraw', 'movements', 'contacts', 'limits', 'security', 'settings', 'pay/scan', 'pay/payee', 'nowhere']) {
        await page.goto(`${fake.url}/${path}`)
        await page.locator('#main').waitFor()
        await page.waitForLoadState('domcontentloaded')
        await page.waitForTimeout(300)
        await look(page, name(path.replace('/', '-')), { full: true })
      }
      await page.goto(`${fake.url}/security`)
      await page.getByRole('button', { name: w.totp }).click()
      await page.locator('canvas').waitFor()
      await look(page, name('totp'), { full: true })
      await page.getByLabel(w.totp_code).fill('000000')
      await page.getByRole('button', { name: w.turn_on, exact: true }).click()
      await page.locator('[data-code="totp_wrong"]').waitFor()
      await look(page, name('refusal'), { full: true })
      await page.goto(`${fake.url}/pay`)
      await page.locator('.list .item').last().click()
      await page.getByLabel(w.amount, { exact: true }).waitFor()
      await look(page, name('amount'), { full: true })
      await act.enterAmount(page, w, '600.5')
      await look(page, name('review'), { full: true })
      await act.confirm(page)
      await act.untilState(page, 'waiting')
      await look(page, name('result'), { full: true })
      await page.goto(fake.url)
      await page.getByRole('button', { name: w.why }).click()
      await page.getByRole('dialog').waitFor()
      await page.waitForTimeout(300)
      await look(page, name('holds'))
      await page.keyboard.press('Escape')
      await page.goto(`${fake.url}/movements`)
      await page.locator('.list .item').first().click()
      await page.getByRole('button', { name: w.verify }).waitFor()
      await look(page, name('movement'), { full: true })
      await close()
    })
  }
}

test('text at twice its size fits the narrowest phone', async () => {
  const { fake, page, close } = await open({ width: 360, locale: 'en' }, { history: true })
  await act.signUp(page, fake.url, WORDS.en, 'Chen Siyuan', '+86 138 0000 0000')
  for (const path of ['', 'pay', 'assets', 'me', 'receive', 'withdraw', 'movements', 'contacts', 'limits', 'security', 'settings', 'pay/payee']) {
    await page.goto(`${fake.url}/${path}`)
    await page.locator('#main').waitFor()
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%' })
    await page.waitForTimeout(300)
    await fits(page, `/${path} at 200 %`)
    if (path === '') await look(page, 'smoke-large-en')
  }
  await close()
})

test('a payment is made once, a draft survives going back, an undo gives the money back', async () => {
  const { fake, page, close } = await open({}, { history: true })
  const w = WORDS.zh
  await act.signUp(page, fake.url, w, '陈思远', '+86 138 0000 0000')
  const before = await act.figure(page, 'available')
  await act.startWithdrawal(page, fake.url, w, { name: '周国梁', account: '8801200000000777', bank: '900000000101', amount: '600' })
  await page.goBack()
  assert.equal(await page.getByLabel(w.amount, { exact: true }).inputValue(), '600')
  await page.goBack()
  assert.equal(await page.getByLabel(w.payee_name).inputValue(), '周国梁')
  await page.goForward()
  await page.getByRole('button', { name: w.review, exact: true }).click()
  await page.getByTestId('confirm').dblclick()
  await page.waitForURL(/\/payments\//)
  assert.equal(fake.bank.payments.size, 1)
  await act.undo(page, w)
  await page.goto(fake.url)
  await act.untilFigure(page, 'available', before)
  await close()
})

test('by keyboard alone: the focus is always seen, and a new screen is entered at its title', async () => {
  const { fake, page, close } = await open({}, { history: true })
  const w = WORDS.zh
  await act.signUp(page, fake.url, w, '陈思远', '+86 138 0000 0000')
  // A field in a frame of its own, such as the search, has the line around the frame.
  const focus = () => page.evaluate(() => {
    const { activeElement: at } = document
    return { tag: at.tagName, text: at.textContent.trim(), seen: [at, at.parentElement].some((element) => getComputedStyle(element).outlineStyle === 'solid') }
  })
  const tabTo = async (text) => {
    for (let n = 0; n < 40; n += 1) {
      await page.keyboard.press('Tab')
      const at = await focus()
      assert.ok(at.seen, `the focus on ${at.tag} “${at.text}” is seen`)
      if (at.text.includes(text)) return
    }
    assert.fail(`“${text}” is not reached by Tab`)
  }
  await page.goto(fake.url)
  await page.getByTestId('available').waitFor()
  await tabTo(w.pay)
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/pay$/)
  await page.waitForFunction(() => document.activeElement.tagName === 'H1')
  await page.locator('.list .item').last().waitFor()
  await tabTo('周国梁')
  await page.keyboard.press('Enter')
  await page.getByLabel(w.amount, { exact: true }).waitFor()
  await page.getByLabel(w.amount, { exact: true }).focus()
  await page.keyboard.type('600')
  await page.keyboard.press('Enter')
  await page.getByTestId('confirm').waitFor()
  await page.waitForFunction(() => document.activeElement.tagName === 'H1')
  await tabTo('确认')
  await page.keyboard.press('Enter')
  await act.untilState(page, 'waiting')
  await page.waitForFunction(() => document.activeElement.tagName === 'H1')
  await tabTo(w.undo)
  await page.keyboard.press('Enter')
  await act.untilState(page, 'cancelled')
  await close()
})

test('money arriving shows without asking; hidden amounts stay hidden; without a network the last known shows', async () => {
  const { fake, page, close } = await open({}, {})
  const w = WORDS.zh
  await act.signUp(page, fake.url, w, '陈思远', '+86 138 0000 0000')
  assert.equal(await act.figure(page, 'available'), '0.00')
  await look(page, 'smoke-home-empty-zh')
  await fetch(`${fake.url}/control/send-credit`, { method: 'POST', body: JSON.stringify({ to_account: '6230000000000017', to_name: '陈思远', amount: '1234.56' }) })
  await act.untilFigure(page, 'available', '1234.56')
  await page.getByRole('button', { name: w.hide }).click()
  assert.equal(await act.figure(page, 'available'), '')
  await page.reload()
  await page.getByTestId('available').waitFor()
  assert.equal(await act.figure(page, 'available'), '')
  await page.getByRole('button', { pressed: true }).click()
  await page.evaluate(() => navigator.serviceWorker.ready)
  await page.reload()
  await act.untilFigure(page, 'available', '1234.56')
  await page.waitForTimeout(300)
  fake.bank.down = true
  for (const stream of fake.bank.streams) stream.destroy()
  await page.getByText(w.offline).waitFor()
  await page.reload()
  await page.getByText(w.offline).waitFor()
  assert.equal(await act.figure(page, 'available'), '1234.56')
  await look(page, 'smoke-offline-zh')
  // Screens that were never opened open as well, and the movements last known stand in theirs.
  for (const path of ['assets', 'movements', 'pay', 'security', 'settings']) {
    await page.goto(`${fake.url}/${path}`)
    await page.locator('h1').waitFor()
    if (path === 'movements') await page.locator('.list .item').first().waitFor()
  }
  await page.goto(fake.url)
  fake.bank.down = false
  await page.getByText(w.offline).waitFor({ state: 'hidden' })
  await close()
})
