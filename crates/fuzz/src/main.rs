//! The fuzzers' command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use fuzz::{Finding, Settings, Target, all, by_name, run, try_one};
use peak_alloc::PeakAlloc;
use sha2::{Digest as _, Sha256};

/// Counts what is in use, so that an input that makes a reader ask for too much is found.
#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Feeds damaged inputs to everything that reads outside bytes.
#[derive(Debug, Parser)]
#[command(name = "fuzz")]
struct Arguments {
    /// Seconds for all targets together.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// One target only; `list` names them.
    #[arg(long)]
    target: Option<String>,
    /// Everything follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Tries this file only, with the target that is named.
    #[arg(long, requires = "target")]
    input: Option<PathBuf>,
    /// Where failing inputs are written.
    #[arg(long, default_value = "target/fuzz")]
    findings: PathBuf,
}

/// The highest use since the last question.
fn peak() -> usize {
    let peak = ALLOCATED.peak_usage();
    ALLOCATED.reset_peak_usage();
    peak
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let targets = match arguments.target.as_deref() {
        None => all(),
        Some("list") => {
            all().iter().for_each(|target| println!("{:<14} {}", target.name, target.what));
            return Ok(ExitCode::SUCCESS);
        }
        Some(name) => {
            vec![by_name(name).with_context(|| format!("no target is called {name}; --target list"))?]
        }
    };
    // What panics is reported with its input.
    std::panic::set_hook(Box::new(|_| {}));
    if let (Some(path), Some(target)) = (&arguments.input, targets.first()) {
        let input = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        return Ok(match try_one(target, &input, peak) {
            Ok((class, taken, bytes)) => {
                println!(
                    "{}: {} ({class}), {bytes} bytes used",
                    target.name,
                    if taken { "taken" } else { "refused" }
                );
                ExitCode::SUCCESS
            }
            Err(what) => {
                println!("{}: {what}", target.name);
                ExitCode::FAILURE
            }
        });
    }
    let count = u32::try_from(targets.len()).unwrap_or(1).max(1);
    let time = Duration::from_secs(arguments.seconds).checked_div(count).unwrap_or_default();
    let settings = Settings { seed: arguments.seed, time, inputs: u64::MAX, peak };
    let mut failed = 0_u32;
    for target in &targets {
        match run(target, &settings) {
            Ok(stats) => println!(
                "{:<14} {:>9} inputs, {:>8} taken, {:>5} different answers, at most {} bytes used",
                target.name, stats.inputs, stats.taken, stats.answers, stats.bytes_max
            ),
            Err(finding) => {
                failed = failed.saturating_add(1);
                report(target, &finding, &arguments)?;
            }
        }
    }
    println!("{} targets, {failed} with a finding", targets.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(target: &Target, finding: &Finding, arguments: &Arguments) -> anyhow::Result<()> {
    std::fs::create_dir_all(&arguments.findings)?;
    let hash = hex::encode(Sha256::digest(&finding.input));
    let path =
        arguments.findings.join(format!("{}-{}.input", target.name, hash.get(..12).unwrap_or_default()));
    std::fs::write(&path, &finding.input)?;
    println!("{}: FOUND: {}", target.name, finding.what);
    println!("  {} bytes in {}", finding.input.len(), path.display());
    println!("  again with: cargo xtask fuzz --target {} --input {}", target.name, path.display());
    println!("  once mended, keep it: crates/fuzz/kept/{}/", target.name);
    Ok(())
}
