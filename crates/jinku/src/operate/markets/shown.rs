//! What the bank's people see of markets, prices and the convert desk.

use bank::Bank;
use exchange::book::{OrderView, Terms};
use exchange::market::{CallReason, Market, Owner, Phase};
use exchange::{MarketChange, MarketNumber, Proposal, Side};
use money::{Amount, Asset, Timestamp};
use serde::{Deserialize, Serialize};

use super::{MarketTerms, ORDERS_MAX, steps};
use crate::operate::surveillance::Hint;

/// A seat.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownSeat {
    /// Its number.
    pub seat: u32,
    /// `bank`, a client's number, or a customer's id.
    pub owner: String,
    /// Orders in the book.
    pub open: u32,
    /// Whether it may place none.
    pub stopped: bool,
}

/// An asset.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownAsset {
    /// Its code.
    pub code: String,
    /// Decimals of its minor unit.
    pub scale: u8,
}

/// Prices from one to another.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownSpan {
    /// The lowest.
    pub low: String,
    /// The highest.
    pub high: String,
}

/// A market.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownMarket {
    /// Its number.
    pub number: u32,
    /// What is bought and sold.
    pub base: ShownAsset,
    /// What it is paid with.
    pub quote: ShownAsset,
    /// Its rules now.
    pub rules: MarketTerms,
    /// What it does now.
    pub phase: String,
    /// When that changes by itself.
    pub phase_until: Option<String>,
    /// What an auction is for.
    pub phase_why: Option<String>,
    /// The price around which the band lies.
    pub reference: String,
    /// Price of the last trade.
    pub last: Option<String>,
    /// The prices that an order may name.
    pub band: ShownSpan,
    /// The prices that trades may reach without a halt.
    pub halt: ShownSpan,
    /// How many seats it has.
    pub seats: usize,
    /// How many orders.
    pub orders: u32,
    /// How many trades there have been.
    pub trades: u64,
}

/// All markets.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownMarkets {
    /// By number.
    pub markets: Vec<ShownMarket>,
}

/// The seats of a market.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownSeats {
    /// In the order in which they were taken.
    pub seats: Vec<ShownSeat>,
}

/// What waits for a second person.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownProposals {
    /// Oldest first.
    pub proposals: Vec<ShownProposal>,
}

/// Patterns that people look at.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownHints {
    /// Of all markets, or of the one that was asked for.
    pub hints: Vec<Hint>,
}

/// A proposal.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownProposal {
    /// Its number.
    pub number: u64,
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// What, in words.
    pub about: String,
    /// `open`, `rules`, `resume`, or `other` where it is about prices, converting or pools.
    pub kind: String,
    /// The market; 0 where there is none yet.
    pub market: u32,
    /// From when on.
    pub from: Option<String>,
    /// The rules that are proposed.
    pub rules: Option<MarketTerms>,
    /// The rules now.
    pub now: Option<MarketTerms>,
}

/// An order in a book.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownOrder {
    /// Its number.
    pub id: String,
    /// Whose.
    pub seat: u32,
    /// What is left of it.
    pub left: String,
    /// What of that is shown, where it is not all.
    pub shown: Option<String>,
    /// When it came in.
    pub placed_at: String,
}

/// A price and the orders there, in the order in which they trade.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownLevel {
    /// The price.
    pub price: String,
    /// The orders.
    pub orders: Vec<ShownOrder>,
}

/// A book order by order.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownBook {
    /// The journal entry for which this is true.
    pub sequence: u64,
    /// Who buys, best price first.
    pub bids: Vec<ShownLevel>,
    /// Who sells.
    pub asks: Vec<ShownLevel>,
}

/// A source of prices and what it said last.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownSource {
    /// Its name.
    pub name: String,
    /// Bid.
    pub bid: String,
    /// Ask.
    pub ask: String,
    /// When.
    pub at: String,
    /// `used`, `stale`, or `jump` while it is held back.
    pub state: String,
}

/// A pair's price.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownPrice {
    /// What is priced.
    pub base: String,
    /// What it is priced in.
    pub quote: String,
    /// The middle, now or as it was accepted last.
    pub mid: Option<String>,
    /// When that was.
    pub at: Option<String>,
    /// `good`, `held` or `stale` where nothing is offered now, `none` where there never was a price.
    pub state: String,
    /// Its sources.
    pub sources: Vec<ShownSource>,
}

/// All pairs.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownPrices {
    /// By base and quote.
    pub pairs: Vec<ShownPrice>,
}

/// How a pair is converted.
#[derive(Debug, Serialize)]
pub struct ShownTerms {
    /// What is priced.
    pub base: String,
    /// What it is priced in.
    pub quote: String,
    /// The least.
    pub least: api::wire::Amount,
    /// How long an offer is open.
    pub lock_ms: u64,
    /// The fee.
    pub fee_ppm: u32,
    /// The widest spread.
    pub spread_max_ppm: u32,
    /// The whole skew.
    pub skew_ppm: u32,
    /// How much base the bank wants to have.
    pub target: api::wire::Amount,
}

/// What the bank converts with, and what it has promised.
#[derive(Debug, Serialize)]
pub struct ShownDesk {
    /// Terms of all pairs.
    pub terms: Vec<ShownTerms>,
    /// What it has by its accounts, and what is promised of it.
    pub inventory: Vec<ShownStock>,
    /// Open offers.
    pub offers: Vec<ShownOffer>,
    /// The desk's own orders in the books.
    pub hedges: Vec<ShownHedge>,
}

/// What it has of an asset.
#[derive(Debug, Serialize)]
pub struct ShownStock {
    /// The asset.
    pub asset: String,
    /// What is on its account.
    pub held: String,
    /// What it wants to have of it.
    pub target: String,
    /// What open offers promise of it.
    pub offered: String,
}

/// An open offer.
#[derive(Debug, Serialize)]
pub struct ShownOffer {
    /// Its id.
    pub id: String,
    /// Whose.
    pub customer: String,
    /// What they pay.
    pub pays: api::wire::Amount,
    /// What they take.
    pub takes: api::wire::Amount,
    /// Until when.
    pub expires_at: String,
}

/// An order of the desk's own.
#[derive(Debug, Serialize)]
pub struct ShownHedge {
    /// The market.
    pub market: u32,
    /// `buy` or `sell`.
    pub side: String,
    /// What is left of it.
    pub quantity: String,
    /// Its price.
    pub price: String,
    /// When it came in.
    pub at: String,
    /// `open`: what fills at once is over at once.
    pub state: String,
}

fn owner(owner: Owner) -> String {
    match owner {
        Owner::Bank => "bank".to_owned(),
        Owner::Tenant(number) => format!("client {number}"),
        Owner::Customer(customer) => customer.to_string(),
    }
}

const fn side(side: Side) -> &'static str {
    match side {
        Side::Bid => "buy",
        Side::Ask => "sell",
    }
}

/// All markets.
#[must_use]
pub fn markets(bank: &Bank) -> ShownMarkets {
    let now = bank.recorded_at();
    let show = |market: &Market| {
        let (steps, rules) = (steps(market)?, market.rules(now));
        let span = |(low, high)| ShownSpan { low: steps.price(low), high: steps.price(high) };
        let asset = |asset: Asset| ShownAsset { code: asset.code().to_owned(), scale: asset.scale() };
        let (phase, phase_why) = phase(market.phase());
        Some(ShownMarket {
            number: market.number().number(),
            base: asset(rules.base),
            quote: asset(rules.quote),
            rules: MarketTerms::show(rules),
            phase: phase.to_owned(),
            phase_until: market.phase_due().map(|at| at.to_string()),
            phase_why: phase_why.map(str::to_owned),
            reference: steps.price(market.reference()),
            last: market.book().last_price().map(|price| steps.price(price)),
            band: span(rules.band(market.reference())),
            halt: span(rules.halt_band(market.reference())),
            seats: market.seats().count(),
            orders: market.book().count(),
            trades: market.trades_count(),
        })
    };
    ShownMarkets { markets: bank.exchange().markets().iter().filter_map(show).collect() }
}

const fn phase(phase: Phase) -> (&'static str, Option<&'static str>) {
    match phase {
        Phase::Closed => ("closed", None),
        Phase::Open => ("open", None),
        Phase::Suspended => ("suspended", None),
        Phase::Call { why: CallReason::Opening, .. } => ("call", Some("opening")),
        Phase::Call { why: CallReason::Closing, .. } => ("call", Some("closing")),
        Phase::Call { why: CallReason::Halt, .. } => ("call", Some("halt")),
        Phase::Call { why: CallReason::Resumption, .. } => ("call", Some("resumption")),
    }
}

/// The seats of a market; none where there is no such market.
#[must_use]
pub fn seats(bank: &Bank, number: u32) -> ShownSeats {
    let market = bank.exchange().market(MarketNumber::new(number));
    let seats = market.into_iter().flat_map(Market::seats).map(|(seat, row)| ShownSeat {
        seat: seat.number(),
        owner: owner(row.owner),
        open: row.open,
        stopped: row.is_stopped,
    });
    ShownSeats { seats: seats.collect() }
}

/// What rests in a market, order by order, so many prices of each side.
#[must_use]
pub fn book(bank: &Bank, number: u32, levels: usize) -> Option<ShownBook> {
    let market = bank.exchange().market(MarketNumber::new(number))?;
    let steps = steps(market)?;
    let show = |order: &OrderView| ShownOrder {
        id: order.id.to_string(),
        seat: order.seat.number(),
        left: steps.quantity(order.left),
        shown: (order.showing != order.left).then(|| steps.quantity(order.showing)),
        placed_at: market.claim(order.id).map(|claim| claim.entered_at.to_string()).unwrap_or_default(),
    };
    let side = |side| {
        let mut shown: Vec<ShownLevel> = Vec::new();
        for order in market.book().resting(side).take(ORDERS_MAX) {
            let Terms::Limit(price) = order.terms else { continue };
            let price = steps.price(price);
            let is_full = shown.len() >= levels;
            match shown.last_mut().filter(|level| level.price == price) {
                Some(level) => level.orders.push(show(&order)),
                None if is_full => break,
                None => shown.push(ShownLevel { price, orders: vec![show(&order)] }),
            }
        }
        shown
    };
    Some(ShownBook { sequence: bank.seq(), bids: side(Side::Bid), asks: side(Side::Ask) })
}

/// What waits for a second person.
#[must_use]
pub fn proposals(bank: &Bank) -> ShownProposals {
    let show = |(number, proposal): (u64, &Proposal)| {
        let now = |market: &MarketNumber| {
            let market = bank.exchange().market(*market)?;
            Some(MarketTerms::show(market.rules(bank.recorded_at())))
        };
        let (kind, market, from, rules, now) = match &proposal.change {
            MarketChange::Open { rules, .. } => ("open", 0, None, Some(MarketTerms::show(rules)), None),
            MarketChange::SetRules { market, from, rules } => (
                "rules",
                market.number(),
                Some(from.to_string()),
                Some(MarketTerms::show(rules)),
                now(market),
            ),
            MarketChange::Resume { market, .. } => ("resume", market.number(), None, None, now(market)),
            MarketChange::SetPriceTerms { from, .. } | MarketChange::SetConvertTerms { from, .. } => {
                ("other", 0, Some(from.to_string()), None, None)
            }
            MarketChange::SetInventory { .. } | MarketChange::OpenPool { .. } => {
                ("other", 0, None, None, None)
            }
        };
        ShownProposal {
            number,
            by: proposal.by.to_string(),
            at: proposal.at.to_string(),
            about: about(&proposal.change),
            kind: kind.to_owned(),
            market,
            from,
            rules,
            now,
        }
    };
    ShownProposals { proposals: bank.exchange().proposals().map(show).collect() }
}

fn about(change: &MarketChange) -> String {
    match change {
        MarketChange::Open { rules, .. } => format!("open {}/{}", rules.base, rules.quote),
        MarketChange::SetRules { market, .. } => format!("other rules for market {market}"),
        MarketChange::Resume { market, .. } => format!("market {market} goes on"),
        MarketChange::SetPriceTerms { pair, .. } => format!("how readings of {pair} become a price"),
        MarketChange::SetConvertTerms { pair, .. } => format!("how {pair} is converted"),
        MarketChange::SetInventory { asset, account, .. } => format!("convert {asset} with {account}"),
        MarketChange::OpenPool { terms, .. } => {
            let coins: Vec<&str> = terms.coins.iter().map(|coin| coin.asset.code()).collect();
            format!("open a pool of {}", coins.join(" and "))
        }
    }
}

/// Prices and where they come from.
#[must_use]
pub fn prices(bank: &Bank, now: Timestamp) -> ShownPrices {
    let prices = bank.exchange().dealing().prices();
    let show = prices.feeds().map(|(pair, feed)| {
        let stale_ms = feed.terms().at(now).map_or(0, |terms| terms.stale_ms);
        let is_stale = |at: Timestamp| now.since(at) >= stale_ms;
        let sources = feed.seen().iter().map(|(source, seen)| ShownSource {
            name: source.to_string(),
            bid: seen.bid.to_string(),
            ask: seen.ask.to_string(),
            at: seen.at.to_string(),
            state: match seen.jumped_at {
                _ if is_stale(seen.at) => "stale",
                Some(_) => "jump",
                None => "used",
            }
            .to_owned(),
        });
        let (mid, accepted) = (prices.mid(*pair, now).ok(), feed.accepted());
        let state = match (&mid, accepted) {
            (Some(_), _) => "good",
            (None, None) => "none",
            (None, Some(_)) if feed.seen().values().all(|seen| is_stale(seen.at)) => "stale",
            (None, Some(_)) => "held",
        };
        let last = mid.as_ref().map(|mid| (mid.rate, mid.at));
        let last = last.or_else(|| accepted.map(|accepted| (accepted.rate, accepted.at)));
        ShownPrice {
            base: pair.base.code().to_owned(),
            quote: pair.quote.code().to_owned(),
            mid: last.map(|(rate, _)| rate.to_string()),
            at: last.map(|(_, at)| at.to_string()),
            state: state.to_owned(),
            sources: sources.collect(),
        }
    });
    ShownPrices { pairs: show.collect() }
}

/// The convert desk.
#[must_use]
pub fn desk(bank: &Bank) -> ShownDesk {
    let (dealing, now) = (bank.exchange().dealing(), bank.recorded_at());
    let known =
        dealing.desk().pairs().filter_map(|(pair, _)| Some((pair, dealing.desk().terms(*pair, now)?)));
    let terms = known.map(|(pair, terms)| ShownTerms {
        base: pair.base.code().to_owned(),
        quote: pair.quote.code().to_owned(),
        least: terms.least.into(),
        lock_ms: terms.lock_ms,
        fee_ppm: terms.fee_ppm,
        spread_max_ppm: terms.spread_max_ppm,
        skew_ppm: terms.skew_ppm,
        target: terms.target.into(),
    });
    let terms: Vec<ShownTerms> = terms.collect();
    let inventory = dealing.inventory().filter_map(|(asset, own)| {
        let account = bank.ledger().account(own.account)?;
        let target = terms.iter().find(|terms| terms.base == asset.code());
        Some(ShownStock {
            asset: asset.code().to_owned(),
            held: account.balance().posted.decimal(),
            target: target.map_or_else(|| Amount::zero(asset).decimal(), |terms| terms.target.value.clone()),
            offered: dealing.desk().promised(asset).decimal(),
        })
    });
    let offers = dealing.desk().open().map(|offer| ShownOffer {
        id: offer.id().to_string(),
        customer: offer.request.owner.to_string(),
        pays: offer.pays.into(),
        takes: offer.takes.into(),
        expires_at: offer.expires_at.to_string(),
    });
    let (inventory, offers) = (inventory.collect(), offers.collect());
    ShownDesk { terms, inventory, offers, hedges: hedges(bank) }
}

/// The orders of the accounts that the desk converts with.
fn hedges(bank: &Bank) -> Vec<ShownHedge> {
    let own: Vec<money::AccountId> =
        bank.exchange().dealing().inventory().map(|(_, inventory)| inventory.account).collect();
    let mut hedges = Vec::new();
    for market in bank.exchange().markets() {
        let Some(steps) = steps(market) else { continue };
        let desks = market.seats().filter(|(_, row)| own.contains(&row.base) && own.contains(&row.quote));
        for order in desks.flat_map(|(seat, _)| market.book().orders_of(seat)) {
            let Terms::Limit(price) = order.terms else { continue };
            let claim = market.claim(order.id);
            hedges.push(ShownHedge {
                market: market.number().number(),
                side: side(order.side).to_owned(),
                quantity: steps.quantity(order.left),
                price: steps.price(price),
                at: claim.map(|claim| claim.entered_at.to_string()).unwrap_or_default(),
                state: "open".to_owned(),
            });
        }
    }
    hedges
}
