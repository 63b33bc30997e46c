//! The forms that must stay readable for ever: journal entries of every kind, and the state they lead to.
//!
//! `UPDATE_EXPECT=1` writes new kinds into the golden file. A line that changes is a broken promise to every journal that exists: give the
//! changed thing a new number instead.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bank::{Bank as State, JournalEntry};
use journal::Reader;

use crate::support::Bank;

/// Hash of the state after the whole history. It changes with the form of the state: then the version in `bank::snapshot` grows too.
const STATE: &str = "64b0fd89ca7df4feffb6b6df52fddfb9dc8114d8d3d21f6a19cd1ecdbe4f6230";

fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/entries.txt"))
}

/// What a value is, without what it holds.
fn kind(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let named = words.take_while(|word| word.starts_with(char::is_uppercase) && *word != "CNY");
    named.take(3).collect::<Vec<_>>().join(".")
}

fn entries(bank: &Bank) -> (BTreeMap<String, String>, String) {
    let mut reader = Reader::open(&bank.folder().join("journal"), 1).unwrap();
    let (mut kinds, mut state) = (BTreeMap::new(), State::default());
    while let Some(record) = reader.next().unwrap() {
        let entry = JournalEntry::from_bytes(&record.bytes).unwrap();
        assert_eq!(entry.to_bytes(), record.bytes);
        state.apply(record.seq, &entry);
        let events: Vec<String> = entry.events.iter().map(kind).collect();
        let name = format!("{}>{}", kind(&entry.command), events.join("+"));
        kinds.entry(name).or_insert_with(|| hex::encode(&record.bytes));
    }
    (kinds, state.state_hash().to_string())
}

#[test]
fn entries_and_state_keep_their_forms() {
    let bank = Bank::with_history("golden");
    let (kinds, state) = entries(&bank);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let lines: String = kinds.iter().map(|(name, bytes)| format!("{name} {bytes}\n")).collect();
        std::fs::create_dir_all(file().parent().unwrap()).unwrap();
        std::fs::write(file(), lines).unwrap();
        println!("state {state}");
    }
    let text = std::fs::read_to_string(file()).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let (name, bytes) = line.split_once(' ').unwrap();
        let bytes = hex::decode(bytes).unwrap();
        let entry = JournalEntry::from_bytes(&bytes).unwrap();
        assert_eq!(entry.to_bytes(), bytes, "{name} is written otherwise than it was");
        assert!(kinds.contains_key(name), "nothing is a {name} any more");
        count += 1;
    }
    assert!(count > 15, "{count} kinds");
    assert_eq!(state, STATE);
}
