//! Netting rounds: what they hold, how they close, how their nets settle.

use std::collections::BTreeMap;

use cnaps::{
    BankNumber, Message, MessageType, Money, Net, NettingEntry, NettingNotice, OriginalRef, SettlementNotice,
    Side, Status,
};
use jiff::Timestamp;
use jiff::civil::Date;

use super::World;
use super::agenda::Due;
use super::compose::Letter;
use super::payment::Way;
use crate::calendar::after;
use crate::config::Rail;

/// Most payments in a round: its notice must stay well below the size limit of a frame.
pub(crate) const ENTRIES_MAX: usize = 3_000;

/// A payment in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    original: OriginalRef,
    side: Side,
    minor: u128,
    other_bank: BankNumber,
}

impl Entry {
    pub(crate) fn new(original: OriginalRef, way: Way, amount: &Money, other_bank: &BankNumber) -> Self {
        Self { original, side: way.side(), minor: amount.minor_units, other_bank: other_bank.clone() }
    }

    /// What our bank gains by it.
    fn gain_minor(&self) -> i128 {
        let minor = i128::try_from(self.minor).unwrap_or(i128::MAX);
        match self.side {
            Side::Credit => minor,
            Side::Debit => minor.saturating_neg(),
        }
    }
}

/// A round that takes no more payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClosedRound {
    pub(crate) entries: usize,
    /// Net of every member: received less paid. They add up to zero.
    pub(crate) nets_minor: BTreeMap<BankNumber, i128>,
    pub(crate) settled_at: Option<Timestamp>,
}

/// All rounds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rounds {
    /// Rounds closed on this business day; the open one has the next number.
    pub(crate) closed_today: u32,
    pub(crate) open: Vec<Entry>,
    pub(crate) closed: BTreeMap<(Date, u32), ClosedRound>,
}

impl Rounds {
    /// Number of the open round.
    pub(crate) fn number(&self) -> u32 {
        self.closed_today.saturating_add(1)
    }

    pub(crate) fn is_open(&self, number: u32) -> bool {
        self.number() == number && !self.open.is_empty()
    }

    pub(crate) fn status(&self, date: Date, round: u32) -> Status {
        match self.closed.get(&(date, round)) {
            Some(closed) if closed.settled_at.is_some() => Status::Settled,
            Some(_) => Status::Netted,
            None => Status::Confirmed,
        }
    }

    /// Net of a member over the open round and those not settled.
    pub(crate) fn unsettled_net_minor(&self, member: &BankNumber) -> i128 {
        let open = self.open.iter().map(Entry::gain_minor);
        let closed = self.closed.values().rev().take_while(|round| round.settled_at.is_none());
        let closed = closed.filter_map(|round| round.nets_minor.get(member).copied());
        open.chain(closed).fold(0, i128::saturating_add)
    }

    fn nets_minor(&self, ours: &BankNumber) -> BTreeMap<BankNumber, i128> {
        let mut nets = BTreeMap::from([(ours.clone(), 0_i128)]);
        for entry in &self.open {
            let gain = entry.gain_minor();
            let mut add = |member: &BankNumber, minor: i128| {
                let net = nets.entry(member.clone()).or_default();
                *net = net.saturating_add(minor);
            };
            add(ours, gain);
            add(&entry.other_bank, gain.saturating_neg());
        }
        nets
    }
}

/// A net as messages tell it; nothing left counts as received.
fn net(minor: i128) -> Net {
    let side = if minor < 0 { Side::Debit } else { Side::Credit };
    Net { side, amount: Money::cny(minor.unsigned_abs()) }
}

impl World {
    /// Takes a payment into the open round, which then closes in due time.
    pub(crate) fn join_round(&mut self, entry: Entry, at: Timestamp) -> (Date, u32) {
        if self.rounds.open.len() >= ENTRIES_MAX {
            self.close_round(at);
        }
        let date = self.centre(Rail::Instant).business_date;
        let number = self.rounds.number();
        if self.rounds.open.is_empty() {
            self.agenda.plan(after(at, self.config.round_ms), Due::CloseRound { date, number });
        }
        self.rounds.open.push(entry);
        (date, number)
    }

    /// Closes the open round, if it has payments, and tells our bank (601).
    pub(crate) fn close_round(&mut self, at: Timestamp) -> bool {
        if self.rounds.open.is_empty() {
            return false;
        }
        let bank = self.config.bank.clone();
        let (business_date, round) = (self.centre(Rail::Instant).business_date, self.rounds.number());
        let nets_minor = self.rounds.nets_minor(&bank);
        let ours = nets_minor.get(&bank).copied().unwrap_or_default();
        let entries = std::mem::take(&mut self.rounds.open);
        let closed = ClosedRound { entries: entries.len(), nets_minor, settled_at: None };
        self.rounds.closed.insert((business_date, round), closed);
        self.rounds.closed_today = round;
        let entries: Vec<NettingEntry> = entries
            .into_iter()
            .map(|entry| NettingEntry {
                original: entry.original,
                side: entry.side,
                amount: Money::cny(entry.minor),
            })
            .collect();
        let letter = self.settlement_letter(MessageType::Saps601);
        self.send(&letter, at, |message_id| {
            let (created_at, net) = (at, net(ours));
            Message::NettingNotice(NettingNotice {
                message_id,
                created_at,
                bank,
                business_date,
                round,
                net,
                entries,
            })
        });
        if self.config.settle_ms == 0 {
            self.settle_round(business_date, round, at);
        } else {
            let due = Due::Settle { date: business_date, number: round };
            self.agenda.plan(after(at, self.config.settle_ms), due);
        }
        true
    }

    /// Settles the net of a round (603), once.
    pub(crate) fn settle_round(&mut self, date: Date, number: u32, at: Timestamp) {
        let bank = self.config.bank.clone();
        let Some(round) = self.rounds.closed.get_mut(&(date, number)) else { return };
        if round.settled_at.is_some() {
            return;
        }
        round.settled_at = Some(at);
        let mut net = net(round.nets_minor.get(&bank).copied().unwrap_or_default());
        if let Some(wrong) = self.faults.wrong_net.take() {
            net.amount.minor_units = net.amount.minor_units.saturating_add(wrong);
        }
        let letter = self.settlement_letter(MessageType::Saps603);
        self.send(&letter, at, |message_id| {
            Message::SettlementNotice(SettlementNotice {
                message_id,
                created_at: at,
                bank,
                business_date: date,
                round: number,
                net,
                status: Status::Settled,
                settled_at: at,
            })
        });
    }

    /// Settles everything that is closed.
    pub(crate) fn settle_all(&mut self, at: Timestamp) {
        let unsettled = self.rounds.closed.iter().filter(|(_, round)| round.settled_at.is_none());
        let unsettled: Vec<(Date, u32)> = unsettled.map(|(key, _)| *key).collect();
        for (date, number) in unsettled {
            self.settle_round(date, number, at);
        }
    }

    fn settlement_letter(&self, message_type: MessageType) -> Letter {
        let sender = self.config.centre.clone();
        Letter { rail: Some(Rail::Instant), sender, message_type, reference: None }
    }
}
