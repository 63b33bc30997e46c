//! Movements: every entry as the owner of an account sees it, newest first, searched and paged.

use money::{AccountId, Amount, Asset, CustomerId, MovementId, PaymentId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};

use crate::ProjectionError;

/// Most rows of one page: a screenful many times over, and a bound on one answer.
const PAGE_MAX: usize = 500;

/// Which way the money went, seen from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Into the account.
    In,
    /// Out of the account.
    Out,
}

/// What kind of movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovementKind {
    /// From another bank.
    Deposit,
    /// From another account of the bank.
    TransferIn,
    /// To another account of the bank.
    TransferOut,
    /// To another bank.
    Withdrawal,
    /// Money that came back, or was taken back.
    Return,
    /// A correction by the bank.
    Adjustment,
    /// A fill on a market.
    Trade,
    /// One asset for another, at a price that the bank offered.
    Convert,
    /// Into a pool or out of it.
    Pool,
}

impl MovementKind {
    const ALL: [Self; 9] = [
        Self::Deposit,
        Self::TransferIn,
        Self::TransferOut,
        Self::Withdrawal,
        Self::Return,
        Self::Adjustment,
        Self::Trade,
        Self::Convert,
        Self::Pool,
    ];

    /// The word in texts, receipts and the interface.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::TransferIn => "transfer_in",
            Self::TransferOut => "transfer_out",
            Self::Withdrawal => "withdrawal",
            Self::Return => "return",
            Self::Adjustment => "adjustment",
            Self::Trade => "trade",
            Self::Convert => "convert",
            Self::Pool => "pool",
        }
    }

    pub(crate) fn code(self) -> i64 {
        let position = Self::ALL.iter().position(|kind| *kind == self).unwrap_or(0);
        i64::try_from(position).unwrap_or(0)
    }

    fn from_code(code: i64) -> Self {
        usize::try_from(code).ok().and_then(|at| Self::ALL.get(at)).copied().unwrap_or(Self::Adjustment)
    }
}

/// The other side of a movement; texts are empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Name of the account's holder.
    pub name: String,
    /// Account number.
    pub account_number: String,
    /// Clearing number of the bank.
    pub bank: String,
}

/// A movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementRow {
    /// Its id.
    pub id: MovementId,
    /// Number of its leaf in the log.
    pub leaf: u64,
    /// Journal entry that made it.
    pub seq: u64,
    /// The account.
    pub account: AccountId,
    /// Number of the account.
    pub account_number: String,
    /// Whose account.
    pub customer: CustomerId,
    /// The payment it belongs to.
    pub payment: Option<PaymentId>,
    /// What kind.
    pub kind: MovementKind,
    /// Which way.
    pub direction: Direction,
    /// How much moved, the fee included.
    pub amount: Amount,
    /// Of which fee.
    pub fee: Amount,
    /// Posted balance after it.
    pub balance_after: Amount,
    /// The other side.
    pub counterparty: Party,
    /// Words of the payer.
    pub note: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it counts.
    pub effective_at: Timestamp,
}

/// Which movements are wanted.
#[derive(Debug, Clone, Default)]
pub struct MovementQuery {
    /// Only this account.
    pub account: Option<AccountId>,
    /// Only those with this text in name, account number, note or amount.
    pub text: Option<String>,
    /// Only this way.
    pub direction: Option<Direction>,
    /// Recorded at or after.
    pub from: Option<Timestamp>,
    /// Recorded before.
    pub until: Option<Timestamp>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Most rows.
    pub limit: usize,
}

/// A page, newest first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The rows.
    pub rows: Vec<MovementRow>,
    /// Where the next page begins; none at the end.
    pub next_cursor: Option<String>,
}

const COLUMNS: &str =
    "m.id, m.leaf, m.seq, m.account, a.number, m.customer, m.payment, m.kind, m.is_in, m.amount, m.fee,
  m.balance, m.name, m.number, m.bank, m.note, m.recorded_at, m.effective_at, a.asset, a.scale
  FROM movements m JOIN accounts a ON a.id = m.account";

pub(crate) fn id_of(bytes: [u8; 16]) -> u128 {
    u128::from_be_bytes(bytes)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<MovementRow> {
    let scale: u8 = row.get(19)?;
    let asset = Asset::new(&row.get::<_, String>(18)?, scale).map_err(|_| rusqlite::Error::InvalidQuery)?;
    let amount = |text: String| Amount::parse(asset, &text).map_err(|_| rusqlite::Error::InvalidQuery);
    let payment: Option<[u8; 16]> = row.get(6)?;
    Ok(MovementRow {
        id: MovementId::new(id_of(row.get(0)?)),
        leaf: unsigned(row.get(1)?),
        seq: unsigned(row.get(2)?),
        account: AccountId::new(id_of(row.get(3)?)),
        account_number: row.get(4)?,
        customer: CustomerId::new(id_of(row.get(5)?)),
        payment: payment.map(|id| PaymentId::new(id_of(id))),
        kind: MovementKind::from_code(row.get(7)?),
        direction: if row.get(8)? { Direction::In } else { Direction::Out },
        amount: amount(row.get(9)?)?,
        fee: amount(row.get(10)?)?,
        balance_after: amount(row.get(11)?)?,
        counterparty: Party { name: row.get(12)?, account_number: row.get(13)?, bank: row.get(14)? },
        note: row.get(15)?,
        recorded_at: Timestamp::from_ms(unsigned(row.get(16)?)),
        effective_at: Timestamp::from_ms(unsigned(row.get(17)?)),
    })
}

/// One movement of a customer; `recent` is its leaf, where it is not in the table of ids yet.
pub(crate) fn one(
    connection: &Connection,
    id: MovementId,
    recent: Option<u64>,
    customer: CustomerId,
) -> Result<MovementRow, ProjectionError> {
    let key = id.value().to_be_bytes();
    let leaf = match recent {
        Some(leaf) => Some(i64::try_from(leaf).unwrap_or(i64::MAX)),
        None => {
            let sql = "SELECT leaf FROM movement_ids WHERE id = ?1";
            connection.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()?
        }
    };
    let leaf = leaf.ok_or(ProjectionError::MovementUnknown)?;
    let sql = format!("SELECT {COLUMNS} WHERE m.leaf = ?1 AND m.id = ?2 AND m.customer = ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    let keys = (leaf, key, customer.value().to_be_bytes());
    statement.query_row(keys, read).optional()?.ok_or(ProjectionError::MovementUnknown)
}

/// A page of a customer's movements.
pub(crate) fn page(
    connection: &Connection,
    customer: CustomerId,
    query: &MovementQuery,
) -> Result<Page, ProjectionError> {
    let before = match &query.cursor {
        Some(cursor) => {
            let leaf = cursor.strip_prefix('m').and_then(|digits| digits.parse().ok());
            leaf.ok_or(ProjectionError::Cursor)?
        }
        None => i64::MAX,
    };
    let limit = query.limit.clamp(1, PAGE_MAX);
    let more = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let customer = customer.value().to_be_bytes();
    let account = query.account.map(|account| account.value().to_be_bytes());
    let pattern = query.text.as_ref().filter(|text| !text.is_empty()).map(|text| like(text));
    let is_in = query.direction.map(|direction| direction == Direction::In);
    let bound = |at: Option<Timestamp>| at.map(|at| i64::try_from(at.ms()).unwrap_or(i64::MAX));
    let (from, until) = (bound(query.from), bound(query.until));
    let sql = format!(
        "SELECT {COLUMNS} WHERE m.account IN (SELECT id FROM accounts WHERE customer = ?1) AND m.leaf < ?2
           AND (?3 IS NULL OR m.account = ?3)
           AND (?4 IS NULL OR m.name LIKE ?4 ESCAPE '\\' OR m.number LIKE ?4 ESCAPE '\\' OR m.note LIKE ?4 ESCAPE '\\' OR m.amount LIKE ?4 ESCAPE '\\')
           AND (?5 IS NULL OR m.is_in = ?5) AND (?6 IS NULL OR m.recorded_at >= ?6) AND (?7 IS NULL OR m.recorded_at < ?7)
         ORDER BY m.leaf DESC LIMIT ?8"
    );
    let values: [&dyn ToSql; 8] = [&customer, &before, &account, &pattern, &is_in, &from, &until, &more];
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows: Vec<MovementRow> =
        statement.query_map(values.as_slice(), read)?.collect::<Result<_, _>>()?;
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| is_more).map(|row| format!("m{}", row.leaf));
    Ok(Page { rows, next_cursor })
}

/// A pattern that finds the text as it stands.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
