//! What follows when an offer is taken: the bank gets back what it gave away, in the book or in a pool.

use money::{AccountId, Amount, Timestamp};

use super::Exchange;
use crate::book::InForce;
use crate::dealing;
use crate::event::{Event, PoolMove};
use crate::market::{Funds, Owner};
use crate::pool::{PoolChange, PoolCommand, PoolNumber};
use crate::quote::Accept;
use crate::route::VenueId;
use crate::row::PlaceRow;
use crate::{MarketNumber, Quantity, Refusal, Side};

impl Exchange {
    /// An offer is taken, and the bank gets back what it gave away.
    pub(super) fn accept<F: Funds>(
        &mut self,
        accept: &Accept,
        now: Timestamp,
        funds: &mut F,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let (_, offer) = self.dealing.desk().decide_accept(accept, now)?;
        let offer = offer.clone();
        funds.can_reserve(funds.position(offer.request.from)?, offer.pays.minor())?;
        funds.position(offer.request.to)?;
        let entry = self.next_entry();
        self.say(Event::Converted { offer: offer.id(), at: now, entry }, now, funds, events);
        for leg in &offer.route {
            match leg.venue {
                VenueId::Inventory => {}
                VenueId::Book(market) => {
                    let base = match offer.side {
                        Side::Bid => leg.takes,
                        Side::Ask => leg.pays,
                    };
                    let lot = self.market(market).map_or(1, |market| market.rules(now).lot);
                    let lots = base.minor().checked_div(u128::from(lot)).unwrap_or(0);
                    let lots = Quantity::new(u64::try_from(lots).unwrap_or(0));
                    self.hedge(market, offer.side, lots, now, funds, events);
                }
                VenueId::Pool(pool) => self.hedge_in_pool(pool, leg.pays, leg.takes, now, funds, events),
            }
        }
        if let Some(market) = dealing::market_of(offer.pair, &self.markets, now) {
            let lot = self.market(market).map_or(1, |market| market.rules(now).lot);
            if let Some((side, lots)) = self.dealing.imbalance(offer.pair, lot, now, funds) {
                self.hedge(market, side, lots, now, funds, events);
            }
        }
        Ok(())
    }

    /// Buys or sells for the bank in a book what there is within the halt band. What cannot be had stays the bank's risk until the next time.
    fn hedge<F: Funds>(
        &mut self,
        number: MarketNumber,
        side: Side,
        lots: Quantity,
        now: Timestamp,
        funds: &mut F,
        events: &mut Vec<Event>,
    ) {
        let Some(market) = self.market(number) else { return };
        let Some(seat) = self.dealing.seat(market) else { return };
        let (low, high) = market.rules(now).halt_band(market.reference());
        let worst = match side {
            Side::Bid => high,
            Side::Ask => low,
        };
        let place = PlaceRow {
            in_force: InForce::ImmediateOrCancel,
            ..PlaceRow::limit(side, worst, lots.min(market.rules(now).quantity_max))
        };
        let ask = crate::row::Ask::Place(place);
        // A refusal leaves nothing: no trade, and nothing to undo.
        self.with(number, now, funds, events, |market, turn| {
            let _ = market.take(seat, &ask, Owner::Bank, turn);
        });
    }

    fn hedge_in_pool<F: Funds>(
        &mut self,
        number: PoolNumber,
        pays: Amount,
        takes: Amount,
        now: Timestamp,
        funds: &mut F,
        events: &mut Vec<Event>,
    ) {
        let Some(row) = self.dealing.pool(number) else { return };
        let least = Amount::new(takes.asset(), 1);
        let command = PoolCommand::SwapIn { pays, takes_least: least };
        let Ok(change) = row.pool.decide(&command) else { return };
        let coins = row.pool.terms().coins.iter().map(|coin| coin.asset);
        let own = |asset| self.dealing.inventory().find(|(of, _)| *of == asset);
        let accounts = coins.map(|asset| own(asset).map_or(row.shares, |(_, own)| own.account)).collect();
        let shares = row.shares;
        let _ = self.move_pool(number, change, accounts, shares, now, funds, events);
    }

    #[expect(clippy::too_many_arguments, reason = "a command's fields and what every turn needs")]
    pub(super) fn move_pool<F: Funds>(
        &mut self,
        pool: PoolNumber,
        change: PoolChange,
        accounts: Vec<AccountId>,
        shares: AccountId,
        now: Timestamp,
        funds: &mut F,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let row = self.dealing.pool(pool).ok_or(Refusal::PoolUnknown { pool })?;
        let entry = crate::entry_id(self.serial.saturating_add(1));
        let moved = PoolMove { pool, change, accounts, shares, entry };
        let legs = dealing::pool_legs(row, &moved, funds).ok_or(Refusal::DealingAccounts)?;
        for (index, leg) in legs.iter().enumerate() {
            let twice = legs.iter().skip(index.saturating_add(1)).any(|other| other.account == leg.account);
            if twice {
                return Err(Refusal::DealingAccounts);
            }
            // Shares come out of nothing; all else must be there, on the pool's side as well: whoever keeps the books may have taken it away.
            let id = moved.accounts.iter().chain([&moved.shares]).chain(&row.accounts).copied();
            let is_real = id.filter_map(|id| funds.position(id).ok()).any(|at| at == leg.account);
            if is_real && leg.side == ledger::Side::Debit {
                funds.can_reserve(leg.account, leg.minor)?;
            }
        }
        self.say(Event::PoolMoved(moved), now, funds, events);
        Ok(())
    }
}
