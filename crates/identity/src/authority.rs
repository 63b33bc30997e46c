//! Who asks, and what that allows.

use minicbor::{Decode, Encode};
use money::{CustomerId, DeviceId, SessionId, Text, Timestamp};

use crate::{CustomerStatus, DeviceStatus, Identity, Refusal, SignedInBy};

/// Who sent a command, as the shell found out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Actor {
    /// The bank's own clock and drivers' reports.
    #[n(0)]
    System,
    /// A customer's session.
    #[n(1)]
    Session(#[n(0)] SessionId),
    /// Nobody yet: enrolment and signing in.
    #[n(2)]
    Visitor,
    /// A clearing rail, by name.
    #[n(3)]
    Rail(#[n(0)] Text<16>),
    /// A member of staff, by name.
    #[n(4)]
    Operator(#[n(0)] Text<32>),
    /// A client that keeps its own books with us, by its number.
    #[n(5)]
    Tenant(#[n(0)] u32),
    /// Another cell of the bank, by its number.
    #[n(6)]
    Cell(#[n(0)] u32),
}

/// What the actor may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// Timers and reports.
    System,
    /// Enrol and sign in only.
    Visitor,
    /// Reports of a rail only.
    Rail,
    /// Staff.
    Operator,
    /// A client with books of its own, for these books.
    Tenant(u32),
    /// Another cell, for transfers that it sends.
    Cell(u32),
    /// A customer, for their own things.
    Customer {
        /// Who.
        customer: CustomerId,
        /// Which session.
        session: SessionId,
        /// On which device.
        device: DeviceId,
        /// How signed in.
        by: SignedInBy,
        /// Whether outgoing payments are refused.
        locked: bool,
    },
}

impl Authority {
    /// The customer who asks.
    ///
    /// # Errors
    /// [`Refusal::NotACustomer`] for everybody else.
    pub const fn customer(&self) -> Result<CustomerId, Refusal> {
        match self {
            Self::Customer { customer, .. } => Ok(*customer),
            Self::System | Self::Visitor | Self::Rail | Self::Operator | Self::Tenant(_) | Self::Cell(_) => {
                Err(Refusal::NotACustomer)
            }
        }
    }

    /// Refuses everybody but staff.
    ///
    /// # Errors
    /// [`Refusal::NotAnOperator`].
    pub const fn operator(&self) -> Result<(), Refusal> {
        match self {
            Self::Operator => Ok(()),
            Self::System
            | Self::Visitor
            | Self::Rail
            | Self::Tenant(_)
            | Self::Cell(_)
            | Self::Customer { .. } => Err(Refusal::NotAnOperator),
        }
    }
}

impl Identity {
    /// What `actor` may do at `now`.
    ///
    /// # Errors
    /// The session is unknown, closed, over, or its device is blocked.
    pub fn authorise(&self, actor: &Actor, now: Timestamp) -> Result<Authority, Refusal> {
        match actor {
            Actor::System => Ok(Authority::System),
            Actor::Visitor => Ok(Authority::Visitor),
            Actor::Rail(_) => Ok(Authority::Rail),
            Actor::Operator(_) => Ok(Authority::Operator),
            Actor::Tenant(number) => Ok(Authority::Tenant(*number)),
            Actor::Cell(number) => Ok(Authority::Cell(*number)),
            Actor::Session(id) => {
                let session =
                    self.sessions.get(id).filter(|s| s.expires_at > now).ok_or(Refusal::SessionExpired)?;
                let device = self.devices.get(&session.device).ok_or(Refusal::SessionExpired)?;
                if device.status == DeviceStatus::Blocked {
                    return Err(Refusal::DeviceBlocked);
                }
                let customer = self.customers.get(&session.customer).ok_or(Refusal::SessionExpired)?;
                Ok(Authority::Customer {
                    customer: session.customer,
                    session: *id,
                    device: session.device,
                    by: session.by,
                    locked: customer.status == CustomerStatus::Locked,
                })
            }
        }
    }
}
