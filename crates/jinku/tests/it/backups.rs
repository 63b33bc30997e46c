//! Backups: what they hold, what finds damage in them, what an interruption leaves, and the bank that comes out again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use identity::Actor;
use jinku::audit::audit;
use jinku::backup::{self, Manifest};
use jinku::process::Scratch;
use jinku::restore::{Until, restore};
use jinku::{drill, serve};
use ledger::AccountKind;
use money::{AccountId, Asset, CommandId, Text};
use node::ManualClock;

use crate::support::{self, Bank};

fn books(folder: &Path) -> String {
    node::recover(folder).unwrap().bank.state_hash().to_string()
}

/// Gives the stopped bank so many more entries.
fn go_on(bank: &Bank, from: u128, count: u128) {
    // A process that another test is just starting may hold the lock of a journal for a moment, until it becomes that process.
    let begun = std::time::Instant::now();
    let clock = std::sync::Arc::new(ManualClock::new(support::NOW));
    let node = loop {
        match serve::start_node(&bank.installation, std::sync::Arc::clone(&clock) as _) {
            Ok(node) => break node,
            Err(error) => assert!(begun.elapsed().as_secs() < 5, "{error:#}"),
        }
    };
    for number in from..from + count {
        let id = AccountId::new((1 << 84) | number);
        let open = ledger::Command::open(id, AccountKind::Customer, Asset::CNY);
        let submission = bank::Submission {
            id: CommandId::new((1 << 85) | number),
            actor: Actor::Operator(Text::clip("backups")),
            command: bank::Command::Ledger(open),
        };
        node.handle().submit(submission).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(folder).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn a_restored_bank_is_the_same_bank() {
    let bank = Bank::with_history("backup-same");
    bank.project();
    node::write_snapshot(bank.folder()).unwrap();
    go_on(&bank, 0, 5);
    let (copy, target) = (bank.beside("copy"), bank.beside("restored"));
    fs::write(bank.folder().join("keys/tenant-7.token"), format!("{}\n", "07".repeat(32))).unwrap();
    let made = backup::make(bank.folder(), &copy, true).unwrap();
    assert!(made.manifest.snapshot.as_ref().unwrap().seq < made.manifest.head.seq);
    let restored = restore(&copy, &target, None, Until::End).unwrap();
    assert_eq!(restored.compared_at, made.manifest.snapshot.map(|snapshot| snapshot.seq));
    assert_eq!((restored.left_out, &restored.missing), (0, &Vec::new()));
    assert_eq!(restored.state, books(bank.folder()));
    assert_eq!(books(&target), books(bank.folder()));
    assert_eq!(audit(&target).unwrap().failed, Vec::<String>::new());
    let mode = |path: &str| {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(target.join(path)).unwrap().permissions())
    };
    assert_eq!((mode("keys/log.seed") & 0o777, mode("keys/tenant-7.token") & 0o777), (0o600, 0o600));
    assert!(fs::read_to_string(target.join("restored.txt")).unwrap().contains(&restored.state));
}

#[test]
fn keys_are_copied_only_if_asked_for() {
    let bank = Bank::with_history("backup-keys");
    let (copy, target) = (bank.beside("copy"), bank.beside("restored"));
    let manifest = backup::make(bank.folder(), &copy, false).unwrap().manifest;
    assert!(!manifest.has_keys && manifest.files.iter().all(|row| !row.path.starts_with("keys")));
    let seed = fs::read(bank.folder().join("keys/seal.key")).unwrap();
    assert!(contents(&copy).iter().all(|(_, bytes)| *bytes != seed));
    let restored = restore(&copy, &target, None, Until::End).unwrap();
    assert!(restored.missing.iter().any(|path| path == "keys/log.seed"), "{:?}", restored.missing);
    assert!(restored.text(&target).contains("keys/operator.token"));
}

#[test]
fn the_next_backup_adds_what_is_new_and_touches_nothing() {
    let bank = Bank::with_history("backup-next");
    let copy = bank.beside("copy");
    let first = backup::make(bank.folder(), &copy, false).unwrap();
    let before = contents(&copy);
    let same = backup::make(bank.folder(), &copy, false).unwrap();
    assert_eq!((same.new_files, same.new_bytes), (0, 0));
    go_on(&bank, 0, 3);
    let next = backup::make(bank.folder(), &copy, false).unwrap();
    assert_eq!((next.new_files, next.manifest.number), (1, 3));
    assert!(next.new_bytes * 20 < first.new_bytes, "{} after {}", next.new_bytes, first.new_bytes);
    for (path, bytes) in before {
        assert_eq!(fs::read(&path).unwrap(), bytes, "{}", path.display());
    }
    let checked = backup::check(&copy).unwrap();
    assert_eq!((checked.whole.len(), checked.damaged), (3, Vec::new()));
    let older = restore(&copy, &bank.beside("older"), Some(1), Until::End).unwrap();
    assert_eq!(older.seq, first.manifest.head.seq);
    let newest = restore(&copy, &bank.beside("newest"), None, Until::End).unwrap();
    assert_eq!(newest.state, books(bank.folder()));
}

#[test]
fn every_flipped_byte_is_found_and_named() {
    let bank = Bank::with_history("backup-flip");
    bank.project();
    node::write_snapshot(bank.folder()).unwrap();
    let copy = bank.beside("copy");
    backup::make(bank.folder(), &copy, true).unwrap();
    let mut tried = 0;
    for path in files(&copy) {
        let original = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // All of the small files; of the large ones places all over, and both ends.
        let step = (original.len() / 150).max(1);
        let ends = (0..60).chain(original.len().saturating_sub(60)..original.len());
        for at in (0..original.len()).step_by(step).chain(ends.filter(|at| *at < original.len())) {
            let mut bytes = original.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            let checked = backup::check(&copy).unwrap();
            let [fault] = checked.damaged.as_slice() else {
                panic!("byte {at} of {name}: {:?}", checked.damaged)
            };
            assert!(fault.contains(&name), "byte {at} of {name}: {fault}");
            if name.ends_with(".piece") {
                assert!(fault.contains("is damaged"), "byte {at} of {name} is not located: {fault}");
            }
            tried += 1;
        }
        // The last flip, whatever it was, keeps a restore from beginning.
        if !original.is_empty() {
            let error = restore(&copy, &bank.beside("never"), None, Until::End).unwrap_err();
            assert!(format!("{error:#}").contains("damaged"), "{error:#}");
            assert!(!bank.beside("never").exists());
        }
        for cut in [0, original.len() / 2] {
            fs::write(&path, &original[..cut]).unwrap();
            let is_damaged = !backup::check(&copy).unwrap().damaged.is_empty();
            assert!(is_damaged || original.is_empty(), "{name} cut to {cut}");
        }
        fs::remove_file(&path).unwrap();
        let checked = backup::check(&copy).unwrap();
        assert!(!checked.damaged.is_empty() || checked.whole.is_empty() || name == "lock", "{name} removed");
        fs::write(&path, &original).unwrap();
    }
    assert!(tried > 1_000, "{tried} bytes");
    assert_eq!(backup::check(&copy).unwrap().damaged, Vec::<String>::new());
}

/// Where in a record a byte is wrong, the record is named.
#[test]
fn a_damaged_record_is_named_by_its_number() {
    let bank = Bank::with_history("backup-record");
    let copy = bank.beside("copy");
    let manifest = backup::make(bank.folder(), &copy, false).unwrap().manifest;
    let path = copy.join(&manifest.pieces[0].file);
    let original = fs::read(&path).unwrap();
    let (mut at, mut seq) = (48, 1_u64);
    while seq < 40 {
        let len = u32::from_be_bytes(original[at..at + 4].try_into().unwrap());
        at += 12 + usize::try_from(len).unwrap();
        seq += 1;
    }
    let mut bytes = original.clone();
    bytes[at + 30] ^= 4;
    fs::write(&path, bytes).unwrap();
    let checked = backup::check(&copy).unwrap();
    assert!(checked.damaged[0].contains(&format!("record 40, at byte {at}")), "{:?}", checked.damaged);
}

/// Killed by the system at any point of its writing, as `ulimit -f` does it; and refused room, as a full disk does it.
#[test]
fn an_interrupted_backup_leaves_the_earlier_ones_whole() {
    let bank = Bank::with_history("backup-killed");
    let copy = bank.beside("copy");
    backup::make(bank.folder(), &copy, false).unwrap();
    for round in 0..6_u128 {
        go_on(&bank, round * 200, 200);
        let before = contents(&copy);
        // Blocks, of 512 bytes or of 1,024 as the shell likes it, that a file may have; the new records need 25 KiB.
        let blocks = [0, 1, 4, 10, 16, 24][usize::try_from(round).unwrap()];
        let ignore = if round.is_multiple_of(2) { "" } else { "trap '' XFSZ; " };
        let script = format!("{ignore}ulimit -f {blocks}; exec \"$0\" backup --data \"$1\" --to \"$2\"");
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_jinku")).arg(bank.folder()).arg(&copy);
        let output = command.output().unwrap();
        assert!(!output.status.success(), "{blocks} blocks are enough: {output:?}");
        for (path, bytes) in &before {
            assert_eq!(&fs::read(path).unwrap(), bytes, "{}", path.display());
        }
        let checked = backup::check(&copy).unwrap();
        assert_eq!(checked.damaged, Vec::<String>::new());
        assert_eq!(checked.whole.len(), 1 + usize::try_from(round).unwrap());
        let made = backup::make(bank.folder(), &copy, false).unwrap();
        let unfinished =
            files(&copy).into_iter().filter(|path| path.extension().is_some_and(|end| end == "partial"));
        assert_eq!(unfinished.count(), 0);
        let target = bank.beside(&format!("restored-{round}"));
        assert_eq!(restore(&copy, &target, None, Until::End).unwrap().seq, made.manifest.head.seq);
        assert_eq!(books(&target), books(bank.folder()));
        fs::remove_dir_all(target).unwrap();
    }
}

#[test]
fn a_restore_that_finds_no_room_leaves_nothing() {
    let bank = Bank::with_history("restore-full");
    let (copy, target) = (bank.beside("copy"), bank.beside("restored"));
    backup::make(bank.folder(), &copy, false).unwrap();
    for ignore in ["", "trap '' XFSZ; "] {
        let script = format!("{ignore}ulimit -f 100; exec \"$0\" restore --from \"$1\" --to \"$2\"");
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_jinku")).arg(&copy).arg(&target);
        assert!(!command.output().unwrap().status.success());
        assert!(!target.exists());
    }
    restore(&copy, &target, None, Until::End).unwrap();
    assert_eq!(books(&target), books(bank.folder()));
}

#[test]
fn a_point_in_time_is_a_bank_that_goes_on() {
    let bank = Bank::with_history("backup-point");
    bank.project();
    let copy = bank.beside("copy");
    let manifest = backup::make(bank.folder(), &copy, true).unwrap().manifest;
    let mut times = Vec::new();
    let mut reader = journal::Reader::open(&bank.folder().join("journal"), 1).unwrap();
    while let Some(record) = reader.next().unwrap() {
        times.push(bank::JournalEntry::from_bytes(&record.bytes).unwrap().recorded_at);
    }
    let middle = times[times.len() / 2];
    let last = u64::try_from(times.iter().filter(|at| **at <= middle).count()).unwrap();
    let target = bank.beside("by-time");
    let restored = restore(&copy, &target, None, Until::Time(middle)).unwrap();
    assert_eq!((restored.seq, restored.recorded_at), (last, middle));
    assert_eq!(restored.left_out, manifest.head.seq - last);
    assert!(restored.checkpoint_aside && target.join("checkpoint.note.aside").exists());
    let text = restored.text(&target);
    assert!(text.contains("NOT UNDONE"), "{text}");
    assert!(restored.to_reconcile.iter().any(|line| line.contains("sent, the centre has it")), "{text}");
    assert!(restored.to_reconcile.iter().any(|line| line.contains("came in by")), "{text}");
    // It starts, takes commands, signs a log of its own, and is clean.
    let installation = jinku::config::Installation::open(&target).unwrap();
    let on = Bank { scratch: Scratch::new(None, "backup-point-on").unwrap(), installation };
    go_on(&on, 0, 2);
    on.project();
    assert_eq!(audit(&target).unwrap().failed, Vec::<String>::new());
    let by_number = restore(&copy, &bank.beside("by-number"), None, Until::Seq(last)).unwrap();
    assert_eq!((by_number.state, by_number.hash), (restored.state, restored.hash));
    assert!(restore(&copy, &bank.beside("no"), None, Until::Seq(last + 1_000_000)).is_err());
    assert!(restore(&copy, &bank.beside("no"), None, Until::Time(money::Timestamp::from_ms(1))).is_err());
}

#[test]
fn what_is_another_banks_or_another_history_is_refused() {
    let bank = Bank::with_history("backup-fork");
    let copy = bank.beside("copy");
    go_on(&bank, 0, 5);
    backup::make(bank.folder(), &copy, false).unwrap();
    // The same bank at an earlier point, which then goes another way.
    let target = bank.beside("earlier");
    let end = node::recover(bank.folder()).unwrap().bank.seq();
    restore(&copy, &target, None, Until::Seq(end - 3)).unwrap();
    fs::remove_dir(target.join("keys")).unwrap();
    fs::rename(bank.folder().join("keys"), target.join("keys")).unwrap();
    let installation = jinku::config::Installation::open(&target).unwrap();
    let other = Bank { scratch: Scratch::new(None, "backup-fork-other").unwrap(), installation };
    go_on(&other, 100, 9);
    let error = backup::make(&target, &copy, false).unwrap_err();
    assert!(error.to_string().contains("another history"), "{error:#}");
    let error = restore(&copy, &target, None, Until::End).unwrap_err();
    assert!(error.to_string().contains("not empty"), "{error:#}");
    assert_eq!(backup::check(&copy).unwrap().damaged, Vec::<String>::new());
}

#[test]
fn a_manifest_names_what_it_is() {
    let bank = Bank::with_history("backup-manifest");
    let copy = bank.beside("copy");
    let made = backup::make(bank.folder(), &copy, false).unwrap();
    let bytes = fs::read(copy.join(Manifest::name(1))).unwrap();
    assert_eq!(Manifest::parse(&bytes).unwrap(), made.manifest);
    for at in 0..bytes.len() {
        for bit in [1, 0x20] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            assert!(Manifest::parse(&changed).is_err(), "byte {at}");
        }
    }
}

#[test]
fn the_drill_passes_and_says_so() {
    let bank = Bank::with_history("drill-passes");
    bank.project();
    node::write_snapshot(bank.folder()).unwrap();
    go_on(&bank, 0, 2);
    let mut command = Command::new(env!("CARGO_BIN_EXE_jinku"));
    let output = command.args(["drill", "restore", "--data"]).arg(bank.folder()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("PASSED"), "{text}");
    let reports = files(&bank.folder().join("drills"));
    let json = reports.iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(report["passed"], true);
    assert!(report["checks"].as_array().unwrap().len() >= 6, "{report}");
}

#[test]
fn the_drill_fails_on_a_bank_that_has_signed_something_else() {
    let bank = Bank::with_history("drill-differs");
    bank.project();
    let segment = bank.folder().join("journal/journal-00000000000000000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[300 * 4096..].fill(0);
    fs::write(&segment, bytes).unwrap();
    let report = drill::restore::drill(bank.folder(), None, Path::new(env!("CARGO_BIN_EXE_jinku"))).unwrap();
    assert!(!report.passed);
    assert!(report.checks.iter().any(|check| !check.holds && check.found.contains("signed")), "{report:?}");
    assert!(report.text().contains("FAILED"));
}
