//! The checks of identity.

use money::{CustomerId, DeviceId, PayeeId, SessionId, Timestamp};
use thiserror::Error;

use crate::{
    Assertion, Authority, Command, Credential, Customer, CustomerStatus, Device, DeviceStatus, Event,
    Identity, NewCredential, NewSession, Proof, SessionDevice, SignedInBy,
};

/// Most devices a customer has bound and not blocked: phones, tablets and computers of one person.
const DEVICES_MAX: usize = 16;
/// Most passkeys of a customer.
const CREDENTIALS_MAX: usize = 16;
/// Most sessions of a customer at once; the oldest ends when one more opens.
const SESSIONS_MAX: usize = 8;
/// Most saved payees of a customer.
const PAYEES_MAX: usize = 500;

/// A domain "no" of identity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The name is empty.
    #[error("name is empty")]
    NameEmpty,
    /// The telephone number belongs to a customer.
    #[error("the telephone number is registered")]
    PhoneTaken,
    /// An id made by the shell is taken: a repeat of an enrolment.
    #[error("customer, device or session exists")]
    IdTaken,
    /// The passkey is registered.
    #[error("the passkey is registered")]
    CredentialTaken,
    /// The session is unknown, closed or over.
    #[error("the session is over")]
    SessionExpired,
    /// The device is blocked.
    #[error("the device is blocked")]
    DeviceBlocked,
    /// No such device of this customer.
    #[error("the device is unknown")]
    DeviceUnknown,
    /// Blocking the device that asks would lock its owner out; locking everything is meant for that.
    #[error("a device cannot block itself")]
    OwnDevice,
    /// No such passkey of this customer, or another key than registered.
    #[error("the passkey is unknown")]
    CredentialUnknown,
    /// The authenticator's counter went back: a copy of it may exist.
    #[error("the passkey's counter {given} is not above {seen}")]
    CredentialCloned {
        /// Counter given.
        given: u32,
        /// Highest seen.
        seen: u32,
    },
    /// A customer keeps at least one passkey that can sign: one on a device that is not blocked.
    #[error("the last passkey cannot be removed")]
    LastCredential,
    /// One-time codes are not set up.
    #[error("one-time codes are not set up")]
    TotpUnknown,
    /// One-time codes are in use.
    #[error("one-time codes are in use")]
    TotpInUse,
    /// The code's time step was used.
    #[error("the code was used")]
    TotpReplayed,
    /// Only a session opened with a passkey may do this.
    #[error("a session opened with a passkey is needed")]
    PasskeyNeeded,
    /// The customer is locked.
    #[error("the customer is locked")]
    CustomerLocked,
    /// No such customer.
    #[error("the customer is unknown")]
    CustomerUnknown,
    /// No such payee.
    #[error("the payee is unknown")]
    PayeeUnknown,
    /// The payee is saved.
    #[error("payee {id} is saved")]
    PayeeKnown {
        /// The id.
        id: PayeeId,
    },
    /// One more than a bound allows.
    #[error("at most {max} {what} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        max: usize,
    },
    /// Only customers may do this.
    #[error("only a customer may do this")]
    NotACustomer,
    /// Only staff may do this.
    #[error("only an operator may do this")]
    NotAnOperator,
    /// Only somebody who is not signed in does this.
    #[error("only a visitor may do this")]
    NotAVisitor,
}

impl Identity {
    /// Answers a command with events, or a refusal.
    ///
    /// # Errors
    /// A [`Refusal`]: authority before existence before bounds.
    pub fn decide(
        &self,
        command: &Command,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Enrol { .. } => self.decide_enrol(command, authority),
            Command::OpenSession { session, device, proof } => {
                self.decide_open_session(session, device, proof, authority, now)
            }
            Command::SetGrade { customer, grade } => {
                authority.operator()?;
                self.known(*customer)?;
                Ok(vec![Event::Graded { customer: *customer, grade: *grade }])
            }
            Command::SetLimits(row) => {
                authority.operator()?;
                Ok(vec![Event::LimitsSet(row.clone())])
            }
            Command::AddPayee(payee) => self.decide_add_payee(payee, authority),
            Command::RemovePayee(id) => {
                let customer = authority.customer()?;
                let known = self.known(customer)?.payees.contains_key(id);
                let event = Event::PayeeRemoved { customer, payee: *id };
                if known { Ok(vec![event]) } else { Err(Refusal::PayeeUnknown) }
            }
            Command::SetLocale(locale) => {
                Ok(vec![Event::LocaleSet { customer: authority.customer()?, locale: *locale }])
            }
            Command::CloseSession
            | Command::BlockDevice(_)
            | Command::AddCredential(_)
            | Command::RemoveCredential(_)
            | Command::BeginTotp { .. }
            | Command::ConfirmTotp { .. }
            | Command::RemoveTotp
            | Command::Lock
            | Command::Unlock { .. } => self.decide_security(command, authority),
        }
    }

    fn decide_enrol(&self, command: &Command, authority: &Authority) -> Result<Vec<Event>, Refusal> {
        let Command::Enrol { customer, name, phone, locale, device, credential, session } = command else {
            return Ok(Vec::new());
        };
        if *authority != Authority::Visitor {
            return Err(Refusal::NotAVisitor);
        }
        if name.is_empty() {
            return Err(Refusal::NameEmpty);
        }
        if self.phones.contains_key(phone) {
            return Err(Refusal::PhoneTaken);
        }
        let taken = self.customers.contains(customer)
            || self.devices.contains(&device.id)
            || self.sessions.contains(&session.id);
        if taken {
            return Err(Refusal::IdTaken);
        }
        if self.credentials.contains(&credential.id) {
            return Err(Refusal::CredentialTaken);
        }
        let customer = *customer;
        Ok(vec![
            Event::Enrolled { customer, name: name.clone(), phone: phone.clone(), locale: *locale },
            Event::DeviceBound { customer, device: device.clone() },
            Event::CredentialAdded { customer, device: device.id, credential: credential.clone() },
            Event::SessionOpened {
                customer,
                device: device.id,
                session: session.clone(),
                by: SignedInBy::Passkey,
            },
        ])
    }

    fn decide_open_session(
        &self,
        session: &NewSession,
        on: &SessionDevice,
        proof: &Proof,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        if *authority != Authority::Visitor {
            return Err(Refusal::NotAVisitor);
        }
        if self.sessions.contains(&session.id) {
            return Err(Refusal::IdTaken);
        }
        if session.expires_at <= now {
            return Err(Refusal::SessionExpired);
        }
        let (customer, by, mut events) = match proof {
            Proof::Passkey { assertion, .. } => {
                let (credential, used) = self.check_assertion(assertion, None)?;
                (credential.customer, SignedInBy::Passkey, vec![used])
            }
            Proof::Totp { device, step } => {
                let customer = self.active_device(*device, None)?.customer;
                (customer, SignedInBy::Totp, vec![self.check_totp(customer, *step)?])
            }
        };
        let device = match (on, proof) {
            (SessionDevice::Known(id), Proof::Passkey { .. }) => {
                self.active_device(*id, Some(customer))?;
                *id
            }
            // A code is a second factor beside the device it is bound to, never a way onto a new one.
            (SessionDevice::Known(id), Proof::Totp { device, .. }) if id == device => *id,
            (SessionDevice::Known(_) | SessionDevice::New(_), Proof::Totp { .. }) => {
                return Err(Refusal::DeviceUnknown);
            }
            (SessionDevice::New(new), Proof::Passkey { .. }) => {
                self.check_new_device(new.id, customer)?;
                events.push(Event::DeviceBound { customer, device: new.clone() });
                new.id
            }
        };
        let open: Vec<SessionId> = self.sessions_of(customer).map(|(id, _)| id).collect();
        let surplus = open.len().saturating_add(1).saturating_sub(SESSIONS_MAX);
        events.extend(open.into_iter().take(surplus).map(|session| Event::SessionClosed { session }));
        events.push(Event::SessionOpened { customer, device, session: session.clone(), by });
        Ok(events)
    }

    fn decide_add_payee(
        &self,
        payee: &crate::NewPayee,
        authority: &Authority,
    ) -> Result<Vec<Event>, Refusal> {
        let customer = authority.customer()?;
        let known = self.known(customer)?;
        if payee.name.is_empty() {
            return Err(Refusal::NameEmpty);
        }
        if known.payees.contains_key(&payee.id) {
            return Err(Refusal::PayeeKnown { id: payee.id });
        }
        let same = |other: &crate::Payee| {
            other.details.account_number == payee.account_number
                && other.details.bank_number == payee.bank_number
        };
        if let Some((id, _)) = known.payees.iter().find(|(_, other)| same(other)) {
            return Err(Refusal::PayeeKnown { id: *id });
        }
        if known.payees.len() >= PAYEES_MAX {
            return Err(Refusal::TooMany { what: "payees", max: PAYEES_MAX });
        }
        Ok(vec![Event::PayeeAdded { customer, payee: payee.clone() }])
    }

    /// Commands that change how a customer is recognised.
    fn decide_security(&self, command: &Command, authority: &Authority) -> Result<Vec<Event>, Refusal> {
        let Authority::Customer { customer, session, device, by, .. } = *authority else {
            return Err(Refusal::NotACustomer);
        };
        let known = self.known(customer)?;
        let passkey_only = !matches!(command, Command::CloseSession | Command::Lock);
        if passkey_only && by != SignedInBy::Passkey {
            return Err(Refusal::PasskeyNeeded);
        }
        match command {
            Command::CloseSession => Ok(vec![Event::SessionClosed { session }]),
            Command::BlockDevice(other) if *other == device => Err(Refusal::OwnDevice),
            Command::BlockDevice(other) => {
                self.active_device(*other, Some(customer))?;
                if !self.has_passkey_left(customer, |_, credential| credential.device == *other) {
                    return Err(Refusal::LastCredential);
                }
                Ok(self.block(customer, *other))
            }
            Command::AddCredential(credential) => self.decide_add_credential(customer, device, credential),
            Command::RemoveCredential(id) => {
                self.own_credential(id, customer)?;
                let is_left = self.has_passkey_left(customer, |other, _| other == id);
                let event = Event::CredentialRemoved { credential: id.clone() };
                if is_left { Ok(vec![event]) } else { Err(Refusal::LastCredential) }
            }
            Command::BeginTotp { sealed } => match &known.totp {
                Some(totp) if totp.confirmed => Err(Refusal::TotpInUse),
                Some(_) | None => Ok(vec![Event::TotpBegun { customer, sealed: sealed.clone() }]),
            },
            Command::ConfirmTotp { step } => match &known.totp {
                None => Err(Refusal::TotpUnknown),
                Some(totp) if totp.confirmed => Err(Refusal::TotpInUse),
                Some(_) => Ok(vec![Event::TotpUsed { customer, step: *step }]),
            },
            Command::RemoveTotp => match &known.totp {
                None => Err(Refusal::TotpUnknown),
                Some(_) => Ok(vec![Event::TotpRemoved { customer }]),
            },
            Command::Lock => Ok(self.lock(customer, device)),
            Command::Unlock { assertion, .. } => {
                let (_, used) = self.check_assertion(assertion, Some(customer))?;
                Ok(vec![used, Event::Unlocked { customer }])
            }
            Command::Enrol { .. }
            | Command::OpenSession { .. }
            | Command::SetGrade { .. }
            | Command::SetLimits(_)
            | Command::AddPayee(_)
            | Command::RemovePayee(_)
            | Command::SetLocale(_) => Ok(Vec::new()),
        }
    }

    fn decide_add_credential(
        &self,
        customer: CustomerId,
        device: DeviceId,
        credential: &NewCredential,
    ) -> Result<Vec<Event>, Refusal> {
        if self.credentials.contains(&credential.id) {
            return Err(Refusal::CredentialTaken);
        }
        if self.credentials_of(customer).count() >= CREDENTIALS_MAX {
            return Err(Refusal::TooMany { what: "passkeys", max: CREDENTIALS_MAX });
        }
        Ok(vec![Event::CredentialAdded { customer, device, credential: credential.clone() }])
    }

    /// Checks that an assertion's key is a registered one (of `customer`, when given), on a device in use, and not a copy.
    ///
    /// # Errors
    /// Unknown passkey, blocked device, counter that went back.
    pub fn check_assertion(
        &self,
        assertion: &Assertion,
        customer: Option<CustomerId>,
    ) -> Result<(&Credential, Event), Refusal> {
        let credential = self.credentials.get(&assertion.credential).ok_or(Refusal::CredentialUnknown)?;
        let own = customer.is_none_or(|customer| credential.customer == customer);
        if !own || credential.public_key != assertion.public_key {
            return Err(Refusal::CredentialUnknown);
        }
        self.active_device(credential.device, None)?;
        let counts = credential.sign_count != 0 || assertion.sign_count != 0;
        if counts && assertion.sign_count <= credential.sign_count {
            return Err(Refusal::CredentialCloned {
                given: assertion.sign_count,
                seen: credential.sign_count,
            });
        }
        let used = Event::CredentialUsed {
            credential: assertion.credential.clone(),
            sign_count: assertion.sign_count,
        };
        Ok((credential, used))
    }

    fn check_totp(&self, customer: CustomerId, step: u64) -> Result<Event, Refusal> {
        let known = self.known(customer)?;
        if known.status == CustomerStatus::Locked {
            return Err(Refusal::CustomerLocked);
        }
        let totp = known.totp.as_ref().filter(|totp| totp.confirmed).ok_or(Refusal::TotpUnknown)?;
        if step <= totp.last_step {
            Err(Refusal::TotpReplayed)
        } else {
            Ok(Event::TotpUsed { customer, step })
        }
    }

    fn check_new_device(&self, device: DeviceId, customer: CustomerId) -> Result<(), Refusal> {
        if self.devices.contains(&device) {
            return Err(Refusal::IdTaken);
        }
        let active = self.devices_of(customer).filter(|(_, d)| d.status == DeviceStatus::Active).count();
        if active >= DEVICES_MAX {
            return Err(Refusal::TooMany { what: "devices", max: DEVICES_MAX });
        }
        Ok(())
    }

    fn active_device(&self, id: DeviceId, customer: Option<CustomerId>) -> Result<&Device, Refusal> {
        let device = self.devices.get(&id).ok_or(Refusal::DeviceUnknown)?;
        if customer.is_some_and(|customer| device.customer != customer) {
            return Err(Refusal::DeviceUnknown);
        }
        match device.status {
            DeviceStatus::Active => Ok(device),
            DeviceStatus::Blocked => Err(Refusal::DeviceBlocked),
        }
    }

    fn own_credential(&self, id: &crate::CredentialId, customer: CustomerId) -> Result<&Credential, Refusal> {
        self.credentials.get(id).filter(|c| c.customer == customer).ok_or(Refusal::CredentialUnknown)
    }

    fn known(&self, customer: CustomerId) -> Result<&Customer, Refusal> {
        self.customers.get(&customer).ok_or(Refusal::CustomerUnknown)
    }

    fn block(&self, customer: CustomerId, device: DeviceId) -> Vec<Event> {
        let on_it = self.sessions_of(customer).filter(|(_, session)| session.device == device);
        let mut events: Vec<Event> = on_it.map(|(session, _)| Event::SessionClosed { session }).collect();
        events.push(Event::DeviceBlocked { device });
        events
    }

    /// Whether a passkey that can sign is left without those that `lost` says.
    fn has_passkey_left(
        &self,
        customer: CustomerId,
        lost: impl Fn(&crate::CredentialId, &Credential) -> bool,
    ) -> bool {
        let mut left = self.credentials_of(customer).filter(|(id, credential)| !lost(id, credential));
        left.any(|(_, credential)| self.active_device(credential.device, None).is_ok())
    }

    /// Everything but the device that asks is blocked; that one can sign in again and unlock. Where it has no passkey of its own the devices
    /// that have stay, as otherwise nobody could unlock ever again.
    fn lock(&self, customer: CustomerId, device: DeviceId) -> Vec<Event> {
        let mut events: Vec<Event> =
            self.sessions_of(customer).map(|(session, _)| Event::SessionClosed { session }).collect();
        let has_own = self.credentials_of(customer).any(|(_, credential)| credential.device == device);
        let is_needed = |id| !has_own && self.credentials_of(customer).any(|(_, c)| c.device == id);
        let others =
            self.devices_of(customer).filter(|(id, d)| *id != device && d.status == DeviceStatus::Active);
        let others = others.filter(|(id, _)| !is_needed(*id));
        events.extend(others.map(|(device, _)| Event::DeviceBlocked { device }));
        events.push(Event::Locked { customer });
        events
    }
}
