//! What changed for a customer, in the order of the journal: the source of live events.

use money::CustomerId;
use rusqlite::Connection;

use crate::ProjectionError;
use crate::turn::ITEM_BYTES;

/// What a row of the feed is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedKind {
    /// A payment came to be or went on.
    Payment,
    /// A movement was recorded.
    Movement,
    /// A balance or hold changed.
    Accounts,
    /// A device, passkey, session or lock changed.
    Security,
    /// An order on a market changed; the subject is the market's number above the order's, 64 bits each.
    Order,
}

impl FeedKind {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Payment => 0,
            Self::Movement => 1,
            Self::Accounts => 2,
            Self::Security => 3,
            Self::Order => 4,
        }
    }

    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Payment,
            1 => Self::Movement,
            2 => Self::Accounts,
            4 => Self::Order,
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
        "SELECT seq, items FROM feed WHERE customer = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let key = customer.value().to_be_bytes();
    let after = i64::try_from(seq).unwrap_or(i64::MAX);
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let mut rows = statement.query((key, after, limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let seq = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        let items: Vec<u8> = row.get(1)?;
        let items = items.chunks_exact(ITEM_BYTES).filter_map(<[u8]>::split_first);
        found.extend(items.map(|(kind, subject)| FeedRow {
            seq,
            kind: FeedKind::from_code(*kind),
            subject: subject.iter().fold(0, |number, byte| (number << 8) | u128::from(*byte)),
        }));
        if found.len() >= max {
            break;
        }
    }
    found.truncate(max);
    Ok(found)
}
