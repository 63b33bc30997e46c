//! What changed for a customer, in the order of the journal: the source of live events.

use money::CustomerId;
use rusqlite::Connection;

use crate::ProjectionError;

/// What a row of the feed is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// A payment came to be or went on.
    Payment,
    /// A movement was recorded.
    Movement,
    /// A balance or hold changed.
    Accounts,
    /// A device, passkey, session or lock changed.
    Security,
}

impl FeedKind {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Payment => 0,
            Self::Movement => 1,
            Self::Accounts => 2,
            Self::Security => 3,
        }
    }

    const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Payment,
            1 => Self::Movement,
            2 => Self::Accounts,
            _ => Self::Security,
        }
    }
}

/// A row of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedRow {
    /// Sequence number of the journal entry.
    pub seq: u64,
    /// What it is about.
    pub kind: FeedKind,
    /// The 128 bits of the payment's, movement's or customer's id.
    pub subject: u128,
}

/// Up to `max` rows of a customer after `seq`, whole entries only except where one entry alone has more.
pub(crate) fn after(
    connection: &Connection,
    customer: CustomerId,
    seq: u64,
    max: usize,
) -> Result<Vec<FeedRow>, ProjectionError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, kind, subject FROM feed WHERE customer = ?1 AND seq > ?2 ORDER BY seq, nr LIMIT ?3",
    )?;
    let key = customer.value().to_be_bytes();
    let after = i64::try_from(seq).unwrap_or(i64::MAX);
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let rows = statement.query_map((key, after, limit), |row| {
        let seq: i64 = row.get(0)?;
        let subject: [u8; 16] = row.get(2)?;
        Ok(FeedRow {
            seq: u64::try_from(seq).unwrap_or(0),
            kind: FeedKind::from_code(row.get(1)?),
            subject: u128::from_be_bytes(subject),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
