//! HTTP interface: sessions, passkeys, OpenAPI, events; serves the wallet.
//!
//! A request is read strictly into words of the bank, becomes a command through the node or a look at its state and read models, and the answer is
//! turned into the shapes of [`wire`]. The handlers and the OpenAPI file are one text: [`openapi_json`] is what `web/openapi.json` holds.
//!
//! **Invariants.** Nothing here decides about money: every rule is the bank's, also when a payment is only looked at. A request that may change
//! something comes from one of our own pages and carries an idempotency key; a repeat is answered as before. An answer leaves only
//! when what it says is durable. Cookies are unreadable for scripts, their secrets unknown to the bank. A body is at most 64 KiB.
//!
//! What it does not do: TLS and compression of answers belong to whatever stands in front; it keeps nothing that may not be lost.

mod accounts;
mod app;
mod ceremonies;
mod charts;
mod config;
mod directory;
mod enrol;
mod events;
mod extract;
mod guard;
mod health;
mod idempotency;
mod limits;
mod markets;
mod me;
mod movements;
mod parse;
mod payees;
mod payments;
mod preview;
mod problem;
mod qr;
mod random;
mod receipts;
mod refusals;
mod registration;
mod routes;
mod security;
mod session;
mod sign_in;
mod statement;
mod static_files;
mod totp;
mod track;
pub mod wire;

use std::future::{Future, IntoFuture as _};
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use node::Handle;
use projections::ReadModel;
use thiserror::Error;
use tokio::net::TcpListener;

pub use config::{BankInfo, Config};
pub use limits::{Rate, Rates};
pub use problem::Problem;
pub use routes::{openapi, openapi_json};
pub use static_files::folder;

/// Why the interface cannot be set up.
#[derive(Debug, Error)]
pub enum SetupError {
    /// An origin of the relying party is no URL.
    #[error("{0:?} is not an origin")]
    Origin(String),
    /// The relying party has no origin.
    #[error("the relying party has no origin")]
    NoOrigin,
    /// The relying party's id does not fit its origins.
    #[error("webauthn: {0}")]
    Webauthn(String),
    /// The built wallet cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which file or folder.
        path: String,
        /// The fault.
        source: std::io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// The whole interface as a router.
///
/// # Errors
/// A relying party that does not fit itself, or a wallet that cannot be read.
pub fn router(config: Config, handle: Handle, reads: ReadModel) -> Result<axum::Router, SetupError> {
    Ok(routes::router(app::App::new(config, handle, reads)?))
}

/// How long a server that is to stop waits for what is under way; live events would go on for ever.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until `shutdown` is there; then finishes what is under way, for two seconds at most.
///
/// # Errors
/// A fault of the listener.
pub async fn serve(
    listener: TcpListener,
    router: axum::Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let shutdown = async move {
        shutdown.await;
        let _ = stop.send(true);
    };
    // An answer goes out at once, whatever was sent just before it.
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a connection cannot be set to send at once");
        }
    });
    let served = axum::serve(listener, service).with_graceful_shutdown(shutdown).into_future();
    let patience = async move {
        // Without a sender the server has ended by itself.
        if stopped.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        result = served => result,
        () = patience => Ok(()),
    }
}
