//! `jinku cluster check`: reads every acknowledged request back from the nodes' journals, and looks for what must not be: a request lost or
//! taken twice, copies that differ, epochs that go back, two nodes that acknowledged under one epoch.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bank::{Command, Event, JournalEntry};
use journal::{Hash, Reader};
use serde_json::json;

/// What to compare.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// A node's data folder; once for each node.
    #[arg(long, required = true)]
    pub data: Vec<PathBuf>,
    /// The file that `jinku cluster load` wrote.
    #[arg(long)]
    pub acks: PathBuf,
}

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Found {
    /// Requests that were acknowledged.
    pub acknowledged: u64,
    /// Rows in them.
    pub rows: u64,
    /// Acknowledged, and not in the journal.
    pub lost: u64,
    /// In the journal more than once.
    pub twice: u64,
    /// Records in the longest copy.
    pub records: u64,
    /// How often the lead changed.
    pub epochs: u64,
    /// What must not be, in words.
    pub faults: Vec<String>,
}

/// A batch as it stands in the journal.
struct Kept {
    seq: u64,
    rows: u64,
    epoch: u64,
}

#[derive(Default)]
struct Books {
    hashes: Vec<Hash>,
    batches: HashMap<u128, Kept>,
    entries: HashSet<u128>,
    epochs: BTreeSet<u64>,
}

/// Checks, and prints what was found; answers whether all is well.
///
/// # Errors
/// A journal or the file cannot be read.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let found = check(arguments)?;
    for fault in &found.faults {
        println!("{fault}");
    }
    let line = json!({
        "acknowledged_requests": found.acknowledged,
        "acknowledged_transfers": found.rows,
        "lost": found.lost,
        "twice": found.twice,
        "records": found.records,
        "epochs": found.epochs,
        "faults": found.faults.len(),
    });
    println!("{line}");
    Ok(found.lost == 0 && found.twice == 0 && found.faults.is_empty())
}

/// Like [`run`], without words.
///
/// # Errors
/// As there.
pub fn check(arguments: &Arguments) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut longest: Option<(PathBuf, u64)> = None;
    for folder in &arguments.data {
        let verified = journal::verify(&folder.join("journal")).map_err(|damage| anyhow::anyhow!("{damage}"));
        let head = verified.with_context(|| format!("journal of {}", folder.display()))?.head.seq;
        if longest.as_ref().is_none_or(|(_, most)| head > *most) {
            longest = Some((folder.clone(), head));
        }
    }
    let Some((longest, records)) = longest else { bail!("there are no nodes") };
    found.records = records;
    let books = read_books(&longest, &mut found)?;
    for folder in arguments.data.iter().filter(|folder| **folder != longest) {
        compare(folder, &books, &mut found)?;
    }
    found.epochs = u64::try_from(books.epochs.len())?;
    let text = std::fs::read_to_string(&arguments.acks)?;
    let mut leaders: BTreeMap<u64, u64> = BTreeMap::new();
    for line in text.lines() {
        judge(line, &books, &mut leaders, &mut found).with_context(|| format!("line `{line}`"))?;
    }
    Ok(found)
}

fn read_books(folder: &Path, found: &mut Found) -> anyhow::Result<Books> {
    let mut books = Books::default();
    let mut reader = Reader::open(&folder.join("journal"), 1)?;
    let mut last_epoch = 0;
    while let Some(record) = reader.next()? {
        books.hashes.push(record.hash);
        let entry = JournalEntry::from_bytes(&record.bytes)?;
        if entry.epoch < last_epoch {
            found.faults.push(format!("record {}: epoch {} after {last_epoch}", record.seq, entry.epoch));
        }
        last_epoch = entry.epoch;
        books.epochs.insert(entry.epoch);
        let Command::LedgerBatch(batch) = &entry.command else { continue };
        let refused: HashSet<u32> = entry.events.iter().flat_map(refused).collect();
        for (number, row) in (0_u32..).zip(batch.rows()) {
            let ledger::Command::Transfer(transfer) = row.command else { continue };
            if !refused.contains(&number) && !books.entries.insert(transfer.id.value()) {
                found.twice = found.twice.saturating_add(1);
            }
        }
        let kept = Kept { seq: record.seq, rows: batch.len().into(), epoch: entry.epoch };
        if books.batches.insert(entry.id.value(), kept).is_some() {
            found.twice = found.twice.saturating_add(1);
        }
    }
    Ok(books)
}

fn refused(event: &Event) -> Vec<u32> {
    match event {
        Event::LedgerBatch(outcome) => outcome.refused.iter().map(|refused| refused.row).collect(),
        _ => Vec::new(),
    }
}

/// A copy must be the beginning of the longest one.
fn compare(folder: &Path, books: &Books, found: &mut Found) -> anyhow::Result<()> {
    let mut reader = Reader::open(&folder.join("journal"), 1)?;
    let mut hashes = books.hashes.iter();
    while let Some(record) = reader.next()? {
        if hashes.next() != Some(&record.hash) {
            found.faults.push(format!("{} has another record {}", folder.display(), record.seq));
            return Ok(());
        }
    }
    Ok(())
}

/// Looks for an acknowledged request; it was cut into batches with the ids after its own.
fn judge(
    line: &str,
    books: &Books,
    leaders: &mut BTreeMap<u64, u64>,
    found: &mut Found,
) -> anyhow::Result<()> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [_, id, rows, seq, node, attempts, _] = fields.as_slice() else { bail!("it has not seven fields") };
    let (id, rows, seq) = (u128::from_str_radix(id, 16)?, rows.parse::<u64>()?, seq.parse::<u64>()?);
    let (node, attempts) = (node.parse::<u64>()?, attempts.parse::<u32>()?);
    found.acknowledged = found.acknowledged.saturating_add(1);
    found.rows = found.rows.saturating_add(rows);
    let (mut kept_rows, mut last) = (0_u64, None);
    for part in 0.. {
        if kept_rows >= rows {
            break;
        }
        let Some(kept) = books.batches.get(&id.wrapping_add(part)) else { break };
        kept_rows = kept_rows.saturating_add(kept.rows);
        last = Some(kept);
    }
    let Some(last) = last.filter(|last| kept_rows == rows && last.seq == seq) else {
        found.lost = found.lost.saturating_add(1);
        found.faults.push(format!("request {id:032x} was acknowledged and is not there"));
        return Ok(());
    };
    // A request that was sent again may be acknowledged by a later leader than the one that took it.
    if attempts == 1 {
        let first = *leaders.entry(last.epoch).or_insert(node);
        if first != node {
            found
                .faults
                .push(format!("nodes {first} and {node} both acknowledged under epoch {}", last.epoch));
        }
    }
    Ok(())
}
