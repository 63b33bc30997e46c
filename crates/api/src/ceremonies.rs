//! Passkey ceremonies under way: what was asked, until the answer comes.
//!
//! They live in memory only: after a restart a customer begins again, and nothing was promised. Each is used once, ends after five
//! minutes, and the oldest makes room when there are too many.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use identity::{Locale, Name, Phone};
use money::{CustomerId, SessionId, Timestamp};
use webauthn_rs::prelude::PasskeyRegistration;

use crate::{Problem, random};

/// How long a ceremony may take, as browsers are told.
const LIFE_MS: u64 = 5 * 60 * 1000;
/// Most ceremonies under way: about ten megabytes.
const OPEN_MAX: usize = 10_000;

/// Somebody who wants to become a customer.
pub(crate) struct Enrolling {
    pub(crate) customer: CustomerId,
    pub(crate) name: Name,
    pub(crate) phone: Phone,
    pub(crate) locale: Locale,
    pub(crate) registration: PasskeyRegistration,
}

/// What was asked.
pub(crate) enum Ceremony {
    /// The first passkey of a new customer.
    Enrol(Box<Enrolling>),
    /// Any passkey, to sign in.
    SignIn { challenge: [u8; 32] },
    /// One more passkey for the session's customer.
    AddPasskey { session: SessionId, registration: Box<PasskeyRegistration> },
    /// A passkey, to unlock.
    Unlock { session: SessionId, challenge: [u8; 32] },
}

/// All that are under way.
#[derive(Default)]
pub(crate) struct Ceremonies(Mutex<Open>);

#[derive(Default)]
struct Open {
    by_name: HashMap<String, (Timestamp, Ceremony)>,
    order: VecDeque<String>,
}

impl Ceremonies {
    /// Begins a ceremony and answers with its name.
    pub(crate) fn begin(&self, ceremony: Ceremony, now: Timestamp) -> Result<String, Problem> {
        let name = random::name()?;
        self.put(name.clone(), ceremony, now);
        Ok(name)
    }

    /// Begins the unlocking of a session; a new one replaces it.
    pub(crate) fn begin_unlock(&self, session: SessionId, challenge: [u8; 32], now: Timestamp) {
        self.put(unlocking(session), Ceremony::Unlock { session, challenge }, now);
    }

    /// Takes a ceremony out: its answer has come, good or not.
    pub(crate) fn take(&self, name: &str, now: Timestamp) -> Result<Ceremony, Problem> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match open.by_name.remove(name) {
            Some((ends, ceremony)) if ends > now => Ok(ceremony),
            Some(_) | None => Err(unknown()),
        }
    }

    /// Takes the unlocking of a session out.
    pub(crate) fn take_unlock(&self, session: SessionId, now: Timestamp) -> Result<[u8; 32], Problem> {
        match self.take(&unlocking(session), now)? {
            Ceremony::Unlock { session: of, challenge } if of == session => Ok(challenge),
            _ => Err(unknown()),
        }
    }

    fn put(&self, name: String, ceremony: Ceremony, now: Timestamp) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { by_name, order } = &mut *open;
        // All live equally long, so the oldest ends first. One that was taken out leaves its name in the order for a while.
        while let Some(oldest) = order.front() {
            let is_over = by_name.get(oldest).is_none_or(|(ends, _)| *ends <= now);
            if !is_over && order.len() < OPEN_MAX {
                break;
            }
            by_name.remove(oldest);
            order.pop_front();
        }
        by_name.insert(name.clone(), (now.plus_ms(LIFE_MS), ceremony));
        order.push_back(name);
    }
}

fn unlocking(session: SessionId) -> String {
    format!("unlock {session}")
}

/// No such ceremony is under way.
pub(crate) fn unknown() -> Problem {
    Problem::missing("ceremony_unknown", "This took too long, or was answered before; begin again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_000_000);

    fn sign_in() -> Ceremony {
        Ceremony::SignIn { challenge: [7; 32] }
    }

    #[test]
    fn a_ceremony_is_used_once_and_in_time() {
        let ceremonies = Ceremonies::default();
        let begin = || ceremonies.begin(sign_in(), START).unwrap_or_default();
        let taken = |name: &str, at| ceremonies.take(name, at).is_ok();
        let (first, second) = (begin(), begin());
        assert_eq!([taken(&first, START), taken(&first, START)], [true, false]);
        assert!(!taken(&second, START.plus_ms(LIFE_MS)));
    }

    #[test]
    fn the_oldest_makes_room() {
        let ceremonies = Ceremonies::default();
        let first = ceremonies.begin(sign_in(), START);
        for _ in 0..OPEN_MAX {
            assert!(ceremonies.begin(sign_in(), START).is_ok());
        }
        assert!(first.is_ok_and(|name| ceremonies.take(&name, START).is_err()));
        assert!(ceremonies.0.lock().is_ok_and(|open| open.by_name.len() <= OPEN_MAX));
    }
}
