//! A trading floor beside the bank of a run: a node with a disk of its own, on which customers, a tenant and the bank's desk trade and convert while it dies at
//! any point, its sources of prices are late, silent or far off, and its market is halted and suspended.
//!
//! Its chance is its own, so that a run's other steps are what they were without it.

mod account;
mod asks;
mod opening;

use std::collections::{BTreeMap, VecDeque};

use bank::{Bank, Command, JournalEntry, Submission};
use exchange::book::{InForce, SelfTrade};
use exchange::market::Phase;
use exchange::quote::{OfferId, TermsHash};
use exchange::row::{Ask, OrderBatch, OrderRow, PlaceRow};
use exchange::{MarketNumber, OrderId, Price, Quantity, Seat, Side};
use identity::Actor;
use journal::JournalError;
use money::{AccountId, Asset, CommandId, Text, Timestamp};

use crate::Defect;
use crate::books::balance;
use crate::faults::Faults;
use crate::observer::Observer;
use crate::rng::Chance;
use crate::run::relying_party;
use crate::shell::{Reply, Shell};
use account::{Account, Asked};

const MARKET: MarketNumber = MarketNumber::new(1);
/// Accounts of the bank: fees in money and in BTC, and what the desk converts with.
const FEES: u128 = 5;
const BTC_FEES: u128 = 105;
const DESK_BTC: u128 = 111;
const DESK_CNY: u128 = 112;
/// The number of the tenant that trades, and its accounts.
const TENANT: u32 = 7;
const TENANT_BTC: u128 = 121;
const TENANT_CNY: u128 = 122;
/// Minor units of BTC in a lot; one lot at one tick is one hundredth.
const LOT: u64 = 100_000;
/// How long a reading counts, and how many sources make a price.
const STALE_MS: u64 = 5_000;
const SOURCES_MIN: usize = 2;
/// How long an offer is open.
const LOCK_MS: u64 = 4_000;
const SOURCES: [&str; 3] = ["one", "two", "three"];
/// Commands sent again later, and offers kept in mind, at most.
const KEPT_MAX: usize = 8;
/// Starts that fail in a row before the disk is left alone.
const STARTS_MAX: u32 = 8;

/// Who trades: an actor, its accounts, and whether it is a customer, who alone is made offers.
#[derive(Clone)]
struct Trader {
    actor: Actor,
    base: AccountId,
    quote: AccountId,
    group: Option<u32>,
    converts: bool,
}

/// An offer as its customer knows it.
#[derive(Clone, Copy)]
struct Known {
    trader: usize,
    id: OfferId,
    terms: TermsHash,
    expires_at: Timestamp,
}

/// The floor.
pub(crate) struct Floor {
    shell: Shell,
    observer: Observer,
    clock: Timestamp,
    traders: Vec<Trader>,
    asked: Asked,
    begins: BTreeMap<AccountId, i128>,
    unsure: Vec<Submission>,
    answered: VecDeque<(Submission, u64)>,
    offers: VecDeque<Known>,
    /// A source that says nothing for a while.
    silent: Option<(usize, Timestamp)>,
}

fn btc() -> Asset {
    Asset::new("BTC", 8).unwrap_or(Asset::CNY)
}

impl Floor {
    pub(crate) fn new(defect: Option<Defect>, now: Timestamp, chance: &mut Chance) -> Result<Self, String> {
        let mut floor = Self {
            shell: Shell::new(relying_party(), defect.filter(|defect| defect.is_of_the_floor()), None)?,
            observer: Observer::default(),
            clock: now,
            traders: Vec::new(),
            asked: Asked::default(),
            begins: BTreeMap::new(),
            unsure: Vec::new(),
            answered: VecDeque::new(),
            offers: VecDeque::new(),
            silent: None,
        };
        floor.open(chance)?;
        Ok(floor)
    }

    /// Journal records.
    pub(crate) fn records(&self) -> u64 {
        self.observer.records()
    }

    pub(crate) fn into_records(self) -> Vec<Vec<u8>> {
        self.observer.into_records()
    }

    const fn bank(&self) -> &Bank {
        &self.shell.bank
    }

    fn give(&mut self, group: Vec<Submission>) -> Result<Vec<Reply>, String> {
        let replies = self.shell.commit(self.clock, group);
        self.observer.check(&mut self.shell)?;
        Ok(replies)
    }

    /// One step; answers with what happened to the node, in words.
    pub(crate) fn step(
        &mut self,
        now: Timestamp,
        faults: &Faults,
        chance: &mut Chance,
    ) -> Result<Option<&'static str>, String> {
        self.clock = self.clock.max(now);
        let mut words = None;
        if !self.shell.is_alive() && chance.percent(60) {
            self.restart(faults.crashes, chance)?;
            words = Some("the floor starts again");
        }
        match chance.below(100) {
            0..=44 => {
                let count = chance.between(1, 3);
                let group: Vec<Submission> = (0..count).filter_map(|_| self.some_orders(chance)).collect();
                self.ask(group, faults, chance)?;
            }
            45..=62 => self.read_prices(faults, chance)?,
            63..=70 => self.ask_price(faults, chance)?,
            71..=78 => self.take_offer(faults, chance)?,
            79..=83 => self.operators_act(faults, chance)?,
            84..=88 => self.repeat()?,
            89..=94 if faults.crashes => {
                if chance.percent(60) {
                    self.shell.disk.lose_power_after(chance.below(6));
                    words = Some("the floor's power will go");
                } else {
                    self.shell.kill();
                    words = Some("the floor is killed");
                }
            }
            95..=96 if faults.disk => {
                let capacity = chance.percent(50).then_some(0);
                self.shell.disk.set_capacity(capacity);
                words = Some("the floor's disk fills up, or has room");
            }
            97..=98 if self.shell.is_alive() => self.shell.snapshot(),
            _ => drop(self.give(Vec::new())?),
        }
        Ok(words)
    }

    /// Clients ask at the same time; what gets no answer is asked again later.
    fn ask(&mut self, group: Vec<Submission>, faults: &Faults, chance: &mut Chance) -> Result<(), String> {
        let replies = self.give(group.clone())?;
        for (submission, reply) in group.into_iter().zip(replies) {
            match reply {
                Reply::Taken { .. } if faults.lost_replies && chance.percent(20) => {
                    self.unsure.push(submission);
                }
                Reply::Taken { seq, .. } => {
                    self.answered.push_back((submission, seq));
                    if self.answered.len() > KEPT_MAX {
                        self.answered.pop_front();
                    }
                }
                Reply::Refused(_) => {}
                Reply::NoRoom | Reply::Dead => self.unsure.push(submission),
            }
        }
        Ok(())
    }

    /// What was answered comes again, and is answered the same.
    fn repeat(&mut self) -> Result<(), String> {
        self.ask_unsure()?;
        let Some((submission, seq)) = self.answered.pop_front() else { return Ok(()) };
        let id = submission.id;
        match self.give(vec![submission])?.pop() {
            Some(Reply::Taken { seq: again, is_repeat: true }) if again == seq => Ok(()),
            Some(Reply::NoRoom | Reply::Dead) | None => Ok(()),
            Some(reply) => Err(format!("{id} of the floor came again and was answered {reply:?}")),
        }
    }

    fn ask_unsure(&mut self) -> Result<(), String> {
        for submission in std::mem::take(&mut self.unsure) {
            match self.give(vec![submission.clone()])?.pop() {
                Some(Reply::Taken { .. } | Reply::Refused(_)) | None => {}
                Some(Reply::NoRoom | Reply::Dead) => self.unsure.push(submission),
            }
        }
        Ok(())
    }

    /// Power back, journal opened, state rebuilt; the power may go again meanwhile.
    fn restart(&mut self, crashes: bool, chance: &mut Chance) -> Result<(), String> {
        self.shell.disk.set_capacity(None);
        for attempt in 0..STARTS_MAX {
            let mode = chance.below(3);
            self.shell.disk.lose_power();
            self.shell.disk.restore_power(|_| match mode {
                0 => false,
                1 => true,
                _ => chance.percent(50),
            });
            if crashes && attempt.saturating_add(1) < STARTS_MAX && chance.percent(25) {
                self.shell.disk.lose_power_after(chance.below(3));
            }
            match self.shell.start() {
                Ok(()) => return self.observer.after_restart(&mut self.shell),
                Err(JournalError::Io(_)) => {}
                Err(error) => return Err(format!("the floor cannot start again: {error}")),
            }
        }
        Err("the floor cannot start again at all".to_owned())
    }

    /// All faults end and time passes; then what everybody has is what the records come to. Says how many fills and conversions there were.
    pub(crate) fn rest(&mut self, now: Timestamp, chance: &mut Chance) -> Result<(u64, u64), String> {
        self.clock = self.clock.max(now);
        self.shell.kill();
        self.restart(false, chance)?;
        self.ask_unsure()?;
        for _ in 0..40 {
            self.clock = self.clock.plus_ms(2_000);
            self.give(Vec::new())?;
        }
        let exchange = self.bank().exchange();
        if exchange.dealing().desk().open().next().is_some() {
            return Err("an offer of the floor is open long after its time".to_owned());
        }
        if exchange.market(MARKET).is_some_and(|market| matches!(market.phase(), Phase::Call { .. })) {
            return Err("the floor still collects orders for an auction".to_owned());
        }
        let mut account = Account::new(&self.asked, self.begins.clone(), opening::rules().fees);
        for bytes in self.observer.each() {
            account.entry(&JournalEntry::from_bytes(bytes).map_err(|error| error.to_string())?)?;
        }
        for (id, has) in account.each() {
            let found = balance(self.bank(), id);
            if found != has {
                return Err(format!("{id} has {found} on the floor, its trades come to {has}"));
            }
        }
        self.observer.compare(self.bank())?;
        self.observer.audit(&relying_party())?;
        Ok((account.fills, account.converted))
    }
}
