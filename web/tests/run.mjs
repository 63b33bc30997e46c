// Runs the browser tests: `smoke` against the bank in memory, `browser` against a running system, which it
// starts itself when JINKU_URL names none (the binary is JINKU_BIN, else the release build).
// `--shots` keeps pictures of every screen in docs/screenshots.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import net from 'node:net'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const [kind, ...rest] = process.argv.slice(2)
const DIST = here('../wallet/dist')
// The demo takes five ports in a row. It is never the one that a person has running on the usual ports.
const FIRST_PORT = 7470
const PORTS_STEP = 10
const PORTS_TRIES = 20
const DEMO_PORTS = 5
const START_MS_MAX = 120_000
const STOP_MS_MAX = 15_000
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

async function freePorts() {
  for (let nth = 0; nth < PORTS_TRIES; nth += 1) {
    const first = FIRST_PORT + nth * PORTS_STEP
    const free = await Promise.all(Array.from({ length: DEMO_PORTS }, (_, i) => isFree(first + i)))
    if (free.every(Boolean)) return first
  }
  throw new Error(`no ${DEMO_PORTS} free ports in a row from ${FIRST_PORT}`)
}

/** The demo as a child: `done` is settled when it is gone, whatever ended it. */
async function startDemo() {
  const binary = process.env.JINKU_BIN ?? here('../../target/release/jinku')
  if (!existsSync(binary)) throw new Error(`no ${binary}: build it first, or set JINKU_BIN or JINKU_URL`)
  if (!existsSync(`${DIST}/index.html`)) throw new Error('the wallet is not built: npm run build')
  const first = await freePorts()
  const child = spawn(binary, ['demo', '--ports', `${first},${first + 1}`, '--wallet', DIST], { stdio: ['ignore', 'inherit', 'inherit'], cwd: here('../..') })
  const demo = { child, ended: null, done: null }
  demo.done = new Promise((resolve) => {
    const end = (why) => {
      demo.ended ??= why
      resolve()
    }
    child.once('error', (error) => end(error.message))
    child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
  })
  process.env.JINKU_URL = `http://localhost:${first}`
  process.env.JINKU_SANDBOX_URL = `http://localhost:${first + 1}`
  return demo
}

/** Asks the demo to end and waits for it: its children and its data folder are gone when this returns. */
async function stopDemo(demo) {
  if (demo.ended) return
  demo.child.kill('SIGTERM')
  await Promise.race([demo.done, pause(STOP_MS_MAX).then(() => demo.ended ?? demo.child.kill('SIGKILL'))])
  await demo.done
}

async function ready(url, demo) {
  for (const end = Date.now() + START_MS_MAX; Date.now() < end; await pause(200)) {
    if (demo?.ended) throw new Error(`the demo ended before it was ready: ${demo.ended}`)
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null)
    if (answer?.ok) return
  }
  throw new Error(`${url} did not answer within ${START_MS_MAX} ms`)
}

function tests(...files) {
  const child = spawn(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files.map(here)], { stdio: 'inherit' })
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
}

/** Where the demo desk is, when nobody says: four ports after the wallet. */
function deskOf(wallet) {
  const url = new URL(wallet)
  url.port = String(Number(url.port) + 4)
  return url.origin
}

let demo = null
async function main() {
  const shots = rest.includes('--shots')
  if (shots) process.env.JINKU_SHOTS ??= here('../../docs/screenshots')
  if (kind !== 'browser') return tests('./smoke.test.mjs', './markets.test.mjs', './console.test.mjs')
  if (!process.env.JINKU_URL) demo = await startDemo()
  process.env.JINKU_DESK_URL ??= deskOf(process.env.JINKU_URL)
  await ready(`${process.env.JINKU_URL}/api/v1/health`, demo)
  if (shots) await ready(process.env.JINKU_DESK_URL, demo)
  return tests('./flow.test.mjs', './market-flow.test.mjs', ...(shots ? ['./shots.mjs'] : []))
}

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) {
  process.once(signal, () => void (demo ? stopDemo(demo) : Promise.resolve()).finally(() => process.exit(code)))
}
try {
  process.exitCode = await main()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  if (demo) await stopDemo(demo)
}
