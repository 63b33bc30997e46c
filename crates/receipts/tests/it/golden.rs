//! Golden receipts, read by this crate and by the browser's verifier: good ones, and one for each way to alter a good one.
//!
//! `UPDATE_EXPECT=1` writes the files anew. The expected step of each case stands here by hand; it is not computed.

use std::path::PathBuf;

use receipts::{Checkpoint, NoteSigner, Receipt, Step, verify_receipt};
use serde_json::{Value, json};

use crate::support::{BANK, key, log, receipt, signer};

/// A golden file: compared, or written when asked.
fn check_file(name: &str, content: &str) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, content).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap();
    assert_eq!(stored, content, "{name} differs: look, then run again with UPDATE_EXPECT=1");
}

/// A receipt and the step at which it must be refused; none for a good one.
struct Case {
    name: String,
    receipt: Value,
    refused_at: Option<Step>,
}

struct Cases(Vec<Case>);

impl Cases {
    fn good(&mut self, name: &str, receipt: &Receipt) {
        let receipt = serde_json::to_value(receipt).unwrap();
        self.0.push(Case { name: name.to_owned(), receipt, refused_at: None });
    }

    /// The seventh leaf of eleven, with the value at `pointer` replaced.
    fn set(&mut self, step: Step, pointer: &str, value: Value) {
        let mut changed = serde_json::to_value(receipt(6, 11)).unwrap();
        let place = changed.pointer_mut(pointer).unwrap();
        assert_ne!(*place, value, "{pointer} is not changed");
        let name = format!("{pointer} is {value}");
        *place = value;
        self.0.push(Case { name, receipt: changed, refused_at: Some(step) });
    }

    fn remove(&mut self, pointer: &str, name: &str) {
        let mut changed = serde_json::to_value(receipt(6, 11)).unwrap();
        changed.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        let name = format!("{pointer}/{name} is missing");
        self.0.push(Case { name, receipt: changed, refused_at: Some(Step::Format) });
    }

    fn checkpoint(&mut self, step: Step, name: &str, note: impl Into<String>) {
        let mut changed = receipt(6, 11);
        changed.checkpoint = note.into();
        assert_ne!(changed, receipt(6, 11), "{name} is not changed");
        let receipt = serde_json::to_value(changed).unwrap();
        self.0.push(Case { name: format!("checkpoint: {name}"), receipt, refused_at: Some(step) });
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    for (index, size) in [(6, 11), (0, 1), (0, 11), (10, 11), (7, 8), (8, 9)] {
        cases.good(&format!("leaf {index} of {size}"), &receipt(index, size));
    }
    altered_shape(&mut cases);
    altered_entry(&mut cases);
    altered_proof(&mut cases);
    altered_checkpoint(&mut cases);
    cases.0
}

fn altered_shape(cases: &mut Cases) {
    let format = Step::Format;
    for whole in [json!(null), json!([]), json!("receipt"), json!({}), json!(1)] {
        let name = format!("the whole is {whole}");
        cases.0.push(Case { name, receipt: whole, refused_at: Some(format) });
    }
    for name in ["version", "bank", "entry", "leaf_index", "tree_size", "inclusion_proof", "checkpoint"] {
        cases.remove("", name);
    }
    for name in serde_json::to_value(receipt(6, 11)).unwrap()["entry"].as_object().unwrap().keys() {
        cases.remove("/entry", name);
        cases.set(format, &format!("/entry/{name}"), json!([]));
    }
    let mut more = serde_json::to_value(receipt(6, 11)).unwrap();
    more["signature"] = json!("x");
    cases.0.push(Case { name: "a key too many".into(), receipt: more.clone(), refused_at: Some(format) });
    more.as_object_mut().unwrap().remove("signature");
    more["entry"]["balance"] = json!("1.00");
    cases.0.push(Case { name: "an entry's key too many".into(), receipt: more, refused_at: Some(format) });
    for version in [json!(0), json!(2), json!("1"), json!(null)] {
        cases.set(format, "/version", version);
    }
    cases.set(format, "/bank", json!(7));
    cases.set(format, "/entry", json!([]));
    for index in [json!(11), json!(12), json!(-1), json!(1.5), json!("6"), json!(9_007_199_254_740_992_u64)] {
        cases.set(format, "/leaf_index", index);
    }
    for size in [json!(6), json!(0), json!(-11), json!(11.5), json!("11"), json!(9_007_199_254_740_992_u64)] {
        cases.set(format, "/tree_size", size);
    }
    for proof in [json!(null), json!({}), json!("x"), json!([1]), json!(["x"]), json!([""])] {
        cases.set(format, "/inclusion_proof", proof);
    }
    let hash = receipt(6, 11).inclusion_proof[0].to_string();
    for text in [hash.trim_end_matches('=').to_owned(), format!("{hash}="), format!(" {hash}"), "AAAA".into()]
    {
        cases.set(format, "/inclusion_proof/0", json!(text));
    }
    cases.set(format, "/entry/direction", json!("up"));
    cases.set(format, "/entry/journal_seq", json!(-1));
    cases.set(format, "/entry/journal_seq", json!("106"));
}

fn altered_entry(cases: &mut Cases) {
    let inclusion = Step::Inclusion;
    let other_values = [
        ("movement_id", "mov_0007"),
        ("payment_id", "pay_0006"),
        ("account_number", "6217000010001234568"),
        ("direction", "in"),
        ("kind", "withdrawal"),
        ("asset", "USD"),
        ("amount", "6001.07"),
        ("amount", "6001.060"),
        ("fee", "0.01"),
        ("counterparty_name", "Lin"),
        ("counterparty_name", "林 \u{1F3E6} \\ Ltd\n: x"),
        ("counterparty_account", ""),
        ("counterparty_bank", "OTHRCNSH"),
        ("note", "line one\nline two\\"),
        ("note", "line one\\nline two\\\\n"),
        ("recorded_at", "2026-03-01T08:00:06.126Z"),
        ("effective_at", "2026-03-02T00:00:00.000Z"),
    ];
    for (name, value) in other_values {
        cases.set(inclusion, &format!("/entry/{name}"), json!(value));
    }
    cases.set(inclusion, "/entry/journal_seq", json!(107));
    let no_form = [
        ("movement_id", ""),
        ("account_number", ""),
        ("kind", ""),
        ("kind", "Transfer"),
        ("asset", "cny"),
        ("amount", "-6001.06"),
        ("amount", "06001.06"),
        ("amount", "6001.06\n"),
        ("amount", "6,001.06"),
        ("amount", "６001.06"),
        ("fee", ""),
        ("fee", "0."),
        ("recorded_at", "2026-03-01T08:00:06Z"),
        ("effective_at", "2026-03-01"),
        ("effective_at", "2026-03-01T00:00:00.000Z\n"),
    ];
    for (name, value) in no_form {
        cases.set(Step::Leaf, &format!("/entry/{name}"), json!(value));
    }
    cases.set(Step::Leaf, "/entry/note", json!("林".repeat(342)));
    cases.set(inclusion, "/entry/note", json!("林".repeat(341)));
    cases.set(Step::Leaf, "/entry/journal_seq", json!(9_007_199_254_740_992_u64));
}

fn altered_proof(cases: &mut Cases) {
    let inclusion = Step::Inclusion;
    for index in [0, 5, 7, 10] {
        cases.set(inclusion, "/leaf_index", json!(index));
    }
    for size in [7, 10, 12, 9_007_199_254_740_991_u64] {
        cases.set(inclusion, "/tree_size", json!(size));
    }
    let proof = receipt(6, 11).inclusion_proof;
    let zero = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    for at in 0..proof.len() {
        cases.set(inclusion, &format!("/inclusion_proof/{at}"), zero.clone());
    }
    let reversed: Vec<_> = proof.iter().rev().collect();
    cases.set(inclusion, "/inclusion_proof", json!(reversed));
    cases.set(inclusion, "/inclusion_proof", json!(proof[1..]));
    cases.set(inclusion, "/inclusion_proof", json!([]));
    cases.set(inclusion, "/inclusion_proof", json!([&proof[..], &proof[..1]].concat()));
    cases.set(inclusion, "/inclusion_proof", json!(vec![proof[0]; 100]));
}

fn altered_checkpoint(cases: &mut Cases) {
    use Step::{Checkpoint as Sign, Format, Inclusion};
    let good = receipt(6, 11).checkpoint;
    let (text, line) = good.split_once("\n\n").unwrap();
    let root = log(11).head().root.to_string();
    let other_line = |seed: u8, name: &str| {
        let signer = NoteSigner::from_seed(name, &[seed; 32]).unwrap();
        signer.sign(&format!("{text}\n")).unwrap().split_once("\n\n").unwrap().1.to_owned()
    };
    cases.set(Sign, "/bank", json!("log.other.example"));
    cases.set(Sign, "/bank", json!(""));
    cases.checkpoint(Inclusion, "another root", good.replace(&root, &log(10).head().root.to_string()));
    cases.checkpoint(Inclusion, "another size", good.replace("\n11\n", "\n12\n"));
    cases.checkpoint(Inclusion, "a size above 2^53", good.replace("\n11\n", "\n9007199254740992\n"));
    cases.checkpoint(Sign, "another journal entry", good.replace("journal 111", "journal 112"));
    cases.checkpoint(
        Sign,
        "no journal entry",
        good.replace(&format!("journal 111 {}\n", "ab".repeat(32)), ""),
    );
    cases.checkpoint(Sign, "one more extension", good.replacen("\n\n", "\nmore\n\n", 1));
    cases.checkpoint(Sign, "another origin", good.replacen(BANK, "log.other.example", 1));
    cases.checkpoint(Sign, "signed by another key", format!("{text}\n\n{}", other_line(8, BANK)));
    cases.checkpoint(Sign, "signed under another name", format!("{text}\n\n{}", other_line(7, "other")));
    cases.checkpoint(Sign, "signed twice", format!("{good}{line}"));
    let first = line.find(BANK).unwrap() + BANK.len() + 9;
    let mut changed = line.to_owned();
    let other = if &line[first..=first] == "A" { "B" } else { "A" };
    changed.replace_range(first..=first, other);
    cases.checkpoint(Sign, "another signature", format!("{text}\n\n{changed}"));
    let older = Checkpoint::new(BANK, log(10).head(), None).unwrap().sign(&signer()).unwrap();
    cases.checkpoint(Inclusion, "true, of a smaller tree", older);
    cases.checkpoint(Format, "empty", "");
    cases.checkpoint(Format, "no blank line", good.replacen("\n\n", "\n", 1));
    cases.checkpoint(Format, "no last line end", good.trim_end());
    cases.checkpoint(Format, "line ends of another system", good.replace('\n', "\r\n"));
    cases.checkpoint(Format, "a tabulator", good.replace("journal ", "journal\t"));
    cases.checkpoint(Format, "no root", good.replace(&format!("{root}\n"), ""));
    cases.checkpoint(Format, "a size with a leading zero", good.replace("\n11\n", "\n011\n"));
    cases.checkpoint(Format, "a size above 64 bits", good.replace("\n11\n", "\n18446744073709551616\n"));
    cases.checkpoint(Format, "an empty extension line", good.replacen("\n\n", "\n\nx\n\n\n", 1));
    cases.checkpoint(Format, "a journal hash in capitals", good.replace("abab", "ABAB"));
    cases.checkpoint(Format, "a short journal hash", good.replacen("ab\n", "\n", 1));
    cases.checkpoint(
        Format,
        "a signature that is not base64",
        good.replace("\u{2014} log.jinku.example ", "\u{2014} log.jinku.example *"),
    );
    cases.checkpoint(Format, "a dash of another length", good.replace('\u{2014}', "\u{2013}"));
    cases.checkpoint(Format, "too long", format!("{}{good}", "x".repeat(17_000)));
    cases.checkpoint(Format, "too many signatures", format!("{good}{}", "\u{2014} w AAAAAAE=\n".repeat(16)));
}

#[test]
fn golden_files() {
    check_file("vkey.txt", &format!("{}\n", key()));
    check_file("receipt.json", &receipt(6, 11).to_json().unwrap());
    let cases: Vec<_> = cases()
        .into_iter()
        .map(|case| json!({ "name": case.name, "refused_at": case.refused_at.map(Step::name), "receipt": case.receipt }))
        .collect();
    check_file("cases.json", &(serde_json::to_string_pretty(&cases).unwrap() + "\n"));
}

#[test]
fn every_case_ends_at_its_step() {
    let cases = cases();
    let names: std::collections::BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    for case in &cases {
        let file = serde_json::to_vec(&case.receipt).unwrap();
        let checked = Receipt::parse(&file).and_then(|receipt| verify_receipt(&receipt, &key()));
        let refused_at = checked.as_ref().err().map(receipts::ReceiptError::step);
        assert_eq!(refused_at, case.refused_at, "{}: {checked:?}", case.name);
        if let Ok(steps) = checked {
            let steps: Vec<_> = steps.iter().map(|step| step.step.name()).collect();
            assert_eq!(steps, ["format", "leaf", "inclusion", "checkpoint"]);
        }
    }
    println!("receipt cases: {}", cases.len());
}

#[test]
fn another_key_accepts_nothing() {
    let other = NoteSigner::from_seed(BANK, &[8; 32]).unwrap();
    let fault = verify_receipt(&receipt(6, 11), other.verifier()).unwrap_err();
    assert_eq!(fault.step(), Step::Checkpoint);
    let renamed = NoteSigner::from_seed("other", &[7; 32]).unwrap();
    let fault = verify_receipt(&receipt(6, 11), renamed.verifier()).unwrap_err();
    assert_eq!(fault.step(), Step::Checkpoint);
}
