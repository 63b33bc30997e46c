//! The one binary.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jinku::config::{BankConfig, Installation};
use jinku::{
    archive, audit, backup, bench, cells, cluster, demo, drill, huge_pages, iso, operate, restore, serve,
    tenants, verify,
};
use tracing_subscriber::EnvFilter;

/// Jinku (金库): a bank's wallet platform.
#[derive(Parser)]
#[command(name = "jinku", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a data folder: configuration and keys.
    Init {
        /// The folder.
        #[arg(long)]
        data: PathBuf,
        /// Port of the wallet, for the origin of passkeys.
        #[arg(long, default_value_t = 7460)]
        port: u16,
    },
    /// Run the bank.
    Serve(serve::Arguments),
    /// Do an operator's work on a running bank.
    Operate(operate::Arguments),
    /// Join other cells of the bank, send to them, and see what is on its way.
    Cell(cells::Arguments),
    /// Make and list the tokens of clients that keep their books with this bank.
    Tenant(tenants::Arguments),
    /// Check a data folder: chain, replay, balances, evidence, log.
    Audit(audit::Arguments),
    /// Copy a bank, also a running one, to where a restore can prove it.
    Backup(backup::Arguments),
    /// Make a bank from a backup, whole or up to a point in time.
    Restore(restore::Arguments),
    /// Try what must work on a bad day, and write down the result.
    Drill(drill::Arguments),
    /// Put a bank with several nodes under load, and check what they acknowledged.
    Cluster(cluster::Arguments),
    /// Write sealed days to cold storage, each in one file that proves itself. The bank may be running.
    Archive(archive::Arguments),
    /// Check a receipt, an archive's file or a notice without asking the bank.
    Verify(verify::Arguments),
    /// Check ISO 20022 messages; write a statement as one.
    Iso(iso::Arguments),
    /// Print the bank's public keys: what receipts are checked with, and what the clearing centre needs.
    Keys {
        /// Data folder.
        #[arg(long)]
        data: PathBuf,
    },
    /// Measure.
    Bench(bench::Arguments),
    /// Show the bank with a sandbox around it.
    Demo(demo::Arguments),
    /// Print the description of the API (OpenAPI 3.1).
    Openapi,
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let command = Arguments::parse().command;
    if matches!(command, Command::Serve(_) | Command::Bench(_) | Command::Audit(_)) {
        huge_pages::ask();
    }
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("jinku: {error:#}");
            if archive::is_about_released(&error) {
                eprintln!(
                    "jinku: `jinku archive return` brings released records back from the archive's folder"
                );
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init { data, port } => {
            Installation::create(&data, BankConfig::local(port))?;
            println!("made a bank in {}; `jinku serve --data {}` runs it", data.display(), data.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve(arguments) => serve::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Operate(arguments) => operate::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Cell(arguments) => cells::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Tenant(arguments) => tenants::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Archive(arguments) => archive::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::Drill(arguments) => drill::run(&arguments),
        Command::Cluster(arguments) => cluster::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Iso(arguments) => iso::run(&arguments),
        Command::Keys { data } => keys(&data).map(|()| ExitCode::SUCCESS),
        Command::Bench(arguments) => bench::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Openapi => {
            print!("{}", api::openapi_json());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn keys(data: &Path) -> anyhow::Result<()> {
    let installation = Installation::open(data)?;
    println!("log   {}", serve::log_signer(&installation)?.verifier());
    println!("rail  {}", serve::rail_public_key(&installation)?);
    Ok(())
}
