import { ref } from 'vue'

/** The time of the device, told twice a second to everything that counts down. */
export const now = ref(Date.now())
setInterval(() => {
  now.value = Date.now()
}, 500)
