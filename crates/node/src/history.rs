//! History that memory does not hold, where a node is told to keep only the newest entries there.
//!
//! Full chunks of the ledger's history go into files, many at a time, beside an index of their entries' ids. Both follow from the journal: files that
//! do not fit it are thrown away and written again, and a start can do without them by replaying the journal.
//!
//! **Invariants.** Only what is durable is written. A file has its final name only when all of it is on the disk. A chunk that is read is
//! compared with its digest, and the state names the digest of every chunk it relies on.

mod filter;
mod segment;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bank::{Bank, ColdHistory, HistoryChunk};
use money::EntryId;

use self::segment::Segment;
use crate::Handle;

/// Chunks that were read lately and stay at hand: a few MiB.
const CACHED: usize = 32;

/// Files of history in a folder.
#[derive(Debug)]
pub struct HistoryFiles {
    folder: PathBuf,
    segments: RwLock<Vec<Arc<Segment>>>,
    cached: Mutex<VecDeque<(u32, Arc<HistoryChunk>)>>,
}

impl HistoryFiles {
    /// Opens the files in a data folder, as far as they are whole and follow one another.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("history");
        let mut segments: Vec<Arc<Segment>> = Vec::new();
        for first in segment::list(&folder)? {
            let next = segments.last().map_or(0, |last| last.end());
            match Segment::open(&folder, first) {
                Ok(segment) if first == next => segments.push(Arc::new(segment)),
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(first, %error, "a file of history is passed over");
                    break;
                }
            }
        }
        Ok(Self { folder, segments: RwLock::new(segments), cached: Mutex::default() })
    }

    /// Throws away what is not in the state: files of another history, or ahead of it.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn fit(&self, bank: &Bank) -> io::Result<()> {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let fits = |segment: &&Arc<Segment>| {
            if let Err(error) = segment.load() {
                tracing::warn!(first = segment.first, %error, "a file of history is damaged");
                return false;
            }
            let mut chunks = segment.first..segment.end();
            chunks.all(|number| bank.ledger().chunk_digest(number) == segment.digest(number))
        };
        let good = segments.iter().take_while(fits).count();
        segments.truncate(good);
        let end = segments.last().map_or(0, |last| last.end());
        for first in segment::list(&self.folder)?.into_iter().filter(|first| *first >= end) {
            tracing::warn!(first, "a file of history does not fit the journal and is removed");
            segment::remove(&self.folder, first)?;
        }
        self.cached.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Writes the chunks that come next, durably.
    ///
    /// # Errors
    /// They cannot be written; nothing has changed then.
    pub fn store(&self, chunks: &[Arc<HistoryChunk>]) -> io::Result<()> {
        let first = self.chunks();
        fs::create_dir_all(&self.folder)?;
        segment::write(&self.folder, first, chunks)?;
        File::open(&self.folder)?.sync_all()?;
        let segment = Segment::open(&self.folder, first)?;
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(segment));
        Ok(())
    }

    fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ColdHistory for HistoryFiles {
    fn chunks(&self) -> u32 {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).last().map_or(0, |last| last.end())
    }

    fn digest(&self, number: u32) -> Option<[u8; 32]> {
        self.segments().iter().find_map(|segment| segment.digest(number))
    }

    fn chunk(&self, number: u32) -> Result<Arc<HistoryChunk>, String> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, chunk)) = cached.iter().find(|(of, _)| *of == number) {
            return Ok(Arc::clone(chunk));
        }
        let segments = self.segments();
        let segment = segments.iter().find(|segment| segment.digest(number).is_some());
        let chunk = Arc::new(segment.ok_or("there is no such chunk")?.chunk(number)?);
        if cached.len() >= CACHED {
            cached.pop_front();
        }
        cached.push_back((number, Arc::clone(&chunk)));
        Ok(chunk)
    }

    fn find(&self, id: EntryId) -> Result<Option<u32>, String> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        // The newest first: a repeat comes soon.
        for segment in segments.iter().rev() {
            let found = segment.find(id).map_err(|error| error.to_string())?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// The files and how many entries stay in memory.
#[derive(Debug, Clone)]
pub(crate) struct Bounded {
    pub(crate) files: Arc<HistoryFiles>,
    pub(crate) keep: u32,
}

impl Bounded {
    pub(crate) fn open(data: &Path, keep: u32) -> io::Result<Self> {
        Ok(Self { files: Arc::new(HistoryFiles::open(data)?), keep })
    }

    /// Lets a state that was just rebuilt rely on the files.
    pub(crate) fn adopt(&self, bank: &mut Bank) -> io::Result<()> {
        self.files.fit(bank)?;
        if self.files.chunks() < bank.ledger().hot_chunks().0 {
            let words = "damaged; stop the bank, remove the folders `history` and `snapshots`, and start again: \
                both are made anew from the journal";
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        self.rely(bank);
        drop(bank.trim_history(self.keep));
        Ok(())
    }

    /// Lets a state of the same journal rely on the files.
    pub(crate) fn rely(&self, bank: &mut Bank) {
        bank.keep_history_in(Arc::clone(&self.files) as Arc<dyn ColdHistory>);
    }

    /// Writes and drops history as it comes, until the node stops.
    pub(crate) fn follow(&self, handle: &Handle, stopping: &AtomicBool) {
        while !stopping.load(Ordering::Relaxed) {
            let _ = handle.wait_beyond(u64::MAX, crate::sequencer::SLEEP_MAX);
            let forgotten = {
                let mut bank = handle.shared.bank.write().unwrap_or_else(PoisonError::into_inner);
                bank.forget_history(self.keep)
            };
            // Let go here, where nobody waits for it.
            drop(forgotten);
            let from = self.files.chunks();
            // What was read is durable, so a chunk that is written can never be taken back.
            let chunks = handle.read(|bank| {
                let ledger = bank.ledger();
                (from..ledger.chunks_to_store()).map_while(|number| ledger.full_chunk(number)).collect()
            });
            let chunks: Vec<Arc<HistoryChunk>> = match chunks {
                Ok(chunks) => chunks,
                Err(_) => return,
            };
            if !chunks.is_empty()
                && let Err(error) = self.files.store(&chunks)
            {
                tracing::warn!(%error, "history stays in memory, since it cannot be written");
            }
        }
    }
}
