import { showToast } from 'vant'

/** A short word that something is done; also told to screen readers. */
export function say(text: string): void {
  showToast({ message: text, position: 'bottom', duration: 2200, className: 'said' })
  const voice = document.createElement('div')
  voice.setAttribute('role', 'status')
  voice.className = 'sr'
  document.body.append(voice)
  requestAnimationFrame(() => {
    voice.textContent = text
  })
  setTimeout(() => voice.remove(), 4000)
}
