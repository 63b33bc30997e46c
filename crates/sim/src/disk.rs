//! The disk under a writer's journal: a [`SimDisk`] that can also fail to be read, and whose writer may forget to make its writes durable.

use std::cell::Cell;
use std::rc::Rc;

use journal::{IoFault, JournalError, SegmentName, SimDisk, Storage};

/// What a writer sees of its disk.
#[derive(Debug)]
pub(crate) struct WriterDisk {
    disk: SimDisk,
    /// So many more reads until one fails.
    fails: Rc<Cell<Option<u64>>>,
    forgets_sync: bool,
}

impl WriterDisk {
    pub(crate) const fn new(disk: SimDisk, fails: Rc<Cell<Option<u64>>>, forgets_sync: bool) -> Self {
        Self { disk, fails, forgets_sync }
    }
}

impl Storage for WriterDisk {
    fn place(&self) -> String {
        self.disk.place()
    }

    fn lock(&mut self) -> Result<(), JournalError> {
        self.disk.lock()
    }

    fn segments(&self) -> Result<Vec<SegmentName>, IoFault> {
        self.disk.segments()
    }

    fn base(&self) -> Result<Option<Vec<u8>>, IoFault> {
        self.disk.base()
    }

    fn set_base(&mut self, bytes: Option<&[u8]>) -> Result<(), IoFault> {
        self.disk.set_base(bytes)
    }

    fn remove(&mut self, segment: SegmentName) -> Result<(), IoFault> {
        self.disk.remove(segment)
    }

    fn size(&self, segment: SegmentName) -> Result<Option<u64>, IoFault> {
        self.disk.size(segment)
    }

    fn read(&self, segment: SegmentName, offset: u64, into: &mut [u8]) -> Result<usize, IoFault> {
        match self.fails.get() {
            Some(0) => {
                self.fails.set(None);
                let error = std::io::Error::other("input/output error");
                return Err(IoFault::new("read", segment, &error));
            }
            Some(more) => self.fails.set(Some(more.saturating_sub(1))),
            None => {}
        }
        self.disk.read(segment, offset, into)
    }

    fn create(&mut self, segment: SegmentName, header: &[u8], bytes: u64) -> Result<(), IoFault> {
        self.disk.create(segment, header, bytes)
    }

    fn prepare(&mut self, bytes: u64) {
        self.disk.prepare(bytes);
    }

    fn write(&mut self, segment: SegmentName, offset: u64, blocks: &[u8]) -> Result<(), IoFault> {
        self.disk.write(segment, offset, blocks)
    }

    fn sync(&mut self, segment: SegmentName) -> Result<(), IoFault> {
        if self.forgets_sync { Ok(()) } else { self.disk.sync(segment) }
    }
}
