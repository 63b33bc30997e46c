//! How often strangers may try: enrolment, signing in, one-time codes, previews.
//!
//! Each purpose has a rate, counted by the generic cell rate algorithm: one number per key, no timers. Keys are hashed, so the map holds
//! no telephone numbers or addresses; it is bounded, and the entry nearest to being forgotten makes room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::Problem;

/// Most keys that are counted at once: a few megabytes, and more than one address range can fill usefully.
const KEYS_MAX: usize = 65_536;

/// So many attempts at once, and as many again over `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// Time after which all of them are free again.
    pub per: Duration,
}

impl Rate {
    /// `burst` attempts in `seconds`.
    #[must_use]
    pub const fn new(burst: u32, seconds: u64) -> Self {
        Self { burst, per: Duration::from_secs(seconds) }
    }
}

/// The rates of every purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Enrolments begun from one address.
    pub enrol_address: Rate,
    /// Enrolments begun for one telephone number.
    pub enrol_phone: Rate,
    /// Signing in from one address, by passkey or code.
    pub sign_in_address: Rate,
    /// One-time codes tried on one device or by one customer.
    pub totp: Rate,
    /// Payments looked at by one customer: each tells whether a name fits an account.
    pub preview: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            enrol_address: Rate::new(20, 600),
            enrol_phone: Rate::new(6, 600),
            sign_in_address: Rate::new(60, 600),
            totp: Rate::new(5, 600),
            preview: Rate::new(120, 60),
        }
    }
}

impl Rates {
    /// For a demo or a measurement, where one address plays many customers. One-time codes stay as narrow as ever.
    #[must_use]
    pub fn generous() -> Self {
        let wide = Rate::new(1_000_000, 60);
        Self {
            enrol_address: wide,
            enrol_phone: wide,
            sign_in_address: wide,
            preview: wide,
            totp: Self::default().totp,
        }
    }
}

/// What is attempted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Attempt<'a> {
    EnrolAddress(IpAddr),
    EnrolPhone(&'a str),
    SignInAddress(IpAddr),
    Totp(u128),
    Preview(u128),
}

impl Attempt<'_> {
    fn rate(self, rates: &Rates) -> Rate {
        match self {
            Self::EnrolAddress(_) => rates.enrol_address,
            Self::EnrolPhone(_) => rates.enrol_phone,
            Self::SignInAddress(_) => rates.sign_in_address,
            Self::Totp(_) => rates.totp,
            Self::Preview(_) => rates.preview,
        }
    }

    fn key(self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let (tag, subject): (u8, Vec<u8>) = match self {
            Self::EnrolAddress(address) => (0, network(address)),
            Self::EnrolPhone(phone) => (1, phone.as_bytes().to_vec()),
            Self::SignInAddress(address) => (2, network(address)),
            Self::Totp(subject) => (3, subject.to_be_bytes().to_vec()),
            Self::Preview(subject) => (4, subject.to_be_bytes().to_vec()),
        };
        hasher.update([tag]);
        hasher.update(subject);
        hasher.finalize().into()
    }
}

/// One subscriber has a whole /64 of IPv6 addresses, so that is what is counted.
fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().into_iter().take(8).collect(),
    }
}

/// Counts attempts.
#[derive(Debug)]
pub(crate) struct Throttle {
    rates: Rates,
    start: Instant,
    /// When a key's attempts are all free again, in milliseconds after `start`.
    free_at: Mutex<HashMap<[u8; 32], u64>>,
}

impl Throttle {
    pub(crate) fn new(rates: Rates) -> Self {
        Self { rates, start: Instant::now(), free_at: Mutex::new(HashMap::new()) }
    }

    /// Counts one attempt.
    ///
    /// # Errors
    /// `rate_limited`, with how long to wait.
    pub(crate) fn attempt(&self, attempt: Attempt<'_>) -> Result<(), Problem> {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.attempt_at(attempt, now)
    }

    fn attempt_at(&self, attempt: Attempt<'_>, now: u64) -> Result<(), Problem> {
        let rate = attempt.rate(&self.rates);
        let window = u64::try_from(rate.per.as_millis()).unwrap_or(u64::MAX);
        let each = window.checked_div(u64::from(rate.burst)).unwrap_or(window).max(1);
        let key = attempt.key();
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = free_at.get(&key).copied().unwrap_or(now).max(now).saturating_add(each);
        let wait = next.saturating_sub(now).saturating_sub(window);
        if wait > 0 {
            return Err(Problem::rate_limited(wait.div_ceil(1000)));
        }
        if free_at.len() >= KEYS_MAX {
            make_room(&mut free_at, now);
        }
        free_at.insert(key, next);
        Ok(())
    }
}

fn make_room(free_at: &mut HashMap<[u8; 32], u64>, now: u64) {
    free_at.retain(|_, at| *at > now);
    if free_at.len() >= KEYS_MAX
        && let Some(soonest) = free_at.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key)
    {
        free_at.remove(&soonest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_waits() {
        let rates = Rates { totp: Rate::new(3, 30), ..Rates::default() };
        let throttle = Throttle::new(rates);
        let tries = |at: u64| throttle.attempt_at(Attempt::Totp(7), at).is_ok();
        assert_eq!([tries(0), tries(0), tries(0), tries(0)], [true, true, true, false]);
        assert!(throttle.attempt_at(Attempt::Totp(8), 0).is_ok(), "others are not held up");
        assert_eq!([tries(9_999), tries(10_000), tries(10_000)], [false, true, false]);
    }

    #[test]
    fn the_map_is_bounded() {
        let throttle = Throttle::new(Rates::default());
        for subject in 0..(u128::try_from(KEYS_MAX).unwrap_or(0) + 10) {
            assert!(throttle.attempt_at(Attempt::Totp(subject), 0).is_ok());
        }
        assert!(throttle.free_at.lock().is_ok_and(|map| map.len() <= KEYS_MAX));
    }
}
