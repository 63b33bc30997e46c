import { reactive, watch } from 'vue'

// Language and appearance outlive the page; nothing else does.
const KEY = 'jinku.console'

interface Settings {
  locale: 'zh' | 'en'
  theme: 'auto' | 'light' | 'dark'
}

function kept(): Settings {
  const start: Settings = { locale: navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en', theme: 'auto' }
  try {
    return { ...start, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>) }
  } catch {
    return start
  }
}

export const settings = reactive(kept())
const dark = matchMedia('(prefers-color-scheme: dark)')

function apply(): void {
  const root = document.documentElement
  root.lang = settings.locale === 'zh' ? 'zh-CN' : 'en'
  if (settings.theme === 'auto') delete root.dataset.theme
  else root.dataset.theme = settings.theme
  // The components' own colours follow a class.
  root.classList.toggle('dark', settings.theme === 'dark' || (settings.theme === 'auto' && dark.matches))
}

export function watchSettings(): void {
  apply()
  dark.addEventListener('change', apply)
  watch(settings, () => {
    localStorage.setItem(KEY, JSON.stringify(settings))
    apply()
  })
}
