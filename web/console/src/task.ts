import { ref } from 'vue'
import { Refused } from './api'
import { i18n } from './i18n'

/** One thing a screen does: whether it still does, and in words why it did not. */
export function useTask() {
  const busy = ref(false)
  const trouble = ref('')

  async function run<T>(work: () => Promise<T>): Promise<T | null> {
    if (busy.value) return null
    busy.value = true
    trouble.value = ''
    try {
      return await work()
    } catch (error) {
      trouble.value = words(error)
      return null
    } finally {
      busy.value = false
    }
  }
  return { busy, trouble, run }
}

export function words(error: unknown): string {
  const { t } = i18n.global
  if (!(error instanceof Refused)) {
    console.error(error)
    return t('error.other', { detail: String(error) })
  }
  if (error.code === 'unreachable' || error.code === 'token') return t(`error.${error.code}`)
  const said = t('error.other', { detail: error.detail || error.code })
  return error.reference ? `${said} ${t('error.reference', { reference: error.reference })}` : said
}

const STYLE: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }

export function timeText(at: string): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? at : new Intl.DateTimeFormat(i18n.global.locale.value === 'zh' ? 'zh-CN' : 'en-GB', STYLE).format(date)
}
