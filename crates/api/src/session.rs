//! Cookies, tokens, and who a request comes from.
//!
//! The session's token is 256 random bits in a cookie that no script can read; the bank knows only the first 128 bits of its SHA-256, which is
//! the session's id. The device's cookie holds its id and a secret that the bank knows by hash.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{NewDevice, NewSession};
use money::{DeviceId, SessionId, Text, Timestamp};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::{Problem, random};

/// The longest life that browsers grant a cookie: 400 days.
const DEVICE_LIFE: Duration = Duration::from_secs(400 * 24 * 3600);
/// Longest cookie header that is read; ours are far shorter.
const COOKIES_BYTES_MAX: usize = 8 * 1024;
/// The entry that a client has seen or written: reads wait for it.
const MIN_SEQ: &str = "x-jinku-min-seq";

/// A request with a session's token; whether the session is good is asked of the bank.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) session: SessionId,
    pub(crate) min_seq: Option<u64>,
}

/// The device that a request says it comes from.
#[derive(Debug, Clone)]
pub(crate) struct KnownDevice {
    pub(crate) id: DeviceId,
    pub(crate) secret_hash: [u8; 32],
}

/// Where a request comes from: the address, and the device where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) address: IpAddr,
    pub(crate) device: Option<KnownDevice>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = cookie(&parts.headers, &app.cookies.session);
        let token =
            token.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).filter(|bytes| bytes.len() == 32);
        let session = session_id(&token.ok_or_else(Problem::session_expired)?);
        let min_seq = parts.headers.get(MIN_SEQ).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Self { session, min_seq })
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let told = app.config.behind_proxy.then(|| forwarded(&parts.headers)).flatten();
        let address = told.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let device = cookie(&parts.headers, &app.cookies.device).and_then(known_device);
        Ok(Self { address, device })
    }
}

/// The last address in the header is the one that our own proxy saw.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

fn known_device(text: &str) -> Option<KnownDevice> {
    let (id, secret) = text.split_once('.')?;
    let secret = URL_SAFE_NO_PAD.decode(secret).ok().filter(|bytes| bytes.len() == 32)?;
    Some(KnownDevice { id: id.parse().ok()?, secret_hash: Sha256::digest(secret).into() })
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.filter(|line| line.len() <= COOKIES_BYTES_MAX).flat_map(|line| line.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The value of the session's cookie, as it stands: what a repeat is told apart by.
pub(crate) fn session_cookie<'h>(headers: &'h HeaderMap, app: &App) -> Option<&'h str> {
    cookie(headers, &app.cookies.session)
}

fn session_id(token: &[u8]) -> SessionId {
    SessionId::new(first_128(&Sha256::digest(token)))
}

/// The first 128 bits of a digest.
pub(crate) fn first_128(digest: &[u8]) -> u128 {
    digest.iter().take(16).fold(0, |value, byte| (value << 8) | u128::from(*byte))
}

/// Names and attributes of our cookies.
pub(crate) struct Cookies {
    session: String,
    device: String,
    attributes: &'static str,
}

impl Cookies {
    /// The cookies of a bank behind HTTPS, or on this machine alone.
    pub(crate) fn new(secure: bool) -> Self {
        // The prefix makes a browser refuse a cookie of that name from anybody but this very host over HTTPS (RFC 6265bis).
        let (prefix, attributes) = if secure {
            ("__Host-", "Path=/; HttpOnly; SameSite=Strict; Secure")
        } else {
            ("", "Path=/; HttpOnly; SameSite=Strict")
        };
        Self {
            session: format!("{prefix}jinku_session"),
            device: format!("{prefix}jinku_device"),
            attributes,
        }
    }

    fn set(&self, name: &str, value: &str, life: Duration) -> Option<HeaderValue> {
        let text = format!("{name}={value}; Max-Age={}; {}", life.as_secs(), self.attributes);
        HeaderValue::from_str(&text).ok()
    }

    /// Ends the session's cookie.
    pub(crate) fn end_session(&self) -> Option<HeaderValue> {
        self.set(&self.session, "", Duration::ZERO)
    }
}

/// A session to be opened, and the cookie that will carry it.
pub(crate) struct Opening {
    pub(crate) session: NewSession,
    pub(crate) cookie: HeaderValue,
}

/// Makes a session's token.
pub(crate) fn open(app: &App, now: Timestamp, life: Duration) -> Result<Opening, Problem> {
    let token: [u8; 32] = random::bytes()?;
    let cookies = &app.cookies;
    let cookie = cookies.set(&cookies.session, &URL_SAFE_NO_PAD.encode(token), life);
    let ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
    let session = NewSession { id: session_id(&token), expires_at: now.plus_ms(ms) };
    Ok(Opening { session, cookie: cookie.ok_or_else(Problem::internal)? })
}

/// A device to be bound, and the cookie that will carry its secret.
pub(crate) struct Binding {
    pub(crate) device: NewDevice,
    pub(crate) cookie: HeaderValue,
}

/// Makes a device's secret.
pub(crate) fn bind(app: &App, now: Timestamp, name: Text<64>) -> Result<Binding, Problem> {
    let secret: [u8; 32] = random::bytes()?;
    let id = DeviceId::new(random::id(now)?);
    let cookies = &app.cookies;
    let value = format!("{id}.{}", URL_SAFE_NO_PAD.encode(secret));
    let cookie = cookies.set(&cookies.device, &value, DEVICE_LIFE);
    let device = NewDevice { id, name, secret_hash: Sha256::digest(secret).to_vec().into() };
    Ok(Binding { device, cookie: cookie.ok_or_else(Problem::internal)? })
}
