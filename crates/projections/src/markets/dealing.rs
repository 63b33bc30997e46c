//! Conversions and moves of pools, as movements; conversions have rows of their own as well.

use exchange::PoolMove;
use exchange::Side;
use exchange::pool::PoolChange;
use exchange::quote::{Offer, OfferId, QuoteChange};
use money::{Amount, CustomerId, EntryId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::put_in::Part;
use super::tables::{packed, unpacked};
use crate::ProjectionError;
use crate::movements::{Direction, MovementKind, id_of};
use crate::project::Projecting;
use crate::turn::Turn;

/// An offer that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionRow {
    /// Rank among all conversions, for paging.
    pub rank: u64,
    /// The offer.
    pub offer: Offer,
    /// When it was taken.
    pub at: Timestamp,
    /// The ledger's entry.
    pub entry: EntryId,
}

impl Projecting<'_> {
    /// Keeps open offers: an offer that is taken is named by its id alone.
    pub(super) fn quote(&self, change: &QuoteChange, seq: u64) -> Result<(), ProjectionError> {
        let fault = |problem: String| ProjectionError::Entry { seq, problem };
        match change {
            QuoteChange::Offered(offer) => {
                let bytes = minicbor::to_vec(offer).map_err(|error| fault(error.to_string()))?;
                let row = (offer.id().value().to_be_bytes(), bytes);
                self.connection.prepare_cached("INSERT INTO offers VALUES (?1, ?2)")?.execute(row)?;
            }
            QuoteChange::Expired { ids } => {
                for id in ids {
                    self.forget(*id)?;
                }
            }
            QuoteChange::TermsSet { .. } | QuoteChange::Accepted { .. } => {}
        }
        Ok(())
    }

    fn forget(&self, id: OfferId) -> Result<(), ProjectionError> {
        let mut statement = self.connection.prepare_cached("DELETE FROM offers WHERE id = ?1")?;
        statement.execute([id.value().to_be_bytes()])?;
        Ok(())
    }

    /// An offer was taken: what changed hands, seen from the customer's two accounts.
    pub(super) fn converted(
        &mut self,
        turn: &mut Turn<'_>,
        id: OfferId,
        at: Timestamp,
        entry: EntryId,
    ) -> Result<(), ProjectionError> {
        let seq = turn.seq;
        let fault = |problem: String| ProjectionError::Entry { seq, problem };
        let sql = "SELECT bytes FROM offers WHERE id = ?1";
        let key = id.value().to_be_bytes();
        let bytes: Option<Vec<u8>> =
            self.connection.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()?;
        let bytes = bytes.ok_or_else(|| fault(format!("offer {id} was never made")))?;
        let offer: Offer = minicbor::decode(&bytes).map_err(|error| fault(error.to_string()))?;
        self.forget(id)?;
        let note = format!(
            "CONVERT {} {} -> {} {}",
            offer.pays.decimal(),
            offer.pays.asset(),
            offer.takes.decimal(),
            offer.takes.asset()
        );
        // The fee is a part of what is paid, or was taken off before what is taken.
        let (paid_fee, taken_fee) = match offer.side {
            Side::Bid => (offer.fee.minor(), 0),
            Side::Ask => (0, offer.fee.minor()),
        };
        let parts = [
            (offer.request.from, Direction::Out, offer.pays, paid_fee),
            (offer.request.to, Direction::In, offer.takes, taken_fee),
        ];
        for (account, direction, amount, fee) in parts {
            let part = Part { account, direction, asset: amount.asset(), minor: amount.minor(), fee };
            self.part(turn, entry, &part, MovementKind::Convert, &note)?;
        }
        let sql = "INSERT INTO conversions (id, customer, at, entry, bytes) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection.prepare_cached(sql)?.execute(params![
            key,
            offer.request.owner.value().to_be_bytes(),
            packed(at.ms()),
            entry.value().to_be_bytes(),
            bytes,
        ])?;
        Ok(())
    }

    /// What a pool took from a customer, and what it gave.
    pub(super) fn pool_moved(
        &mut self,
        turn: &mut Turn<'_>,
        moved: &PoolMove,
    ) -> Result<(), ProjectionError> {
        let (mut into, mut out, note): (Vec<Amount>, Vec<Amount>, &str) = match &moved.change {
            PoolChange::Swapped(swap) => (vec![swap.paid], vec![swap.taken], "POOL SWAP"),
            PoolChange::Added { paid, shares, .. } => {
                self.shares(turn, moved, Direction::In, *shares, "POOL ADD")?;
                (paid.clone(), Vec::new(), "POOL ADD")
            }
            PoolChange::Removed { taken, shares } => {
                self.shares(turn, moved, Direction::Out, *shares, "POOL REMOVE")?;
                (Vec::new(), taken.clone(), "POOL REMOVE")
            }
        };
        let into = into.drain(..).map(|amount| (amount, Direction::Out));
        let moves: Vec<(Amount, Direction)> =
            into.chain(out.drain(..).map(|amount| (amount, Direction::In))).collect();
        for (amount, direction) in moves.into_iter().filter(|(amount, _)| !amount.is_zero()) {
            let holds = |id: &&money::AccountId| {
                let owned = self.state.owners.account(**id);
                owned.is_some_and(|owned| owned.balance.asset() == amount.asset())
            };
            let Some(account) = moved.accounts.iter().find(holds).copied() else { continue };
            let part = Part { account, direction, asset: amount.asset(), minor: amount.minor(), fee: 0 };
            self.part(turn, moved.entry, &part, MovementKind::Pool, note)?;
        }
        Ok(())
    }

    fn shares(
        &mut self,
        turn: &mut Turn<'_>,
        moved: &PoolMove,
        direction: Direction,
        shares: Amount,
        note: &str,
    ) -> Result<(), ProjectionError> {
        let (asset, minor) = (shares.asset(), shares.minor());
        let part = Part { account: moved.shares, direction, asset, minor, fee: 0 };
        self.part(turn, moved.entry, &part, MovementKind::Pool, note)
    }
}

/// A customer's conversions, newest first; only the one of an offer where that is named.
pub(crate) fn conversions(
    connection: &Connection,
    customer: CustomerId,
    offer: Option<OfferId>,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<ConversionRow>, ProjectionError> {
    let sql = "SELECT rank, at, entry, bytes FROM conversions
               WHERE customer = ?1 AND rank < ?2 AND (?3 IS NULL OR id = ?3) ORDER BY rank DESC LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let bound = before.map_or(i64::MAX, |rank| i64::try_from(rank).unwrap_or(i64::MAX));
    let values = (
        customer.value().to_be_bytes(),
        bound,
        offer.map(|id| id.value().to_be_bytes()),
        i64::try_from(limit).unwrap_or(i64::MAX),
    );
    let rows = statement.query_map(values, |row| {
        let bytes: Vec<u8> = row.get(3)?;
        Ok(ConversionRow {
            rank: unpacked(row.get(0)?),
            at: Timestamp::from_ms(unpacked(row.get(1)?)),
            entry: EntryId::new(id_of(row.get(2)?)),
            offer: minicbor::decode(&bytes).map_err(|_| rusqlite::Error::InvalidQuery)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
