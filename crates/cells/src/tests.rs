//! Words and numbers; what a cell decides is shown by the bank's scenarios.

use crate::{Cells, DeclineReason};

#[test]
fn every_reason_has_a_word_of_its_own() {
    for reason in DeclineReason::ALL {
        assert_eq!(DeclineReason::from_code(reason.code()), Some(reason));
    }
    assert_eq!(DeclineReason::from_code("received"), None);
}

#[test]
fn own_numbers_are_those_of_no_other_machine() {
    let check = |number: u128, expect: bool| assert_eq!(Cells::is_own_number(number), expect, "{number:x}");
    check(0b101 << 125, true);
    check((0b101 << 125) | u128::from(u64::MAX), true);
    check(1 << 127, false);
    check(0b11 << 126, false);
    check((0b101 << 125) | (1 << 64), false);
    check(7, false);
}
