//! The next segment, allocated and zeroed ahead of time on a thread of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, OFlags};
use rustix::io::Errno;

use crate::aligned::Aligned;
use crate::error::IoFault;
use crate::frame::to_usize;

/// Zeros written at a time. Small, so that the writer's own groups do not wait long behind them on the device.
const ZERO_BYTES: u64 = 256 << 10;
/// Longest pause after each such write. Half of the device's time stays free for the groups, and what is left of the segment in use lasts for
/// longer than this takes at the full speed of a writer.
const PAUSE_MAX: Duration = Duration::from_millis(5);

/// How the thread shall work.
#[derive(Debug, Default)]
struct Pace {
    /// Not at all any more.
    stop: AtomicBool,
    /// Without pauses: somebody waits for it.
    hurry: AtomicBool,
}

impl Pace {
    /// Rests for as long as the write before took. Answers whether to go on.
    fn rest(&self, took: Duration) -> bool {
        if !self.hurry.load(Ordering::Relaxed) {
            std::thread::park_timeout(took.min(PAUSE_MAX));
        }
        !self.stop.load(Ordering::Relaxed)
    }
}

/// A segment in the making. Dropping it stops the thread and waits for it, so that nothing writes after the folder's lock is released.
#[derive(Debug)]
pub(crate) struct Spare {
    bytes: u64,
    pace: Arc<Pace>,
    thread: Option<JoinHandle<Result<(), IoFault>>>,
}

impl Spare {
    /// Begins to make the file `path` of `bytes` zero bytes. `None` if there is no thread to be had; then the file is made when it is needed.
    pub(crate) fn begin(path: PathBuf, bytes: u64, direct: bool) -> Option<Self> {
        let pace = Arc::new(Pace::default());
        let kept = Arc::clone(&pace);
        let work = move || make_room(&path, bytes, direct, &|took| kept.rest(took));
        let thread = std::thread::Builder::new().name("journal-spare".to_owned()).spawn(work).ok()?;
        Some(Self { bytes, pace, thread: Some(thread) })
    }

    /// Bytes it will have.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Waits until it is made.
    pub(crate) fn finish(mut self) -> Result<(), IoFault> {
        let died = || IoFault::new("make", "a segment", &io::Error::other("its thread died"));
        self.pace.hurry.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return Err(died()) };
        thread.thread().unpark();
        thread.join().unwrap_or_else(|_| Err(died()))
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.pace.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The file is removed or overwritten whatever came of it.
            drop(thread.join());
        }
    }
}

/// Makes the file `path` of `bytes` zero bytes, durably, all of it written so that later writes change nothing but content. Leaves none behind
/// when it fails or is stopped: `go_on` is asked after each write, with the time that took.
pub(crate) fn make_room(
    path: &Path,
    bytes: u64,
    direct: bool,
    go_on: &dyn Fn(Duration) -> bool,
) -> Result<(), IoFault> {
    let made = match zeroed_file(path, bytes, direct, go_on) {
        // The file system takes no direct writes.
        Err(error) if direct && error.kind() == ErrorKind::InvalidInput => {
            zeroed_file(path, bytes, false, go_on)
        }
        made => made,
    };
    made.map_err(|error| {
        drop(fs::remove_file(path));
        IoFault::new("make", path.display(), &error)
    })
}

fn zeroed_file(path: &Path, bytes: u64, direct: bool, go_on: &dyn Fn(Duration) -> bool) -> io::Result<()> {
    let flags = if direct { OFlags::DIRECT } else { OFlags::empty() };
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let file = OpenOptions::new().write(true).create(true).truncate(true).custom_flags(flags).open(path)?;
    allocate(&file, bytes)?;
    let zeros = Aligned::zeroed(to_usize(ZERO_BYTES.min(bytes)));
    let mut at = 0_u64;
    while at < bytes {
        let (begun, len) = (Instant::now(), ZERO_BYTES.min(bytes.saturating_sub(at)));
        file.write_all_at(zeros.bytes().get(..to_usize(len)).unwrap_or_default(), at)?;
        at = at.saturating_add(len);
        if !go_on(begun.elapsed()) {
            return Err(ErrorKind::Interrupted.into());
        }
    }
    file.sync_all()
}

/// Reserves the room in one piece. Looks first whether it is there: some file systems take all they have before they say that it is not enough.
fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    let room = rustix::fs::fstatvfs(file)?;
    if room.f_bavail.saturating_mul(room.f_frsize) < bytes {
        return Err(ErrorKind::StorageFull.into());
    }
    match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes) {
        // Writing the zeros allocates as well.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(Errno::FBIG) => Err(ErrorKind::StorageFull.into()),
        done => Ok(done?),
    }
}
