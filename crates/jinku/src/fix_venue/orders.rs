//! Takes clients' requests to the bank, from one thread: what is called how goes to disk once for all that have come meanwhile.
//!
//! A request of a client waits while an earlier one of the same client is under way whose outcome it needs: a cancel can only name an order that has come in.
//! New orders need nothing and go one after another.
//!
//! **Invariants.** Requests of a client are taken in order. None goes to the bank before its name is on disk. Every request is answered once, or its reply
//! dropped where nobody knows the outcome.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bank::{Admitted, Bank, Command, Submission};
use crossbeam_channel::{Receiver, Sender};
use exchange::book::{BookEvent, EndReason};
use exchange::market::{Market, Owner};
use exchange::row::{Ask, OrderBatch, OrderRow, ROWS_MAX};
use exchange::{Event, MarketNumber, OrderId, Quantity, Seat};
use fix::venue::{Answer, ClOrdId, Instrument, Refusal, RefusalReason, Reply, Request, Scope, Symbol};
use identity::Actor;
use money::CommandId;
use node::{Handle, Replies, SubmitError};

use super::kept::Shown;
use super::names::{ClientNumber, Name, NameKind};
use super::terms::{self, No};
use super::{Shared, locked};

/// How long nothing may come before the end of the gateway is looked for.
const PATIENCE: Duration = Duration::from_millis(100);
/// Requests that share one write of names.
const TOGETHER_MAX: usize = 1_024;

/// What comes to the thread.
pub(super) enum Job {
    /// A client asks for something.
    Request(ClientNumber, Request, Reply),
    /// The bank has answered.
    Answered(Vec<(Under, Result<node::Taken, SubmitError>)>),
    /// The mirror has moved on.
    Moved,
}

/// A request under way.
pub(super) struct Under {
    client: ClientNumber,
    instrument: Option<Instrument>,
    reply: Reply,
}

/// A client's requests.
#[derive(Default)]
struct Line {
    waiting: VecDeque<(Request, Reply)>,
    under_way: usize,
    /// The entry that the mirror must have before the next request that needs an outcome.
    needs: u64,
}

/// What a request comes to.
struct Prepared {
    command: CommandId,
    name: Name,
    rows: Vec<OrderRow>,
    under: Under,
}

/// The thread's own.
pub(super) struct Desk {
    shared: Arc<Shared>,
    handle: Handle,
    jobs: Receiver<Job>,
    back: Sender<Job>,
    lines: BTreeMap<ClientNumber, Line>,
}

impl Desk {
    pub(super) fn new(shared: Arc<Shared>, handle: Handle, jobs: Receiver<Job>, back: Sender<Job>) -> Self {
        Self { shared, handle, jobs, back, lines: BTreeMap::new() }
    }

    /// Works until it is told to stop.
    pub(super) fn go(mut self, stopping: &AtomicBool) {
        while !stopping.load(Ordering::Relaxed) {
            let Ok(job) = self.jobs.recv_timeout(PATIENCE) else { continue };
            self.take(job);
            for _ in 0..TOGETHER_MAX {
                let Ok(job) = self.jobs.try_recv() else { break };
                self.take(job);
            }
            self.move_on();
        }
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Request(client, request, reply) => {
                self.lines.entry(client).or_default().waiting.push_back((request, reply));
            }
            Job::Answered(answers) => {
                for (under, result) in answers {
                    let line = self.lines.entry(under.client).or_default();
                    line.under_way = line.under_way.saturating_sub(1);
                    if let Ok(taken) = &result {
                        line.needs = line.needs.max(taken.seq);
                    }
                    match answer(result, under.instrument.as_ref()) {
                        Some(answer) => under.reply.give(answer),
                        None => drop(under.reply),
                    }
                }
            }
            Job::Moved => {}
        }
    }

    /// Sends what can go now.
    fn move_on(&mut self) {
        let mut ready = Vec::new();
        let seq = self.shared.seq();
        let Self { shared, handle, lines, .. } = self;
        for (client, line) in lines.iter_mut() {
            while let Some((request, _)) = line.waiting.front() {
                let is_new = matches!(request, Request::Place(_)) && !shared.is_known(*client, request.id());
                // What is new may still be the second of two with one id.
                let is_alone = line.under_way == 0 && line.needs <= seq;
                let is_twin = ready
                    .iter()
                    .any(|other: &Prepared| other.name.client == *client && other.name.text == *request.id());
                if !is_alone && (!is_new || is_twin) {
                    break;
                }
                let Some((request, reply)) = line.waiting.pop_front() else { break };
                match prepare(shared, handle, *client, &request) {
                    Ok((command, name, rows, instrument)) => {
                        line.under_way = line.under_way.saturating_add(1);
                        let under = Under { client: *client, instrument, reply };
                        ready.push(Prepared { command, name, rows, under });
                    }
                    Err(answer) => reply.give(answer),
                }
            }
        }
        lines.retain(|_, line| !line.waiting.is_empty() || line.under_way > 0 || line.needs > seq);
        if !ready.is_empty() {
            self.submit(ready);
        }
    }

    fn submit(&self, ready: Vec<Prepared>) {
        let names = ready.iter().map(|one| (one.command, one.name.clone())).collect();
        if let Err(error) = locked(&self.shared.names).add(names) {
            tracing::error!(%error, "names of orders cannot be written");
            let none = || Err(SubmitError::NoRoom);
            self.answered(ready.into_iter().map(|one| (one.under, none())).collect());
            return;
        }
        let mut batch: Vec<Admitted> = Vec::with_capacity(ready.len());
        let mut under = Vec::with_capacity(ready.len());
        let mut refused = Vec::new();
        for one in ready {
            match self.admit(&one) {
                Some(admitted) => {
                    batch.push(admitted);
                    under.push(one.under);
                }
                None => refused.push((one.under, Err(SubmitError::Refused(bank::Refusal::NotAllowed)))),
            }
        }
        if !refused.is_empty() {
            self.answered(refused);
        }
        // The bank's closure and this thread both may have to answer: whoever has the requests does.
        let under = Arc::new(std::sync::Mutex::new(under));
        let (back, of_bank) = (self.back.clone(), Arc::clone(&under));
        let queued = self.handle.submit_batch(batch, move |replies: Replies| {
            let under = std::mem::take(&mut *locked(&of_bank));
            let _ = back.send(Job::Answered(under.into_iter().zip(replies).collect()));
        });
        if let Err(error) = queued {
            let under = std::mem::take(&mut *locked(&under));
            self.answered(under.into_iter().map(|under| (under, Err(error.clone()))).collect());
        }
    }

    fn admit(&self, one: &Prepared) -> Option<Admitted> {
        let batch = OrderBatch::of(&one.rows).ok()?;
        let command = Command::Exchange(exchange::Command::Orders(batch));
        let actor = Actor::Tenant(one.name.client.tenant());
        self.handle.admit(Submission { id: one.command, actor, command }).ok()
    }

    fn answered(&self, answers: Vec<(Under, Result<node::Taken, SubmitError>)>) {
        let _ = self.back.send(Job::Answered(answers));
    }
}

/// The answer to a request; nothing where nobody knows.
fn answer(result: Result<node::Taken, SubmitError>, instrument: Option<&Instrument>) -> Option<Answer> {
    let no = |(reason, text): No| Answer::Refused(Refusal { reason, text });
    let again = |text: &str| no((RefusalReason::Other, text.to_owned()));
    Some(match result {
        Ok(taken) if taken.is_repeat => Answer::Before,
        Ok(taken) => {
            let markets = taken.markets.unwrap_or_default();
            let orders = ended(&markets.outcome.events);
            match markets.refusals.first() {
                // Of a change it is what could not be done; orders that a mass cancel did not find had ended by themselves.
                Some(refusal) if orders == 0 => no(terms::refused(refusal, instrument)),
                _ => Answer::Taken { orders },
            }
        }
        Err(SubmitError::Refused(bank::Refusal::IdReused { .. })) => Answer::Before,
        Err(SubmitError::Refused(bank::Refusal::Orders(refusals))) => match refusals.first() {
            Some(refusal) => no(terms::refused(refusal, instrument)),
            None => again("nothing was asked for"),
        },
        Err(SubmitError::Refused(refusal)) => again(&refusal.to_string()),
        Err(SubmitError::Busy) => again("the bank is busy: nothing was done, send it again"),
        Err(SubmitError::NoRoom) => again("the bank cannot record anything now: nothing was done"),
        Err(SubmitError::NotLeader(_) | SubmitError::Halted(_)) => return None,
    })
}

fn ended(events: &[Event]) -> u64 {
    let is_cancelled =
        |event: &&BookEvent| matches!(event, BookEvent::Ended { why: EndReason::Cancelled, .. });
    let of_event = |event: &Event| match event {
        Event::Book { events, .. } => events.iter().filter(is_cancelled).count(),
        _ => 0,
    };
    events.iter().map(of_event).fold(0, |sum, count| sum.saturating_add(u64::try_from(count).unwrap_or(0)))
}

type Ready = (CommandId, Name, Vec<OrderRow>, Option<Instrument>);

/// What a request is in the bank's terms, or its answer where it goes no further.
fn prepare(
    shared: &Shared,
    handle: &Handle,
    client: ClientNumber,
    request: &Request,
) -> Result<Ready, Answer> {
    let command = locked(&shared.names).command(client, request.id());
    if locked(&shared.names).is_taken(command) {
        return Err(Answer::Before);
    }
    let no = |(reason, text): No| Answer::Refused(Refusal { reason, text });
    let ready = |kind, rows, instrument| {
        let name = Name { client, kind, text: request.id().clone() };
        (command, name, rows, instrument)
    };
    match request {
        Request::Place(order) => {
            let listed = shared.listed(handle, &order.symbol);
            let unknown =
                || (RefusalReason::UnknownSymbol, format!("there is no instrument {}", order.symbol));
            let listed = listed.ok_or_else(|| no(unknown()))?;
            // Half of the command's id: the market refuses a second open order with it.
            let number = u64::try_from(command.value() >> 64).unwrap_or(0).max(1);
            let placed = handle.peek(|bank| {
                let (market, seat) = seat(bank, listed.market, client)?;
                let (row, kind) = terms::place(order, market, bank.recorded_at(), number)?;
                Ok((OrderRow { market: listed.market, seat, ask: Ask::Place(row) }, kind))
            });
            let (row, kind) = placed.map_err(no)?;
            Ok(ready(kind, vec![row], Some(listed.instrument)))
        }
        Request::Cancel { order, .. } => {
            let shown = live(shared, client, order).map_err(no)?;
            let row = handle.peek(|bank| row(bank, client, &shown, Ask::Cancel(id(&shown)))).map_err(no)?;
            Ok(ready(NameKind::Cancel, vec![row], None))
        }
        Request::Reduce { order, quantity, .. } => {
            let shown = live(shared, client, order).map_err(no)?;
            let rows =
                handle.peek(|bank| change(bank, client, &shown, quantity.number(), None)).map_err(no)?;
            Ok(ready(NameKind::Change, rows, shared.instrument(shown.market)))
        }
        Request::Move { order, price, quantity, .. } => {
            let shown = live(shared, client, order).map_err(no)?;
            let price = exchange::Price::new(price.number());
            let rows = handle
                .peek(|bank| change(bank, client, &shown, quantity.number(), Some(price)))
                .map_err(no)?;
            Ok(ready(NameKind::Change, rows, shared.instrument(shown.market)))
        }
        Request::CancelAll { scope, .. } => {
            let all = in_scope(shared, client, scope);
            let rows = handle.peek(|bank| {
                let rows =
                    all.iter().filter_map(|shown| row(bank, client, shown, Ask::Cancel(id(shown))).ok());
                rows.take(usize::try_from(ROWS_MAX).unwrap_or(usize::MAX)).collect::<Vec<OrderRow>>()
            });
            if rows.is_empty() {
                // Nothing changes, so nothing is recorded.
                return Err(Answer::Taken { orders: 0 });
            }
            Ok(ready(NameKind::CancelAll, rows, None))
        }
    }
}

const fn id(shown: &Shown) -> OrderId {
    OrderId::from_number(shown.number)
}

/// A market and the seat that a client's tenant has there.
fn seat(bank: &Bank, number: MarketNumber, client: ClientNumber) -> Result<(&Market, Seat), No> {
    let market = bank.exchange().market(number);
    let none = || (RefusalReason::UnknownSymbol, "there is no such market any more".to_owned());
    let market = market.ok_or_else(none)?;
    let tenant = Owner::Tenant(client.tenant());
    let seat = market.seats().find(|(_, row)| row.owner == tenant).map(|(seat, _)| seat);
    let none = || (RefusalReason::Other, format!("tenant {} has no seat in this market", client.tenant()));
    Ok((market, seat.ok_or_else(none)?))
}

/// An order that a client calls so, and that has not ended.
fn live(shared: &Shared, client: ClientNumber, order: &ClOrdId) -> Result<Shown, No> {
    let mirror = locked(&shared.mirror);
    let none = || (RefusalReason::UnknownOrder, format!("there is no order {order}"));
    let kept = mirror.find(client, order).ok_or_else(none)?;
    if kept.shown.is_live() {
        Ok(kept.shown.clone())
    } else {
        Err((RefusalReason::TooLate, "the order has ended".to_owned()))
    }
}

/// A client's live orders that a mass request means.
pub(super) fn in_scope(shared: &Shared, client: ClientNumber, scope: &Scope) -> Vec<Shown> {
    let symbol = |market| shared.instrument(market).map(|of: Instrument| of.symbol);
    let is_meant = |shown: &Shown| {
        let is_side = scope.side.is_none_or(|side| shown.is_bid == (side == fix::venue::Side::Buy));
        let is_symbol =
            |wanted: &Symbol| symbol(shown.market).is_some_and(|symbol: Symbol| symbol == *wanted);
        is_side && scope.symbol.as_ref().is_none_or(is_symbol)
    };
    let mirror = locked(&shared.mirror);
    let live: Vec<Shown> = mirror.live(client).into_iter().map(|kept| kept.shown.clone()).collect();
    drop(mirror);
    live.into_iter().filter(is_meant).collect()
}

/// A row about an order, with the seat that placed it.
fn row(bank: &Bank, client: ClientNumber, shown: &Shown, ask: Ask) -> Result<OrderRow, No> {
    let number = MarketNumber::new(shown.market);
    let market = bank.exchange().market(number);
    // The order may have ended after the mirror was looked at.
    let seat = market.and_then(|market| market.claim(id(shown))).map(|claim| claim.seat);
    let of_client = seat.filter(|seat| {
        let owner = market.and_then(|market| market.seat(*seat)).map(|row| row.owner);
        owner == Some(Owner::Tenant(client.tenant()))
    });
    let over = || (RefusalReason::TooLate, "the order has ended".to_owned());
    Ok(OrderRow { market: number, seat: of_client.ok_or_else(over)?, ask })
}

/// The rows that give an order another whole quantity, and another price where one is given. It becomes smaller first, so that it never fills beyond what the
/// client wants of it.
fn change(
    bank: &Bank,
    client: ClientNumber,
    shown: &Shown,
    quantity: u64,
    price: Option<exchange::Price>,
) -> Result<Vec<OrderRow>, No> {
    let first = row(bank, client, shown, Ask::Cancel(id(shown)))?;
    let claim = bank.exchange().market(first.market).and_then(|market| market.claim(id(shown)));
    let (filled, left) = claim.map_or((0, 0), |claim| (claim.filled.lots(), claim.left.lots()));
    // Fills between now and the change move lots from one to the other, the sum stays.
    let whole = filled.saturating_add(left);
    if quantity > whole {
        let text = "a quantity cannot be raised: place another order".to_owned();
        return Err((RefusalReason::NotSupported, text));
    }
    if quantity < filled {
        return Err((RefusalReason::TooLate, "more than that is filled".to_owned()));
    }
    let by = whole.saturating_sub(quantity);
    let mut rows = Vec::new();
    if by > 0 {
        rows.push(OrderRow { ask: Ask::Reduce(id(shown), Quantity::new(by)), ..first });
    }
    if let Some(price) = price.filter(|price| quantity > filled && shown.price != Some(price.ticks())) {
        rows.push(OrderRow { ask: Ask::Move(id(shown), price), ..first });
    }
    if rows.is_empty() {
        return Err((RefusalReason::Other, "neither price nor quantity would change".to_owned()));
    }
    Ok(rows)
}
