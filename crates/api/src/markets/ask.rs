//! From a request for an order to a row of the exchange.

use exchange::book::{InForce, SelfTrade, Terms};
use exchange::market::Rules;
use exchange::row::PlaceRow;
use exchange::{Plan, Price, Quantity, Side, StepError, Steps};
use money::Amount;

use super::refused;
use crate::Problem;
use crate::wire::{self, OrderType, parse_instant};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One order.
    Row(PlaceRow),
    /// An order of orders, and the first that it would place.
    Plan {
        /// How.
        plan: Plan,
        /// The whole of it, as one order.
        whole: PlaceRow,
        /// Its first order.
        first: PlaceRow,
    },
}

/// A price of a field.
pub(crate) fn price(steps: &Steps, name: &str, text: &str) -> Result<Price, Problem> {
    steps.read_price(text).map_err(|error| match error {
        StepError::NotMultiple => refused(exchange::Refusal::Tick { tick: steps.price(Price::new(1)) }),
        StepError::NotDecimal | StepError::TooLarge => no_number(name),
    })
}

/// A quantity of a field.
pub(crate) fn quantity(steps: &Steps, name: &str, text: &str) -> Result<Quantity, Problem> {
    steps.read_quantity(text).map_err(|error| match error {
        StepError::NotMultiple => refused(exchange::Refusal::Lot { lot: steps.quantity(Quantity::new(1)) }),
        StepError::NotDecimal | StepError::TooLarge => no_number(name),
    })
}

fn no_number(name: &str) -> Problem {
    Problem::bad_request(format!("{name}: digits and at most one point, such as 1234.50, and not too many"))
}

/// Buy or sell.
pub(crate) const fn side(side: wire::OrderSide) -> Side {
    match side {
        wire::OrderSide::Buy => Side::Bid,
        wire::OrderSide::Sell => Side::Ask,
    }
}

const fn self_trade(asked: Option<wire::SelfTrade>) -> SelfTrade {
    match asked {
        None | Some(wire::SelfTrade::Taker) => SelfTrade::CancelTaker,
        Some(wire::SelfTrade::Maker) => SelfTrade::CancelMaker,
        Some(wire::SelfTrade::Both) => SelfTrade::CancelBoth,
        Some(wire::SelfTrade::Decrement) => SelfTrade::Decrement,
    }
}

/// The fields of a request, each looked for by its name.
struct Fields<'a> {
    asked: &'a wire::OrderRequest,
    steps: &'a Steps,
    rules: &'a Rules,
    reference: Price,
}

impl Fields<'_> {
    fn needed<'f>(&self, name: &str, field: &'f Option<String>) -> Result<&'f str, Problem> {
        let missing = || {
            let kind = kind_name(self.asked.kind);
            Problem::bad_request(format!("{name}: an order of type {kind} needs it"))
        };
        field.as_deref().ok_or_else(missing)
    }

    fn price(&self, name: &str, field: &Option<String>) -> Result<Price, Problem> {
        price(self.steps, name, self.needed(name, field)?)
    }

    fn quantity(&self) -> Result<Quantity, Problem> {
        quantity(self.steps, "quantity", self.needed("quantity", &self.asked.quantity)?)
    }

    /// The worst price: as given, or the edge of the prices around `around` that do not halt the market.
    fn worst(&self, around: Price) -> Result<Price, Problem> {
        if let Some(worst) = &self.asked.worst {
            return price(self.steps, "worst", worst);
        }
        let (low, high) = self.rules.halt_band(around);
        Ok(match self.asked.side {
            wire::OrderSide::Buy => high,
            wire::OrderSide::Sell => low,
        })
    }

    fn row(&self, terms: Terms, in_force: InForce, quantity: Quantity) -> Result<PlaceRow, Problem> {
        let shown = self.asked.shown.as_deref();
        let shown = shown.map(|text| super::ask::quantity(self.steps, "shown", text)).transpose()?;
        Ok(PlaceRow {
            side: side(self.asked.side),
            terms,
            in_force,
            self_trade: self_trade(self.asked.self_trade),
            quantity,
            shown: shown.unwrap_or(Quantity::ZERO),
            trigger: None,
            until: None,
            client: self.asked.client.unwrap_or(0),
        })
    }

    /// A row that may stay as long as the request says.
    fn staying(&self, price: Price) -> Result<PlaceRow, Problem> {
        let in_force = match self.asked.in_force {
            None | Some(wire::InForce::Gtc | wire::InForce::Gtd) => InForce::UntilEnded,
            Some(wire::InForce::Ioc) => InForce::ImmediateOrCancel,
            Some(wire::InForce::Fok) => InForce::FillOrKill,
            Some(wire::InForce::PostOnly) => InForce::PostOnly,
        };
        let row = self.row(Terms::Limit(price), in_force, self.quantity()?)?;
        let until = match (self.asked.in_force, &self.asked.until) {
            (Some(wire::InForce::Gtd), Some(until)) => {
                let at = parse_instant(until);
                Some(at.ok_or_else(|| Problem::bad_request("until: a time such as 2026-03-01T08:00:00Z"))?)
            }
            (Some(wire::InForce::Gtd), None) => {
                return Err(Problem::bad_request("until: an order that stays until a time needs it"));
            }
            (_, Some(_)) => {
                return Err(Problem::bad_request("until: only an order with in_force gtd has it"));
            }
            (_, None) => None,
        };
        Ok(PlaceRow { until, ..row })
    }

    fn budget(&self) -> Result<PlaceRow, Problem> {
        let asset = self.steps.quote;
        let text = self.needed("budget", &self.asked.budget)?;
        let sum = Amount::parse(asset, text).map_err(|_| no_number("budget"))?;
        // What is less than one lot costs at one tick buys nothing.
        let ticks_lots = sum.minor().checked_div(u128::from(self.steps.tick.max(1))).unwrap_or(0);
        let ticks_lots = u64::try_from(ticks_lots).map_err(|_| no_number("budget"))?;
        let worst = self.worst(self.reference)?;
        let terms = Terms::Budget { ticks_lots, worst };
        self.row(terms, InForce::ImmediateOrCancel, self.rules.quantity_max)
    }

    fn plan(&self) -> Result<Wanted, Problem> {
        let limit = self.price("price", &self.asked.price)?;
        let whole = self.row(Terms::Limit(limit), InForce::UntilEnded, self.quantity()?)?;
        if self.asked.kind == OrderType::Oco {
            let asked = &self.asked.oco;
            let pair =
                asked.as_ref().ok_or_else(|| Problem::bad_request("oco: an order of type oco needs it"))?;
            let trigger = price(self.steps, "oco.stop_trigger", &pair.stop_trigger)?;
            let stop_limit = price(self.steps, "oco.stop_limit", &pair.stop_limit)?;
            let plan = Plan::OneCancelsOther { limit, trigger, stop_limit };
            return Ok(Wanted::Plan { plan, whole, first: whole });
        }
        let asked = self.asked.twap.as_ref();
        let spread = asked.ok_or_else(|| Problem::bad_request("twap: an order of type twap needs it"))?;
        let every_ms = u64::from(spread.every_seconds).saturating_mul(1_000);
        let plan = Plan::TimeWeighted { limit, pieces: spread.pieces, every_ms };
        let piece = whole.quantity.lots().div_ceil(u64::from(spread.pieces.max(1)));
        let first =
            PlaceRow { quantity: Quantity::new(piece), in_force: InForce::ImmediateOrCancel, ..whole };
        Ok(Wanted::Plan { plan, whole, first })
    }
}

/// Reads a request by the steps and rules of its market.
pub(crate) fn wanted(
    asked: &wire::OrderRequest,
    steps: &Steps,
    rules: &Rules,
    reference: Price,
) -> Result<Wanted, Problem> {
    let fields = Fields { asked, steps, rules, reference };
    Ok(match asked.kind {
        OrderType::Limit => Wanted::Row(fields.staying(fields.price("price", &asked.price)?)?),
        OrderType::Market => {
            let terms = Terms::Limit(fields.worst(reference)?);
            Wanted::Row(fields.row(terms, InForce::ImmediateOrCancel, fields.quantity()?)?)
        }
        OrderType::Budget => Wanted::Row(fields.budget()?),
        OrderType::Stop => {
            let trigger = fields.price("trigger", &asked.trigger)?;
            let terms = Terms::Limit(fields.worst(trigger)?);
            let row = fields.row(terms, InForce::ImmediateOrCancel, fields.quantity()?)?;
            Wanted::Row(PlaceRow { trigger: Some(trigger), ..row })
        }
        OrderType::StopLimit => {
            let trigger = fields.price("trigger", &asked.trigger)?;
            let row = fields.staying(fields.price("price", &asked.price)?)?;
            Wanted::Row(PlaceRow { trigger: Some(trigger), ..row })
        }
        OrderType::Oco | OrderType::Twap => fields.plan()?,
    })
}

/// The word for a kind of order.
const fn kind_name(kind: OrderType) -> &'static str {
    match kind {
        OrderType::Limit => "limit",
        OrderType::Market => "market",
        OrderType::Budget => "budget",
        OrderType::Stop => "stop",
        OrderType::StopLimit => "stop_limit",
        OrderType::Oco => "oco",
        OrderType::Twap => "twap",
    }
}
