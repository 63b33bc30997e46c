//! One small log that all tests share, made from fixed seeds.

use receipts::{
    Checkpoint, Direction, JournalPoint, MerkleLog, MovementStatement, NoteSigner, Receipt, VerifierKey,
};

pub(crate) const BANK: &str = "log.jinku.example";

pub(crate) fn signer() -> NoteSigner {
    NoteSigner::from_seed(BANK, &[7; 32]).unwrap()
}

pub(crate) fn key() -> VerifierKey {
    signer().verifier().clone()
}

/// The movement of one leaf; the sixth has every awkward character.
pub(crate) fn statement(index: u64) -> MovementStatement {
    let awkward = index == 6;
    MovementStatement {
        movement_id: format!("mov_{index:04}"),
        payment_id: if index.is_multiple_of(3) { String::new() } else { format!("pay_{index:04}") },
        account_number: "6217000010001234567".into(),
        direction: if index.is_multiple_of(2) { Direction::Out } else { Direction::In },
        kind: if index.is_multiple_of(2) { "transfer_out" } else { "deposit" }.into(),
        asset: "CNY".into(),
        amount: format!("{}.{:02}", index * 1000 + 1, index),
        fee: "0.00".into(),
        counterparty_name: if awkward { "林 \u{1F3E6} \\ Ltd\r\n: x".into() } else { "Lin".into() },
        counterparty_account: "6228480000009876543".into(),
        counterparty_bank: "JKBKCNSH".into(),
        note: if awkward { "line one\nline two\\n".into() } else { String::new() },
        recorded_at: format!("2026-03-01T08:00:{index:02}.125Z"),
        effective_at: "2026-03-01T00:00:00.000Z".into(),
        journal_seq: 100 + index,
    }
}

pub(crate) fn log(size: u64) -> MerkleLog {
    let mut log = MerkleLog::new();
    for index in 0..size {
        log.append(&statement(index).canonical_bytes().unwrap());
    }
    log
}

/// The receipt of one leaf in the tree of the first `size` leaves.
pub(crate) fn receipt(index: u64, size: u64) -> Receipt {
    let log = log(size);
    let journal = JournalPoint { seq: 100 + size, hash: [0xab; 32] };
    let checkpoint = Checkpoint::new(BANK, log.head(), Some(journal)).unwrap();
    Receipt {
        version: 1,
        bank: BANK.into(),
        entry: statement(index),
        leaf_index: index,
        tree_size: size,
        inclusion_proof: log.inclusion_proof(index, size).unwrap(),
        checkpoint: checkpoint.sign(&signer()).unwrap(),
    }
}
