//! Follows the journal: every durable entry goes into the mirror, sessions are woken, and now and then the mirror is written down.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use bank::JournalEntry;
use journal::Reader;
use node::Handle;

use super::mirror::Mirror;
use super::names::Names;
use super::{Shared, locked, replace};

/// How long nothing may happen before the end of the gateway is looked for.
const PATIENCE: Duration = Duration::from_millis(100);
/// Entries that go in before sessions are woken.
const CHUNK: u32 = 512;
/// How often the mirror is written down at most: a start reads what came since.
const SAVE_EVERY: Duration = Duration::from_secs(60);
/// Pause after a fault.
const PAUSE: Duration = Duration::from_secs(1);

/// The journal as far as it was read.
pub(super) struct Follower {
    handle: Handle,
    journal: PathBuf,
    snapshot: PathBuf,
    reader: Option<Reader>,
    saved: (u64, Instant),
}

impl Follower {
    /// A follower, and what it begins with: the mirror as it was written down, or made anew.
    pub(super) fn begin(
        handle: Handle,
        journal: PathBuf,
        snapshot: PathBuf,
        names: &mut Names,
    ) -> anyhow::Result<(Self, Mirror)> {
        let kept = match std::fs::read(&snapshot) {
            Ok(bytes) => Mirror::read(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("read {}", snapshot.display())),
        };
        let durable = handle.durable().seq;
        let can_follow = |mirror: &Mirror| {
            mirror.seq <= durable
                && (mirror.seq == durable || Reader::open(&journal, mirror.seq.saturating_add(1)).is_ok())
        };
        let mirror = match kept.filter(can_follow) {
            Some(mirror) => mirror,
            // Nobody ever placed an order over the gateway.
            None if names.is_empty() => handle.read(Mirror::of)?,
            None if Reader::open(&journal, 1).is_ok() => {
                tracing::info!("orders of FIX clients are made again from the journal");
                names.forget_taken().context("write the names of orders")?;
                Mirror::default()
            }
            None => {
                tracing::warn!(
                    "orders that FIX clients placed before are not known to the gateway any more: {} is gone, and the journal does not begin at its first record",
                    snapshot.display()
                );
                handle.read(Mirror::of)?
            }
        };
        let saved = (mirror.seq, Instant::now());
        Ok((Self { handle, journal, snapshot, reader: None, saved }, mirror))
    }

    /// Reads what is durable now.
    pub(super) fn catch_up(&mut self, shared: &Shared) -> anyhow::Result<()> {
        let last = self.handle.durable().seq;
        while shared.seq() < last {
            self.read(shared, last)?;
        }
        Ok(())
    }

    /// Follows until it is told to stop.
    pub(super) fn go(mut self, shared: &Arc<Shared>, stopping: &AtomicBool) {
        while !stopping.load(Ordering::Relaxed) {
            let seq = shared.seq();
            let last = self.handle.wait_beyond(seq, PATIENCE).seq;
            if last > seq
                && let Err(error) = self.read(shared, last)
            {
                tracing::error!("the FIX gateway cannot follow the journal: {error:#}");
                self.reader = None;
                std::thread::park_timeout(PAUSE);
            }
            if self.saved.1.elapsed() >= SAVE_EVERY {
                self.save(shared);
            }
            if self.handle.status().halted.is_some() {
                std::thread::park_timeout(PATIENCE);
            }
        }
        self.save(shared);
    }

    /// Puts some entries in, none after `last`.
    fn read(&mut self, shared: &Shared, last: u64) -> anyhow::Result<()> {
        let mut names = locked(&shared.names);
        let mut mirror = locked(&shared.mirror);
        let reader = match &mut self.reader {
            Some(reader) => reader,
            empty => empty.insert(Reader::open(&self.journal, mirror.seq.saturating_add(1))?),
        };
        let mut is_news = false;
        for _ in 0..CHUNK {
            let Some(record) = reader.next_until(last)? else { break };
            if record.seq <= mirror.seq {
                continue;
            }
            let entry = JournalEntry::from_bytes(&record.bytes)
                .map_err(|error| anyhow::anyhow!("record {} is no entry: {error}", record.seq))?;
            is_news |= mirror.take(record.seq, &entry, &mut names);
        }
        shared.note(mirror.seq);
        drop(mirror);
        drop(names);
        if is_news {
            shared.wake();
        }
        Ok(())
    }

    /// Writes the mirror down. What of it cannot be is read again from the journal after the next start.
    fn save(&mut self, shared: &Shared) {
        self.saved.1 = Instant::now();
        // Names first, and nothing between: what the mirror has taken is taken after a start, too.
        let (synced, seq, bytes) = {
            let mut names = locked(&shared.names);
            let mirror = locked(&shared.mirror);
            if mirror.seq == self.saved.0 {
                return;
            }
            (names.sync(), mirror.seq, minicbor::to_vec(&*mirror))
        };
        let written = synced.and_then(|()| {
            let bytes = bytes.map_err(|error| std::io::Error::other(error.to_string()))?;
            replace(&self.snapshot, &bytes)
        });
        match written {
            Ok(_) => self.saved.0 = seq,
            Err(error) => tracing::error!(%error, "{} is not written", self.snapshot.display()),
        }
    }
}
