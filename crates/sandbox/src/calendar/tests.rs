#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::civil::date;

use super::*;

fn check(rail: Rail, local_time: &str, state: CentreState, day: Date) {
    let at: Timestamp = format!("{local_time}+08:00").parse().unwrap();
    assert_eq!(by_table(&WorldConfig::default(), rail, at), (state, day), "{local_time}");
}

#[test]
fn high_value_keeps_its_hours() {
    use CentreState::{Clearing, Closed, Open};
    // 24 November 2026 is a Tuesday.
    check(Rail::HighValue, "2026-11-23T20:29:59", Closed, date(2026, 11, 24));
    check(Rail::HighValue, "2026-11-23T20:30:00", Open, date(2026, 11, 24));
    check(Rail::HighValue, "2026-11-24T00:00:00", Open, date(2026, 11, 24));
    check(Rail::HighValue, "2026-11-24T17:14:59", Open, date(2026, 11, 24));
    check(Rail::HighValue, "2026-11-24T17:15:00", Clearing, date(2026, 11, 24));
    check(Rail::HighValue, "2026-11-24T17:30:00", Closed, date(2026, 11, 25));
    // Over the weekend it opens on Sunday evening for Monday.
    check(Rail::HighValue, "2026-11-27T21:00:00", Closed, date(2026, 11, 30));
    check(Rail::HighValue, "2026-11-28T12:00:00", Closed, date(2026, 11, 30));
    check(Rail::HighValue, "2026-11-29T20:30:00", Open, date(2026, 11, 30));
    // Before the first row there is no system.
    check(Rail::HighValue, "2018-05-01T12:00:00", Closed, date(2018, 5, 1));
}

#[test]
fn instant_is_always_open_and_switches_its_day() {
    use CentreState::Open;
    check(Rail::Instant, "2026-11-24T17:29:59", Open, date(2026, 11, 24));
    check(Rail::Instant, "2026-11-24T17:30:00", Open, date(2026, 11, 25));
    check(Rail::Instant, "2026-11-28T12:00:00", Open, date(2026, 11, 30));
}

#[test]
fn holidays_and_working_weekends_count() {
    let calendar = Calendar {
        holidays: vec![date(2026, 10, 1), date(2026, 10, 2)],
        working_days: vec![date(2026, 10, 10)],
    };
    assert_eq!(next_business_day(&calendar, date(2026, 9, 30)), date(2026, 10, 5));
    assert_eq!(next_business_day(&calendar, date(2026, 10, 9)), date(2026, 10, 10));
    assert_eq!(previous_business_day(&calendar, date(2026, 10, 5)), date(2026, 9, 30));
}
