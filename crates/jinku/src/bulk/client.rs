//! The client's end.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};
use exchange::row::OrderRow;
use ledger::{Batch, Command, Row};
use money::CommandId;

use super::OrdersAnswer;
use super::wire::{Answer, HAND_IN, MARKETS, ORDERS, SEND, SendRow, join_sends, read_answer};

/// Head of a request of rows: length, kind, id.
const HEAD_BYTES: usize = 21;

/// A connection to a bank's bulk interface.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects and shows the token.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(address: SocketAddr, token: &[u8; 32]) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
        Self::on(stream, token)
    }

    /// Like [`Client::connect`]; neither this nor any answer is waited for longer than `patience`.
    ///
    /// # Errors
    /// Nobody listens there, or not in time.
    pub fn connect_within(address: SocketAddr, token: &[u8; 32], patience: Duration) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, patience);
        let stream = stream.with_context(|| format!("connect to {address}"))?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Self::on(stream, token)
    }

    fn on(mut stream: TcpStream, token: &[u8; 32]) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        stream.write_all(token)?;
        let reader = BufReader::new(stream.try_clone()?);
        Ok(Self { stream, reader })
    }

    /// Hands in rows and waits until all are durable or refused. `id` and the ids after it, one for each 90 KiB or so, must not be used
    /// for anything else; the same id with the same rows is a repeat.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn send(&mut self, id: CommandId, rows: &Batch) -> anyhow::Result<Answer> {
        self.begin(id, rows)?;
        self.finish()
    }

    /// Sends to other cells and waits until all of it is durable or refused. `id` and as many ids after it as there are transfers must not be
    /// used for anything else.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn send_to_cells(&mut self, id: CommandId, sends: &[SendRow]) -> anyhow::Result<Answer> {
        self.hand_in(SEND, id, &join_sends(sends)?)?;
        self.finish()
    }

    /// Hands in orders and waits until all are durable or refused. `id` and the ids after it, one for each 24 KiB or so, must not be used for
    /// anything else.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn order(&mut self, id: CommandId, rows: &[OrderRow]) -> anyhow::Result<OrdersAnswer> {
        self.begin_orders(id, rows)?;
        self.finish_orders()
    }

    /// Hands in orders, and does not wait.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn begin_orders(&mut self, id: CommandId, rows: &[OrderRow]) -> anyhow::Result<()> {
        let mut bytes = Vec::with_capacity(rows.len().saturating_mul(40));
        rows.iter().for_each(|row| row.write(&mut bytes));
        self.hand_in(ORDERS, id, &bytes)
    }

    /// Waits for the answer to the oldest request of orders that has none yet.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn finish_orders(&mut self) -> anyhow::Result<OrdersAnswer> {
        read_answer(&mut self.reader)?.context("the connection was closed")
    }

    /// Gives one command of the markets.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn trade(&mut self, id: CommandId, command: &exchange::Command) -> anyhow::Result<OrdersAnswer> {
        let bytes = minicbor::to_vec(command).map_err(|error| anyhow::anyhow!("{error}"))?;
        self.hand_in(MARKETS, id, &bytes)?;
        self.finish_orders()
    }

    /// Hands in rows, and does not wait.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn begin(&mut self, id: CommandId, rows: &Batch) -> anyhow::Result<()> {
        self.hand_in(HAND_IN, id, rows.as_bytes())
    }

    fn hand_in(&mut self, kind: u8, id: CommandId, rows: &[u8]) -> anyhow::Result<()> {
        let length = u32::try_from(rows.len())?.saturating_add(17);
        let mut head = Vec::with_capacity(HEAD_BYTES);
        head.extend_from_slice(&length.to_be_bytes());
        head.push(kind);
        head.extend_from_slice(&id.value().to_be_bytes());
        self.stream.write_all(&head)?;
        self.stream.write_all(rows)?;
        Ok(())
    }

    /// Waits for the answer to the oldest request that has none yet.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn finish(&mut self) -> anyhow::Result<Answer> {
        read_answer(&mut self.reader)?.context("the connection was closed")
    }

    /// Hands in commands that all have to be taken, each for itself.
    ///
    /// # Errors
    /// The connection breaks, or any row is refused: the first with its words.
    pub fn send_all(
        &mut self,
        id: CommandId,
        commands: impl IntoIterator<Item = Command>,
    ) -> anyhow::Result<()> {
        let mut rows = Batch::default();
        for command in commands {
            rows.push(&Row { is_linked: false, command })?;
        }
        let answer = self.send(id, &rows)?;
        let first = answer.refused.first().map(|refused| format!("row {}: {}", refused.row, refused.words));
        ensure!(answer.problem.is_none(), "{}", answer.problem.unwrap_or_default());
        ensure!(first.is_none(), "{}", first.unwrap_or_default());
        Ok(())
    }
}
