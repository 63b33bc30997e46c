//! Runs every scenario and compares it with what its file says.
//!
//! A scenario is a text file: comments (`#`), steps, and under each step, indented, what followed. The runner carries the steps out, writes
//! the file anew and compares. `UPDATE_EXPECT=1 cargo test -p bank` accepts what follows now.
#![expect(
    clippy::disallowed_methods,
    reason = "the runner reads and writes its files; the bank it tests does not"
)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::steps::Scenario;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// The text of a scenario with what follows now under each step.
fn rendered(text: &str) -> String {
    let mut scenario = Scenario::new();
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with("  ")) {
        out.push_str(line);
        out.push('\n');
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        for followed in scenario.step(line) {
            out.push_str("  ");
            out.push_str(&followed);
            out.push('\n');
        }
    }
    scenario.bench.check_snapshot();
    scenario.bench.check_audit();
    out
}

/// The first line that differs, with the step it belongs to.
fn first_difference(expected: &str, found: &str) -> String {
    let mut step = "";
    for (expected, found) in expected.lines().chain(std::iter::repeat("")).zip(found.lines().chain([""])) {
        if !found.starts_with("  ") {
            step = found;
        }
        if expected != found {
            return format!("at `{step}`\n  expected: {expected}\n  found:    {found}");
        }
    }
    "only in length".to_owned()
}

#[test]
fn every_scenario_goes_as_its_file_says() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jk"));
    files.sort();
    assert!(files.len() >= 30, "only {} scenarios were found", files.len());
    let mut differ = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let expected = fs::read_to_string(&path).unwrap();
        let found = std::panic::catch_unwind(|| rendered(&expected))
            .unwrap_or_else(|_| panic!("scenario {name} stopped, see above"));
        if found == expected {
            continue;
        }
        if update {
            fs::write(&path, found).unwrap();
        } else {
            differ.push(format!("{name} {}", first_difference(&expected, &found)));
        }
    }
    assert!(differ.is_empty(), "UPDATE_EXPECT=1 accepts these:\n{}", differ.join("\n"));
}
