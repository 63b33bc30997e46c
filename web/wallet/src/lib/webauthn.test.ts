import { describe, expect, it } from 'vitest'
import { deviceName, fromBase64url, toBase64url } from './webauthn'

describe('passkey bytes', () => {
  it('survive the way to text and back', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(fromBase64url(toBase64url(bytes))).toEqual(bytes)
    expect(toBase64url(new Uint8Array([251, 255]))).toBe('-_8')
  })

  it('a device gets a name its owner knows', () => {
    expect(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604')).toBe('iPhone · Safari')
    expect(deviceName('Mozilla/5.0 (X11; Linux x86_64) Chrome/140 Safari/537')).toBe('Linux · Chrome')
  })
})
