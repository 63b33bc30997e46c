//! The bulk interface: many rows of the ledger over one TCP connection, for migrations, other systems' books and benchmarks.
//!
//! Off unless an address is configured. A connection begins with the token (32 bytes) of the operator, or of a tenant for its own books. Then come requests, each a length (4 bytes,
//! big-endian) and so many bytes: a kind (1) and what belongs to it. Kind 1 hands in rows: an id (16), and rows in the form that
//! `ledger::Batch` documents; kinds 3 and 4 are about orders, see `orders.rs`. Kind 2 sends to other cells: an id (16), and for each transfer a length (2) and the CBOR of a [`SendRow`]. The answer is a length and the CBOR of [`Answer`], sent when every row is durable or refused.
//!
//! A request is checked as a whole before anything of it is taken. Then it is cut into batches of at most [`BATCH_BYTES`], between
//! rows that are not linked; each is a command and a record of the journal, so that one is written while the next is decided. The batches
//! have the ids from the request's own upward, and so has each transfer to another cell, which is a command of its own between them. A repeat with the same
//! id and the same rows changes nothing and has the same answer; only what was refused of the transfers to other cells is tried again.

mod client;
mod orders;
mod wire;

use std::io::{BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use ::cells::NewTransfer;
use anyhow::{Context, bail};
use bank::{Command, Event, JournalEntry, Refusal, Submission};
use identity::Actor;
use journal::{JournalError, Reader};
use ledger::{Batch, BatchOutcome};
use money::CommandId;
use node::{Handle, Replies, SubmitError};

use crate::tenants::Tokens;

pub use client::Client;
pub use orders::{OrderRefusal, OrdersAnswer};
pub use wire::{Answer, RowRefusal, SendRow, cut, cut_sends};
use wire::{HAND_IN, MARKETS, ORDERS, SEND, read_orders, read_rows, read_sends, write_frame};

/// Most rows of a request.
pub const ROWS_MAX: u32 = 8_192;
/// Longest request, in bytes: full rows with many legs and a memo fit in it.
const REQUEST_BYTES_MAX: u32 = 64 * 1024 * 1024;
/// Longest batch, in bytes: a record of the journal that a replicated engine keeps in one row, too.
pub const BATCH_BYTES: usize = 96 * 1024;
/// Most connections at once.
const CONNECTIONS_MAX: usize = 256;

/// A piece of a request; the pieces are taken in order.
#[derive(Debug)]
pub(crate) enum Part {
    /// Rows of the ledger, decided together.
    Rows(Batch),
    /// A transfer to another cell.
    Send(NewTransfer),
}

/// The way that rows take into the books, from whichever interface they come.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    pub(crate) handle: Handle,
    /// Where a repeated request finds what became of its rows.
    pub(crate) journal: PathBuf,
}

/// What connections need.
struct Served {
    intake: Intake,
    tokens: Tokens,
    open: AtomicUsize,
}

/// Listens until the process ends; each connection has a thread.
///
/// # Errors
/// The threads cannot be started.
pub fn listen(
    listener: TcpListener,
    handle: Handle,
    tokens: Tokens,
    journal: PathBuf,
) -> std::io::Result<()> {
    let served = Arc::new(Served { intake: Intake { handle, journal }, tokens, open: AtomicUsize::new(0) });
    std::thread::Builder::new().name("bulk".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let served = Arc::clone(&served);
            if served.open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS_MAX {
                served.open.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let again = Arc::clone(&served);
            let started = std::thread::Builder::new().name("bulk-connection".to_owned()).spawn(move || {
                if let Err(error) = serve(stream, &served) {
                    tracing::warn!(%error, "a bulk connection ends");
                }
                served.open.fetch_sub(1, Ordering::Relaxed);
            });
            if started.is_err() {
                again.open.fetch_sub(1, Ordering::Relaxed);
            }
        }
    })?;
    Ok(())
}

fn serve(mut stream: TcpStream, served: &Served) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 18, stream.try_clone()?);
    let mut shown = [0; 32];
    reader.read_exact(&mut shown)?;
    while let Some((kind, length)) = wire::read_head(&mut reader, REQUEST_BYTES_MAX)? {
        // Asked at each request: a tenant whose token was taken away is out, also where it is connected.
        let caller =
            served.tokens.caller(&shown).context("the token is not the operator's and no tenant's")?;
        if matches!(kind, ORDERS | MARKETS) {
            let read = read_orders(&mut reader, length)?;
            let answer = served.intake.trade(kind, read, &caller.actor("bulk"))?;
            write_frame(&mut stream, &answer)?;
            continue;
        }
        let read = match kind {
            HAND_IN => read_rows(&mut reader, length)?,
            SEND => read_sends(&mut reader, length)?,
            _ => bail!("there is no request of kind {kind}"),
        };
        let (id, parts) = match read {
            Ok(read) => read,
            Err(problem) => {
                // Nothing of it was taken, and the bytes after it are read in step.
                write_frame(&mut stream, &Answer { problem: Some(problem), ..Answer::default() })?;
                continue;
            }
        };
        let answer = served.intake.take(id, &caller.actor("bulk"), parts)?;
        write_frame(&mut stream, &answer)?;
    }
    Ok(())
}

/// A job handed to the node: its first row, how many it has, what they are, and where its result comes.
struct Waiting {
    first: u32,
    rows: u32,
    are_sends: bool,
    result: Receiver<Replies>,
}

/// What the journal says of a batch that was taken before.
enum Recorded {
    Outcome(BatchOutcome),
    AnothersId,
    /// Its entry was released from the journal.
    InArchive,
}

impl Intake {
    /// Hands in checked rows, and waits until every row is durable or refused.
    pub(crate) fn take(&self, id: CommandId, actor: &Actor, parts: Vec<Part>) -> anyhow::Result<Answer> {
        let mut waiting = Vec::with_capacity(parts.len());
        let mut first = 0_u32;
        let mut parts = (0_u128..).zip(parts).peekable();
        while let Some((serial, part)) = parts.next() {
            let admit = |serial: u128, command| {
                let id = CommandId::new(id.value().wrapping_add(serial));
                self.handle.admit(Submission { id, actor: actor.clone(), command })
            };
            let (job, rows, are_sends) = match part {
                Part::Rows(batch) => {
                    let rows = batch.len();
                    (vec![admit(serial, Command::LedgerBatch(batch))?], rows, false)
                }
                Part::Send(transfer) => {
                    let send = |transfer| Command::Cells(::cells::Command::Send(transfer));
                    let mut job = vec![admit(serial, send(transfer))?];
                    // Those that follow each other wait for the disk together.
                    while let Some((serial, part)) = parts.next_if(|(_, part)| matches!(part, Part::Send(_)))
                    {
                        if let Part::Send(transfer) = part {
                            job.push(admit(serial, send(transfer))?);
                        }
                    }
                    let rows = u32::try_from(job.len())?;
                    (job, rows, true)
                }
            };
            let (sender, result): (Sender<Replies>, _) = channel();
            let queued = self.handle.submit_batch(job, move |replies| {
                let _ = sender.send(replies);
            });
            if let Err(error) = queued {
                return self.collect(waiting, Some(error), actor);
            }
            waiting.push(Waiting { first, rows, are_sends, result });
            first = first.saturating_add(rows);
        }
        self.collect(waiting, None, actor)
    }

    /// Waits for the batches, in order, and puts their results together. `stopped` is why the rows after them were not handed in.
    fn collect(
        &self,
        waiting: Vec<Waiting>,
        stopped: Option<SubmitError>,
        actor: &Actor,
    ) -> anyhow::Result<Answer> {
        let mut answer = Answer::default();
        if let Some(error) = stopped {
            answer.stop(&error);
        }
        for Waiting { first, rows, are_sends, result } in waiting {
            let replies = result.recv().context("the node has stopped")?;
            if are_sends {
                answer.add_sends(first, replies);
                continue;
            }
            match replies.into_iter().next().context("the node gave no result")? {
                Ok(taken) => match taken.rows {
                    Some(rows) => answer.add(first, taken.seq, &rows.outcome, &rows.refusals),
                    None => match self.recorded(taken.seq, actor)? {
                        Recorded::Outcome(outcome) => answer.add(first, taken.seq, &outcome, &[]),
                        Recorded::AnothersId => {
                            answer.refuse_each(first, rows, "the id was used by another sender");
                        }
                        Recorded::InArchive => answer.stop_at_archive(taken.seq),
                    },
                },
                Err(SubmitError::Refused(Refusal::Rows(refusals))) => answer.refuse_all(first, &refusals),
                // Rows of an id that had other rows: the same for each.
                Err(SubmitError::Refused(refusal)) => answer.refuse_each(first, rows, &refusal.to_string()),
                Err(error) => answer.stop(&error),
            }
            if answer.problem.is_none() {
                answer.rows = first.saturating_add(rows);
            }
        }
        Ok(answer)
    }

    /// What became of the rows of a batch that was taken before: its entry of the journal says. Where another sender had handed it in, its results are
    /// nobody else's business.
    fn recorded(&self, seq: u64, actor: &Actor) -> anyhow::Result<Recorded> {
        let mut reader = match Reader::open(&self.journal, seq) {
            Err(JournalError::Released { .. }) => return Ok(Recorded::InArchive),
            reader => reader?,
        };
        let record = reader.next()?.context("the journal does not have the entry")?;
        let entry = JournalEntry::from_bytes(&record.bytes)?;
        if entry.actor != *actor {
            return Ok(Recorded::AnothersId);
        }
        let outcome = entry.events.into_iter().find_map(|event| match event {
            Event::LedgerBatch(outcome) => Some(outcome),
            _ => None,
        });
        outcome.context("the entry is not that of a batch").map(Recorded::Outcome)
    }
}
