import createClient, { type Middleware } from 'openapi-fetch'
import { freshKey } from '../lib/ids'
import type { paths } from './schema'
import type { Problem } from './types'

/** The bank said no, and says why. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code)
  }
}

/** The bank could not be reached; nothing is known about what happened. */
export class Unreachable extends Error {}

const SAFE = new Set(['GET', 'HEAD'])
let writtenSeq = 0
let onSessionEnd: () => void = () => {}

export function whenSessionEnds(hook: () => void): void {
  onSessionEnd = hook
}

const writes: Middleware = {
  onRequest({ request }) {
    if (SAFE.has(request.method)) {
      if (writtenSeq > 0) request.headers.set('X-Jinku-Min-Seq', String(writtenSeq))
      return request
    }
    request.headers.set('X-Jinku-Client', 'web')
    if (!request.headers.has('Idempotency-Key')) request.headers.set('Idempotency-Key', freshKey())
    return request
  },
  onResponse({ response }) {
    const seq = Number(response.headers.get('X-Jinku-Seq') ?? '0')
    if (Number.isSafeInteger(seq) && seq > writtenSeq) writtenSeq = seq
    return response
  },
  onError() {
    return new Unreachable('unreachable')
  },
}

export const http = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' })
http.use(writes)

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

function asProblem(error: unknown, response: Response): Problem {
  const given = typeof error === 'object' && error !== null ? (error as Partial<Problem>) : {}
  return {
    type: given.type ?? 'about:blank',
    title: given.title ?? '',
    status: given.status ?? response.status,
    detail: given.detail ?? '',
    code: given.code ?? `http_${response.status}`,
    reference: given.reference ?? response.headers.get('X-Request-Id') ?? '',
    params: given.params ?? {},
  }
}

/** The body of a good answer; throws `Refused` with the bank's reason otherwise. */
export async function answer<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call
  if (response.ok) return data as T
  // A gateway in between answers without a reason when the bank is away: that is no refusal.
  if (response.status >= 502 && response.status <= 504 && !(error as Problem | undefined)?.code) {
    throw new Unreachable('unreachable')
  }
  const problem = asProblem(error, response)
  // Other refusals may carry 401 too, such as a wrong code; only these two mean that nobody is signed in.
  if (problem.code === 'session_expired' || problem.code === 'http_401') onSessionEnd()
  throw new Refused(problem)
}
