// Runs the browser tests: `smoke` against the bank in memory, `browser` against a running system, which it
// starts itself when JINKU_URL names none. `--shots` keeps pictures of every screen in docs/screenshots.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const [kind, ...rest] = process.argv.slice(2)
const PORTS = { wallet: 7460, sandbox: 7461 }
const START_MS_MAX = 30_000

function startDemo() {
  const binary = process.env.JINKU_BIN ?? here('../../target/release/jinku')
  if (!existsSync(binary)) throw new Error('build the release binary first, or set JINKU_URL')
  const child = spawn(binary, ['demo', '--ports', `${PORTS.wallet},${PORTS.sandbox}`], { stdio: ['ignore', 'inherit', 'inherit'], cwd: here('../..') })
  process.env.JINKU_URL = `http://localhost:${PORTS.wallet}`
  process.env.JINKU_SANDBOX_URL = `http://localhost:${PORTS.sandbox}`
  return child
}

async function ready(url) {
  for (const end = Date.now() + START_MS_MAX; Date.now() < end; ) {
    const health = await fetch(`${url}/api/v1/health`).catch(() => null)
    if (health?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`${url} did not answer within ${START_MS_MAX} ms`)
}

function tests(file) {
  const child = spawn(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=1', here(file)], { stdio: 'inherit' })
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
}

if (rest.includes('--shots')) process.env.JINKU_SHOTS ??= here('../../docs/screenshots')
let demo = null
let code = 1
try {
  if (kind === 'browser') {
    if (!process.env.JINKU_URL) demo = startDemo()
    await ready(process.env.JINKU_URL)
  }
  code = await tests(kind === 'browser' ? './flow.test.mjs' : './smoke.test.mjs')
} catch (error) {
  console.error(error.message)
} finally {
  demo?.kill('SIGTERM')
}
process.exitCode = code
