//! A node as one of several: how it joins, who opens the bank, and what only the leader does; and `jinku cluster`, which puts several nodes
//! under load and checks what they acknowledged.

pub mod check;
pub mod load;
mod session;

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::ensure;
use bank::Submission;
use journal::Member;
use node::{Cluster, Handle, SubmitError};
use replica::PostgresStream;

use crate::config::{ClusterConfig, Installation};
use crate::worker::Worker;

/// How often it is looked whether this node leads: quick beside a lease.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Entries after which a bank was opened for certain; below it the opening's ids are still remembered, so that sending it again changes nothing.
const OPENED_BEFORE: u64 = 100_000;
/// Shortest lease: below it a busy machine loses leads that it could keep.
const LEASE_MS_MIN: u64 = 500;

/// What to do with several nodes.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Send transfers to whichever node leads, and write down what is acknowledged.
    Load(load::Arguments),
    /// Read everything that was acknowledged back from the nodes' journals.
    Check(check::Arguments),
}

/// Does it.
///
/// # Errors
/// As the task says.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.task {
        Task::Load(arguments) => load::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Check(arguments) => {
            check::run(arguments).map(|fine| if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// The shared journal as the configuration names it.
///
/// # Errors
/// A configuration that cannot be used.
pub(crate) fn join(installation: &Installation, config: &ClusterConfig) -> anyhow::Result<Cluster> {
    ensure!(
        !config.node.is_empty() && !config.stream.is_empty(),
        "cluster.node and cluster.stream need names"
    );
    ensure!(!config.postgres.is_empty(), "cluster.postgres names no server");
    ensure!(config.lease_ms >= LEASE_MS_MIN, "cluster.lease_ms is below {LEASE_MS_MIN}");
    let stream = PostgresStream::new(replica::Config {
        servers: config.postgres.clone(),
        database: config.database.clone(),
        user: config.user.clone(),
        password: installation.database_password()?,
        stream: config.stream.clone(),
        node: config.node.clone(),
        quorum: config.quorum,
        may_create: !node::has_copy(&installation.folder),
        patience: Duration::from_millis(config.patience_ms),
    })?;
    Ok(Cluster {
        stream: Box::new(stream),
        member: Member {
            name: config.node.clone(),
            api: config.api_url.clone(),
            bulk: config.bulk_address.clone(),
        },
        lease: Duration::from_millis(config.lease_ms),
    })
}

/// Opens a new bank when this node leads first. Another node may come before it.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn open_bank(handle: Handle, opening: Vec<Submission>) -> anyhow::Result<()> {
    std::thread::Builder::new().name("opening".to_owned()).spawn(move || {
        while !open(&handle, &opening) {
            std::thread::sleep(LOOK_EVERY);
        }
    })?;
    Ok(())
}

/// Answers whether there is nothing more to do.
fn open(handle: &Handle, opening: &[Submission]) -> bool {
    let status = handle.status();
    if status.halted.is_some() || status.seq > OPENED_BEFORE {
        return true;
    }
    if !status.role.decides() {
        // Another opens it, and this node goes on with it if the other does not come to the end.
        return false;
    }
    for submission in opening {
        match handle.submit(submission.clone()) {
            Ok(_) => {}
            Err(SubmitError::Refused(refusal)) => {
                tracing::error!(%refusal, "the opening of the bank is refused");
                return true;
            }
            Err(_) => return false,
        }
    }
    true
}

/// Work that goes on only while this node leads.
#[derive(Debug)]
pub(crate) struct LeadersWork {
    _worker: Worker,
}

impl LeadersWork {
    /// Watches the role. `start` begins the work, whose drop ends it.
    ///
    /// # Errors
    /// This node decides now and the work cannot be begun, or the thread cannot be started.
    pub(crate) fn begin<W: Send + 'static>(
        handle: Handle,
        start: impl Fn() -> anyhow::Result<W> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let mut work = if handle.status().role.decides() { Some(start()?) } else { None };
        let worker = Worker::start("leaders-work".to_owned(), move |stopping| {
            while !stopping.load(Ordering::Relaxed) {
                match (handle.status().role.decides(), work.is_some()) {
                    (true, false) => match start() {
                        Ok(begun) => work = Some(begun),
                        Err(error) => {
                            tracing::error!(%error, "this node leads, and cannot do a leader's work")
                        }
                    },
                    (false, true) => work = None,
                    _ => {}
                }
                std::thread::park_timeout(LOOK_EVERY);
            }
        })?;
        Ok(Self { _worker: worker })
    }
}
