//! The stream's calls over a connection that is opened when it is needed and given up when it does not answer.

use std::future::Future;
use std::io;
use std::time::Duration;

use journal::{Hash, Head, Lead, Member, Stream, StreamError, StreamRow, Taken, View};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Row;

use crate::Config;
use crate::connection::{Connection, Kind, fault};

/// Most rows of one read: some mebibytes.
const READ_ROWS: i64 = 32;

/// A stream in PostgreSQL. It has a runtime of its own, so that the thread that writes the journal can use it like a file.
pub struct PostgresStream {
    config: Config,
    runtime: Runtime,
    connection: Option<Connection>,
}

impl PostgresStream {
    /// A stream that is reached as `config` says. Nothing is connected yet.
    ///
    /// # Errors
    /// The runtime cannot be made.
    pub fn new(config: Config) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { config, runtime, connection: None })
    }

    /// Whether there still is the connection of the call before. A server that was the one to write to and does not know that it no longer is
    /// may answer the next connection, so what was seen over one does not go on over another.
    fn go_on(&self) -> Result<(), StreamError> {
        match &self.connection {
            Some(connection) if !connection.client.is_closed() => Ok(()),
            _ => Err(StreamError::Unreachable("the connection was lost; to be looked at again".to_owned())),
        }
    }

    /// Makes a call within the bound on time. After anything but an answer the connection is given up.
    fn call<T>(
        &mut self,
        kind: Kind,
        work: impl AsyncFnOnce(&Config, &Connection) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StreamError> {
        let Self { config, runtime, connection } = self;
        let opened = match connection.take() {
            Some(connection) if !connection.client.is_closed() => connection,
            _ => runtime.block_on(Connection::open(config))?,
        };
        let answer = within(runtime, config.patience, work(config, &opened));
        let result = match answer {
            Some(Ok(value)) if kind == Kind::Write && opened.take_warning() => {
                drop(value);
                Err(StreamError::InDoubt(
                    "the server warned that the commit may not be on its quorum".to_owned(),
                ))
            }
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(fault(kind, &error)),
            None if kind == Kind::Write => Err(StreamError::InDoubt("no answer in time".to_owned())),
            None => Err(StreamError::Unreachable("no answer in time".to_owned())),
        };
        if result.is_ok() {
            *connection = Some(opened);
        }
        result
    }
}

impl std::fmt::Debug for PostgresStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.config.fmt(f)
    }
}

fn within<T>(runtime: &Runtime, bound: Duration, work: impl Future<Output = T>) -> Option<T> {
    runtime.block_on(async { tokio::time::timeout(bound, work).await.ok() })
}

/// Numbers of records are below 2^63: at a million a second they last for three hundred thousand years.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row, column: usize) -> Result<u64, tokio_postgres::Error> {
    row.try_get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(0))
}

/// A hash column. One of another length, which nothing of ours writes, becomes the hash of nothing and fits no chain.
fn hash(row: &Row, column: usize) -> Result<Hash, tokio_postgres::Error> {
    let bytes: &[u8] = row.try_get(column)?;
    Ok(bytes.try_into().map(Hash::new).unwrap_or_default())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn view(row: &Row) -> Result<View, tokio_postgres::Error> {
    let epoch = unsigned(row, 0)?;
    let leader = Member { name: row.try_get(1)?, api: row.try_get(2)?, bulk: row.try_get(3)? };
    Ok(View {
        epoch,
        leader: (epoch > 0).then_some(leader),
        lease_left: Duration::from_millis(unsigned(row, 4)?),
        head: Head { seq: unsigned(row, 5)?, hash: hash(row, 6)? },
        acked: unsigned(row, 7)?,
    })
}

fn stream_row(row: &Row) -> Result<StreamRow, tokio_postgres::Error> {
    Ok(StreamRow {
        first: unsigned(row, 0)?,
        last: unsigned(row, 1)?,
        epoch: unsigned(row, 2)?,
        before: hash(row, 3)?,
        after: hash(row, 4)?,
        content: row.try_get(5)?,
    })
}

impl Stream for PostgresStream {
    fn identity(&mut self) -> Result<String, StreamError> {
        self.call(Kind::Read, async |_, connection| Ok(connection.identity.clone()))
    }

    fn look(&mut self) -> Result<View, StreamError> {
        self.call(Kind::Read, async |config, connection| {
            let row = connection.client.query_one(&connection.look, &[&config.stream]).await?;
            view(&row)
        })
    }

    fn read(&mut self, from: u64, last: u64) -> Result<Vec<StreamRow>, StreamError> {
        self.go_on()?;
        self.call(Kind::Read, async |config, connection| {
            let (first, last) = (number(from), number(last));
            let rows = connection
                .client
                .query(&connection.read, &[&config.stream, &first, &last, &READ_ROWS])
                .await?;
            let rows: Vec<StreamRow> = rows.iter().map(stream_row).collect::<Result<_, _>>()?;
            Ok(rows.into_iter().filter(|row| row.last >= from).collect())
        })
    }

    fn take_over(
        &mut self,
        seen: u64,
        member: &Member,
        lease: Duration,
    ) -> Result<Option<Taken>, StreamError> {
        self.call(Kind::Write, async |config, connection| {
            let (seen, lease) = (number(seen), millis(lease));
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
                [&config.stream, &seen, &member.name, &member.api, &member.bulk, &lease];
            let row = connection.client.query_opt(&connection.take_over, &parameters).await?;
            let taken = |row: Row| {
                let head = Head { seq: unsigned(&row, 1)?, hash: hash(&row, 2)? };
                Ok(Taken { epoch: unsigned(&row, 0)?, head })
            };
            row.map(taken).transpose()
        })
    }

    fn append(&mut self, lead: Lead, head: Head, rows: &[StreamRow]) -> Result<(), StreamError> {
        let Some(last) = rows.last().map(StreamRow::head) else { return self.renew(lead) };
        let inserted = self.call(Kind::Write, async |config, connection| {
            let firsts: Vec<i64> = rows.iter().map(|row| number(row.first)).collect();
            let lasts: Vec<i64> = rows.iter().map(|row| number(row.last)).collect();
            let befores: Vec<&[u8]> = rows.iter().map(|row| row.before.as_bytes().as_slice()).collect();
            let afters: Vec<&[u8]> = rows.iter().map(|row| row.after.as_bytes().as_slice()).collect();
            let contents: Vec<&[u8]> = rows.iter().map(|row| row.content.as_slice()).collect();
            let (epoch, before, acked) = (number(lead.epoch), number(head.seq), number(lead.acked));
            let (seq, hash, lease) = (number(last.seq), last.hash.as_bytes().as_slice(), millis(lead.lease));
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 12] = [
                &config.stream,
                &epoch,
                &before,
                &seq,
                &hash,
                &acked,
                &firsts,
                &lasts,
                &befores,
                &afters,
                &contents,
                &lease,
            ];
            connection.client.execute(&connection.append, &parameters).await
        })?;
        if inserted > 0 {
            return Ok(());
        }
        let view = self.look()?;
        if view.epoch == lead.epoch {
            // Either this very write is there already, or the server is one that was left behind. A new lead tells.
            self.connection = None;
            Err(StreamError::InDoubt(format!(
                "the stream ends at record {}, not at {}",
                view.head.seq, head.seq
            )))
        } else {
            Err(StreamError::Fenced)
        }
    }

    fn renew(&mut self, lead: Lead) -> Result<(), StreamError> {
        let renewed = self.call(Kind::Write, async |config, connection| {
            let (epoch, acked, lease) = (number(lead.epoch), number(lead.acked), millis(lead.lease));
            connection.client.execute(&connection.renew, &[&config.stream, &epoch, &acked, &lease]).await
        })?;
        if renewed > 0 { Ok(()) } else { Err(StreamError::Fenced) }
    }

    fn release(&mut self, lead: Lead) -> Result<(), StreamError> {
        self.renew(Lead { lease: Duration::ZERO, ..lead })
    }

    fn confirm(&mut self) -> Result<(), StreamError> {
        self.go_on()?;
        let done = self.call(Kind::Write, async |config, connection| {
            connection.client.execute(&connection.confirm, &[&config.stream, &config.node]).await
        });
        done.map(|_| ())
    }
}
