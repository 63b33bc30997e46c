//! The gateway: sockets, threads and timers around session and desk.
//!
//! A connection has two threads. One reads and finds messages; the other owns the session, asks the venue, and writes. The second waits for four things: a
//! message, an answer of the venue, a wake, the next timer. Every queue between them is bounded.
//!
//! **Invariants.** A session has one connection at a time. Nothing of a session is touched before the venue knows the client. A client that does not read is
//! left after [`WRITE_PATIENCE`].

mod connection;

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};

use crate::venue::Venue;
use connection::Connection;

/// Connections at a time, logged on or not: two threads each.
pub const CONNECTIONS_MAX: usize = 64;
/// How long a write may stand still.
pub const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a connection that could not be taken, as when the process has no more files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a gateway is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name: the TargetCompID of clients.
    pub name: String,
    /// Folder of the sessions' stores, a file for each; it is made if it is not there.
    pub folder: PathBuf,
}

/// What all connections share.
struct Shared<V> {
    settings: Settings,
    venue: Arc<V>,
    /// Names of the sessions that are connected.
    connected: Mutex<BTreeSet<String>>,
    /// Ends with the server: nothing is ever sent.
    stop: Receiver<()>,
}

/// A session's name while it is connected.
struct Claim<'a> {
    connected: &'a Mutex<BTreeSet<String>>,
    name: String,
}

impl<V> Shared<V> {
    fn claim(&self, name: &str) -> Option<Claim<'_>> {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = connected.insert(name.to_owned());
        is_new.then(|| Claim { connected: &self.connected, name: name.to_owned() })
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// A running gateway. Dropping it logs every session out and waits for the threads.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    stop: Option<Sender<()>>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves clients that connect to `listener`. Nothing is encrypted, so it belongs on loopback, or behind what encrypts.
    ///
    /// # Errors
    /// The folder cannot be made, or no thread started.
    pub fn start<V: Venue>(listener: TcpListener, settings: Settings, venue: Arc<V>) -> io::Result<Self> {
        std::fs::create_dir_all(&settings.folder)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let stopping = Arc::new(AtomicBool::new(false));
        let shared = Shared { settings, venue, connected: Mutex::new(BTreeSet::new()), stop: stopped };
        let (shared, flag) = (Arc::new(shared), Arc::clone(&stopping));
        let acceptor = std::thread::Builder::new()
            .name("fix-acceptor".to_owned())
            .spawn(move || accept(&listener, &shared, &flag))?;
        Ok(Self { address, stopping, stop: Some(stop), acceptor: Some(acceptor) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        drop(self.stop.take());
        // The acceptor looks at the flag after its next connection: this one.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept<V: Venue>(listener: &TcpListener, shared: &Arc<Shared<V>>, stopping: &AtomicBool) {
    let numbers = AtomicU64::new(1);
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let accepted = listener.accept();
        if stopping.load(Ordering::SeqCst) {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        let stream = match accepted {
            Ok((stream, _)) if threads.len() < CONNECTIONS_MAX => stream,
            Ok(_) => {
                tracing::warn!("a connection is turned away: {CONNECTIONS_MAX} are open");
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                std::thread::sleep(ACCEPT_PAUSE);
                continue;
            }
        };
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let of_thread = Arc::clone(shared);
        let serve = move || match Connection::open(&of_thread, stream) {
            Ok(connection) => connection.serve(),
            Err(error) => tracing::warn!(%error, "a connection could not be set up"),
        };
        match std::thread::Builder::new().name(format!("fix-{number}")).spawn(serve) {
            Ok(thread) => threads.push(thread),
            Err(error) => tracing::warn!(%error, "no thread for a connection"),
        }
    }
    for thread in threads {
        let _ = thread.join();
    }
}
