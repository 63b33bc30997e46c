//! The world with its input log: what makes a killed sandbox continue where it was.
//!
//! Every input (frame, control request, delivery outcome, and each passing of time that changed something) is a JSON
//! line in `world.log`, written before the world takes it, and replayed at the start. Nothing that follows from an
//! input leaves the process before the line is on disk ([`Store::sync`]). A torn last line is cut off: nothing had left
//! because of it. The log only grows; a world begins anew with an empty folder. Frames stand in it in base64; the
//! configuration does not, only its hash, because it holds the centre's seed.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::config::{ConfigError, WorldConfig};
use crate::control::{Control, ControlAnswer, ControlError};
use crate::text;
use crate::world::{Delivery, DeliveryOutcome, NotAFrame, Reply, World};

/// Name of the log within the data folder.
const FILE_NAME: &str = "world.log";
/// Changes with the form of the lines, and when the world takes the same inputs in another way.
const FORMAT: &str = "jinku sandbox log 1";

/// Why a store cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system failed.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// How.
        error: std::io::Error,
    },
    /// Another process uses the folder.
    #[error("{path} is used by another process")]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// A line of the log makes no sense.
    #[error("{path} line {line}: {problem}")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The log was written by another version or for another configuration.
    #[error("{path} was written with another {what}; use the old one, or an empty data folder")]
    Other {
        /// Which file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    config_sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Input {
    Frame(#[serde(with = "text::bytes")] Vec<u8>),
    Control(Control),
    Delivered { id: u64, outcome: DeliveryOutcome },
    Tick,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(with = "text::plain")]
    at: Timestamp,
    input: Input,
}

/// A world whose inputs are kept.
#[derive(Debug)]
pub struct Store {
    world: World,
    file: File,
    path: PathBuf,
    unsynced: bool,
}

impl Store {
    /// Opens the world of a data folder, or begins one.
    ///
    /// # Errors
    /// A folder in use, a log of another version or configuration, or one that is damaged before its last line.
    pub fn open(folder: &Path, config: WorldConfig) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        let io = |error| StoreError::Io { path: path.clone(), error };
        std::fs::create_dir_all(folder).map_err(io)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        file.try_lock().map_err(|_| StoreError::InUse { path: path.clone() })?;
        let config_sha256 = fingerprint(&config);
        let mut world = World::new(config)?;
        let whole_bytes = replay(&file, &path, &config_sha256, &mut world)?;
        file.set_len(whole_bytes).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        let mut store = Self { world, file, path, unsynced: false };
        if whole_bytes == 0 {
            store.append(&Head { format: FORMAT.to_owned(), config_sha256 })?;
            store.sync()?;
        }
        Ok(store)
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Takes a frame of our bank; the reply may leave only after [`Store::sync`].
    ///
    /// # Errors
    /// A log that cannot be written: the process must stop then.
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) -> Result<Result<Reply, NotAFrame>, StoreError> {
        if let Err(e) = cnaps::Frame::decode(bytes) {
            return Ok(Err(NotAFrame(e)));
        }
        self.keep(now, Input::Frame(bytes.to_vec()))?;
        Ok(self.world.receive(bytes, now))
    }

    /// Carries out a control request; the answer may leave only after [`Store::sync`].
    ///
    /// # Errors
    /// A log that cannot be written: the process must stop then.
    pub fn control(
        &mut self,
        control: &Control,
        now: Timestamp,
    ) -> Result<Result<ControlAnswer, ControlError>, StoreError> {
        self.keep(now, Input::Control(control.clone()))?;
        Ok(self.world.control(control, now))
    }

    /// Lets time pass. Says whether anything changed; only then a line is written.
    ///
    /// # Errors
    /// A log that cannot be written: the process must stop then.
    pub fn tick(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        if !self.world.is_due(now) {
            return Ok(false);
        }
        self.keep(now, Input::Tick)?;
        Ok(self.world.tick(now))
    }

    /// Frames to post; all of them follow from lines on disk.
    ///
    /// # Errors
    /// A log that cannot be written: the process must stop then.
    pub fn outgoing(&mut self, now: Timestamp) -> Result<Vec<Delivery>, StoreError> {
        let outgoing = self.world.outgoing(now);
        if !outgoing.is_empty() {
            self.sync()?;
        }
        Ok(outgoing)
    }

    /// Takes what became of a delivery.
    ///
    /// # Errors
    /// A log that cannot be written: the process must stop then.
    pub fn delivered(&mut self, id: u64, outcome: DeliveryOutcome, now: Timestamp) -> Result<(), StoreError> {
        self.keep(now, Input::Delivered { id, outcome: outcome.clone() })?;
        self.world.delivered(id, &outcome, now);
        Ok(())
    }

    /// Puts every line written so far on disk.
    ///
    /// # Errors
    /// A disk that does not take it.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        if self.unsynced {
            self.file.sync_data().map_err(|error| StoreError::Io { path: self.path.clone(), error })?;
            self.unsynced = false;
        }
        Ok(())
    }

    fn keep(&mut self, at: Timestamp, input: Input) -> Result<(), StoreError> {
        self.append(&Line { at, input })
    }

    fn append(&mut self, line: &impl Serialize) -> Result<(), StoreError> {
        let io = |error| StoreError::Io { path: self.path.clone(), error };
        let mut text = serde_json::to_vec(line).map_err(|e| io(e.into()))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(io)?;
        self.unsynced = true;
        Ok(())
    }
}

fn fingerprint(config: &WorldConfig) -> String {
    let value = serde_json::to_value(config).unwrap_or(Value::Null);
    hex::encode(Sha256::digest(value.to_string().as_bytes()))
}

/// Replays a log into a fresh world; gives the length of its whole lines in bytes.
fn replay(file: &File, path: &Path, config_sha256: &str, world: &mut World) -> Result<u64, StoreError> {
    let mut reader = BufReader::new(file);
    let (mut whole_bytes, mut line) = (0_u64, 0_usize);
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text);
        let read = read.map_err(|error| StoreError::Io { path: path.to_owned(), error })?;
        if text.last() != Some(&b'\n') {
            return Ok(whole_bytes);
        }
        line = line.saturating_add(1);
        let wrong = |e: serde_json::Error| {
            let (path, problem) = (path.to_owned(), e.to_string());
            StoreError::Line { path, line, problem }
        };
        if line == 1 {
            check_head(&serde_json::from_slice(&text).map_err(wrong)?, path, config_sha256)?;
        } else {
            let Line { at, input } = serde_json::from_slice(&text).map_err(wrong)?;
            take(world, at, input);
        }
        whole_bytes = whole_bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
}

fn check_head(head: &Head, path: &Path, config_sha256: &str) -> Result<(), StoreError> {
    let other = |what| Err(StoreError::Other { path: path.to_owned(), what });
    if head.format != FORMAT {
        return other("version");
    }
    if head.config_sha256 == config_sha256 { Ok(()) } else { other("configuration") }
}

/// Takes an input again; what it answered then was answered then.
fn take(world: &mut World, at: Timestamp, input: Input) {
    match input {
        Input::Frame(bytes) => {
            let _answered_then = world.receive(&bytes, at);
        }
        Input::Control(control) => {
            let _answered_then = world.control(&control, at);
        }
        Input::Delivered { id, outcome } => world.delivered(id, &outcome, at),
        Input::Tick => {
            world.tick(at);
        }
    }
}
