//! `jinku verify`: a receipt proves itself, without the bank.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use receipts::{Receipt, VerifierKey, verify_receipt};

/// What is to be checked, and with which key.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The receipt file.
    pub receipt: PathBuf,
    /// The log's public key, as the bank publishes it (`name+id+key`), or a file with it.
    #[arg(long)]
    pub key: String,
}

/// Checks a receipt and prints each step.
///
/// # Errors
/// A file that cannot be read or a key that is none; a bad receipt is exit code 1.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let file =
        std::fs::read(&arguments.receipt).with_context(|| format!("read {}", arguments.receipt.display()))?;
    let text = std::fs::read_to_string(&arguments.key).unwrap_or_else(|_| arguments.key.clone());
    let key = VerifierKey::parse(text.trim()).context("--key is not a log's public key")?;
    let checked = Receipt::parse(&file).and_then(|receipt| {
        let steps = verify_receipt(&receipt, &key)?;
        Ok((receipt, steps))
    });
    match checked {
        Ok((receipt, steps)) => {
            for step in steps {
                println!("passed  {:<11} {}", step.step.name(), step.detail);
            }
            let entry = receipt.entry;
            let way = match entry.direction {
                receipts::Direction::In => "into",
                receipts::Direction::Out => "out of",
            };
            println!(
                "This movement is in the log of {}: {} {} {way} account {}, recorded {}.",
                receipt.bank, entry.amount, entry.asset, entry.account_number, entry.recorded_at
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("FAILED  {:<11} {error}", error.step().name());
            println!("Do not rely on this receipt.");
            Ok(ExitCode::FAILURE)
        }
    }
}
