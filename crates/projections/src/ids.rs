//! From a movement's id to its leaf.
//!
//! Ids are hashes, so each lies at another place of their index, and an index that is written with every movement costs a page for each. The
//! newest ids therefore stay in memory, and go into the table many at once and in order, when most of its pages take several of them.
//! [`Recent`] is what readers ask first.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use money::MovementId;
use rusqlite::Connection;

use crate::ProjectionError;
use crate::movements::id_of;

/// How many ids go into the table at once. It follows from the count of movements alone when that happens, so a rebuild does the same.
pub(crate) const FLUSH_COUNT: usize = 32_768;

/// The ids of the movements that the table does not have, in the order of their leaves.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// Leaves below this are in the table.
    indexed: u64,
    waiting: Vec<MovementId>,
}

impl Ids {
    /// What the tables hold.
    pub(crate) fn load(connection: &Connection) -> Result<Self, ProjectionError> {
        let indexed: i64 = connection.query_row("SELECT COUNT(*) FROM movement_ids", [], |row| row.get(0))?;
        let mut statement = connection.prepare("SELECT id FROM movements WHERE leaf >= ?1 ORDER BY leaf")?;
        let waiting = statement.query_map([indexed], |row| Ok(MovementId::new(id_of(row.get(0)?))))?;
        let waiting = waiting.collect::<Result<_, _>>()?;
        Ok(Self { indexed: u64::try_from(indexed).unwrap_or(0), waiting })
    }

    /// Keeps the id of the next leaf; moves `most` of them into the table once there are as many.
    pub(crate) fn push(
        &mut self,
        connection: &Connection,
        id: MovementId,
        most: usize,
    ) -> Result<(), ProjectionError> {
        self.waiting.push(id);
        if self.waiting.len() < most {
            return Ok(());
        }
        let mut sorted: Vec<(MovementId, u64)> = self.waiting.drain(..).zip(self.indexed..).collect();
        self.indexed = self.indexed.saturating_add(u64::try_from(sorted.len()).unwrap_or(u64::MAX));
        sorted.sort_unstable();
        let mut statement = connection.prepare_cached("INSERT INTO movement_ids VALUES (?1, ?2)")?;
        for (id, leaf) in sorted {
            statement.execute((id.value().to_be_bytes(), i64::try_from(leaf).unwrap_or(i64::MAX)))?;
        }
        Ok(())
    }
}

/// Those ids as readers see them: of committed movements only.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    indexed: u64,
    next: u64,
    leaves: HashMap<MovementId, u64, RandomState>,
}

impl Recent {
    /// Takes over what was committed since the last time.
    pub(crate) fn follow(&mut self, ids: &Ids) {
        let end = ids.indexed.saturating_add(u64::try_from(ids.waiting.len()).unwrap_or(u64::MAX));
        // What is in the table now need not be here; after a fault there may even be less than before.
        if self.indexed != ids.indexed || self.next > end {
            self.leaves.clear();
            (self.indexed, self.next) = (ids.indexed, ids.indexed);
        }
        let known = usize::try_from(self.next.saturating_sub(ids.indexed)).unwrap_or(usize::MAX);
        self.leaves.extend(ids.waiting.iter().skip(known).copied().zip(self.next..));
        self.next = end;
    }

    /// The leaf of a movement, if it is one of the newest.
    pub(crate) fn leaf(&self, id: MovementId) -> Option<u64> {
        self.leaves.get(&id).copied()
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::OptionalExtension as _;

    use super::*;
    use crate::schema;

    /// Ids that jump about, as hashes do.
    fn id(leaf: u64) -> MovementId {
        MovementId::new(u128::from(leaf.wrapping_mul(0x9E37_79B9_7F4A_7C15)) << 3)
    }

    fn in_table(connection: &Connection, id: MovementId) -> Option<u64> {
        let sql = "SELECT leaf FROM movement_ids WHERE id = ?1";
        let key = id.value().to_be_bytes();
        let leaf = connection.query_row(sql, [key], |row| row.get::<_, i64>(0)).optional().ok()?;
        leaf.and_then(|leaf| u64::try_from(leaf).ok())
    }

    #[test]
    fn every_id_is_found_in_one_of_both_places() -> Result<(), ProjectionError> {
        let connection = Connection::open_in_memory()?;
        schema::prepare(&connection)?;
        let (mut ids, mut recent) = (Ids::default(), Recent::default());
        for count in 0..100_u64 {
            ids.push(&connection, id(count), 8)?;
            // Readers hear of several at once.
            if count % 3 == 0 {
                recent.follow(&ids);
                for leaf in 0..=count {
                    let places = (recent.leaf(id(leaf)), in_table(&connection, id(leaf)));
                    assert!(
                        matches!(places, (Some(at), None) | (None, Some(at)) if at == leaf),
                        "{places:?}"
                    );
                }
            }
        }
        assert_eq!((ids.indexed, ids.waiting.len()), (96, 4));
        // After a fault the tables are read again, and may have less.
        let before = Ids { indexed: 96, waiting: vec![id(96)] };
        recent.follow(&before);
        assert_eq!((recent.leaf(id(96)), recent.leaf(id(97))), (Some(96), None));
        Ok(())
    }
}
