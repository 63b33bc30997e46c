//! An audit passes what was written and names what was not.

use std::fs;

use jinku::audit::audit;

use crate::support::Bank;

#[test]
fn a_month_of_history_is_clean() {
    let bank = Bank::with_history("audit-clean");
    bank.project();
    let findings = audit(bank.folder()).unwrap();
    assert_eq!(findings.failed, Vec::<String>::new());
    assert!(findings.passed.iter().any(|line| line.contains("passkey signatures")), "{:?}", findings.passed);
}

#[test]
fn a_changed_byte_of_the_journal_is_found_and_located() {
    let bank = Bank::with_history("audit-byte");
    bank.project();
    let segment = bank.folder().join("journal/journal-00000000000000000001.seg");
    let original = fs::read(&segment).unwrap();
    for at in [4_200, 20_000, 90_001] {
        let mut bytes = original.clone();
        bytes[at] ^= 0x10;
        fs::write(&segment, &bytes).unwrap();
        let findings = audit(bank.folder()).unwrap();
        let [line] = findings.failed.as_slice() else { panic!("{:?}", findings.failed) };
        assert!(line.contains("journal-00000000000000000001.seg"), "{line}");
        assert!(line.contains(&at.to_string()), "byte {at} is not named: {line}");
    }
}

#[test]
fn a_journal_cut_short_does_not_fit_what_the_bank_has_signed() {
    let bank = Bank::with_history("audit-cut");
    bank.project();
    let segment = bank.folder().join("journal/journal-00000000000000000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    // Everything after the hundredth block is taken away, as if it had never been written.
    bytes[100 * 4096..].fill(0);
    fs::write(&segment, bytes).unwrap();
    let findings = audit(bank.folder()).unwrap();
    assert!(
        findings.failed.iter().any(|line| line.contains("does not fit the journal")),
        "{:?}",
        findings.failed
    );
}

#[test]
fn a_checkpoint_by_another_hand_is_refused() {
    let bank = Bank::with_history("audit-note");
    bank.project();
    let file = bank.folder().join("checkpoint.note");
    let note = fs::read_to_string(&file).unwrap();
    let size = note.lines().nth(1).unwrap().to_owned();
    let other = (size.parse::<u64>().unwrap() - 1).to_string();
    fs::write(&file, note.replacen(&size, &other, 1)).unwrap();
    let findings = audit(bank.folder()).unwrap();
    assert!(findings.failed.iter().any(|line| line.contains("not ours")), "{:?}", findings.failed);
}
