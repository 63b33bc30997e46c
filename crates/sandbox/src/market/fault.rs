//! What can be wrong with prices and with who tells them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Quote;

/// Most readings or milliseconds of one fault.
const COUNT_MAX: u32 = 100_000;
/// Longest fault, a day.
const MS_MAX: u64 = 86_400_000;

/// A fault of the market. A fault of a source strikes all its pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum MarketFault {
    /// The true price falls at once; every source says so.
    Crash {
        /// Which pair; all where left out.
        #[serde(default)]
        pair: Option<String>,
        /// By how many per cent; 30 where left out.
        #[serde(default = "thirty")]
        percent: u32,
    },
    /// The true price jumps at once, up or down.
    Gap {
        /// Which pair; all where left out.
        #[serde(default)]
        pair: Option<String>,
        /// By how many millionths; below zero for down.
        ppm: i64,
    },
    /// A source repeats what it said last, with the old time.
    Stale {
        /// Which source.
        source: String,
        /// For how long, in milliseconds; until it is cleared where left out.
        #[serde(default)]
        ms: Option<u64>,
    },
    /// The next quotes of a source have bid and ask the wrong way round.
    Crossed {
        /// Which source.
        source: String,
        /// How many quotes, all pairs together; 1 where left out.
        #[serde(default = "once")]
        count: u32,
    },
    /// The next quotes of a source are far from the true price.
    Jump {
        /// Which source.
        source: String,
        /// By how many millionths; below zero for down.
        ppm: i64,
        /// How many quotes, all pairs together; 1 where left out.
        #[serde(default = "once")]
        count: u32,
    },
    /// A source says nothing, and the connection stays.
    Silence {
        /// Which source.
        source: String,
        /// For how long, in milliseconds; until it is cleared where left out.
        #[serde(default)]
        ms: Option<u64>,
    },
    /// A source drops its connections and takes no new ones.
    Disconnect {
        /// Which source.
        source: String,
        /// For how long, in milliseconds; where left out, connections are dropped and new ones are taken at once.
        #[serde(default)]
        ms: u64,
    },
}

fn thirty() -> u32 {
    30
}

fn once() -> u32 {
    1
}

/// What is wrong with one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trouble {
    stale_until: u64,
    silent_until: u64,
    cut_off_until: u64,
    crossed: u32,
    jump: Option<(i64, u32)>,
}

impl Trouble {
    pub(super) fn make(&mut self, fault: &MarketFault, now_ms: u64) -> Result<String, String> {
        let until = |ms: Option<u64>| match ms {
            Some(ms) if ms > MS_MAX => Err(format!("ms: at most {MS_MAX}")),
            Some(ms) => Ok(now_ms.saturating_add(ms)),
            None => Ok(u64::MAX),
        };
        let times = |count: u32| match count {
            1..=COUNT_MAX => Ok(count),
            _ => Err(format!("count: between 1 and {COUNT_MAX}")),
        };
        Ok(match fault {
            MarketFault::Stale { source, ms } => {
                self.stale_until = until(*ms)?;
                format!("{source} stands still")
            }
            MarketFault::Crossed { source, count } => {
                self.crossed = times(*count)?;
                format!("{source} is crossed {count} times")
            }
            MarketFault::Jump { source, ppm, count } => {
                if !(-999_999..=1_000_000_000).contains(ppm) {
                    return Err("ppm: above -1000000 and at most a thousandfold".to_owned());
                }
                self.jump = Some((*ppm, times(*count)?));
                format!("{source} jumps {count} times")
            }
            MarketFault::Silence { source, ms } => {
                self.silent_until = until(*ms)?;
                format!("{source} is silent")
            }
            MarketFault::Disconnect { source, ms } => {
                self.cut_off_until = until(Some(*ms))?;
                format!("{source} drops its connections")
            }
            MarketFault::Crash { .. } | MarketFault::Gap { .. } => String::new(),
        })
    }

    pub(super) const fn is_cut_off(&self, now_ms: u64) -> bool {
        now_ms < self.cut_off_until
    }

    /// What the source says instead of the honest quote; nothing where it is silent.
    pub(super) fn bend(&mut self, honest: Quote, last: Option<&Quote>, now_ms: u64) -> Option<Quote> {
        if now_ms < self.silent_until || self.is_cut_off(now_ms) {
            return None;
        }
        if now_ms < self.stale_until {
            return last.cloned();
        }
        let mut quote = honest;
        if let Some((ppm, left)) = self.jump {
            quote.bid = quote.bid.moved(ppm).unwrap_or(quote.bid);
            quote.ask = quote.ask.moved(ppm).unwrap_or(quote.ask);
            self.jump = Some((ppm, left.saturating_sub(1))).filter(|(_, left)| *left > 0);
        }
        if self.crossed > 0 {
            self.crossed = self.crossed.saturating_sub(1);
            std::mem::swap(&mut quote.bid, &mut quote.ask);
        }
        Some(quote)
    }

    pub(super) fn report(&self, now_ms: u64) -> Value {
        json!({
            "stale": now_ms < self.stale_until,
            "silent": now_ms < self.silent_until,
            "cut_off": self.is_cut_off(now_ms),
            "crossed_left": self.crossed,
            "jumps_left": self.jump.map_or(0, |(_, left)| left),
        })
    }
}
