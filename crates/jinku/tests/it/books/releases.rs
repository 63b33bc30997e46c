//! Archived records leave the journal, everything still proves, and they come back.

use std::fs;
use std::path::{Path, PathBuf};

use jinku::archive;
use jinku::audit::audit_with;
use jinku::backup;
use jinku::restore::{Until, restore};
use jinku::serve;
use journal::{FileJournal, Options};

use super::*;

/// Segments of a few groups, so that a small bank has many.
const SMALL: Options = Options { segment_bytes: 32 << 10, direct: false };

/// A stopped bank with two sealed days, whose journal is cut into many segments, and the archive of the days.
fn sealed(name: &str) -> (Served, PathBuf) {
    let mut bank = Served::new(name);
    bank.furnish();
    let seal = |bank: &Served, date: &str| {
        assert_eq!(bank.post(0, "/seal", &format!(r#"{{"date":"{date}"}}"#)).status, 200);
    };
    let pays = |bank: &Served, id: u128, from: u128| {
        for part in 0..10 {
            let from = from + part * 100;
            let rows: Vec<String> = (from..from + 60).map(|number| pay(number, 1, 2, "0.01")).collect();
            bank.take(7, id + part, &rows);
        }
    };
    pays(&bank, 200, 10_000);
    seal(&bank, "2026-05-01");
    pays(&bank, 300, 20_000);
    seal(&bank, "2026-05-04");
    pays(&bank, 400, 30_000);
    bank.caught_up();
    bank.stop();
    in_small_segments(&bank.installation.folder.join("journal"));
    let cold = bank.scratch.path().join("cold");
    archive::make(&bank.installation.folder, &cold).unwrap();
    (bank, cold)
}

/// The same records in a journal of small segments.
fn in_small_segments(folder: &Path) {
    let beside = folder.with_extension("small");
    let (mut small, _) = FileJournal::open(&beside, &SMALL).unwrap();
    let mut reader = journal::Reader::open(folder, 1).unwrap();
    while let Some(record) = reader.next().unwrap() {
        small.append(&[record.bytes]).unwrap();
    }
    assert_eq!(small.head(), journal::verify(folder).unwrap().head);
    drop(small);
    fs::remove_dir_all(folder).unwrap();
    fs::rename(beside, folder).unwrap();
}

fn data(bank: &Served) -> &Path {
    &bank.installation.folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.path().is_dir() {
            copy(&file.path(), &target)
        } else {
            assert!(fs::copy(file.path(), target).is_ok())
        }
    }
}

fn state(folder: &Path) -> String {
    node::recover(folder).unwrap().bank.state_hash().to_string()
}

/// The audit's findings, which must be clean, in one text.
fn audited(bank: &Served, cold: Option<&Path>) -> String {
    let findings = audit_with(data(bank), cold).unwrap();
    assert_eq!(findings.failed, Vec::<String>::new());
    findings.passed.join("\n")
}

/// What a bank says that must not start; one that does is stopped.
fn refused_start(folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jinku"));
    command.arg("serve").arg("--data").arg(folder).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let begun = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed().as_secs() > 20 {
            child.kill().unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "it started");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn released_records_are_gone_and_everything_still_proves() {
    let (mut bank, cold) = sealed("books-release");
    let (before, whole) = (state(data(&bank)), journal::verify(&data(&bank).join("journal")).unwrap());
    let done = archive::release(data(&bank), &cold).unwrap().unwrap();
    assert!(done.segments > 4 && done.files == 2, "{done:?}");
    let left = journal::verify(&data(&bank).join("journal")).unwrap();
    assert_eq!((left.head, left.before), (whole.head, done.before));
    assert!(left.segments < whole.segments);
    assert_eq!(archive::release(data(&bank), &cold).unwrap().map(|done| done.segments), None, "nothing more");
    assert_eq!(state(data(&bank)), before);

    // Alone, the audit says what it could not check; with the archive it checks all of it.
    let alone = audited(&bank, None);
    assert!(alone.contains("log: NOT CHECKED") && alone.contains("after the snapshot at"), "{alone}");
    assert!(alone.contains("2 seals of days"), "{alone}");
    let with = audited(&bank, Some(&cold));
    assert!(with.contains(&format!("replay: {} entries", whole.head.seq)), "{with}");
    assert!(!with.contains("NOT CHECKED"), "{with}");
    assert!(with.contains(&format!("1 to {} were released to 2 files", done.before.seq)), "{with}");

    // It serves as before, takes more, seals and archives more, and says of old rows where they are.
    bank.start();
    assert_eq!(bank.available(2), "18.00");
    let rows: Vec<String> = (10_000..10_060).map(|number| pay(number, 1, 2, "0.01")).collect();
    let detail = bank.rows(7, 200, &rows).refused(410, "in_archive");
    assert!(detail.contains("archive"), "{detail}");
    bank.take(7, 500, &[pay(40_000, 1, 2, "1.00")]);
    assert_eq!(bank.post(0, "/seal", r#"{"date":"2026-05-05"}"#).status, 200);
    assert_eq!(archive::make(data(&bank), &cold).unwrap().files.len(), 1);
    let refused = archive::release(data(&bank), &cold).unwrap_err().to_string();
    assert!(refused.contains("stop it first"), "{refused}");
    bank.stop();
    audited(&bank, Some(&cold));

    assert_eq!(archive::bring_back(data(&bank), &cold).unwrap(), Some(done.before.seq));
    assert_eq!(archive::bring_back(data(&bank), &cold).unwrap(), None);
    let again = journal::verify(&data(&bank).join("journal")).unwrap();
    assert_eq!(again.records, again.head.seq);
    let text = audited(&bank, None);
    assert!(!text.contains("NOT CHECKED"), "{text}");
    bank.start();
    assert_eq!(bank.rows(7, 200, &rows).lines().last().unwrap()["taken"], 60);
}

#[test]
fn what_needs_released_records_says_so_and_works_when_they_are_back() {
    let (mut bank, cold) = sealed("books-release-needs");
    let backups = bank.scratch.path().join("backups");
    backup::make(data(&bank), &backups, true).unwrap();
    archive::release(data(&bank), &cold).unwrap().unwrap();
    // A backup that goes on from one with the first records, and its restore, which has the whole journal.
    backup::make(data(&bank), &backups, true).unwrap();
    let restored = bank.scratch.path().join("restored");
    restore(&backups, &restored, None, Until::End).unwrap();
    assert_eq!(state(&restored), state(data(&bank)));
    assert_eq!(journal::verify(&restored.join("journal")).unwrap().before.seq, 0);
    let says = |error: anyhow::Error, words: &str| {
        let error = format!("{error:#}");
        assert!(error.contains("was released from the journal") && error.contains(words), "{error}");
    };
    says(backup::make(data(&bank), &bank.scratch.path().join("new"), true).unwrap_err(), "archive return");
    says(archive::make(data(&bank), &bank.scratch.path().join("other")).unwrap_err(), "another folder");
    // Read models and snapshots are made from the first record on.
    let folder = bank.scratch.path().join("copy");
    copy(data(&bank), &folder);
    fs::remove_dir_all(folder.join("snapshots")).unwrap();
    assert!(node::recover(&folder).unwrap_err().to_string().contains("was released from the journal"));
    fs::remove_file(data(&bank).join("read.sqlite")).unwrap();
    let words = refused_start(data(&bank));
    assert!(words.contains("jinku archive return"), "{words}");
    archive::bring_back(&folder, &cold).unwrap();
    archive::bring_back(data(&bank), &cold).unwrap();
    assert_eq!(state(&folder), state(data(&bank)));
    bank.start();
    bank.caught_up();
    bank.stop();
    audited(&bank, Some(&cold));
}

#[test]
fn nothing_is_released_that_is_not_kept_or_still_needed() {
    let (bank, cold) = sealed("books-release-not");
    let folder = data(&bank);
    let files: Vec<PathBuf> = fs::read_dir(&cold).unwrap().map(|file| file.unwrap().path()).collect();
    let second = files.iter().find(|file| file.to_string_lossy().contains("sealed-000002")).unwrap();
    let good = fs::read(second).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(second, &bad).unwrap();
    let error = format!("{:#}", archive::release(folder, &cold).unwrap_err());
    assert!(error.contains("block") && error.contains("sealed-000002"), "{error}");
    let empty = bank.scratch.path().join("empty");
    fs::create_dir_all(&empty).unwrap();
    assert!(archive::release(folder, &empty).unwrap_err().to_string().contains("no sealed days"));
    fs::rename(folder.join("read.sqlite"), folder.join("away")).unwrap();
    fs::write(second, &good).unwrap();
    assert!(archive::release(folder, &cold).unwrap_err().to_string().contains("no read models"));
    fs::rename(folder.join("away"), folder.join("read.sqlite")).unwrap();
    assert_eq!(journal::base(&folder.join("journal")).unwrap(), None);
    // With the first file alone, only its records go.
    fs::remove_file(second).unwrap();
    let first = archive::release(folder, &cold).unwrap().unwrap();
    fs::write(second, &good).unwrap();
    let both = archive::release(folder, &cold).unwrap().unwrap();
    assert!(first.files == 1 && both.files == 2 && both.before.seq > first.before.seq);
    // Records come back from the files they went to, and from no other.
    fs::write(second, &bad).unwrap();
    assert!(archive::bring_back(folder, &cold).is_err());
    let findings = audit_with(folder, Some(&cold)).unwrap();
    assert!(findings.failed.iter().any(|line| line.contains("sealed-000002")), "{:?}", findings.failed);
    fs::write(second, &good).unwrap();
    // A base that nobody has signed is found.
    let base = journal::base(&folder.join("journal")).unwrap().unwrap();
    let text = String::from_utf8(base.note.clone()).unwrap().replace("\"seal\":1", "\"seal\":3");
    let path = folder.join("journal/base");
    let whole = fs::read(&path).unwrap();
    let mut forged = whole[..48].to_vec();
    forged.extend_from_slice(text.as_bytes());
    let sum = <sha2::Sha256 as sha2::Digest>::digest(&forged);
    forged.extend_from_slice(&sum);
    fs::write(&path, &forged).unwrap();
    let findings = audit_with(folder, Some(&cold)).unwrap();
    assert!(findings.failed.iter().any(|line| line.starts_with("base:")), "{:?}", findings.failed);
    fs::write(&path, &whole).unwrap();
    audited(&bank, Some(&cold));
}

/// The program is killed, again and again, in the middle of releasing and of bringing back.
#[test]
fn a_kill_while_records_leave_or_come_back_leaves_a_bank_that_starts() {
    let (bank, cold) = sealed("books-release-killed");
    let expected = state(data(&bank));
    let whole = journal::verify(&data(&bank).join("journal")).unwrap();
    let (mut kills, mut pause) = (0, std::time::Duration::from_millis(2));
    for task in ["release", "return", "release", "return"] {
        loop {
            let mut command = Command::new(env!("CARGO_BIN_EXE_jinku"));
            command.args(["archive", task, "--data"]).arg(data(&bank)).arg("--archive").arg(&cold);
            let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
            std::thread::sleep(pause);
            let is_over = child.try_wait().unwrap().is_some();
            child.kill().unwrap();
            let status = child.wait().unwrap();
            assert_eq!(state(data(&bank)), expected);
            let verified = journal::verify(&data(&bank).join("journal")).unwrap();
            assert_eq!(verified.head, whole.head);
            if is_over {
                assert!(status.success());
                assert_eq!(verified.before.seq > 0, task == "release");
                pause = std::time::Duration::from_millis(2);
                break;
            }
            kills += 1;
            pause = pause * 5 / 4;
        }
    }
    assert!(kills > 8, "{kills} kills");
    audited(&bank, Some(&cold));
}

/// A bank of customers, whose signed log is made of records in both places.
#[test]
fn the_log_is_checked_across_archive_and_journal() {
    let bank = crate::support::Bank::with_history("release-log");
    bank.project();
    let node = serve::start_node(&bank.installation, std::sync::Arc::new(node::SystemClock)).unwrap();
    let head = node.handle().status().durable;
    let mark = ledger::JournalMark { seq: head.seq, hash: *head.hash.as_bytes() };
    let through = money::Timestamp::from_ms(crate::support::NOW.ms() - 2 * 86_400_000);
    let submission = bank::Submission {
        id: CommandId::new(1 << 99),
        actor: identity::Actor::Operator(money::Text::clip("seal")),
        command: bank::Command::Ledger(ledger::Command::Seal { through, mark }),
    };
    node.handle().submit(submission).unwrap();
    drop(node);
    bank.project();
    in_small_segments(&bank.folder().join("journal"));
    let cold = bank.beside("cold");
    archive::make(bank.folder(), &cold).unwrap();
    let done = archive::release(bank.folder(), &cold).unwrap().unwrap();
    let alone = audit_with(bank.folder(), None).unwrap();
    let with = audit_with(bank.folder(), Some(&cold)).unwrap();
    assert!(alone.is_clean() && with.is_clean(), "{:?} {:?}", alone.failed, with.failed);
    let says = |findings: &jinku::audit::Findings, words: &str| {
        assert!(findings.passed.iter().any(|line| line.contains(words)), "{words}: {:?}", findings.passed);
    };
    says(&alone, "log: NOT CHECKED");
    says(&with, "log: the signed checkpoint over");
    says(&with, &format!("1 to {} were released", done.before.seq));
    // The bank goes on with its read models.
    bank.project();
}
