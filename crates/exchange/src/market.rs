//! A market: its rules and state, who sits in it, and what each order of its book can still need.
//!
//! What follows from a row is found out by `check`, which changes nothing, and `run`, which changes the book, the claims and, through
//! [`Funds`], the ledger as it goes. `replay` does the same again from the book's events alone.

mod apply;
mod check;
mod claim;
mod parent;
mod rules;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ledger::{Position, TradeLeg};
use minicbor::{Decode, Encode};
use money::{AccountId, Asset, CustomerId, EntryId, IdMap, Timestamp};
use smallvec::SmallVec;

pub use claim::{Bound, Claim};
pub use parent::{Parent, ParentEnd, ParentNumber};
pub use rules::{Fees, Hours, MakerFee, PPM_WHOLE, Rules, SeatAccounts, Session};

use crate::book::Book;
use crate::event::Label;
use crate::{MarketNumber, OrderId, Price, Seat, StpGroup};

pub(crate) use apply::Serials;
pub(crate) use parent::{EVERY_MS_MAX, EVERY_MS_MIN, PIECES};
pub(crate) use run::Turn;

/// What a market does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Phase {
    /// Outside its hours: orders can only be ended or made smaller.
    #[n(0)]
    Closed,
    /// Orders are collected for an auction.
    #[n(1)]
    Call {
        /// When the auction is.
        #[n(0)]
        until: Timestamp,
        /// What it is for.
        #[n(1)]
        why: CallReason,
    },
    /// Orders trade as they come.
    #[n(2)]
    Open,
    /// Stopped by the bank: orders can only be ended or made smaller.
    #[n(3)]
    Suspended,
}

/// What an auction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CallReason {
    /// The market opens.
    #[n(0)]
    Opening,
    /// The market closes.
    #[n(1)]
    Closing,
    /// The price moved too far too fast.
    #[n(2)]
    Halt,
    /// The market was suspended and goes on.
    #[n(3)]
    Resumption,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Call { .. } => "collecting orders for an auction",
            Self::Open => "open",
            Self::Suspended => "suspended",
        })
    }
}

/// Who sits in a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SeatRow {
    /// The account in base.
    #[n(0)]
    pub base: AccountId,
    /// The account in quote.
    #[n(1)]
    pub quote: AccountId,
    /// Where they stand in the books.
    #[n(2)]
    pub accounts: SeatAccounts,
    /// With whom it never trades.
    #[n(3)]
    pub group: StpGroup,
    /// How many orders it has in the book.
    #[n(4)]
    pub open: u32,
    /// Whether it may place none.
    #[n(5)]
    pub is_stopped: bool,
    /// Whose it is.
    #[n(6)]
    pub owner: Owner,
}

/// Who may give orders for a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Owner {
    /// The bank itself.
    #[n(0)]
    Bank,
    /// A client with books of its own, by its number.
    #[n(1)]
    Tenant(#[n(0)] u32),
    /// A customer.
    #[n(2)]
    Customer(#[n(0)] CustomerId),
}

/// Rules and the time from which on they hold.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RulesRow {
    /// From when on.
    #[n(0)]
    pub from: Timestamp,
    /// The rules.
    #[n(1)]
    pub rules: Rules,
}

/// All rules that a market had, has and will have.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct RulesByTime {
    /// Those it was opened with.
    #[n(0)]
    pub(crate) first: RulesRow,
    /// Those after them, by the time from which on they hold.
    #[n(1)]
    pub(crate) later: Vec<RulesRow>,
}

impl RulesByTime {
    pub(crate) fn at(&self, now: Timestamp) -> &Rules {
        let later = self.later.iter().rev().find(|row| row.from <= now);
        &later.unwrap_or(&self.first).rules
    }
}

/// What happens to money because of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// Minor units are set aside.
    Reserve {
        /// On this account.
        account: Position,
        /// How many.
        minor: u128,
    },
    /// Minor units are given back.
    Unreserve {
        /// On this account.
        account: Position,
        /// How many.
        minor: u128,
    },
    /// A trade's entry is posted.
    Trade {
        /// Its id.
        id: EntryId,
        /// Its legs.
        legs: SmallVec<[TradeLeg; 5]>,
        /// The market, in the upper half, and the lower half of the trade's number there.
        reference: u64,
    },
}

/// Whoever keeps the money: says whether an order is covered, and carries out what was decided.
pub trait Funds {
    /// Where an open account stands in the books.
    ///
    /// # Errors
    /// It is unknown or closed.
    fn position(&self, account: AccountId) -> Result<Position, ledger::Refusal>;

    /// The asset of an account.
    fn asset(&self, account: Position) -> Option<Asset>;

    /// What an account has available, in minor units.
    fn available(&self, account: Position) -> u128;

    /// Whether so many minor units can be set aside.
    ///
    /// # Errors
    /// The ledger's refusal.
    fn can_reserve(&self, account: Position, minor: u128) -> Result<(), ledger::Refusal>;

    /// Carries out a movement. It cannot fail: funds were there before the order came in.
    fn carry_out(&mut self, movement: &Movement);
}

/// One market.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Market {
    #[n(0)]
    pub(crate) number: MarketNumber,
    #[n(1)]
    pub(crate) rules: RulesByTime,
    #[n(2)]
    pub(crate) phase: Phase,
    /// When the phase changes by itself.
    #[n(3)]
    pub(crate) phase_due: Option<Timestamp>,
    #[n(4)]
    pub(crate) book: Book,
    /// By the order's slot in the book.
    #[n(5)]
    pub(crate) claims: Vec<Option<Claim>>,
    #[n(6)]
    pub(crate) seats: Vec<SeatRow>,
    #[n(7)]
    pub(crate) seat_of: BTreeMap<Position, Seat>,
    /// The price around which the band lies, and since when.
    #[n(8)]
    pub(crate) reference: Price,
    #[n(9)]
    pub(crate) reference_since: Timestamp,
    #[n(10)]
    pub(crate) expiries: BTreeSet<(Timestamp, OrderId)>,
    /// The owners' own numbers of open orders.
    #[n(11)]
    pub(crate) clients: IdMap<(Seat, u64), OrderId>,
    #[n(12)]
    pub(crate) parents: BTreeMap<ParentNumber, Parent>,
    #[n(13)]
    pub(crate) parents_count: u32,
    /// Orders of orders by when their next piece is due.
    #[n(14)]
    pub(crate) pieces: BTreeSet<(Timestamp, ParentNumber)>,
    /// Those that a rising price triggers, and those that a falling price does.
    #[n(15)]
    pub(crate) rising: BTreeSet<(Price, ParentNumber)>,
    #[n(16)]
    pub(crate) falling: BTreeSet<(Price, ParentNumber)>,
    #[n(17)]
    pub(crate) trades: u64,
    /// What is to be known of the order that comes in next.
    #[n(18)]
    pub(crate) label: Label,
    /// The account that fees go to.
    #[n(19)]
    pub(crate) fee_account: Position,
}

impl Market {
    /// Its number.
    #[must_use]
    pub const fn number(&self) -> MarketNumber {
        self.number
    }

    /// The rules at a time.
    #[must_use]
    pub fn rules(&self, now: Timestamp) -> &Rules {
        self.rules.at(now)
    }

    /// All its rules, by the time from which on they hold.
    pub fn rules_rows(&self) -> impl Iterator<Item = &RulesRow> {
        std::iter::once(&self.rules.first).chain(&self.rules.later)
    }

    /// What it does at the moment.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// When it does something else by itself.
    #[must_use]
    pub const fn phase_due(&self) -> Option<Timestamp> {
        self.phase_due
    }

    /// The price around which the band lies.
    #[must_use]
    pub const fn reference(&self) -> Price {
        self.reference
    }

    /// The book.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// How many trades there have been.
    #[must_use]
    pub const fn trades_count(&self) -> u64 {
        self.trades
    }

    /// What is known of an order that is in the book.
    #[must_use]
    pub fn claim(&self, id: OrderId) -> Option<&Claim> {
        let slot = usize::try_from(id.slot()).ok()?;
        self.claims.get(slot)?.as_ref().filter(|claim| claim.id == id)
    }

    /// What is known of every order in the book.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().flatten()
    }

    /// The order to which an owner gave this number.
    #[must_use]
    pub fn order_of_client(&self, seat: Seat, client: u64) -> Option<OrderId> {
        self.clients.get(&(seat, client)).copied()
    }

    /// A seat.
    #[must_use]
    pub fn seat(&self, seat: Seat) -> Option<&SeatRow> {
        self.seats.get(usize::try_from(seat.number()).ok()?)
    }

    /// All seats, in the order in which they were taken.
    pub fn seats(&self) -> impl Iterator<Item = (Seat, &SeatRow)> {
        (0..).map(Seat::new).zip(&self.seats)
    }

    /// The seat that an account has.
    #[must_use]
    pub fn seat_of(&self, account: Position) -> Option<Seat> {
        self.seat_of.get(&account).copied()
    }

    /// Whether fills and fees may still come to an account.
    pub(crate) fn needs(&self, account: AccountId) -> bool {
        let is_busy = |seat: Seat, row: &SeatRow| {
            row.open > 0 || self.parents.values().any(|parent| parent.order.seat == seat)
        };
        let of_seat = |(seat, row): (Seat, &SeatRow)| {
            (row.base == account || row.quote == account) && is_busy(seat, row)
        };
        self.rules.first.rules.fee_account == account || self.seats().any(of_seat)
    }

    /// Orders of orders that have not ended.
    pub fn parents(&self) -> impl Iterator<Item = (ParentNumber, &Parent)> {
        self.parents.iter().map(|(number, parent)| (*number, parent))
    }

    pub(crate) const fn parents_count(&self) -> u32 {
        self.parents_count
    }

    /// What is wrong with the market, in words: the book by itself, and the claims against it.
    pub(crate) fn broken_invariants(&self) -> Vec<String> {
        let mut broken = self.book.broken();
        let rules = &self.rules.first.rules;
        for claim in self.claims() {
            let left = self.book.order(claim.id).map(|order| order.left);
            if left != Some(claim.left) {
                broken.push(format!("order {}: {left:?} left in the book, not {:?}", claim.id, claim.left));
            }
            let need = claim.need(rules);
            if need != claim.reserved {
                broken.push(format!("order {}: {} set aside, {need} needed", claim.id, claim.reserved));
            }
        }
        let in_book: u32 = self.seats().map(|(seat, _)| self.book.count_of(seat)).sum();
        let claimed = self.claims().count();
        if usize::try_from(in_book).ok() != Some(claimed) {
            broken.push(format!("market {}: {in_book} orders in the book, {claimed} claims", self.number));
        }
        for (seat, row) in self.seats() {
            let open = self.book.count_of(seat);
            if row.open != open {
                broken.push(format!("seat {}: counts {} orders, has {open}", seat.number(), row.open));
            }
        }
        broken
    }

    /// When the next thing happens by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let expiry = self.expiries.first().map(|(at, _)| *at);
        let piece = self.pieces.first().map(|(at, _)| *at);
        [self.phase_due, expiry, piece].into_iter().flatten().min()
    }
}
