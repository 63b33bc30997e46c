//! A disk in memory for simulations and tests: it loses power at any write, keeps any part of what was under way, turns bits, fails and fills up.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::error::{IoFault, JournalError, SegmentName};
use crate::frame::{to_u64, to_usize};
use crate::sector::SECTOR_BYTES;
use crate::storage::Storage;

/// A sector that was under way when the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SectorPlace {
    /// Its segment.
    pub segment: SegmentName,
    /// Its offset in bytes.
    pub offset: u64,
}

/// A write that is not yet durable.
#[derive(Debug, Clone)]
struct Write {
    segment: SegmentName,
    offset: u64,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Disk {
    /// What is durable.
    durable: BTreeMap<SegmentName, Vec<u8>>,
    /// What is not, oldest first.
    under_way: Vec<Write>,
    /// A segment whose making the power cut short.
    torn: Option<Write>,
    base: Option<Vec<u8>>,
    /// What the power cut short of putting a base there, and of removing a segment.
    base_under_way: Option<Option<Vec<u8>>>,
    removal_under_way: Option<SegmentName>,
    capacity: Option<u64>,
    /// How many more operations that change something it does before the power goes.
    operations_left: Option<u64>,
    off: bool,
    /// How many more operations that change something it does before one fails.
    fail_after: Option<u64>,
    operations: u64,
    writer: Weak<()>,
}

/// A disk in memory. Clones are the same disk; each may be given to a writer or a reader. One at a time can hold the writer's lock.
#[derive(Debug, Default)]
pub struct SimDisk {
    disk: Arc<Mutex<Disk>>,
    lock: Option<Arc<()>>,
}

impl Clone for SimDisk {
    fn clone(&self) -> Self {
        Self { disk: Arc::clone(&self.disk), lock: None }
    }
}

impl SimDisk {
    /// An empty disk without limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that all segments together may have; `None` for no limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.disk().capacity = bytes;
    }

    /// Operations that changed something so far: creations, writes, syncs, removals and changes of the base.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// Lets the power go in the middle of an operation, after `operations` more that change something.
    pub fn lose_power_after(&self, operations: u64) {
        self.disk().operations_left = Some(operations);
    }

    /// Lets the power go now.
    pub fn lose_power(&self) {
        self.disk().off = true;
    }

    /// The power is gone.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.disk().off
    }

    /// Lets one operation that changes something fail with an input/output error, after `operations` that do not. A failed write leaves its bytes
    /// under way.
    pub fn fail_after(&self, operations: u64) {
        self.disk().fail_after = Some(operations);
    }

    /// The power is back. Of what was under way those sectors are kept that `survives` says, asked in order of the writes and then of the
    /// offsets. A segment that was being made is asked about twice: its first sector, and the one behind its end for its full size; if neither
    /// survives it is not there. A base is asked about as the first sector of segment 0, a segment that was being removed by its own first. The
    /// writer's lock is free again.
    pub fn restore_power(&self, mut survives: impl FnMut(SectorPlace) -> bool) {
        let mut disk = self.disk();
        for write in std::mem::take(&mut disk.under_way) {
            for (sector, at) in write.bytes.chunks(SECTOR_BYTES).zip((write.offset..).step_by(SECTOR_BYTES)) {
                if survives(SectorPlace { segment: write.segment, offset: at }) {
                    disk.put(write.segment, at, sector);
                }
            }
        }
        if let Some(Write { segment, offset: size, bytes: header }) = disk.torn.take() {
            let has_header = survives(SectorPlace { segment, offset: 0 });
            let has_size = survives(SectorPlace { segment, offset: size });
            if has_header || has_size {
                let len = if has_size { to_usize(size) } else { header.len() };
                disk.durable.insert(segment, vec![0; len]);
            }
            if has_header {
                disk.put(segment, 0, &header);
            }
        }
        let first = |segment| SectorPlace { segment, offset: 0 };
        if let Some(base) = disk.base_under_way.take()
            && survives(first(SegmentName(0)))
        {
            disk.base = base;
        }
        if let Some(segment) = disk.removal_under_way.take()
            && !survives(first(segment))
        {
            disk.durable.remove(&segment);
        }
        disk.off = false;
        (disk.operations_left, disk.fail_after) = (None, None);
        disk.writer = Weak::new();
    }

    /// What is durable of a segment; empty when there is none.
    #[must_use]
    pub fn bytes(&self, segment: SegmentName) -> Vec<u8> {
        self.disk().durable.get(&segment).cloned().unwrap_or_default()
    }

    /// Overwrites durable bytes, as a fault would. What lies outside the segment is left out.
    pub fn overwrite(&self, segment: SegmentName, offset: u64, bytes: &[u8]) {
        self.disk().put(segment, offset, bytes);
    }

    /// Turns one of the 8 bits of a durable byte.
    pub fn flip_bit(&self, segment: SegmentName, offset: u64, bit: u32) {
        let mut disk = self.disk();
        let bytes = disk.durable.get_mut(&segment);
        if let Some(byte) = bytes.and_then(|bytes| bytes.get_mut(to_usize(offset))) {
            *byte ^= 1_u8.rotate_left(bit);
        }
    }

    /// Puts a segment of these bytes in the place of whatever was there, or takes it away.
    pub fn replace(&self, segment: SegmentName, bytes: Option<Vec<u8>>) {
        let mut disk = self.disk();
        match bytes {
            Some(bytes) => disk.durable.insert(segment, bytes),
            None => disk.durable.remove(&segment),
        };
    }
}

impl SimDisk {
    /// The disk, for who holds the lock. A writer from before the power went has lost it.
    fn disk_to_change(
        &self,
        action: &'static str,
        segment: SegmentName,
    ) -> Result<MutexGuard<'_, Disk>, IoFault> {
        let disk = self.disk();
        let holds = self.lock.as_ref().is_some_and(|lock| disk.writer.ptr_eq(&Arc::downgrade(lock)));
        if holds { Ok(disk) } else { Err(IoFault::new(action, segment, &ErrorKind::PermissionDenied.into())) }
    }
}

/// What becomes of an operation.
enum Turn {
    Done,
    /// It is under way and gives this error.
    Fails(IoFault),
}

impl Disk {
    fn put(&mut self, segment: SegmentName, offset: u64, bytes: &[u8]) {
        if let Some(durable) = self.durable.get_mut(&segment) {
            overlay(durable, 0, offset, bytes);
        }
    }

    fn check_power(&self, action: &'static str, segment: SegmentName) -> Result<(), IoFault> {
        if self.off { Err(IoFault::new(action, segment, &ErrorKind::NotConnected.into())) } else { Ok(()) }
    }

    /// Counts an operation that changes something, and says whether it is the one at which a planned fault happens.
    fn turn(&mut self, action: &'static str, segment: SegmentName) -> Result<Turn, IoFault> {
        self.check_power(action, segment)?;
        self.operations = self.operations.saturating_add(1);
        if count_down(&mut self.operations_left) {
            self.off = true;
            return Ok(Turn::Fails(IoFault::new(action, segment, &ErrorKind::NotConnected.into())));
        }
        if count_down(&mut self.fail_after) {
            return Ok(Turn::Fails(IoFault::new(
                action,
                segment,
                &std::io::Error::other("input/output error"),
            )));
        }
        Ok(Turn::Done)
    }
}

/// Counts down to the operation that was asked for; true at that one.
fn count_down(left: &mut Option<u64>) -> bool {
    match *left {
        Some(0) => {
            *left = None;
            true
        }
        Some(more) => {
            *left = Some(more.saturating_sub(1));
            false
        }
        None => false,
    }
}

/// Copies `bytes`, which lie at `offset`, over the part of `into`, which begins at `start`, that they cover.
fn overlay(into: &mut [u8], start: u64, offset: u64, bytes: &[u8]) {
    let skip_into = to_usize(offset.saturating_sub(start));
    let skip_bytes = to_usize(start.saturating_sub(offset));
    let into = into.get_mut(skip_into..).unwrap_or_default();
    let bytes = bytes.get(skip_bytes..).unwrap_or_default();
    let len = into.len().min(bytes.len());
    if let (Some(into), Some(bytes)) = (into.get_mut(..len), bytes.get(..len)) {
        into.copy_from_slice(bytes);
    }
}

impl Storage for SimDisk {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn lock(&mut self) -> Result<(), JournalError> {
        let token = {
            let mut disk = self.disk();
            if disk.writer.upgrade().is_some() {
                return Err(JournalError::Locked("memory".to_owned()));
            }
            let token = Arc::new(());
            disk.writer = Arc::downgrade(&token);
            token
        };
        self.lock = Some(token);
        Ok(())
    }

    fn segments(&self) -> Result<Vec<SegmentName>, IoFault> {
        let disk = self.disk();
        disk.check_power("list", SegmentName(0))?;
        Ok(disk.durable.keys().copied().collect())
    }

    fn base(&self) -> Result<Option<Vec<u8>>, IoFault> {
        let disk = self.disk();
        disk.check_power("read the base at", SegmentName(0))?;
        Ok(disk.base.clone())
    }

    fn set_base(&mut self, bytes: Option<&[u8]>) -> Result<(), IoFault> {
        let mut disk = self.disk_to_change("change the base at", SegmentName(0))?;
        let bytes = bytes.map(<[u8]>::to_vec);
        match disk.turn("change the base at", SegmentName(0))? {
            Turn::Done => disk.base = bytes,
            Turn::Fails(fault) => {
                disk.base_under_way = Some(bytes);
                return Err(fault);
            }
        }
        Ok(())
    }

    fn remove(&mut self, segment: SegmentName) -> Result<(), IoFault> {
        let mut disk = self.disk_to_change("remove", segment)?;
        if let Turn::Fails(fault) = disk.turn("remove", segment)? {
            disk.removal_under_way = Some(segment);
            return Err(fault);
        }
        disk.durable.remove(&segment);
        Ok(())
    }

    fn size(&self, segment: SegmentName) -> Result<Option<u64>, IoFault> {
        let disk = self.disk();
        disk.check_power("look at", segment)?;
        Ok(disk.durable.get(&segment).map(|bytes| to_u64(bytes.len())))
    }

    fn read(&self, segment: SegmentName, offset: u64, into: &mut [u8]) -> Result<usize, IoFault> {
        let disk = self.disk();
        disk.check_power("read", segment)?;
        let durable = disk.durable.get(&segment).and_then(|bytes| bytes.get(to_usize(offset)..));
        let durable = durable.unwrap_or_default();
        let len = durable.len().min(into.len());
        let Some((into, durable)) = into.get_mut(..len).zip(durable.get(..len)) else { return Ok(0) };
        into.copy_from_slice(durable);
        // Like a file system's cache: what was written is seen before it is durable.
        for write in disk.under_way.iter().filter(|write| write.segment == segment) {
            if write.offset < offset.saturating_add(to_u64(len)) {
                overlay(into, offset, write.offset, &write.bytes);
            }
        }
        Ok(len)
    }

    fn create(&mut self, segment: SegmentName, header: &[u8], bytes: u64) -> Result<(), IoFault> {
        let mut disk = self.disk_to_change("make", segment)?;
        if let Turn::Fails(fault) = disk.turn("make", segment)? {
            disk.torn = Some(Write { segment, offset: bytes, bytes: header.to_vec() });
            return Err(fault);
        }
        let others = disk.durable.iter().filter(|(name, _)| **name != segment);
        let used = others.fold(0_u64, |sum, (_, bytes)| sum.saturating_add(to_u64(bytes.len())));
        if disk.capacity.is_some_and(|capacity| used.saturating_add(bytes) > capacity) {
            return Err(IoFault::new("make", segment, &ErrorKind::StorageFull.into()));
        }
        disk.durable.insert(segment, vec![0; to_usize(bytes)]);
        disk.put(segment, 0, header);
        Ok(())
    }

    fn prepare(&mut self, _bytes: u64) {}

    fn write(&mut self, segment: SegmentName, offset: u64, blocks: &[u8]) -> Result<(), IoFault> {
        let mut disk = self.disk_to_change("write to", segment)?;
        let turn = disk.turn("write to", segment)?;
        disk.under_way.push(Write { segment, offset, bytes: blocks.to_vec() });
        match turn {
            Turn::Done => Ok(()),
            Turn::Fails(fault) => Err(fault),
        }
    }

    fn sync(&mut self, segment: SegmentName) -> Result<(), IoFault> {
        let mut disk = self.disk_to_change("sync", segment)?;
        if let Turn::Fails(fault) = disk.turn("sync", segment)? {
            return Err(fault);
        }
        let under_way = std::mem::take(&mut disk.under_way);
        let (done, other) = under_way.into_iter().partition(|write| write.segment == segment);
        disk.under_way = other;
        let done: Vec<Write> = done;
        for write in done {
            disk.put(segment, write.offset, &write.bytes);
        }
        Ok(())
    }
}
