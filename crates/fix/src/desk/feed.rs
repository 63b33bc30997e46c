//! What a session follows: books, trades and market states, each with what the client was last told.
//!
//! A look compares what the venue shows now with what was told. However much happened in between, and however slowly the client reads, what follows is one
//! message for each symbol.

use std::collections::BTreeMap;

use crate::codec::Body;
use crate::dictionary::{MsgType, tag};
use crate::venue::{Book, Instrument, Level, MarketState, Price, Symbol, Trade, TradeNumber, Venue};

/// Symbols that one session follows, over all its requests.
pub(super) const FOLLOWED_MAX: usize = 256;
/// Prices on each side of the deepest book that is told.
pub(super) const DEPTH_MAX: usize = 1_000;
/// Trades of one symbol in one message; who reads more slowly than that misses the earlier ones.
const TRADES_MAX: usize = 100;

/// What of a market is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Entries {
    pub(super) bids: bool,
    pub(super) asks: bool,
    pub(super) trades: bool,
}

/// A request for market data.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) id: String,
    pub(super) depth: usize,
    pub(super) entries: Entries,
    /// The whole book for each change.
    pub(super) whole: bool,
}

/// One symbol of a request, and what was told of it.
#[derive(Debug)]
struct Followed {
    instrument: Instrument,
    told: Book,
    last_trade: TradeNumber,
}

#[derive(Debug)]
struct Subscription {
    wanted: Wanted,
    followed: Vec<Followed>,
}

/// A state that is followed, and the request for it.
#[derive(Debug)]
struct Watched {
    symbol: Symbol,
    told: Option<MarketState>,
}

/// Everything that a session follows.
#[derive(Debug, Default)]
pub(super) struct Feed {
    books: BTreeMap<String, Subscription>,
    states: BTreeMap<String, Watched>,
}

impl Feed {
    /// How many symbols are followed.
    pub(super) fn len(&self) -> usize {
        let books: usize = self.books.values().map(|subscription| subscription.followed.len()).sum();
        books.saturating_add(self.states.len())
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.books.contains_key(id)
    }

    /// Whether it was followed.
    pub(super) fn leave(&mut self, id: &str) -> bool {
        self.books.remove(id).is_some()
    }

    /// Tells what is there, and follows it from then on if `keep`.
    pub(super) fn begin<V: Venue>(
        &mut self,
        venue: &V,
        wanted: &Wanted,
        instruments: Vec<Instrument>,
        keep: bool,
    ) -> Vec<Body> {
        let mut followed = Vec::with_capacity(instruments.len());
        let mut bodies = Vec::with_capacity(instruments.len());
        for instrument in instruments {
            let book = shown(venue, wanted, &instrument.symbol);
            // A snapshot has the latest trade only.
            let trades = traded(venue, wanted, &instrument.symbol, TradeNumber::new(0), 1);
            bodies.push(snapshot(wanted, &instrument, &book, &trades));
            let last_trade = trades.last().map_or(TradeNumber::new(0), |trade| trade.number);
            followed.push(Followed { instrument, told: book, last_trade });
        }
        if keep {
            self.books.insert(wanted.id.clone(), Subscription { wanted: wanted.clone(), followed });
        }
        bodies
    }

    /// Tells a market's state, and follows it from then on if `keep`.
    pub(super) fn watch<V: Venue>(&mut self, venue: &V, id: &str, symbol: &Symbol, keep: bool) -> Body {
        let told = venue.state(symbol);
        if keep {
            self.states.insert(id.to_owned(), Watched { symbol: symbol.clone(), told });
        }
        state_body(id, symbol, told, false)
    }

    /// Whether it was followed.
    pub(super) fn unwatch(&mut self, id: &str) -> bool {
        self.states.remove(id).is_some()
    }

    /// What has changed since it was told last.
    pub(super) fn look<V: Venue>(&mut self, venue: &V) -> Vec<Body> {
        let mut bodies = Vec::new();
        for Subscription { wanted, followed } in self.books.values_mut() {
            for one in followed {
                let book = shown(venue, wanted, &one.instrument.symbol);
                let trades = traded(venue, wanted, &one.instrument.symbol, one.last_trade, TRADES_MAX);
                bodies.extend(change(wanted, one, &book, &trades));
                one.last_trade = trades.last().map_or(one.last_trade, |trade| trade.number);
                one.told = book;
            }
        }
        for (id, watched) in &mut self.states {
            let now = venue.state(&watched.symbol);
            if now != watched.told {
                watched.told = now;
                bodies.push(state_body(id, &watched.symbol, now, true));
            }
        }
        bodies
    }
}

fn shown<V: Venue>(venue: &V, wanted: &Wanted, symbol: &Symbol) -> Book {
    let Entries { bids, asks, .. } = wanted.entries;
    if !(bids || asks) {
        return Book::default();
    }
    let mut book = venue.book(symbol, wanted.depth).unwrap_or_default();
    book.bids.truncate(if bids { wanted.depth } else { 0 });
    book.asks.truncate(if asks { wanted.depth } else { 0 });
    book
}

fn traded<V: Venue>(
    venue: &V,
    wanted: &Wanted,
    symbol: &Symbol,
    after: TradeNumber,
    most: usize,
) -> Vec<Trade> {
    if wanted.entries.trades { venue.trades(symbol, after, most) } else { Vec::new() }
}

/// The two sides by their text on the wire, with the letter of their entries' ids.
const BID: (&str, &str) = ("0", "B");
const ASK: (&str, &str) = ("1", "A");
const TRADE: &str = "2";

/// The whole of what was asked for.
fn snapshot(wanted: &Wanted, instrument: &Instrument, book: &Book, trades: &[Trade]) -> Body {
    let count = book.bids.len().saturating_add(book.asks.len()).saturating_add(trades.len());
    let mut body = Body::new(MsgType::MarketDataSnapshot)
        .with(tag::MD_REQ_ID, &wanted.id)
        .with(tag::SYMBOL, &instrument.symbol)
        .with(tag::NO_MD_ENTRIES, count);
    for (levels, (kind, _)) in [(&book.bids, BID), (&book.asks, ASK)] {
        for level in levels {
            body = with_level(body.with(tag::MD_ENTRY_TYPE, kind), instrument, *level);
        }
    }
    for trade in trades {
        body = with_trade(body.with(tag::MD_ENTRY_TYPE, TRADE), instrument, trade);
    }
    body
}

fn with_level(body: Body, instrument: &Instrument, level: Level) -> Body {
    body.with(tag::MD_ENTRY_PX, instrument.tick.text(level.price.number()))
        .with(tag::MD_ENTRY_SIZE, instrument.lot.text(level.quantity.number()))
}

fn with_trade(body: Body, instrument: &Instrument, trade: &Trade) -> Body {
    with_level(body, instrument, Level { price: trade.price, quantity: trade.quantity })
        .with(tag::MD_ENTRY_DATE, trade.at.date_text())
        .with(tag::MD_ENTRY_TIME, trade.at.clock_text())
}

/// One price of which something has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    New(Level),
    Changed(Level),
    Gone(Price),
}

/// What has changed, or the whole where that is shorter.
fn change(wanted: &Wanted, one: &Followed, book: &Book, trades: &[Trade]) -> Option<Body> {
    let bids = steps(&one.told.bids, &book.bids);
    let asks = steps(&one.told.asks, &book.asks);
    let count = bids.len().saturating_add(asks.len());
    if count == 0 && trades.is_empty() {
        return None;
    }
    let levels = book.bids.len().saturating_add(book.asks.len());
    if wanted.whole || count > levels.saturating_add(1) {
        return Some(snapshot(wanted, &one.instrument, book, trades));
    }
    let (symbol, tick) = (&one.instrument.symbol, one.instrument.tick);
    let mut body = Body::new(MsgType::MarketDataIncremental)
        .with(tag::MD_REQ_ID, &wanted.id)
        .with(tag::NO_MD_ENTRIES, count.saturating_add(trades.len()));
    for (steps, (kind, letter)) in [(bids, BID), (asks, ASK)] {
        for step in steps {
            let (action, price) = match step {
                Step::New(level) => (0, level.price),
                Step::Changed(level) => (1, level.price),
                Step::Gone(price) => (2, price),
            };
            let text = tick.text(price.number());
            body = body
                .with(tag::MD_UPDATE_ACTION, action)
                .with(tag::MD_ENTRY_TYPE, kind)
                .with(tag::MD_ENTRY_ID, format_args!("{letter}{text}"))
                .with(tag::SYMBOL, symbol);
            body = match step {
                Step::New(level) | Step::Changed(level) => with_level(body, &one.instrument, level),
                Step::Gone(_) => body.with(tag::MD_ENTRY_PX, text),
            };
        }
    }
    for trade in trades {
        body = body
            .with(tag::MD_UPDATE_ACTION, 0)
            .with(tag::MD_ENTRY_TYPE, TRADE)
            .with(tag::MD_ENTRY_ID, format_args!("T{}", trade.number.number()))
            .with(tag::SYMBOL, symbol);
        body = with_trade(body, &one.instrument, trade);
    }
    Some(body)
}

/// What leads from one side of a book to another.
fn steps(told: &[Level], now: &[Level]) -> Vec<Step> {
    let by_price = |levels: &[Level]| -> BTreeMap<Price, Level> {
        levels.iter().map(|level| (level.price, *level)).collect()
    };
    let (before, after) = (by_price(told), by_price(now));
    let gone = before.keys().filter(|price| !after.contains_key(price)).map(|price| Step::Gone(*price));
    let rest = after.values().filter_map(|level| match before.get(&level.price) {
        None => Some(Step::New(*level)),
        Some(old) if old.quantity != level.quantity => Some(Step::Changed(*level)),
        Some(_) => None,
    });
    gone.chain(rest).collect()
}

fn state_body(id: &str, symbol: &Symbol, state: Option<MarketState>, unsolicited: bool) -> Body {
    let (number, text) = match state {
        Some(MarketState::PreOpen) => (21, "before the opening"),
        Some(MarketState::Auction) => (22, "auction"),
        Some(MarketState::Continuous) => (17, "continuous trading"),
        Some(MarketState::Halted) => (2, "halted"),
        Some(MarketState::Closed) => (18, "closed"),
        None => (20, "unknown"),
    };
    Body::new(MsgType::SecurityStatus)
        .with(tag::SECURITY_STATUS_REQ_ID, id)
        .with(tag::SYMBOL, symbol)
        .with_flag(tag::UNSOLICITED_INDICATOR, unsolicited)
        .with(tag::SECURITY_TRADING_STATUS, number)
        .with(tag::TEXT, text)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::arithmetic_side_effects,
        reason = "a test stops at the first surprise"
    )]

    use proptest::prelude::*;

    use super::{Level, Step, steps};
    use crate::venue::{Lots, Price};

    fn side(levels: &[(u64, u64)]) -> Vec<Level> {
        let unique: std::collections::BTreeMap<u64, u64> = levels.iter().copied().collect();
        let level = |(price, lots)| Level { price: Price::new(price), quantity: Lots::new(lots) };
        unique.into_iter().map(level).collect()
    }

    proptest! {
        #[test]
        fn steps_lead_from_one_to_the_other(
            from in proptest::collection::vec((0_u64..20, 1_u64..4), 0..15),
            to in proptest::collection::vec((0_u64..20, 1_u64..4), 0..15),
        ) {
            let (from, to) = (side(&from), side(&to));
            let mut book: std::collections::BTreeMap<Price, Level> = from.iter().map(|l| (l.price, *l)).collect();
            for step in steps(&from, &to) {
                match step {
                    Step::New(level) => prop_assert!(book.insert(level.price, level).is_none()),
                    Step::Changed(level) => prop_assert_ne!(book.insert(level.price, level), Some(level)),
                    Step::Gone(price) => prop_assert!(book.remove(&price).is_some()),
                }
            }
            prop_assert_eq!(book.into_values().collect::<Vec<_>>(), to);
        }
    }
}
