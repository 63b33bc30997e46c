//! Fuzzers for everything that reads outside bytes: seeded mutation of valid inputs, with the checksums mended so that the layers behind
//! them are reached.
//!
//! A target has seeds (valid inputs), a mender (repairs what guards the inside, or leaves it broken), and a check. The check says whether
//! the input was taken, and fails when something damaged was taken for whole. Around it: no panic, no more memory than the target's bound
//! for an input of that size, and an answer in time. An input whose answer no input had before joins the pool that the next ones are made
//! from, which leads to depths that one mutation does not reach.
//!
//! Everything follows from a seed, so a finding is found again. What it does not do: it sees no coverage. That would need a compiler of
//! another channel or an instrumented build of every crate; the answers' own words are the feedback.

mod mutate;
mod run;
mod target;

pub use run::{Finding, Settings, Stats, run, try_one};
pub use target::{Answer, Target, all, by_name};
