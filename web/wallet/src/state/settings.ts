import { reactive, watch } from 'vue'

// Choices of this device that outlive a session: they live in local storage and nowhere else.

export type Locale = 'zh' | 'en'
export type Theme = 'auto' | 'light' | 'dark'

const KEY = 'jinku.settings'

function firstLocale(): Locale {
  return navigator.language.toLowerCase().startsWith('zh') || !navigator.language ? 'zh' : 'en'
}

function kept(): { locale: Locale; hidden: boolean; theme: Theme } {
  const start = { locale: firstLocale(), hidden: false, theme: 'auto' as Theme }
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    return typeof found === 'object' && found !== null ? { ...start, ...found } : start
  } catch {
    return start
  }
}

export const settings = reactive(kept())

function applyToPage(): void {
  const root = document.documentElement
  root.lang = settings.locale === 'zh' ? 'zh-CN' : 'en'
  if (settings.theme === 'auto') root.removeAttribute('data-theme')
  else root.dataset.theme = settings.theme
}

export function watchSettings(): void {
  applyToPage()
  watch(settings, () => {
    localStorage.setItem(KEY, JSON.stringify(settings))
    applyToPage()
  })
}
