//! How the market of prices is set up.

use serde::{Deserialize, Serialize};

use super::walk::Decimal;

/// Most sources, and most pairs.
const COUNT_MAX: usize = 32;
/// Largest step, noise and half width, in millionths: ten per cent.
const PPM_MAX: u32 = 100_000;

/// The market of prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarketConfig {
    /// What the walk of the prices begins with.
    pub seed: u64,
    /// Time between two steps, in milliseconds.
    pub tick_ms: u64,
    /// Names of the sources, each of `a-z`, `0-9` and `-`.
    pub sources: Vec<String>,
    /// The pairs.
    pub pairs: Vec<MarketPair>,
}

/// A pair of the market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketPair {
    /// Codes of base and quote, such as `BTC/CNY`.
    pub name: String,
    /// The first price: units of quote for one unit of base, a decimal text with the decimals that prices of the pair have, at most eight.
    pub start: String,
    /// Standard deviation of one step, in millionths.
    pub step_ppm: u32,
    /// Standard deviation of what a source adds of its own, in millionths.
    pub noise_ppm: u32,
    /// From the middle to bid and to ask, in millionths.
    pub half_width_ppm: u32,
}

impl MarketPair {
    pub(super) fn start(&self) -> Result<Decimal, String> {
        Decimal::parse(&self.start).ok_or_else(|| format!("start of {} is no price", self.name))
    }
}

impl Default for MarketConfig {
    fn default() -> Self {
        let pair = |name: &str, start: &str, step_ppm, noise_ppm, half_width_ppm| MarketPair {
            name: name.to_owned(),
            start: start.to_owned(),
            step_ppm,
            noise_ppm,
            half_width_ppm,
        };
        Self {
            seed: 1,
            tick_ms: 250,
            sources: ["sandbox-a", "sandbox-b", "sandbox-c"].map(str::to_owned).to_vec(),
            pairs: vec![
                pair("BTC/CNY", "512000.00", 60, 30, 200),
                pair("ETH/CNY", "19800.00", 80, 40, 250),
                pair("USD/CNY", "7.10000", 3, 2, 30),
            ],
        }
    }
}

impl MarketConfig {
    /// Whether it is the default one.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The first thing wrong.
    pub fn check(&self) -> Result<(), String> {
        if !(10..=60_000).contains(&self.tick_ms) {
            return Err("tick_ms must be between 10 and 60000".to_owned());
        }
        if self.sources.len() > COUNT_MAX || self.pairs.len() > COUNT_MAX {
            return Err(format!("at most {COUNT_MAX} sources and pairs"));
        }
        let is_name = |name: &str| {
            let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (1..=32).contains(&name.len()) && name.bytes().all(is_fit)
        };
        if let Some(bad) = self.sources.iter().find(|name| !is_name(name)) {
            return Err(format!("source {bad:?} is not 1 to 32 of a-z, 0-9 and -"));
        }
        for pair in &self.pairs {
            pair.start()?;
            let widest = pair.step_ppm.max(pair.noise_ppm).max(pair.half_width_ppm);
            if widest > PPM_MAX {
                return Err(format!("{}: steps, noise and width are at most {PPM_MAX} ppm", pair.name));
            }
            if self.pairs.iter().filter(|other| other.name == pair.name).count() > 1 {
                return Err(format!("pair {} is listed twice", pair.name));
            }
        }
        let mut names: Vec<&String> = self.sources.iter().collect();
        names.sort();
        names.dedup();
        if names.len() < self.sources.len() { Err("a source is listed twice".to_owned()) } else { Ok(()) }
    }
}
