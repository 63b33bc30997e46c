import { watch } from 'vue'
import { createI18n } from 'vue-i18n'
import { settings } from '../state/settings'
import en from './en'
import zh from './zh'

// Messages are compiled to trees, never to functions, so no code is evaluated under the strict policy.
export const i18n = createI18n({
  legacy: false,
  locale: settings.locale,
  fallbackLocale: 'zh',
  messages: { zh, en },
  missingWarn: false,
  fallbackWarn: false,
})

export function watchLocale(): void {
  watch(
    () => settings.locale,
    (locale) => {
      i18n.global.locale.value = locale
    },
  )
}

/** A text with its parameters; null when there is none or a parameter is missing. */
export function look(key: string, params: Record<string, string>): string | null {
  const { t, te, tm } = i18n.global
  if (key.endsWith('.what')) {
    const exact = key.replace(/what$/, 'with')
    if (te(exact) && placeholders(String(tm(exact))).every((name) => name in params)) return t(exact, spoken(params))
  }
  return te(key) ? t(key, spoken(params)) : null
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? '')
}

/** Periods arrive as codes and are said in words. */
function spoken(params: Record<string, string>): Record<string, string> {
  const { t, te } = i18n.global
  const period = params.period
  return period && te(`limits.${period}`) ? { ...params, period: t(`limits.${period}`) } : params
}
