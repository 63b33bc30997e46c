//! The loop around a target.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::Target;
use crate::mutate::{Chance, mutate};

/// Inputs kept because of a new answer.
const POOL_MAX: usize = 512;
/// Longest time for one input: far above what any takes, also on a machine that does much else.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How long and from where.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Everything follows from it.
    pub seed: u64,
    /// It ends after this time,
    pub time: Duration,
    /// or after so many inputs.
    pub inputs: u64,
    /// Says the highest number of bytes in use since it was last asked, and resets it; 0 where nobody counts.
    pub peak: fn() -> usize,
}

/// What a run was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stats {
    /// Inputs tried.
    pub inputs: u64,
    /// Inputs taken as valid.
    pub taken: u64,
    /// Different answers.
    pub answers: usize,
    /// Most bytes that one input made it use.
    pub bytes_max: usize,
}

/// An input that shows a fault.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The input.
    pub input: Vec<u8>,
    /// What is wrong.
    pub what: String,
}

/// Tries one input.
///
/// # Errors
/// What is wrong with the target.
pub fn try_one(target: &Target, input: &[u8], peak: fn() -> usize) -> Result<(String, bool, usize), String> {
    // Asked twice: the first answer is about what came before.
    let _ = peak();
    let before = peak();
    let started = Instant::now();
    let answer = catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    let bytes = peak().saturating_sub(before);
    let took = started.elapsed();
    let answer = answer.map_err(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        format!("it panics: {}", words.unwrap_or_default())
    })?;
    let answer = answer?;
    let bound = target.bytes_base.saturating_add(input.len().saturating_mul(target.bytes_per_byte));
    if bytes > bound {
        return Err(format!("{} bytes of input make it use {bytes} bytes, more than {bound}", input.len()));
    }
    if took > ANSWER_MAX {
        return Err(format!("{} bytes of input take {} ms", input.len(), took.as_millis()));
    }
    Ok((answer.class, answer.taken, bytes))
}

/// Runs a target until the time is over or something is found.
///
/// # Errors
/// The [`Finding`].
pub fn run(target: &Target, settings: &Settings) -> Result<Stats, Finding> {
    let started = Instant::now();
    let mut chance = Chance::new(settings.seed);
    let (seeds, mut pool) = ((target.seeds)(), Vec::new());
    let (mut stats, mut answers) = (Stats::default(), BTreeSet::new());
    let attempt = |input: &[u8], stats: &mut Stats| {
        stats.inputs = stats.inputs.saturating_add(1);
        let tried = try_one(target, input, settings.peak);
        let (class, taken, bytes) = tried.map_err(|what| Finding { input: input.to_vec(), what })?;
        stats.taken = stats.taken.saturating_add(u64::from(taken));
        stats.bytes_max = stats.bytes_max.max(bytes);
        Ok((class, taken))
    };
    for seed in &seeds {
        let (class, taken) = attempt(seed, &mut stats)?;
        if !taken {
            return Err(Finding {
                input: seed.clone(),
                what: format!("a valid input is not taken: {class}"),
            });
        }
        answers.insert(class);
    }
    while started.elapsed() < settings.time && stats.inputs < settings.inputs {
        let mut input = pick(&seeds, &pool, &mut chance);
        let other = pick(&seeds, &pool, &mut chance);
        mutate(&mut input, &other, &mut chance);
        (target.mend)(&mut input, &mut chance);
        let (class, _) = attempt(&input, &mut stats)?;
        if answers.insert(class) && pool.len() < POOL_MAX {
            pool.push(input);
        }
    }
    stats.answers = answers.len();
    Ok(stats)
}

/// More often a seed than one of the pool, so that it does not drift away from what is valid.
fn pick(seeds: &[Vec<u8>], pool: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let from = if pool.is_empty() || chance.percent(60) { seeds } else { pool };
    chance.pick(from).cloned().unwrap_or_default()
}
