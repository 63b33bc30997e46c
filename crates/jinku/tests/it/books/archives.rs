//! Sealed days in cold storage: files that prove themselves, continue each other, and show every change.

use std::fs;
use std::path::{Path, PathBuf};

use jinku::archive::{self, check_file};
use jinku::audit::{Findings, audit_with};
use jinku::serve;

use super::*;

/// A bank with two sealed days, entries before, between and after them.
fn sealed(name: &str) -> (Served, PathBuf) {
    let bank = Served::new(name);
    bank.furnish();
    let seal = |date: &str| assert_eq!(bank.post(0, "/seal", &format!(r#"{{"date":"{date}"}}"#)).status, 200);
    seal("2026-05-01");
    let rows: Vec<String> = (0..40).map(|number| pay(200 + number, 1, 2, "1.00")).collect();
    bank.take(7, 200, &rows);
    seal("2026-05-04");
    bank.take(7, 201, &[pay(300, 2, 1, "1.00")]);
    let cold = bank.scratch.path().join("cold");
    (bank, cold)
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = files.filter(|name| name != "lock").collect();
    names.sort();
    names
}

fn verify(file: &Path, key: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_jinku"))
        .arg("verify")
        .arg(file)
        .args(["--key", key])
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn audited(bank: &Served, cold: &Path) -> Findings {
    audit_with(&bank.installation.folder, Some(cold)).unwrap()
}

#[test]
fn sealed_days_are_archived_beside_the_running_bank_and_prove_themselves() {
    let (mut bank, cold) = sealed("books-archive");
    let made = archive::make(&bank.installation.folder, &cold).unwrap();
    let expected = ["sealed-000001-2026-05-01.archive", "sealed-000002-2026-05-04.archive"];
    assert_eq!(names(&cold), expected);
    let titles: Vec<_> = made.files.iter().map(|(_, title)| title).collect();
    assert_eq!((titles[0].before_seq, titles[0].entries), (0, 3), "the opening capital and two of ours");
    assert_eq!((titles[1].entries, titles[1].from_day.as_deref()), (40, Some("2026-05-02")));
    assert_eq!((titles[0].last_seq, &titles[0].last_hash), (titles[1].before_seq, &titles[1].before_hash));
    let key = serve::log_signer(&bank.installation).unwrap().verifier().to_string();
    let (fine, words) = verify(&cold.join(expected[1]), &key);
    assert!(fine && words.contains("2026-05-02 to 2026-05-04") && words.contains("40 entries"), "{words}");
    let stranger = receipts::NoteSigner::from_seed("localhost/jinku-log", &[3; 32]).unwrap();
    let (fine, words) = verify(&cold.join(expected[1]), &stranger.verifier().to_string());
    assert!(!fine && words.contains("title"), "{words}");
    // Once more adds nothing and changes nothing.
    let before: Vec<Vec<u8>> = expected.iter().map(|name| fs::read(cold.join(name)).unwrap()).collect();
    let again = archive::make(&bank.installation.folder, &cold).unwrap();
    assert_eq!((again.files.len(), again.were_there), (0, 2));
    for (name, bytes) in expected.iter().zip(before) {
        assert_eq!(fs::read(cold.join(name)).unwrap(), bytes);
    }
    bank.stop();
    let findings = audited(&bank, &cold);
    assert_eq!(findings.failed, Vec::<String>::new());
    assert!(findings.passed.iter().any(|line| line.contains("2 seals")), "{:?}", findings.passed);
    assert!(findings.passed.iter().any(|line| line.contains("archive: 2 files")), "{:?}", findings.passed);
}

#[test]
fn every_changed_byte_of_an_archive_is_found_and_named() {
    let (bank, cold) = sealed("books-tamper");
    archive::make(&bank.installation.folder, &cold).unwrap();
    let key = serve::log_signer(&bank.installation).unwrap().verifier().clone();
    let path = cold.join("sealed-000002-2026-05-04.archive");
    let good = fs::read(&path).unwrap();
    let ends = good.len() - 4;
    let title = ends - u32::from_be_bytes(good[ends..].try_into().unwrap()) as usize;
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        let error = archive::check(bytes.as_slice(), &key).unwrap_err().to_string();
        let place = match at {
            0..48 => "bytes",
            _ if at < title => "block",
            _ => "title",
        };
        assert!(error.contains(place), "byte {at}: {error}");
    }
    for len in [0, 7, 48, 64, 200, title, ends, good.len() - 1] {
        assert!(archive::check(&good[..len], &key).is_err(), "cut to {len}");
    }
    let longer = [good.as_slice(), &[0]].concat();
    assert!(archive::check(longer.as_slice(), &key).is_err());
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    let (fine, words) = verify(&path, &key.to_string());
    assert!(!fine && words.contains("FAILED"), "{words}");
    assert!(archive::make(&bank.installation.folder, &cold).is_err(), "a damaged file is not passed over");
}

#[test]
fn an_interrupted_archive_leaves_nothing_half_and_one_that_does_not_continue_is_found() {
    let (mut bank, cold) = sealed("books-gaps");
    archive::make(&bank.installation.folder, &cold).unwrap();
    let [first, second] = ["sealed-000001-2026-05-01.archive", "sealed-000002-2026-05-04.archive"];
    // What a killed run leaves has no last name, and the next run writes it anew.
    let half = fs::read(cold.join(second)).unwrap()[..60].to_vec();
    fs::remove_file(cold.join(second)).unwrap();
    fs::write(cold.join(format!("{second}.partial")), half).unwrap();
    bank.stop();
    let findings = audited(&bank, &cold);
    assert!(findings.is_clean(), "{:?}", findings.failed);
    assert!(findings.passed.iter().any(|line| line.contains("is not made yet")), "{:?}", findings.passed);
    archive::make(&bank.installation.folder, &cold).unwrap();
    assert_eq!(names(&cold), [first, second]);
    let check = |expect: &str| {
        let failed = audited(&bank, &cold).failed;
        assert!(failed.iter().any(|line| line.contains(expect)), "{failed:?}");
    };
    let whole = fs::read(cold.join(first)).unwrap();
    fs::remove_file(cold.join(first)).unwrap();
    check("is missing ahead of");
    fs::copy(cold.join(second), cold.join(first)).unwrap();
    check("is of another history");
    assert!(archive::make(&bank.installation.folder, &cold).is_err());
    fs::write(cold.join(first), &whole).unwrap();
    fs::write(cold.join("sealed-000009-2026-05-09.archive"), &whole).unwrap();
    check("is about no seal");
    fs::remove_file(cold.join("sealed-000009-2026-05-09.archive")).unwrap();
    assert!(audited(&bank, &cold).is_clean());
    let key = serve::log_signer(&bank.installation).unwrap().verifier().clone();
    assert_eq!(check_file(&cold.join(first), &key).unwrap().seal, 1);
}

#[test]
fn an_archive_that_is_killed_leaves_whole_files_or_none() {
    let bank = Served::new("books-killed");
    bank.furnish();
    let seal = |date: &str| assert_eq!(bank.post(0, "/seal", &format!(r#"{{"date":"{date}"}}"#)).status, 200);
    for (request, date) in (0..3).zip(["2026-05-01", "2026-05-02", "2026-05-03"]) {
        let from = 10_000 + request * 4_000;
        let rows: Vec<String> =
            (from..from + 4_000).map(|number| pay(number, 1 + number % 2, 2 - number % 2, "0.01")).collect();
        bank.take(7, 300 + request, &rows);
        seal(date);
    }
    let cold = bank.scratch.path().join("cold");
    let key = serve::log_signer(&bank.installation).unwrap().verifier().clone();
    let (mut kills, mut pause) = (0, std::time::Duration::from_millis(5));
    loop {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jinku"));
        command.arg("archive").arg("--data").arg(&bank.installation.folder).arg("--to").arg(&cold);
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(pause);
        let is_over = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        let status = child.wait().unwrap();
        if cold.is_dir() {
            for name in names(&cold).iter().filter(|name| name.ends_with(".archive")) {
                check_file(&cold.join(name), &key).unwrap();
            }
        }
        if is_over {
            assert!(status.success());
            break;
        }
        kills += 1;
        pause = pause * 4 / 3;
    }
    assert!(kills > 3, "{kills} kills");
    let whole = names(&cold);
    assert_eq!(whole.len(), 3, "{whole:?}");
    let total: u64 = whole.iter().map(|name| check_file(&cold.join(name), &key).unwrap().entries).sum();
    assert_eq!(total, 12_003);
    assert!(audited(&bank, &cold).is_clean());
}

#[test]
fn a_seal_that_names_what_the_journal_does_not_have_is_found() {
    let mut bank = Served::new("books-false-seal");
    bank.furnish();
    bank.stop();
    let node = serve::start_node(&bank.installation, std::sync::Arc::new(node::SystemClock)).unwrap();
    let seal = ledger::Command::Seal {
        through: money::Timestamp::from_ms(1_777_000_000_000),
        mark: ledger::JournalMark { seq: 2, hash: [7; 32] },
    };
    let submission = bank::Submission {
        id: CommandId::new(1 << 99),
        actor: identity::Actor::Operator(money::Text::clip("false")),
        command: bank::Command::Ledger(seal),
    };
    node.handle().submit(submission).unwrap();
    drop(node);
    let findings = audit_with(&bank.installation.folder, None).unwrap();
    assert!(
        findings.failed.iter().any(|line| line.contains("seal 1") && line.contains("record 2")),
        "{:?}",
        findings.failed
    );
    let cold = bank.scratch.path().join("cold");
    let error = archive::make(&bank.installation.folder, &cold).unwrap_err();
    assert!(format!("{error:#}").contains("does not have record 2"), "{error:#}");
    assert_eq!(names(&cold).iter().filter(|name| name.ends_with(".archive")).count(), 0);
}
