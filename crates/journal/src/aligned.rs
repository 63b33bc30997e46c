//! A buffer whose first byte lies at a multiple of the block size in memory, as direct writes need it.

use crate::sector::BLOCK_BYTES;

/// Bytes aligned in memory. They are kept when it shrinks, so that a writer reuses one for ever.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    /// The bytes, with up to one block of slack in front.
    raw: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// `len` zero bytes.
    pub(crate) fn zeroed(len: usize) -> Self {
        let mut buffer = Self::default();
        buffer.resize(len);
        buffer
    }

    /// Makes it `len` bytes long. What they hold is not said.
    pub(crate) fn resize(&mut self, len: usize) {
        if self.raw.len() < self.start.saturating_add(len) || self.raw.is_empty() {
            self.raw = vec![0; len.saturating_add(BLOCK_BYTES)];
            // A vector that is not grown does not move. Under an interpreter the offset may be unknown; then alignment is given up.
            let offset = self.raw.as_ptr().align_offset(BLOCK_BYTES);
            self.start = if offset < BLOCK_BYTES { offset } else { 0 };
        }
        self.len = len;
    }

    fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start.saturating_add(self.len)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.raw.get(self.range()).unwrap_or_default()
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let range = self.range();
        self.raw.get_mut(range).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligned_whatever_the_size() {
        let mut buffer = Aligned::default();
        assert!(buffer.bytes().is_empty());
        for len in [1, 4096, 100, 8192, 1 << 20, 0, 12288] {
            buffer.resize(len);
            assert_eq!(buffer.bytes().len(), len);
            assert_eq!(buffer.bytes_mut().len(), len);
            assert_eq!(buffer.bytes().as_ptr().align_offset(BLOCK_BYTES), 0);
        }
    }
}
