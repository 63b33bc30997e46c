// Markets and conversions against the bank in memory: each new screen in both languages, light and dark, and the flows.
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
const banks = new Set()
after(() => Promise.all([...banks].map((fake) => fake.stop())))

async function open(options, bankOptions) {
  const fake = await startFakeBank(bankOptions)
  banks.add(fake)
  const pages = []
  const person = async (more = {}) => {
    const page = await phone(browser, { ...options, ...more, origin: fake.url })
    pages.push(page)
    await act.signUp(page, fake.url, WORDS[more.locale ?? options.locale ?? 'zh'], '陈思远', '+86 138 0000 0000')
    return page
  }
  const close = async () => {
    for (const page of pages) await page.context().close()
    await fake.stop()
    banks.delete(fake)
    for (const page of pages) assert.deepEqual(page.complaints, [])
  }
  return { fake, person, close }
}

for (const locale of ['zh', 'en']) {
  for (const dark of [false, true]) {
    test(`every screen of the markets, ${locale}, ${dark ? 'dark' : 'light'}`, async () => {
      const { fake, person, close } = await open({ locale, dark, width: dark ? 360 : 390 }, { history: true })
      const w = WORDS[locale]
      const name = (screen) => `markets-${screen}-${locale}${dark ? '-dark' : ''}`
      const page = await person()
      await look(page, name('home'), { full: true })
      await page.getByRole('button', { name: w.new_account }).click()
      await page.getByRole('dialog').getByText('ETH').waitFor()
      await page.waitForTimeout(250)
      await look(page, name('new-account'))
      await page.keyboard.press('Escape')
      await page.goto(`${fake.url}/convert`)
      await page.getByTestId('open-account').waitFor()
      await look(page, name('convert'), { full: true })
      await act.openMissing(page, w)
      await act.askPrice(page, w, '5000')
      await look(page, name('offer'), { full: true })
      await page.getByTestId('accept').click()
      await page.getByTestId('converted').waitFor()
      await look(page, name('converted'))
      await page.goto(`${fake.url}/markets`)
      await page.locator('.spark polyline').first().waitFor()
      await look(page, name('list'), { full: true })
      await page.getByLabel(w.search_market).fill('doge')
      await look(page, name('list-none'))
      await act.openMarket(page, fake.url, 1)
      await page.locator('[data-test="candles"] canvas').first().waitFor()
      await page.waitForFunction(() => document.querySelector('[data-test="candles"]')?.dataset.last)
      await page.waitForTimeout(300)
      await look(page, name('market'), { full: true })
      await page.getByRole('radio', { name: w.depth, exact: true }).check()
      await page.locator('.depth').waitFor()
      await look(page, name('depth'), { full: true })
      await page.getByRole('radio', { name: w.trades, exact: true }).check()
      await page.getByTestId('trades').waitFor()
      await page.getByRole('button', { name: w.table }).click()
      await look(page, name('trades'), { full: true })
      await act.writeOrder(page, w, { side: 'buy', price: '432120', quantity: '0.02' })
      await page.getByRole('button', { name: w.preview, exact: true }).click()
      await page.getByTestId('preview').waitFor()
      await page.waitForTimeout(200)
      await look(page, name('ticket'), { full: true })
      await page.getByTestId('place').click()
      await page.getByTestId('placed').waitFor()
      await look(page, name('placed'))
      await page.keyboard.press('Escape')
      await act.writeOrder(page, w, { side: 'buy', price: '431000', quantity: '0.003' })
      await act.placeOrder(page, w)
      await page.goto(`${fake.url}/orders`)
      await page.getByTestId('order-row').first().click()
      await page.getByTestId('cancel-order').waitFor()
      await page.waitForTimeout(250)
      await look(page, name('order'), { full: true })
      await page.keyboard.press('Escape')
      await look(page, name('orders'), { full: true })
      for (const [view, word] of [['history', w.history], ['fills', w.fills]]) {
        await page.getByRole('radio', { name: word, exact: true }).check()
        await page.locator(view === 'fills' ? '[data-test="fill-row"]' : '[data-test="order-row"]').first().waitFor()
        await look(page, name(`orders-${view}`), { full: true })
      }
      for (const [number, phase] of [[3, 'call'], [4, 'closed']]) {
        await act.openMarket(page, fake.url, number)
        await page.locator(`[data-phase="${phase}"]`).waitFor()
        await page.waitForTimeout(300)
        await look(page, name(phase))
      }
      await page.goto(`${fake.url}/assets`)
      await page.locator('.account').nth(1).waitFor()
      await look(page, name('assets'), { full: true })
      await close()
    })
  }
}

test('text at twice its size fits the narrowest phone', async () => {
  const { fake, person, close } = await open({ width: 360, locale: 'en' }, { history: true })
  const page = await person()
  for (const path of ['', 'convert', 'markets', 'markets/1', 'markets/3', 'orders']) {
    await page.goto(`${fake.url}/${path}`)
    await page.locator('#main').waitFor()
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%' })
    await page.waitForTimeout(500)
    await fits(page, `/${path} at 200 %`)
    if (path === 'markets/1') await look(page, 'markets-large-en', { full: true })
  }
  await close()
})

test('convert: the missing account is opened on the way, a price that has run out is renewed by one tap, and is taken once', async () => {
  const { fake, person, close } = await open({}, { history: true, quoteMs: 2500 })
  const w = WORDS.zh
  const page = await person()
  const before = await act.figure(page, 'available')
  await page.getByRole('link', { name: w.home_convert }).click()
  await act.openMissing(page, w)
  await act.askPrice(page, w, '1000')
  await page.getByTestId('requote').waitFor()
  await page.getByTestId('requote').click()
  await page.getByTestId('accept').waitFor()
  const takes = await act.figure(page, 'takes')
  await page.getByTestId('accept').dblclick()
  await page.getByTestId('converted').waitFor()
  assert.equal(fake.bank.markets.conversions.get('1').length, 1)
  await page.goto(fake.url)
  await act.untilFigure(page, 'available', (Number(before) - 1000).toFixed(2))
  assert.equal(await act.assetFigure(page, 'BTC'), takes)
  await close()
})

test('an order is placed from the ladder, partly filled, reduced, moved and cancelled; what it holds follows', async () => {
  const { fake, person, close } = await open({}, { history: true })
  const w = WORDS.zh
  const page = await person()
  const { markets } = fake.bank
  const book = markets.books[0]
  await act.openAccount(page, fake.url, w, 'BTC')
  await act.openMarket(page, fake.url, 1)
  // The best offer by a tap; more than stands there, so the rest waits.
  const best = book.resting('sell')[0]
  const there = best.left
  await page.getByTestId('ladder').locator('.sell .level').last().click()
  assert.equal((await page.getByLabel(w.price).inputValue()).replace(/,/g, ''), book.price(best.price))
  best.left = 5n * book.lotUnits
  await page.getByLabel(w.quantity).fill('0.01')
  await act.placeOrder(page, w, 'part')
  assert.ok(there > 5n * book.lotUnits)
  await page.keyboard.press('Escape')
  const row = page.getByTestId('order-row')
  await row.waitFor()
  const [order] = markets.serve('GET', '/orders', new URLSearchParams('open=true'), {}, '1').orders
  assert.equal(order.filled, '0.005')
  await row.click()
  await page.getByLabel(w.reduce_by).fill('0.002')
  await page.getByRole('button', { name: w.reduce, exact: true }).click()
  await page.getByTestId('left').filter({ hasText: '0.003 BTC' }).waitFor()
  await page.getByLabel(w.move_to).fill('431005')
  await page.getByRole('button', { name: w.move, exact: true }).click()
  await page.getByText('10 的整数倍').waitFor()
  await page.getByLabel(w.move_to).fill('431000')
  await page.getByRole('button', { name: w.move, exact: true }).click()
  await page.getByRole('dialog').getByText('431,000').waitFor()
  await page.getByTestId('cancel-order').click()
  await row.waitFor({ state: 'detached' })
  await page.goto(fake.url)
  await act.untilFigure(page, 'held', '0.00')
  assert.equal(await act.assetFigure(page, 'BTC'), '0.00500000')
  await close()
})

test('what is refused is said in words with what to do, and a field that is wrong says so itself', async () => {
  const { fake, person, close } = await open({}, { history: true })
  const w = WORDS.zh
  const page = await person()
  await act.openAccount(page, fake.url, w, 'BTC')
  await act.openMarket(page, fake.url, 1)
  await act.writeOrder(page, w, { side: 'buy', price: '432005', quantity: '' })
  await page.getByRole('button', { name: w.preview, exact: true }).click()
  await page.getByText('必须是 10 的整数倍').waitFor()
  await page.getByText('请填写').waitFor()
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-invalid')), 'true')
  await page.getByLabel(w.price).fill('432000')
  await page.getByLabel(w.quantity).fill('900')
  await page.getByRole('button', { name: w.preview, exact: true }).click()
  await page.locator('[data-code="insufficient_funds"]').waitFor()
  assert.ok(await page.getByTestId('place').isDisabled())
  await close()
})

test('a pair of orders of which one ends the other is a plan, and is ended', async () => {
  const { fake, person, close } = await open({}, { history: true })
  const w = WORDS.zh
  const page = await person()
  await act.openAccount(page, fake.url, w, 'BTC')
  await act.openMarket(page, fake.url, 1)
  await page.getByRole('button', { name: w.buy_btc, exact: true }).click()
  await page.getByRole('radio', { name: w.other_types, exact: true }).check()
  await page.getByRole('combobox').first().selectOption('oco')
  for (const [label, value] of [[w.price, '431000'], [/^止损触发价/, '433000'], [/^止损限价/, '433100'], [w.quantity, '0.01']]) await page.getByLabel(label).fill(value)
  await act.placeOrder(page, w, 'plan')
  assert.equal(fake.bank.markets.plans[0].stop_trigger, '433000')
  await page.getByRole('link', { name: w.see_orders }).click()
  await page.getByRole('button', { name: w.end_plan, exact: true }).click()
  await page.getByRole('button', { name: w.end_plan, exact: true }).waitFor({ state: 'detached' })
  assert.equal(fake.bank.markets.plans.length, 0)
  await close()
})

test('the stop switch cancels everything, takes nothing, and is lifted again', async () => {
  const { fake, person, close } = await open({}, { history: true })
  const w = WORDS.zh
  const page = await person()
  await act.openAccount(page, fake.url, w, 'BTC')
  await act.openMarket(page, fake.url, 1)
  for (const price of ['431000', '430900']) {
    await act.writeOrder(page, w, { side: 'buy', price, quantity: '0.001' })
    await act.placeOrder(page, w, 'rests')
    await page.keyboard.press('Escape')
  }
  await page.goto(`${fake.url}/orders?market=1`)
  await page.getByTestId('order-row').nth(1).waitFor()
  await page.getByRole('button', { name: w.stop_trading }).click()
  await page.getByRole('dialog').getByRole('button', { name: w.stop_trading }).click()
  await page.getByTestId('stopped').waitFor()
  await page.getByTestId('order-row').first().waitFor({ state: 'detached' })
  await page.goto(`${fake.url}/markets/1`)
  assert.ok(await page.getByRole('button', { name: w.buy_btc }).isDisabled())
  await page.getByRole('button', { name: w.trade_again }).click()
  await page.getByRole('button', { name: w.trade_again }).waitFor({ state: 'detached' })
  assert.ok(await page.getByRole('button', { name: w.buy_btc }).isEnabled())
  await close()
})

test('two browsers trade with each other, and both see the same market', async () => {
  const { fake, person, close } = await open({}, { history: true })
  const w = WORDS.zh
  const seller = await person()
  const buyer = await person({ locale: 'en' })
  await act.openAccount(seller, fake.url, w, 'BTC')
  await act.openAccount(buyer, fake.url, WORDS.en, 'BTC')
  fake.bank.markets.purse('1').get('BTC').posted = 100_000_000n
  fake.bank.markets.told('1')
  for (const page of [seller, buyer]) await act.openMarket(page, fake.url, 1)
  // One tick inside the spread, so that the two meet each other and nobody else.
  const price = '432090'
  await act.writeOrder(seller, w, { side: 'sell', price, quantity: '0.02' })
  await act.placeOrder(seller, w, 'rests')
  await seller.keyboard.press('Escape')
  const offer = buyer.getByTestId('ladder').locator('.sell .level').last()
  await buyer.waitForFunction(() => [...document.querySelectorAll('.ladder .sell .level')].at(-1)?.textContent.includes('432,090'))
  await offer.click()
  await buyer.getByLabel(WORDS.en.quantity).fill('0.005')
  await act.placeOrder(buyer, WORDS.en, 'filled')
  await buyer.keyboard.press('Escape')
  for (const page of [seller, buyer]) await page.waitForFunction(() => document.querySelector('[data-test="price"]')?.textContent.includes('432,090'))
  await seller.waitForFunction(() => document.querySelector('[data-test="order-row"]')?.textContent.includes('0.005 / 0.02'))
  // The chart goes on with the trade that both have just seen.
  for (const page of [seller, buyer]) await page.waitForFunction(() => document.querySelector('[data-test="candles"]')?.dataset.last === '432090')
  await buyer.goto(fake.url)
  await buyer.waitForFunction(() => document.querySelector('[data-asset="BTC"]')?.textContent.includes('0.00500000'))
  await seller.goto(fake.url)
  await seller.waitForFunction(() => document.querySelector('[data-asset="BTC"]')?.textContent.includes('0.99500000'))
  assert.deepEqual(fake.bank.markets.fills.filter((f) => f.who !== 'house').map((f) => f.role).sort(), ['maker', 'taker'])
  await close()
})

test('a wrong checksum is noticed and the book read again; a lost line shows as stale and comes back', async () => {
  const { fake, person, close } = await open({}, { history: true })
  const page = await person()
  const { markets } = fake.bank
  await act.openMarket(page, fake.url, 1)
  const shownTop = () => page.evaluate(() => document.querySelector('.ladder .buy .level')?.textContent)
  const lines = () => markets.lines.get(1)
  const before = [...lines()][0]
  markets.rest(markets.books[0], { who: 'house', side: 'buy', price: markets.books[0].resting('buy')[0].price, quantity: 7n * markets.books[0].lotUnits })
  markets.publish(markets.books[0], [], true)
  await page.waitForFunction(() => document.querySelector('[data-test="line"]')?.dataset.line === 'live')
  while ([...lines()].filter((line) => line.open).length === 0 || [...lines()].at(-1) === before) await page.waitForTimeout(50)
  await page.waitForTimeout(200)
  const [level] = markets.books[0].levels('buy')
  assert.ok((await shownTop()).includes(level[1]), `${await shownTop()} shows ${level[1]}`)
  fake.bank.deaf = true
  markets.dropLines()
  await page.locator('[data-line="waiting"]').waitFor()
  await look(page, 'markets-stale-zh', { full: true })
  fake.bank.deaf = false
  await page.locator('[data-line="live"]').waitFor()
  markets.houseTrade(1, 'buy')
  const { last } = markets.books[0]
  await page.waitForFunction((price) => document.querySelector('[data-test="price"]')?.textContent.replace(/,/g, '').includes(price), last)
  await close()
})

test('a market is traded by keyboard alone', async () => {
  const { fake, person, close } = await open({}, { history: true })
  const w = WORDS.zh
  const page = await person()
  await act.openAccount(page, fake.url, w, 'BTC')
  await act.openMarket(page, fake.url, 1)
  await page.waitForTimeout(300)
  const tabTo = async (test) => {
    for (let n = 0; n < 80; n += 1) {
      await page.keyboard.press('Tab')
      if (await page.evaluate(test)) return
    }
    assert.fail(`not reached by Tab: ${test}`)
  }
  await tabTo("document.activeElement.classList.contains('level')")
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await tabTo("document.activeElement.closest('.field')?.querySelector('label')?.textContent.startsWith('数量')")
  await page.keyboard.type('0.001')
  await page.keyboard.press('Enter')
  await page.getByTestId('preview').waitFor()
  await tabTo("document.activeElement.dataset.test === 'place'")
  await page.keyboard.press('Enter')
  await page.getByTestId('placed').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await close()
})
