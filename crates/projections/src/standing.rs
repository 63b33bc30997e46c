//! How far the read models of a stopped bank are, from their file alone.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::ProjectionError;

/// The last journal entry that the read models in a data folder have; `None` where there are none.
///
/// # Errors
/// A file that is no read model.
pub fn standing(data: &Path) -> Result<Option<u64>, ProjectionError> {
    let path = data.join("read.sqlite");
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let seq: i64 = connection.query_row("SELECT seq FROM meta", [], |row| row.get(0))?;
    Ok(u64::try_from(seq).ok())
}
