//! Which crate of ours may depend on which: the one-way layers of ARCHITECTURE.md as data.

use std::path::Path;

use serde_json::Value;

use super::Fault;

/// What one crate may use of ours.
struct Edges {
    name: &'static str,
    normal: &'static [&'static str],
    /// Beyond those, in its tests.
    tests: &'static [&'static str],
}

const fn edges(name: &'static str, normal: &'static [&'static str], tests: &'static [&'static str]) -> Edges {
    Edges { name, normal, tests }
}

/// One line per crate. A new edge is a decision about the architecture: change ARCHITECTURE.md in the same commit.
#[rustfmt::skip]
const ALLOWED: [Edges; 25] = [
    // vocabulary
    edges("money", &[], &[]),
    // machines: never each other; orders that move money may use the ledger's posting types
    edges("ledger", &["money"], &[]),
    edges("identity", &["money"], &[]),
    edges("payments", &["money", "ledger"], &[]),
    edges("settlement", &["money", "ledger"], &[]),
    edges("cells", &["money", "ledger"], &[]),
    edges("exchange", &["money", "ledger"], &[]),
    // pure libraries: know no machine
    edges("iso20022", &[], &[]),
    edges("cnaps", &["iso20022"], &[]),
    edges("receipts", &[], &[]),
    edges("passkey", &[], &[]),
    // composer
    edges("bank", &["money", "ledger", "identity", "payments", "settlement", "cells", "exchange", "passkey"], &["journal"]),
    // shell
    edges("journal", &[], &[]),
    edges("replica", &["journal"], &[]),
    edges("node", &["money", "bank", "identity", "exchange", "journal"], &["ledger", "payments", "settlement", "passkey"]),
    edges("rails", &["money", "bank", "identity", "payments", "settlement", "node", "cnaps", "iso20022"], &["ledger", "passkey", "journal", "sandbox"]),
    edges("projections", &["money", "bank", "ledger", "identity", "payments", "settlement", "exchange", "node", "receipts", "journal"], &["passkey"]),
    edges("api", &["money", "bank", "ledger", "identity", "payments", "settlement", "exchange", "node", "projections", "receipts", "passkey"], &["journal", "rails", "sandbox"]),
    edges("fix", &[], &[]),
    edges("feeds", &["money", "exchange"], &["sandbox"]),
    edges("jinku", &["money", "bank", "ledger", "identity", "payments", "settlement", "cells", "exchange", "iso20022", "cnaps", "receipts", "passkey", "journal", "replica", "node", "rails", "projections", "api", "feeds", "fix"], &["sandbox"]),
    // counterparties: a separate process, so that nothing of the bank can lean on it
    edges("sandbox", &["money", "cnaps", "iso20022"], &["passkey"]),
    // tools
    edges("sim", &["money", "bank", "ledger", "cells", "identity", "payments", "settlement", "exchange", "cnaps", "iso20022", "passkey", "journal", "node", "rails", "sandbox"], &["receipts", "projections"]),
    edges("fuzz", &["money", "bank", "ledger", "exchange", "iso20022", "cnaps", "feeds", "fix", "receipts", "passkey", "journal", "jinku", "sim"], &[]),
    edges("xtask", &[], &[]),
];

/// Compares the table with the members' manifests.
pub(super) fn check(metadata: &Value, root: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    for member in super::manifests::members(metadata, root) {
        let Some(allowed) = ALLOWED.iter().find(|edges| edges.name == member.name) else {
            let message = format!("crate {} has no line in xtask/src/tidy/edges.rs", member.name);
            faults.push(Fault::new(&member.manifest, 1, message));
            continue;
        };
        for dependency in &member.dependencies {
            let is_normal = allowed.normal.contains(&dependency.name.as_str());
            let is_tests = dependency.is_dev && allowed.tests.contains(&dependency.name.as_str());
            if dependency.is_ours && !is_normal && !is_tests {
                let tests = if dependency.is_dev { ", also in its tests" } else { "" };
                let message = format!("{} may not depend on {}{tests}", member.name, dependency.name);
                faults.push(Fault::new(&member.manifest, 1, message));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::{ALLOWED, check};
    use crate::tidy::testing;

    fn member(name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> = dependencies
            .iter()
            .map(|(name, kind)| json!({"name": name, "kind": kind, "path": format!("/r/crates/{name}")}))
            .collect();
        let manifest = format!("/r/crates/{name}/Cargo.toml");
        json!({"packages": [
            {"name": name, "manifest_path": manifest, "description": "d", "dependencies": dependencies}
        ]})
    }

    fn verdict(name: &str, dependencies: &[(&str, Option<&str>)], expect: &[&str]) {
        testing::check(check(&member(name, dependencies), Path::new("/r")), expect);
    }

    #[test]
    fn edges_of_the_layers() {
        verdict("payments", &[("money", None), ("ledger", None)], &[]);
        verdict("rails", &[("sandbox", Some("dev"))], &[]);
        verdict(
            "payments",
            &[("settlement", None)],
            &["crates/payments/Cargo.toml:1: payments may not depend on settlement"],
        );
        verdict("jinku", &[("sandbox", None)], &["crates/jinku/Cargo.toml:1: jinku may not"]);
        verdict(
            "ledger",
            &[("bank", Some("dev"))],
            &["crates/ledger/Cargo.toml:1: ledger may not depend on bank, also"],
        );
        verdict("newcomer", &[], &["crates/newcomer/Cargo.toml:1: crate newcomer has no line"]);
    }

    /// The table itself must have no way round: a crate comes after everything that it uses.
    #[test]
    fn the_table_is_one_way() {
        for edges in &ALLOWED {
            for used in edges.normal {
                let back = ALLOWED.iter().find(|other| other.name == *used).map(|other| other.normal);
                assert!(back.is_some_and(|back| !back.contains(&edges.name)), "{} and {used}", edges.name);
            }
        }
    }
}
