//! Rows that each hold from a time on.

use minicbor::{Decode, Encode};
use money::Timestamp;

/// Rows by the time from which on they hold; at a time the latest row not after it counts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Dated<T> {
    /// In the order of their times, each time once.
    #[n(0)]
    rows: Vec<DatedRow<T>>,
}

/// A row and the time from which on it holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DatedRow<T> {
    /// From when on.
    #[n(0)]
    pub from: Timestamp,
    /// What holds.
    #[n(1)]
    pub terms: T,
}

impl<T> Dated<T> {
    /// The first row.
    #[must_use]
    pub fn new(from: Timestamp, terms: T) -> Self {
        Self { rows: vec![DatedRow { from, terms }] }
    }

    /// One more row; it takes the place of one with the same time.
    pub fn set(&mut self, from: Timestamp, terms: T) {
        let place = self.rows.partition_point(|row| row.from < from);
        match self.rows.get_mut(place).filter(|row| row.from == from) {
            Some(row) => row.terms = terms,
            None => self.rows.insert(place, DatedRow { from, terms }),
        }
    }

    /// What holds at a time; `None` before the first row.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Option<&T> {
        let after = self.rows.partition_point(|row| row.from <= now);
        self.rows.get(after.checked_sub(1)?).map(|row| &row.terms)
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> &[DatedRow<T>] {
        &self.rows
    }
}
