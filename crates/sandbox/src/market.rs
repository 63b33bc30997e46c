//! A market of prices: named sources that each say what an asset is worth, over WebSocket, with faults on demand.
//!
//! A pair has one true price, which walks at random from a seed; each source says it with a little noise of its own and a bid and an ask about it. [`Market`] is pure: time
//! and faults in, [`Quote`]s out, and the same seed with the same steps gives the same quotes. Nothing of it is in the input log: prices are no commitments.
//!
//! # Messages
//! A client opens a WebSocket at `/market/<source>`, such as `/market/sandbox-a`, and only listens. Every message is a text with one JSON object; prices are decimal texts
//! in units of quote for one unit of base, times are milliseconds since 1970.
//!
//! ```json
//! {"type":"hello","source":"sandbox-a","pairs":["BTC/CNY","ETH/CNY","USD/CNY"]}
//! {"type":"quote","source":"sandbox-a","pair":"BTC/CNY","bid":"511897.40","ask":"512102.60","at_ms":1795651200250}
//! ```
//!
//! `hello` comes once, first; then the latest quote of each pair, then each new one, `tick_ms` apart. A client that reads too slowly is cut off. An unknown source is
//! answered with 404, one that is cut off on demand with 503.
//!
//! # Faults
//! `POST /control/market` takes a [`MarketFault`], `DELETE /control/market` ends all of them, `GET /control/market` tells the true prices and what is wrong.
//!
//! It is invented: no price here has anything to do with a real one.

mod config;
mod fault;
mod live;
mod walk;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

pub use config::{MarketConfig, MarketPair};
pub use fault::MarketFault;
pub(crate) use live::{Live, listen, now_ms, run};
pub use walk::Decimal;

use fault::Trouble;
use walk::Walk;

/// What a source says of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// Who.
    pub source: String,
    /// Of which pair.
    pub pair: String,
    /// The best price at which somebody buys.
    pub bid: Decimal,
    /// The best price at which somebody sells.
    pub ask: Decimal,
    /// When it was, in milliseconds since 1970.
    pub at_ms: u64,
}

/// The market.
#[derive(Debug)]
pub struct Market {
    config: MarketConfig,
    walk: Walk,
    /// True prices in the order of the configured pairs.
    prices: Vec<Decimal>,
    /// What is wrong with each source.
    troubles: BTreeMap<String, Trouble>,
    /// The latest quotes, by source and pair.
    latest: BTreeMap<(String, String), Quote>,
}

impl Market {
    /// A market at its first prices.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: MarketConfig) -> Result<Self, String> {
        config.check()?;
        let prices = config.pairs.iter().map(MarketPair::start).collect::<Result<_, _>>()?;
        let troubles = config.sources.iter().map(|name| (name.clone(), Trouble::default())).collect();
        let walk = Walk::new(config.seed);
        Ok(Self { config, walk, prices, troubles, latest: BTreeMap::new() })
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &MarketConfig {
        &self.config
    }

    /// One step of every price; what each source says of it, in the order of sources and pairs.
    pub fn step(&mut self, now_ms: u64) -> Vec<Quote> {
        for (pair, price) in self.config.pairs.iter().zip(&mut self.prices) {
            *price = self.walk.step(*price, pair.step_ppm);
        }
        let mut quotes = Vec::new();
        for (source, trouble) in &mut self.troubles {
            for (pair, price) in self.config.pairs.iter().zip(&self.prices) {
                // Noise is drawn whether it is said or not, so that a fault of one source does not change what the others say.
                let price = self.walk.step(*price, pair.noise_ppm);
                let key = (source.clone(), pair.name.clone());
                let honest = || {
                    let (bid, ask) = price.about(pair.half_width_ppm);
                    Quote { source: source.clone(), pair: pair.name.clone(), bid, ask, at_ms: now_ms }
                };
                if let Some(quote) = trouble.bend(honest(), self.latest.get(&key), now_ms) {
                    self.latest.insert(key, quote.clone());
                    quotes.push(quote);
                }
            }
        }
        quotes
    }

    /// The latest quotes of a source, in the order of the pairs' names; none where there is no such source.
    pub fn latest<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a Quote> {
        self.latest.values().filter(move |quote| quote.source == source)
    }

    /// Whether there is a source of this name.
    #[must_use]
    pub fn has_source(&self, source: &str) -> bool {
        self.troubles.contains_key(source)
    }

    /// Whether a source is cut off at a time.
    #[must_use]
    pub fn is_cut_off(&self, source: &str, now_ms: u64) -> bool {
        self.troubles.get(source).is_some_and(|trouble| trouble.is_cut_off(now_ms))
    }

    /// Makes a fault, and says for people what was done.
    ///
    /// # Errors
    /// A source or pair that there is not, or a size that makes no sense.
    pub fn make(&mut self, fault: &MarketFault, now_ms: u64) -> Result<String, String> {
        match fault {
            MarketFault::Crash { pair, percent } => {
                if !(1..100).contains(percent) {
                    return Err("percent: between 1 and 99".to_owned());
                }
                self.shift(pair.as_deref(), i64::from(*percent).saturating_mul(-10_000))
            }
            MarketFault::Gap { pair, ppm } => self.shift(pair.as_deref(), *ppm),
            MarketFault::Stale { source, .. }
            | MarketFault::Crossed { source, .. }
            | MarketFault::Jump { source, .. }
            | MarketFault::Silence { source, .. }
            | MarketFault::Disconnect { source, .. } => {
                let unknown = || format!("source: there is no {source:?}");
                let trouble = self.troubles.get_mut(source).ok_or_else(unknown)?;
                trouble.make(fault, now_ms)
            }
        }
    }

    /// Ends what is wrong with the sources; prices stay where they are.
    pub fn clear(&mut self) {
        self.troubles.values_mut().for_each(|trouble| *trouble = Trouble::default());
    }

    /// True prices and troubles, for people and tests.
    #[must_use]
    pub fn report(&self, now_ms: u64) -> Value {
        let prices = self.config.pairs.iter().zip(&self.prices);
        let prices: BTreeMap<&str, Decimal> =
            prices.map(|(pair, price)| (pair.name.as_str(), *price)).collect();
        let sources: BTreeMap<&String, Value> =
            self.troubles.iter().map(|(name, trouble)| (name, trouble.report(now_ms))).collect();
        json!({ "prices": prices, "sources": sources })
    }

    fn shift(&mut self, name: Option<&str>, ppm: i64) -> Result<String, String> {
        let mut shifted = Vec::new();
        for (pair, price) in self.config.pairs.iter().zip(&mut self.prices) {
            if name.is_none_or(|name| name == pair.name) {
                *price = price.moved(ppm).ok_or("ppm: not above -1000000, or far too much")?;
                shifted.push(format!("{} is {price}", pair.name));
            }
        }
        if shifted.is_empty() {
            Err("pair: there is no such pair".to_owned())
        } else {
            Ok(shifted.join(", "))
        }
    }
}
