//! A ledger in a hundred lines: entries in a list, and every figure summed from it when it is asked for. It is written from the rules alone,
//! has no index, no running balance and no cleverness, and is as slow as that.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{AccountKind, Change, Command, Leg, Row, Side, Sizing, Transfer};
use money::{AccountId, Asset, EntryId, HoldId, Timestamp};

#[derive(Clone)]
pub(crate) struct Account {
    kind: AccountKind,
    asset: Asset,
    is_open: bool,
}

#[derive(Clone)]
pub(crate) struct Posted {
    id: EntryId,
    legs: Vec<Leg>,
    recorded_at: Timestamp,
    effective_at: Timestamp,
    is_reversed: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Naive {
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) entries: Vec<Posted>,
    pub(crate) holds: BTreeMap<HoldId, (AccountId, i128)>,
    ended: BTreeSet<HoldId>,
    sealed: Timestamp,
}

type Answer<T = ()> = Result<T, &'static str>;

fn check(holds: bool, otherwise: &'static str) -> Answer {
    if holds { Ok(()) } else { Err(otherwise) }
}

impl Naive {
    /// What the legs of some entries add up to on an account, positive on its normal side.
    pub(crate) fn sum<'l>(&self, id: AccountId, legs: impl IntoIterator<Item = &'l Leg>) -> i128 {
        let plus = self.accounts[&id].kind.normal_side();
        let own = legs.into_iter().filter(|leg| leg.account == id);
        own.map(|leg| i128::try_from(leg.amount.minor()).unwrap() * if leg.side == plus { 1 } else { -1 })
            .sum()
    }

    pub(crate) fn posted(&self, id: AccountId, counts: impl Fn(&Timestamp, &Timestamp) -> bool) -> i128 {
        let counted = self.entries.iter().filter(|entry| counts(&entry.recorded_at, &entry.effective_at));
        self.sum(id, counted.flat_map(|entry| &entry.legs))
    }

    pub(crate) fn held(&self, id: AccountId) -> i128 {
        self.holds.values().filter(|(account, _)| *account == id).map(|(_, amount)| amount).sum()
    }

    fn open_account(&self, id: AccountId) -> Answer<&Account> {
        let account = self.accounts.get(&id).ok_or("account_unknown")?;
        check(account.is_open, "account_closed").map(|()| account)
    }

    /// Takes a command, or says which rule is against it.
    pub(crate) fn take(&mut self, command: &Command, now: Timestamp) -> Answer {
        match command {
            Command::OpenAccount { id, kind, asset, opened_at, .. } => {
                check(opened_at.is_none_or(|at| at <= now), "opened_in_future")?;
                check(!self.accounts.contains_key(id), "account_exists")?;
                self.accounts.insert(*id, Account { kind: *kind, asset: *asset, is_open: true });
            }
            Command::CloseAccount { id } => {
                self.open_account(*id)?;
                check(self.posted(*id, |_, _| true) == 0 && self.held(*id) == 0, "account_not_empty")?;
                self.accounts.get_mut(id).unwrap().is_open = false;
            }
            Command::Change(change) => self.change(change, now)?,
            Command::Reverse { id, of, memo } => {
                let of = self.entries.iter().position(|entry| entry.id == *of).ok_or("entry_unknown")?;
                check(!self.entries[of].is_reversed, "already_reversed")?;
                let mut legs = self.entries[of].legs.clone();
                legs.iter_mut().for_each(|leg| leg.side = leg.side.opposite());
                let entry =
                    ledger::Entry { id: *id, legs, effective_at: None, reference: None, memo: memo.clone() };
                self.change(&Change { entry: Some(entry), ..Change::default() }, now)?;
                self.entries[of].is_reversed = true;
            }
            Command::Transfer(transfer) => {
                let amount = self.size(transfer)?;
                let Transfer { id, debit, credit, effective_at, reference, memo, .. } = transfer.clone();
                let legs = vec![Leg::debit(debit, amount), Leg::credit(credit, amount)];
                let entry = Some(ledger::Entry { id, legs, effective_at, reference, memo });
                self.change(&Change { entry, ..Change::default() }, now)?;
            }
            Command::Seal { through, .. } => {
                check(*through > self.sealed && *through <= now, "seal_out_of_order")?;
                self.sealed = *through;
            }
            Command::SetMonitor { .. } | Command::RemoveMonitor { .. } | Command::NoticeDelivered { .. } => {
                panic!("monitors move no money")
            }
        }
        Ok(())
    }

    /// Rows one after another; those that are linked all or none. Answers with the numbers of those that were not taken.
    pub(crate) fn take_rows(&mut self, rows: &[Row], now: Timestamp) -> Vec<u32> {
        let (mut refused, mut start) = (Vec::new(), 0);
        while start < rows.len() {
            let end = start + rows[start..].iter().take_while(|row| row.is_linked).count() + 1;
            let mut after = self.clone();
            match rows[start..end].iter().try_for_each(|row| after.take(&row.command, now)) {
                Ok(()) => *self = after,
                Err(_) => refused.extend((start..end).map(|row| u32::try_from(row).unwrap())),
            }
            start = end;
        }
        refused
    }

    /// How much a transfer moves: all that its guarded payers can give, and no more than was asked for.
    fn size(&self, transfer: &Transfer) -> Answer<money::Amount> {
        let (cap, asset) = match transfer.sizing {
            Sizing::Exact(amount) => return Ok(amount),
            Sizing::UpTo(amount) => (i128::try_from(amount.minor()).unwrap(), amount.asset()),
            Sizing::AllAvailable(asset) => (i128::MAX, asset),
        };
        let mut bound = None;
        for (id, side) in [(transfer.debit, Side::Debit), (transfer.credit, Side::Credit)] {
            let account = self.open_account(id)?;
            check(account.asset == asset, "asset_mismatch")?;
            if account.kind.is_guarded() && account.kind.normal_side() != side {
                let available = (self.posted(id, |_, _| true) - self.held(id)).max(0);
                bound = Some(bound.map_or(available, |least: i128| least.min(available)));
            }
        }
        let bound = bound.ok_or("nothing_bounds")?;
        check(bound > 0, "nothing_available")?;
        Ok(money::Amount::new(asset, u128::try_from(bound.min(cap)).unwrap()))
    }

    fn change(&mut self, change: &Change, now: Timestamp) -> Answer {
        let Change { ends, entry, places } = change;
        let legs = entry.as_ref().map(|entry| entry.legs.as_slice()).unwrap_or_default();
        check(!ends.is_empty() || entry.is_some() || !places.is_empty(), "empty_change")?;
        check(places.iter().all(|hold| !hold.amount.is_zero()), "zero_amount")?;
        check(entry.is_none() || (2..=64).contains(&legs.len()), "leg_count")?;
        check(legs.iter().all(|leg| !leg.amount.is_zero()), "zero_amount")?;
        let assets: BTreeSet<Asset> = legs.iter().map(|leg| leg.amount.asset()).collect();
        for asset in assets {
            let of = |side| legs.iter().filter(move |leg| leg.side == side && leg.amount.asset() == asset);
            let sum = |side| of(side).map(|leg| leg.amount.minor()).sum::<u128>();
            check(sum(Side::Debit) == sum(Side::Credit), "unbalanced")?;
        }
        let asked = entry.as_ref().and_then(|entry| entry.effective_at);
        check(asked.is_none_or(|at| at <= now), "effective_in_future")?;
        check(asked.is_none_or(|at| at >= self.sealed), "day_sealed")?;
        let effective_at = asked.unwrap_or(now);
        let is_known = |id: &EntryId| self.entries.iter().any(|entry| entry.id == *id);
        check(!entry.as_ref().is_some_and(|entry| is_known(&entry.id)), "entry_exists")?;
        let mut ids = BTreeSet::new();
        let is_new = |id| ids.insert(id) && !self.holds.contains_key(&id) && !self.ended.contains(&id);
        check(places.iter().map(|hold| hold.id).all(is_new), "hold_exists")?;
        let mut touched = Vec::new();
        let named = legs.iter().map(|leg| (leg.account, leg.amount));
        for (id, amount) in named.chain(places.iter().map(|hold| (hold.account, hold.amount))) {
            check(self.open_account(id)?.asset == amount.asset(), "asset_mismatch")?;
            touched.push(id);
        }
        let mut after = self.clone();
        for end in ends {
            let (account, _) = after.holds.remove(&end.hold).ok_or("hold_not_open")?;
            after.ended.insert(end.hold);
            touched.push(account);
        }
        for hold in places {
            after.holds.insert(hold.id, (hold.account, i128::try_from(hold.amount.minor()).unwrap()));
        }
        if let Some(entry) = entry {
            let (id, legs) = (entry.id, entry.legs.clone());
            after.entries.push(Posted { id, legs, recorded_at: now, effective_at, is_reversed: false });
        }
        let is_guarded = |id: &AccountId| self.accounts[id].kind.is_guarded();
        touched.retain(is_guarded);
        for id in &touched {
            let minus = self.accounts[id].kind.normal_side().opposite();
            let takes = legs.iter().any(|leg| leg.account == *id && leg.side == minus)
                || places.iter().any(|hold| hold.account == *id);
            let covered = after.posted(*id, |_, _| true) >= after.held(*id);
            check(!takes || covered, "insufficient_funds")?;
        }
        for id in touched.iter().filter(|id| effective_at < now && self.sum(**id, legs) < 0) {
            let times = after.entries.iter().map(|entry| entry.effective_at).filter(|at| *at >= effective_at);
            let holds = times.into_iter().all(|at| after.posted(*id, |_, effective| *effective <= at) >= 0);
            check(holds, "later_balance")?;
        }
        *self = after;
        Ok(())
    }
}
