//! The bank's dealing: what it has to convert with, the prices it goes by, its open offers, and the pools.
//!
//! An offer sets aside what it promises on the bank's own account, so that taking it cannot fail for want of it. Taking it is one entry between the customer's accounts and
//! the bank's. What the bank gives away it gets back where the offer's route says, or in the book once its stock is too far from what it wants; should that fail, the bank bears it,
//! never the customer.

use std::collections::BTreeMap;

use ledger::{Position, Side as Leg, TradeLeg};
use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, CustomerId, Timestamp, invariant};
use smallvec::SmallVec;

use crate::event::{Event, PoolMove};
use crate::market::{Funds, Market, Movement, Owner, Phase};
use crate::pool::{Pool, PoolChange, PoolNumber, PoolTerms};
use crate::price::{Pair, Prices};
use crate::quote::{Desk, Offer, QuoteChange, Stock};
use crate::route::{BookSide, Exact, Venue};
use crate::{MarketNumber, Quantity, Refusal, Side};

/// Levels of a book that an offer is priced with.
const LEVELS_MAX: usize = 50;

/// The bank's own accounts in an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Inventory {
    /// What it converts with.
    #[n(0)]
    pub account: AccountId,
    /// Where fees in the asset go.
    #[n(1)]
    pub fees: AccountId,
    /// Where they stand in the books.
    #[n(2)]
    pub(crate) at: Position,
    #[n(3)]
    pub(crate) fees_at: Position,
}

/// A pool and its accounts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PoolRow {
    /// The pool.
    #[n(0)]
    pub pool: Pool,
    /// Its accounts, in the order of its coins.
    #[n(1)]
    pub accounts: Vec<AccountId>,
    /// The account that its shares come from.
    #[n(2)]
    pub shares: AccountId,
}

/// All of it.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub struct Dealing {
    #[n(0)]
    prices: Prices,
    #[n(1)]
    desk: Desk,
    #[n(2)]
    inventory: BTreeMap<Asset, Inventory>,
    #[n(3)]
    pools: Vec<PoolRow>,
}

impl Dealing {
    /// The prices of all pairs.
    #[must_use]
    pub const fn prices(&self) -> &Prices {
        &self.prices
    }

    /// Terms and offers.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The bank's accounts, by asset.
    pub fn inventory(&self) -> impl Iterator<Item = (Asset, &Inventory)> {
        self.inventory.iter().map(|(asset, inventory)| (*asset, inventory))
    }

    /// A pool.
    #[must_use]
    pub fn pool(&self, number: PoolNumber) -> Option<&PoolRow> {
        self.pools.get(usize::try_from(number.number().checked_sub(1)?).ok()?)
    }

    /// All pools, in the order of their numbers.
    pub fn pools(&self) -> impl Iterator<Item = (PoolNumber, &PoolRow)> {
        (1..).map(PoolNumber::new).zip(&self.pools)
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.desk.next_due()
    }

    /// Whether an account is a pool's: what is on it is what the pool's curve says, and nobody else may draw on it.
    pub(crate) fn is_of_pool(&self, account: AccountId) -> bool {
        self.pools.iter().any(|row| row.shares == account || row.accounts.contains(&account))
    }

    /// Whether the bank deals with an account.
    pub(crate) fn needs(&self, account: AccountId) -> bool {
        let is_own = |own: &Inventory| own.account == account || own.fees == account;
        self.is_of_pool(account) || self.inventory.values().any(is_own)
    }

    /// Checks the accounts that the bank wants to convert with.
    pub(crate) fn check_inventory<F: Funds>(
        &self,
        asset: Asset,
        account: AccountId,
        fees: AccountId,
        funds: &F,
    ) -> Result<(), Refusal> {
        let fits = [funds.position(account)?, funds.position(fees)?];
        let fits = account != fees
            && !self.is_of_pool(account)
            && !self.is_of_pool(fees)
            && fits.iter().all(|at| funds.asset(*at) == Some(asset));
        if fits { Ok(()) } else { Err(Refusal::DealingAccounts) }
    }

    /// Checks a pool that is to be opened.
    pub(crate) fn check_pool<F: Funds>(
        &self,
        terms: &PoolTerms,
        accounts: &[AccountId],
        shares: AccountId,
        funds: &F,
    ) -> Result<(), Refusal> {
        Pool::open(terms.clone())?;
        let assets = terms.coins.iter().map(|coin| coin.asset).chain([terms.share]);
        let all: Vec<AccountId> = accounts.iter().copied().chain([shares]).collect();
        let mut fits = all.len() == terms.coins.len().saturating_add(1);
        for (account, asset) in all.iter().zip(assets) {
            let twice = all.iter().filter(|other| *other == account).count() > 1;
            let is_own = self.inventory.values().any(|own| own.account == *account || own.fees == *account);
            fits &= !twice && !is_own && !self.is_of_pool(*account);
            fits &= funds.asset(funds.position(*account)?) == Some(asset);
        }
        if fits { Ok(()) } else { Err(Refusal::DealingAccounts) }
    }

    /// The change that a request for a price leads to.
    pub(crate) fn quote<F: Funds>(
        &self,
        request: &crate::quote::QuoteRequest,
        markets: &[Market],
        now: Timestamp,
        funds: &F,
    ) -> Result<QuoteChange, Refusal> {
        let (pair, side) = self.desk.pair_of(&request.exact, now)?;
        let (pays, takes) = request.exact.assets();
        let from = funds.position(request.from)?;
        let to = funds.position(request.to)?;
        if request.from == request.to
            || funds.asset(from) != Some(pays)
            || funds.asset(to) != Some(takes)
            || self.inventory.values().any(|own| own.account == request.from || own.account == request.to)
        {
            return Err(Refusal::DealingAccounts);
        }
        let mid = self.prices.mid(pair, now).map_err(crate::quote::QuoteRefusal::from)?;
        let stock = Stock {
            mid,
            base: self.stock(pair.base, funds)?,
            quote: self.stock(pair.quote, funds)?,
            venues: self.venues(pair, side, markets, now),
        };
        Ok(self.desk.decide_offer(request, &stock, now)?)
    }

    /// What the bank has of an asset, with what its offers promise.
    fn stock<F: Funds>(&self, asset: Asset, funds: &F) -> Result<Amount, Refusal> {
        let own = self.inventory.get(&asset).ok_or(Refusal::NoInventory { asset })?;
        let free = funds.available(own.at);
        let promised = self.desk.promised(asset);
        promised.plus(Amount::new(asset, free)).map_err(|_| Refusal::NoInventory { asset })
    }

    /// Books and pools where the bank could get what a customer takes.
    fn venues<'a>(&'a self, pair: Pair, side: Side, markets: &[Market], now: Timestamp) -> Vec<Venue<'a>> {
        let mut venues = Vec::new();
        for market in markets {
            let rules = market.rules(now);
            let fits = rules.base == pair.base && rules.quote == pair.quote && market.phase() == Phase::Open;
            if !fits || self.seat(market).is_none() {
                continue;
            }
            let levels = market.book().depth(side.opposite()).take(LEVELS_MAX);
            venues.push(Venue::Book(BookSide {
                market: market.number(),
                side,
                lot: rules.lot,
                tick: rules.tick,
                fee_ppm: rules.fees.taker_ppm,
                levels: levels.map(|level| (level.price, level.shown)).collect(),
            }));
        }
        for (number, row) in self.pools() {
            let has = |asset| row.pool.terms().coins.iter().any(|coin| coin.asset == asset);
            if has(pair.base) && has(pair.quote) && !row.pool.is_empty() {
                venues.push(Venue::Pool { number, pool: &row.pool });
            }
        }
        venues
    }

    /// The bank's seat in a market, with its inventory in both assets.
    pub(crate) fn seat(&self, market: &Market) -> Option<crate::Seat> {
        let rules = market.rules_rows().next().map(|row| &row.rules)?;
        let (base, quote) = (self.inventory.get(&rules.base)?, self.inventory.get(&rules.quote)?);
        let seat = market.seat_of(base.at)?;
        let row = market.seat(seat)?;
        (row.owner == Owner::Bank && row.accounts.quote == quote.at).then_some(seat)
    }

    /// How many lots the bank has to buy or sell in the book to come back to what it wants, where it is too far from it.
    pub(crate) fn imbalance<F: Funds>(
        &self,
        pair: Pair,
        lot: u64,
        now: Timestamp,
        funds: &F,
    ) -> Option<(Side, Quantity)> {
        let terms = self.desk.terms(pair, now)?;
        let stock = self.stock(pair.base, funds).ok()?;
        let (side, away) = match terms.target.minus(stock) {
            Ok(short) => (Side::Bid, short),
            Err(_) => (Side::Ask, stock.minus(terms.target).ok()?),
        };
        if away.minor() <= terms.target_band.minor() {
            return None;
        }
        let lots = away.minor().checked_div(u128::from(lot)).and_then(|lots| u64::try_from(lots).ok())?;
        (lots > 0).then(|| (side, Quantity::new(lots)))
    }

    /// Takes up what happened, and moves the money.
    pub(crate) fn apply<F: Funds>(&mut self, event: &Event, funds: &mut F) {
        match event {
            Event::Price(change) => self.prices.apply(change),
            Event::Quote(change) => {
                self.set_aside(change, funds);
                self.desk.apply(change);
            }
            Event::InventorySet { asset, account, fees } => {
                let (Ok(at), Ok(fees_at)) = (funds.position(*account), funds.position(*fees)) else {
                    invariant!(false, "the bank's accounts in {asset} are not in the books");
                    return;
                };
                let inventory = Inventory { account: *account, fees: *fees, at, fees_at };
                self.inventory.insert(*asset, inventory);
            }
            Event::Converted { offer, at, entry } => {
                let Some(taken) = self.desk.offer(*offer).cloned() else {
                    invariant!(false, "offer {offer} is taken and not open");
                    return;
                };
                self.convert(&taken, *entry, funds);
                self.desk.apply(&QuoteChange::Accepted { id: *offer, at: *at });
            }
            Event::PoolOpened { terms, accounts, shares, .. } => {
                let Ok(pool) = Pool::open(terms.clone()) else {
                    invariant!(false, "a pool that cannot be is opened");
                    return;
                };
                self.pools.push(PoolRow { pool, accounts: accounts.clone(), shares: *shares });
            }
            Event::PoolMoved(moved) => self.move_pool(moved, funds),
            _ => {}
        }
    }

    /// What an offer promises is set aside until it ends.
    fn set_aside<F: Funds>(&self, change: &QuoteChange, funds: &mut F) {
        match change {
            QuoteChange::Offered(offer) => {
                if let Some(own) = self.inventory.get(&offer.takes.asset()) {
                    funds.carry_out(&Movement::Reserve { account: own.at, minor: gives(offer) });
                }
            }
            QuoteChange::Expired { ids } => {
                for offer in ids.iter().filter_map(|id| self.desk.offer(*id)) {
                    if let Some(own) = self.inventory.get(&offer.takes.asset()) {
                        funds.carry_out(&Movement::Unreserve { account: own.at, minor: gives(offer) });
                    }
                }
            }
            QuoteChange::TermsSet { .. } | QuoteChange::Accepted { .. } => {}
        }
    }

    /// Posts an offer that was taken.
    fn convert<F: Funds>(&self, offer: &Offer, entry: money::EntryId, funds: &mut F) {
        let request = &offer.request;
        let own = (self.inventory.get(&offer.pays.asset()), self.inventory.get(&offer.takes.asset()));
        let accounts = (funds.position(request.from), funds.position(request.to));
        let ((Some(into), Some(out_of)), (Ok(from), Ok(to))) = (own, accounts) else {
            invariant!(false, "offer {} is taken and has no accounts", offer.id());
            return;
        };
        // The fee is in quote: a part of what is paid, or taken off before what is taken.
        let (paid_fee, fees_at) = match offer.side {
            Side::Bid => (offer.fee.minor(), into.fees_at),
            Side::Ask => (0, out_of.fees_at),
        };
        let given = gives(offer);
        let mut legs: SmallVec<[TradeLeg; 5]> = SmallVec::new();
        let mut leg = |account: Position, side: Leg, minor: u128, frees: u128| {
            if minor > 0 || frees > 0 {
                legs.push(TradeLeg { account, side, minor, frees });
            }
        };
        leg(from, Leg::Debit, offer.pays.minor(), 0);
        leg(into.at, Leg::Credit, offer.pays.minor().saturating_sub(paid_fee), 0);
        leg(out_of.at, Leg::Debit, given, given);
        leg(to, Leg::Credit, offer.takes.minor(), 0);
        leg(fees_at, Leg::Credit, offer.fee.minor(), 0);
        funds.carry_out(&Movement::Trade { id: entry, legs, reference: 0 });
    }

    /// Posts what a pool takes in and gives out.
    fn move_pool<F: Funds>(&mut self, moved: &PoolMove, funds: &mut F) {
        let index = moved.pool.number().checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let Some(row) = index.and_then(|index| self.pools.get_mut(index)) else {
            invariant!(false, "pool {} moves and does not exist", moved.pool);
            return;
        };
        let legs = pool_legs(row, moved, funds);
        invariant!(legs.is_some(), "a move of pool {} has no accounts", moved.pool);
        if let Some(legs) = legs {
            funds.carry_out(&Movement::Trade { id: moved.entry, legs, reference: 0 });
        }
        row.pool.apply(&moved.change);
    }

    /// What is set aside on each of the bank's accounts for open offers.
    pub(crate) fn reserved(&self, sums: &mut BTreeMap<Position, u128>) {
        for offer in self.desk.open() {
            let Some(own) = self.inventory.get(&offer.takes.asset()) else { continue };
            let sum = sums.entry(own.at).or_default();
            *sum = sum.saturating_add(gives(offer));
        }
    }

    /// What does not hold; the accounts of pools hold what the pools believe.
    pub(crate) fn broken_invariants(&self) -> Vec<String> {
        self.desk.broken_invariants()
    }
}

/// What the bank gives for an offer: what the customer takes, and the fee where it is taken off before.
fn gives(offer: &Offer) -> u128 {
    match offer.side {
        Side::Bid => offer.takes.minor(),
        Side::Ask => offer.takes.minor().saturating_add(offer.fee.minor()),
    }
}

/// The legs of a pool's move: what goes in from whoever moves it, what comes out, and shares. None where an account that it touches is not open or of another asset.
pub(crate) fn pool_legs<F: Funds>(
    row: &PoolRow,
    moved: &PoolMove,
    funds: &F,
) -> Option<SmallVec<[TradeLeg; 5]>> {
    let mut legs: SmallVec<[TradeLeg; 5]> = SmallVec::new();
    let mut leg = |account: AccountId, side: Leg, amount: Amount| {
        if !amount.is_zero() {
            let account = funds.position(account).ok()?;
            (funds.asset(account)? == amount.asset()).then_some(())?;
            legs.push(TradeLeg { account, side, minor: amount.minor(), frees: 0 });
        }
        Some(())
    };
    let coins = &row.pool.terms().coins;
    let mut coin = |amount: Amount, is_in: bool| {
        let place = coins.iter().position(|coin| coin.asset == amount.asset())?;
        let (theirs, ours) = (*moved.accounts.get(place)?, *row.accounts.get(place)?);
        let (from, to) = if is_in { (theirs, ours) } else { (ours, theirs) };
        leg(from, Leg::Debit, amount)?;
        leg(to, Leg::Credit, amount)
    };
    match &moved.change {
        PoolChange::Swapped(swap) => {
            coin(swap.paid, true)?;
            coin(swap.taken, false)?;
        }
        PoolChange::Added { paid, shares, locked: _ } => {
            paid.iter().try_for_each(|amount| coin(*amount, true))?;
            leg(row.shares, Leg::Debit, *shares)?;
            leg(moved.shares, Leg::Credit, *shares)?;
        }
        PoolChange::Removed { taken, shares } => {
            taken.iter().try_for_each(|amount| coin(*amount, false))?;
            leg(moved.shares, Leg::Debit, *shares)?;
            leg(row.shares, Leg::Credit, *shares)?;
        }
    }
    Some(legs)
}

/// Whether an account that a request names is the sender's is for the bank to say; this says whose the request is.
pub(crate) const fn customer(owner: Owner) -> Result<CustomerId, Refusal> {
    match owner {
        Owner::Customer(customer) => Ok(customer),
        Owner::Bank | Owner::Tenant(_) => Err(Refusal::NotForOwners),
    }
}

/// A request for a price, as a command brings it: whose it is follows from who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct PriceRequest {
    /// The id of the offer, made by whoever asks.
    #[n(0)]
    pub id: crate::quote::OfferId,
    /// The account that pays.
    #[n(1)]
    pub from: AccountId,
    /// The account that takes.
    #[n(2)]
    pub to: AccountId,
    /// How much of what for what.
    #[n(3)]
    pub exact: Exact,
}

/// The market in which a pair trades.
pub(crate) fn market_of(pair: Pair, markets: &[Market], now: Timestamp) -> Option<MarketNumber> {
    let fits = |market: &&Market| {
        let rules = market.rules(now);
        rules.base == pair.base && rules.quote == pair.quote && market.phase() == Phase::Open
    };
    markets.iter().find(fits).map(Market::number)
}
