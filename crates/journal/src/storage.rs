//! What the journal needs from a disk. Two implementations: [`crate::FileStorage`] with real files, and [`crate::SimDisk`] in memory with faults
//! on demand.

use crate::error::{IoFault, JournalError, SegmentName};

/// A folder of segments.
pub trait Storage {
    /// Where it is, for messages.
    fn place(&self) -> String;

    /// Makes this the only writer, until it is dropped.
    ///
    /// # Errors
    /// There is another one, or the lock cannot be made.
    fn lock(&mut self) -> Result<(), JournalError>;

    /// The segments there are, in order.
    ///
    /// # Errors
    /// The folder cannot be read, or has a file that is named almost like a segment.
    fn segments(&self) -> Result<Vec<SegmentName>, IoFault>;

    /// The bytes that [`Storage::set_base`] put there last; `None` where there are none.
    ///
    /// # Errors
    /// The storage failed.
    fn base(&self) -> Result<Option<Vec<u8>>, IoFault>;

    /// Puts the bytes in the place of those before, or takes those away: durably, or nothing of it.
    ///
    /// # Errors
    /// The storage failed; either the old or the new bytes are there.
    fn set_base(&mut self, bytes: Option<&[u8]>) -> Result<(), IoFault>;

    /// Removes a segment.
    ///
    /// # Errors
    /// The storage failed; it may or may not be there.
    fn remove(&mut self, segment: SegmentName) -> Result<(), IoFault>;

    /// Bytes of a segment; `None` when there is no such segment.
    ///
    /// # Errors
    /// The storage failed.
    fn size(&self, segment: SegmentName) -> Result<Option<u64>, IoFault>;

    /// Fills `into` from `offset` on, as far as the segment goes; returns how many bytes.
    ///
    /// # Errors
    /// The storage failed.
    fn read(&self, segment: SegmentName, offset: u64, into: &mut [u8]) -> Result<usize, IoFault>;

    /// Makes a segment of `bytes` zero bytes that begins with the block `header`, durably, or nothing. It takes the place of one of the same
    /// name. Needed before the first write to a segment that was not there at opening.
    ///
    /// # Errors
    /// No room ([`std::io::ErrorKind::StorageFull`]): nothing has changed. Anything else: the storage failed.
    fn create(&mut self, segment: SegmentName, header: &[u8], bytes: u64) -> Result<(), IoFault>;

    /// Says that a segment of `bytes` bytes will be made soon. The storage may begin to make room; it may as well do nothing.
    fn prepare(&mut self, bytes: u64);

    /// Writes whole blocks. They are durable after [`Storage::sync`].
    ///
    /// # Errors
    /// The storage failed; any of the sectors may or may not be written.
    fn write(&mut self, segment: SegmentName, offset: u64, blocks: &[u8]) -> Result<(), IoFault>;

    /// Makes what was written to the segment durable.
    ///
    /// # Errors
    /// The storage failed.
    fn sync(&mut self, segment: SegmentName) -> Result<(), IoFault>;
}
