//! Bytes nobody sane would send, and every single byte of a good receipt changed.

use proptest::prelude::*;
use receipts::{Checkpoint, Frontier, Note, Receipt, ReceiptError, VerifierKey, verify_receipt};

use crate::support::{key, receipt};

fn accepts(file: &[u8]) -> bool {
    Receipt::parse(file).and_then(|receipt| verify_receipt(&receipt, &key())).is_ok()
}

#[test]
fn every_byte_of_a_receipt_counts() {
    // Written without white space, so that every byte carries meaning.
    let good = serde_json::to_vec(&receipt(6, 11)).unwrap();
    assert!(accepts(&good));
    for at in 0..good.len() {
        for mask in [0x01, 0x20, 0x80] {
            let mut changed = good.clone();
            changed[at] ^= mask;
            assert!(!accepts(&changed), "byte {at} with {mask:02x}: {}", String::from_utf8_lossy(&changed));
        }
    }
    for length in 0..good.len() {
        assert!(!accepts(&good[..length]), "cut after {length}");
    }
}

#[test]
fn forms_that_only_one_reader_might_take() {
    let good = String::from_utf8(serde_json::to_vec(&receipt(6, 11)).unwrap()).unwrap();
    let refuse = |file: String| {
        let fault = Receipt::parse(file.as_bytes()).unwrap_err();
        assert!(matches!(fault, ReceiptError::Shape(_)), "{fault}");
    };
    refuse(good.replacen("\"version\":1", "\"version\":1,\"version\":1", 1));
    refuse(good.replacen("\"asset\":\"CNY\"", "\"asset\":\"USD\",\"asset\":\"CNY\"", 1));
    refuse(good.replacen("\"direction\":\"out\"", "\"direction\":{\"out\":null}", 1));
    refuse(good.replacen("\"asset\":\"CNY\"", "\"asset\":\"\\ud800\"", 1));
    refuse(format!("{good}{{}}"));
    refuse(format!("\u{feff}{good}"));
    // The values in order, as lists in place of objects: the whole, and the entry alone.
    let json: Receipt = serde_json::from_str(&good).unwrap();
    let e = &json.entry;
    let entry = serde_json::json!([
        e.movement_id,
        e.payment_id,
        e.account_number,
        e.direction,
        e.kind,
        e.asset,
        e.amount,
        e.fee,
        e.counterparty_name,
        e.counterparty_account,
        e.counterparty_bank,
        e.note,
        e.recorded_at,
        e.effective_at,
        e.journal_seq,
    ]);
    let mut listed = serde_json::to_value(&json).unwrap();
    listed["entry"] = entry.clone();
    refuse(listed.to_string());
    let whole = serde_json::json!([1, json.bank, entry, 6, 11, json.inclusion_proof, json.checkpoint]);
    refuse(whole.to_string());
    let long = vec![b' '; 70_000];
    assert_eq!(Receipt::parse(&long).unwrap_err(), ReceiptError::TooLong(70_000));
}

proptest! {
    #[test]
    fn readers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[—a-z0-9+/= \n]{0,120}") {
        let _ = Receipt::parse(&bytes);
        let _ = Frontier::from_bytes(&bytes);
        for text in [text.as_str(), &String::from_utf8_lossy(&bytes)] {
            let _ = Receipt::parse(text.as_bytes());
            let _ = VerifierKey::parse(text);
            if let Ok(note) = Note::parse(text) {
                prop_assert!(note.verify(&key()).is_err());
            }
            if let Ok(checkpoint) = Checkpoint::parse(text) {
                prop_assert_eq!(checkpoint.text(), text);
            }
        }
    }

    #[test]
    fn notes_with_pieces_swapped(cuts in proptest::collection::vec(any::<usize>(), 1..5)) {
        let good = receipt(6, 11).checkpoint;
        let mut lines: Vec<&str> = good.split('\n').collect();
        for cut in &cuts {
            let (a, b) = (cut % lines.len(), cut / 7 % lines.len());
            lines.swap(a, b);
        }
        let swapped = lines.join("\n");
        if swapped != good {
            prop_assert!(Checkpoint::open(&swapped, &key()).is_err());
        }
    }
}
