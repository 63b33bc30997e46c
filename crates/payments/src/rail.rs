//! Rails: their dated terms, whether they are open, and which one a payment takes.

use minicbor::{Decode, Encode};
use money::{Amount, Asset, Bps, Date};

/// A way for money to travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Rail {
    /// From account to account inside the bank.
    #[n(0)]
    Internal,
    /// Instant payments: round the clock, netted, with a ceiling.
    #[n(1)]
    Instant,
    /// High-value payments: gross, in operating hours, without a ceiling.
    #[n(2)]
    HighValue,
}

impl Rail {
    /// Its name in texts and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Instant => "instant",
            Self::HighValue => "high_value",
        }
    }

    /// The rail of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Internal, Self::Instant, Self::HighValue].into_iter().find(|rail| rail.name() == name)
    }
}

/// Whether a rail takes payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum RailState {
    /// Yes.
    #[n(0)]
    Open,
    /// Outside its operating hours.
    #[n(1)]
    Closed,
    /// Not reachable.
    #[n(2)]
    Down,
}

/// What a rail last said of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RailStatus {
    /// Whether it takes payments.
    #[n(0)]
    pub state: RailState,
    /// Its business date.
    #[n(1)]
    pub business_date: Date,
}

/// What a payment costs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FeeRule {
    /// Up to here it is free.
    #[n(0)]
    pub free_up_to: Amount,
    /// Then this share of the amount, rounded up,
    #[n(1)]
    pub rate: Bps,
    /// but at least this
    #[n(2)]
    pub at_least: Amount,
    /// and at most this.
    #[n(3)]
    pub at_most: Amount,
}

impl FeeRule {
    /// The fee for `amount`; the highest one where the sum would not fit.
    #[must_use]
    pub fn fee(&self, amount: Amount) -> Amount {
        if amount.minor() <= self.free_up_to.minor() {
            return Amount::zero(amount.asset());
        }
        let share = amount.share_ceil(self.rate).unwrap_or(self.at_most);
        Amount::new(amount.asset(), share.minor().clamp(self.at_least.minor(), self.at_most.minor()))
    }
}

/// The terms of a rail for an asset from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RailRow {
    /// Which rail.
    #[n(0)]
    pub rail: Rail,
    /// Which asset.
    #[n(1)]
    pub asset: Asset,
    /// First day on which it counts.
    #[n(2)]
    pub from: Date,
    /// Most in one payment.
    #[n(3)]
    pub ceiling: Option<Amount>,
    /// What it costs.
    #[n(4)]
    pub fee: FeeRule,
    /// How long we wait for an answer before we ask for cancellation, in milliseconds.
    #[n(5)]
    pub answer_ms: u64,
    /// How long a payment usually takes, in milliseconds: what the payer is told.
    #[n(6)]
    pub usual_ms: u64,
}

/// The way a payment would take, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The rail.
    pub rail: Rail,
    /// Why this one, as a stable code.
    pub reason: &'static str,
    /// The ceiling that decided, where one did.
    pub ceiling: Option<Amount>,
    /// What it costs.
    pub fee: Amount,
    /// How long it usually takes, in milliseconds; none inside the bank.
    pub usual_ms: Option<u64>,
    /// Whether the rail takes payments now.
    pub state: RailState,
}
