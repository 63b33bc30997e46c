//! `jinku drill`: what must work on a bad day, tried on a good one, with a written result.
//!
//! A drill works on copies and on processes of its own, on loopback. It changes nothing of the bank that it is about, apart from the report
//! that it leaves in `drills/`.

mod report;
pub mod restore;

use std::process::ExitCode;

pub use report::{Check, Report, Step};

/// Which drill.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    drill: Drill,
}

#[derive(Debug, clap::Subcommand)]
enum Drill {
    /// Back up the bank, running or not, restore it elsewhere, and compare the two.
    Restore(restore::Arguments),
}

/// Runs a drill and writes its report; exit code 1 unless everything held.
///
/// # Errors
/// The drill could not be held at all, or its report not be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.drill {
        Drill::Restore(arguments) => restore::run(arguments),
    }
}
