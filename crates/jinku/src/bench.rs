//! `jinku bench`: what the real node does in a second, measured from another process over loopback.
//!
//! Each case starts `jinku serve` as a process of its own, with a new data folder, and talks to it as a client would. Every reply that is
//! counted is durable.

mod api;
mod bank;
mod exchange;
mod growth;
mod ledger;
mod load;
mod payer;
mod replay;
mod report;

use std::path::PathBuf;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    case: Case,
}

/// Where and how every case runs.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// Folder for the data of the run; the system's folder for temporary files otherwise. A disk, not memory, gives honest figures.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Case {
    /// Transfers between accounts of the ledger, in batches over the bulk interface.
    Ledger(ledger::Arguments),
    /// The ledger's speed as accounts grow from a thousand to ten million, with a plot.
    Growth(growth::Arguments),
    /// How long the books take to come back: replay of the journal, snapshot, restart, audit.
    Replay(replay::Arguments),
    /// Payments over HTTP, with sessions and limits.
    Api(api::Arguments),
    /// The order book: how many commands it takes, how fast it comes back, and whether it is right.
    Exchange(exchange::Arguments),
}

/// Measures.
///
/// # Errors
/// The bank cannot be started, or refuses what it should take.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.case {
        Case::Ledger(arguments) => ledger::run(arguments),
        Case::Growth(arguments) => growth::run(arguments),
        Case::Replay(arguments) => replay::run(arguments),
        Case::Api(arguments) => api::run(arguments),
        Case::Exchange(arguments) => exchange::run(arguments),
    }
}
