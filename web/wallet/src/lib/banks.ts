import { ref } from 'vue'
import { bank } from '../api/bank'
import type { Bank } from '../api/types'

/** The banks money can be sent to; read once and kept while the wallet is open. */
export const banks = ref<Bank[]>([])

export async function loadBanks(): Promise<void> {
  if (banks.value.length === 0) banks.value = (await bank.banks()).items
}
