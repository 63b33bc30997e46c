//! The Merkle log over the movements: signed checkpoints and receipts.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use receipts::{Checkpoint, JournalPoint, NoteSigner, RECEIPT_VERSION, Receipt, TreeHash};
use rusqlite::{Connection, OptionalExtension};

use crate::ProjectionError;
use crate::movements::MovementRow;
use crate::project::statement;

/// Signs the tree of `size` leaves and keeps the note, in the read model and in a file beside the journal: that file outlives the
/// read model and tells an audit what the bank has stated.
pub(crate) fn sign(
    connection: &Connection,
    log: &receipts::MerkleLog,
    signer: &NoteSigner,
    point: JournalPoint,
    file: &Path,
) -> Result<(), ProjectionError> {
    let failed = |error: &dyn std::fmt::Display| ProjectionError::Log(error.to_string());
    let checkpoint =
        Checkpoint::new(signer.verifier().name(), log.head(), Some(point)).map_err(|error| failed(&error))?;
    let note = checkpoint.sign(signer).map_err(|error| failed(&error))?;
    replace_file(file, note.as_bytes())?;
    let size = i64::try_from(log.len()).unwrap_or(i64::MAX);
    connection.execute("INSERT OR REPLACE INTO checkpoint VALUES (1, ?1, ?2)", (size, note))?;
    Ok(())
}

fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), ProjectionError> {
    let fault = |source| ProjectionError::File { what: format!("write {}", path.display()), source };
    let beside = path.with_extension("partial");
    let mut file = File::create(&beside).map_err(fault)?;
    file.write_all(bytes).map_err(fault)?;
    file.sync_data().map_err(fault)?;
    fs::rename(&beside, path).map_err(fault)
}

/// The latest signed checkpoint: how many leaves it covers, and the note.
pub(crate) fn latest(connection: &Connection) -> Result<Option<(u64, String)>, ProjectionError> {
    let row = connection
        .query_row("SELECT size, note FROM checkpoint", [], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
        .optional()?;
    Ok(row.map(|(size, note)| (u64::try_from(size).unwrap_or(0), note)))
}

/// The receipt of a movement under the latest checkpoint.
pub(crate) fn receipt(
    movement: &MovementRow,
    log: &receipts::MerkleLog,
    checkpoint: Option<(u64, String)>,
    bank: &str,
) -> Result<Receipt, ProjectionError> {
    let (tree_size, checkpoint) = checkpoint.ok_or(ProjectionError::ReceiptNotReady)?;
    // The note may be committed a moment before the tree in memory has grown to it.
    if movement.leaf >= tree_size || tree_size > log.len() {
        return Err(ProjectionError::ReceiptNotReady);
    }
    let inclusion_proof: Vec<TreeHash> = log
        .inclusion_proof(movement.leaf, tree_size)
        .map_err(|error| ProjectionError::Log(error.to_string()))?;
    Ok(Receipt {
        version: RECEIPT_VERSION,
        bank: bank.to_owned(),
        entry: statement(movement),
        leaf_index: movement.leaf,
        tree_size,
        inclusion_proof,
        checkpoint,
    })
}
