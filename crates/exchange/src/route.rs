//! Routing: one amount over several venues at once, so that the customer gets the most for it, or pays the least.
//!
//! Every venue is a ladder of steps, each net of fees and none better than the one before: the levels of a book, pieces of a pool's curve, the bank's own price. The
//! ladders become one: the best step of all is taken first, until the amount is used up. What each venue gives for its part is then worked out as a whole, so
//! that it rounds once, and where a single venue would have done better than all of them together, that venue is the route.
//!
//! **Invariant.** A route is never worse than the best single venue.
//!
//! It changes nothing and reserves nothing: between the route and the trade a book or a pool can move.

use minicbor::{Decode, Encode};
use money::{Amount, Asset};

use crate::pool::{Pool, PoolNumber};
use crate::quote::Firm;
use crate::wide::{mul_div_ceil, mul_div_floor, product};
use crate::{MarketNumber, Price, Quantity, Side};

/// Pieces into which a pool's curve is cut: first all of the amount, then again two pieces about where the cut before ended, as often as there are rounds.
const POOL_STEPS: u128 = 32;
const ROUNDS: u32 = 3;
/// Most venues of one route.
pub const VENUES_MAX: usize = 16;
const MILLION: u128 = 1_000_000;

/// Where a part of a route trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum VenueId {
    /// Against what the bank has.
    #[n(0)]
    Inventory,
    /// In the book of a market.
    #[n(1)]
    Book(#[n(0)] MarketNumber),
    /// In a pool.
    #[n(2)]
    Pool(#[n(0)] PoolNumber),
}

/// One side of a market's book, as its taker meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookSide {
    /// The market.
    pub market: MarketNumber,
    /// The taker's side: a bid buys base and pays quote.
    pub side: Side,
    /// Minor units of base in one lot.
    pub lot: u64,
    /// Minor units of quote that one lot costs at one tick.
    pub tick: u64,
    /// The taker's fee in millionths of what changes hands in quote, rounded up.
    pub fee_ppm: u32,
    /// The resting orders of the other side: price and quantity, best first.
    pub levels: Vec<(Price, Quantity)>,
}

/// A place to trade.
#[derive(Debug, Clone)]
pub enum Venue<'a> {
    /// The bank's own price, up to what it has of the asset that goes out.
    Inventory {
        /// The price.
        price: Firm,
        /// Most that goes out.
        most: Amount,
    },
    /// A book.
    Book(BookSide),
    /// A pool.
    Pool {
        /// Its number.
        number: PoolNumber,
        /// Its state.
        pool: &'a Pool,
    },
}

/// Which amount is given, and to which other asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Exact {
    /// Exactly this is paid; the most that it gives is sought.
    #[n(0)]
    Pays {
        /// What is paid.
        #[n(0)]
        amount: Amount,
        /// What is taken for it.
        #[n(1)]
        takes: Asset,
    },
    /// Exactly this is taken; the least that it costs is sought.
    #[n(1)]
    Takes {
        /// What is taken.
        #[n(0)]
        amount: Amount,
        /// What is paid for it.
        #[n(1)]
        pays: Asset,
    },
}

impl Exact {
    /// The asset that is paid, and the one that is taken.
    #[must_use]
    pub const fn assets(&self) -> (Asset, Asset) {
        match self {
            Self::Pays { amount, takes } => (amount.asset(), *takes),
            Self::Takes { amount, pays } => (*pays, amount.asset()),
        }
    }

    /// The amount that is given.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        match self {
            Self::Pays { amount, .. } | Self::Takes { amount, .. } => *amount,
        }
    }
}

/// A part of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RouteLeg {
    /// Where.
    #[n(0)]
    pub venue: VenueId,
    /// What goes there.
    #[n(1)]
    pub pays: Amount,
    /// What comes from there, after its fees.
    #[n(2)]
    pub takes: Amount,
}

/// Where an amount trades, and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The parts, in the order of the venues asked; those that get nothing are left out.
    pub legs: Vec<RouteLeg>,
    /// All that is paid.
    pub pays: Amount,
    /// All that is taken.
    pub takes: Amount,
}

/// What a venue does with an amount: minor units in and out. It may use less than it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Dealt {
    pays: u128,
    takes: u128,
}

impl Dealt {
    fn plus(self, other: Self) -> Option<Self> {
        Some(Self { pays: self.pays.checked_add(other.pays)?, takes: self.takes.checked_add(other.takes)? })
    }

    fn minus(self, other: Self) -> Self {
        Self { pays: self.pays.saturating_sub(other.pays), takes: self.takes.saturating_sub(other.takes) }
    }

    /// Whether a unit paid gives more here than there.
    fn is_dearer_than(self, other: Self) -> bool {
        product(self.takes, other.pays) < product(other.takes, self.pays)
    }
}

/// The best route of an amount over venues; `None` where they cannot take all of it together.
///
/// Of more than [`VENUES_MAX`] venues the first are asked.
#[must_use]
pub fn route(venues: &[Venue<'_>], exact: &Exact) -> Option<Route> {
    let venues = venues.get(..VENUES_MAX).unwrap_or(venues);
    let whole = exact.amount().minor();
    let mut width = whole.div_ceil(POOL_STEPS);
    let mut merged = merge(venues, exact, whole, None);
    for _ in 1..ROUNDS {
        merged = merged.and_then(|parts| merge(venues, exact, whole, Some((&parts, width))));
        width = width.saturating_mul(2).div_ceil(POOL_STEPS);
    }
    let alone = |place: usize| {
        let deal = |(at, venue)| if at == place { deal(venue, exact, whole) } else { Dealt::default() };
        venues.iter().enumerate().map(deal).collect::<Vec<Dealt>>()
    };
    let all = merged.into_iter().chain((0..venues.len()).map(alone));
    let complete = all.filter(|parts| total(parts).is_some_and(|sum| measure(exact, sum) == whole));
    let best = complete.reduce(|best, next| if is_better(exact, &next, &best) { next } else { best })?;
    let (pays, takes) = exact.assets();
    let sum = total(&best)?;
    let legs = venues.iter().zip(&best).filter(|(_, part)| part.pays > 0 || part.takes > 0);
    let legs = legs.map(|(venue, part)| RouteLeg {
        venue: venue.id(),
        pays: Amount::new(pays, part.pays),
        takes: Amount::new(takes, part.takes),
    });
    Some(Route {
        legs: legs.collect(),
        pays: Amount::new(pays, sum.pays),
        takes: Amount::new(takes, sum.takes),
    })
}

/// Greedy by marginal price; the parts of the venues, or `None` where a number does not fit. `about` are the parts of a coarser
/// try, and how wide its pieces were.
fn merge(
    venues: &[Venue<'_>],
    exact: &Exact,
    whole: u128,
    about: Option<(&[Dealt], u128)>,
) -> Option<Vec<Dealt>> {
    let near = |place: usize| {
        let (parts, width) = about?;
        parts.get(place).map(|part| (measure(exact, *part), width))
    };
    let ladders = venues.iter().enumerate().map(|(place, venue)| steps(venue, exact, whole, near(place)));
    let ladders: Vec<Vec<Dealt>> = ladders.collect();
    let mut heads: Vec<std::slice::Iter<'_, Dealt>> = ladders.iter().map(|steps| steps.iter()).collect();
    let mut parts = vec![0_u128; venues.len()];
    let mut left = whole;
    while left > 0 {
        let best =
            heads.iter().enumerate().filter_map(|(place, steps)| Some((place, *steps.as_slice().first()?)));
        let best = best.reduce(|best, next| if best.1.is_dearer_than(next.1) { next } else { best });
        let Some((place, step)) = best else { break };
        heads.get_mut(place)?.next();
        let taken = measure(exact, step).min(left);
        let part = parts.get_mut(place)?;
        *part = part.checked_add(taken)?;
        left = left.checked_sub(taken)?;
    }
    let mut dealt: Vec<Dealt> =
        venues.iter().zip(&parts).map(|(venue, part)| deal(venue, exact, *part)).collect();
    // Whole lots and full venues leave something over: whoever does most with it gets it.
    for _ in 0..venues.len() {
        let left = whole.checked_sub(measure(exact, total(&dealt)?)).filter(|left| *left > 0);
        let Some(left) = left else { break };
        let more = venues.iter().zip(&dealt).enumerate().filter_map(|(place, (venue, has))| {
            let grown = deal(venue, exact, measure(exact, *has).checked_add(left)?);
            let gain = grown.minus(*has);
            (measure(exact, gain) > 0).then_some((place, grown, gain))
        });
        let best = more.reduce(|best, next| if best.2.is_dearer_than(next.2) { next } else { best });
        let Some((place, grown, _)) = best else { break };
        *dealt.get_mut(place)? = grown;
    }
    Some(dealt)
}

fn total(parts: &[Dealt]) -> Option<Dealt> {
    parts.iter().try_fold(Dealt::default(), |sum, part| sum.plus(*part))
}

/// How much of the given amount is used.
const fn measure(exact: &Exact, dealt: Dealt) -> u128 {
    match exact {
        Exact::Pays { .. } => dealt.pays,
        Exact::Takes { .. } => dealt.takes,
    }
}

fn is_better(exact: &Exact, parts: &[Dealt], than: &[Dealt]) -> bool {
    match (total(parts), total(than)) {
        (Some(sum), Some(than)) => match exact {
            Exact::Pays { .. } => sum.takes > than.takes,
            Exact::Takes { .. } => sum.pays < than.pays,
        },
        (sum, _) => sum.is_some(),
    }
}

/// The steps of a venue for an amount, best first, each above zero; those of a pool finer about an amount, so far to each side of it.
fn steps(venue: &Venue<'_>, exact: &Exact, whole: u128, near: Option<(u128, u128)>) -> Vec<Dealt> {
    match venue {
        Venue::Inventory { .. } => {
            let all = deal(venue, exact, whole);
            if measure(exact, all) > 0 { vec![all] } else { Vec::new() }
        }
        Venue::Book(book) => book.steps(),
        Venue::Pool { .. } => {
            let start = near.map_or(0, |(near, width)| near.saturating_sub(width));
            let length =
                near.map_or(whole, |(_, width)| width.saturating_mul(2)).min(whole.saturating_sub(start));
            let cut = |step| mul_div_floor(length, step, POOL_STEPS).unwrap_or(0).saturating_add(start);
            let mut before = Dealt::default();
            let pieces =
                (u128::from(start == 0)..=POOL_STEPS).map(|step| deal(venue, exact, cut(step))).map(|upto| {
                    let step = upto.minus(before);
                    before = upto;
                    step
                });
            pieces.take_while(|step| step.pays > 0 && step.takes > 0).collect()
        }
    }
}

/// What a venue does with an amount, all its fees included; nothing where it cannot.
fn deal(venue: &Venue<'_>, exact: &Exact, minor: u128) -> Dealt {
    if minor == 0 {
        return Dealt::default();
    }
    let (pays, takes) = exact.assets();
    let found = match venue {
        Venue::Inventory { price, most } => price.deal_up_to(exact, minor, *most),
        Venue::Book(book) => book.deal(exact, minor).map(|dealt| (dealt.pays, dealt.takes)),
        Venue::Pool { pool, .. } => {
            let swap = match exact {
                Exact::Pays { .. } => pool.swap_in(Amount::new(pays, minor), takes),
                Exact::Takes { .. } => pool.swap_out(Amount::new(takes, minor), pays),
            };
            swap.ok().map(|swap| (swap.paid.minor(), swap.taken.minor()))
        }
    };
    found.map_or_else(Dealt::default, |(pays, takes)| Dealt { pays, takes })
}

impl Venue<'_> {
    /// Which venue it is.
    #[must_use]
    pub const fn id(&self) -> VenueId {
        match self {
            Self::Inventory { .. } => VenueId::Inventory,
            Self::Book(book) => VenueId::Book(book.market),
            Self::Pool { number, .. } => VenueId::Pool(*number),
        }
    }
}

impl BookSide {
    /// Each level as a whole, net of the fee.
    fn steps(&self) -> Vec<Dealt> {
        let step = |(price, quantity): &(Price, Quantity)| {
            let lots = u128::from(quantity.lots());
            self.dealt(lots, self.lot_cost(*price)?.checked_mul(lots)?)
        };
        self.levels.iter().filter_map(step).filter(|step| step.pays > 0 && step.takes > 0).collect()
    }

    /// As many whole lots as the amount is good for, and not one more.
    fn deal(&self, exact: &Exact, minor: u128) -> Option<Dealt> {
        let fee = u128::from(self.fee_ppm);
        // Either lots are counted, or quote before the fee.
        let in_quote = match (exact, self.side) {
            (Exact::Pays { .. }, Side::Bid) => {
                Some(mul_div_floor(minor, MILLION, MILLION.checked_add(fee)?)?)
            }
            // The most whose rest after a fee rounded up is not above the amount.
            (Exact::Takes { .. }, Side::Ask) => {
                let above = mul_div_ceil(minor.checked_add(1)?, MILLION, MILLION.checked_sub(fee)?)?;
                Some(above.saturating_sub(1))
            }
            (Exact::Pays { .. }, Side::Ask) | (Exact::Takes { .. }, Side::Bid) => None,
        };
        let mut lots_left = match in_quote {
            Some(_) => u128::MAX,
            None => minor.checked_div(u128::from(self.lot))?,
        };
        let mut quote_left = in_quote.unwrap_or(u128::MAX);
        let (mut lots, mut cost) = (0_u128, 0_u128);
        for (price, quantity) in &self.levels {
            let each = self.lot_cost(*price)?;
            let here = u128::from(quantity.lots()).min(lots_left).min(quote_left.checked_div(each)?);
            let costs = each.checked_mul(here)?;
            (lots, cost) = (lots.checked_add(here)?, cost.checked_add(costs)?);
            (lots_left, quote_left) = (lots_left.checked_sub(here)?, quote_left.checked_sub(costs)?);
        }
        self.dealt(lots, cost)
    }

    /// Lots that cost so much before the fee.
    fn dealt(&self, lots: u128, cost: u128) -> Option<Dealt> {
        let base = lots.checked_mul(u128::from(self.lot))?;
        let fee = mul_div_ceil(cost, u128::from(self.fee_ppm), MILLION)?;
        Some(match self.side {
            Side::Bid => Dealt { pays: cost.checked_add(fee)?, takes: base },
            Side::Ask => Dealt { pays: base, takes: cost.checked_sub(fee)? },
        })
    }

    fn lot_cost(&self, price: Price) -> Option<u128> {
        u128::from(price.ticks()).checked_mul(u128::from(self.tick))
    }
}

#[cfg(test)]
mod tests;
