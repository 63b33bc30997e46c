//! From the refusals of the markets to problems. Prices and quantities go out in the market's own steps.

use exchange::Refusal as R;
use exchange::book::BookRefusal as B;
use exchange::price::PriceRefusal;
use exchange::quote::QuoteRefusal as Q;

use super::{amount_zero, ledger, not_allowed};
use crate::Problem;
use crate::wire::labelled;

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
        R::Price(refusal) => price(&refusal),
        R::Quote(refusal) => quote(refusal),
        R::Pool(_) | R::PoolUnknown { .. } | R::DealingAccounts => {
            let detail = "The accounts do not fit; choose one in each of the two assets.";
            Problem::unprocessable("accounts_do_not_fit", detail)
        }
        R::NoInventory { .. } => no_price(),
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

fn no_price() -> Problem {
    Problem::unavailable("There is no reliable price now, so nothing is offered; try again in a moment.")
}

fn price(refusal: &PriceRefusal) -> Problem {
    tracing::info!(%refusal, "there is no price");
    no_price()
}

fn quote(refusal: Q) -> Problem {
    match refusal {
        Q::ZeroAmount => amount_zero(),
        Q::OfferExists { .. } => Problem::conflict("quote_exists", "This quote was made before; ask again."),
        Q::NotConverted { pays, takes } => {
            let detail = format!("{pays} is not converted into {takes}; choose another pair.");
            Problem::unprocessable("not_converted", detail)
        }
        Q::TooManyOpen { most, .. } => {
            Problem::conflict("too_many_quotes", "You have as many open quotes as you may; let one expire.")
                .with("max", most.to_string())
        }
        Q::DeskFull | Q::SpreadTooWide { .. } => no_price(),
        Q::Price(refusal) => price(&refusal),
        Q::TooSmall { least, .. } => {
            Problem::unprocessable("amount_too_small", "The amount is less than can be converted.")
                .with("least", labelled(least))
        }
        Q::TooLarge { most, .. } => Problem::unprocessable(
            "amount_too_large",
            "The amount is more than is converted at once; split it.",
        )
        .with("most", labelled(most)),
        Q::StockShort { .. } => {
            let detail = "The bank has not enough of it at the moment; convert less, or try later.";
            Problem::conflict("stock_short", detail)
        }
        Q::OutOfRange => {
            Problem::unprocessable("amount_invalid", "Nothing would be left of this amount; choose another.")
        }
        // Who may not know of an offer learns no more than that it is unknown.
        Q::OfferUnknown { .. } | Q::ForeignOffer { .. } => {
            Problem::missing("quote_unknown", "There is no such quote; ask for a new one.")
        }
        Q::OfferUsed { at, .. } => {
            Problem::conflict("quote_used", "This quote was taken already; nothing was done twice.")
                .with("at", at.to_string())
        }
        Q::OfferExpired { at, .. } => Problem::conflict(
            "quote_expired",
            "The price was good until its time was over; ask for a new one.",
        )
        .with("at", at.to_string()),
        Q::OfferAltered { .. } => Problem::conflict(
            "quote_altered",
            "These are not the terms that were offered; look at them again.",
        ),
        Q::Terms { .. } => not_allowed(),
    }
}
