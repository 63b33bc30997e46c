//! Messages about orders: execution reports, refused cancels and changes, mass cancels.

use crate::codec::Body;
use crate::dictionary::{MsgType, tag};
use crate::time::UtcTime;
use crate::venue::{
    ClOrdId, Execution, Happened, Instrument, Kind, Lifetime, Lots, OrderState, OrderView, Refusal,
    RefusalReason, Side, scaled_quotient,
};

/// The OrderID of an order that there is not.
const NO_ORDER: &str = "NONE";
/// The ExecID of a report in which nothing happened.
const NO_EXECUTION: &str = "0";

pub(super) const fn side_text(side: Side) -> &'static str {
    match side {
        Side::Buy => "1",
        Side::Sell => "2",
    }
}

pub(super) const fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Market { .. } => "1",
        Kind::Limit { .. } => "2",
        Kind::Stop { .. } => "3",
        Kind::StopLimit { .. } => "4",
    }
}

pub(super) const fn lifetime_text(lifetime: Lifetime) -> &'static str {
    match lifetime {
        Lifetime::UntilCancelled => "1",
        Lifetime::ImmediateOrCancel => "3",
        Lifetime::FillOrKill => "4",
        Lifetime::Until(_) => "6",
    }
}

/// OrdStatus.
const fn state_text(view: &OrderView) -> &'static str {
    match view.state {
        OrderState::Open | OrderState::Waiting if view.filled.number() > 0 => "1",
        OrderState::Open | OrderState::Waiting => "0",
        OrderState::Suspended => "9",
        OrderState::Filled => "2",
        OrderState::Cancelled => "4",
        OrderState::Expired => "C",
    }
}

/// ExecType.
const fn happened_text(happened: &Happened) -> &'static str {
    match happened {
        Happened::Placed => "0",
        Happened::Filled { .. } => "F",
        Happened::Cancelled { .. } => "4",
        Happened::Replaced { .. } => "5",
        Happened::Lowered { .. } | Happened::Triggered => "D",
        Happened::Suspended => "9",
        Happened::Expired => "C",
    }
}

/// The order itself, as it stands.
fn with_order(body: Body, view: &OrderView, instrument: &Instrument) -> Body {
    let lots = |lots: Lots| instrument.lot.text(lots.number());
    let ticks = |price: crate::venue::Price| instrument.tick.text(price.number());
    let until = if let Lifetime::Until(at) = view.lifetime { Some(at) } else { None };
    let waits = view.kind.stop().is_some().then_some(view.state != OrderState::Waiting);
    let body = body
        .with(tag::SYMBOL, &view.symbol)
        .with(tag::SIDE, side_text(view.side))
        .with(tag::ORDER_QTY, lots(view.quantity))
        .with(tag::ORD_TYPE, kind_text(view.kind))
        .with_some(tag::PRICE, view.kind.price().map(ticks))
        .with_some(tag::STOP_PX, view.kind.stop().map(ticks))
        .with(tag::TIME_IN_FORCE, lifetime_text(view.lifetime))
        .with_some(tag::EXPIRE_TIME, until)
        .with_some(tag::EXEC_INST, view.post_only.then_some("6"))
        .with_some(tag::MAX_FLOOR, view.display.map(lots))
        .with(tag::LEAVES_QTY, lots(view.open()))
        .with(tag::CUM_QTY, lots(view.filled))
        .with(tag::AVG_PX, scaled_quotient(instrument.tick, view.value, view.filled.number()));
    match waits {
        Some(works) => body.with_flag(tag::WORKING_INDICATOR, works),
        None => body,
    }
}

/// Something that happened.
pub(super) fn executed(execution: &Execution, instrument: &Instrument) -> Body {
    let (view, happened) = (&execution.order, &execution.happened);
    let (id, original) = match happened {
        Happened::Cancelled { request: Some(request), .. } => (request, Some(&view.id)),
        Happened::Replaced { previous } => (&view.id, Some(previous)),
        Happened::Placed
        | Happened::Filled { .. }
        | Happened::Cancelled { request: None, .. }
        | Happened::Lowered { .. }
        | Happened::Triggered
        | Happened::Suspended
        | Happened::Expired => (&view.id, None),
    };
    let body = Body::new(MsgType::ExecutionReport)
        .with(tag::ORDER_ID, view.number.number())
        .with(tag::CL_ORD_ID, id)
        .with_some(tag::ORIG_CL_ORD_ID, original)
        .with(tag::EXEC_ID, execution.position.number())
        .with(tag::EXEC_TYPE, happened_text(happened))
        .with(tag::ORD_STATUS, state_text(view));
    let body = with_order(body, view, instrument).with(tag::TRANSACT_TIME, execution.at);
    match happened {
        Happened::Filled { price, quantity, maker, fee } => {
            let body = body
                .with(tag::LAST_QTY, instrument.lot.text(quantity.number()))
                .with(tag::LAST_PX, instrument.tick.text(price.number()))
                .with(tag::LAST_LIQUIDITY_IND, if *maker { 1 } else { 2 });
            match fee {
                None => body,
                // The exchange's own fee.
                Some(fee) => body
                    .with(tag::NO_MISC_FEES, 1)
                    .with(tag::MISC_FEE_AMT, &fee.amount)
                    .with(tag::MISC_FEE_CURR, &fee.currency)
                    .with(tag::MISC_FEE_TYPE, 4),
            }
        }
        Happened::Cancelled { text, .. } => body.with(tag::TEXT, text),
        // Part of the quantity was declined.
        Happened::Lowered { text } => body.with(tag::EXEC_RESTATEMENT_REASON, 5).with(tag::TEXT, text),
        // By the market's rule.
        Happened::Triggered => {
            body.with(tag::EXEC_RESTATEMENT_REASON, 8).with(tag::TEXT, "the stop price traded")
        }
        Happened::Placed | Happened::Replaced { .. } | Happened::Suspended | Happened::Expired => body,
    }
}

/// Where an order stands, for who asked.
pub(super) fn status(view: &OrderView, instrument: &Instrument) -> Body {
    let body = Body::new(MsgType::ExecutionReport)
        .with(tag::ORDER_ID, view.number.number())
        .with(tag::CL_ORD_ID, &view.id)
        .with(tag::EXEC_ID, NO_EXECUTION)
        .with(tag::EXEC_TYPE, "I")
        .with(tag::ORD_STATUS, state_text(view));
    with_order(body, view, instrument)
}

/// The answer about an order that there is not.
pub(super) fn no_such_order(
    id: Option<&ClOrdId>,
    symbol: Option<&str>,
    side: &str,
    text: &str,
    now: UtcTime,
) -> Body {
    Body::new(MsgType::ExecutionReport)
        .with(tag::ORDER_ID, NO_ORDER)
        .with_some(tag::CL_ORD_ID, id)
        .with(tag::EXEC_ID, NO_EXECUTION)
        .with(tag::EXEC_TYPE, "I")
        .with(tag::ORD_STATUS, "8")
        .with(tag::ORD_REJ_REASON, 5)
        .with(tag::SYMBOL, symbol.unwrap_or("[N/A]"))
        .with(tag::SIDE, side)
        .with(tag::LEAVES_QTY, 0)
        .with(tag::CUM_QTY, 0)
        .with(tag::AVG_PX, 0)
        .with(tag::TRANSACT_TIME, now)
        .with(tag::TEXT, text)
}

/// What an order said that was refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct RefusedOrder<'a> {
    pub(super) id: &'a str,
    pub(super) symbol: &'a str,
    pub(super) side: &'a str,
    pub(super) quantity: Option<&'a str>,
}

/// OrdRejReason.
const fn order_reason(reason: RefusalReason) -> u64 {
    match reason {
        RefusalReason::UnknownSymbol => 1,
        RefusalReason::MarketClosed => 2,
        RefusalReason::ExceedsLimit => 3,
        RefusalReason::TooLate => 4,
        RefusalReason::UnknownOrder => 5,
        RefusalReason::DuplicateId => 6,
        RefusalReason::NotSupported => 11,
        RefusalReason::Other => 99,
    }
}

/// A refused order. Its ExecID is its ClOrdID: an order is refused at most once for each time it is sent, and it had no execution.
pub(super) fn order_refused(order: &RefusedOrder<'_>, refusal: &Refusal, now: UtcTime) -> Body {
    Body::new(MsgType::ExecutionReport)
        .with(tag::ORDER_ID, NO_ORDER)
        .with(tag::CL_ORD_ID, order.id)
        .with(tag::EXEC_ID, format_args!("R{}-{}", now.ms(), order.id))
        .with(tag::EXEC_TYPE, "8")
        .with(tag::ORD_STATUS, "8")
        .with(tag::ORD_REJ_REASON, order_reason(refusal.reason))
        .with(tag::SYMBOL, order.symbol)
        .with(tag::SIDE, order.side)
        .with_some(tag::ORDER_QTY, order.quantity)
        .with(tag::LEAVES_QTY, 0)
        .with(tag::CUM_QTY, 0)
        .with(tag::AVG_PX, 0)
        .with(tag::TRANSACT_TIME, now)
        .with(tag::TEXT, &refusal.text)
}

/// What was asked of an order that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Cancel,
    Replace,
}

pub(super) fn change_refused(
    id: &ClOrdId,
    order: &ClOrdId,
    change: Change,
    view: Option<&OrderView>,
    refusal: &Refusal,
) -> Body {
    let reason = match refusal.reason {
        RefusalReason::TooLate => 0,
        RefusalReason::UnknownOrder => 1,
        RefusalReason::DuplicateId => 6,
        RefusalReason::MarketClosed => 2,
        RefusalReason::UnknownSymbol
        | RefusalReason::ExceedsLimit
        | RefusalReason::NotSupported
        | RefusalReason::Other => 99,
    };
    let body = Body::new(MsgType::OrderCancelReject);
    let body = match view {
        Some(view) => body.with(tag::ORDER_ID, view.number.number()),
        None => body.with(tag::ORDER_ID, NO_ORDER),
    };
    body.with(tag::CL_ORD_ID, id)
        .with(tag::ORIG_CL_ORD_ID, order)
        .with(tag::ORD_STATUS, view.map_or("8", state_text))
        .with(tag::CXL_REJ_RESPONSE_TO, if change == Change::Cancel { 1 } else { 2 })
        .with(tag::CXL_REJ_REASON, reason)
        .with(tag::TEXT, &refusal.text)
}

const fn mass_type(by_symbol: bool) -> u64 {
    if by_symbol { 1 } else { 7 }
}

/// A mass cancel that was done. The cancelled orders are among the executions.
pub(super) fn mass_cancelled(id: &ClOrdId, by_symbol: bool, number: u64, orders: u64) -> Body {
    Body::new(MsgType::OrderMassCancelReport)
        .with(tag::CL_ORD_ID, id)
        .with(tag::ORDER_ID, format_args!("M{number}"))
        .with(tag::MASS_CANCEL_REQUEST_TYPE, mass_type(by_symbol))
        .with(tag::MASS_CANCEL_RESPONSE, mass_type(by_symbol))
        .with(tag::TOTAL_AFFECTED_ORDERS, orders)
}

pub(super) fn mass_cancel_refused(id: &ClOrdId, by_symbol: bool, text: &str) -> Body {
    Body::new(MsgType::OrderMassCancelReport)
        .with(tag::CL_ORD_ID, id)
        .with(tag::ORDER_ID, NO_ORDER)
        .with(tag::MASS_CANCEL_REQUEST_TYPE, mass_type(by_symbol))
        .with(tag::MASS_CANCEL_RESPONSE, 0)
        .with(tag::MASS_CANCEL_REJECT_REASON, 99)
        .with(tag::TEXT, text)
}
