//! What an order in the book can still need: the money side of it.
//!
//! A bid needs the price of what is left and the highest fee on it; an ask needs what is left. Fees are owed on all fills of an order together, so that rounding costs an order less
//! than one minor unit, however many pieces it fills in.

use minicbor::{Decode, Encode};
use money::{Timestamp, invariant};

use super::rules::{MakerFee, PPM_WHOLE};
use super::{Fees, ParentNumber, Rules};
use crate::book::{NewOrder, Terms};
use crate::{OrderId, Price, Quantity, Seat, Side};

/// What the market keeps of an order besides its place in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// The order.
    #[n(0)]
    pub id: OrderId,
    /// Whose.
    #[n(1)]
    pub seat: Seat,
    /// Buy or sell.
    #[n(2)]
    pub side: Side,
    /// What is left of it.
    #[n(3)]
    pub left: Quantity,
    /// What bounds the cost of a bid.
    #[n(4)]
    pub bound: Bound,
    /// The fees it came in under; they hold until it ends.
    #[n(5)]
    pub fees: Fees,
    /// What is set aside for it now, in minor units.
    #[cbor(n(6), with = "money::wide")]
    pub reserved: u128,
    /// Fees owed so far, in millionths of a minor unit.
    #[cbor(n(7), with = "money::wide")]
    pub fee_millionths: u128,
    /// Fees paid so far, in minor units.
    #[cbor(n(8), with = "money::wide")]
    pub fee_paid: u128,
    /// What it has filled so far.
    #[n(9)]
    pub filled: Quantity,
    /// What its fills cost together, in minor units of quote.
    #[cbor(n(10), with = "money::wide")]
    pub filled_quote: u128,
    /// The owner's own number for it; 0 for none.
    #[n(11)]
    pub client: u64,
    /// When it ends by itself.
    #[n(12)]
    pub until: Option<Timestamp>,
    /// The larger order that it is a piece of.
    #[n(13)]
    pub parent: Option<ParentNumber>,
    /// When it came in.
    #[n(14)]
    pub entered_at: Timestamp,
}

/// What bounds the cost of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Bound {
    /// This price for each lot.
    #[n(0)]
    Price(#[n(0)] Price),
    /// This sum for all that is left, in minor units of quote.
    #[n(1)]
    Sum(#[cbor(n(0), with = "money::wide")] u128),
}

/// What a fill costs one of its sides, in minor units of quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FillCost {
    /// What changes hands.
    pub(crate) quote: u128,
    /// The fee on it.
    pub(crate) fee: u128,
    /// What is given back of the taker's fee.
    pub(crate) rebate: u128,
    /// What is not needed any more of what was set aside for the order, the cost included.
    pub(crate) frees: u128,
}

/// Which part an order has in a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Maker,
    Taker,
    /// In an auction nobody takes from anybody: both pay as one who rested, and nobody gets anything back.
    Auction,
}

impl Bound {
    /// The bound of an order as it comes in.
    pub(crate) fn of(order: &NewOrder, rules: &Rules) -> Self {
        let sum = |ticks_lots: u64| u128::from(ticks_lots).saturating_mul(u128::from(rules.tick));
        match order.terms {
            Terms::Limit(price) => Self::Price(price),
            Terms::Budget { ticks_lots, .. } | Terms::WholeFor { ticks_lots } => Self::Sum(sum(ticks_lots)),
        }
    }
}

impl Claim {
    pub(crate) fn new(id: OrderId, order: &NewOrder, rules: &Rules, now: Timestamp) -> Self {
        let mut claim = Self {
            id,
            seat: order.seat,
            side: order.side,
            left: order.quantity,
            bound: Bound::of(order, rules),
            fees: rules.fees,
            reserved: 0,
            fee_millionths: 0,
            fee_paid: 0,
            filled: Quantity::ZERO,
            filled_quote: 0,
            client: 0,
            until: None,
            parent: None,
            entered_at: now,
        };
        claim.reserved = claim.need(rules);
        claim
    }

    /// What the order can still need, in minor units of the asset it draws on.
    #[must_use]
    pub fn need(&self, rules: &Rules) -> u128 {
        if self.left.is_zero() {
            return 0;
        }
        match (self.side, self.bound) {
            (Side::Ask, _) => rules.base_minor(self.left),
            (Side::Bid, Bound::Price(price)) => self.with_fee(rules.quote_minor(price, self.left)),
            (Side::Bid, Bound::Sum(sum)) => self.with_fee(sum),
        }
    }

    /// A cost to come with the highest fee on it, on top of the fees owed and not yet paid.
    fn with_fee(&self, quote: u128) -> u128 {
        let most = quote.saturating_mul(u128::from(self.fees.most_ppm()));
        let fees = self.fee_millionths.saturating_add(most).div_ceil(PPM_WHOLE);
        quote.saturating_add(fees.saturating_sub(self.fee_paid))
    }

    /// Takes up a fill of `quantity` at `price`; says what it costs.
    pub(crate) fn fill(
        &mut self,
        part: Part,
        price: Price,
        quantity: Quantity,
        left: Quantity,
        rules: &Rules,
    ) -> FillCost {
        let quote = rules.quote_minor(price, quantity);
        let (ppm, rebate_ppm) = match (part, self.fees.maker) {
            (Part::Taker, _) => (self.fees.taker_ppm, 0),
            (Part::Maker | Part::Auction, MakerFee::Pays(ppm)) => (ppm, 0),
            (Part::Maker, MakerFee::Gets(ppm)) => (0, ppm),
            (Part::Auction, MakerFee::Gets(_)) => (0, 0),
        };
        self.fee_millionths = self.fee_millionths.saturating_add(quote.saturating_mul(u128::from(ppm)));
        let fee = self.fee_millionths.div_ceil(PPM_WHOLE).saturating_sub(self.fee_paid);
        self.fee_paid = self.fee_paid.saturating_add(fee);
        let rebate = quote.saturating_mul(u128::from(rebate_ppm)).checked_div(PPM_WHOLE).unwrap_or(0);
        self.filled = Quantity::new(self.filled.lots().saturating_add(quantity.lots()));
        self.filled_quote = self.filled_quote.saturating_add(quote);
        if let Bound::Sum(sum) = &mut self.bound {
            *sum = sum.saturating_sub(quote);
        }
        self.left = left;
        FillCost { quote, fee, rebate, frees: self.lower(rules) }
    }

    /// Sets what is left; says how much of what was set aside is not needed any more.
    pub(crate) fn shrink(&mut self, left: Quantity, rules: &Rules) -> u128 {
        self.left = left;
        self.lower(rules)
    }

    fn lower(&mut self, rules: &Rules) -> u128 {
        let need = self.need(rules);
        let freed = self.reserved.checked_sub(need);
        invariant!(freed.is_some(), "order {} needs {need}, {} is set aside", self.id, self.reserved);
        self.reserved = need;
        freed.unwrap_or(0)
    }
}
