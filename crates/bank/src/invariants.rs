//! What must hold over the whole bank, between machines. Each machine checks its own besides.

use std::collections::BTreeMap;

use ledger::AccountKind;
use money::{Amount, Asset, HoldId};
use payments::{Payment, PaymentState};

use crate::Bank;

impl Bank {
    /// What is broken, in words; empty when every invariant holds. Walks the whole state: for tests, simulation and audit.
    #[must_use]
    pub fn broken_invariants(&self) -> Vec<String> {
        let mut broken = self.ledger.broken_invariants();
        broken.extend(self.broken_holds());
        broken.extend(self.broken_reserves());
        broken.extend(self.broken_transit());
        broken.extend(self.broken_effects());
        broken.extend(self.broken_cells());
        broken.extend(self.broken_exchange());
        broken
    }

    /// A payment that waits or is under way has exactly its hold, for the amount and the fee; no other payment has one.
    fn broken_holds(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let needed = self.payments.payments().filter(|payment| open_hold(&payment.state).is_some()).count();
        let is_own = |hold: &HoldId| payments::Payments::is_own_number(hold.value());
        let open = self.ledger.holds().filter(|(id, _)| is_own(id)).count();
        if open != needed {
            broken.push(format!("{open} holds of payments are open, {needed} payments need one"));
        }
        for payment in self.payments.payments() {
            let Some(hold) = open_hold(&payment.state) else { continue };
            let needed = payment.amount.plus(payment.fee).ok();
            match self.ledger.hold(hold) {
                Some(found) if Some(found.amount) == needed && Some(found.account) == payment.account => {}
                Some(found) => {
                    broken.push(format!("{}: holds {}, not its amount and fee", payment.id, found.amount))
                }
                None => broken.push(format!("{}: is under way without its hold {hold}", payment.id)),
            }
        }
        broken
    }

    /// What the bank has or is owed by a rail covers what it owes to customers and to owners not yet known, per asset.
    fn broken_reserves(&self) -> Vec<String> {
        let mut sums: BTreeMap<Asset, (Amount, Amount)> = BTreeMap::new();
        for (_, account) in self.ledger.accounts() {
            let balance = account.balance();
            let zero = Amount::zero(account.asset());
            let (has, owes) = sums.entry(account.asset()).or_insert((zero, zero));
            let is_asset = match account.kind() {
                AccountKind::Reserve | AccountKind::Nostro | AccountKind::InTransit => true,
                AccountKind::Customer | AccountKind::Vostro | AccountKind::Suspense => false,
                AccountKind::Fee | AccountKind::Capital => continue,
            };
            let side = if is_asset == balance.is_overdrawn { owes } else { has };
            *side = side.plus(balance.posted).unwrap_or(*side);
        }
        let short = sums.iter().filter(|(_, (has, owes))| has.minor() < owes.minor());
        short
            .map(|(asset, (has, owes))| format!("{asset}: reserves {has} are below liabilities {owes}"))
            .collect()
    }

    /// Every guarded account of the bank's own books exists and has the books' asset.
    fn broken_transit(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for books in self.payments.all_books() {
            for id in books.accounts() {
                if self.ledger.account(id).is_none_or(|account| account.asset() != books.asset) {
                    broken.push(format!("{id}: is in the books of {} but not in the ledger", books.asset));
                }
            }
        }
        broken
    }

    /// Every effect is about a payment, and a payment on its way to a rail has its effect.
    fn broken_effects(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for (id, outstanding) in self.outstanding() {
            if self.payment_of(&outstanding.effect).is_none() {
                broken.push(format!("{id}: is about no payment"));
            }
        }
        for payment in self.payments.payments() {
            let sending =
                matches!(payment.state, PaymentState::Sending { .. } | PaymentState::Returning { .. });
            if sending && !self.has_effect(payment) {
                broken.push(format!("{}: is being sent without an effect", payment.id));
            }
        }
        broken
    }

    fn has_effect(&self, payment: &Payment) -> bool {
        let mut effects = self.outbox.values();
        effects.any(|outstanding| self.payment_of(&outstanding.effect).is_some_and(|of| of.id == payment.id))
    }
}

const fn open_hold(state: &PaymentState) -> Option<HoldId> {
    match state {
        PaymentState::Waiting { hold, .. }
        | PaymentState::Sending { hold, .. }
        | PaymentState::Sent { hold, .. }
        | PaymentState::Cancelling { hold, .. } => Some(*hold),
        PaymentState::Confirmed { .. }
        | PaymentState::Done
        | PaymentState::Cancelled { .. }
        | PaymentState::Rejected { .. }
        | PaymentState::Returned { .. }
        | PaymentState::Credited { .. }
        | PaymentState::Returning { .. } => None,
    }
}
