//! What all requests share, and the few ways in which they reach the bank.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bank::{Bank, Command, Submission};
use identity::{Actor, Authority, SignedInBy};
use money::{CommandId, CustomerId, DeviceId, SessionId, Timestamp};
use node::{Handle, Replies, Taken};
use projections::{ProjectionError, ReadModel};
use tokio::sync::{oneshot, watch};

use crate::ceremonies::Ceremonies;
use crate::directory::Directory;
use crate::events::Streams;
use crate::idempotency::Repeats;
use crate::limits::{Attempt, Throttle};
use crate::markets::live::Hub;
use crate::registration::Registrar;
use crate::session::{Caller, Cookies};
use crate::static_files::Files;
use crate::{Config, Problem, SetupError};

/// How long a read waits for the read models to have the customer's last write.
const BEHIND_MAX: Duration = Duration::from_secs(2);
/// How often the watcher of the read models looks whether anybody is left to tell.
const WATCH_PAUSE: Duration = Duration::from_millis(250);

/// The shared state; cloning it is cheap.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// What the state holds.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) directory: Directory,
    pub(crate) ceremonies: Ceremonies,
    pub(crate) registrar: Registrar,
    pub(crate) repeats: Repeats,
    pub(crate) streams: Arc<Streams>,
    pub(crate) hub: Hub,
    pub(crate) files: Arc<Files>,
    pub(crate) cookies: Cookies,
    handle: Handle,
    reads: ReadModel,
    progress: watch::Receiver<u64>,
    throttle: Throttle,
    written: Written,
}

/// The last entries that sessions wrote: a client that does not say what it has seen reads its own writes all the same.
#[derive(Default)]
struct Written(Mutex<HashMap<SessionId, u64>>);

/// From here on entries that every reader has are forgotten, so that the map holds what is under way and little else.
const WRITTEN_MANY: usize = 4_096;

impl Written {
    fn by(&self, session: SessionId) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&session).copied()
    }

    /// Keeps what a session wrote; the read models are at `readable`.
    fn keep(&self, session: SessionId, seq: u64, readable: u64) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() >= WRITTEN_MANY {
            written.retain(|_, seq| *seq > readable);
        }
        written.insert(session, seq);
    }
}

/// The customer who asks, as the bank knows them now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who {
    pub(crate) customer: CustomerId,
    pub(crate) session: SessionId,
    pub(crate) device: DeviceId,
    pub(crate) by: SignedInBy,
    pub(crate) now: Timestamp,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    pub(crate) fn new(config: Config, handle: Handle, reads: ReadModel) -> Result<Self, SetupError> {
        let registrar = Registrar::new(handle.relying_party(), &config.issuer)?;
        let files = Arc::new(Files::load(config.static_dir.as_deref())?);
        let progress = watch_progress(reads.clone())?;
        let shared = Shared {
            directory: Directory::new(config.banks.clone()),
            ceremonies: Ceremonies::default(),
            registrar,
            repeats: Repeats::default(),
            streams: Arc::new(Streams::default()),
            hub: Hub::default(),
            files,
            cookies: Cookies::new(config.secure),
            throttle: Throttle::new(config.rates),
            written: Written::default(),
            config,
            handle,
            reads,
            progress,
        };
        Ok(Self(Arc::new(shared)))
    }

    /// Now, by the node's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn attempt(&self, attempt: Attempt<'_>) -> Result<(), Problem> {
        self.throttle.attempt(attempt)
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn reads(&self) -> &ReadModel {
        &self.reads
    }

    /// How far the read models are, to be waited on.
    pub(crate) fn progress(&self) -> watch::Receiver<u64> {
        self.progress.clone()
    }

    /// Looks at the bank's state on a thread where waiting for the disk holds nobody up.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl Fn(&Bank) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let handle = self.handle.clone();
        Ok(blocking(move || handle.read(look)).await??)
    }

    /// Looks at the bank's state for a customer whose session is good.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        caller: &Caller,
        look: impl Fn(&Bank, &Who) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (session, now) = (caller.session, self.now());
        self.look(move |bank| look(bank, &who(bank, session, now)?)).await?
    }

    /// Looks at the read models on a thread where the disk holds nobody up.
    pub(crate) async fn rows<T: Send + 'static>(
        &self,
        look: impl FnOnce(&ReadModel) -> Result<T, ProjectionError> + Send + 'static,
    ) -> Result<T, Problem> {
        let reads = self.reads.clone();
        Ok(blocking(move || look(&reads)).await??)
    }

    /// Waits until the read models have what the caller has seen or written.
    ///
    /// # Errors
    /// `projection_behind` after [`BEHIND_MAX`].
    pub(crate) async fn caught_up(&self, caller: &Caller) -> Result<(), Problem> {
        let Some(wanted) = caller.min_seq.max(self.written.by(caller.session)) else { return Ok(()) };
        self.reached(wanted).await
    }

    /// Waits until the read models have an entry.
    ///
    /// # Errors
    /// `projection_behind` after [`BEHIND_MAX`].
    pub(crate) async fn reached(&self, wanted: u64) -> Result<(), Problem> {
        // A number from before the bank was set up anew is never reached.
        let wanted = wanted.min(self.handle.status().durable.seq);
        if self.reads.status().seq >= wanted {
            return Ok(());
        }
        let mut progress = self.progress();
        let reached = tokio::time::timeout(BEHIND_MAX, progress.wait_for(|seq| *seq >= wanted)).await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Problem::projection_behind()),
        }
    }

    /// Hands a command in and waits until it is durable or refused.
    pub(crate) async fn submit(
        &self,
        id: CommandId,
        actor: Actor,
        command: Command,
    ) -> Result<Taken, Problem> {
        self.submit_looking(id, actor, command, |_, _| ()).await.map(|(taken, ())| taken)
    }

    /// Hands a command in with a short look at the state as its own turn leaves it, and waits until both are durable.
    ///
    /// A signature is checked right here: on the threads that serve connections it takes a tenth of a millisecond, and a thread
    /// of its own would cost much of that again. Nothing waits: the reply wakes the request.
    pub(crate) async fn submit_looking<T: Send + 'static>(
        &self,
        id: CommandId,
        actor: Actor,
        command: Command,
        look: impl FnOnce(&Bank, &Taken) -> T + Send + 'static,
    ) -> Result<(Taken, T), Problem> {
        let session = match &actor {
            Actor::Session(session) => Some(*session),
            Actor::System
            | Actor::Visitor
            | Actor::Rail(_)
            | Actor::Operator(_)
            | Actor::Tenant(_)
            | Actor::Cell(_) => None,
        };
        let admitted = self.handle.admit(Submission { id, actor, command })?;
        let (sender, receiver) = oneshot::channel();
        self.handle.submit_looking(vec![admitted], move |bank, results| {
            let taken = results.first().and_then(|result| result.as_ref().ok());
            let seen = taken.map(|taken| look(bank, taken));
            move |replies: Replies| {
                let _ = sender.send((replies, seen));
            }
        })?;
        let (replies, seen) =
            receiver.await.map_err(|_| Problem::unavailable("The bank was stopped; send it again."))?;
        let taken = replies.into_iter().next().ok_or_else(Problem::internal)??;
        let seen = seen.ok_or_else(Problem::internal)?;
        if let Some(session) = session {
            self.written.keep(session, taken.seq, self.reads.status().seq);
        }
        Ok((taken, seen))
    }

    /// What somebody hears whose request is refused: who is not signed in hears of that first.
    pub(crate) async fn refuse(&self, caller: &Caller, problem: Problem) -> Problem {
        match self.ask(caller, |_, _| Ok(())).await {
            Ok(()) => problem,
            Err(of_session) => of_session,
        }
    }

    /// Hands a command of a customer in.
    pub(crate) async fn submit_as(
        &self,
        caller: &Caller,
        id: CommandId,
        command: identity::Command,
    ) -> Result<Taken, Problem> {
        self.submit(id, Actor::Session(caller.session), Command::Identity(command)).await
    }
}

/// Whose session it is, if it is good.
///
/// # Errors
/// `session_expired`, or `device_blocked`: nobody is signed in.
pub(crate) fn who(bank: &Bank, session: SessionId, now: Timestamp) -> Result<Who, Problem> {
    let now = now.max(bank.recorded_at());
    match bank.identity().authorise(&Actor::Session(session), now) {
        Ok(Authority::Customer { customer, session, device, by, .. }) => {
            Ok(Who { customer, session, device, by, now })
        }
        Ok(
            Authority::System
            | Authority::Visitor
            | Authority::Rail
            | Authority::Operator
            | Authority::Tenant(_)
            | Authority::Cell(_),
        ) => Err(Problem::session_expired()),
        Err(refusal) => {
            let problem = Problem::from(bank::Refusal::from(refusal));
            Err(problem.status(axum::http::StatusCode::UNAUTHORIZED))
        }
    }
}

/// Runs work that waits or calculates away from the threads that serve connections.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a request's work ended early");
        Problem::internal()
    })
}

/// One thread waits for the read models, so that no request needs one of its own.
fn watch_progress(reads: ReadModel) -> Result<watch::Receiver<u64>, SetupError> {
    let (sender, receiver) = watch::channel(reads.status().seq);
    let follow = move || {
        while !sender.is_closed() {
            let seen = *sender.borrow();
            if !reads.wait_for(seen.saturating_add(1), WATCH_PAUSE) {
                // Stopped read models answer at once: without a pause this thread would spin.
                std::thread::sleep(Duration::from_millis(1));
            }
            let seq = reads.status().seq;
            sender.send_if_modified(|known| std::mem::replace(known, seq) != seq);
        }
    };
    std::thread::Builder::new().name("api-progress".to_owned()).spawn(follow).map_err(SetupError::Thread)?;
    Ok(receiver)
}
