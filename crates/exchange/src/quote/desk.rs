//! The desk: terms of all pairs, open offers, and those that ended lately.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use money::{Amount, Asset, CustomerId, Timestamp, invariant};

use super::{
    Accept, ConvertTerms, EndedOffer, Firm, Offer, OfferEnd, OfferId, QuoteChange, QuoteRefusal,
    QuoteRequest, Spread, Stock,
};
use crate::price::{Mid, Pair};
use crate::route::{Exact, Route, Venue, route};
use crate::wide::{mul_div_ceil, mul_div_floor};
use crate::{Dated, Side};

/// Most open offers of one customer: a screen shows one, a program may compare a few.
pub const OPEN_PER_CUSTOMER_MAX: usize = 8;
/// Most open offers in all: with ten seconds each, ten thousand a second.
pub const OPEN_MAX: usize = 100_000;
/// How many ended offers are known, so that who comes late hears why.
pub const ENDED_MAX: usize = 100_000;
const MILLION: u128 = 1_000_000;

/// The convert desk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Desk {
    #[n(0)]
    terms: BTreeMap<Pair, Dated<ConvertTerms>>,
    #[n(1)]
    open: BTreeMap<OfferId, Offer>,
    /// The ends of open offers, and whose they are.
    #[n(2)]
    ends: BTreeSet<(Timestamp, OfferId)>,
    #[n(3)]
    of_customer: BTreeSet<(CustomerId, OfferId)>,
    /// What open offers promise.
    #[n(4)]
    promised: BTreeMap<Asset, Amount>,
    /// The latest [`ENDED_MAX`].
    #[n(5)]
    ended: BTreeMap<OfferId, EndedOffer>,
    #[n(6)]
    ended_order: BTreeMap<u64, OfferId>,
    #[n(7)]
    next_serial: u64,
}

/// A request with its pair, and the amounts without the fee.
struct Asked {
    pair: Pair,
    side: Side,
}

impl Desk {
    /// A desk that converts nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers the wish to convert a pair by these terms from a time on.
    ///
    /// # Errors
    /// [`QuoteRefusal::Terms`], also where the pair is converted the other way round already.
    pub fn decide_terms(
        &self,
        pair: Pair,
        from: Timestamp,
        terms: ConvertTerms,
    ) -> Result<QuoteChange, QuoteRefusal> {
        terms.check(pair).map_err(|problem| QuoteRefusal::Terms { problem })?;
        if self.terms.contains_key(&Pair { base: pair.quote, quote: pair.base }) {
            return Err(QuoteRefusal::Terms { problem: "the pair is converted the other way round" });
        }
        Ok(QuoteChange::TermsSet { pair, from, terms })
    }

    /// The pair that a request is about, and the customer's side: what [`Stock`] is asked for.
    ///
    /// # Errors
    /// [`QuoteRefusal::NotConverted`].
    pub fn pair_of(&self, exact: &Exact, now: Timestamp) -> Result<(Pair, Side), QuoteRefusal> {
        let (pays, takes) = exact.assets();
        let ways =
            [(Pair { base: takes, quote: pays }, Side::Bid), (Pair { base: pays, quote: takes }, Side::Ask)];
        let known = |pair: &Pair| self.terms.get(pair).is_some_and(|rows| rows.at(now).is_some());
        let way = ways.into_iter().find(|(pair, _)| known(pair));
        way.ok_or(QuoteRefusal::NotConverted { pays, takes })
    }

    /// Answers a request with an offer.
    ///
    /// # Errors
    /// A [`QuoteRefusal`], in this order: zero → known id → pair → open offers → size → spread → amounts → stock.
    pub fn decide_offer(
        &self,
        request: &QuoteRequest,
        stock: &Stock<'_>,
        now: Timestamp,
    ) -> Result<QuoteChange, QuoteRefusal> {
        let id = request.id;
        if request.exact.amount().is_zero() {
            return Err(QuoteRefusal::ZeroAmount);
        }
        if self.open.contains_key(&id) || self.ended.contains_key(&id) {
            return Err(QuoteRefusal::OfferExists { id });
        }
        let (pair, side) = self.pair_of(&request.exact, now)?;
        let (pays, takes) = request.exact.assets();
        let terms = self.terms.get(&pair).and_then(|rows| rows.at(now));
        let terms = terms.ok_or(QuoteRefusal::NotConverted { pays, takes })?;
        let open = self.open_of(request.owner).count();
        if open >= OPEN_PER_CUSTOMER_MAX {
            return Err(QuoteRefusal::TooManyOpen { open, most: OPEN_PER_CUSTOMER_MAX });
        }
        if self.open.len() >= OPEN_MAX {
            return Err(QuoteRefusal::DeskFull);
        }
        let asked = Asked { pair, side };
        let size = asked.size(&request.exact, &stock.mid).ok_or(QuoteRefusal::OutOfRange)?;
        let spread = terms.spread(side, size, &stock.mid, stock.base)?;
        let (route, fee) = self.priced(&asked, &request.exact, stock, spread, terms.fee_ppm)?;
        let fee_in = |amount: Amount, is_paid: bool| match (side, is_paid) {
            (Side::Bid, true) => amount.plus(fee),
            (Side::Ask, false) => amount.minus(fee),
            (Side::Bid, false) | (Side::Ask, true) => Ok(amount),
        };
        let pays = fee_in(route.pays, true).map_err(|_| QuoteRefusal::OutOfRange)?;
        let takes = fee_in(route.takes, false).map_err(|_| QuoteRefusal::OutOfRange)?;
        if pays.is_zero() || takes.is_zero() {
            return Err(QuoteRefusal::OutOfRange);
        }
        Ok(QuoteChange::Offered(Offer {
            request: *request,
            pair,
            side,
            pays,
            takes,
            fee,
            mid: stock.mid.rate,
            spread,
            route: route.legs,
            made_at: now,
            expires_at: now.plus_ms(terms.lock_ms),
        }))
    }

    /// Answers whoever wants to take an offer: with the change and the offer whose amounts change hands.
    ///
    /// # Errors
    /// A [`QuoteRefusal`], in this order: unknown → foreign → used → expired → altered. Funds are the ledger's to refuse.
    pub fn decide_accept(
        &self,
        accept: &Accept,
        now: Timestamp,
    ) -> Result<(QuoteChange, &Offer), QuoteRefusal> {
        let id = accept.id;
        let Some(offer) = self.open.get(&id) else {
            let ended = self.ended.get(&id).ok_or(QuoteRefusal::OfferUnknown { id })?;
            return Err(match ended.how {
                _ if ended.owner != accept.owner => QuoteRefusal::ForeignOffer { id },
                OfferEnd::Accepted => QuoteRefusal::OfferUsed { id, at: ended.at },
                OfferEnd::Expired => QuoteRefusal::OfferExpired { id, at: ended.at },
            });
        };
        if offer.request.owner != accept.owner {
            return Err(QuoteRefusal::ForeignOffer { id });
        }
        if now >= offer.expires_at {
            return Err(QuoteRefusal::OfferExpired { id, at: offer.expires_at });
        }
        if offer.terms_hash() != accept.terms_hash {
            return Err(QuoteRefusal::OfferAltered { id });
        }
        Ok((QuoteChange::Accepted { id, at: now }, offer))
    }

    /// The change that time makes; `None` where it makes none.
    #[must_use]
    pub fn decide_tick(&self, now: Timestamp) -> Option<QuoteChange> {
        let over = self.ends.iter().take_while(|(end, _)| *end <= now);
        let ids: Vec<OfferId> = over.map(|(_, id)| *id).collect();
        (!ids.is_empty()).then_some(QuoteChange::Expired { ids })
    }

    /// When the next open offer ends.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// Takes up a change.
    pub fn apply(&mut self, change: &QuoteChange) {
        match change {
            QuoteChange::TermsSet { pair, from, terms } => match self.terms.get_mut(pair) {
                Some(rows) => rows.set(*from, terms.clone()),
                None => {
                    self.terms.insert(*pair, Dated::new(*from, terms.clone()));
                }
            },
            QuoteChange::Offered(offer) => {
                let sum = self.promised(offer.takes.asset()).plus(offer.takes);
                self.promise(sum, offer);
                self.ends.insert((offer.expires_at, offer.id()));
                self.of_customer.insert((offer.request.owner, offer.id()));
                self.open.insert(offer.id(), offer.clone());
            }
            QuoteChange::Accepted { id, at } => self.end(*id, OfferEnd::Accepted, Some(*at)),
            QuoteChange::Expired { ids } => {
                ids.iter().for_each(|id| self.end(*id, OfferEnd::Expired, None));
            }
        }
    }

    /// An open offer.
    #[must_use]
    pub fn offer(&self, id: OfferId) -> Option<&Offer> {
        self.open.get(&id)
    }

    /// How an offer ended, as long as the desk knows it.
    #[must_use]
    pub fn ended(&self, id: OfferId) -> Option<EndedOffer> {
        self.ended.get(&id).copied()
    }

    /// All open offers, in the order of their ids.
    pub fn open(&self) -> impl Iterator<Item = &Offer> {
        self.open.values()
    }

    /// The open offers of a customer, in the order of their ids.
    pub fn open_of(&self, owner: CustomerId) -> impl Iterator<Item = &Offer> {
        let all = (owner, OfferId::new(0))..=(owner, OfferId::new(u128::MAX));
        self.of_customer.range(all).filter_map(|(_, id)| self.open.get(id))
    }

    /// What all open offers promise of an asset.
    #[must_use]
    pub fn promised(&self, asset: Asset) -> Amount {
        self.promised.get(&asset).copied().unwrap_or(Amount::zero(asset))
    }

    /// The terms of a pair at a time.
    #[must_use]
    pub fn terms(&self, pair: Pair, now: Timestamp) -> Option<&ConvertTerms> {
        self.terms.get(&pair)?.at(now)
    }

    /// The pairs that are converted, in their order, with all their rows.
    pub fn pairs(&self) -> impl Iterator<Item = (&Pair, &Dated<ConvertTerms>)> {
        self.terms.iter()
    }

    /// What does not hold of the desk's own books: nothing, unless it has a fault.
    #[must_use]
    pub fn broken_invariants(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut promised: BTreeMap<Asset, u128> = BTreeMap::new();
        for (id, offer) in &self.open {
            let sum = promised.entry(offer.takes.asset()).or_default();
            *sum = sum.saturating_add(offer.takes.minor());
            let is_listed = self.ends.contains(&(offer.expires_at, *id))
                && self.of_customer.contains(&(offer.request.owner, *id));
            if !is_listed || self.ended.contains_key(id) {
                broken.push(format!("offer {id} is open and not listed so"));
            }
        }
        if self.ends.len() != self.open.len() || self.of_customer.len() != self.open.len() {
            broken.push("offers are listed that are not open".to_owned());
        }
        if self.ended.len() != self.ended_order.len() || self.ended.len() > ENDED_MAX {
            broken.push("ended offers are not counted".to_owned());
        }
        let counted: BTreeMap<Asset, u128> =
            self.promised.iter().map(|(asset, sum)| (*asset, sum.minor())).collect();
        if counted != promised {
            broken.push(format!("open offers promise {promised:?}, counted are {counted:?}"));
        }
        broken
    }

    /// The best route of the amount without the fee, and the fee.
    fn priced(
        &self,
        asked: &Asked,
        exact: &Exact,
        stock: &Stock<'_>,
        spread: Spread,
        fee_ppm: u32,
    ) -> Result<(Route, Amount), QuoteRefusal> {
        let Asked { pair, side } = *asked;
        let given = match side {
            Side::Bid => stock.base,
            Side::Ask => stock.quote,
        };
        let has = given.minus(self.promised(given.asset())).unwrap_or(Amount::zero(given.asset()));
        let price = Firm { pair, side, mid: stock.mid.rate, spread_ppm: spread.total_ppm };
        let net = before_fee(side, exact, fee_ppm).ok_or(QuoteRefusal::OutOfRange)?;
        let own = price.deal(&net).ok_or(QuoteRefusal::OutOfRange)?;
        // The bank's own price stands first and is good for the whole: what it has is looked at once the best route is known.
        let mut venues = vec![Venue::Inventory { price, most: own.1 }];
        venues.extend(stock.venues.iter().cloned());
        let route = route(&venues, &net).ok_or(QuoteRefusal::OutOfRange)?;
        if route.takes.minor() > has.minor() {
            return Err(QuoteRefusal::StockShort { has, needed: route.takes });
        }
        let fee = fee_of(side, exact, &route, fee_ppm).ok_or(QuoteRefusal::OutOfRange)?;
        Ok((route, Amount::new(pair.quote, fee)))
    }

    fn promise(&mut self, sum: Result<Amount, money::AmountError>, offer: &Offer) {
        invariant!(sum.is_ok(), "what offer {} promises cannot be counted", offer.id());
        let asset = offer.takes.asset();
        match sum {
            Ok(sum) if sum.is_zero() => self.promised.remove(&asset),
            Ok(sum) => self.promised.insert(asset, sum),
            Err(_) => None,
        };
    }

    fn end(&mut self, id: OfferId, how: OfferEnd, at: Option<Timestamp>) {
        let Some(offer) = self.open.remove(&id) else { return };
        let (owner, expires_at) = (offer.request.owner, offer.expires_at);
        let sum = self.promised(offer.takes.asset()).minus(offer.takes);
        self.promise(sum, &offer);
        self.ends.remove(&(expires_at, id));
        self.of_customer.remove(&(owner, id));
        let serial = self.next_serial;
        self.next_serial = serial.saturating_add(1);
        self.ended.insert(id, EndedOffer { owner, how, at: at.unwrap_or(expires_at), serial });
        self.ended_order.insert(serial, id);
        if self.ended_order.len() > ENDED_MAX
            && let Some((_, oldest)) = self.ended_order.pop_first()
        {
            self.ended.remove(&oldest);
        }
    }
}

impl Asked {
    /// What the amount is worth in quote, at the middle.
    fn size(&self, exact: &Exact, mid: &Mid) -> Option<Amount> {
        let amount = exact.amount();
        if amount.asset() == self.pair.quote {
            Some(amount)
        } else {
            mid.rate.quote_floor(amount, self.pair.quote)
        }
    }
}

/// The amount as it trades: where quote is given exactly, the fee is taken off what is paid or put on what is taken.
fn before_fee(side: Side, exact: &Exact, fee_ppm: u32) -> Option<Exact> {
    let fee = u128::from(fee_ppm);
    let with = |amount: &Amount, minor| Amount::new(amount.asset(), minor);
    Some(match (side, exact) {
        (Side::Bid, Exact::Pays { amount, takes }) => {
            let net = mul_div_floor(amount.minor(), MILLION, MILLION.checked_add(fee)?)?;
            Exact::Pays { amount: with(amount, net), takes: *takes }
        }
        (Side::Ask, Exact::Takes { amount, pays }) => {
            let gross = mul_div_ceil(amount.minor(), MILLION, MILLION.checked_sub(fee)?)?;
            Exact::Takes { amount: with(amount, gross), pays: *pays }
        }
        (Side::Bid, Exact::Takes { .. }) | (Side::Ask, Exact::Pays { .. }) => *exact,
    })
}

/// The fee in minor units of quote: what is left of an exact amount of quote, or the share of what the route says, rounded up.
fn fee_of(side: Side, exact: &Exact, route: &Route, fee_ppm: u32) -> Option<u128> {
    match (side, exact) {
        (Side::Bid, Exact::Pays { amount, .. }) => amount.minor().checked_sub(route.pays.minor()),
        (Side::Ask, Exact::Takes { amount, .. }) => route.takes.minor().checked_sub(amount.minor()),
        (Side::Bid, Exact::Takes { .. }) => mul_div_ceil(route.pays.minor(), u128::from(fee_ppm), MILLION),
        (Side::Ask, Exact::Pays { .. }) => mul_div_ceil(route.takes.minor(), u128::from(fee_ppm), MILLION),
    }
}
