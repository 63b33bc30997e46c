//! Limits by grade, as dated data.

use minicbor::{Decode, Encode};
use money::{Asset, Date, Limits};

use crate::Grade;

/// The limits of one grade and asset from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LimitRow {
    /// Whom it is for.
    #[n(0)]
    pub grade: Grade,
    /// For which asset.
    #[n(1)]
    pub asset: Asset,
    /// First day on which it counts.
    #[n(2)]
    pub from: Date,
    /// The limits.
    #[n(3)]
    pub limits: Limits,
}

/// The newest row for `grade` and `asset` that counts on `day`.
pub(crate) fn row_on(rows: &[LimitRow], grade: Grade, asset: Asset, day: Date) -> Option<&Limits> {
    let matching = rows.iter().filter(|row| row.grade == grade && row.asset == asset && row.from <= day);
    // Of two rows from the same day the later one wins: a correction replaces what it corrects.
    matching.max_by_key(|row| row.from).map(|row| &row.limits)
}
