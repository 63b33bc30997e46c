//! The books, reckoned once more from the payments alone, and from what the outside world knows.

use std::collections::{BTreeMap, BTreeSet};

use bank::Bank;
use money::{AccountId, Amount, Asset, PaymentId};
use payments::{DepositOf, Kind, Payment, PaymentState, Rail};
use settlement::{CaseKind, NetPosition};

use crate::opening::books;

/// An amount with its sign, in hundredths.
pub(crate) fn signed(amount: Amount) -> i128 {
    i128::try_from(amount.minor()).unwrap_or(i128::MAX)
}

pub(crate) fn signed_net(net: NetPosition) -> i128 {
    match net {
        NetPosition::ToPay(amount) => signed(amount).saturating_neg(),
        NetPosition::ToReceive(amount) => signed(amount),
    }
}

/// An account's balance on its normal side, with its sign.
pub(crate) fn balance(bank: &Bank, account: AccountId) -> i128 {
    let Some(balance) = bank.ledger().account(account).map(ledger::Account::balance) else { return 0 };
    if balance.is_overdrawn { signed(balance.posted).saturating_neg() } else { signed(balance.posted) }
}

/// Payments that a kind of case is about.
pub(crate) fn cases_about(bank: &Bank, of: impl Fn(&CaseKind) -> Option<PaymentId>) -> BTreeSet<PaymentId> {
    bank.settlement().open_cases().filter_map(|(_, case)| of(&case.new.kind)).collect()
}

fn conflicts(bank: &Bank) -> BTreeSet<PaymentId> {
    cases_about(bank, |kind| match kind {
        CaseKind::AnswerConflict(id) => Some(*id),
        _ => None,
    })
}

/// Sums by account, reckoned from the payments.
struct Reckoning<'b> {
    bank: &'b Bank,
    conflicts: BTreeSet<PaymentId>,
    taken_short: BTreeSet<PaymentId>,
    sums: BTreeMap<AccountId, i128>,
}

impl Reckoning<'_> {
    fn add(&mut self, account: AccountId, amount: i128) {
        let sum = self.sums.entry(account).or_default();
        *sum = sum.saturating_add(amount);
    }

    fn take(&mut self, payment: &Payment) {
        let amount = signed(payment.amount);
        let own = payment.account.unwrap_or(books().suspense);
        match payment.kind {
            Kind::Transfer => {
                self.add(own, amount.saturating_neg());
                let to = self.bank.payments().account_by_number(&payment.counterparty.account);
                self.add(to.unwrap_or(books().suspense), amount);
            }
            Kind::Deposit => match &payment.state {
                PaymentState::Credited { to: DepositOf::Account(account), .. } => self.add(*account, amount),
                PaymentState::Credited { to: DepositOf::Suspense, .. } => self.add(books().suspense, amount),
                PaymentState::Returned { .. } if self.taken_short.contains(&payment.id) => {
                    self.add(own, amount);
                    self.add(books().suspense, amount.saturating_neg());
                }
                _ => {}
            },
            Kind::Withdrawal => self.take_withdrawal(payment, own, amount),
        }
    }

    fn take_withdrawal(&mut self, payment: &Payment, own: AccountId, amount: i128) {
        let is_conflict = self.conflicts.contains(&payment.id);
        let fee = signed(payment.fee);
        match &payment.state {
            PaymentState::Confirmed { .. } if is_conflict => {
                self.add(books().suspense, amount.saturating_neg());
            }
            PaymentState::Confirmed { .. } => {
                self.add(own, amount.saturating_add(fee).saturating_neg());
                self.add(books().fees, fee);
            }
            PaymentState::Returned { .. } if !is_conflict => {
                self.add(own, fee.saturating_neg());
                self.add(books().fees, fee);
            }
            _ => {}
        }
    }
}

/// Customers', fee and suspense accounts are what the payments amount to.
pub(crate) fn match_payments(bank: &Bank) -> Result<(), String> {
    let mut reckoning = Reckoning {
        bank,
        conflicts: conflicts(bank),
        taken_short: cases_about(bank, |kind| match kind {
            CaseKind::TakenBackShort(id) => Some(*id),
            _ => None,
        }),
        sums: BTreeMap::new(),
    };
    for payment in bank.payments().payments() {
        reckoning.take(payment);
    }
    let own = books();
    let others = [own.reserve, own.transit_instant, own.transit_high_value, own.capital];
    for (account, _) in bank.ledger().accounts().filter(|(id, _)| !others.contains(id)) {
        let (has, expected) =
            (balance(bank, account), reckoning.sums.get(&account).copied().unwrap_or_default());
        if has != expected {
            return Err(format!("{account} has {has} hundredths, its payments amount to {expected}"));
        }
    }
    if balance(bank, own.suspense) != 0 && bank.settlement().open_cases().next().is_none() {
        return Err("money is in suspense without a case".to_owned());
    }
    Ok(())
}

/// At rest nothing is in transit except what a centre settled otherwise than we counted, and that has a case.
pub(crate) fn match_transit(bank: &Bank) -> Result<(), String> {
    let mut expected = 0_i128;
    for (key, round) in bank.settlement().rounds().filter(|(key, _)| key.round > 0) {
        let Some(settled) = round.settled else {
            return Err(format!("round {} of {} {} is not settled", key.round, key.rail, key.date));
        };
        let counted = NetPosition::of(round.sent.sum, round.received.sum);
        expected = expected.saturating_add(signed_net(counted)).saturating_sub(signed_net(settled));
    }
    let own = books();
    let in_transit = balance(bank, own.transit_instant);
    if in_transit != expected {
        return Err(format!("{in_transit} hundredths are in transit, {expected} can be explained"));
    }
    match balance(bank, own.transit_high_value) {
        0 => Ok(()),
        rest => Err(format!("{rest} hundredths are in transit on the high-value rail")),
    }
}

/// What the bank has at the central bank: its capital, the settled nets and what went gross.
pub(crate) fn match_reserve(bank: &Bank, capital: Amount) -> Result<(), String> {
    let mut expected = signed(capital);
    for (key, round) in bank.settlement().rounds() {
        let moved = match round.settled {
            Some(net) if key.round > 0 => signed_net(net),
            _ if key.round == 0 => signed(round.received.sum).saturating_sub(signed(round.sent.sum)),
            _ => 0,
        };
        expected = expected.saturating_add(moved);
    }
    let has = balance(bank, books().reserve);
    if has == expected { Ok(()) } else { Err(format!("the reserve is {has} hundredths, not {expected}")) }
}

/// Every payment has ended, or waits for an operator with a case.
pub(crate) fn all_ended(bank: &Bank) -> Result<(), String> {
    if let Some((id, outstanding)) = bank.outstanding().next() {
        return Err(format!("{id} is still outstanding: {:?}", outstanding.effect));
    }
    let without_answer = cases_about(bank, |kind| match kind {
        CaseKind::NoAnswer(id) => Some(*id),
        _ => None,
    });
    let unmatched = cases_about(bank, |kind| match kind {
        CaseKind::UnmatchedDeposit(id) => Some(*id),
        _ => None,
    });
    for payment in bank.payments().payments() {
        let has_ended = match &payment.state {
            PaymentState::Confirmed { .. }
            | PaymentState::Done
            | PaymentState::Cancelled { .. }
            | PaymentState::Rejected { .. }
            | PaymentState::Returned { .. } => true,
            PaymentState::Cancelling { answer_by: None, .. } => without_answer.contains(&payment.id),
            PaymentState::Credited { to: DepositOf::Suspense, .. } => unmatched.contains(&payment.id),
            PaymentState::Credited { settlement, .. } => {
                settlement.is_some() || payment.rail == Rail::HighValue
            }
            PaymentState::Waiting { .. }
            | PaymentState::Sending { .. }
            | PaymentState::Sent { .. }
            | PaymentState::Cancelling { .. }
            | PaymentState::Returning { .. } => false,
        };
        if !has_ended {
            return Err(format!("{} has not ended: {:?}", payment.id, payment.state));
        }
    }
    Ok(())
}

/// The asset of everything here.
pub(crate) const ASSET: Asset = Asset::CNY;
