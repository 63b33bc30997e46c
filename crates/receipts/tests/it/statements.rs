//! The canonical form: its exact bytes, that no two statements share it, and what has none.

use proptest::prelude::*;
use receipts::{Direction, FIELD_BYTES_MAX, MovementStatement, StatementError, WHOLE_NUMBER_MAX};

use crate::support::statement;

#[test]
fn the_exact_bytes() {
    let text = String::from_utf8(statement(6).canonical_bytes().unwrap()).unwrap();
    assert_eq!(
        text,
        "jinku-movement-v1\n\
         movement_id: mov_0006\n\
         payment_id: \n\
         account_number: 6217000010001234567\n\
         direction: out\n\
         kind: transfer_out\n\
         asset: CNY\n\
         amount: 6001.06\n\
         fee: 0.00\n\
         counterparty_name: 林 \u{1F3E6} \\\\ Ltd\\r\\n: x\n\
         counterparty_account: 6228480000009876543\n\
         counterparty_bank: JKBKCNSH\n\
         note: line one\\nline two\\\\n\n\
         recorded_at: 2026-03-01T08:00:06.125Z\n\
         effective_at: 2026-03-01T00:00:00.000Z\n\
         journal_seq: 106\n"
    );
}

#[test]
fn statements_without_a_canonical_form() {
    let check = |change: &dyn Fn(&mut MovementStatement), expect: StatementError| {
        let mut changed = statement(1);
        change(&mut changed);
        assert_eq!(changed.canonical_bytes().unwrap_err(), expect);
    };
    check(&|s| s.movement_id.clear(), StatementError::Empty("movement_id"));
    check(&|s| s.account_number.clear(), StatementError::Empty("account_number"));
    check(&|s| s.note = "x".repeat(FIELD_BYTES_MAX + 1), StatementError::TooLong("note"));
    for kind in ["", "Deposit", "two words"] {
        check(&|s| s.kind = kind.into(), StatementError::Code("kind"));
    }
    for asset in ["", "cny", "C-Y"] {
        check(&|s| s.asset = asset.into(), StatementError::Code("asset"));
    }
    for amount in ["", "-1", "+1", "01", "1.", ".5", "1.2.3", "1,5", "1e3", "00", "１"] {
        check(&|s| s.amount = amount.into(), StatementError::Amount("amount"));
        check(&|s| s.fee = amount.into(), StatementError::Amount("fee"));
    }
    for time in [
        "",
        "2026-03-01",
        "2026-03-01T08:00:00Z",
        "2026-03-01T08:00:00.000+08:00",
        "2026-03-01t08:00:00.000z",
    ] {
        check(&|s| s.recorded_at = time.into(), StatementError::Time("recorded_at"));
        check(&|s| s.effective_at = time.into(), StatementError::Time("effective_at"));
    }
    check(&|s| s.journal_seq = WHOLE_NUMBER_MAX + 1, StatementError::Number("journal_seq"));
}

/// Text made of the characters that escaping is about.
fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[a:n\\\\r\\n\\r 林]{0,8}").unwrap()
}

fn any_statement() -> impl Strategy<Value = MovementStatement> {
    (text(), text(), text(), text(), any::<bool>(), 0..WHOLE_NUMBER_MAX).prop_map(
        |(payment, name, account, note, out, seq)| MovementStatement {
            payment_id: payment,
            counterparty_name: name,
            counterparty_account: account,
            note,
            direction: if out { Direction::Out } else { Direction::In },
            journal_seq: seq,
            ..statement(1)
        },
    )
}

/// Reads a canonical form back, to show that nothing is lost; no program needs this.
fn read_back(bytes: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(bytes).unwrap();
    let lines = text.strip_suffix('\n').unwrap().split('\n').skip(1);
    let fields = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        let (mut plain, mut escaped) = (String::new(), false);
        for c in value.chars() {
            match (escaped, c) {
                (false, '\\') => escaped = true,
                (false, c) => plain.push(c),
                (true, c) => {
                    plain.push(match c {
                        'n' => '\n',
                        'r' => '\r',
                        other => other,
                    });
                    escaped = false;
                }
            }
        }
        (name.to_owned(), plain)
    });
    fields.collect()
}

proptest! {
    #[test]
    fn nothing_is_lost(statement in any_statement()) {
        let fields = read_back(&statement.canonical_bytes().unwrap());
        let json = serde_json::to_value(&statement).unwrap();
        prop_assert_eq!(fields.len(), json.as_object().unwrap().len());
        for (name, value) in fields {
            let expect = json[&name].as_str().map_or_else(|| json[&name].to_string(), str::to_owned);
            prop_assert_eq!(value, expect);
        }
    }
}
