//! A failing run made short: steps are left out, half of them, a quarter, down to single ones, as long as it still fails in the same way.
//!
//! Each step has chance of its own, drawn from the seed and its number, so leaving one out changes nothing of the others but what they meet.

use std::collections::BTreeSet;

use crate::run::{Failure, Options, run};

/// Leaves out what is not needed to fail like `failure`, in at most `tries` runs. Answers with the options that repeat the short run, and its
/// failure.
#[must_use]
pub fn shorten(options: &Options, failure: &Failure, tries: u32) -> (Options, Failure) {
    let all = (1..=options.steps.min(failure.step)).filter(|step| options.takes(*step));
    let mut short =
        Shortening { options: options.clone(), steps: all.collect(), failure: failure.clone(), left: tries };
    let mut size = short.steps.len().div_ceil(2).max(1);
    loop {
        let is_shorter = short.pass(size);
        if short.left == 0 || (size == 1 && !is_shorter) {
            break;
        }
        size = (size / 2).max(1);
    }
    let only = Some(short.steps.iter().copied().collect());
    (Options { only, ..short.options }, short.failure)
}

struct Shortening {
    options: Options,
    steps: Vec<u64>,
    failure: Failure,
    left: u32,
}

impl Shortening {
    /// Tries to leave out each piece of `size` steps; answers whether one was.
    fn pass(&mut self, size: usize) -> bool {
        let (mut at, mut is_shorter) = (0, false);
        while at < self.steps.len() && self.left > 0 {
            let end = at.saturating_add(size);
            let kept = (0..).zip(&self.steps).filter(|(index, _)| *index < at || *index >= end);
            if self.fails_with(kept.map(|(_, step)| *step).collect()) {
                is_shorter = true;
            } else {
                at = end;
            }
        }
        is_shorter
    }

    fn fails_with(&mut self, steps: Vec<u64>) -> bool {
        self.left = self.left.saturating_sub(1);
        let only: BTreeSet<u64> = steps.iter().copied().collect();
        let Err(failure) = run(&Options { only: Some(only), ..self.options.clone() }) else { return false };
        if kind(&failure.what) != kind(&self.failure.what) {
            return false;
        }
        // What comes after the failure is not needed.
        self.steps = steps.into_iter().filter(|step| *step <= failure.step).collect();
        self.failure = failure;
        true
    }
}

/// What a failure says, without figures and ids.
fn kind(what: &str) -> String {
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
    what.split_whitespace().filter(is_word).take(8).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn figures_and_ids_are_not_the_kind() {
        assert_eq!(
            kind("entry 17 was acknowledged and is lost"),
            kind("entry 3 was acknowledged and is lost")
        );
        assert_ne!(kind("entry 17 was acknowledged"), kind("pay_01: has not ended"));
    }
}
