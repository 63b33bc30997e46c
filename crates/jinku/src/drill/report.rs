//! The written result of a drill: for people, and for programs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

/// Something that took time.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// What was done.
    pub what: String,
    /// Milliseconds.
    pub ms: u128,
}

/// Something that must hold.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What.
    pub what: String,
    /// Whether it does.
    pub holds: bool,
    /// The figures, or what was found instead.
    pub found: String,
}

/// A drill's result.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which drill.
    pub drill: String,
    /// When it was begun, RFC 3339.
    pub begun_at: String,
    /// The bank's clearing number.
    pub bank: String,
    /// Records of the journal.
    pub records: u64,
    /// Whether everything holds.
    pub passed: bool,
    /// What was done.
    pub steps: Vec<Step>,
    /// What was compared.
    pub checks: Vec<Check>,
}

impl Report {
    pub(super) fn check(&mut self, what: &str, holds: bool, found: impl Into<String>) {
        self.checks.push(Check { what: what.to_owned(), holds, found: found.into() });
    }

    pub(super) fn step(&mut self, what: impl Into<String>, started: std::time::Instant) {
        self.steps.push(Step { what: what.into(), ms: started.elapsed().as_millis() });
    }

    /// In words.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines =
            vec![format!("Drill \"{}\" of bank {}, {}", self.drill, self.bank, self.begun_at), String::new()];
        lines.extend(self.steps.iter().map(|step| format!("{:>8} ms  {}", step.ms, step.what)));
        lines.push(String::new());
        lines.extend(self.checks.iter().map(|check| {
            let verdict = if check.holds { "ok      " } else { "DIFFERS " };
            format!("{verdict} {}: {}", check.what, check.found)
        }));
        lines.push(String::new());
        let failed = self.checks.iter().filter(|check| !check.holds).count();
        lines.push(if self.passed {
            format!("PASSED: a bank of {} records was restored and is the same bank.", self.records)
        } else {
            format!("FAILED: {failed} of {} checks do not hold.", self.checks.len())
        });
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Writes both forms into a folder; answers with the name of the one in words.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        let at: String = self.begun_at.chars().filter(char::is_ascii_alphanumeric).collect();
        let path = folder.join(format!("{}-{at}.txt", self.drill));
        let fault = || format!("write {}", path.display());
        fs::write(&path, self.text()).with_context(fault)?;
        let json = format!("{}\n", serde_json::to_string_pretty(self)?);
        fs::write(path.with_extension("json"), json).with_context(fault)?;
        Ok(path)
    }
}
