//! What is known of one pair: the latest reading of each source and the last price that was accepted.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use money::Timestamp;

use super::{Mid, Pair, PriceRefusal, PriceTerms, Rate, Reading, SOURCES_MAX, SourceName, Volatility};
use crate::Dated;

/// The latest reading of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Seen {
    /// Bid.
    #[n(0)]
    pub bid: Rate,
    /// Ask.
    #[n(1)]
    pub ask: Rate,
    /// When it was: by the source's clock, and not later than when it came.
    #[n(2)]
    pub at: Timestamp,
    /// Since when the source has been about there, a jump away from the last accepted price; absent where it is near that.
    #[n(3)]
    pub jumped_at: Option<Timestamp>,
}

impl Seen {
    /// The middle of bid and ask, rounded down.
    #[must_use]
    pub const fn mid(&self) -> Rate {
        self.bid.middle(self.ask)
    }
}

/// A price that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Accepted {
    /// The price.
    #[n(0)]
    pub rate: Rate,
    /// When.
    #[n(1)]
    pub at: Timestamp,
    /// How much the price has moved.
    #[n(2)]
    pub volatility: Volatility,
}

/// One pair.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Feed {
    #[n(0)]
    terms: Dated<PriceTerms>,
    #[n(1)]
    seen: BTreeMap<SourceName, Seen>,
    #[n(2)]
    accepted: Option<Accepted>,
}

/// The readings that count at a time, and those that do not yet.
struct Counted<'a> {
    counting: Vec<Seen>,
    held: Option<(&'a SourceName, Seen)>,
    fresh: u32,
}

impl Feed {
    pub(super) const fn empty(terms: Dated<PriceTerms>) -> Self {
        Self { terms, seen: BTreeMap::new(), accepted: None }
    }

    pub(super) fn set_terms(&mut self, from: Timestamp, terms: PriceTerms) {
        self.terms.set(from, terms);
    }

    /// The rows of its terms.
    #[must_use]
    pub const fn terms(&self) -> &Dated<PriceTerms> {
        &self.terms
    }

    /// The latest reading of each source, in the order of their names; also those that are stale.
    #[must_use]
    pub const fn seen(&self) -> &BTreeMap<SourceName, Seen> {
        &self.seen
    }

    /// The last price that was accepted, however old.
    #[must_use]
    pub const fn accepted(&self) -> Option<Accepted> {
        self.accepted
    }

    pub(super) fn read(
        &self,
        pair: Pair,
        reading: &Reading,
        now: Timestamp,
    ) -> Result<(Seen, Option<Accepted>), PriceRefusal> {
        let terms = self.terms.at(now).ok_or(PriceRefusal::PairUnknown { pair })?;
        let Reading { source, bid, ask, at } = reading;
        let (source_name, bid, ask) = (source.clone(), *bid, *ask);
        if bid.is_zero() || bid > ask {
            return Err(PriceRefusal::Crossed { source_name, bid, ask });
        }
        let width_ppm = ask.distance_ppm(bid);
        if width_ppm > u128::from(terms.width_max_ppm) {
            return Err(PriceRefusal::TooWide { source_name, width_ppm, most_ppm: terms.width_max_ppm });
        }
        // A clock that is ahead must not make a reading fresh for longer.
        let at = (*at).min(now);
        if now.since(at) >= terms.stale_ms {
            return Err(PriceRefusal::Stale { source_name, at });
        }
        let known = self.seen.get(source);
        if let Some(known) = known.filter(|known| known.at >= at) {
            return Err(PriceRefusal::NotNewer { source_name, known: known.at });
        }
        if known.is_none() && self.seen.len() >= SOURCES_MAX {
            return Err(PriceRefusal::TooManySources { pair });
        }
        let seen = Seen { bid, ask, at, jumped_at: self.jumped_at(terms, known, bid.middle(ask), at, now) };
        let mut after = self.clone();
        after.seen.insert(source.clone(), seen);
        Ok((seen, after.accept(pair, terms, now)))
    }

    pub(super) fn take_up(&mut self, source: &SourceName, seen: Seen, accepted: Option<Accepted>) {
        self.seen.insert(source.clone(), seen);
        self.accepted = accepted.or(self.accepted);
    }

    pub(super) fn mid(&self, pair: Pair, now: Timestamp) -> Result<Mid, PriceRefusal> {
        let terms = self.terms.at(now).ok_or(PriceRefusal::PairUnknown { pair })?;
        let Counted { mut counting, held, fresh } = self.counted(terms, now);
        let needed = terms.sources_min;
        let sources = u32::try_from(counting.len()).unwrap_or(u32::MAX);
        if sources < needed || sources == 0 {
            return Err(match (held, self.accepted) {
                (Some((name, seen)), Some(last)) if fresh >= needed => PriceRefusal::Held {
                    pair,
                    source_name: name.clone(),
                    rate: seen.mid(),
                    last: last.rate,
                    until: seen.jumped_at.unwrap_or(seen.at).plus_ms(terms.confirm_ms),
                },
                _ => PriceRefusal::NoPrice { pair, fresh, needed },
            });
        }
        let at = counting.iter().map(|seen| seen.at).min().unwrap_or(now);
        counting.sort_by_key(Seen::mid);
        let rate = median(&counting).ok_or(PriceRefusal::NoPrice { pair, fresh, needed })?;
        let moved = self.accepted.map_or(0, |accepted| accepted.volatility.ppb());
        Ok(Mid { rate, at, sources, volatility_ppb: moved.max(terms.volatility_min_ppb) })
    }

    /// The price to accept now, where there is one.
    fn accept(&self, pair: Pair, terms: &PriceTerms, now: Timestamp) -> Option<Accepted> {
        let rate = self.mid(pair, now).ok()?.rate;
        let volatility = match self.accepted {
            Some(last) => last.volatility.with(rate, now, terms.half_life_ms),
            None => Volatility::new(rate, now),
        };
        Some(Accepted { rate, at: now, volatility })
    }

    /// Since when a source has been about where it says it is now, if that is a jump away from the last accepted price.
    fn jumped_at(
        &self,
        terms: &PriceTerms,
        known: Option<&Seen>,
        mid: Rate,
        at: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let last = self.accepted?;
        if is_near(terms, mid, last.rate) {
            return None;
        }
        let stayed =
            known.filter(|known| now.since(known.at) < terms.stale_ms && is_near(terms, mid, known.mid()));
        stayed.and_then(|known| known.jumped_at).or(Some(at))
    }

    fn counted(&self, terms: &PriceTerms, now: Timestamp) -> Counted<'_> {
        let fresh = || self.seen.iter().filter(|(_, seen)| now.since(seen.at) < terms.stale_ms);
        let is_far = |seen: &Seen| self.accepted.is_some_and(|last| !is_near(terms, seen.mid(), last.rate));
        let is_confirmed = |name: &SourceName, seen: &Seen| {
            let mut others = fresh().filter(|(other, _)| *other != name);
            let agreed = others.any(|(_, other)| is_far(other) && is_near(terms, other.mid(), seen.mid()));
            agreed || now.since(seen.jumped_at.unwrap_or(seen.at)) >= terms.confirm_ms
        };
        let mut counted = Counted { counting: Vec::new(), held: None, fresh: 0 };
        for (name, seen) in fresh() {
            counted.fresh = counted.fresh.saturating_add(1);
            if !is_far(seen) || is_confirmed(name, seen) {
                counted.counting.push(*seen);
            } else if counted.held.is_none() {
                counted.held = Some((name, *seen));
            }
        }
        counted
    }
}

fn is_near(terms: &PriceTerms, rate: Rate, other: Rate) -> bool {
    rate.distance_ppm(other) <= u128::from(terms.jump_ppm)
}

/// The middle one of sorted readings, or the middle of the middle two.
fn median(sorted: &[Seen]) -> Option<Rate> {
    let half = sorted.len().div_euclid(2);
    let upper = sorted.get(half)?.mid();
    if sorted.len().is_multiple_of(2) {
        Some(sorted.get(half.checked_sub(1)?)?.mid().middle(upper))
    } else {
        Some(upper)
    }
}
