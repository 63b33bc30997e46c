// Rows as a file that a spreadsheet opens (RFC 4180), safe from being read as formulas.

export type Cell = string | number | boolean | null | undefined

function field(cell: Cell): string {
  let text = cell === null || cell === undefined ? '' : String(cell)
  // A spreadsheet would carry out what begins like this; a number it may read.
  if (/^[=+@\t\r-]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text)) text = `'${text}`
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text
}

export function csv(head: string[], rows: Cell[][]): string {
  return `\uFEFF${[head, ...rows].map((row) => row.map(field).join(',')).join('\r\n')}\r\n`
}

export function download(name: string, text: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href))
}
