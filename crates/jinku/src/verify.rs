//! `jinku verify`: a receipt, an archive of sealed days or a notice proves itself, without the bank.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use receipts::{Receipt, VerifierKey, verify_receipt};

use crate::archive;
use crate::notices::Message;

/// What is to be checked, and with which key.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The receipt, the archive's file, or the body of a notice.
    pub file: PathBuf,
    /// The log's public key, as the bank publishes it (`name+id+key`), or a file with it.
    #[arg(long)]
    pub key: String,
    /// For a notice: what came with it in the header `jinku-signature`.
    #[arg(long)]
    pub signature: Option<String>,
}

/// Checks a file, which says itself what it is, and prints what was found.
///
/// # Errors
/// A file that cannot be read or a key that is none; what is not as it was signed is exit code 1.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&arguments.key).unwrap_or_else(|_| arguments.key.clone());
    let key = VerifierKey::parse(text.trim()).context("--key is not a log's public key")?;
    if let Some(signature) = &arguments.signature {
        return verify_notice(&arguments.file, signature, &key);
    }
    let mut begins = [0; 8];
    let mut file =
        File::open(&arguments.file).with_context(|| format!("read {}", arguments.file.display()))?;
    match file.read_exact(&mut begins) {
        Ok(()) if begins == *archive::MAGIC => Ok(verify_archive(&arguments.file, &key)),
        // A receipt says at which step it fails, also where it is cut short.
        _ => verify_receipt_file(&arguments.file, &key),
    }
}

fn verify_archive(path: &Path, key: &VerifierKey) -> ExitCode {
    match archive::check_file(path, key) {
        Ok(title) => {
            println!("passed  chain       {} records, hashed from end to end", title.records);
            println!("passed  signature   by {}", key.name());
            println!("These are sealed days of bank {}: {}.", title.bank, title.words());
            println!(
                "They were sealed at {}, when the books had {} entries.",
                title.sealed_at, title.entries_sealed
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("FAILED  archive     {error}");
            println!("Do not rely on this file.");
            ExitCode::FAILURE
        }
    }
}

fn verify_notice(path: &Path, signature: &str, key: &VerifierKey) -> anyhow::Result<ExitCode> {
    let body = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let signature = STANDARD.decode(signature.trim()).context("--signature is not base64")?;
    if !key.is_of(&body, &signature) {
        println!("FAILED  signature   it is not {} over these bytes", key.name());
        println!("Do not rely on this notice.");
        return Ok(ExitCode::FAILURE);
    }
    let message: Message = serde_json::from_slice(&body).context("it is signed, and no notice")?;
    println!("passed  signature   by {}", key.name());
    println!(
        "Notice {} of {}: account {} has {} {} available since {}.",
        message.notice, message.monitor, message.account, message.available, message.asset, message.at
    );
    Ok(ExitCode::SUCCESS)
}

fn verify_receipt_file(path: &Path, key: &VerifierKey) -> anyhow::Result<ExitCode> {
    let file = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let checked = Receipt::parse(&file).and_then(|receipt| {
        let steps = verify_receipt(&receipt, key)?;
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
