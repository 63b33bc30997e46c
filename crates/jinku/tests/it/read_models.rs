//! Read models made again from the journal are the same, row by row, and the log's tree with them.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::support::Bank;

const TABLES: [&str; 9] = [
    "profile",
    "customers",
    "accounts",
    "payments",
    "movements",
    "movement_ids",
    "feed",
    "sessions",
    "open_rounds",
];

fn rows(file: &Path) -> Vec<Vec<Value>> {
    let connection = Connection::open(file).unwrap();
    let mut all = Vec::new();
    for table in TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = statement.column_count();
        let found = statement
            .query_map([], |row| {
                (0..columns).map(|at| row.get::<_, Value>(at)).collect::<Result<Vec<_>, _>>()
            })
            .unwrap();
        all.extend(found.map(Result::unwrap));
    }
    all
}

#[test]
fn deleted_and_made_again_they_are_the_same() {
    let bank = Bank::with_history("read-again");
    bank.project();
    let file = bank.folder().join("read.sqlite");
    let (before, note) = (rows(&file), fs::read_to_string(bank.folder().join("checkpoint.note")).unwrap());
    assert!(before.len() > 500, "{} rows", before.len());
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(bank.folder().join(format!("read.sqlite{suffix}")));
    }
    bank.project();
    assert_eq!(rows(&file), before);
    assert_eq!(fs::read_to_string(bank.folder().join("checkpoint.note")).unwrap(), note);
}

#[test]
fn rows_that_do_not_fit_the_journal_are_thrown_away() {
    let bank = Bank::with_history("read-other");
    bank.project();
    let file = bank.folder().join("read.sqlite");
    let before = rows(&file);
    {
        let connection = Connection::open(&file).unwrap();
        connection.execute("UPDATE meta SET hash = x'00', seq = seq - 1", []).unwrap();
        connection.execute("DELETE FROM movements WHERE leaf = 3", []).unwrap();
    }
    bank.project();
    assert_eq!(rows(&file), before);
}
