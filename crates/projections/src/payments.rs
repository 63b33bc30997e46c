//! Payments by customer, and the steps each has gone through.

use std::collections::BTreeMap;

use money::{CustomerId, MovementId, PaymentId, Timestamp};
use rusqlite::Connection;

use crate::ProjectionError;

/// A step of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// Waiting in its undo window.
    Waiting,
    /// On its way to the rail.
    Sending,
    /// The rail has it.
    Sent,
    /// Cancellation was asked for.
    Cancelling,
    /// The payee has it.
    Confirmed,
    /// Done inside the bank.
    Done,
    /// Cancelled.
    Cancelled,
    /// Rejected.
    Rejected,
    /// Returned.
    Returned,
    /// A deposit credited to an account.
    Credited,
    /// A deposit kept in suspense.
    Suspended,
    /// A deposit being sent back.
    Returning,
    /// The round it was confirmed in was settled.
    Settled,
}

impl StepKind {
    const ALL: [Self; 13] = [
        Self::Waiting,
        Self::Sending,
        Self::Sent,
        Self::Cancelling,
        Self::Confirmed,
        Self::Done,
        Self::Cancelled,
        Self::Rejected,
        Self::Returned,
        Self::Credited,
        Self::Suspended,
        Self::Returning,
        Self::Settled,
    ];

    pub(crate) fn code(self) -> i64 {
        let position = Self::ALL.iter().position(|step| *step == self).unwrap_or(0);
        i64::try_from(position).unwrap_or(0)
    }

    fn from_code(code: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// Whether a payment in this state is not at its end.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Sending | Self::Sent | Self::Cancelling | Self::Returning)
    }
}

/// A step that a payment has gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepRow {
    /// Which.
    pub step: StepKind,
    /// When.
    pub at: Timestamp,
    /// With which journal entry.
    pub seq: u64,
}

/// A payment in a list; everything else of it is in the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentRow {
    /// Its id.
    pub id: PaymentId,
    /// When it came to be.
    pub created_at: Timestamp,
    /// Whether it is not at its end.
    pub is_open: bool,
}

fn ms(value: i64) -> Timestamp {
    Timestamp::from_ms(u64::try_from(value).unwrap_or(0))
}

pub(crate) fn steps(connection: &Connection, payment: PaymentId) -> Result<Vec<StepRow>, ProjectionError> {
    let mut statement =
        connection.prepare_cached("SELECT step, at, seq FROM steps WHERE payment = ?1 ORDER BY nr")?;
    let rows = statement.query_map([payment.value().to_be_bytes()], |row| {
        let (step, at, seq): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((step, at, u64::try_from(seq).unwrap_or(0)))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (step, at, seq) = row?;
        found.extend(StepKind::from_code(step).map(|step| StepRow { step, at: ms(at), seq }));
    }
    Ok(found)
}

pub(crate) fn of_customer(
    connection: &Connection,
    customer: CustomerId,
    open_only: bool,
    max: usize,
) -> Result<Vec<PaymentRow>, ProjectionError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, created_at, is_open FROM payments WHERE customer = ?1 AND (is_open OR NOT ?2)
         ORDER BY created_at DESC LIMIT ?3",
    )?;
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let rows = statement.query_map((customer.value().to_be_bytes(), open_only, limit), |row| {
        let id: [u8; 16] = row.get(0)?;
        Ok(PaymentRow {
            id: PaymentId::new(u128::from_be_bytes(id)),
            created_at: ms(row.get(1)?),
            is_open: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn movements_of(
    connection: &Connection,
    payment: PaymentId,
    customer: CustomerId,
) -> Result<Vec<MovementId>, ProjectionError> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM movements WHERE payment = ?1 AND customer = ?2 ORDER BY leaf")?;
    let keys = (payment.value().to_be_bytes(), customer.value().to_be_bytes());
    let rows = statement.query_map(keys, |row| {
        let id: [u8; 16] = row.get(0)?;
        Ok(MovementId::new(u128::from_be_bytes(id)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When a customer last paid each account: by account number and clearing number.
pub(crate) fn last_paid(
    connection: &Connection,
    customer: CustomerId,
) -> Result<BTreeMap<(String, String), Timestamp>, ProjectionError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, bank, MAX(created_at) FROM payments WHERE customer = ?1 AND kind < 2 GROUP BY number, bank",
    )?;
    let rows = statement.query_map([customer.value().to_be_bytes()], |row| {
        Ok(((row.get(0)?, row.get(1)?), ms(row.get(2)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
