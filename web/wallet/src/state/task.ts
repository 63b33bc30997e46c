import { ref } from 'vue'
import { type Trouble, troubleOf } from '../api/problem'
import { look } from '../i18n'

/** One thing a screen is doing: whether it still is, and what went wrong in words. A second start waits its turn. */
export function useTask() {
  const busy = ref(false)
  const trouble = ref<Trouble | null>(null)

  async function run<T>(work: () => Promise<T>): Promise<T | null> {
    if (busy.value) return null
    busy.value = true
    trouble.value = null
    try {
      return await work()
    } catch (error) {
      trouble.value = troubleOf(error, look)
      if (trouble.value.code === 'unexpected') console.error(error)
      return null
    } finally {
      busy.value = false
    }
  }

  return { busy, trouble, run }
}
