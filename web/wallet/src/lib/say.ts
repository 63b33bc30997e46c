/** How long a word stays; long enough to read twice. */
const SHOWN_MS = 2600

/** A short word that something is done: shown at the foot and told to screen readers, by one element. It takes no focus. */
export function say(text: string): void {
  document.querySelector('.said')?.remove()
  const word = document.createElement('div')
  word.setAttribute('role', 'status')
  word.className = 'said'
  document.body.append(word)
  // A live region is only told when it changes after it is there.
  requestAnimationFrame(() => {
    word.textContent = text
  })
  setTimeout(() => word.remove(), SHOWN_MS)
}
