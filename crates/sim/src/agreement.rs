//! Whether the outside world and the bank tell the same of every payment, round and day.

use std::collections::BTreeSet;

use bank::Bank;
use money::{Amount, Date, Text};
use payments::{BankNumber, MessageId, MessageKey, Payment, PaymentState, Rail};
use sandbox::World;
use serde_json::Value;
use settlement::{CaseKind, RoundKey};

use crate::books::{ASSET, signed_net};
use crate::opening::OUR_BANK;

/// Newest payments that the world shows; a run has no more than these.
pub(crate) const SHOWN_MAX: usize = 100;

fn list<'v>(report: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    report.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// How many payments the world knows.
pub(crate) fn payments_count(world: &World) -> usize {
    list(&world.report(), "payments").count()
}

/// Whether a state of ours and one of the world's are the same to a customer.
fn agrees(ours: Option<&PaymentState>, world: &Value) -> bool {
    let is_returned = world.get("returned_by").is_some_and(Value::is_string);
    let (state, way) = (text(world, "state"), text(world, "way"));
    match (state, way, ours) {
        ("confirmed" | "settled", _, Some(PaymentState::Returned { .. })) => is_returned,
        ("confirmed" | "settled", "out", Some(PaymentState::Confirmed { .. })) => !is_returned,
        ("confirmed" | "settled", "in", Some(PaymentState::Credited { .. })) => !is_returned,
        ("rejected", _, Some(PaymentState::Rejected { .. })) => true,
        ("cancelled", "out", Some(PaymentState::Cancelled { .. })) => true,
        // The payer at the other bank has the money back: we took the credit back, rejected it, or never had it.
        ("cancelled", "in", Some(PaymentState::Returned { .. } | PaymentState::Rejected { .. })) => true,
        ("cancelled" | "rejected", "in", None) => true,
        _ => false,
    }
}

fn ours_of<'b>(bank: &'b Bank, shown: &Value) -> Option<&'b Payment> {
    let id = MessageId::new(text(shown, "message_id")).ok()?;
    if text(shown, "way") == "out" {
        return bank.payments().payment_by_message(&id);
    }
    let sender = BankNumber::new(id.as_str().get(..12)?).ok()?;
    bank.payments().payment_received_as(&MessageKey { sender, id })
}

/// Every payment that either side knows, the other knows with the same amount and the same end.
pub(crate) fn of_payments(bank: &Bank, world: &World) -> Result<(), String> {
    let report = world.report();
    let mut known = BTreeSet::new();
    for shown in list(&report, "payments") {
        let ours = ours_of(bank, shown);
        let told = Amount::parse(ASSET, text(shown, "amount")).ok();
        // Under the id of a credit that was never delivered another one may have come; what counts is that neither was paid.
        let nothing_paid = matches!(text(shown, "state"), "cancelled" | "rejected");
        if let Some(ours) = ours
            && Some(ours.amount) != told
            && !nothing_paid
        {
            return Err(format!("{} is of {}, the world says {shown}", ours.id, ours.amount));
        }
        if !agrees(ours.map(|payment| &payment.state), shown) {
            return Err(format!("the bank has {:?}, the world {shown}", ours.map(|payment| &payment.state)));
        }
        known.extend(ours.map(|payment| payment.id));
    }
    for payment in bank.payments().payments().filter(|payment| payment.rail != Rail::Internal) {
        let needs_world = matches!(
            payment.state,
            PaymentState::Confirmed { .. } | PaymentState::Credited { .. } | PaymentState::Returned { .. }
        );
        if needs_world && !known.contains(&payment.id) {
            return Err(format!("the world knows nothing of {}: {:?}", payment.id, payment.state));
        }
    }
    Ok(())
}

/// Every round was settled at the world's net, except so many that were told wrong, each with a case.
pub(crate) fn of_rounds(bank: &Bank, world: &World, wrong_nets_max: usize) -> Result<(), String> {
    let mut differ = 0_usize;
    for shown in list(&world.report(), "rounds") {
        let date: Date = text(shown, "date").parse().map_err(|_| "a round has no date".to_owned())?;
        let round = shown.get("round").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        let key = RoundKey { rail: Text::clip(Rail::Instant.name()), date, round: round.unwrap_or(0) };
        let net = shown.get("nets").and_then(|nets| nets.get(OUR_BANK)).and_then(Value::as_str);
        let net = net.unwrap_or("0.00");
        let (sign, net) = net.strip_prefix('-').map_or((1, net), |positive| (-1, positive));
        let told = Amount::parse(ASSET, net).map_err(|error| error.to_string())?;
        let told = crate::books::signed(told).saturating_mul(sign);
        let settled = bank.settlement().round(&key).and_then(|round| round.settled);
        let Some(settled) = settled else {
            return Err(format!("round {} of {date} was never settled here", key.round));
        };
        if signed_net(settled) == told {
            continue;
        }
        differ = differ.saturating_add(1);
        let mut cases = bank.settlement().open_cases().map(|(_, case)| &case.new.kind);
        if !cases.any(|kind| *kind == CaseKind::RoundBreak(key.clone())) {
            return Err(format!("round {} of {date} was settled at another net without a case", key.round));
        }
    }
    if differ > wrong_nets_max {
        return Err(format!("{differ} rounds differ, {wrong_nets_max} were told wrong"));
    }
    Ok(())
}

/// Every day that ended was compared. A day with wrong totals has a case; another has none where `is_exact` says so of its rail.
pub(crate) fn of_days(
    bank: &Bank,
    ended: &[(Rail, Date)],
    wrong: &BTreeSet<(Rail, Date)>,
    is_exact: impl Fn(Rail) -> bool,
) -> Result<(), String> {
    for (rail, date) in ended {
        let Some(day) = bank.settlement().day(&Text::clip(rail.name()), *date) else {
            return Err(format!("{date} of {} was not compared", rail.name()));
        };
        match (day.breaks.is_empty(), wrong.contains(&(*rail, *date))) {
            (true, true) => {
                return Err(format!("the wrong totals of {} on {date} were not seen", rail.name()));
            }
            (false, false) if is_exact(*rail) => {
                return Err(format!(
                    "the right totals of {} on {date} differ: {:?}",
                    rail.name(),
                    day.breaks
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
