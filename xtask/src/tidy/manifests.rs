//! Rules about the crates' manifests, and about the list of dependencies in the root manifest.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{Fault, File};

/// The pure crates: no clock, file, thread or map that can be iterated by its hash; their `clippy.toml` says so.
const PURE: [&str; 6] = ["money", "ledger", "identity", "payments", "settlement", "bank"];

/// A crate of the workspace.
pub(super) struct Member {
    pub(super) name: String,
    /// From the root.
    pub(super) manifest: String,
    pub(super) dependencies: Vec<Dependency>,
    description: String,
}

/// What it depends on.
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) is_dev: bool,
    pub(super) is_ours: bool,
}

/// The crates of the workspace as cargo knows them.
pub(super) fn members(metadata: &Value, root: &Path) -> Vec<Member> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or("").to_owned();
    let dependency = |value: &Value| Dependency {
        name: text(value, "name"),
        is_dev: value["kind"] == "dev",
        is_ours: value["path"].is_string(),
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let member = |package: &Value| {
        let manifest = text(package, "manifest_path");
        let manifest =
            Path::new(&manifest).strip_prefix(root).unwrap_or(Path::new(&manifest)).display().to_string();
        let dependencies = list(&package["dependencies"]).iter().map(dependency).collect();
        Member {
            name: text(package, "name"),
            manifest,
            dependencies,
            description: text(package, "description"),
        }
    };
    list(&metadata["packages"]).iter().map(member).collect()
}

/// Checks every manifest.
pub(super) fn check(files: &[File], metadata: &Value, root: &Path) -> Vec<Fault> {
    let members = members(metadata, root);
    let mut faults = Vec::new();
    for member in &members {
        faults.extend(check_member(member, files));
    }
    if let Some(manifest) = files.iter().find(|file| file.path == "Cargo.toml") {
        let used: BTreeSet<&str> =
            members.iter().flat_map(|m| &m.dependencies).map(|d| d.name.as_str()).collect();
        faults.extend(check_reasons(manifest, &used));
    }
    faults
}

fn check_member(member: &Member, files: &[File]) -> Vec<Fault> {
    let mut messages = Vec::new();
    let folder = member.manifest.strip_suffix("/Cargo.toml").unwrap_or("");
    if member.description.trim().is_empty() {
        messages.push("has no description".to_owned());
    }
    if folder.rsplit('/').next() != Some(&member.name) {
        messages.push(format!("crate {} is not in a folder of its name", member.name));
    }
    let manifest = files.iter().find(|file| file.path == member.manifest);
    if !manifest.is_some_and(inherits_lints) {
        messages.push("does not inherit the workspace's lints".to_owned());
    }
    let bans = format!("{folder}/clippy.toml");
    let has_bans = files.iter().any(|file| {
        file.path == bans
            && file.text.as_deref().is_some_and(|text| text.contains("std::collections::HashMap"))
    });
    if PURE.contains(&member.name.as_str()) && !has_bans {
        messages.push(
            "is a pure crate, but no clippy.toml beside it bans clocks, files and hash maps".to_owned(),
        );
    }
    messages.into_iter().map(|message| Fault::new(&member.manifest, 1, message)).collect()
}

fn inherits_lints(manifest: &File) -> bool {
    let mut section = "";
    for (_, line) in manifest.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line;
        }
        let line: String = line.split_whitespace().collect();
        if (section == "[lints]" && line == "workspace=true")
            || (section.is_empty() && line == "lints.workspace=true")
        {
            return true;
        }
    }
    false
}

/// Every dependency of the workspace has a reason above it or above its group, and somebody who uses it.
fn check_reasons(manifest: &File, used: &BTreeSet<&str>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (mut in_list, mut has_reason) = (false, false);
    for (number, line) in manifest.lines() {
        if line.starts_with('[') {
            in_list = line == "[workspace.dependencies]";
            has_reason = false;
        } else if line.trim().is_empty() {
            has_reason = false;
        } else if line.starts_with('#') {
            has_reason = true;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| in_list) {
            let name = name.trim();
            if !has_reason {
                faults.push(Fault::new(
                    &manifest.path,
                    number,
                    format!("dependency {name} has no reason above it"),
                ));
            }
            if !value.contains("path =") && !used.contains(name) {
                faults.push(Fault::new(
                    &manifest.path,
                    number,
                    format!("dependency {name} is used by no crate"),
                ));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::check;
    use crate::tidy::testing::{self, file};

    const LINTS: &str = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";

    fn verdict(name: &str, description: &str, files: &[(&str, &str)], expect: &[&str]) {
        let metadata = json!({"packages": [{
            "name": name, "manifest_path": "/r/crates/ledger/Cargo.toml", "description": description,
            "dependencies": [{"name": "used", "kind": null}],
        }]});
        let files: Vec<_> = files.iter().map(|(path, text)| file(path, text)).collect();
        testing::check(check(&files, &metadata, Path::new("/r")), expect);
    }

    #[test]
    fn manifests_of_crates() {
        let at = "crates/ledger/Cargo.toml";
        let bans = ("crates/ledger/clippy.toml", "disallowed-types = [\"std::collections::HashMap\"]");
        verdict("ledger", "d", &[(at, LINTS), bans], &[]);
        verdict("ledger", "d", &[(at, "lints.workspace = true\n[package]\n"), bans], &[]);
        verdict("ledger", " ", &[(at, LINTS), bans], &["crates/ledger/Cargo.toml:1: has no description"]);
        verdict(
            "other",
            "d",
            &[(at, LINTS)],
            &["crates/ledger/Cargo.toml:1: crate other is not in a folder"],
        );
        verdict(
            "ledger",
            "d",
            &[(at, "[lints.rust]\nworkspace = true"), bans],
            &["crates/ledger/Cargo.toml:1: does not inherit"],
        );
        verdict("ledger", "d", &[(at, LINTS)], &["crates/ledger/Cargo.toml:1: is a pure crate"]);
    }

    #[test]
    fn reasons_of_dependencies() {
        let at = "crates/ledger/Cargo.toml";
        let bans = ("crates/ledger/clippy.toml", "std::collections::HashMap");
        let root = |list: &str, expect: &[&str]| {
            let text = format!("[workspace]\nmembers = []\n\n[workspace.dependencies]\n{list}");
            verdict("ledger", "d", &[(at, LINTS), bans, ("Cargo.toml", &text)], expect);
        };
        root("# Why.\nused = \"1\"\n\n# --- ours ---\nours = { path = \"crates/ours\" }\n", &[]);
        root("used = \"1\"\n", &["Cargo.toml:5: dependency used has no reason"]);
        root("# Why.\n\nused = \"1\"\n", &["Cargo.toml:7: dependency used has no reason"]);
        root("# Why.\nused = \"1\"\nidle = \"1\"\n", &["Cargo.toml:7: dependency idle is used by no crate"]);
    }
}
