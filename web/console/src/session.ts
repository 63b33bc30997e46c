import { reactive } from 'vue'
import { desk, useToken, whenTokenFails } from './api'

// Who sits at the console. Name and token live in memory alone; four eyes count names, so the name is asked for each time.

export const session = reactive({ in: false, operator: '' })

/** Shows the token to the desk; it is kept only if the desk takes it. */
export async function signIn(operator: string, token: string): Promise<void> {
  useToken(token.trim())
  await desk.markets()
  session.operator = operator.trim()
  session.in = true
}

export function signOut(): void {
  useToken('')
  session.in = false
  session.operator = ''
}

whenTokenFails(signOut)
