// The operators' console against a desk in memory: every page in both languages, and four eyes on a change of rules.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { selectors } from 'playwright-core'
import { launch, look, phone } from './browser.mjs'
import { startFakeDesk, TOKEN } from './fake-console.mjs'

const WORDS = {
  zh: { name: '你的姓名', token: '操作员令牌', go: '登录', seats: '席位', rules: '规则', evidence: '证据', taker: '吃单费率（百万分之）', from: '生效时间', approve: '批准', withdraw: '撤回', suspend: '暂停市场', why: '原因（写入日志）', resume: '提议恢复', csv: '导出 CSV', filter: /^筛选/, out: '退出', stop: '停用席位', free: '恢复席位', halt: '熔断幅度（基点）' },
  en: { name: 'Your name', token: 'Operator token', go: 'Sign in', seats: 'Seats', rules: 'Rules', evidence: 'Evidence', taker: 'Taker fee (millionths)', from: 'Holds from', approve: 'Approve', withdraw: 'Withdraw', suspend: 'Suspend market', why: 'Reason (kept in the journal)', resume: 'Propose to resume', csv: 'Export CSV', filter: /^Filter/, out: 'Sign out', stop: 'Stop seat', free: 'Free seat', halt: 'Halts outside (basis points)' },
}
const WIDTH = 1280
let browser
before(async () => {
  selectors.setTestIdAttribute('data-test')
  browser = await launch()
})
after(() => browser.close())
const desks = new Set()
after(() => Promise.all([...desks].map((fake) => fake.stop())))

async function open(locale, options = {}) {
  const fake = await startFakeDesk()
  desks.add(fake)
  const page = await phone(browser, { locale, origin: fake.url, width: WIDTH, ...options })
  const close = async () => {
    await page.context().close()
    await fake.stop()
    desks.delete(fake)
    assert.deepEqual(page.complaints, [])
  }
  return { fake, page, w: WORDS[locale], close }
}

async function signIn(page, fake, w, name) {
  await page.goto(`${fake.url}/console/`)
  await page.getByLabel(w.name).fill(name)
  await page.getByLabel(w.token).fill(TOKEN)
  await page.getByRole('button', { name: w.go, exact: true }).click()
  await page.getByTestId('operator').waitFor()
}
const visit = (page, path) => page.evaluate((to) => { location.hash = `#${to}` }, path)

for (const locale of ['zh', 'en']) {
  for (const dark of [false, true]) {
    test(`every page, ${locale}, ${dark ? 'dark' : 'light'}`, async () => {
      const { fake, page, w, close } = await open(locale, { dark })
      const name = (screen) => `console-${screen}-${locale}${dark ? '-dark' : ''}`
      await page.goto(`${fake.url}/console/`)
      await page.getByLabel(w.name).waitFor()
      await look(page, name('sign-in'))
      await signIn(page, fake, w, '李华')
      await page.locator('[data-proposal]').waitFor()
      await look(page, name('proposals'), { full: true })
      await visit(page, '/markets')
      await page.locator('.el-table__row').nth(2).waitFor()
      await look(page, name('markets'), { full: true })
      await visit(page, '/markets/1')
      await page.locator('.el-table__row').nth(20).waitFor()
      await look(page, name('book'), { full: true })
      await page.getByRole('tab', { name: w.seats }).click()
      await page.getByRole('button', { name: w.free }).waitFor()
      await look(page, name('seats'), { full: true })
      await page.getByRole('tab', { name: w.rules }).click()
      await page.getByLabel(w.halt).fill('2000')
      await look(page, name('rules'), { full: true })
      await visit(page, '/surveillance')
      await page.getByRole('button', { name: w.evidence }).first().click()
      await page.getByTestId('evidence').waitFor()
      await look(page, name('surveillance'), { full: true })
      for (const path of ['prices', 'convert']) {
        await visit(page, `/${path}`)
        await page.locator('.el-table__row').first().waitFor()
        await look(page, name(path), { full: true })
      }
      await close()
    })
  }
}

test('a change of rules takes two names; the second reads what differs', async () => {
  const { fake, page, w, close } = await open('zh')
  await signIn(page, fake, w, '李华')
  await visit(page, '/markets/1')
  await page.getByRole('tab', { name: w.rules }).click()
  await page.getByLabel(w.taker).fill('1000')
  await page.getByLabel(w.halt).fill('2000')
  assert.ok(await page.getByTestId('propose').isDisabled())
  await page.getByLabel(w.halt).fill('500')
  await page.getByLabel(w.from).fill('2099-01-01T09:00')
  await page.getByTestId('propose').click()
  await page.getByRole('dialog').getByTestId('diff').waitFor()
  await page.getByTestId('confirm').click()
  await page.getByRole('status').waitFor()
  assert.equal(fake.desk.proposals.at(-1).rules.taker_ppm, 1000)
  await visit(page, '/proposals')
  const own = page.locator('[data-proposal="8"]')
  await own.waitFor()
  assert.ok(await own.getByTestId('approve').isDisabled())
  await page.getByRole('button', { name: w.out, exact: true }).click()
  await signIn(page, fake, w, '赵强')
  await own.waitFor()
  assert.match(await own.getByTestId('diff').innerText(), /1500\s+1000/)
  // By the keyboard: J to the second, Enter to decide.
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.getByTestId('confirm').click()
  await own.waitFor({ state: 'detached' })
  assert.deepEqual(fake.desk.deeds, [{ what: 'approve', number: 8, by: '赵强' }])
  assert.equal(fake.desk.markets[0].rules.taker_ppm, 1000)
  await close()
})

test('a market is suspended with a reason, and resumes only by another name', async () => {
  const { fake, page, w, close } = await open('en')
  await signIn(page, fake, w, 'Li Hua')
  await visit(page, '/markets/1')
  await page.getByRole('button', { name: w.suspend }).click()
  await page.getByTestId('confirm').click()
  await page.getByText('Say why').waitFor()
  await page.getByLabel(w.why).fill('feed of prices in doubt')
  await page.getByTestId('confirm').click()
  await page.getByRole('button', { name: w.resume }).click()
  await page.getByTestId('confirm').click()
  await page.getByText('it waits for another operator').waitFor()
  assert.deepEqual(fake.desk.deeds, [{ what: 'suspend', by: 'Li Hua', why: 'feed of prices in doubt' }])
  assert.equal(fake.desk.markets[0].phase, 'suspended')
  assert.equal(fake.desk.proposals.at(-1).kind, 'resume')
  await close()
})

test('a seat is stopped and freed; rows are filtered, sorted and saved as a file', async () => {
  const { fake, page, w, close } = await open('en')
  await signIn(page, fake, w, 'Li Hua')
  await visit(page, '/markets/1')
  await page.getByRole('tab', { name: w.seats }).click()
  await page.getByRole('button', { name: w.stop }).first().click()
  await page.getByTestId('confirm').click()
  await page.getByText('The seat is stopped').waitFor()
  assert.ok(fake.desk.seats[0].stopped)
  const pane = page.getByRole('tabpanel')
  await pane.getByRole('button', { name: 'Orders' }).click()
  await pane.getByRole('button', { name: 'Orders' }).click()
  assert.match(await pane.locator('.el-table__row').first().innerText(), /18/)
  await pane.getByLabel(w.filter).fill('desk of the bank')
  await pane.getByText('5 rows').waitFor()
  const [saved] = await Promise.all([page.waitForEvent('download'), pane.getByRole('button', { name: w.csv }).click()])
  const text = readFileSync(await saved.path(), 'utf8')
  assert.equal(text.trim().split('\r\n').length, 6)
  assert.match(text, /^\uFEFFSeat,Owner,Orders,State\r\n/)
  await close()
})

test('a wrong token is refused in words, and a reload forgets the right one', async () => {
  const { fake, page, w, close } = await open('en')
  await page.goto(`${fake.url}/console/`)
  await page.getByLabel(w.name).fill('Li Hua')
  await page.getByLabel(w.token).fill('wrong')
  await page.getByRole('button', { name: w.go, exact: true }).click()
  await page.getByRole('alert').waitFor()
  await signIn(page, fake, w, 'Li Hua')
  assert.equal(await page.evaluate((token) => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]).includes(token), TOKEN), false)
  await page.reload()
  await page.getByLabel(w.token).waitFor()
  await close()
})
