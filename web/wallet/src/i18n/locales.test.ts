import { describe, expect, it } from 'vitest'
import en from './en'
import zh from './zh'

function leaves(tree: object, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [[path + key, value] as [string, string]] : leaves(value as object, `${path}${key}.`)))
}
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort()

describe('the two languages', () => {
  const chinese = new Map(leaves(zh))
  const english = new Map(leaves(en))

  it('have exactly the same keys', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })

  it('leave nothing empty', () => {
    expect([...chinese, ...english].filter(([, text]) => text.trim() === '')).toEqual([])
  })

  it('use the same parameters', () => {
    const differing = [...chinese].filter(([key, text]) => String(placeholders(text)) !== String(placeholders(english.get(key) ?? '')))
    expect(differing).toEqual([])
  })

  it('Chinese is Chinese and English is English', () => {
    const own = /^(settings\.(zh|en))$/
    const han = /\p{Script=Han}/u
    expect([...english].filter(([key, text]) => han.test(text) && !own.test(key))).toEqual([])
    expect([...chinese].filter(([key, text]) => !han.test(text) && !own.test(key))).toEqual([])
  })

  it('contain none of the signs the message format keeps for itself', () => {
    expect([...chinese, ...english].filter(([, text]) => /[@|]/.test(text))).toEqual([])
  })
})
