//! Reading of orders and of what is asked about them.

use crate::codec::{Body, Message};
use crate::dictionary::{Fault, RejectReason, Tag, is_header, tag};
use crate::time::UtcTime;
use crate::venue::{
    Instrument, Kind, Lifetime, Lots, NewOrder, OrderView, Price, RefusalReason, Request, SelfTrade, Side,
    Venue,
};

use super::{Asked, Desk, No, STATUS_MAX, cl_ord_id, reports};

/// Fields of an order that are read here.
const READ: [Tag; 18] = [
    tag::ACCOUNT,
    tag::CL_ORD_ID,
    tag::ORIG_CL_ORD_ID,
    tag::ORDER_ID,
    tag::CURRENCY,
    tag::EXEC_INST,
    tag::HANDL_INST,
    tag::ORDER_QTY,
    tag::ORD_TYPE,
    tag::PRICE,
    tag::SIDE,
    tag::SYMBOL,
    tag::TIME_IN_FORCE,
    tag::STOP_PX,
    tag::MAX_FLOOR,
    tag::EXPIRE_TIME,
    tag::EXPIRE_DATE,
    tag::SELF_TRADE,
];
/// Fields that change nothing about an order: its time at the client, words, identifiers of the instrument beside its symbol, parties and capacities for the record.
const WITHOUT_EFFECT: [u32; 27] = [
    10, 22, 48, 58, 60, 167, 207, 354, 355, 447, 448, 452, 453, 460, 461, 523, 526, 528, 529, 581, 582, 583,
    635, 660, 802, 803, 1028,
];

impl<V: Venue> Desk<V> {
    pub(super) fn new_order(&mut self, message: &Message, now: UtcTime) -> Result<Vec<Body>, No> {
        match self.read_order(message) {
            Ok(order) => {
                self.submit(message, Request::Place(order.clone()), Asked::Place(order));
                Ok(Vec::new())
            }
            Err(No::Fault(fault)) => Err(No::Fault(fault)),
            Err(No::Refused(refusal)) => {
                let refused = reports::RefusedOrder {
                    id: message.required(tag::CL_ORD_ID)?,
                    symbol: message.required(tag::SYMBOL)?,
                    side: message.required(tag::SIDE)?,
                    quantity: message.optional(tag::ORDER_QTY)?,
                };
                Ok(vec![reports::order_refused(&refused, &refusal, now)])
            }
        }
    }

    /// In this order: what must be there, the instrument, what is not served, the account, the order itself.
    fn read_order(&mut self, message: &Message) -> Result<NewOrder, No> {
        let id = cl_ord_id(message, tag::CL_ORD_ID)?;
        let (symbol, side) = (message.required(tag::SYMBOL)?, message.required(tag::SIDE)?);
        let kind = message.required(tag::ORD_TYPE)?;
        if message.time(tag::TRANSACT_TIME)?.is_none() {
            return Err(Fault::of(RejectReason::RequiredTagMissing, tag::TRANSACT_TIME).into());
        }
        let instrument = self.instrument(symbol);
        let unknown =
            || No::refused(RefusalReason::UnknownSymbol, format!("there is no instrument {symbol}"));
        let instrument = instrument.ok_or_else(unknown)?;
        only_what_is_served(message)?;
        self.check_account(message, &instrument)?;
        let side = read_side(side)?;
        let quantity = lots(message, tag::ORDER_QTY, &instrument)?;
        let quantity = quantity.ok_or(Fault::of(RejectReason::RequiredTagMissing, tag::ORDER_QTY))?;
        let kind = read_kind(kind, message, &instrument)?;
        let lifetime = read_lifetime(message, matches!(kind, Kind::Market { .. }))?;
        let post_only = match message.optional(tag::EXEC_INST)? {
            None => false,
            Some("6") => true,
            Some(other) => return Err(not_served(tag::EXEC_INST, other)),
        };
        let display = lots(message, tag::MAX_FLOOR, &instrument)?;
        let self_trade = match message.optional(tag::SELF_TRADE)? {
            None => None,
            Some("N") => Some(SelfTrade::CancelTaker),
            Some("O") => Some(SelfTrade::CancelMaker),
            Some("B") => Some(SelfTrade::CancelBoth),
            Some("D") => Some(SelfTrade::Decrement),
            Some(_) => return Err(Fault::of(RejectReason::ValueIncorrect, tag::SELF_TRADE).into()),
        };
        let symbol = instrument.symbol;
        Ok(NewOrder { id, symbol, side, quantity, kind, lifetime, post_only, display, self_trade })
    }

    fn check_account(&self, message: &Message, instrument: &Instrument) -> Result<(), No> {
        if let Some(account) =
            message.optional(tag::ACCOUNT)?.filter(|account| *account != self.client.account)
        {
            return Err(No::refused(
                RefusalReason::Other,
                format!("account {account} is not this session's"),
            ));
        }
        if let Some(currency) =
            message.optional(tag::CURRENCY)?.filter(|currency| *currency != instrument.quote)
        {
            let text = format!("{} is priced in {}, not in {currency}", instrument.symbol, instrument.quote);
            return Err(No::refused(RefusalReason::Other, text));
        }
        match message.optional(tag::HANDL_INST)? {
            None | Some("1" | "2") => Ok(()),
            Some(other) => Err(not_served(tag::HANDL_INST, other)),
        }
    }

    pub(super) fn cancel(&mut self, message: &Message) -> Result<Vec<Body>, No> {
        let (id, order) = (cl_ord_id(message, tag::CL_ORD_ID)?, cl_ord_id(message, tag::ORIG_CL_ORD_ID)?);
        let request = Request::Cancel { id: id.clone(), order: order.clone() };
        self.submit(message, request, Asked::Cancel { id, order });
        Ok(Vec::new())
    }

    pub(super) fn replace(&mut self, message: &Message) -> Result<Vec<Body>, No> {
        let (id, order) = (cl_ord_id(message, tag::CL_ORD_ID)?, cl_ord_id(message, tag::ORIG_CL_ORD_ID)?);
        let view = self.venue.order(&self.client, &order);
        let request = match &view {
            Some(view) if view.id == id && order != id => {
                // It has been done, and this is a repeat: the venue says so whatever it asks for.
                Ok(Request::Reduce { id: id.clone(), order: order.clone(), quantity: view.quantity })
            }
            Some(view) => self.read_change(message, view),
            None => Err(No::refused(RefusalReason::UnknownOrder, format!("there is no order {order}"))),
        };
        match request {
            Ok(request) => {
                self.submit(message, request, Asked::Replace { id, order });
                Ok(Vec::new())
            }
            Err(No::Fault(fault)) => Err(No::Fault(fault)),
            Err(No::Refused(refusal)) => {
                let change = reports::Change::Replace;
                Ok(vec![reports::change_refused(&id, &order, change, view.as_ref(), &refusal)])
            }
        }
    }

    /// Less at the same price is a reduction; anything else loses the order's place.
    fn read_change(&mut self, message: &Message, view: &OrderView) -> Result<Request, No> {
        let (id, order) = (cl_ord_id(message, tag::CL_ORD_ID)?, cl_ord_id(message, tag::ORIG_CL_ORD_ID)?);
        let unknown = || No::refused(RefusalReason::UnknownSymbol, "there is no such instrument any more");
        let instrument = self.instrument(view.symbol.as_str()).ok_or_else(unknown)?;
        only_what_is_served(message)?;
        self.check_account(message, &instrument)?;
        let fixed = |tag: Tag, was: Option<String>| match message.optional(tag) {
            Ok(Some(now)) if was.as_deref() != Some(now) => {
                Err(No::refused(RefusalReason::NotSupported, format!("tag {tag} cannot be changed")))
            }
            Ok(_) => Ok(()),
            Err(fault) => Err(No::Fault(fault)),
        };
        fixed(tag::SYMBOL, Some(view.symbol.as_str().to_owned()))?;
        fixed(tag::SIDE, Some(reports::side_text(view.side).to_owned()))?;
        fixed(tag::ORD_TYPE, Some(reports::kind_text(view.kind).to_owned()))?;
        fixed(tag::TIME_IN_FORCE, Some(reports::lifetime_text(view.lifetime).to_owned()))?;
        fixed(tag::EXEC_INST, view.post_only.then(|| "6".to_owned()))?;
        fixed(tag::SELF_TRADE, None)?;
        let same_step = |found: Option<u64>, was: Option<u64>, tag: Tag| {
            if found.is_none() || found == was {
                return Ok(());
            }
            Err(No::refused(RefusalReason::NotSupported, format!("tag {tag} cannot be changed")))
        };
        let stop = price(message, tag::STOP_PX, &instrument)?.map(Price::number);
        same_step(stop, view.kind.stop().map(Price::number), tag::STOP_PX)?;
        let display = lots(message, tag::MAX_FLOOR, &instrument)?.map(Lots::number);
        same_step(display, view.display.map(Lots::number), tag::MAX_FLOOR)?;
        let expiry = read_expiry(message)?.map(UtcTime::ms);
        let was = if let Lifetime::Until(at) = view.lifetime { Some(at.ms()) } else { None };
        same_step(expiry, was, tag::EXPIRE_TIME)?;

        let quantity = lots(message, tag::ORDER_QTY, &instrument)?;
        let quantity = quantity.ok_or(Fault::of(RejectReason::RequiredTagMissing, tag::ORDER_QTY))?;
        let limit = price(message, tag::PRICE, &instrument)?.or(view.kind.price());
        if limit == view.kind.price() && quantity < view.quantity {
            return Ok(Request::Reduce { id, order, quantity });
        }
        if limit == view.kind.price() && quantity == view.quantity {
            return Err(No::refused(RefusalReason::Other, "neither price nor quantity would change"));
        }
        let none =
            || No::refused(RefusalReason::NotSupported, "an order without a price can only be reduced");
        Ok(Request::Move { id, order, price: limit.ok_or_else(none)?, quantity })
    }

    pub(super) fn cancel_all(&mut self, message: &Message) -> Result<Vec<Body>, No> {
        let id = cl_ord_id(message, tag::CL_ORD_ID)?;
        let by_symbol = match message.required(tag::MASS_CANCEL_REQUEST_TYPE)? {
            "1" => true,
            "7" => false,
            _ => return Ok(vec![reports::mass_cancel_refused(&id, false, "only types 1 and 7 are served")]),
        };
        match self.scope(message, by_symbol) {
            Ok(scope) => {
                let request = Request::CancelAll { id: id.clone(), scope };
                self.submit(message, request, Asked::CancelAll { id, by_symbol });
                Ok(Vec::new())
            }
            Err(No::Refused(refusal)) => {
                Ok(vec![reports::mass_cancel_refused(&id, by_symbol, &refusal.text)])
            }
            Err(No::Fault(fault)) => Err(No::Fault(fault)),
        }
    }

    pub(super) fn status(&mut self, message: &Message, now: UtcTime) -> Result<Vec<Body>, No> {
        let id = cl_ord_id(message, tag::CL_ORD_ID)?;
        let asked = message.optional(tag::ORD_STATUS_REQ_ID)?;
        let found = self.venue.order(&self.client, &id).and_then(|view| self.status_body(&view));
        let body = found.unwrap_or_else(|| {
            let side = message.get(tag::SIDE).unwrap_or("1");
            reports::no_such_order(Some(&id), message.get(tag::SYMBOL), side, "there is no such order", now)
        });
        Ok(vec![body.with_some(tag::ORD_STATUS_REQ_ID, asked)])
    }

    pub(super) fn mass_status(&mut self, message: &Message, now: UtcTime) -> Result<Vec<Body>, No> {
        let asked = message.required(tag::MASS_STATUS_REQ_ID)?;
        let scope = match message.required(tag::MASS_STATUS_REQ_TYPE)? {
            "1" => self.scope(message, true),
            "7" => self.scope(message, false),
            _ => Err(No::refused(RefusalReason::NotSupported, "only types 1 and 7 are served")),
        };
        let none = |text: &str| {
            let body = reports::no_such_order(None, message.get(tag::SYMBOL), "1", text, now);
            body.with(tag::MASS_STATUS_REQ_ID, asked)
                .with(tag::TOT_NUM_REPORTS, 0)
                .with_flag(tag::LAST_RPT_REQUESTED, true)
        };
        let scope = match scope {
            Ok(scope) => scope,
            Err(No::Refused(refusal)) => return Ok(vec![none(&refusal.text)]),
            Err(No::Fault(fault)) => return Err(No::Fault(fault)),
        };
        let views = self.venue.orders(&self.client, &scope, STATUS_MAX);
        let bodies: Vec<Body> = views.iter().filter_map(|view| self.status_body(view)).collect();
        let count = bodies.len();
        if count == 0 {
            return Ok(vec![none("there is no live order")]);
        }
        let last = count.saturating_sub(1);
        let numbered = bodies.into_iter().enumerate().map(|(at, body)| {
            body.with(tag::MASS_STATUS_REQ_ID, asked)
                .with(tag::TOT_NUM_REPORTS, count)
                .with_flag(tag::LAST_RPT_REQUESTED, at == last)
        });
        Ok(numbered.collect())
    }
}

fn not_served(tag: Tag, value: &str) -> No {
    No::refused(RefusalReason::NotSupported, format!("{value} in tag {tag} is not supported"))
}

fn only_what_is_served(message: &Message) -> Result<(), No> {
    let foreign = message
        .fields()
        .map(|(tag, _)| tag)
        .find(|tag| !is_header(*tag) && !READ.contains(tag) && !WITHOUT_EFFECT.contains(&tag.number()));
    match foreign {
        None => Ok(()),
        Some(tag) => Err(No::refused(RefusalReason::NotSupported, format!("tag {tag} is not supported"))),
    }
}

pub(super) fn read_side(text: &str) -> Result<Side, No> {
    match text {
        "1" => Ok(Side::Buy),
        "2" => Ok(Side::Sell),
        "3" | "4" | "5" | "6" | "7" | "8" | "9" => Err(not_served(tag::SIDE, text)),
        _ => Err(Fault::of(RejectReason::ValueIncorrect, tag::SIDE).into()),
    }
}

fn read_kind(text: &str, message: &Message, instrument: &Instrument) -> Result<Kind, No> {
    let limit = || price(message, tag::PRICE, instrument);
    let needed =
        |found: Option<Price>, tag| found.ok_or(No::Fault(Fault::of(RejectReason::RequiredTagMissing, tag)));
    let stop = || needed(price(message, tag::STOP_PX, instrument)?, tag::STOP_PX);
    let kind = match text {
        "1" => Kind::Market { protection: limit()? },
        "2" => Kind::Limit { price: needed(limit()?, tag::PRICE)? },
        "3" => Kind::Stop { stop: stop()?, protection: limit()? },
        "4" => Kind::StopLimit { stop: stop()?, price: needed(limit()?, tag::PRICE)? },
        _ if text.len() == 1 => return Err(not_served(tag::ORD_TYPE, text)),
        _ => return Err(Fault::of(RejectReason::ValueIncorrect, tag::ORD_TYPE).into()),
    };
    if kind.stop().is_none() && message.optional(tag::STOP_PX)?.is_some() {
        return Err(No::refused(
            RefusalReason::NotSupported,
            format!("tag 99 does not go with order type {text}"),
        ));
    }
    Ok(kind)
}

/// A market order lives no longer than it takes to match, so it alone needs none. For all others the default of FIX is the day, which there is not.
fn read_lifetime(message: &Message, is_market: bool) -> Result<Lifetime, No> {
    let expiry = read_expiry(message)?;
    let lifetime = match (message.optional(tag::TIME_IN_FORCE)?, expiry) {
        (None, None) if is_market => Lifetime::ImmediateOrCancel,
        (Some("1"), None) => Lifetime::UntilCancelled,
        (Some("3"), None) => Lifetime::ImmediateOrCancel,
        (Some("4"), None) => Lifetime::FillOrKill,
        (Some("6"), Some(until)) => Lifetime::Until(until),
        (Some("6"), None) => return Err(Fault::of(RejectReason::RequiredTagMissing, tag::EXPIRE_TIME).into()),
        (Some("1" | "3" | "4"), Some(_)) => {
            return Err(No::refused(RefusalReason::NotSupported, "an expiry goes with 6 in tag 59 only"));
        }
        (None | Some("0"), _) => {
            let text = "0 in tag 59, the day and the default, is not supported: use 1, 3, 4 or 6";
            return Err(No::refused(RefusalReason::NotSupported, text));
        }
        (Some(other @ ("2" | "5" | "7")), _) => return Err(not_served(tag::TIME_IN_FORCE, other)),
        (Some(_), _) => return Err(Fault::of(RejectReason::ValueIncorrect, tag::TIME_IN_FORCE).into()),
    };
    if is_market && matches!(lifetime, Lifetime::UntilCancelled | Lifetime::Until(_)) {
        return Err(No::refused(RefusalReason::NotSupported, "a market order needs 3 or 4 in tag 59"));
    }
    Ok(lifetime)
}

fn read_expiry(message: &Message) -> Result<Option<UtcTime>, No> {
    let until = message.time(tag::EXPIRE_TIME)?;
    let Some(date) = message.optional(tag::EXPIRE_DATE)? else { return Ok(until) };
    if until.is_some() {
        return Err(No::refused(RefusalReason::Other, "tags 126 and 432 do not go together"));
    }
    let end = UtcTime::end_of_day(date);
    end.map(Some).ok_or(No::Fault(Fault::of(RejectReason::IncorrectFormat, tag::EXPIRE_DATE)))
}

fn price(message: &Message, tag: Tag, instrument: &Instrument) -> Result<Option<Price>, No> {
    let Some(text) = message.optional(tag)? else { return Ok(None) };
    let steps = instrument.tick.steps(text);
    steps.map(|steps| Some(Price::new(steps))).map_err(|off| off_grid(tag, text, off))
}

fn lots(message: &Message, tag: Tag, instrument: &Instrument) -> Result<Option<Lots>, No> {
    let Some(text) = message.optional(tag)? else { return Ok(None) };
    let steps = instrument.lot.steps(text);
    steps.map(|steps| Some(Lots::new(steps))).map_err(|off| off_grid(tag, text, off))
}

fn off_grid(tag: Tag, text: &str, off: crate::venue::OffGrid) -> No {
    if off == crate::venue::OffGrid::NotDecimal {
        return Fault::of(RejectReason::IncorrectFormat, tag).into();
    }
    No::refused(RefusalReason::Other, format!("{text} in tag {tag} {off}"))
}
