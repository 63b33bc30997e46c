//! What clients call their requests: the market knows an order by a number, its client by a text of the client's own.
//!
//! A request's name is on disk before the request goes to the bank. The command's id is a hash of client and text, so that a repeat is the same command, and
//! whoever meets a command in the journal finds its name here. `names.log` has one line for each fact, and is only ever appended to:
//!
//! | line | |
//! |---|---|
//! | `H secret` | the first: goes into the hash, so that nobody else can use up a client's ids |
//! | `N command client code text` | a client's text for a request, and what kind it is |
//! | `T command` | the journal has it |
//!
//! **Invariants.** A command of ours that is in the journal has a name here. What was not written to its end is cut off at the start. The latest
//! [`KEPT_MAX`] names are kept: an id older than those is taken for a new one.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context;
use fix::venue::ClOrdId;
use minicbor::{Decode, Encode};
use money::CommandId;
use sha2::{Digest as _, Sha256};

/// Names that are known: days of a busy client, in about 100 MB.
const KEPT_MAX: usize = 500_000;

/// A client of the gateway: its tenant in the upper 32 bits, a hash of its session's name below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub(super) struct ClientNumber(#[cbor(n(0), with = "money::wide")] u128);

impl ClientNumber {
    /// The client of a session.
    pub(super) fn new(tenant: u32, session: &str) -> Self {
        let hash = Sha256::digest(session);
        let low = hash.iter().take(12).fold(0, |number, byte| (number << 8) | u128::from(*byte));
        Self((u128::from(tenant) << 96) | low)
    }

    pub(super) const fn of(number: u128) -> Self {
        Self(number)
    }

    pub(super) const fn number(self) -> u128 {
        self.0
    }

    /// Whose session it is.
    pub(super) const fn tenant(self) -> u32 {
        (self.0 >> 96) as u32
    }
}

/// What is to be known of a new order that the market does not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pricing {
    /// It has a limit.
    Limit,
    /// A market order with the client's own worst price.
    Protected,
    /// A market order with ours.
    Market,
}

/// How long a client said that an order lives; the end date is with the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    UntilCancelled,
    Immediate,
    Whole,
    UntilDate,
}

/// What kind of request a name is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    Place(Pricing, Stay),
    Cancel,
    Change,
    CancelAll,
}

impl NameKind {
    const fn code(self) -> &'static str {
        use Pricing::{Limit, Market, Protected};
        use Stay::{Immediate, UntilCancelled, UntilDate, Whole};
        match self {
            Self::Place(Limit, UntilCancelled) => "LG",
            Self::Place(Limit, Immediate) => "LI",
            Self::Place(Limit, Whole) => "LF",
            Self::Place(Limit, UntilDate) => "LD",
            Self::Place(Protected, UntilCancelled) => "PG",
            Self::Place(Protected, Immediate) => "PI",
            Self::Place(Protected, Whole) => "PF",
            Self::Place(Protected, UntilDate) => "PD",
            Self::Place(Market, UntilCancelled) => "MG",
            Self::Place(Market, Immediate) => "MI",
            Self::Place(Market, Whole) => "MF",
            Self::Place(Market, UntilDate) => "MD",
            Self::Cancel => "C",
            Self::Change => "R",
            Self::CancelAll => "A",
        }
    }

    fn read(code: &str) -> Option<Self> {
        Some(match code {
            "C" => Self::Cancel,
            "R" => Self::Change,
            "A" => Self::CancelAll,
            _ => {
                let (pricing, stay) = code.split_at_checked(1)?;
                let pricing = match pricing {
                    "L" => Pricing::Limit,
                    "P" => Pricing::Protected,
                    "M" => Pricing::Market,
                    _ => return None,
                };
                let stay = match stay {
                    "G" => Stay::UntilCancelled,
                    "I" => Stay::Immediate,
                    "F" => Stay::Whole,
                    "D" => Stay::UntilDate,
                    _ => return None,
                };
                Self::Place(pricing, stay)
            }
        })
    }
}

/// A request's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) client: ClientNumber,
    pub(super) kind: NameKind,
    pub(super) text: ClOrdId,
}

#[derive(Debug)]
struct Known {
    name: Name,
    is_taken: bool,
}

/// All names, and their file.
#[derive(Debug)]
pub(super) struct Names {
    path: PathBuf,
    file: File,
    secret: String,
    known: HashMap<CommandId, Known>,
    /// The ids as they came.
    order: VecDeque<CommandId>,
    /// Lines that need not be on disk yet.
    waiting: String,
    /// A write failed, so that the file may end within a line.
    is_torn: bool,
}

impl Names {
    /// Opens the file, or begins a new one.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let read = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            // A power cut can leave anything behind what was synced.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                String::from_utf8_lossy(&std::fs::read(path)?).into_owned()
            }
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        };
        let secret = match read.lines().next().and_then(|line| line.strip_prefix("H ")) {
            Some(secret) if secret.len() == 64 && read.contains('\n') => secret.to_owned(),
            _ => hex::encode(crate::config::new_secret()?),
        };
        let mut names = Self {
            path: path.to_owned(),
            // Replaced at once: what is kept is written anew, whole lines only.
            file: OpenOptions::new().create(true).append(true).open(path)?,
            secret,
            known: HashMap::new(),
            order: VecDeque::new(),
            waiting: String::new(),
            is_torn: false,
        };
        for line in read.split_inclusive('\n').skip(1) {
            let fact = line.strip_suffix('\n').and_then(|line| names.read(line));
            if fact.is_none() {
                tracing::warn!("{} ends in what was not written whole; it is cut off", path.display());
                break;
            }
        }
        names.rewrite().with_context(|| format!("write {}", path.display()))?;
        Ok(names)
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let command = CommandId::new(u128::from_str_radix(words.next()?, 16).ok()?);
        if kind == "T" {
            if let Some(known) = self.known.get_mut(&command) {
                known.is_taken = true;
            }
            return Some(());
        }
        let client = ClientNumber(u128::from_str_radix(words.next()?, 16).ok()?);
        let (code, text) = (NameKind::read(words.next()?)?, ClOrdId::new(words.next()?)?);
        (kind == "N" && words.next().is_none()).then_some(())?;
        self.learn(command, Name { client, kind: code, text });
        Some(())
    }

    fn learn(&mut self, command: CommandId, name: Name) {
        if self.known.insert(command, Known { name, is_taken: false }).is_none() {
            self.order.push_back(command);
        }
    }

    /// The command that a client's request is.
    pub(super) fn command(&self, client: ClientNumber, text: &ClOrdId) -> CommandId {
        let mut hash = Sha256::new();
        hash.update(self.secret.as_bytes());
        hash.update(client.0.to_be_bytes());
        hash.update(text.as_str().as_bytes());
        let bytes = hash.finalize();
        CommandId::new(bytes.iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte)))
    }

    /// Whether the journal has a command of this id.
    pub(super) fn is_taken(&self, command: CommandId) -> bool {
        self.known.get(&command).is_some_and(|known| known.is_taken)
    }

    /// Whether a command of this id was asked for.
    pub(super) fn has(&self, command: CommandId) -> bool {
        self.known.contains_key(&command)
    }

    /// Whether nobody ever asked for anything.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Writes down what requests are called, durably. Only then they may go to the bank.
    pub(super) fn add(&mut self, new: Vec<(CommandId, Name)>) -> io::Result<()> {
        for (command, name) in new {
            if self.known.get(&command).is_none_or(|known| known.name != name) {
                line(&mut self.waiting, command, &name);
                self.learn(command, name);
            }
        }
        self.sync()?;
        if self.order.len() > KEPT_MAX.saturating_mul(2) { self.rewrite() } else { Ok(()) }
    }

    /// The journal has a command of a tenant's: what it is called, if it is one of ours.
    pub(super) fn taken(&mut self, command: CommandId, tenant: u32) -> Option<Name> {
        let known = self.known.get_mut(&command).filter(|known| known.name.client.tenant() == tenant)?;
        if !known.is_taken {
            known.is_taken = true;
            // A string takes all that is written to it.
            let _ = writeln!(self.waiting, "T {:x}", command.value());
        }
        Some(known.name.clone())
    }

    /// The journal is read again from its start, and says which commands it has.
    pub(super) fn forget_taken(&mut self) -> io::Result<()> {
        self.known.values_mut().for_each(|known| known.is_taken = false);
        self.rewrite()
    }

    /// Brings everything to disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.is_torn {
            return self.rewrite();
        }
        self.is_torn = true;
        self.file.write_all(self.waiting.as_bytes())?;
        self.waiting.clear();
        self.file.sync_data()?;
        self.is_torn = false;
        Ok(())
    }

    /// Writes the file anew with the latest names.
    fn rewrite(&mut self) -> io::Result<()> {
        while self.order.len() > KEPT_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        let mut text = format!("H {}\n", self.secret);
        for command in &self.order {
            let Some(known) = self.known.get(command) else { continue };
            line(&mut text, *command, &known.name);
            if known.is_taken {
                let _ = writeln!(text, "T {:x}", command.value());
            }
        }
        self.file = super::replace(&self.path, text.as_bytes())?;
        self.waiting.clear();
        self.is_torn = false;
        Ok(())
    }
}

fn line(text: &mut String, command: CommandId, name: &Name) {
    let Name { client, kind, text: called } = name;
    let _ = writeln!(text, "N {:x} {:x} {} {called}", command.value(), client.0, kind.code());
}

#[cfg(test)]
mod tests;
