//! The state of payments and what can be read of it.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, CustomerId, Date, HoldId, IdMap, PaymentId, Text, Timestamp};

use crate::{
    AccountNumber, BankNumber, Counterparty, MessageId, MessageKey, Note, PartyName, Rail, RailRow,
    RailState, RailStatus, Route, Settlement,
};

/// Who the bank is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Profile {
    /// Clearing number.
    #[n(0)]
    pub bank: BankNumber,
    /// Name in Chinese.
    #[n(1)]
    pub name_zh: PartyName,
    /// Name in English.
    #[n(2)]
    pub name_en: PartyName,
    /// The bank's day: minutes east of Greenwich (480 for China).
    #[n(3)]
    pub utc_offset_minutes: i32,
}

/// The bank's own accounts in one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Books {
    /// The asset.
    #[n(0)]
    pub asset: Asset,
    /// Account at the central bank.
    #[n(1)]
    pub reserve: AccountId,
    /// Confirmed on the instant rail, not yet settled.
    #[n(2)]
    pub transit_instant: AccountId,
    /// Confirmed on the high-value rail, not yet settled.
    #[n(3)]
    pub transit_high_value: AccountId,
    /// Money whose owner is not clear.
    #[n(4)]
    pub suspense: AccountId,
    /// Fees earned.
    #[n(5)]
    pub fees: AccountId,
    /// The bank's capital.
    #[n(6)]
    pub capital: AccountId,
}

impl Books {
    /// All of them.
    #[must_use]
    pub const fn accounts(&self) -> [AccountId; 6] {
        [self.reserve, self.transit_instant, self.transit_high_value, self.suspense, self.fees, self.capital]
    }

    /// The in-transit account of a rail.
    #[must_use]
    pub const fn transit(&self, rail: Rail) -> AccountId {
        match rail {
            Rail::Internal | Rail::Instant => self.transit_instant,
            Rail::HighValue => self.transit_high_value,
        }
    }
}

/// Who owns an account, under which number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Owner {
    /// The customer.
    #[n(0)]
    pub customer: CustomerId,
    /// The number.
    #[n(1)]
    pub number: AccountNumber,
    /// The asset.
    #[n(2)]
    pub asset: Asset,
}

/// What kind of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Inside the bank.
    #[n(0)]
    Transfer,
    /// To another bank.
    #[n(1)]
    Withdrawal,
    /// From another bank.
    #[n(2)]
    Deposit,
}

/// Where a deposit's money lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum DepositOf {
    /// In a customer's account.
    #[n(0)]
    Account(#[n(0)] AccountId),
    /// In suspense.
    #[n(1)]
    Suspense,
}

/// Where a payment stands, with what belongs to that state only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PaymentState {
    /// It can be undone until then.
    #[n(0)]
    Waiting {
        /// Its hold.
        #[n(0)]
        hold: HoldId,
        /// The end of the undo window.
        #[n(1)]
        until: Timestamp,
    },
    /// On its way to the rail.
    #[n(1)]
    Sending {
        /// Its hold.
        #[n(0)]
        hold: HoldId,
        /// Our message.
        #[n(1)]
        message: MessageId,
    },
    /// The rail has it; an answer is due.
    #[n(2)]
    Sent {
        /// Its hold.
        #[n(0)]
        hold: HoldId,
        /// Our message.
        #[n(1)]
        message: MessageId,
        /// When we ask for cancellation.
        #[n(2)]
        answer_by: Timestamp,
    },
    /// We have asked for cancellation.
    #[n(3)]
    Cancelling {
        /// Its hold.
        #[n(0)]
        hold: HoldId,
        /// Our message.
        #[n(1)]
        message: MessageId,
        /// When an operator must look; none once a case is open.
        #[n(2)]
        answer_by: Option<Timestamp>,
    },
    /// The payee has it.
    #[n(4)]
    Confirmed {
        /// Our message.
        #[n(0)]
        message: MessageId,
        /// How it is settled.
        #[n(1)]
        settlement: Settlement,
    },
    /// Inside the bank: done at once.
    #[n(5)]
    Done,
    /// Undone by its payer, or cancelled at the rail; the money is back.
    #[n(6)]
    Cancelled {
        /// The rail's code where it was cancelled there.
        #[n(0)]
        code: Option<Text<8>>,
    },
    /// Refused by the rail or the other bank; the money is back.
    #[n(7)]
    Rejected {
        /// The rail's code.
        #[n(0)]
        code: Text<8>,
    },
    /// Confirmed, then sent back.
    #[n(8)]
    Returned {
        /// The rail's code.
        #[n(0)]
        code: Text<8>,
    },
    /// A deposit that was credited.
    #[n(9)]
    Credited {
        /// Where the money lies.
        #[n(0)]
        to: DepositOf,
        /// How it is settled, once known.
        #[n(1)]
        settlement: Option<Settlement>,
    },
    /// A deposit that is being sent back.
    #[n(10)]
    Returning {
        /// Our message.
        #[n(0)]
        message: MessageId,
    },
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Payment {
    /// Its id.
    #[n(0)]
    pub id: PaymentId,
    /// What kind.
    #[n(1)]
    pub kind: Kind,
    /// Our customer; none for a deposit that belongs to nobody.
    #[n(2)]
    pub customer: Option<CustomerId>,
    /// Our customer's account.
    #[n(3)]
    pub account: Option<AccountId>,
    /// The other side.
    #[n(4)]
    pub counterparty: Counterparty,
    /// How much arrives.
    #[n(5)]
    pub amount: Amount,
    /// What it costs on top.
    #[n(6)]
    pub fee: Amount,
    /// By which way.
    #[n(7)]
    pub rail: Rail,
    /// Words for the payee.
    #[n(8)]
    pub note: Note,
    /// When it came to be.
    #[n(9)]
    pub created_at: Timestamp,
    /// Where it stands.
    #[n(10)]
    pub state: PaymentState,
    /// The other bank's message, for a deposit.
    #[n(11)]
    pub received_as: Option<MessageKey>,
}

/// What a customer has paid out in the current day, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Usage {
    /// The day of the last payment.
    #[n(0)]
    pub day: Date,
    /// Sum of that day.
    #[n(1)]
    pub day_sum: Amount,
    /// Sum of its month.
    #[n(2)]
    pub month_sum: Amount,
    /// Sum of its year.
    #[n(3)]
    pub year_sum: Amount,
}

impl Usage {
    /// Nothing used.
    #[must_use]
    pub const fn none(asset: Asset, day: Date) -> Self {
        let zero = Amount::zero(asset);
        Self { day, day_sum: zero, month_sum: zero, year_sum: zero }
    }

    /// The same sums seen from `day`: those of past periods are zero.
    #[must_use]
    pub fn seen_from(self, day: Date) -> Self {
        let zero = Amount::zero(self.day_sum.asset());
        let ((year, month, _), (then_year, then_month, _)) = (day.civil(), self.day.civil());
        let keep = |same: bool, sum: Amount| if same { sum } else { zero };
        Self {
            day,
            day_sum: keep(day == self.day, self.day_sum),
            month_sum: keep((year, month) == (then_year, then_month), self.month_sum),
            year_sum: keep(year == then_year, self.year_sum),
        }
    }
}

/// All payments and what belongs to them.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub struct Payments {
    #[n(0)]
    pub(crate) profile: Option<Profile>,
    #[n(1)]
    pub(crate) books: BTreeMap<Asset, Books>,
    #[n(2)]
    pub(crate) rails: Vec<RailRow>,
    #[n(3)]
    pub(crate) status: BTreeMap<Rail, RailStatus>,
    #[n(4)]
    pub(crate) payments: IdMap<PaymentId, Payment>,
    #[n(5)]
    pub(crate) numbers: BTreeMap<AccountNumber, AccountId>,
    #[n(6)]
    pub(crate) owners: IdMap<AccountId, Owner>,
    #[n(7)]
    pub(crate) accounts: IdMap<CustomerId, Vec<AccountId>>,
    #[n(8)]
    pub(crate) received: BTreeMap<MessageKey, (u64, PaymentId)>,
    #[n(9)]
    pub(crate) sent: BTreeMap<MessageId, PaymentId>,
    /// When a payment needs attention, soonest first.
    #[n(10)]
    pub(crate) due: BTreeSet<(Timestamp, PaymentId)>,
    #[n(11)]
    pub(crate) usage: BTreeMap<(CustomerId, Asset), Usage>,
    #[n(12)]
    pub(crate) next_serial: u64,
    #[n(13)]
    pub(crate) next_message: (Date, u32),
    /// Confirmed although their payers had the money back: what comes back of them is the bank's.
    #[n(14)]
    pub(crate) conflicts: BTreeSet<PaymentId>,
}

impl Payments {
    /// Who the bank is.
    #[must_use]
    pub const fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// The bank's own accounts in an asset.
    #[must_use]
    pub fn books(&self, asset: Asset) -> Option<&Books> {
        self.books.get(&asset)
    }

    /// A payment.
    #[must_use]
    pub fn payment(&self, id: PaymentId) -> Option<&Payment> {
        self.payments.get(&id)
    }

    /// All payments, oldest first.
    pub fn payments(&self) -> impl DoubleEndedIterator<Item = &Payment> {
        self.payments.in_order().map(|(_, payment)| payment)
    }

    /// Who owns an account.
    #[must_use]
    pub fn owner(&self, account: AccountId) -> Option<&Owner> {
        self.owners.get(&account)
    }

    /// The account with a number.
    #[must_use]
    pub fn account_by_number(&self, number: &AccountNumber) -> Option<AccountId> {
        self.numbers.get(number).copied()
    }

    /// The payment of ours that a message carried.
    #[must_use]
    pub fn payment_by_message(&self, message: &MessageId) -> Option<&Payment> {
        self.sent.get(message).and_then(|id| self.payments.get(id))
    }

    /// The payment that another bank's message became or changed.
    #[must_use]
    pub fn payment_received_as(&self, key: &MessageKey) -> Option<&Payment> {
        self.received.get(key).and_then(|(_, id)| self.payments.get(id))
    }

    /// How many accounts customers have.
    #[must_use]
    pub fn accounts_count(&self) -> usize {
        self.owners.len()
    }

    /// All books, by asset.
    pub fn all_books(&self) -> impl Iterator<Item = &Books> {
        self.books.values()
    }

    /// A customer's accounts, in the order they were opened.
    #[must_use]
    pub fn accounts_of(&self, customer: CustomerId) -> &[AccountId] {
        self.accounts.get(&customer).map(Vec::as_slice).unwrap_or_default()
    }

    /// The status of a rail; the bank's own is always open.
    #[must_use]
    pub fn rail_status(&self, rail: Rail) -> Option<RailStatus> {
        self.status.get(&rail).copied()
    }

    /// What a customer has used of the limits, seen from `day`.
    #[must_use]
    pub fn usage(&self, customer: CustomerId, asset: Asset, day: Date) -> Usage {
        self.usage
            .get(&(customer, asset))
            .map_or_else(|| Usage::none(asset, day), |usage| usage.seen_from(day))
    }

    /// The bank's calendar date at `now`.
    #[must_use]
    pub fn local_date(&self, now: Timestamp) -> Date {
        now.date_at(self.profile.as_ref().map_or(0, |profile| profile.utc_offset_minutes))
    }

    /// When the next payment needs attention.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The terms of a rail on a day.
    #[must_use]
    pub fn terms(&self, rail: Rail, asset: Asset, day: Date) -> Option<&RailRow> {
        let matching =
            self.rails.iter().filter(|row| row.rail == rail && row.asset == asset && row.from <= day);
        matching.max_by_key(|row| row.from)
    }

    /// The way a payment of `amount` to `bank` takes on `day`: inside the bank, else the instant rail up to its ceiling, else the
    /// high-value rail.
    #[must_use]
    pub fn route(&self, bank: &BankNumber, amount: Amount, day: Date) -> Option<Route> {
        if self.profile.as_ref().is_some_and(|profile| profile.bank == *bank) {
            let fee = Amount::zero(amount.asset());
            let (rail, state) = (Rail::Internal, RailState::Open);
            return Some(Route { rail, reason: "same_bank", ceiling: None, fee, usual_ms: None, state });
        }
        let instant = self.terms(Rail::Instant, amount.asset(), day);
        let ceiling = instant.and_then(|row| row.ceiling);
        let fits = instant.is_some() && ceiling.is_none_or(|ceiling| amount.minor() <= ceiling.minor());
        let (row, reason) = if fits {
            (instant?, "below_instant_ceiling")
        } else {
            (self.terms(Rail::HighValue, amount.asset(), day)?, "above_instant_ceiling")
        };
        if row.ceiling.is_some_and(|ceiling| amount.minor() > ceiling.minor()) {
            return None;
        }
        let state = self.rail_status(row.rail).map_or(RailState::Down, |status| status.state);
        let fee = row.fee.fee(amount);
        Some(Route { rail: row.rail, reason, ceiling, fee, usual_ms: Some(row.usual_ms), state })
    }

    /// Whether `name` is the name `holder` goes by.
    #[must_use]
    pub fn same_name(name: &str, holder: &str) -> bool {
        crate::words::same_name(name, holder)
    }
}
