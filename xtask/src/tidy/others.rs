//! Rules about others' crates: where they come from, their licences, and those that are not to be used.

use serde_json::Value;

use super::Fault;

/// Licences that fit an Apache-2.0 program that is passed on as source and as binary.
const LICENCES: [&str; 15] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "ISC",
    "Zlib",
    "0BSD",
    "Unlicense",
    "Unicode-3.0",
    "CC0-1.0",
    // Weak copyleft by file: its files are used unchanged.
    "MPL-2.0",
];

/// Crates that may not come in by any way, with the reason.
const BANNED: [(&str, &str); 6] = [
    ("openssl-sys", "a C crypto library; rustls with ring does this"),
    ("aws-lc-sys", "a C crypto library; rustls with ring does this"),
    ("native-tls", "a C crypto library; rustls with ring does this"),
    ("multi-party-ecdsa", "unmaintained, with known key-extraction faults"),
    ("sl-dkls23", "its licence forbids commercial use"),
    (
        "rust_decimal",
        "amounts are integers with an asset; a second kind of number would need rules of its own",
    ),
];

/// Where crates may come from: the registry that cargo uses by default.
const SOURCE: &str = "registry+";

/// Judges every crate of others that is part of the build.
pub(super) fn check(metadata: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let text = |key: &str| package[key].as_str().unwrap_or("");
        let Some(source) = package["source"].as_str() else { continue };
        let mut fault = |message: String| faults.push(Fault::new("Cargo.lock", 1, message));
        let name = format!("{} {}", text("name"), text("version"));
        if !source.starts_with(SOURCE) {
            fault(format!("{name} comes from {source}, not from the registry"));
        }
        if let Some((_, reason)) = BANNED.iter().find(|(banned, _)| *banned == text("name")) {
            fault(format!("{name} is not to be used: {reason}"));
        }
        if !may_be_used(text("license")) {
            fault(format!("{name} has the licence {:?}, which is not on the list", text("license")));
        }
    }
    faults
}

/// Whether one way to read a licence expression has only licences of the list. Brackets occur around alternatives only,
/// so that it is enough to read them as separate conditions.
fn may_be_used(expression: &str) -> bool {
    let any = |part: &str| {
        let alternatives = part.split(" OR ").flat_map(|one| one.split('/'));
        alternatives.map(|one| one.trim_matches(['(', ')', ' '])).any(|one| LICENCES.contains(&one))
    };
    if expression.contains('(') {
        return expression.split(" AND ").all(any);
    }
    expression.split(" OR ").any(|one| one.split(" AND ").all(any))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, may_be_used};
    use crate::tidy::testing;

    fn verdict(name: &str, source: &str, licence: &str, expect: &[&str]) {
        let package = json!({"name": name, "version": "1.0.0", "source": source, "license": licence});
        testing::check(check(&json!({"packages": [package, {"name": "ours", "source": null}]})), expect);
    }

    #[test]
    fn crates_of_others() {
        verdict("good", "registry+x", "MIT OR Apache-2.0", &[]);
        verdict("good", "git+x", "MIT", &["Cargo.lock:1: good 1.0.0 comes from git+x"]);
        verdict("openssl-sys", "registry+x", "MIT", &["Cargo.lock:1: openssl-sys 1.0.0 is not to be used"]);
        verdict(
            "bad",
            "registry+x",
            "AGPL-3.0-only",
            &["Cargo.lock:1: bad 1.0.0 has the licence \"AGPL-3.0-only\""],
        );
        verdict("bad", "registry+x", "", &["Cargo.lock:1: bad 1.0.0 has the licence \"\""]);
    }

    #[test]
    fn expressions() {
        for (expression, expect) in [
            ("MIT/Apache-2.0", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("GPL-3.0 OR MIT", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR Apache-2.0) AND GPL-3.0", false),
            ("MIT AND BSD-3-Clause", true),
        ] {
            assert_eq!(may_be_used(expression), expect, "{expression}");
        }
    }
}
