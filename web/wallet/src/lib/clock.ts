// The undo clock: how much is left, told in whole seconds, never below nothing.

export interface Remaining {
  over: boolean
  seconds: number
  /** Share of the whole window still left, 0 to 1. */
  share: number
}

export function remaining(until: string, now: number, startedAt?: string): Remaining {
  const end = Date.parse(until)
  if (Number.isNaN(end) || end <= now) return { over: true, seconds: 0, share: 0 }
  const start = startedAt ? Date.parse(startedAt) : now
  const whole = Math.max(end - start, 1)
  // A device's clock may be a little behind the bank's: no more is left than there ever was.
  const left = startedAt ? Math.min(end - now, whole) : end - now
  return { over: false, seconds: Math.ceil(left / 1000), share: Math.min(1, left / whole) }
}

/** 65 → "1:05", 3725 → "1:02:05". */
export function clockText(seconds: number): string {
  const h = Math.floor(seconds / 3600)
  const m = Math.floor((seconds % 3600) / 60)
  const s = String(seconds % 60).padStart(2, '0')
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`
}
