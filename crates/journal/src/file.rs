//! Segments as files in a folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::error::{IoFault, JournalError, Position, SegmentName};
use crate::spare::{Spare, make_room};
use crate::storage::Storage;

const LOCK_FILE: &str = "lock";
/// The next segment while it is made. It becomes a segment by its new name, once its header is durable.
const SPARE_FILE: &str = "next.tmp";
/// Where the journal begins, when its first segments were released.
const BASE_FILE: &str = "base";
/// The base while it is written.
const BASE_BESIDE: &str = "base.tmp";

/// A folder of segment files. Without [`Storage::lock`] it only reads.
#[derive(Debug)]
pub struct FileStorage {
    dir: PathBuf,
    /// Write past the file system's cache, as long as it lets us.
    direct: bool,
    /// The file written to.
    open: Option<(SegmentName, Target)>,
    spare: Option<Spare>,
    /// The last field, so that it is let go when nothing writes any more.
    lock: Option<File>,
}

/// A file to write to.
#[derive(Debug)]
struct Target {
    file: File,
    /// Each write is durable by itself, and needs aligned memory.
    direct: bool,
}

impl FileStorage {
    /// The folder `dir`; `direct` as in [`crate::Options`]. Touches nothing yet.
    #[must_use]
    pub fn new(dir: &Path, direct: bool) -> Self {
        Self { dir: dir.to_owned(), direct, open: None, spare: None, lock: None }
    }

    fn path(&self, segment: SegmentName) -> PathBuf {
        self.dir.join(segment.to_string())
    }

    /// Opens a file to write to. Where direct writes are refused, it stays with cached ones.
    fn target(&mut self, path: &Path) -> Result<Target, IoFault> {
        if self.direct {
            let flags = OFlags::WRONLY | OFlags::DIRECT | OFlags::DSYNC | OFlags::CLOEXEC;
            match rustix::fs::open(path, flags, Mode::empty()) {
                Ok(file) => return Ok(Target { file: file.into(), direct: true }),
                Err(rustix::io::Errno::INVAL) => self.direct = false,
                Err(error) => return Err(IoFault::new("open", path.display(), &error.into())),
            }
        }
        let file = OpenOptions::new().write(true).open(path);
        let file = file.map_err(|error| IoFault::new("open", path.display(), &error))?;
        Ok(Target { file, direct: false })
    }

    /// Writes all of `blocks`, in as many pieces as the system makes of it. A file system may take the flag for direct writes and then refuse the
    /// writes, or end one at a place from which it refuses to go on; then all is written again through the cache.
    fn write_to(
        &mut self,
        mut target: Target,
        path: &Path,
        offset: u64,
        blocks: &[u8],
    ) -> Result<Target, IoFault> {
        let fault = |error: io::Error| IoFault::new("write to", path.display(), &error);
        match target.file.write_all_at(blocks, offset) {
            Err(error) if target.direct && error.kind() == ErrorKind::InvalidInput => {
                self.direct = false;
                target = self.target(path)?;
                target.file.write_all_at(blocks, offset).map_err(fault)?;
            }
            done => done.map_err(fault)?,
        }
        Ok(target)
    }

    /// Makes renamed files stay under their new names.
    fn sync_dir(dir: &Path) -> Result<(), IoFault> {
        let synced = File::open(dir).and_then(|dir| dir.sync_all());
        synced.map_err(|error| IoFault::new("sync", dir.display(), &error))
    }

    /// A zeroed file of `bytes` bytes under the spare name: the one begun ahead of time, or a new one.
    fn take_spare(&mut self, path: &Path, bytes: u64) -> Result<(), IoFault> {
        if let Some(spare) = self.spare.take() {
            // One that failed may have lacked room that is there now.
            if spare.bytes() == bytes && spare.finish().is_ok() {
                return Ok(());
            }
        }
        make_room(path, bytes, self.direct, &|_| true)
    }
}

impl Drop for FileStorage {
    fn drop(&mut self) {
        // What still writes ends first. A process that another thread is just starting has the lock's file open for a moment, too: closing ours
        // would leave it locked.
        self.spare = None;
        self.open = None;
        if let Some(lock) = &self.lock {
            let _ = lock.unlock();
        }
    }
}

impl Storage for FileStorage {
    fn place(&self) -> String {
        self.dir.display().to_string()
    }

    fn lock(&mut self) -> Result<(), JournalError> {
        let fault = |action, path: &Path| {
            let path = path.display().to_string();
            move |error: io::Error| IoFault::new(action, path, &error)
        };
        if !self.dir.is_dir() {
            fs::create_dir_all(&self.dir).map_err(fault("make", &self.dir))?;
            if let Some(parent) = self.dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                Self::sync_dir(parent)?;
            }
        }
        let path = self.dir.join(LOCK_FILE);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(fault("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Locked(self.place())),
            Err(TryLockError::Error(error)) => return Err(fault("lock", &path)(error).into()),
        }
        self.lock = Some(file);
        // What an earlier writer was about to make.
        for unfinished in [SPARE_FILE, BASE_BESIDE].map(|name| self.dir.join(name)) {
            match fs::remove_file(&unfinished) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(fault("remove", &unfinished)(error).into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn segments(&self) -> Result<Vec<SegmentName>, IoFault> {
        let fault = |error: io::Error| IoFault::new("list", self.dir.display(), &error);
        let files = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(fault)?,
        };
        let mut segments = Vec::new();
        for file in files {
            let name = file.map_err(fault)?.file_name();
            let name = name.to_string_lossy();
            if let Some(segment) = SegmentName::parse(&name) {
                segments.push(segment);
            } else if name.starts_with("journal-") && name.ends_with(".seg") {
                let error = io::Error::new(ErrorKind::InvalidData, "not the name of a segment");
                return Err(IoFault::new("read", self.dir.join(&*name).display(), &error));
            }
        }
        segments.sort_unstable();
        Ok(segments)
    }

    fn base(&self) -> Result<Option<Vec<u8>>, IoFault> {
        let path = self.dir.join(BASE_FILE);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(IoFault::new("read", path.display(), &error)),
        }
    }

    fn set_base(&mut self, bytes: Option<&[u8]>) -> Result<(), IoFault> {
        let (path, beside) = (self.dir.join(BASE_FILE), self.dir.join(BASE_BESIDE));
        let changed = match bytes {
            Some(bytes) => File::create(&beside)
                .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
                .and_then(|()| fs::rename(&beside, &path)),
            None => fs::remove_file(&path),
        };
        changed.map_err(|error| IoFault::new("change", path.display(), &error))?;
        Self::sync_dir(&self.dir)
    }

    fn remove(&mut self, segment: SegmentName) -> Result<(), IoFault> {
        let path = self.path(segment);
        fs::remove_file(&path).map_err(|error| IoFault::new("remove", path.display(), &error))
    }

    fn size(&self, segment: SegmentName) -> Result<Option<u64>, IoFault> {
        let path = self.path(segment);
        match fs::metadata(&path) {
            Ok(data) => Ok(Some(data.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(IoFault::new("look at", path.display(), &error)),
        }
    }

    fn read(&self, segment: SegmentName, offset: u64, into: &mut [u8]) -> Result<usize, IoFault> {
        let fault = |error: io::Error| IoFault::new("read", Position { segment, offset }, &error);
        let file = File::open(self.path(segment)).map_err(fault)?;
        let (mut rest, mut at) = (into, offset);
        let mut done = 0_usize;
        while !rest.is_empty() {
            match file.read_at(rest, at) {
                Ok(0) => break,
                Ok(read) => {
                    rest = rest.get_mut(read..).unwrap_or_default();
                    at = at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
                    done = done.saturating_add(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(fault(error)),
            }
        }
        Ok(done)
    }

    fn create(&mut self, segment: SegmentName, header: &[u8], bytes: u64) -> Result<(), IoFault> {
        let (spare, path) = (self.dir.join(SPARE_FILE), self.path(segment));
        self.take_spare(&spare, bytes)?;
        let target = self.target(&spare)?;
        let target = self.write_to(target, &spare, 0, header)?;
        target.file.sync_all().map_err(|error| IoFault::new("sync", spare.display(), &error))?;
        fs::rename(&spare, &path).map_err(|error| IoFault::new("rename", spare.display(), &error))?;
        Self::sync_dir(&self.dir)?;
        self.open = Some((segment, target));
        Ok(())
    }

    fn prepare(&mut self, bytes: u64) {
        if self.spare.is_none() {
            self.spare = Spare::begin(self.dir.join(SPARE_FILE), bytes, self.direct);
        }
    }

    fn write(&mut self, segment: SegmentName, offset: u64, blocks: &[u8]) -> Result<(), IoFault> {
        let path = self.path(segment);
        let target = match self.open.take() {
            Some((open, target)) if open == segment => target,
            _ => self.target(&path)?,
        };
        let target = self.write_to(target, &path, offset, blocks)?;
        self.open = Some((segment, target));
        Ok(())
    }

    fn sync(&mut self, segment: SegmentName) -> Result<(), IoFault> {
        match &self.open {
            Some((open, target)) if *open == segment && !target.direct => {
                let synced = target.file.sync_data();
                synced.map_err(|error| IoFault::new("sync", self.path(segment).display(), &error))
            }
            _ => Ok(()),
        }
    }
}
