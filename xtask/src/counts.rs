//! How many tests passed, read from what the runners print.
//!
//! Known closing lines: `test result: …` of cargo, `Tests  …` of vitest, `ℹ pass N` and `# pass N` of Node's own
//! runner. A test of ours that finds its outside data absent prints a line `skipped: …` and passes; it counts as
//! skipped and not as passed.

/// Numbers of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) const ONE_PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub(crate) const ONE_FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };

    pub(crate) fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }

    /// The closing line: `N passed, N failed`, and the skipped ones if there are any.
    pub(crate) fn line(self) -> String {
        let Self { passed, failed, skipped } = self;
        if skipped == 0 {
            format!("{passed} passed, {failed} failed")
        } else {
            format!("{passed} passed, {failed} failed, {skipped} skipped")
        }
    }
}

/// What our tests print in place of a check whose outside data is absent.
const SKIPPED: &str = "skipped: ";

/// Reads a runner's output line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    counts: Counts,
    /// Tests that skipped themselves.
    own_skipped: u64,
    skips: Vec<String>,
    /// Whether the test whose output is being read has been counted as skipped.
    in_skipped: bool,
    /// Whether the lines are those of a test binary of cargo, whose own output may look like another runner's closing line.
    in_cargo: bool,
}

impl Reader {
    pub(crate) fn read(&mut self, line: &str) {
        let plain = without_colours(line);
        let text = plain.trim();
        if text.starts_with("---- ") {
            self.in_skipped = false;
        } else if text.starts_with(SKIPPED) {
            if !std::mem::replace(&mut self.in_skipped, true) {
                self.own_skipped = self.own_skipped.saturating_add(1);
            }
            self.skips.push(text.to_owned());
        } else if begins_cargo(text) {
            self.in_cargo = true;
        } else if let Some(found) = closing_line(text) {
            let is_cargo = text.starts_with(CARGO_CLOSES);
            if self.in_cargo && !is_cargo {
                return;
            }
            self.in_cargo = false;
            self.in_skipped = false;
            self.counts.add(found);
        }
    }

    /// The tests counted. What skipped itself was counted as passed by its runner, and no longer is.
    pub(crate) fn counts(&self) -> Counts {
        let Counts { passed, failed, skipped } = self.counts;
        let own = self.own_skipped;
        Counts { passed: passed.saturating_sub(own), failed, skipped: skipped.saturating_add(own) }
    }

    /// What was skipped, in the tests' words.
    pub(crate) fn skips(&self) -> &[String] {
        &self.skips
    }
}

/// How cargo's closing line begins.
const CARGO_CLOSES: &str = "test result: ";

/// `running 27 tests`: the first line of a test binary.
fn begins_cargo(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("running ") else { return false };
    rest.split_once(' ')
        .is_some_and(|(count, word)| count.parse::<u64>().is_ok() && matches!(word, "test" | "tests"))
}

fn closing_line(text: &str) -> Option<Counts> {
    if let Some(rest) = text.strip_prefix(CARGO_CLOSES) {
        let rest = rest.split_once(". ").map_or(rest, |(_, numbers)| numbers);
        return Some(numbers_before(rest, ';', "ignored"));
    }
    if let Some(rest) = text.strip_prefix("Tests ").map(str::trim_start)
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        return Some(numbers_before(rest, '|', "skipped"));
    }
    let rest = text.strip_prefix("ℹ ").or_else(|| text.strip_prefix("# "))?;
    let (word, number) = rest.split_once(' ')?;
    let number = number.parse().ok()?;
    match word {
        "pass" => Some(Counts { passed: number, ..Counts::default() }),
        "fail" | "cancelled" => Some(Counts { failed: number, ..Counts::default() }),
        "skipped" | "todo" => Some(Counts { skipped: number, ..Counts::default() }),
        _ => None,
    }
}

/// Numbers followed by their words: `27 passed; 1 failed`.
fn numbers_before(text: &str, separator: char, skipped_word: &str) -> Counts {
    let mut counts = Counts::default();
    for part in text.split(separator) {
        let mut words = part.split_whitespace();
        let (Some(Ok(number)), Some(word)) = (words.next().map(str::parse), words.next()) else { continue };
        match word {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            word if word == skipped_word => counts.skipped = number,
            _ => {}
        }
    }
    counts
}

/// The line without terminal colours.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic());
        rest = end.and_then(|at| after.get(at.saturating_add(1)..)).unwrap_or("");
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::{Counts, Reader};

    fn check(lines: &str, expect: [u64; 3]) {
        let mut reader = Reader::default();
        lines.lines().for_each(|line| reader.read(line));
        let [passed, failed, skipped] = expect;
        assert_eq!(reader.counts(), Counts { passed, failed, skipped }, "{lines}");
    }

    #[test]
    fn closing_lines_of_each_runner() {
        check(
            "test result: ok. 27 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 1.30s\n\
             test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            [30, 1, 2],
        );
        check(" Test Files  7 passed (7)\n      Tests  34 passed (34)\n   Start at  10:00:00", [34, 0, 0]);
        check(
            "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[31m1 failed\u{1b}[39m\u{1b}[22m | 33 passed | 2 skipped (36)",
            [33, 1, 2],
        );
        check(
            "ℹ tests 9\nℹ pass 6\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0\nℹ duration_ms 3",
            [6, 2, 1],
        );
        check("# tests 2\n# pass 2\n# fail 0", [2, 0, 0]);
    }

    #[test]
    fn what_is_not_a_closing_line() {
        check("test a_test ... ok\nTests are good\n# pass the salt\n7 passed, 1 failed", [0, 0, 0]);
    }

    #[test]
    fn what_a_test_of_cargo_prints_is_not_a_closing_line() {
        check(
            "running 2 tests\ntest a ... ok\n---- a stdout ----\n# pass 3\n# fail 2\nℹ skipped 1\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured\n# pass 4",
            [6, 0, 0],
        );
    }

    #[test]
    fn a_test_without_its_data_is_skipped_once() {
        check(
            "---- a stdout ----\nskipped: vectors absent (a)\nskipped: vectors absent (b)\n---- c stdout ----\n\
             skipped: vectors absent (c)\ntest result: ok. 5 passed; 0 failed; 0 ignored; 0 measured",
            [3, 0, 2],
        );
    }

    #[test]
    fn the_line_at_the_end() {
        assert_eq!(Counts { passed: 2, failed: 0, skipped: 0 }.line(), "2 passed, 0 failed");
        assert_eq!(Counts { passed: 2, failed: 1, skipped: 3 }.line(), "2 passed, 1 failed, 3 skipped");
    }
}
