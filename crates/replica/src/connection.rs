//! One connection to the server that may be written to: finding it, and checking that it keeps what it confirms.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use journal::StreamError;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{AsyncMessage, Client, NoTls, Statement};

use crate::{Config, schema};

/// Longest wait for a lock on the server: the row of a stream is held by a write for milliseconds, and by one that hangs for longer than this.
const LOCK_WAIT_MS: u32 = 3_000;

/// What a call was about to do: decides what an error without an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
}

/// A connection with its statements prepared.
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The server warned: a commit may not be where it should be.
    warned: Arc<AtomicBool>,
    pub(crate) identity: String,
    pub(crate) look: Statement,
    pub(crate) read: Statement,
    pub(crate) take_over: Statement,
    pub(crate) append: Statement,
    pub(crate) renew: Statement,
    pub(crate) confirm: Statement,
}

impl Connection {
    /// Asks all servers at once and keeps the first that may be written to, is safe, and has the stream.
    pub(crate) async fn open(config: &Config) -> Result<Self, StreamError> {
        let mut asked: FuturesUnordered<_> =
            config.servers.iter().map(|server| ask(config, server)).collect();
        let mut faults = Vec::new();
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(connection) => return Ok(connection),
                Err(error) => faults.push(error),
            }
        }
        Err(weigh(faults))
    }

    /// Whether the server warned since this was last asked.
    pub(crate) fn take_warning(&self) -> bool {
        self.warned.swap(false, Ordering::AcqRel)
    }
}

/// What the answers of all servers come to. One that could be written to and is not fit is the most telling. One that is just being made may
/// refuse what its neighbours grant, so only when all refuse is it a matter of configuration.
fn weigh(faults: Vec<StreamError>) -> StreamError {
    let is_refusal = |fault: &StreamError| matches!(fault, StreamError::Refused(_));
    let telling = faults.iter().find(|fault| !fault.is_transient() && !is_refusal(fault));
    let all_refuse = faults.iter().all(is_refusal);
    match telling.or_else(|| faults.first().filter(|_| all_refuse)) {
        Some(fault) => fault.clone(),
        None => {
            let words: Vec<String> = faults.iter().map(reason).collect();
            StreamError::Unreachable(words.join("; "))
        }
    }
}

fn reason(fault: &StreamError) -> String {
    match fault {
        StreamError::Unreachable(reason) | StreamError::Refused(reason) => reason.clone(),
        other => other.to_string(),
    }
}

async fn ask(config: &Config, server: &str) -> Result<Connection, StreamError> {
    // Half of the patience: the other half is for the call that the connection is opened for.
    let bound = config.patience.checked_div(2).unwrap_or(Duration::from_secs(1));
    let opened = tokio::time::timeout(bound, open(config, server)).await;
    opened.unwrap_or_else(|_| Err(StreamError::Unreachable("no answer in time".to_owned()))).map_err(
        |error| match error {
            StreamError::Unreachable(reason) => StreamError::Unreachable(format!("{server}: {reason}")),
            StreamError::Refused(reason) => StreamError::Refused(format!("{server}: {reason}")),
            other => other,
        },
    )
}

async fn open(config: &Config, server: &str) -> Result<Connection, StreamError> {
    let (host, port) = server.rsplit_once(':').unwrap_or((server, "5432"));
    let port = port.parse().map_err(|_| StreamError::Refused(format!("{server} is not host:port")))?;
    let mut to = tokio_postgres::Config::new();
    to.host(host.trim_matches(['[', ']'])).port(port).dbname(&config.database).user(&config.user);
    to.application_name(format!("jinku {}", config.node)).connect_timeout(config.patience);
    to.tcp_user_timeout(config.patience);
    if let Some(password) = &config.password {
        to.password(password);
    }
    let (client, mut connection) = to.connect(NoTls).await.map_err(|error| fault(Kind::Read, &error))?;
    let warned = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&warned);
    tokio::spawn(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(AsyncMessage::Notice(notice)) if is_warning(&notice) => {
                    tracing::warn!(notice = notice.message(), "the shared journal's server warns");
                    flag.store(true, Ordering::Release);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
    check_settings(config, &client).await?;
    let identity = identity(config, &client).await?;
    let prepare =
        async |statement: &str| client.prepare(statement).await.map_err(|error| fault(Kind::Read, &error));
    Ok(Connection {
        look: prepare(schema::LOOK).await?,
        read: prepare(schema::READ).await?,
        take_over: prepare(schema::TAKE_OVER).await?,
        append: prepare(schema::APPEND).await?,
        renew: prepare(schema::RENEW).await?,
        confirm: prepare(schema::CONFIRM).await?,
        client,
        warned,
        identity,
    })
}

fn is_warning(notice: &DbError) -> bool {
    notice.code() == &SqlState::WARNING || notice.severity() == "WARNING"
}

/// Refuses a server that is a standby, or that would lose what it confirms.
async fn check_settings(config: &Config, client: &Client) -> Result<(), StreamError> {
    let bound = format!("SET lock_timeout = {LOCK_WAIT_MS}");
    client.batch_execute(&bound).await.map_err(|error| fault(Kind::Read, &error))?;
    let names = [
        "transaction_read_only",
        "fsync",
        "full_page_writes",
        "synchronous_commit",
        "synchronous_standby_names",
    ];
    let asked = names.map(|name| format!("current_setting('{name}')")).join(", ");
    let row =
        client.query_one(&format!("SELECT {asked}"), &[]).await.map_err(|error| fault(Kind::Read, &error))?;
    for (column, setting) in names.into_iter().enumerate() {
        let found: String = row.try_get(column).map_err(|error| fault(Kind::Read, &error))?;
        if setting == "transaction_read_only" {
            if found != "off" {
                return Err(StreamError::Unreachable("it cannot be written to".to_owned()));
            }
        } else {
            judge(config.quorum, setting, found)?;
        }
    }
    Ok(())
}

/// Whether a setting keeps what is confirmed: on this server, and with `quorum` on another too.
fn judge(quorum: bool, setting: &'static str, found: String) -> Result<(), StreamError> {
    let value = found.trim().to_ascii_lowercase();
    let wanted = match setting {
        "fsync" | "full_page_writes" => (value != "on").then_some("on"),
        // `remote_write` is not yet on the other server's disk, `local` not on it at all.
        "synchronous_commit" if quorum => {
            (!matches!(value.as_str(), "on" | "remote_apply")).then_some("on or remote_apply")
        }
        "synchronous_commit" => (value == "off").then_some("on"),
        "synchronous_standby_names" if quorum => value
            .is_empty()
            .then_some("the other servers, such as ANY 1 (pg2, pg3), or set quorum to false in bank.json"),
        _ => None,
    };
    match wanted {
        Some(wanted) => {
            let found = if found.is_empty() { "empty".to_owned() } else { found };
            Err(StreamError::Unsafe { setting, found, wanted })
        }
        None => Ok(()),
    }
}

/// The stream's identity; makes the stream where that is allowed.
async fn identity(config: &Config, client: &Client) -> Result<String, StreamError> {
    match find(config, client).await {
        Ok(Some(identity)) => return Ok(identity),
        Ok(None) => {}
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {}
        Err(error) => return Err(fault(Kind::Read, &error)),
    }
    if !config.may_create {
        let (stream, place) = (config.stream.clone(), format!("database {}", config.database));
        return Err(StreamError::Absent { stream, place });
    }
    // Another node may be doing the same; whoever comes second is told so, and finds it at the next try.
    let again = |error: &tokio_postgres::Error| match error.code() {
        Some(&SqlState::UNIQUE_VIOLATION | &SqlState::DUPLICATE_TABLE | &SqlState::DUPLICATE_SCHEMA) => {
            StreamError::Unreachable("another node is making the stream".to_owned())
        }
        _ => fault(Kind::Read, error),
    };
    client.batch_execute(schema::CREATE).await.map_err(|error| again(&error))?;
    let mut id = [0_u8; 16];
    getrandom::fill(&mut id).map_err(|error| StreamError::Refused(format!("no randomness: {error}")))?;
    let before = journal::Hash::default();
    client
        .execute(
            schema::BEGIN_STREAM,
            &[&config.stream, &id.as_slice(), &before.as_bytes().as_slice(), &schema::FORMAT],
        )
        .await
        .map_err(|error| again(&error))?;
    let found = find(config, client).await.map_err(|error| fault(Kind::Read, &error))?;
    found.ok_or_else(|| StreamError::Unreachable("the stream is not there yet".to_owned()))
}

async fn find(config: &Config, client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let row = client.query_opt(schema::IDENTITY, &[&config.stream]).await?;
    let Some(row) = row else { return Ok(None) };
    let (id, format): (&[u8], i32) = (row.try_get(0)?, row.try_get(1)?);
    // A format of a later program has an identity that no copy of this one has.
    Ok(Some(if format == schema::FORMAT {
        hex::encode(id)
    } else {
        format!("{} in format {format}", hex::encode(id))
    }))
}

/// What an error of the server or of the way to it means.
pub(crate) fn fault(kind: Kind, error: &tokio_postgres::Error) -> StreamError {
    let words = words(error);
    let Some(code) = error.code() else {
        return match kind {
            Kind::Read => StreamError::Unreachable(words),
            Kind::Write => StreamError::InDoubt(words),
        };
    };
    // Class of the SQLSTATE: 28 who we are, 3D and 3F where, 42 what we may do and how it is called, 22 what we sent.
    match code.code().get(..2) {
        Some("28" | "3D" | "3F" | "42" | "22") => StreamError::Refused(words),
        // Not the leader any more, aborted for another's sake, or gave up waiting for a lock: certainly not written.
        Some("25" | "40" | "55") => StreamError::Unreachable(words),
        _ if kind == Kind::Write => StreamError::InDoubt(words),
        _ => StreamError::Unreachable(words),
    }
}

fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{} ({})", answer.message(), answer.code().code()),
        None => {
            let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("{error}{}{cause}", if cause.is_empty() { "" } else { ": " })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(quorum: bool, setting: &'static str, value: &str, is_safe: bool) {
        assert_eq!(judge(quorum, setting, value.to_owned()).is_ok(), is_safe, "{setting} {value}");
    }

    #[test]
    fn settings_that_lose_what_was_confirmed() {
        for quorum in [false, true] {
            check(quorum, "fsync", "on", true);
            check(quorum, "fsync", "off", false);
            check(quorum, "full_page_writes", "off", false);
            check(quorum, "synchronous_commit", "off", false);
            check(quorum, "synchronous_commit", "on", true);
            check(quorum, "synchronous_commit", "remote_apply", true);
            check(quorum, "synchronous_commit", "local", !quorum);
            check(quorum, "synchronous_commit", "remote_write", !quorum);
            check(quorum, "synchronous_standby_names", "", !quorum);
            check(quorum, "synchronous_standby_names", "ANY 1 (a, b)", true);
        }
    }
}
