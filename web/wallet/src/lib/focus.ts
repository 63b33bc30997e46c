/** Puts the focus on the title of the screen, so that a keyboard or a screen reader goes on from its top. */
export function focusTitle(): void {
  const title = document.querySelector('h1')
  if (!title) return
  title.tabIndex = -1
  title.focus({ preventScroll: true })
}
