//! Which of a source's readings go on, and when. It reads no clock: times are milliseconds of whoever asks.

use std::collections::BTreeMap;

use exchange::price::{Pair, Rate, Reading};
use money::Timestamp;

use crate::Pace;

/// The last reading of a pair that went on.
#[derive(Debug, Clone, Copy)]
struct Passed {
    when_ms: u64,
    mid: Rate,
    at: Timestamp,
}

/// The readings of one source that wait, the latest of each pair, and what went on before.
#[derive(Debug)]
pub(crate) struct Sieve {
    pace: Pace,
    waiting: BTreeMap<Pair, Reading>,
    passed: BTreeMap<Pair, Passed>,
}

impl Sieve {
    pub(crate) const fn new(pace: Pace) -> Self {
        Self { pace, waiting: BTreeMap::new(), passed: BTreeMap::new() }
    }

    /// A reading came; it takes the place of one that waits. One that is no newer than what went on is passed over: a source that stands still.
    pub(crate) fn offer(&mut self, pair: Pair, reading: Reading) {
        if self.passed.get(&pair).is_none_or(|passed| passed.at < reading.at) {
            self.waiting.insert(pair, reading);
        }
    }

    /// The reading that may go on now; of several the one whose pair has waited longest.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<(Pair, Reading)> {
        let due = self.waiting.iter().filter(|(pair, reading)| self.wait_ms(pair, reading, now_ms) == 0);
        let since = |pair: &Pair| self.passed.get(pair).map_or(0, |passed| passed.when_ms);
        let pair = *due.min_by_key(|(pair, _)| since(pair))?.0;
        let reading = self.waiting.remove(&pair)?;
        self.passed.insert(pair, Passed { when_ms: now_ms, mid: reading.mid(), at: reading.at });
        Some((pair, reading))
    }

    /// In how many milliseconds one of those that wait may go on; `None` where none waits.
    pub(crate) fn next_in_ms(&self, now_ms: u64) -> Option<u64> {
        self.waiting.iter().map(|(pair, reading)| self.wait_ms(pair, reading, now_ms)).min()
    }

    fn wait_ms(&self, pair: &Pair, reading: &Reading, now_ms: u64) -> u64 {
        let Some(passed) = self.passed.get(pair) else { return 0 };
        if reading.mid().distance_ppm(passed.mid) >= u128::from(self.pace.moved_ppm) {
            return 0;
        }
        passed.when_ms.saturating_add(self.pace.every_ms).saturating_sub(now_ms)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use exchange::price::{Pair, Reading, SourceName};
    use money::{Asset, Timestamp};

    use super::Sieve;
    use crate::Pace;

    fn pair(code: &str) -> Pair {
        Pair { base: Asset::new(code, 8).unwrap(), quote: Asset::CNY }
    }

    fn reading(price: &str, at: u64) -> Reading {
        let rate = price.parse().unwrap();
        Reading { source: SourceName::new("a").unwrap(), bid: rate, ask: rate, at: Timestamp::from_ms(at) }
    }

    /// `now in CODE price` offers, `now` alone asks who goes on; what it says is compared with the part behind `=`.
    fn check(script: &str) {
        let mut sieve = Sieve::new(Pace { every_ms: 250, moved_ppm: 1_000 });
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (step, expect) = line.split_once('=').unwrap();
            let mut words = step.split_whitespace();
            let now = words.next().unwrap().parse().unwrap();
            if let (Some(code), Some(price)) = (words.next(), words.next()) {
                sieve.offer(pair(code), reading(price, now));
            }
            let mut said: Vec<String> = Vec::new();
            while let Some((pair, reading)) = sieve.next(now) {
                said.push(format!("{} {}", pair.base, reading.mid()));
            }
            if let Some(wait) = sieve.next_in_ms(now) {
                said.push(format!("in {wait}"));
            }
            assert_eq!(said.join(", "), expect.trim(), "{line}");
        }
    }

    #[test]
    fn one_goes_on_in_a_quarter_of_a_second_and_the_latest_waits() {
        check(
            "
            1000 BTC 100     = BTC 100
            1010 BTC 100.01  = in 240
            1020 ETH 5       = ETH 5, in 230
            1100 BTC 100.02  = in 150
            1249             = in 1
            1250             = BTC 100.02
            1260 BTC 100.03  = in 240
            1500             = BTC 100.03
            1501             =
        ",
        );
    }

    #[test]
    fn what_has_moved_does_not_wait() {
        check(
            "
            1000 BTC 100     = BTC 100
            1010 BTC 100.09  = in 240
            1020 BTC 100.1   = BTC 100.1
            1030 BTC 70      = BTC 70
            1040 BTC 70.01   = in 240
        ",
        );
    }

    #[test]
    fn a_source_that_stands_still_is_passed_over() {
        let mut sieve = Sieve::new(Pace::default());
        sieve.offer(pair("BTC"), reading("100", 7));
        assert!(sieve.next(0).is_some());
        sieve.offer(pair("BTC"), reading("200", 7));
        sieve.offer(pair("BTC"), reading("200", 6));
        assert_eq!(sieve.next_in_ms(0), None);
    }

    #[test]
    fn a_slow_sink_serves_the_pairs_in_turn() {
        let mut sieve = Sieve::new(Pace::default());
        let mut served: Vec<String> = Vec::new();
        for step in 1..=6 {
            // Each pair has news all the time, and only one goes on each second.
            for code in ["BTC", "ETH", "USDX"] {
                sieve.offer(pair(code), reading("100", step));
            }
            served.push(sieve.next(step.saturating_mul(1_000)).unwrap().0.base.to_string());
        }
        assert_eq!(served, ["BTC", "ETH", "USDX", "BTC", "ETH", "USDX"]);
    }
}
