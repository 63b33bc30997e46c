//! Measures appending and reading: `append FOLDER [cached]`. The folder must be on the disk to be measured; the journal in it is left there.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use journal::{FileJournal, Options, Reader, record_hash, verify};

/// Bytes of a record, about those of a transfer with its outcome.
const RECORD_BYTES: usize = 120;
/// Group size and how many groups.
const RUNS: [(usize, u32); 4] = [(1, 2000), (10, 1000), (1000, 300), (8189, 200)];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dir = Path::new(arguments.first().ok_or("which folder?")?);
    let direct = arguments.get(1).is_none_or(|how| how != "cached");
    let options = Options { direct, ..Options::default() };
    let began = Instant::now();
    let (mut journal, opened) = FileJournal::open(dir, &options)?;
    println!("opened at record {} in {:?}", opened.head.seq, began.elapsed());
    hashing();
    for (size, groups) in RUNS {
        append(&mut journal, size, groups)?;
    }
    drop(journal);
    let began = Instant::now();
    let verified = verify(dir)?;
    rate("verified", verified.records, verified.bytes, began.elapsed());
    let began = Instant::now();
    let (mut reader, mut bytes) = (Reader::open(dir, 1)?, 0_u64);
    while let Some(record) = reader.next()? {
        bytes = bytes.saturating_add(u64::try_from(record.bytes.len())?);
    }
    rate("read", verified.records, bytes, began.elapsed());
    let began = Instant::now();
    let mut reader = Reader::open(dir, verified.head.seq)?;
    let last = reader.next()?.map(|record| record.seq);
    println!("found record {last:?} in {:?}", began.elapsed());
    Ok(())
}

fn hashing() {
    let (record, began) = ([7; RECORD_BYTES], Instant::now());
    let hash = (1..=8189).fold(journal::Hash::default(), |hash, seq| record_hash(&hash, seq, &record));
    println!("hashing alone: 8189 records in {:?} ({})", began.elapsed(), hash.as_bytes().len());
}

fn append(journal: &mut FileJournal, size: usize, groups: u32) -> Result<(), Box<dyn Error>> {
    let records = vec![[7_u8; RECORD_BYTES]; size];
    let mut times = Vec::new();
    for _ in 0..groups {
        let began = Instant::now();
        journal.append(&records)?;
        times.push(began.elapsed());
    }
    let total: Duration = times.iter().sum();
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len().saturating_mul(percent) / 100).or(times.last());
    println!("group of {size}: p50 {:?}, p99 {:?}, p100 {:?}", at(50), at(99), times.last());
    let records = u64::from(groups).saturating_mul(u64::try_from(size)?);
    let bytes = records.saturating_mul(u64::try_from(RECORD_BYTES)?);
    rate("  groups", groups.into(), bytes, total);
    rate("  records", records, bytes, total);
    Ok(())
}

fn rate(what: &str, count: u64, bytes: u64, took: Duration) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    let per_second = count.saturating_mul(1_000_000).checked_div(micros).unwrap_or(0);
    // Bytes per microsecond are megabytes per second.
    let megabytes = bytes.checked_div(micros).unwrap_or(0);
    println!("{what}: {count} in {took:?}: {per_second}/s, {megabytes} MB/s");
}
