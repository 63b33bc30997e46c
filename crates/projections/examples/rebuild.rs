//! Makes the read models of a bank's data folder again and says what that costs, entry by entry: the projector alone, on a bank that stands still.
//!
//! `cargo run --release -p projections --example rebuild -- FOLDER`; `read.sqlite` in the folder is made anew.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::{Config, Node, SystemClock};
use projections::Projections;
use receipts::NoteSigner;

/// Longest time a rebuild may take.
const PATIENCE: Duration = Duration::from_secs(3600);

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("which folder?")?);
    let config = Config {
        data: folder.clone(),
        journal: journal::Options::default(),
        epoch: 1,
        snapshot_every: None,
        history_in_memory: None,
        relying_party: bank::RelyingParty { id: "localhost".to_owned(), origins: Vec::new() },
    };
    let node = Node::start(config, Arc::new(SystemClock))?;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("read.sqlite{suffix}")));
    }
    let last = node.handle().status().durable.seq;
    let signer = NoteSigner::from_seed("rebuild.example", &[1; 32])?;
    let (started, cpu) = (Instant::now(), cpu_ms()?);
    let projections =
        Projections::start(projections::Config { data: folder.clone(), signer }, node.handle())?;
    if !projections.reader().wait_for(last, PATIENCE) {
        return Err("the read models do not catch up".into());
    }
    let (elapsed, cpu) = (started.elapsed(), cpu_ms()?.saturating_sub(cpu));
    let movements = projections.reader().status().movements;
    let each =
        |ms: u128, count: u64| ms.saturating_mul(1_000_000).checked_div(u128::from(count)).unwrap_or(0);
    println!(
        "{last} entries, {movements} movements in {} ms, {cpu} ms of processor time",
        elapsed.as_millis()
    );
    println!(
        "{} ns of processor time for each entry, {} ns for each movement",
        each(cpu, last),
        each(cpu, movements)
    );
    let bytes = std::fs::metadata(folder.join("read.sqlite"))?.len();
    println!("{bytes} bytes of read.sqlite");
    Ok(())
}

/// Processor time of this process, in milliseconds: user and system, in the kernel's ticks of ten milliseconds.
fn cpu_ms() -> Result<u128, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("a line of /proc")?;
    let ticks: Result<Vec<u128>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<u128>().saturating_mul(10))
}
