//! Runs libxml2 (through Python's lxml) over the same messages, where it is installed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Verdict of the second validator: valid or not, and its reason.
pub(crate) type Opinions = BTreeMap<String, (bool, String)>;

/// The second verdict on every message; `None` where lxml is absent, which CI does not tolerate.
pub(crate) fn of(schemas: &Path, label: &str, messages: &[(String, Vec<u8>)]) -> Option<Opinions> {
    let input =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{label}-{}.bin", std::process::id()));
    let mut bytes = Vec::new();
    for (name, message) in messages {
        bytes.extend_from_slice(format!("{name}\t{}\n", message.len()).as_bytes());
        bytes.extend_from_slice(message);
    }
    std::fs::write(&input, bytes).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/second_opinion.py");
    let run = Command::new("python3").arg(script).arg(schemas).arg(&input).output();
    std::fs::remove_file(&input).unwrap();
    let absent = match &run {
        Err(_) => true,
        Ok(output) => output.status.code() == Some(77),
    };
    if absent {
        assert!(std::env::var_os("CI").is_none(), "python3 with lxml is needed in CI");
        println!("skipped: python3 with lxml absent ({label})");
        return None;
    }
    let output = run.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut opinions = Opinions::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut fields = line.splitn(3, '\t');
        let name = fields.next().unwrap().to_owned();
        let valid = fields.next().unwrap() == "valid";
        opinions.insert(name, (valid, fields.next().unwrap_or("").to_owned()));
    }
    assert_eq!(opinions.len(), messages.len(), "a verdict is missing");
    Some(opinions)
}

/// Fails with every message on which the two disagree.
pub(crate) fn compare(ours: &[(String, Result<(), String>)], theirs: &Opinions) {
    let mut differences = String::new();
    for (name, verdict) in ours {
        let (valid, reason) = &theirs[name];
        if verdict.is_ok() != *valid {
            let ours = verdict.as_ref().err().map_or("valid", String::as_str);
            writeln!(differences, "{name}\n  ours: {ours}\n  libxml2: valid={valid} {reason}").unwrap();
        }
    }
    assert!(differences.is_empty(), "verdicts differ:\n{differences}");
}
