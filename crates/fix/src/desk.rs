//! What the messages of orders and market data mean to a venue: one desk for each session.
//!
//! Messages become requests to the [`Venue`]; its answers, executions and books become messages. An instruction in an order that is not served is refused by
//! its tag: to pass it over would be to place another order than was meant.
//!
//! **Invariants.** Every request to the venue is answered for, once. What a repeat of a message says of an order is its state, never a second order. Books
//! are compared with what the client was last told: a slow reader misses steps, never the state. No queue grows with what the venue does.

mod feed;
mod market;
mod orders;
mod reports;

use std::collections::BTreeMap;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::codec::{Body, Message};
use crate::dictionary::{Fault, MsgType, RejectReason, tag};
use crate::session::reject;
use crate::time::UtcTime;
use crate::venue::{
    Answer, ClOrdId, Client, Instrument, NewOrder, Position, Refusal, RefusalReason, Reply, Request, Scope,
    Symbol, Venue,
};

/// Requests of one session that wait for the venue: as many as it takes into one of its groups. Beyond, nothing more is read from the client.
pub const WAITING_MAX: usize = 1_000;
/// Executions that are read at a time.
const PAGE: usize = 256;
/// Orders that one mass status request tells of.
const STATUS_MAX: usize = 1_000;

/// A request that the venue has not answered.
#[derive(Debug)]
struct Waiting {
    /// The message that brought it.
    seq: u64,
    /// The message may have come before, as it says itself.
    may_repeat: bool,
    what: Asked,
}

/// What a refusal has to say again.
#[derive(Debug)]
enum Asked {
    Place(NewOrder),
    Cancel { id: ClOrdId, order: ClOrdId },
    Replace { id: ClOrdId, order: ClOrdId },
    CancelAll { id: ClOrdId, by_symbol: bool },
}

/// Why a message is not taken.
#[derive(Debug)]
enum No {
    /// It breaks the rules of messages.
    Fault(Fault),
    /// It is sound, and what it wants is refused.
    Refused(Refusal),
}

impl From<Fault> for No {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl No {
    fn refused(reason: RefusalReason, text: impl Into<String>) -> Self {
        Self::Refused(Refusal { reason, text: text.into() })
    }
}

/// What a message leads to.
#[derive(Debug)]
pub struct Taken {
    /// Messages for the client.
    pub bodies: Vec<Body>,
    /// The venue has been asked, and its answer counts for the message.
    pub waits: bool,
}

/// What an answer of the venue leads to.
#[derive(Debug, Default)]
pub struct Answered {
    /// Messages for the client.
    pub bodies: Vec<Body>,
    /// The message that is answered for now.
    pub seq: Option<u64>,
    /// Nobody knows what became of it: the session has to end, so that the client sends it again.
    pub in_doubt: bool,
}

/// The orders and market data of one session.
pub struct Desk<V> {
    venue: Arc<V>,
    client: Client,
    instruments: BTreeMap<Symbol, Instrument>,
    waiting: BTreeMap<u64, Waiting>,
    requests: u64,
    replies: Sender<(u64, Answer)>,
    feed: feed::Feed,
}

impl<V> std::fmt::Debug for Desk<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("client", &self.client)
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}

impl<V: Venue> Desk<V> {
    /// The desk of a client. The venue's answers go to `replies`, which holds at least [`WAITING_MAX`].
    #[must_use]
    pub fn new(venue: Arc<V>, client: Client, replies: Sender<(u64, Answer)>) -> Self {
        let mut desk = Self {
            venue,
            client,
            instruments: BTreeMap::new(),
            waiting: BTreeMap::new(),
            requests: 0,
            replies,
            feed: feed::Feed::default(),
        };
        desk.read_instruments();
        desk
    }

    fn read_instruments(&mut self) {
        let instruments = self.venue.instruments().into_iter();
        self.instruments = instruments.map(|instrument| (instrument.symbol.clone(), instrument)).collect();
    }

    /// The instrument with this name; the venue is asked for new ones.
    fn instrument(&mut self, symbol: &str) -> Option<Instrument> {
        let symbol = Symbol::new(symbol);
        if !self.instruments.contains_key(&symbol) {
            self.read_instruments();
        }
        self.instruments.get(&symbol).cloned()
    }

    /// Whether no more requests should be taken for now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX
    }

    /// Takes a message.
    pub fn take(&mut self, message: &Message, now: UtcTime) -> Taken {
        let before = self.requests;
        let bodies = match self.serve(message, now) {
            Ok(bodies) => bodies,
            Err(No::Fault(fault)) => vec![reject(message, fault)],
            Err(No::Refused(refusal)) => vec![business_reject(message, 0, &refusal.text)],
        };
        Taken { bodies, waits: self.requests != before }
    }

    fn serve(&mut self, message: &Message, now: UtcTime) -> Result<Vec<Body>, No> {
        match message.msg_type() {
            Some(MsgType::NewOrderSingle) => self.new_order(message, now),
            Some(MsgType::OrderCancelRequest) => self.cancel(message),
            Some(MsgType::OrderCancelReplaceRequest) => self.replace(message),
            Some(MsgType::OrderMassCancelRequest) => self.cancel_all(message),
            Some(MsgType::OrderStatusRequest) => self.status(message, now),
            Some(MsgType::OrderMassStatusRequest) => self.mass_status(message, now),
            Some(MsgType::SecurityListRequest) => self.security_list(message),
            Some(MsgType::SecurityStatusRequest) => self.security_status(message),
            Some(MsgType::MarketDataRequest) => self.market_data(message),
            Some(MsgType::BusinessMessageReject) => Ok(Vec::new()),
            _ => Ok(vec![business_reject(message, 3, "this message type is not served")]),
        }
    }

    fn submit(&mut self, message: &Message, request: Request, what: Asked) {
        self.requests = self.requests.saturating_add(1);
        let may_repeat =
            [tag::POSS_DUP_FLAG, tag::POSS_RESEND].iter().any(|tag| message.flag(*tag) == Ok(true));
        self.waiting.insert(self.requests, Waiting { seq: message.seq(), may_repeat, what });
        let reply = Reply::new(self.requests, self.replies.clone());
        self.venue.submit(&self.client, request, reply);
    }

    /// Takes an answer of the venue.
    pub fn answered(&mut self, number: u64, answer: Answer, now: UtcTime) -> Answered {
        let Some(waiting) = self.waiting.remove(&number) else { return Answered::default() };
        let seq = Some(waiting.seq);
        let bodies = match answer {
            Answer::InDoubt => return Answered { in_doubt: true, ..Answered::default() },
            Answer::Taken { orders } => match &waiting.what {
                Asked::CancelAll { id, by_symbol } => {
                    vec![reports::mass_cancelled(id, *by_symbol, number, orders)]
                }
                // It is told with the executions.
                Asked::Place(_) | Asked::Cancel { .. } | Asked::Replace { .. } => Vec::new(),
            },
            Answer::Before if waiting.may_repeat => self.repeated(&waiting.what, number),
            Answer::Before => {
                let text = "this ClOrdID was used before".to_owned();
                self.refused(&waiting.what, &Refusal { reason: RefusalReason::DuplicateId, text }, now)
            }
            Answer::Refused(refusal) => self.refused(&waiting.what, &refusal, now),
        };
        Answered { bodies, seq, in_doubt: false }
    }

    /// A request that has come again, and says so: its client learns where the order stands.
    fn repeated(&self, what: &Asked, number: u64) -> Vec<Body> {
        let order = match what {
            Asked::Place(order) => &order.id,
            Asked::Cancel { order, .. } | Asked::Replace { order, .. } => order,
            // What it cancelled then is among the executions; it is not counted again.
            Asked::CancelAll { id, by_symbol } => {
                return vec![reports::mass_cancelled(id, *by_symbol, number, 0)];
            }
        };
        let found = self.venue.order(&self.client, order);
        found.iter().filter_map(|view| self.status_body(view)).collect()
    }

    fn refused(&self, what: &Asked, refusal: &Refusal, now: UtcTime) -> Vec<Body> {
        match what {
            Asked::Place(order) => {
                let quantity =
                    self.instruments.get(&order.symbol).map(|i| i.lot.text(order.quantity.number()));
                let refused = reports::RefusedOrder {
                    id: order.id.as_str(),
                    symbol: order.symbol.as_str(),
                    side: reports::side_text(order.side),
                    quantity: quantity.as_deref(),
                };
                vec![reports::order_refused(&refused, refusal, now)]
            }
            Asked::Cancel { id, order } => {
                vec![self.change_refused(id, order, reports::Change::Cancel, refusal)]
            }
            Asked::Replace { id, order } => {
                vec![self.change_refused(id, order, reports::Change::Replace, refusal)]
            }
            Asked::CancelAll { id, by_symbol } => {
                vec![reports::mass_cancel_refused(id, *by_symbol, &refusal.text)]
            }
        }
    }

    fn change_refused(
        &self,
        id: &ClOrdId,
        order: &ClOrdId,
        change: reports::Change,
        refusal: &Refusal,
    ) -> Body {
        let view = self.venue.order(&self.client, order);
        reports::change_refused(id, order, change, view.as_ref(), refusal)
    }

    fn status_body(&self, view: &crate::venue::OrderView) -> Option<Body> {
        let instrument = self.instruments.get(&view.symbol)?;
        Some(reports::status(view, instrument))
    }

    /// Reports of what happened after a position, one page of them, with the position they lead to; none if nothing happened.
    pub fn reports(&mut self, after: Position) -> Option<(Position, Vec<Body>)> {
        let executions = self.venue.executions(&self.client, after, PAGE);
        let last = executions.last()?.position;
        let mut bodies = Vec::with_capacity(executions.len());
        for execution in &executions {
            if let Some(instrument) = self.instrument(execution.order.symbol.as_str()) {
                bodies.push(reports::executed(execution, &instrument));
            }
        }
        Some((last, bodies))
    }

    /// Where the reports of a session begin that has none yet: with what happens from now on.
    #[must_use]
    pub fn latest(&self) -> Position {
        self.venue.latest(&self.client)
    }

    fn scope(&mut self, message: &Message, by_symbol: bool) -> Result<Scope, No> {
        let symbol = if by_symbol {
            let text = message.required(tag::SYMBOL)?;
            let known = self.instrument(text);
            let unknown =
                || No::refused(RefusalReason::UnknownSymbol, format!("there is no instrument {text}"));
            Some(known.ok_or_else(unknown)?.symbol)
        } else {
            None
        };
        let side = message.optional(tag::SIDE)?.map(orders::read_side).transpose()?;
        Ok(Scope { symbol, side })
    }
}

fn business_reject(message: &Message, reason: u64, text: &str) -> Body {
    Body::new(MsgType::BusinessMessageReject)
        .with(tag::REF_SEQ_NUM, message.seq())
        .with_some(tag::REF_MSG_TYPE, message.get(tag::MSG_TYPE))
        .with(tag::BUSINESS_REJECT_REASON, reason)
        .with(tag::TEXT, text)
}

/// The client's id of an order or request in a field.
fn cl_ord_id(message: &Message, tag: crate::dictionary::Tag) -> Result<ClOrdId, Fault> {
    ClOrdId::new(message.required(tag)?).ok_or(Fault::of(RejectReason::ValueIncorrect, tag))
}
