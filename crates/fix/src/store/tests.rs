//! What a store knows after it is opened again: in order, after a kill, after damage.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::path::{Path, PathBuf};

use super::{FileStore, KEPT_MAX, MemoryStore, Sent, Store};
use crate::UtcTime;
use crate::codec::Body;
use crate::dictionary::{MsgType, tag};
use crate::store::file::JUMP;
use crate::venue::Position;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fix-store-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("client.fix")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn sent(text: &str) -> Sent {
    let body = Body::new(MsgType::ExecutionReport).with(tag::TEXT, text);
    Sent { at: UtcTime::from_ms(1_000), body }
}

fn fill(path: &Path) -> FileStore {
    let mut store = FileStore::open(path).unwrap();
    store.sent(None).unwrap();
    store.sent(Some(&sent("two"))).unwrap();
    store.expect(9).unwrap();
    store.reported(Position::new(77)).unwrap();
    store
}

fn numbers(store: &FileStore) -> (u64, u64, Option<u64>) {
    (store.next_out(), store.next_in(), store.position().map(Position::number))
}

#[test]
fn a_closed_store_comes_back() {
    let folder = Folder::new("closed");
    drop(fill(&folder.file()));
    let mut store = FileStore::open(&folder.file()).unwrap();
    assert_eq!(numbers(&store), (3, 9, Some(77)));
    assert_eq!(store.kept_from(1), Some((2, &sent("two"))));
    store.reset().unwrap();
    drop(store);
    let store = FileStore::open(&folder.file()).unwrap();
    assert_eq!(numbers(&store), (1, 1, Some(77)));
    assert_eq!(store.kept_from(1), None);
}

#[test]
fn after_a_kill_numbers_are_left_out() {
    let folder = Folder::new("killed");
    let store = fill(&folder.file());
    let copy = folder.0.join("copy.fix");
    std::fs::copy(folder.file(), &copy).unwrap();
    let killed = FileStore::open(&copy).unwrap();
    assert_eq!(numbers(&killed), (3 + JUMP, 9, Some(77)));
    assert_eq!(killed.kept_from(2), Some((2, &sent("two"))));
    drop(store);
}

#[test]
fn damage_ends_what_is_read() {
    let folder = Folder::new("damaged");
    drop(fill(&folder.file()));
    let whole = std::fs::read(folder.file()).unwrap();
    for length in 0..whole.len() {
        let path = folder.0.join("cut.fix");
        std::fs::write(&path, whole.get(..length).unwrap()).unwrap();
        let store = FileStore::open(&path).unwrap();
        assert!(store.next_out() <= 3 + JUMP && store.next_in() <= 9, "{length}");
        assert!(length == 0 || store.next_out() > 3, "a number would be used twice: {length}");
    }
    let mut damaged = whole;
    *damaged.get_mut(10).unwrap() ^= 1;
    std::fs::write(folder.file(), damaged).unwrap();
    assert_eq!(numbers(&FileStore::open(&folder.file()).unwrap()), (1 + JUMP, 1, None));
}

#[test]
fn two_cannot_have_it() {
    let folder = Folder::new("twice");
    let store = fill(&folder.file());
    assert!(FileStore::open(&folder.file()).unwrap_err().to_string().contains("another process has"));
    drop(store);
    assert!(FileStore::open(&folder.file()).is_ok());
}

#[test]
fn what_is_kept_is_bounded() {
    let mut store = MemoryStore::default();
    for _ in 0..KEPT_MAX + 5 {
        store.sent(Some(&sent("x"))).unwrap();
    }
    assert_eq!(store.kept_from(1).map(|(seq, _)| seq), Some(6));
}
