//! The folder that a backup lies in: files appear in it whole, durable and under their last name, or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

/// Ending of a file in the making. What has it after a crash is of no use and is removed by the next backup.
const UNFINISHED: &str = ".partial";
const LOCK: &str = "lock";
/// Bytes read or written at once.
const BUFFER_BYTES: usize = 1 << 20;

/// Size and SHA-256 of a file, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// A backup's folder.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    /// Held while a backup is made.
    lock: Option<File>,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Not left to closing it: a process that is just being started has it open for a moment, too.
        if let Some(lock) = &self.lock {
            let _ = lock.unlock();
        }
    }
}

impl Place {
    /// A folder that is only read.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        if !folder.is_dir() {
            bail!("there is no folder {}", folder.display());
        }
        Ok(Self { folder: folder.to_owned(), lock: None })
    }

    /// A folder that a backup goes to; made where it is not there. Files that an interrupted backup left unfinished are removed.
    pub(crate) fn write_to(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("files")).with_context(|| format!("make {}", folder.display()))?;
        let path = folder.join(LOCK);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let lock = lock.with_context(|| format!("open {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another backup to {} is being made", folder.display()),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("lock {}", path.display()));
            }
        }
        let place = Self { folder: folder.to_owned(), lock: Some(lock) };
        for name in place.list("")?.into_iter().chain(place.list("files")?) {
            if name.ends_with(UNFINISHED) {
                fs::remove_file(place.path(&name)).with_context(|| format!("remove {name}"))?;
            }
        }
        Ok(place)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Names of the files in a folder of the place, with that folder in front.
    pub(crate) fn list(&self, within: &str) -> anyhow::Result<Vec<String>> {
        let folder = self.path(within);
        let mut names = Vec::new();
        for file in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let file = file?;
            if file.file_type()?.is_file() {
                let name = file.file_name().to_string_lossy().into_owned();
                names.push(if within.is_empty() { name } else { format!("{within}/{name}") });
            }
        }
        names.sort();
        Ok(names)
    }

    /// Bytes of a file; `None` when it is not there.
    pub(crate) fn size(&self, name: &str) -> Option<u64> {
        fs::metadata(self.path(name)).ok().map(|data| data.len())
    }

    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        fs::read(self.path(name)).with_context(|| format!("read {name}"))
    }

    /// Begins a file.
    pub(crate) fn begin(&self, name: &str) -> anyhow::Result<NewFile<'_>> {
        let path = self.path(&format!("{name}{UNFINISHED}"));
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("make {}", path.display()))?;
        let out = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(NewFile { place: self, name: name.to_owned(), out, hash: Sha256::new(), bytes: 0 })
    }

    /// Puts a file there.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> anyhow::Result<Sum> {
        let mut file = self.begin(name)?;
        file.write_all(bytes).with_context(|| format!("write {name}"))?;
        file.finish()
    }

    /// Copies a file there under its own SHA-256, unless it is there already. Answers with its name too, and whether it is new.
    pub(crate) fn keep(&self, from: &Path) -> anyhow::Result<(String, Sum, bool)> {
        let sum = sum_of(&mut open(from)?, io::sink()).with_context(|| format!("read {}", from.display()))?;
        let name = format!("files/{}", sum.sha256);
        let known = self.size(&name) == Some(sum.bytes) && self.sum(&name)? == sum;
        if !known {
            let mut file = self.begin(&name)?;
            let copied = sum_of(&mut open(from)?, &mut file);
            let copied = copied.with_context(|| format!("copy {} to {name}", from.display()))?;
            if copied != sum {
                bail!("{} changed while it was copied", from.display());
            }
            file.finish()?;
        }
        Ok((name, sum, !known))
    }

    /// Puts bytes there under their own SHA-256, as [`Place::keep`] does.
    pub(crate) fn keep_bytes(&self, bytes: &[u8]) -> anyhow::Result<(String, Sum, bool)> {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let sum = Sum { bytes: len, sha256: hex::encode(Sha256::digest(bytes)) };
        let name = format!("files/{}", sum.sha256);
        let known = self.size(&name) == Some(sum.bytes) && self.sum(&name)? == sum;
        if !known {
            self.put(&name, bytes)?;
        }
        Ok((name, sum, !known))
    }

    /// Size and hash of a file as it is now.
    pub(crate) fn sum(&self, name: &str) -> anyhow::Result<Sum> {
        let mut file = open(&self.path(name))?;
        sum_of(&mut file, io::sink()).with_context(|| format!("read {name}"))
    }
}

/// A file in the making.
#[derive(Debug)]
pub(crate) struct NewFile<'a> {
    place: &'a Place,
    name: String,
    out: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl NewFile<'_> {
    /// Bytes so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives it another name than it was begun with.
    pub(crate) fn finish_as(self, name: &str) -> anyhow::Result<Sum> {
        let Self { place, name: begun, mut out, hash, bytes } = self;
        let fault = || format!("write {}", place.path(name).display());
        out.flush().with_context(fault)?;
        out.get_ref().sync_all().with_context(fault)?;
        let target = place.path(name);
        fs::rename(place.path(&format!("{begun}{UNFINISHED}")), &target).with_context(fault)?;
        let folder = target.parent().unwrap_or(&place.folder);
        File::open(folder).and_then(|folder| folder.sync_all()).with_context(fault)?;
        Ok(Sum { bytes, sha256: hex::encode(hash.finalize()) })
    }

    pub(crate) fn finish(self) -> anyhow::Result<Sum> {
        let name = self.name.clone();
        self.finish_as(&name)
    }
}

impl Write for NewFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("open {}", path.display()))
}

/// Reads all there is, and gives it on.
fn sum_of(from: &mut impl Read, mut to: impl Write) -> io::Result<Sum> {
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer)?;
        let part = buffer.get(..read).unwrap_or_default();
        if part.is_empty() {
            return Ok(Sum { bytes, sha256: hex::encode(hash.finalize()) });
        }
        hash.update(part);
        to.write_all(part)?;
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
}
