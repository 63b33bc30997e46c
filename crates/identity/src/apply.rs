//! Applying events of identity.

use money::{CustomerId, SessionId, Timestamp, invariant};

use crate::{
    Credential, Customer, CustomerStatus, Device, DeviceStatus, Event, Grade, Identity, NewSession, Payee,
    Session, SignedInBy, Totp,
};

impl Identity {
    /// Applies one event, recorded at `now`.
    pub fn apply(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::Enrolled { customer, name, phone, locale } => {
                let new = Customer {
                    name: name.clone(),
                    phone: phone.clone(),
                    locale: *locale,
                    grade: Grade::Basic,
                    status: CustomerStatus::Active,
                    totp: None,
                    enrolled_at: now,
                    payees: std::collections::BTreeMap::new(),
                };
                self.phones.insert(phone.clone(), *customer);
                let taken = self.customers.insert(*customer, new).is_some();
                invariant!(!taken, "customer {customer} enrolled twice");
            }
            Event::DeviceBound { customer, device } => {
                let new = Device {
                    customer: *customer,
                    name: device.name.clone(),
                    secret_hash: device.secret_hash.clone(),
                    status: DeviceStatus::Active,
                    bound_at: now,
                    last_seen_at: now,
                };
                self.devices.insert(device.id, new);
                self.owned.entry_or_insert_with(*customer, Default::default).devices.push(device.id);
            }
            Event::DeviceBlocked { device } => {
                if let Some(device) = self.devices.get_mut(device) {
                    device.status = DeviceStatus::Blocked;
                }
            }
            Event::SessionOpened { customer, device, session, by } => {
                self.open_session(*customer, *device, session, *by, now);
            }
            Event::SessionClosed { session } => self.close_session(*session),
            Event::LimitsSet(row) => self.limits.push(row.clone()),
            Event::CredentialAdded { .. }
            | Event::CredentialRemoved { .. }
            | Event::CredentialUsed { .. } => {
                self.apply_credential(event, now);
            }
            Event::TotpBegun { customer, .. }
            | Event::TotpUsed { customer, .. }
            | Event::TotpRemoved { customer }
            | Event::Locked { customer }
            | Event::Unlocked { customer }
            | Event::LocaleSet { customer, .. }
            | Event::PayeeAdded { customer, .. }
            | Event::PayeeRemoved { customer, .. }
            | Event::Graded { customer, .. } => match self.customers.get_mut(customer) {
                Some(known) => apply_to_customer(known, event, now),
                None => invariant!(false, "customer {customer} is unknown"),
            },
        }
    }

    fn apply_credential(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::CredentialAdded { customer, device, credential } => {
                let new = Credential {
                    customer: *customer,
                    device: *device,
                    public_key: credential.public_key.clone(),
                    sign_count: credential.sign_count,
                    backed_up: credential.backed_up,
                    name: credential.name.clone(),
                    added_at: now,
                    last_used_at: None,
                };
                self.credentials.insert(credential.id.clone(), new);
                let owned = self.owned.entry_or_insert_with(*customer, Default::default);
                owned.credentials.push(credential.id.clone());
            }
            Event::CredentialRemoved { credential } => {
                if let Some(removed) = self.credentials.remove(credential)
                    && let Some(owned) = self.owned.get_mut(&removed.customer)
                {
                    owned.credentials.retain(|id| id != credential);
                }
            }
            Event::CredentialUsed { credential, sign_count } => {
                if let Some(credential) = self.credentials.get_mut(credential) {
                    credential.sign_count = *sign_count;
                    credential.last_used_at = Some(now);
                }
            }
            _ => {}
        }
    }

    fn open_session(
        &mut self,
        customer: CustomerId,
        device: money::DeviceId,
        session: &NewSession,
        by: SignedInBy,
        now: Timestamp,
    ) {
        let new = Session { customer, device, by, opened_at: now, expires_at: session.expires_at };
        self.session_ends.insert((session.expires_at, session.id), ());
        self.sessions.insert(session.id, new);
        self.owned.entry_or_insert_with(customer, Default::default).sessions.push(session.id);
        if let Some(device) = self.devices.get_mut(&device) {
            device.last_seen_at = now;
        }
    }

    fn close_session(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.session_ends.remove(&(session.expires_at, id));
        if let Some(owned) = self.owned.get_mut(&session.customer) {
            owned.sessions.retain(|other| *other != id);
        }
    }
}

fn apply_to_customer(customer: &mut Customer, event: &Event, now: Timestamp) {
    match event {
        Event::TotpBegun { sealed, .. } => {
            customer.totp = Some(Totp { sealed: sealed.clone(), confirmed: false, last_step: 0 });
        }
        Event::TotpUsed { step, .. } => {
            if let Some(totp) = &mut customer.totp {
                totp.confirmed = true;
                totp.last_step = *step;
            }
        }
        Event::TotpRemoved { .. } => customer.totp = None,
        Event::Locked { .. } => customer.status = CustomerStatus::Locked,
        Event::Unlocked { .. } => customer.status = CustomerStatus::Active,
        Event::LocaleSet { locale, .. } => customer.locale = *locale,
        Event::Graded { grade, .. } => customer.grade = *grade,
        Event::PayeeAdded { payee, .. } => {
            customer.payees.insert(payee.id, Payee { details: payee.clone(), added_at: now });
        }
        Event::PayeeRemoved { payee, .. } => {
            customer.payees.remove(payee);
        }
        _ => {}
    }
}
