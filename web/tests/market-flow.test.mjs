// Markets on the running system: convert, place, fill, cancel, see that ledger and chart agree; two customers who trade with
// each other, one of them filled in part. Needs JINKU_URL and JINKU_SANDBOX_URL.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { selectors } from 'playwright-core'
import { launch, look, phone } from './browser.mjs'
import * as act from './steps.mjs'
import { WORDS } from './words.mjs'

const URL_WALLET = process.env.JINKU_URL
const URL_SANDBOX = process.env.JINKU_SANDBOX_URL
const MONEY = '30000.00'
const MARKET = 1
/** Others trade in this market as well: a price of one's own may be taken before the other comes. */
const TRIES = 5

let browser
before(async () => {
  assert.ok(URL_WALLET && URL_SANDBOX, 'JINKU_URL and JINKU_SANDBOX_URL are set')
  selectors.setTestIdAttribute('data-test')
  browser = await launch()
})
after(() => browser?.close())

const number = () => `+86137${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`
const get = (page, path) => page.evaluate((at) => fetch(`/api/v1${at}`).then((answer) => answer.json()), path)
const market = (page) => get(page, `/markets/${MARKET}`)

async function customer(locale, name) {
  const page = await phone(browser, { locale, origin: URL_WALLET })
  await act.signUp(page, URL_WALLET, WORDS[locale], name, number())
  const account = (await get(page, '/me')).accounts[0]
  const answer = await fetch(`${URL_SANDBOX}/control/send-credit`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ to_account: account.number, to_name: name, amount: MONEY }) })
  assert.ok(answer.ok, `the sandbox sent the credit (${answer.status})`)
  await act.untilFigure(page, 'available', MONEY)
  return page
}

const account = async (page, asset) => (await get(page, '/me')).accounts.find((each) => each.asset === asset)
const until = async (what, look_) => {
  for (let n = 0; n < 60; n += 1) {
    const found = await look_()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  return assert.fail(`${what} did not come`)
}
const ticks = (price, n, tick) => String(Number(price) + n * Number(tick))

for (const locale of ['zh', 'en']) {
  test(`convert, fill, rest, reduce, cancel (${locale})`, async () => {
    const w = WORDS[locale]
    const shot = (screen) => `${screen}-${locale}`
    const page = await customer(locale, locale === 'zh' ? '陈思远' : 'Chen Siyuan')
    await page.goto(`${URL_WALLET}/convert`)
    await act.openMissing(page, w)
    await look(page, shot('convert'), { full: true })
    await act.askPrice(page, w, '8000')
    const takes = await act.figure(page, 'takes')
    await look(page, shot('convert-offer'), { full: true })
    await page.getByTestId('accept').click()
    await page.getByTestId('converted').waitFor()
    await look(page, shot('converted'))
    assert.equal((await account(page, 'BTC')).posted.value, takes)
    assert.equal((await account(page, 'CNY')).posted.value, '22000.00')

    await page.goto(`${URL_WALLET}/markets`)
    await page.getByTestId('market-row').nth(2).waitFor()
    await page.waitForTimeout(500)
    await look(page, shot('markets'), { full: true })
    await act.openMarket(page, URL_WALLET, MARKET)
    await page.locator('[data-test="candles"] canvas').first().waitFor()
    await page.waitForTimeout(800)
    await look(page, shot('market'), { full: true })

    // Above the best offer, so it fills at once; the ledger has what the fills say.
    const now = await market(page)
    const btc = (await account(page, 'BTC')).posted.value
    await act.writeOrder(page, w, { side: 'buy', price: ticks(now.best_ask, 20, now.tick), quantity: '0.002' })
    await page.getByRole('button', { name: w.preview, exact: true }).click()
    await page.getByTestId('preview').waitFor()
    await look(page, shot('order-preview'), { full: true })
    await page.getByTestId('place').click()
    await page.locator('[data-outcome="filled"]').waitFor()
    await page.keyboard.press('Escape')
    const bought = await until('the fill', async () => (await get(page, `/fills?market=${MARKET}`)).fills[0])
    assert.equal(Number((await account(page, 'BTC')).posted.value).toFixed(8), (Number(btc) + 0.002).toFixed(8))
    const trades = (await get(page, `/markets/${MARKET}/trades?limit=200`)).trades
    assert.ok(trades.some((trade) => trade.number === bought.trade && trade.price === bought.price), 'the trade is public')
    // The chart's candles have it too.
    const minute = Math.floor(Date.parse(bought.at) / 60_000) * 60_000
    const { candles } = await get(page, `/markets/${MARKET}/candles?interval=1m&from=${minute}&to=${minute + 60_000}`)
    assert.ok(candles.some((candle) => candle.start_ms === minute && Number(candle.low) <= Number(bought.price) && Number(candle.high) >= Number(bought.price)))

    // Far below, so it rests; reduced, then cancelled: nothing stays held.
    const low = ticks(now.best_bid, -1500, now.tick)
    await act.writeOrder(page, w, { side: 'buy', price: low, quantity: '0.01' })
    await act.placeOrder(page, w, 'rests')
    await page.keyboard.press('Escape')
    await page.getByTestId('order-row').click()
    await page.getByLabel(w.reduce_by).fill('0.004')
    await page.getByRole('button', { name: w.reduce, exact: true }).click()
    await page.getByTestId('left').filter({ hasText: '0.006 BTC' }).waitFor()
    assert.notEqual((await account(page, 'CNY')).held.value, '0.00')
    await look(page, shot('order'), { full: true })
    await page.getByTestId('cancel-order').click()
    await page.getByTestId('order-row').waitFor({ state: 'detached' })
    assert.equal((await account(page, 'CNY')).held.value, '0.00')
    await page.goto(`${URL_WALLET}/orders`)
    await page.getByRole('radio', { name: w.fills, exact: true }).check()
    await page.getByTestId('fill-row').first().waitFor()
    await look(page, shot('fills'), { full: true })
    await page.goto(`${URL_WALLET}/movements`)
    await page.locator('.list .item').first().waitFor()
    await look(page, shot('movements-trades'), { full: true })
    assert.deepEqual(page.complaints, [])
    await page.context().close()
  })
}

test('two browsers trade with each other, one order is filled in part and the rest cancelled', async () => {
  const seller = await customer('zh', '林晓雯')
  const buyer = await customer('en', 'Zhou Guoliang')
  const w = { seller: WORDS.zh, buyer: WORDS.en }
  await seller.goto(`${URL_WALLET}/convert`)
  await act.openMissing(seller, w.seller)
  await act.askPrice(seller, w.seller, '10000')
  await seller.getByTestId('accept').click()
  await seller.getByTestId('converted').waitFor()
  await act.openAccount(buyer, URL_WALLET, w.buyer, 'BTC')
  for (const page of [seller, buyer]) await act.openMarket(page, URL_WALLET, MARKET)
  let shared = null
  let partly = null
  for (let n = 0; n < TRIES && !shared; n += 1) {
    const now = await market(seller)
    const price = Number(now.best_ask) - Number(now.best_bid) > Number(now.tick) ? ticks(now.best_ask, -1, now.tick) : now.best_ask
    await act.writeOrder(seller, w.seller, { side: 'sell', price, quantity: '0.004' })
    await act.placeOrder(seller, w.seller)
    await seller.keyboard.press('Escape')
    await act.writeOrder(buyer, w.buyer, { side: 'buy', price: ticks(price, 5, now.tick), quantity: '0.001' })
    await act.placeOrder(buyer, w.buyer)
    await buyer.keyboard.press('Escape')
    const [sold, bought] = await Promise.all([seller, buyer].map(async (page) => (await get(page, `/fills?market=${MARKET}`)).fills))
    shared = bought.find((fill) => sold.some((other) => other.trade === fill.trade)) ?? null
    const [rest] = (await get(seller, `/orders?market=${MARKET}&open=true`)).orders
    if (shared && rest) partly = rest
    else if (shared) shared = null
  }
  assert.ok(shared, 'a fill of one is a fill of the other, and something of the order is left')
  assert.ok(Number(partly.filled) > 0 && Number(partly.left) > 0, `${partly.filled} filled, ${partly.left} left`)
  // What is left is cancelled on the screen, unless somebody else takes it first: in the end nothing is held.
  await seller.goto(`${URL_WALLET}/orders?market=${MARKET}`)
  await seller.getByRole('button', { name: w.seller.cancel_all }).click()
  await seller.getByRole('dialog').getByRole('button', { name: w.seller.cancel_all }).click()
  await until('the end of all orders', async () => (await get(seller, `/orders?market=${MARKET}&open=true`)).orders.length === 0)
  await until('nothing held', async () => (await account(seller, 'BTC')).held.value === '0.00000000')
  await act.openMarket(seller, URL_WALLET, MARKET)
  const last = await until('the price on both screens', async () => {
    const shown = await Promise.all([seller, buyer].map((page) => page.getByTestId('price').innerText()))
    return shown[0] === shown[1] ? shown[0] : null
  })
  assert.match(last, /\d/)
  assert.deepEqual([...seller.complaints, ...buyer.complaints], [])
})
