//! Task runner: what a newcomer types, and what continuous integration runs, are the same commands.
//!
//! Each command is one file. Nothing of the bank is a dependency here, so that the runner builds in seconds and never
//! has to be built again when the bank changes.

mod ci;
mod cluster;
mod counts;
mod demo;
mod fuzz;
mod project;
mod quickfix;
mod run;
mod schemas;
mod setup;
mod sim;
mod test;
mod tidy;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;

/// Jinku's task runner.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds and starts the bank with its counterparties on this machine, seeded with a month of history.
    Demo {
        /// Runs the main job without a screen, checks every figure and ends.
        #[arg(long)]
        once: bool,
        /// Passed on to `jinku demo`.
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
    /// Runs every test: Rust, web, screens, and the main job in a browser.
    Test {
        /// Only what needs neither a browser nor the release build.
        #[arg(long)]
        quick: bool,
    },
    /// Everything that must hold before a change is taken.
    Ci,
    /// Checks the rules of the house: edges between crates, files, manifests, documents, others' crates.
    Tidy,
    /// Runs the seeded simulator, for example `cargo xtask sim --seeds 200` or `--seed 7`.
    Sim {
        /// Passed on to the simulator.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Feeds damaged inputs to everything that reads outside bytes, for example `cargo xtask fuzz --seconds 600 --target journal`.
    Fuzz {
        /// Passed on to the fuzzers.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Runs a bank of three nodes on three PostgreSQL servers under Patroni, lets each part fail, and checks what was acknowledged.
    Cluster(cluster::Arguments),
    /// Installs by name what building, testing and the demo need, and says what it does.
    Setup,
    /// Installs the ISO 20022 schemas.
    Schemas,
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

/// Performs a task; the answer is whether all was well. Faults that a task does not report itself come back as errors.
fn perform(task: Task) -> anyhow::Result<bool> {
    let project = Project::find()?;
    match task {
        Task::Demo { once, arguments } => demo::run(&project, once, &arguments),
        Task::Test { quick } => Ok(test::run(&project, quick)),
        Task::Ci => Ok(ci::run(&project)),
        Task::Tidy => tidy::run(&project),
        Task::Sim { arguments } => sim::run(&project, &arguments),
        Task::Fuzz { arguments } => fuzz::run(&project, &arguments),
        Task::Cluster(arguments) => cluster::run(&project, &arguments),
        Task::Setup => setup::all(&project).map(|()| true),
        Task::Schemas => schemas::install(project.data_dir()).map(|()| true),
    }
}
