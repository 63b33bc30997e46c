//! A node in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bank::{Command, RelyingParty, Submission};
use identity::Actor;
use ledger::{AccountKind, Change, Entry, Leg, Memo};
use money::{AccountId, Amount, Asset, CommandId, EntryId, Text};
use node::{Clock, Config, Handle, Node, Taken};

/// Small segments, so that tests come to the end of one.
pub(crate) const SEGMENT_BYTES: u64 = 1 << 18;
const OPENING: u128 = 1_000_000;

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("jinku-node-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn config(folder: &Folder) -> Config {
    Config {
        data: folder.path().to_owned(),
        journal: journal::Options { segment_bytes: SEGMENT_BYTES, ..journal::Options::default() },
        epoch: 1,
        snapshot_every: None,
        history_in_memory: None,
        relying_party: RelyingParty { id: "localhost".to_owned(), origins: Vec::new() },
    }
}

pub(crate) fn start(config: &Config, clock: Arc<dyn Clock>) -> Node {
    Node::start(config.clone(), clock).unwrap()
}

pub(crate) fn account(number: u64) -> AccountId {
    AccountId::new(u128::from(number))
}

pub(crate) fn operator(id: CommandId, command: ledger::Command) -> Submission {
    Submission { id, actor: Actor::Operator(Text::clip("test")), command: Command::Ledger(command) }
}

fn entry(id: u128, legs: Vec<Leg>) -> ledger::Command {
    let entry =
        Entry { id: EntryId::new(id), legs, effective_at: None, reference: None, memo: Memo::default() };
    ledger::Command::Change(Change { entry: Some(entry), ..Change::default() })
}

/// Money out of the bank's capital.
pub(crate) fn deposit(to: u64, serial: u64, fen: u128) -> ledger::Command {
    let amount = Amount::new(Asset::CNY, fen);
    let legs = vec![Leg::debit(account(900_000), amount), Leg::credit(account(to), amount)];
    entry((1 << 64) | u128::from(serial), legs)
}

/// Opens an account with a million fen, and the bank's capital with the first.
pub(crate) fn open_account(handle: &Handle, number: u64) -> Taken {
    let open = |id: u64, kind| ledger::Command::open(account(id), kind, Asset::CNY);
    let command = |serial: u128, command| operator(CommandId::new((1 << 80) | serial), command);
    handle.submit(command(0, open(900_000, AccountKind::Capital))).unwrap();
    let serial = u128::from(number) << 4;
    handle.submit(command(serial | 1, open(number, AccountKind::Customer))).unwrap();
    handle.submit(command(serial | 2, deposit(number, number << 32, OPENING))).unwrap()
}

pub(crate) fn transfer(serial: u64, from: u64, to: u64, fen: u128) -> Submission {
    let amount = Amount::new(Asset::CNY, fen);
    let legs = vec![Leg::debit(account(from), amount), Leg::credit(account(to), amount)];
    operator(CommandId::new(u128::from(serial)), entry((1 << 70) | u128::from(serial), legs))
}
