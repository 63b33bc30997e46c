//! The simulator's command line.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sim::{Defect, Failure, Options, STEPS_DEFAULT, run, shorten};

/// Runs the bank against a sandbox world with crashes, lost and repeated messages, full disks and wrong clocks. The same seed gives the same
/// run on every machine.
#[derive(Debug, Parser)]
#[command(name = "sim")]
struct Arguments {
    /// How many seeds to run, from the first on.
    #[arg(long, default_value_t = 20, conflicts_with = "seed")]
    seeds: u64,
    /// The first of the seeds.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// One seed only.
    #[arg(long)]
    seed: Option<u64>,
    /// Steps of each run.
    #[arg(long, default_value_t = STEPS_DEFAULT)]
    steps: u64,
    /// Only these steps of the one seed, as a shortened run names them: 3,17,20.
    #[arg(long, requires = "seed", value_delimiter = ',')]
    only: Vec<u64>,
    /// Runs that may be spent on shortening a failing one; 0 for none.
    #[arg(long, default_value_t = 300)]
    shorten: u32,
    /// Plants a defect, to see that it is found; `list` names them.
    #[arg(long)]
    defect: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let defect = match arguments.defect.as_deref() {
        None => None,
        Some("list") => {
            for defect in Defect::ALL {
                println!("{}", defect.name());
            }
            return ExitCode::SUCCESS;
        }
        Some(name) => match Defect::from_name(name) {
            Some(defect) => Some(defect),
            None => {
                eprintln!("no defect is called {name}; --defect list names them");
                return ExitCode::from(2);
            }
        },
    };
    // A core that stops is reported with its seed, not by the default words of a panic.
    std::panic::set_hook(Box::new(|_| {}));
    let seeds = match arguments.seed {
        Some(seed) => seed..seed.saturating_add(1),
        None => arguments.from..arguments.from.saturating_add(arguments.seeds),
    };
    let begun = Instant::now();
    let (mut runs, mut records, mut payments, mut restarts, mut cases) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    for seed in seeds {
        let only = (!arguments.only.is_empty()).then(|| arguments.only.iter().copied().collect());
        let options = Options { seed, steps: arguments.steps, defect, only };
        match run(&options) {
            Ok(summary) => {
                if arguments.seed.is_some() {
                    println!("seed {seed}: state {}", summary.state);
                }
                runs = runs.saturating_add(1);
                records = records.saturating_add(summary.records);
                payments = payments.saturating_add(summary.payments);
                restarts = restarts.saturating_add(summary.restarts);
                cases = cases.saturating_add(summary.cases);
            }
            Err(failure) => {
                report(&options, &failure, arguments.shorten);
                return ExitCode::FAILURE;
            }
        }
    }
    println!(
        "{runs} seeds clean in {:.1} s: {records} journal records, {payments} payments, {restarts} restarts after crashes, {cases} cases for operators",
        begun.elapsed().as_secs_f32()
    );
    ExitCode::SUCCESS
}

/// Says what failed, how to see it again, and which steps are enough for it.
fn report(options: &Options, failure: &Failure, tries: u32) {
    let Options { seed, steps, defect, .. } = options;
    let planted = defect.map(|defect| format!(" --defect {}", defect.name())).unwrap_or_default();
    let again = format!("cargo xtask sim --seed {seed} --steps {steps}{planted}");
    if tries == 0 || options.only.is_some() {
        eprintln!("{failure}\nagain with: {again}");
        return;
    }
    eprintln!("seed {seed} at step {}: {}\nagain with: {again}", failure.step, failure.what);
    let (short, failure) = shorten(options, failure, tries);
    let only: Vec<String> = short.only.iter().flatten().map(u64::to_string).collect();
    eprintln!("\n{} of {} steps are enough:\n{failure}", only.len(), steps);
    if !only.is_empty() {
        eprintln!("again with: {again} --only {}", only.join(","));
    }
}
