// The server's half of a WebSocket (RFC 6455), as far as a one-way stream of texts needs it.
import { createHash } from 'node:crypto'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const CLOSE = 8
const MASKED_SHORT = 2

/** Answers the upgrade; the returned object sends texts until either side is gone. */
export function acceptSocket(request, socket) {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64')
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`)
  const line = { open: true, send: (data) => line.open && socket.write(frame(JSON.stringify(data))), drop: () => socket.destroy() }
  socket.on('data', (bytes) => {
    // A page only ever says goodbye.
    if (bytes.length >= MASKED_SHORT && (bytes[0] & 15) === CLOSE) socket.end()
  })
  for (const event of ['close', 'error']) socket.on(event, () => (line.open = false))
  return line
}

function frame(text) {
  const body = Buffer.from(text)
  const head = body.length < 126 ? Buffer.from([0x81, body.length]) : body.length < 65_536 ? Buffer.from([0x81, 126, body.length >> 8, body.length & 255]) : longHead(body.length)
  return Buffer.concat([head, body])
}

function longHead(length) {
  const head = Buffer.alloc(10)
  head[0] = 0x81
  head[1] = 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}
