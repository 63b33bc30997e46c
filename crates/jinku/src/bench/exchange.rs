//! `jinku bench exchange`: what the order book does in a second: alone on one thread, with funds, fees and a ledger, and through a bank of its own.
//!
//! The commands are made before they are timed ([`exchange::book::flow`] says what they are). Throughput and latency are measured in runs of their own: reading
//! the clock before and after each command takes about as long as the command. With `--in FILE` the commands of a file are taken instead and everything
//! that follows is written, so that books can be compared; with `--check` the book is compared with the naive one.

mod book;
mod case;
mod check;
mod floor;
mod http;
mod keep;
mod market;
mod node;
mod text;

use std::path::PathBuf;

/// Most commands of the cases that keep every fill in a ledger.
const SETTLED_MAX: usize = 2_000_000;
const DURABLE_MAX: usize = 1_000_000;
/// Orders of the case over HTTP, one after another.
const HTTP_ORDERS: u64 = 1_000;

/// What to run.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Commands of the timed part of each run.
    #[arg(long, default_value_t = 3_000_000, value_parser = clap::value_parser!(u64).range(1_000..=20_000_000))]
    commands: u64,
    /// Runs of each case whose speed is measured; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    runs: u32,
    /// Take the commands of a file in the form of exchange-core's recorded runs, plain or .gz, and write what follows.
    #[arg(long = "in")]
    input: Option<PathBuf>,
    /// Compare the book with the naive one under so many random commands of every kind.
    #[arg(long, num_args = 0..=1, default_missing_value = "10000000", conflicts_with = "input")]
    check: Option<u64>,
    /// Print a list of JSON objects, the book alone first.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(path) = &arguments.input {
        return text::replay(path);
    }
    if let Some(steps) = arguments.check {
        return check::run(steps, arguments.json);
    }
    let commands = usize::try_from(arguments.commands)?;
    let cases = [
        book::alone(commands, arguments.runs)?,
        book::deep(commands, arguments.runs)?,
        book::deep_any(commands, arguments.runs)?,
        book::far(commands, arguments.runs)?,
        market::settled(commands.min(SETTLED_MAX), arguments.runs)?,
        node::durable(commands.min(DURABLE_MAX))?,
        http::idle(HTTP_ORDERS)?,
        keep::replay(commands)?,
        keep::snapshot()?,
    ];
    case::print(&cases, arguments.json);
    Ok(())
}
