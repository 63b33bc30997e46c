//! Orders in bulk: what a market maker, another system or a benchmark sends, many at a time.
//!
//! A request of kind 3 is an id (16) and rows in the form that `exchange::row` documents. It is cut into batches of at most [`BATCH_BYTES`]; each is one command and one record of
//! the journal, with the ids from the request's own upward. Rows stand for themselves and are taken in order. A repeat of the whole request places nothing twice, and is told only that
//! it was taken: which ids its orders have is in the journal.
//!
//! A request of kind 4 is an id and one command of the markets in CBOR, such as taking a seat.

use std::sync::mpsc::channel;

use anyhow::Context;
use bank::{Command, Refusal, Submission};
use exchange::row::{OrderBatch, OrderRow};
use identity::Actor;
use minicbor::{Decode, Encode};
use money::CommandId;
use node::{Replies, SubmitError};

use super::Intake;
use super::wire::ORDERS;

/// Longest batch, in bytes of rows: with what follows from them the record is a few times as long.
const BATCH_BYTES: usize = 24 * 1024;
/// Most rows of a request.
const ROWS_MAX: usize = 8_192;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct OrdersAnswer {
    /// Number of the last journal entry that took rows of it; 0 when none did.
    #[n(0)]
    pub seq: u64,
    /// How many rows were looked at: those after them may be handed in again under the same id.
    #[n(1)]
    pub rows: u32,
    /// The ids of the orders that were placed, in the order of their rows.
    #[n(2)]
    pub placed: Vec<u64>,
    /// Rows that were refused, in order.
    #[n(3)]
    pub refused: Vec<OrderRefusal>,
    /// How many fills there were.
    #[n(4)]
    pub fills: u32,
    /// Why not all rows were looked at; absent when they were.
    #[n(5)]
    pub problem: Option<String>,
    /// Whether some of it was taken before: ids and refusals of those rows are in the journal alone.
    #[n(6)]
    pub is_repeat: bool,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OrderRefusal {
    /// Which, from 0.
    #[n(0)]
    pub row: u32,
    /// The number of the reason, as `exchange::Refusal` lists them.
    #[n(1)]
    pub code: u16,
    /// The reason in words.
    #[n(2)]
    pub words: String,
}

/// Cuts rows into batches.
///
/// # Errors
/// Rows that cannot be read, none, or too many.
fn cut(bytes: &[u8]) -> Result<Vec<OrderBatch>, String> {
    let mut batches = Vec::new();
    let (mut rest, mut from, mut rows) = (bytes, bytes, 0_usize);
    while !rest.is_empty() {
        let before = from.len().saturating_sub(rest.len());
        if before >= BATCH_BYTES {
            let (batch, after) = from.split_at_checked(before).ok_or("rows end too early")?;
            batches.push(OrderBatch::from_bytes(batch.to_vec()).map_err(|error| error.to_string())?);
            from = after;
        }
        OrderRow::read(&mut rest).ok_or_else(|| format!("row {rows} cannot be read"))?;
        rows = rows.saturating_add(1);
    }
    if rows == 0 || rows > ROWS_MAX {
        return Err(format!("{rows} rows are given, 1 to {ROWS_MAX} can be"));
    }
    batches.push(OrderBatch::from_bytes(from.to_vec()).map_err(|error| error.to_string())?);
    Ok(batches)
}

impl Intake {
    /// Answers a request of orders or of the markets.
    pub(super) fn trade(
        &self,
        kind: u8,
        read: Result<(CommandId, Vec<u8>), String>,
        actor: &Actor,
    ) -> anyhow::Result<OrdersAnswer> {
        let problem = |problem: String| OrdersAnswer { problem: Some(problem), ..OrdersAnswer::default() };
        // Nothing of a request that cannot be read was taken.
        let (id, bytes) = match read {
            Ok(read) => read,
            Err(wrong) => return Ok(problem(wrong)),
        };
        if kind == ORDERS {
            return match cut(&bytes) {
                Ok(batches) => self.take_orders(id, actor, batches),
                Err(wrong) => Ok(problem(wrong)),
            };
        }
        match minicbor::decode(&bytes) {
            Ok(command) => self.take_markets(id, actor, command),
            Err(wrong) => Ok(problem(format!("no command of the markets: {wrong}"))),
        }
    }

    /// Hands in orders, and waits until every row is durable or refused.
    fn take_orders(
        &self,
        id: CommandId,
        actor: &Actor,
        batches: Vec<OrderBatch>,
    ) -> anyhow::Result<OrdersAnswer> {
        let mut answer = OrdersAnswer::default();
        let mut waiting = Vec::with_capacity(batches.len());
        for (serial, batch) in (0_u128..).zip(batches) {
            let rows = batch.len();
            let id = CommandId::new(id.value().wrapping_add(serial));
            let command = Command::Exchange(exchange::Command::Orders(batch));
            let admitted = self.handle.admit(Submission { id, actor: actor.clone(), command })?;
            let (sender, result) = channel::<Replies>();
            let queued = self.handle.submit_batch(vec![admitted], move |replies| {
                let _ = sender.send(replies);
            });
            match queued {
                Ok(()) => waiting.push((rows, result)),
                Err(error) => {
                    answer.problem = Some(error.to_string());
                    break;
                }
            }
        }
        let mut first = 0_u32;
        let mut stopped = None;
        for (rows, result) in waiting {
            let reply = result.recv().context("the node has stopped")?.into_iter().next();
            match reply.context("the node gave no result")? {
                Ok(taken) => answer.add(first, taken),
                Err(SubmitError::Refused(Refusal::Orders(refusals))) => {
                    answer.refuse(first, (0_u32..).zip(refusals));
                }
                Err(error) => {
                    stopped.get_or_insert(error.to_string());
                }
            }
            first = first.saturating_add(rows);
            if stopped.is_none() {
                answer.rows = first;
            }
        }
        answer.problem = stopped.or(answer.problem);
        Ok(answer)
    }

    /// Gives one command of the markets.
    fn take_markets(
        &self,
        id: CommandId,
        actor: &Actor,
        command: exchange::Command,
    ) -> anyhow::Result<OrdersAnswer> {
        let command = Command::Exchange(command);
        let mut answer = OrdersAnswer::default();
        match self.handle.submit(Submission { id, actor: actor.clone(), command }) {
            Ok(taken) => answer.add(0, taken),
            Err(error) => answer.problem = Some(error.to_string()),
        }
        Ok(answer)
    }
}

impl OrdersAnswer {
    fn add(&mut self, first: u32, taken: node::Taken) {
        self.seq = self.seq.max(taken.seq);
        let Some(markets) = taken.markets else {
            self.is_repeat = true;
            return;
        };
        self.placed.extend(markets.outcome.placed.iter().map(|id| id.number()));
        let fills = u32::try_from(markets.outcome.fills.len()).unwrap_or(u32::MAX);
        self.fills = self.fills.saturating_add(fills);
        let rows = markets.outcome.refused.iter().map(|refused| refused.row);
        self.refuse(first, rows.zip(markets.refusals));
    }

    fn refuse(&mut self, first: u32, refusals: impl Iterator<Item = (u32, exchange::Refusal)>) {
        self.refused.extend(refusals.map(|(row, refusal)| OrderRefusal {
            row: first.saturating_add(row),
            code: refusal.code(),
            words: refusal.to_string(),
        }));
    }
}
