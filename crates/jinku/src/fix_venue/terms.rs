//! What instruments and orders of the gateway are in a market's terms, and what the market's refusals are in the gateway's.

use bank::Bank;
use exchange::book::{InForce, SelfTrade, Terms};
use exchange::market::{Market, Phase, Rules};
use exchange::row::PlaceRow;
use exchange::{Quantity, Refusal};
use fix::venue::{
    Decimal, Instrument, Kind, Lifetime, Lots, MarketState, NewOrder, RefusalReason, Side, Symbol,
};
use money::Timestamp;

use super::names::{NameKind, Pricing, Stay};

/// Most digits behind the point that a step can have.
const SCALE_MAX: u8 = 18;

/// A market that clients of the gateway can trade in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) market: exchange::MarketNumber,
    pub(super) instrument: Instrument,
}

/// Whether a request can be what it wants to be.
pub(super) type No = (RefusalReason, String);

/// All markets whose steps are finite decimals, by their pairs. A second market of a pair has its number in its name.
pub(super) fn listed(bank: &Bank) -> Vec<Listed> {
    let now = bank.recorded_at();
    let mut all: Vec<Listed> = Vec::new();
    for market in bank.exchange().markets() {
        let rules = market.rules(now);
        let Some((tick, lot)) = tick(rules).zip(Decimal::new(rules.lot, rules.base.scale())) else {
            continue;
        };
        let pair = Symbol::new(&format!("{}/{}", rules.base, rules.quote));
        let is_second = all.iter().any(|known| known.instrument.symbol == pair);
        let symbol = if is_second { Symbol::new(&format!("{pair}.{}", market.number())) } else { pair };
        let quote = rules.quote.code().to_owned();
        let instrument = Instrument { symbol, quote, tick, lot, smallest: Lots::new(1) };
        all.push(Listed { market: market.number(), instrument });
    }
    all
}

/// What one tick is for a whole unit of base, in whole units of quote.
fn tick(rules: &Rules) -> Option<Decimal> {
    let power = |scale: u8| 10_u128.checked_pow(u32::from(scale));
    let over = u128::from(rules.tick).checked_mul(power(rules.base.scale())?)?;
    let under = u128::from(rules.lot).checked_mul(power(rules.quote.scale())?)?;
    (0..=SCALE_MAX).find_map(|scale| {
        let scaled = over.checked_mul(power(scale)?)?;
        let units = (scaled.checked_rem(under)? == 0).then(|| scaled.checked_div(under))??;
        Decimal::new(u64::try_from(units).ok()?, scale)
    })
}

/// What a market does, in the gateway's words.
pub(super) const fn state(phase: Phase) -> MarketState {
    match phase {
        Phase::Closed => MarketState::Closed,
        Phase::Call { .. } => MarketState::Auction,
        Phase::Open => MarketState::Continuous,
        Phase::Suspended => MarketState::Halted,
    }
}

/// The row that places an order, and what is to be remembered of it. `number` is the number that the market knows it by.
pub(super) fn place(
    order: &NewOrder,
    market: &Market,
    now: Timestamp,
    number: u64,
) -> Result<(PlaceRow, NameKind), No> {
    let not_served = |text: &str| Err((RefusalReason::NotSupported, text.to_owned()));
    let side = match order.side {
        Side::Buy => exchange::Side::Bid,
        Side::Sell => exchange::Side::Ask,
    };
    let rules = market.rules(now);
    let trigger = order.kind.stop().map(|stop| exchange::Price::new(stop.number()));
    let is_market = matches!(order.kind, Kind::Market { .. } | Kind::Stop { .. });
    let (price, pricing) = match (order.kind.price(), is_market) {
        (Some(price), true) => (exchange::Price::new(price.number()), Pricing::Protected),
        (Some(price), false) => (exchange::Price::new(price.number()), Pricing::Limit),
        // As far as trades may go from the reference, or from where it begins, without a halt.
        (None, _) => {
            let (low, high) = rules.halt_band(trigger.unwrap_or(market.reference()));
            let worst = if side == exchange::Side::Bid { high } else { low };
            (worst, Pricing::Market)
        }
    };
    let stay = match order.lifetime {
        Lifetime::UntilCancelled => Stay::UntilCancelled,
        Lifetime::ImmediateOrCancel => Stay::Immediate,
        Lifetime::FillOrKill => Stay::Whole,
        Lifetime::Until(_) => Stay::UntilDate,
    };
    let in_force = match (order.lifetime, order.post_only) {
        (Lifetime::ImmediateOrCancel | Lifetime::FillOrKill, true) => {
            return not_served("post only does not go with what fills at once or not at all");
        }
        (Lifetime::FillOrKill, false) => InForce::FillOrKill,
        (_, true) if is_market => return not_served("post only goes with a limit"),
        (_, true) => InForce::PostOnly,
        (Lifetime::Until(_), false) if is_market => {
            return not_served("a stop without a limit has no end date");
        }
        (Lifetime::ImmediateOrCancel, false) => InForce::ImmediateOrCancel,
        // Once it is set off it is a market order, which rests nowhere.
        (Lifetime::UntilCancelled, false) if is_market => InForce::ImmediateOrCancel,
        (Lifetime::UntilCancelled | Lifetime::Until(_), false) => InForce::UntilEnded,
    };
    let until = match order.lifetime {
        Lifetime::Until(at) => Some(Timestamp::from_ms(at.ms())),
        Lifetime::UntilCancelled | Lifetime::ImmediateOrCancel | Lifetime::FillOrKill => None,
    };
    use fix::venue::SelfTrade as Asked;
    let self_trade = match order.self_trade {
        None | Some(Asked::CancelTaker) => SelfTrade::CancelTaker,
        Some(Asked::CancelMaker) => SelfTrade::CancelMaker,
        Some(Asked::CancelBoth) => SelfTrade::CancelBoth,
        Some(Asked::Decrement) => SelfTrade::Decrement,
    };
    let row = PlaceRow {
        side,
        terms: Terms::Limit(price),
        in_force,
        self_trade,
        quantity: Quantity::new(order.quantity.number()),
        shown: Quantity::new(order.display.map_or(0, Lots::number)),
        trigger,
        until,
        client: number,
    };
    Ok((row, NameKind::Place(pricing, stay)))
}

/// A refusal of the market, with prices as clients write them.
pub(super) fn refused(refusal: &Refusal, instrument: Option<&Instrument>) -> No {
    let reason = match refusal {
        Refusal::MarketUnknown { .. } => RefusalReason::UnknownSymbol,
        Refusal::Phase { .. } => RefusalReason::MarketClosed,
        Refusal::QuantityAbove { .. } | Refusal::OrdersFull { .. } | Refusal::Funds(_) => {
            RefusalReason::ExceedsLimit
        }
        // It was there when the request came.
        Refusal::OrderUnknown { .. } => RefusalReason::TooLate,
        Refusal::ClientNumberUsed { .. } => RefusalReason::DuplicateId,
        Refusal::Malformed { .. }
        | Refusal::SeatUnknown { .. }
        | Refusal::SeatForeign { .. }
        | Refusal::SeatStopped { .. }
        | Refusal::OrderForeign { .. }
        | Refusal::Tick { .. }
        | Refusal::Lot { .. }
        | Refusal::NotionalBelow { .. }
        | Refusal::OutsideBand { .. }
        | Refusal::Book(_)
        | Refusal::RulesUnsound
        | Refusal::RulesFixed
        | Refusal::SeatAccounts
        | Refusal::ProposalUnknown { .. }
        | Refusal::OwnProposal { .. }
        | Refusal::Price(_)
        | Refusal::Quote(_)
        | Refusal::Pool(_)
        | Refusal::PoolUnknown { .. }
        | Refusal::DealingAccounts
        | Refusal::NoInventory { .. }
        | Refusal::ProposalsFull { .. }
        | Refusal::NotForOwners
        | Refusal::ParentUnknown { .. } => RefusalReason::Other,
    };
    let text = match (refusal, instrument) {
        (Refusal::OutsideBand { low, high }, Some(of)) => {
            format!(
                "the price is between {} and {} now",
                of.tick.text(low.ticks()),
                of.tick.text(high.ticks())
            )
        }
        (Refusal::QuantityAbove { max }, Some(of)) => {
            format!("an order is for {} at most", of.lot.text(max.lots()))
        }
        _ => refusal.to_string(),
    };
    (reason, text)
}

#[cfg(test)]
mod tests;
