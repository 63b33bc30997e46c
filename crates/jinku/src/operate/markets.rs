//! Markets as the bank's people see and change them: lists, books order by order, proposals that need a second person, and hints of what to look at.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use bank::Command;
use exchange::market::{Fees, Hours, MakerFee, Market, Owner, Rules};
use exchange::{MarketChange, MarketNumber, Price, Seat, Steps};
use money::{Amount, Asset, Timestamp};
use node::Handle;
use projections::ReadModel;
use serde::{Deserialize, Serialize};

use super::surveillance::{Hint, Watched};
use super::{Operator, Order};

mod shown;

pub use shown::{
    ShownAsset, ShownBook, ShownDesk, ShownHedge, ShownHints, ShownLevel, ShownMarket, ShownMarkets,
    ShownOffer, ShownOrder, ShownPrice, ShownPrices, ShownProposal, ShownProposals, ShownSeat, ShownSeats,
    ShownSource, ShownSpan, ShownStock, ShownTerms, book, desk, markets, prices, proposals, seats,
};

/// Newest trades and orders of a market that hints are looked for in.
const WATCHED_MAX: usize = 10_000;
/// Most orders of one side in a book that is shown.
const ORDERS_MAX: usize = 1_000;

/// What an operator does about markets.
#[derive(Debug, clap::Subcommand)]
pub enum Act {
    /// List markets.
    List,
    /// Show what rests in a book, order by order.
    Book {
        /// The market.
        market: u32,
        /// Most prices of each side.
        #[arg(long, default_value_t = 20)]
        levels: usize,
    },
    /// Propose a new market, other rules, or that a suspended market goes on: a JSON file with one change.
    Propose {
        /// The file.
        file: std::path::PathBuf,
    },
    /// List what waits for a second person.
    Proposals,
    /// Approve what somebody else proposed.
    Approve {
        /// The proposal.
        proposal: u64,
    },
    /// Withdraw a proposal.
    Withdraw {
        /// The proposal.
        proposal: u64,
    },
    /// Stop trading at once.
    Suspend {
        /// The market.
        market: u32,
    },
    /// Propose that a suspended market goes on, with an auction first.
    Resume {
        /// The market.
        market: u32,
        /// Another price around which the band lies.
        #[arg(long)]
        reference: Option<String>,
    },
    /// End all orders of a seat and take none from it.
    StopSeat {
        /// The market.
        market: u32,
        /// The seat.
        seat: u32,
    },
    /// Take orders of a seat again.
    FreeSeat {
        /// The market.
        market: u32,
        /// The seat.
        seat: u32,
    },
    /// List patterns that people look at.
    Surveillance {
        /// The market.
        market: u32,
    },
}

/// Hours by the clock of the market's place; minutes of the day.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursTerms {
    /// Minutes that the clock is ahead of UTC.
    pub utc_offset_minutes: i32,
    /// Days of the week, 1 for Monday to 7.
    pub days: Vec<u8>,
    /// Orders are collected for the opening auction.
    pub call_at: u32,
    /// The opening auction.
    pub open_at: u32,
    /// Orders are collected for the closing auction.
    pub closing_call_at: u32,
    /// The closing auction.
    pub close_at: u32,
    /// Days on which it stays closed, such as 2027-01-01.
    #[serde(default)]
    pub holidays: Vec<String>,
}

/// Rules of a market: quantities in base, prices and sums in quote, as decimals.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketTerms {
    /// Step of quantities.
    pub lot: String,
    /// Step of prices.
    pub tick: String,
    /// Most of one order.
    pub quantity_max: String,
    /// Least that an order is worth.
    pub min_notional: String,
    /// Fee of the order that rested, in millionths; below zero it gets them.
    pub maker_ppm: i64,
    /// Fee of the order that came in.
    pub taker_ppm: u32,
    /// How far an order's price may lie from the reference, in basis points.
    pub band_bps: u32,
    /// How far a trade may.
    pub halt_bps: u32,
    /// How long a reference stands, in milliseconds.
    pub reference_ms: u64,
    /// How long orders are collected after a halt, in milliseconds.
    pub call_ms: u64,
    /// Most orders of a seat.
    pub open_orders_max: u32,
    /// When it is open; always where absent.
    #[serde(default)]
    pub hours: Option<HoursTerms>,
    /// The account that fees go to; the bank's account for fees in quote where absent.
    #[serde(default)]
    pub fee_account: Option<String>,
}

/// A change that two people decide.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A new market.
    Open {
        /// Code of what is bought and sold; the bank keeps books in it.
        base: String,
        /// Code of what it is paid with.
        quote: String,
        /// Its rules.
        rules: MarketTerms,
        /// The price around which the band lies at first.
        reference: String,
    },
    /// Other rules.
    Rules {
        /// The market.
        market: u32,
        /// From when on, RFC 3339; at once where absent.
        #[serde(default)]
        from: Option<String>,
        /// The rules.
        rules: MarketTerms,
    },
    /// A suspended market goes on.
    Resume {
        /// The market.
        market: u32,
        /// Another price around which the band lies.
        #[serde(default)]
        reference: Option<String>,
    },
}

impl Change {
    /// The change as the exchange takes it.
    ///
    /// # Errors
    /// Texts that are no numbers, assets that the bank has no books in, a tick that is no whole number of minor units for each lot.
    pub fn read(&self, handle: &Handle) -> anyhow::Result<MarketChange> {
        Ok(match self {
            Self::Open { base, quote, rules, reference } => {
                let (base, quote) = (books(handle, base)?, books(handle, quote)?);
                let rules = rules.read([base.asset, quote.asset], quote.fees)?;
                let steps = Steps::of(&rules);
                ensure!(steps.is_exact(), "a tick for each lot is no finite decimal; choose others");
                MarketChange::Open { reference: price(&steps, reference)?, rules }
            }
            Self::Rules { market, from, rules } => {
                let number = MarketNumber::new(*market);
                let before = handle.read(|bank| {
                    let market = bank.exchange().market(number)?;
                    Some(market.rules(bank.recorded_at()).clone())
                })?;
                let before = before.with_context(|| format!("there is no market {market}"))?;
                MarketChange::SetRules {
                    market: number,
                    from: from.as_deref().map(instant).transpose()?.unwrap_or(Timestamp::from_ms(0)),
                    rules: rules.read([before.base, before.quote], before.fee_account)?,
                }
            }
            Self::Resume { market, reference } => {
                let number = MarketNumber::new(*market);
                let steps = handle.read(|bank| bank.exchange().market(number).and_then(steps))?;
                let steps = steps.with_context(|| format!("there is no market {market}"))?;
                let reference = reference.as_deref().map(|text| price(&steps, text)).transpose()?;
                MarketChange::Resume { market: number, reference }
            }
        })
    }
}

fn books(handle: &Handle, code: &str) -> anyhow::Result<payments::Books> {
    let found = handle.read(|bank| bank.payments().all_books().find(|of| of.asset.code() == code).cloned());
    found?.with_context(|| format!("the bank keeps no books in {code}"))
}

fn instant(text: &str) -> anyhow::Result<Timestamp> {
    api::wire::parse_instant(text)
        .with_context(|| format!("{text:?} is no time such as 2026-12-01T00:00:00Z"))
}

fn price(steps: &Steps, text: &str) -> anyhow::Result<Price> {
    steps.read_price(text).map_err(|_| anyhow::anyhow!("{text:?} is no multiple of the tick"))
}

impl MarketTerms {
    fn read(&self, [base, quote]: [Asset; 2], fees: money::AccountId) -> anyhow::Result<Rules> {
        let lot = Amount::parse(base, &self.lot).context("lot")?.minor();
        let lot = u64::try_from(lot).ok().filter(|lot| *lot > 0).context("lot")?;
        let tick = tick(base, quote, lot, &self.tick)?;
        let steps = Steps::new(base, quote, lot, tick);
        let least = Amount::parse(quote, &self.min_notional).context("min_notional")?.minor();
        let most = steps.read_quantity(&self.quantity_max);
        let maker = u32::try_from(self.maker_ppm.unsigned_abs()).context("maker_ppm")?;
        let fee_account =
            self.fee_account.as_ref().map(|id| id.parse()).transpose().context("fee_account")?;
        Ok(Rules {
            base,
            quote,
            lot,
            tick,
            quantity_max: most.map_err(|_| anyhow::anyhow!("quantity_max is no multiple of the lot"))?,
            notional_min: u64::try_from(least).context("min_notional")?,
            fees: Fees {
                maker: if self.maker_ppm < 0 { MakerFee::Gets(maker) } else { MakerFee::Pays(maker) },
                taker_ppm: self.taker_ppm,
            },
            band_bps: self.band_bps,
            halt_bps: self.halt_bps,
            reference_ms: self.reference_ms,
            call_ms: self.call_ms,
            open_orders_max: self.open_orders_max,
            hours: self.hours.as_ref().map(HoursTerms::read).transpose()?,
            fee_account: fee_account.unwrap_or(fees),
        })
    }

    fn show(rules: &Rules) -> Self {
        let steps = Steps::of(rules);
        Self {
            lot: steps.quantity(exchange::Quantity::new(1)),
            tick: steps.price(Price::new(1)),
            quantity_max: steps.quantity(rules.quantity_max),
            min_notional: Amount::new(rules.quote, u128::from(rules.notional_min)).decimal(),
            maker_ppm: match rules.fees.maker {
                MakerFee::Pays(ppm) => i64::from(ppm),
                MakerFee::Gets(ppm) => i64::from(ppm).saturating_neg(),
            },
            taker_ppm: rules.fees.taker_ppm,
            band_bps: rules.band_bps,
            halt_bps: rules.halt_bps,
            reference_ms: rules.reference_ms,
            call_ms: rules.call_ms,
            open_orders_max: rules.open_orders_max,
            hours: rules.hours.as_ref().map(HoursTerms::show),
            fee_account: Some(rules.fee_account.to_string()),
        }
    }
}

/// Minor units of quote that a lot costs at one tick, from the tick as a price for one unit of base.
fn tick(base: Asset, quote: Asset, lot: u64, text: &str) -> anyhow::Result<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits: u128 = format!("{whole}{fraction}").parse().context("tick")?;
    let power =
        |decimals: usize| u32::try_from(decimals).ok().and_then(|decimals| 10_u128.checked_pow(decimals));
    let over = digits
        .checked_mul(u128::from(lot))
        .zip(power(usize::from(quote.scale())))
        .and_then(|(over, power)| over.checked_mul(power));
    let under = power(usize::from(base.scale()).saturating_add(fraction.len()));
    let (over, under) = over.zip(under).context("tick")?;
    let is_whole = over.checked_rem(under) == Some(0);
    let tick = over.checked_div(under).and_then(|tick| u64::try_from(tick).ok()).filter(|tick| *tick > 0);
    match tick {
        Some(tick) if is_whole => Ok(tick),
        _ => bail!(
            "one lot at one tick is no whole number of minor units of {quote}; choose a larger lot or tick"
        ),
    }
}

impl HoursTerms {
    fn read(&self) -> anyhow::Result<Hours> {
        ensure!(self.days.iter().all(|day| (1..=7).contains(day)), "days: 1 for Monday to 7");
        let holidays = self.holidays.iter().map(|day| day.parse()).collect::<Result<_, _>>();
        Ok(Hours {
            utc_offset_minutes: self.utc_offset_minutes,
            days: self.days.iter().fold(0, |days, day| days | (1 << day.saturating_sub(1))),
            call_at: self.call_at,
            open_at: self.open_at,
            closing_call_at: self.closing_call_at,
            close_at: self.close_at,
            holidays: holidays.context("holidays")?,
        })
    }

    fn show(hours: &Hours) -> Self {
        Self {
            utc_offset_minutes: hours.utc_offset_minutes,
            days: (1..=7).filter(|day: &u8| (hours.days >> day.saturating_sub(1)) & 1 == 1).collect(),
            call_at: hours.call_at,
            open_at: hours.open_at,
            closing_call_at: hours.closing_call_at,
            close_at: hours.close_at,
            holidays: hours.holidays.iter().map(ToString::to_string).collect(),
        }
    }
}

/// How a market writes prices.
fn steps(market: &Market) -> Option<Steps> {
    market.rules_rows().next().map(|row| Steps::of(&row.rules))
}

/// The same for one market, or for all.
///
/// # Errors
/// A fault of the read models, or of the node.
pub fn all_hints(
    handle: &Handle,
    reads: &ReadModel,
    number: Option<u32>,
) -> anyhow::Result<Option<ShownHints>> {
    let Some(number) = number else {
        let numbers = handle.read(|bank| {
            bank.exchange().markets().iter().map(|market| market.number().number()).collect::<Vec<u32>>()
        })?;
        let mut hints = Vec::new();
        for number in numbers {
            hints.extend(surveillance(handle, reads, number)?.unwrap_or_default());
        }
        return Ok(Some(ShownHints { hints }));
    };
    Ok(surveillance(handle, reads, number)?.map(|hints| ShownHints { hints }))
}

/// Patterns that people look at, in the newest trades and orders of a market.
///
/// # Errors
/// A fault of the read models, or of the node.
pub fn surveillance(handle: &Handle, reads: &ReadModel, number: u32) -> anyhow::Result<Option<Vec<Hint>>> {
    let market = MarketNumber::new(number);
    let known = handle.read(|bank| {
        let market = bank.exchange().market(market)?;
        let owners = market.seats().map(|(seat, row)| (seat.number(), row.owner));
        Some((steps(market)?, owners.collect::<BTreeMap<u32, Owner>>()))
    })?;
    let Some((steps, owners)) = known else { return Ok(None) };
    let mut trades = reads.trades(market, None, WATCHED_MAX)?;
    let mut orders = reads.orders_in(market, WATCHED_MAX)?;
    trades.reverse();
    orders.reverse();
    let watched = Watched { market: number, steps, owners, trades: &trades, orders: &orders };
    Ok(Some(watched.hints()))
}

/// The command of an order about markets.
pub(super) fn command(handle: &Handle, order: &MarketOrder) -> anyhow::Result<Command> {
    use exchange::Command as C;
    let seat = |market: u32, seat: u32| (MarketNumber::new(market), Seat::new(seat));
    Ok(Command::Exchange(match order {
        MarketOrder::Propose { change } => C::Propose(change.read(handle)?),
        MarketOrder::Approve { proposal } => C::Approve { proposal: *proposal },
        MarketOrder::Withdraw { proposal } => C::Withdraw { proposal: *proposal },
        MarketOrder::Suspend { market } => C::Suspend { market: MarketNumber::new(*market) },
        MarketOrder::StopSeat { market, seat: number } => {
            let (market, seat) = seat(*market, *number);
            C::StopSeat { market, seat }
        }
        MarketOrder::FreeSeat { market, seat: number } => {
            let (market, seat) = seat(*market, *number);
            C::FreeSeat { market, seat }
        }
    }))
}

/// What an operator asks for about markets.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum MarketOrder {
    /// A change that somebody else has to approve.
    Propose {
        /// The change.
        change: Change,
    },
    /// It happens.
    Approve {
        /// The proposal.
        proposal: u64,
    },
    /// It does not happen.
    Withdraw {
        /// The proposal.
        proposal: u64,
    },
    /// Trading stops at once.
    Suspend {
        /// The market.
        market: u32,
    },
    /// All orders of a seat end, and it places none.
    StopSeat {
        /// The market.
        market: u32,
        /// The seat.
        seat: u32,
    },
    /// It may place orders again.
    FreeSeat {
        /// The market.
        market: u32,
        /// The seat.
        seat: u32,
    },
}

/// Does what the command line says about markets; an order where it is one.
pub(super) fn run(operator: &Operator, act: &Act) -> anyhow::Result<Option<Order>> {
    let order = match act {
        Act::List => {
            for market in operator.markets()? {
                let last = market.last.as_deref().unwrap_or("-");
                println!(
                    "{}  {}/{}  {}  last {last}  reference {}  {} orders  {} trades  {} seats",
                    market.number,
                    market.base.code,
                    market.quote.code,
                    market.phase,
                    market.reference,
                    market.orders,
                    market.trades,
                    market.seats
                );
            }
            return Ok(None);
        }
        Act::Book { market, levels } => {
            let book = operator.book(*market, *levels)?;
            for (side, levels) in [("buy", &book.bids), ("sell", &book.asks)] {
                for level in levels {
                    for order in &level.orders {
                        println!(
                            "{}  {side}  {}  {}  seat {}",
                            order.id, level.price, order.left, order.seat
                        );
                    }
                }
            }
            return Ok(None);
        }
        Act::Proposals => {
            for proposal in operator.proposals()? {
                println!(
                    "{}  {}  by {}  since {}",
                    proposal.number, proposal.about, proposal.by, proposal.at
                );
            }
            return Ok(None);
        }
        Act::Surveillance { market } => {
            for hint in operator.surveillance(*market)? {
                println!(
                    "{}  seats {:?}  score {}  {} to {}",
                    hint.kind, hint.seats, hint.score, hint.from, hint.to
                );
                for seen in &hint.evidence {
                    let price = seen.price.as_deref().unwrap_or("-");
                    println!(
                        "    {}  {}  {price}  {}",
                        seen.at,
                        seen.what,
                        seen.quantity.as_deref().unwrap_or("-")
                    );
                }
            }
            return Ok(None);
        }
        Act::Propose { file } => {
            let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
            let change = serde_json::from_str(&text).with_context(|| format!("read {}", file.display()))?;
            MarketOrder::Propose { change }
        }
        Act::Resume { market, reference } => {
            MarketOrder::Propose { change: Change::Resume { market: *market, reference: reference.clone() } }
        }
        Act::Approve { proposal } => MarketOrder::Approve { proposal: *proposal },
        Act::Withdraw { proposal } => MarketOrder::Withdraw { proposal: *proposal },
        Act::Suspend { market } => MarketOrder::Suspend { market: *market },
        Act::StopSeat { market, seat } => MarketOrder::StopSeat { market: *market, seat: *seat },
        Act::FreeSeat { market, seat } => MarketOrder::FreeSeat { market: *market, seat: *seat },
    };
    Ok(Some(Order::Market { order }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_what_a_lot_costs() {
        let asset = |code, scale| Asset::new(code, scale).unwrap_or(Asset::USD);
        let check = |base, lot, text, expected: Option<u64>| {
            assert_eq!(tick(base, Asset::CNY, lot, text).ok(), expected, "{text}");
        };
        // A thousandth of a bitcoin at ten yuan is a fen.
        check(asset("BTC", 8), 100_000, "10", Some(1));
        check(asset("BTC", 8), 100_000, "10.00", Some(1));
        check(asset("BTC", 8), 100_000, "15", None);
        check(asset("BTC", 8), 100_000, "0", None);
        check(asset("BTC", 8), 100_000, "ten", None);
        check(asset("ETH", 18), 10_000_000_000_000_000, "1", Some(1));
        check(asset("USD", 2), 10_000, "0.0001", Some(1));
    }
}
