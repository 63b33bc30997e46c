// What wallet and console both know of markets: decimal text, the book that a stream keeps, and its checksum.
export * from './book'
export * from './crc32c'
export * from './decimal'
export * from './stream'
