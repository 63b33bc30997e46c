import { say } from './say'

export async function copyText(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    say(done)
  } catch {
    // Without permission the text stays selectable on the screen.
  }
}
