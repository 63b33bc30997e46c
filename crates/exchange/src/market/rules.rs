//! What a market trades, in which steps, for which fees, and when.

use ledger::Position;
use minicbor::{Decode, Encode};
use money::{AccountId, Asset, Date, Timestamp};

use crate::{Price, Quantity, Refusal, Side};

/// Parts per million in a whole.
pub const PPM_WHOLE: u128 = 1_000_000;
/// Highest fee: five per cent. More is a slip of the pen.
const FEE_PPM_MAX: u32 = 50_000;
/// Minutes of a day.
const DAY_MINUTES: u32 = 24 * 60;
const MINUTE_MS: u64 = 60_000;
/// The clocks furthest from UTC are 14 hours ahead of it.
const OFFSET_MINUTES_MAX: u32 = 14 * 60;
/// How far ahead the next trading day is looked for.
const NEXT_DAY_MAX: i32 = 366;

/// Fees, in millionths of what changes hands in quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Fees {
    /// Of the order that rested.
    #[n(0)]
    pub maker: MakerFee,
    /// Of the order that came in, in millionths; rounded up over all its fills together.
    #[n(1)]
    pub taker_ppm: u32,
}

/// What a resting order pays or gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum MakerFee {
    /// It pays so many millionths, rounded up over all its fills together.
    #[n(0)]
    Pays(#[n(0)] u32),
    /// It gets so many millionths back, rounded down at each fill.
    #[n(1)]
    Gets(#[n(0)] u32),
}

impl Fees {
    /// The most that an order can have to pay, in millionths: taking or resting.
    #[must_use]
    pub const fn most_ppm(&self) -> u32 {
        match self.maker {
            MakerFee::Pays(maker) if maker > self.taker_ppm => maker,
            MakerFee::Pays(_) | MakerFee::Gets(_) => self.taker_ppm,
        }
    }
}

/// When a market is open, by the clock of its place: the same hours on each of its days.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hours {
    /// Minutes that the place's clock is ahead of UTC.
    #[n(0)]
    pub utc_offset_minutes: i32,
    /// Days of the week, Monday in the lowest of seven bits.
    #[n(1)]
    pub days: u8,
    /// Minute of the day at which orders are collected for the opening auction.
    #[n(2)]
    pub call_at: u32,
    /// Minute of the day of the opening auction; continuous trading follows.
    #[n(3)]
    pub open_at: u32,
    /// Minute of the day at which orders are collected for the closing auction.
    #[n(4)]
    pub closing_call_at: u32,
    /// Minute of the day of the closing auction.
    #[n(5)]
    pub close_at: u32,
    /// Days on which it stays closed.
    #[n(6)]
    pub holidays: Vec<Date>,
}

/// What the hours say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// No trading.
    Closed,
    /// Orders are collected for the opening auction.
    OpeningCall,
    /// Continuous trading.
    Open,
    /// Orders are collected for the closing auction.
    ClosingCall,
}

impl Hours {
    fn is_sound(&self) -> bool {
        self.days > 0
            && self.days < 128
            && self.utc_offset_minutes.unsigned_abs() <= OFFSET_MINUTES_MAX
            && self.call_at <= self.open_at
            && self.open_at < self.closing_call_at
            && self.closing_call_at <= self.close_at
            && self.close_at <= DAY_MINUTES
    }

    /// What they say at a time, and until when.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> (Session, Timestamp) {
        let today = now.date_at(self.utc_offset_minutes);
        let steps = [
            (self.call_at, Session::Closed),
            (self.open_at, Session::OpeningCall),
            (self.closing_call_at, Session::Open),
            (self.close_at, Session::ClosingCall),
        ];
        if self.is_trading_day(today) {
            let left = steps.into_iter().find(|(minute, _)| now < self.time(today, *minute));
            if let Some((minute, session)) = left {
                return (session, self.time(today, minute));
            }
        }
        let mut ahead = (1..=NEXT_DAY_MAX).map(|days| today.plus_days(days));
        let next = ahead.find(|day| self.is_trading_day(*day)).unwrap_or(today.plus_days(NEXT_DAY_MAX));
        (Session::Closed, self.time(next, self.call_at))
    }

    fn time(&self, day: Date, minute: u32) -> Timestamp {
        day.midnight_at(self.utc_offset_minutes).plus_ms(u64::from(minute).saturating_mul(MINUTE_MS))
    }

    fn is_trading_day(&self, day: Date) -> bool {
        let bit = day.weekday().saturating_sub(1);
        (self.days >> bit) & 1 == 1 && !self.holidays.contains(&day)
    }
}

/// The rules of a market. Assets, lot, tick and the account for fees never change; the rest is dated.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Rules {
    /// What is bought and sold.
    #[n(0)]
    pub base: Asset,
    /// What it is paid with.
    #[n(1)]
    pub quote: Asset,
    /// Minor units of base in one lot.
    #[n(2)]
    pub lot: u64,
    /// Minor units of quote that one lot costs at one tick.
    #[n(3)]
    pub tick: u64,
    /// Most lots in one order.
    #[n(4)]
    pub quantity_max: Quantity,
    /// Least that an order may be worth, in minor units of quote.
    #[n(5)]
    pub notional_min: u64,
    /// Fees.
    #[n(6)]
    pub fees: Fees,
    /// How far an order's price may lie from the reference price, in basis points of it.
    #[n(7)]
    pub band_bps: u32,
    /// A trade this far from the reference price, in basis points, halts continuous trading.
    #[n(8)]
    pub halt_bps: u32,
    /// How long a reference price stands, in milliseconds; then the last price takes its place.
    #[n(9)]
    pub reference_ms: u64,
    /// How long orders are collected after a halt, in milliseconds.
    #[n(10)]
    pub call_ms: u64,
    /// Most orders that one seat may have in the book.
    #[n(11)]
    pub open_orders_max: u32,
    /// When it is open; always where absent.
    #[n(12)]
    pub hours: Option<Hours>,
    /// Where fees go, an account in quote.
    #[n(13)]
    pub fee_account: AccountId,
}

impl Rules {
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let fees_sound = match self.fees.maker {
            MakerFee::Pays(ppm) => ppm <= FEE_PPM_MAX,
            // Whoever trades with themselves over two owners must not earn by it.
            MakerFee::Gets(ppm) => ppm <= self.fees.taker_ppm,
        };
        let sound = self.base != self.quote
            && self.lot > 0
            && self.tick > 0
            && !self.quantity_max.is_zero()
            && fees_sound
            && self.fees.taker_ppm <= FEE_PPM_MAX
            && (1..10_000).contains(&self.band_bps)
            && (1..=self.band_bps).contains(&self.halt_bps)
            && self.reference_ms > 0
            && self.call_ms > 0
            && self.open_orders_max > 0
            && self.hours.as_ref().is_none_or(Hours::is_sound);
        if sound { Ok(()) } else { Err(Refusal::RulesUnsound) }
    }

    /// Whether these may follow `before`: what orders are counted in stays, and where their fees go.
    pub(crate) fn may_follow(&self, before: &Self) -> bool {
        self.base == before.base
            && self.quote == before.quote
            && self.lot == before.lot
            && self.tick == before.tick
            && self.fee_account == before.fee_account
    }

    /// What so many lots are in minor units of base.
    #[must_use]
    pub fn base_minor(&self, quantity: Quantity) -> u128 {
        u128::from(quantity.lots()).saturating_mul(u128::from(self.lot))
    }

    /// What so many lots cost at a price, in minor units of quote; exact.
    #[must_use]
    pub fn quote_minor(&self, price: Price, quantity: Quantity) -> u128 {
        let ticks_lots = u128::from(price.ticks()).saturating_mul(u128::from(quantity.lots()));
        ticks_lots.saturating_mul(u128::from(self.tick))
    }

    /// The prices that an order may name.
    #[must_use]
    pub fn band(&self, reference: Price) -> (Price, Price) {
        around(reference, self.band_bps)
    }

    /// The prices that trades may reach without a halt.
    #[must_use]
    pub fn halt_band(&self, reference: Price) -> (Price, Price) {
        around(reference, self.halt_bps)
    }
}

/// The prices within so many basis points of another; at least one tick.
fn around(reference: Price, bps: u32) -> (Price, Price) {
    let ticks = u128::from(reference.ticks());
    let away = ticks.saturating_mul(u128::from(bps)).checked_div(10_000).unwrap_or(0).max(1);
    let low = u64::try_from(ticks.saturating_sub(away)).unwrap_or(u64::MAX).max(1);
    let high = u64::try_from(ticks.saturating_add(away)).unwrap_or(u64::MAX);
    (Price::new(low), Price::new(high))
}

/// Where the money of a seat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SeatAccounts {
    /// Its account in base.
    #[n(0)]
    pub base: Position,
    /// Its account in quote.
    #[n(1)]
    pub quote: Position,
}

impl SeatAccounts {
    /// The account that an order on a side draws on.
    #[must_use]
    pub const fn drawn_on(&self, side: Side) -> Position {
        match side {
            Side::Bid => self.quote,
            Side::Ask => self.base,
        }
    }
}
