//! How the interface is set up.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use node::{Clock, SystemClock};
use passkey::secret::Secret;

use crate::limits::Rates;

/// A bank that can be paid to; the directory of the rails, as far as screens show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankInfo {
    /// Clearing number.
    pub code: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
}

/// How the interface runs.
pub struct Config {
    /// The banks that can be paid to. Our own need not be among them: its names are in the bank's profile.
    pub banks: Vec<BankInfo>,
    /// The built wallet; without it only the interface is served.
    pub static_dir: Option<PathBuf>,
    /// Whether cookies are for HTTPS only and browsers are told to insist on it. Off for `http://localhost` alone.
    pub secure: bool,
    /// Whether a proxy of ours stands in front and says in `X-Forwarded-For` who asks.
    pub behind_proxy: bool,
    /// Seals the seeds of one-time codes.
    pub seal_key: Secret<[u8; 32]>,
    /// The bank's name, as authenticators show it.
    pub issuer: String,
    /// How long a session opened with a passkey lasts.
    pub passkey_session: Duration,
    /// How long a session opened with a one-time code lasts.
    pub totp_session: Duration,
    /// How long an intent can be signed and submitted; the bank takes at most 15 minutes.
    pub intent_life: Duration,
    /// How often strangers may try.
    pub rates: Rates,
    /// Where the time comes from; the node's own.
    pub clock: Arc<dyn Clock>,
}

impl Config {
    /// The usual settings; the key seals the seeds of one-time codes and must stay the same over restarts.
    #[must_use]
    pub fn new(seal_key: Secret<[u8; 32]>) -> Self {
        Self {
            banks: Vec::new(),
            static_dir: None,
            secure: true,
            behind_proxy: false,
            seal_key,
            issuer: "Jinku".to_owned(),
            passkey_session: Duration::from_secs(8 * 3600),
            totp_session: Duration::from_secs(3600),
            intent_life: Duration::from_secs(5 * 60),
            rates: Rates::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("banks", &self.banks.len())
            .field("static_dir", &self.static_dir)
            .field("secure", &self.secure)
            .finish_non_exhaustive()
    }
}
