//! Payments by customer, and the steps each has gone through.

use std::collections::BTreeMap;

use money::{CustomerId, MovementId, PaymentId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use crate::ProjectionError;
use crate::turn::{LEAF_BYTES, STEP_BYTES, unpacked};

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

    pub(crate) fn code(self) -> u8 {
        let position = Self::ALL.iter().position(|step| *step == self).unwrap_or(0);
        u8::try_from(position).unwrap_or(0)
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
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
    let mut statement = connection.prepare_cached("SELECT steps FROM payments WHERE id = ?1")?;
    let packed = statement.query_row([payment.value().to_be_bytes()], |row| row.get::<_, Vec<u8>>(0));
    let packed = packed.optional()?.unwrap_or_default();
    let steps = packed.chunks_exact(STEP_BYTES).filter_map(|step| {
        let (code, times) = step.split_first()?;
        let (at, seq) = times.split_at_checked(8)?;
        let at = Timestamp::from_ms(unpacked(at));
        Some(StepRow { step: StepKind::from_code(*code)?, at, seq: unpacked(seq) })
    });
    Ok(steps.collect())
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
    let mut statement = connection.prepare_cached("SELECT leaves FROM payments WHERE id = ?1")?;
    let packed = statement.query_row([payment.value().to_be_bytes()], |row| row.get::<_, Vec<u8>>(0));
    let packed = packed.optional()?.unwrap_or_default();
    let mut statement =
        connection.prepare_cached("SELECT id FROM movements WHERE leaf = ?1 AND customer = ?2")?;
    let mut found = Vec::new();
    for leaf in packed.chunks_exact(LEAF_BYTES).map(unpacked) {
        let keys = (i64::try_from(leaf).unwrap_or(i64::MAX), customer.value().to_be_bytes());
        let id = statement.query_row(keys, |row| row.get::<_, [u8; 16]>(0)).optional()?;
        found.extend(id.map(|id| MovementId::new(u128::from_be_bytes(id))));
    }
    Ok(found)
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
