//! From the refusals of the markets to problems. Prices and quantities go out in the market's own steps.

use exchange::Refusal as R;
use exchange::book::BookRefusal as B;

use super::{ledger, not_allowed};
use crate::Problem;

pub(super) fn refused(refusal: R) -> Problem {
    match refusal {
        R::Malformed { why } => {
            Problem::unprocessable("order_malformed", format!("The order makes no sense: {why}."))
        }
        R::MarketUnknown { .. } => Problem::missing("market_unknown", "There is no such market."),
        R::Phase { phase, .. } => {
            let detail = format!("The market is {phase}; try again when it is open.");
            Problem::conflict("market_not_open", detail).with("phase", phase.to_string())
        }
        R::SeatUnknown { .. } | R::SeatForeign { .. } => {
            Problem::missing("seat_unknown", "You have no seat in this market; take one first.")
        }
        R::SeatStopped { .. } => {
            let detail = "Your orders in this market are stopped; free them before placing new ones.";
            Problem::conflict("seat_stopped", detail)
        }
        R::ClientNumberUsed { known, .. } => {
            Problem::conflict("order_exists", "An open order has this number; choose another.")
                .with("order", known.to_string())
        }
        // An order of somebody else is as unknown as one that never was.
        R::OrderUnknown { .. } | R::OrderForeign { .. } => {
            Problem::missing("order_unknown", "There is no such open order; it was filled or has ended.")
        }
        R::Tick { tick } => {
            Problem::unprocessable("price_step", format!("The price is a multiple of {tick}; change it."))
                .with("tick", tick)
        }
        R::Lot { lot } => Problem::unprocessable(
            "quantity_step",
            format!("The quantity is a multiple of {lot}; change it."),
        )
        .with("lot", lot),
        R::QuantityAbove { max } => {
            Problem::unprocessable("quantity_above", "The order is larger than one may be; split it.")
                .with("max_lots", max.lots().to_string())
        }
        R::NotionalBelow { min, given } => {
            Problem::unprocessable("order_too_small", "The order is worth less than an order must be.")
                .with("min_minor", min.to_string())
                .with("given_minor", given.to_string())
        }
        R::OutsideBand { low, high } => {
            let detail = "The price is too far from the market's; choose one within the band.";
            Problem::conflict("price_outside_band", detail)
                .with("low_ticks", low.ticks().to_string())
                .with("high_ticks", high.ticks().to_string())
        }
        R::OrdersFull { max } => {
            Problem::conflict("orders_full", "You have as many open orders as you may; end one first.")
                .with("max", max.to_string())
        }
        R::Funds(refusal) => ledger(refusal),
        R::Book(refusal) => book(&refusal),
        R::SeatAccounts => {
            let detail = "An account in each of the market's assets is needed; open the one that is missing.";
            Problem::conflict("seat_accounts", detail)
        }
        R::ParentUnknown { .. } => {
            Problem::missing("plan_unknown", "There is no such order of orders; it has ended.")
        }
        R::RulesUnsound
        | R::RulesFixed
        | R::ProposalUnknown { .. }
        | R::OwnProposal { .. }
        | R::ProposalsFull { .. }
        | R::NotForOwners => not_allowed(),
    }
}

fn book(refusal: &B) -> Problem {
    match refusal {
        B::UnknownOrder { .. } => {
            Problem::missing("order_unknown", "There is no such open order; it was filled or has ended.")
        }
        B::WouldTrade => {
            let detail = "The order would trade at once, and you asked that it only rests; change its price.";
            Problem::conflict("would_trade", detail)
        }
        B::Full | B::TooManyWait | B::SeatBeyondMost { .. } => {
            Problem::conflict("book_full", "The market takes no more orders now; try again later.")
        }
        B::WhileCollecting => {
            let detail = "Orders are collected for an auction; what must fill at once has to wait for it.";
            Problem::conflict("market_not_open", detail)
        }
        B::NoQuantity | B::QuantityBeyondMost { .. } | B::ContraryTerms => {
            Problem::unprocessable("order_malformed", format!("The order makes no sense: {refusal}."))
        }
    }
}
