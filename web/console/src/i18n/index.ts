import { createI18n } from 'vue-i18n'
import { watch } from 'vue'
import { settings } from '../settings'
import en from './en'
import zh from './zh'

export const i18n = createI18n({ legacy: false, locale: settings.locale, fallbackLocale: 'zh', messages: { zh, en }, missingWarn: false, fallbackWarn: false })
watch(() => settings.locale, (locale) => (i18n.global.locale.value = locale))
