//! The process around the world: a listener, a clock and a postman.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::config::{ConfigError, WorldConfig};
use crate::delivery;
use crate::http;
use crate::market::{self, Live, Market};
use crate::store::{Store, StoreError};

/// How long open connections may finish at the end.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

/// How to run a sandbox.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Address to listen on; loopback, unless someone knows better. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Base address of our bank, such as `http://127.0.0.1:8080`; frames are posted to `<bank_url>/frames`.
    pub bank_url: String,
    /// Folder of the input log.
    pub data: PathBuf,
    /// The world.
    pub world: WorldConfig,
}

/// Why a sandbox cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The world cannot be opened or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on, or the listener failed.
    #[error("listening on {address}: {error}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// A part of the process ended by itself.
    #[error("a part of the sandbox failed: {0}")]
    Failed(String),
}

/// What the parts of the process share.
#[derive(Debug)]
pub(crate) struct Shared {
    store: Mutex<Store>,
    /// The world changed: new things may be planned.
    pub(crate) plans: Notify,
    /// There may be something to post.
    pub(crate) post: Notify,
    /// Turns true at the end.
    pub(crate) stop: watch::Sender<bool>,
    /// The market of prices.
    pub(crate) market: Arc<Live>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Store> {
        // A panic while the lock was held is a mistake of this crate; the store itself is written line by line.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs something on the world; afterwards clock and postman look again.
    pub(crate) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        run: impl FnOnce(&mut Store, Timestamp) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ServeError> {
        let ran = self.with_quietly(run).await;
        self.plans.notify_one();
        self.post.notify_one();
        ran
    }

    /// Runs something on the world, off the asynchronous threads, and wakes nobody. A log that cannot be written stops
    /// the process: the world would be ahead of it.
    pub(crate) async fn with_quietly<T: Send + 'static>(
        self: &Arc<Self>,
        run: impl FnOnce(&mut Store, Timestamp) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ServeError> {
        let shared = Arc::clone(self);
        let ran = tokio::task::spawn_blocking(move || run(&mut shared.lock(), Timestamp::now())).await;
        match ran {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(e)) => {
                tracing::error!(error = %e, "the input log cannot be written, stopping");
                self.stop.send_replace(true);
                Err(e.into())
            }
            Err(e) => {
                self.stop.send_replace(true);
                Err(ServeError::Failed(e.to_string()))
            }
        }
    }
}

/// A running sandbox.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: JoinHandle<std::io::Result<()>>,
    clock: JoinHandle<Result<(), ServeError>>,
    postman: JoinHandle<Result<(), ServeError>>,
    prices: JoinHandle<()>,
}

impl Handle {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks it to stop; does not wait.
    pub fn stop(&self) {
        self.shared.stop.send_replace(true);
    }

    /// Waits until it has stopped.
    ///
    /// # Errors
    /// Why it stopped, where nobody asked for it.
    pub async fn wait(self) -> Result<(), ServeError> {
        let failed = |e: tokio::task::JoinError| ServeError::Failed(e.to_string());
        let clock = self.clock.await.map_err(failed)?;
        let postman = self.postman.await.map_err(failed)?;
        self.prices.await.map_err(failed)?;
        let listened = match tokio::time::timeout(FAREWELL_MAX, self.listener).await {
            Ok(listened) => listened.map_err(failed)?,
            // Whoever still talks is cut off; what was acknowledged is on disk.
            Err(_) => Ok(()),
        };
        self.shared.lock().sync()?;
        clock?;
        postman?;
        listened.map_err(|error| ServeError::Listen { address: self.address, error })
    }
}

/// Starts a sandbox; it runs until it is told to stop. Call it within a tokio runtime.
///
/// # Errors
/// A data folder or an address that cannot be used.
pub async fn start(config: ServeConfig) -> Result<Handle, ServeError> {
    let ServeConfig { listen, bank_url, data, world } = config;
    let market = Market::new(world.market.clone()).map_err(|e| StoreError::Config(ConfigError::Market(e)))?;
    let market = Arc::new(Live::new(market));
    let opened = tokio::task::spawn_blocking(move || Store::open(&data, world)).await;
    let store = opened.map_err(|e| ServeError::Failed(e.to_string()))??;
    let in_use = |error| ServeError::Listen { address: listen, error };
    let listener = TcpListener::bind(listen).await.map_err(in_use)?;
    let address = listener.local_addr().map_err(in_use)?;
    let (plans, post, (stop, stopped)) = (Notify::new(), Notify::new(), watch::channel(false));
    let shared = Arc::new(Shared { store: Mutex::new(store), plans, post, stop, market });
    let clock = tokio::spawn(delivery::keep_time(Arc::clone(&shared), stopped.clone()));
    let postman = tokio::spawn(delivery::deliver(Arc::clone(&shared), stopped.clone(), bank_url));
    let prices = tokio::spawn(market::run(Arc::clone(&shared.market), stopped.clone()));
    let service = axum::serve(listener, http::routes(Arc::clone(&shared)));
    let service = service.with_graceful_shutdown(ended(stopped));
    let listener = tokio::spawn(async move { service.await });
    tracing::info!(%address, "the sandbox listens");
    Ok(Handle { address, shared, listener, clock, postman, prices })
}

/// Runs a sandbox until `stop` is done.
///
/// # Errors
/// See [`start`]; also a log that cannot be written any more.
pub async fn serve(config: ServeConfig, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let handle = start(config).await?;
    let mut stopped = handle.shared.stop.subscribe();
    tokio::select! {
        () = stop => handle.stop(),
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    handle.wait().await
}

async fn ended(mut stopped: watch::Receiver<bool>) {
    let _closed_is_ended_too = stopped.wait_for(|stopped| *stopped).await;
}
