//! All markets together: whose turn it is, and what the bank's people change about them.

mod hedge;

use std::collections::BTreeMap;

use ledger::Position;
use minicbor::{Decode, Encode};
use money::{AccountId, EntryId, Timestamp, invariant};
use smallvec::SmallVec;

use crate::book::{Book, BookCommand, BookEvent};
use crate::command::{Command, MarketChange, NewParent, OperatorName, Plan};
use crate::dealing::{self, Dealing, PriceRequest};
use crate::event::{Event, FillSum, Label, Outcome, RowRefused};
use crate::market::{
    CallReason, EVERY_MS_MAX, EVERY_MS_MIN, Funds, Market, Owner, PIECES, ParentEnd, ParentNumber, Phase,
    Rules, RulesByTime, RulesRow, SeatAccounts, SeatRow, Serials, Turn,
};
use crate::pool::PoolNumber;
use crate::quote::{Accept, QuoteRequest};
use crate::row::{OrderBatch, OrderRow};
use crate::{MarketNumber, Price, Refusal, Seat, StpGroup};

/// Rows that are looked at together before they are taken one by one.
const AHEAD: u32 = 16;
/// Most proposals that wait at once.
const PROPOSALS_MAX: usize = 100;

/// A change of the markets that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// Who proposed it.
    #[n(0)]
    pub by: OperatorName,
    /// When.
    #[n(1)]
    pub at: Timestamp,
    /// What.
    #[n(2)]
    pub change: MarketChange,
}

/// Who asks, as the bank found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name, where it is one of the bank's people.
    pub operator: Option<OperatorName>,
    /// Whose seats are theirs.
    pub owner: Owner,
}

/// What a command led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// As the journal keeps it.
    pub outcome: Outcome,
    /// Why each refused row was refused, in the order of the outcome.
    pub refusals: Vec<Refusal>,
}

/// All markets, and what waits for approval.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub struct Exchange {
    #[n(0)]
    markets: Vec<Market>,
    #[n(1)]
    proposals: BTreeMap<u64, Proposal>,
    #[n(2)]
    proposals_count: u64,
    /// How many entries of the ledger came from here.
    #[n(3)]
    serial: u64,
    /// Prices, offers, pools.
    #[n(4)]
    dealing: Dealing,
    /// Room for the events of one command of a book.
    #[cbor(skip)]
    scratch: Vec<BookEvent>,
    /// What the fills of the command under way moved.
    #[cbor(skip)]
    fills: Vec<FillSum>,
}

impl Exchange {
    /// Whether an id is one of those that the exchange gives to entries.
    #[must_use]
    pub const fn is_own_number(number: u128) -> bool {
        number >> 64 == crate::OWN_RANGE >> 64
    }

    /// A market.
    #[must_use]
    pub fn market(&self, number: MarketNumber) -> Option<&Market> {
        self.markets.get(index(number)?)
    }

    /// All markets, in the order in which they were opened.
    #[must_use]
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// Prices, offers, pools.
    #[must_use]
    pub const fn dealing(&self) -> &Dealing {
        &self.dealing
    }

    /// Whether money may come to an account, or go from it, without anybody asking for it any more: it has orders, or the bank deals with it. Such an account
    /// stays open.
    #[must_use]
    pub fn needs(&self, account: AccountId) -> bool {
        self.dealing.needs(account) || self.markets.iter().any(|market| market.needs(account))
    }

    /// What waits for approval.
    pub fn proposals(&self) -> impl Iterator<Item = (u64, &Proposal)> {
        self.proposals.iter().map(|(number, proposal)| (*number, proposal))
    }

    /// When the next thing happens by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.markets.iter().filter_map(Market::next_due).chain(self.dealing.next_due()).min()
    }

    /// Takes a command: decides and applies as it goes. A refusal leaves nothing.
    ///
    /// # Errors
    /// A [`Refusal`]; of a batch each row has its own instead.
    pub fn take<F: Funds>(
        &mut self,
        command: &Command,
        caller: &Caller,
        now: Timestamp,
        funds: &mut F,
    ) -> Result<Taken, Refusal> {
        let mut taken = Taken::default();
        match command {
            Command::Orders(batch) => self.take_orders(batch, caller, now, funds, &mut taken),
            _ => self.take_one(command, caller, now, funds, &mut taken.outcome.events)?,
        }
        taken.outcome.fills = std::mem::take(&mut self.fills);
        Ok(taken)
    }

    fn take_orders<F: Funds>(
        &mut self,
        batch: &OrderBatch,
        caller: &Caller,
        now: Timestamp,
        funds: &mut F,
        taken: &mut Taken,
    ) {
        let mut ahead = batch.rows();
        let is_large = self.markets.iter().any(|market| market.book().is_large());
        for (number, row) in (0_u32..).zip(batch.rows()) {
            if is_large && number % AHEAD == 0 {
                self.look_ahead(ahead.by_ref().take(AHEAD as usize));
            }
            let Self { markets, serial, scratch, fills, .. } = self;
            let market = index(row.market).and_then(|index| markets.get_mut(index));
            let events = &mut taken.outcome.events;
            let mut turn =
                Turn { now, serials: Serials { last: serial, fills }, funds: &mut *funds, events, scratch };
            let done = match market {
                Some(market) => market.take(row.seat, &row.ask, caller.owner, &mut turn),
                None => Err(Refusal::MarketUnknown { market: row.market }),
            };
            match (done, row.ask) {
                (Ok(Some(id)), crate::row::Ask::Place(_)) => taken.outcome.placed.push(id),
                (Ok(_), _) => {}
                (Err(refusal), _) => {
                    taken.outcome.refused.push(RowRefused { row: number, code: refusal.code() });
                    taken.refusals.push(refusal);
                }
            }
        }
    }

    /// Has what the next rows will touch fetched, where their book is large.
    fn look_ahead(&self, rows: impl Iterator<Item = OrderRow>) {
        let mut next: SmallVec<[BookCommand; AHEAD as usize]> = SmallVec::new();
        let mut of: Option<&Market> = None;
        for row in rows {
            // Rows that come together are nearly always about one market.
            let market = *of.get_or_insert(match self.market(row.market) {
                Some(market) if market.book().is_large() => market,
                _ => continue,
            });
            if market.number() == row.market {
                next.extend(row.command_ahead());
            }
        }
        if let Some(market) = of {
            market.book().look_ahead(&next);
        }
    }

    fn take_one<F: Funds>(
        &mut self,
        command: &Command,
        caller: &Caller,
        now: Timestamp,
        funds: &mut F,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        match command {
            Command::Orders(_) => Ok(()),
            Command::TakeSeat { market, base, quote, group } => {
                let event = self.decide_seat(*market, [*base, *quote], *group, caller, now, funds)?;
                self.say(event, now, funds, events);
                Ok(())
            }
            Command::StopSeat { market, seat } | Command::FreeSeat { market, seat } => {
                let row = self.known(*market)?.seat(*seat).ok_or(Refusal::SeatUnknown { seat: *seat })?;
                let is_stopped = matches!(command, Command::StopSeat { .. });
                // The bank stops anybody's seat, and frees it; an owner does so with their own.
                if caller.operator.is_none() && row.owner != caller.owner {
                    return Err(Refusal::SeatForeign { seat: *seat });
                }
                let event = Event::SeatStopped { market: *market, seat: *seat, is_stopped };
                self.say(event, now, funds, events);
                if is_stopped {
                    self.with(*market, now, funds, events, |market, turn| market.cancel_all(*seat, turn));
                }
                Ok(())
            }
            Command::PlaceParent(parent) => self.place_parent(parent, caller, now, funds, events),
            Command::EndParent { market, parent } => {
                let known = self.known(*market)?;
                let order = known.parents().find(|(number, _)| number == parent).map(|(_, of)| &of.order);
                let order = order.ok_or(Refusal::ParentUnknown { number: parent.number() })?;
                if known.seat(order.seat).is_none_or(|seat| seat.owner != caller.owner) {
                    return Err(Refusal::ParentUnknown { number: parent.number() });
                }
                self.with(*market, now, funds, events, |market, turn| {
                    market.finish_parent(*parent, ParentEnd::Cancelled, turn);
                });
                Ok(())
            }
            Command::Suspend { market } => {
                self.operator(caller)?;
                let phase = self.known(*market)?.phase();
                if phase == Phase::Suspended {
                    return Err(Refusal::Phase { market: *market, phase });
                }
                let event = Event::PhaseChanged { market: *market, phase: Phase::Suspended };
                self.say(event, now, funds, events);
                Ok(())
            }
            Command::Propose(change) => {
                let by = self.operator(caller)?;
                self.check_change(change, funds)?;
                if self.proposals.len() >= PROPOSALS_MAX {
                    return Err(Refusal::ProposalsFull { max: PROPOSALS_MAX });
                }
                let number = self.proposals_count.saturating_add(1);
                let event = Event::Proposed { number, by, change: change.clone() };
                self.say(event, now, funds, events);
                Ok(())
            }
            Command::ReadPrice { pair, reading } => {
                let change = self.dealing.prices().decide(*pair, reading, now)?;
                self.say(Event::Price(change), now, funds, events);
                Ok(())
            }
            Command::RequestQuote(request) => {
                let owner = dealing::customer(caller.owner)?;
                let PriceRequest { id, from, to, exact } = *request;
                let request = QuoteRequest { id, owner, from, to, exact };
                let change = self.dealing.quote(&request, &self.markets, now, funds)?;
                self.say(Event::Quote(change), now, funds, events);
                Ok(())
            }
            Command::AcceptQuote { offer, terms_hash } => {
                let owner = dealing::customer(caller.owner)?;
                let accept = Accept { id: *offer, owner, terms_hash: *terms_hash };
                self.accept(&accept, now, funds, events)
            }
            Command::UsePool { pool, command, accounts, shares } => {
                let known = self.dealing.pool(*pool).ok_or(Refusal::PoolUnknown { pool: *pool })?;
                let change = known.pool.decide(command)?;
                self.move_pool(*pool, change, accounts.clone(), *shares, now, funds, events)
            }
            Command::Approve { proposal } => self.approve(*proposal, caller, now, funds, events),
            Command::Withdraw { proposal } => {
                let by = self.operator(caller)?;
                self.proposal(*proposal)?;
                let event = Event::Decided { number: *proposal, by, is_approved: false };
                self.say(event, now, funds, events);
                Ok(())
            }
        }
    }

    fn approve<F: Funds>(
        &mut self,
        number: u64,
        caller: &Caller,
        now: Timestamp,
        funds: &mut F,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let by = self.operator(caller)?;
        let proposal = self.proposal(number)?;
        if proposal.by == by {
            return Err(Refusal::OwnProposal { by: by.as_str().to_owned() });
        }
        let change = proposal.change.clone();
        // What was sound when it was proposed may not be any more.
        self.check_change(&change, funds)?;
        self.say(Event::Decided { number, by, is_approved: true }, now, funds, events);
        match change {
            MarketChange::Open { rules, reference } => {
                let market =
                    MarketNumber::new(u32::try_from(self.markets.len()).unwrap_or(0).wrapping_add(1));
                self.say(Event::MarketOpened { market, rules, reference }, now, funds, events);
            }
            MarketChange::SetRules { market, from, rules } => {
                let from = from.max(now);
                self.say(Event::RulesSet { market, from, rules }, now, funds, events);
            }
            MarketChange::Resume { market, reference } => {
                if let Some(price) = reference {
                    self.say(Event::ReferenceSet { market, price }, now, funds, events);
                }
                let call_ms = self.known(market)?.rules(now).call_ms;
                let phase = Phase::Call { until: now.plus_ms(call_ms), why: CallReason::Resumption };
                self.say(Event::PhaseChanged { market, phase }, now, funds, events);
            }
            MarketChange::SetPriceTerms { pair, from, terms } => {
                let change = self.dealing.prices().decide_terms(pair, from.max(now), terms)?;
                self.say(Event::Price(change), now, funds, events);
            }
            MarketChange::SetConvertTerms { pair, from, terms } => {
                let change = self.dealing.desk().decide_terms(pair, from.max(now), terms)?;
                self.say(Event::Quote(change), now, funds, events);
            }
            MarketChange::SetInventory { asset, account, fees } => {
                self.say(Event::InventorySet { asset, account, fees }, now, funds, events);
            }
            MarketChange::OpenPool { terms, accounts, shares } => {
                let count = u32::try_from(self.dealing.pools().count()).unwrap_or(u32::MAX);
                let number = PoolNumber::new(count.saturating_add(1));
                self.say(Event::PoolOpened { number, terms, accounts, shares }, now, funds, events);
            }
        }
        Ok(())
    }

    const fn next_entry(&self) -> EntryId {
        crate::entry_id(self.serial.saturating_add(1))
    }

    fn check_change<F: Funds>(&self, change: &MarketChange, funds: &F) -> Result<(), Refusal> {
        let check_rules = |rules: &Rules| {
            rules.check()?;
            let fees = funds.position(rules.fee_account)?;
            if funds.asset(fees) == Some(rules.quote) { Ok(()) } else { Err(Refusal::RulesUnsound) }
        };
        match change {
            MarketChange::Open { rules, reference } => {
                check_rules(rules)?;
                if reference.ticks() == 0 { Err(Refusal::RulesUnsound) } else { Ok(()) }
            }
            MarketChange::SetRules { market, rules, .. } => {
                let known = self.known(*market)?;
                check_rules(rules)?;
                let first = known.rules_rows().next();
                if first.is_some_and(|first| rules.may_follow(&first.rules)) {
                    Ok(())
                } else {
                    Err(Refusal::RulesFixed)
                }
            }
            MarketChange::Resume { market, reference } => {
                let phase = self.known(*market)?.phase();
                if phase != Phase::Suspended {
                    return Err(Refusal::Phase { market: *market, phase });
                }
                if reference.is_some_and(|price| price.ticks() == 0) {
                    return Err(Refusal::RulesUnsound);
                }
                Ok(())
            }
            MarketChange::SetPriceTerms { pair, from, terms } => {
                self.dealing.prices().decide_terms(*pair, *from, terms.clone())?;
                Ok(())
            }
            MarketChange::SetConvertTerms { pair, from, terms } => {
                self.dealing.desk().decide_terms(*pair, *from, terms.clone())?;
                Ok(())
            }
            MarketChange::SetInventory { asset, account, fees } => {
                let is_busy = self.dealing.inventory().any(|(of, _)| of == *asset)
                    && !self.dealing.desk().promised(*asset).is_zero();
                if is_busy {
                    // What open offers promise is set aside on the account that is there now.
                    return Err(Refusal::DealingAccounts);
                }
                self.dealing.check_inventory(*asset, *account, *fees, funds)
            }
            MarketChange::OpenPool { terms, accounts, shares } => {
                self.dealing.check_pool(terms, accounts, *shares, funds)
            }
        }
    }

    fn decide_seat<F: Funds>(
        &self,
        number: MarketNumber,
        [base, quote]: [AccountId; 2],
        group: Option<u32>,
        caller: &Caller,
        now: Timestamp,
        funds: &F,
    ) -> Result<Event, Refusal> {
        let market = self.known(number)?;
        let accounts = SeatAccounts { base: funds.position(base)?, quote: funds.position(quote)? };
        let rules = market.rules(now);
        let fits = |account: Position, asset| {
            funds.asset(account) == Some(asset) && market.seat_of(account).is_none()
        };
        // A fill's entry names each account once, and what a pool has is the pool's.
        let is_taken =
            quote == rules.fee_account || [base, quote].iter().any(|id| self.dealing.is_of_pool(*id));
        if is_taken || !fits(accounts.base, rules.base) || !fits(accounts.quote, rules.quote) {
            return Err(Refusal::SeatAccounts);
        }
        let seat = u32::try_from(market.seats().count()).unwrap_or(u32::MAX);
        // Groups that somebody names lie above those that each seat has for itself.
        let group = match group {
            Some(named) => StpGroup::new(named | (1 << 31)),
            None => StpGroup::new(seat.saturating_add(1)),
        };
        let (seat, owner) = (Seat::new(seat), caller.owner);
        Ok(Event::SeatTaken { market: number, seat, base, quote, group, owner })
    }

    fn place_parent<F: Funds>(
        &mut self,
        parent: &NewParent,
        caller: &Caller,
        now: Timestamp,
        funds: &mut F,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        check_plan(parent)?;
        let market = self.known(parent.market)?;
        if market.phase() != Phase::Open {
            return Err(Refusal::Phase { market: parent.market, phase: market.phase() });
        }
        let seat = market.seat(parent.seat).ok_or(Refusal::SeatUnknown { seat: parent.seat })?;
        if seat.owner != caller.owner {
            return Err(Refusal::SeatForeign { seat: parent.seat });
        }
        if seat.is_stopped {
            return Err(Refusal::SeatStopped { seat: parent.seat });
        }
        let max = market.rules(now).open_orders_max;
        let open = market.parents().filter(|(_, of)| of.order.seat == parent.seat).count();
        if open >= usize::try_from(max).unwrap_or(usize::MAX) {
            return Err(Refusal::OrdersFull { max });
        }
        market.check_first_child(parent, now, funds)?;
        let number = ParentNumber::new(market.parents_count().saturating_add(1));
        self.say(Event::ParentPlaced { number, parent: parent.clone() }, now, funds, events);
        self.with(parent.market, now, funds, events, |market, turn| market.start_parent(number, turn));
        Ok(())
    }

    /// Ends, places and changes what falls due by `now`; says nothing where nothing is due.
    pub fn tick<F: Funds>(&mut self, now: Timestamp, funds: &mut F) -> Outcome {
        let mut events = Vec::new();
        if let Some(change) = self.dealing.desk().decide_tick(now) {
            self.say(Event::Quote(change), now, funds, &mut events);
        }
        let due = |market: &&Market| market.next_due().is_some_and(|due| due <= now);
        let due: Vec<MarketNumber> = self.markets.iter().filter(due).map(Market::number).collect();
        for number in due {
            self.with(number, now, funds, &mut events, Market::tick);
        }
        Outcome { events, fills: std::mem::take(&mut self.fills), ..Outcome::default() }
    }

    /// Does again what the journal says was done.
    pub fn replay<F: Funds>(&mut self, outcome: &Outcome, recorded_at: Timestamp, funds: &mut F) {
        for event in &outcome.events {
            self.apply(event, recorded_at, funds);
        }
        invariant!(self.fills == outcome.fills, "fills of the journal are not those of its events");
        self.fills.clear();
    }

    /// Applies an event and writes it down.
    fn say<F: Funds>(&mut self, event: Event, now: Timestamp, funds: &mut F, events: &mut Vec<Event>) {
        self.apply(&event, now, funds);
        events.push(event);
    }

    fn with<F: Funds, R>(
        &mut self,
        number: MarketNumber,
        now: Timestamp,
        funds: &mut F,
        events: &mut Vec<Event>,
        act: impl FnOnce(&mut Market, &mut Turn<'_, F>) -> R,
    ) -> Option<R> {
        let Self { markets, serial, scratch, fills, .. } = self;
        let market = index(number).and_then(|index| markets.get_mut(index))?;
        let mut turn = Turn { now, serials: Serials { last: serial, fills }, funds, events, scratch };
        Some(act(market, &mut turn))
    }

    fn apply<F: Funds>(&mut self, event: &Event, now: Timestamp, funds: &mut F) {
        match event {
            Event::MarketOpened { market, rules, reference } => {
                self.open(*market, rules, *reference, now, funds);
            }
            Event::Proposed { number, by, change } => {
                let proposal = Proposal { by: by.clone(), at: now, change: change.clone() };
                self.proposals.insert(*number, proposal);
                self.proposals_count = *number;
            }
            Event::Decided { number, .. } => {
                self.proposals.remove(number);
            }
            Event::Converted { .. } | Event::PoolMoved(_) => {
                self.serial = self.serial.saturating_add(1);
                self.dealing.apply(event, funds);
            }
            Event::Price(_) | Event::Quote(_) | Event::InventorySet { .. } | Event::PoolOpened { .. } => {
                self.dealing.apply(event, funds);
            }
            Event::Book { market, .. }
            | Event::Labelled { market, .. }
            | Event::RulesSet { market, .. }
            | Event::PhaseChanged { market, .. }
            | Event::ReferenceSet { market, .. }
            | Event::SeatTaken { market, .. }
            | Event::SeatStopped { market, .. }
            | Event::ParentWorked { market, .. }
            | Event::ParentEnded { market, .. } => self.apply_to(*market, event, now, funds),
            Event::ParentPlaced { parent, .. } => self.apply_to(parent.market, event, now, funds),
        }
    }

    fn apply_to<F: Funds>(&mut self, number: MarketNumber, event: &Event, now: Timestamp, funds: &mut F) {
        let Self { markets, serial, fills, .. } = self;
        let Some(market) = index(number).and_then(|index| markets.get_mut(index)) else {
            invariant!(false, "an event of market {number}, which does not exist");
            return;
        };
        match event {
            Event::Book { events, .. } => {
                let mut serials = Serials { last: serial, fills };
                for event in events {
                    market.replay(event, now, &mut serials, funds);
                }
            }
            Event::Labelled { label, .. } => market.label = *label,
            Event::RulesSet { from, rules, .. } => market.set_rules(*from, rules, now),
            Event::PhaseChanged { phase, .. } => market.set_phase(*phase, now),
            Event::ReferenceSet { price, .. } => market.set_reference(*price, now),
            Event::SeatTaken { seat, base, quote, group, owner, .. } => {
                let (Ok(at_base), Ok(at_quote)) = (funds.position(*base), funds.position(*quote)) else {
                    invariant!(false, "a seat with accounts that are not in the books");
                    return;
                };
                let accounts = SeatAccounts { base: at_base, quote: at_quote };
                let (base, quote, group, owner) = (*base, *quote, *group, *owner);
                let row = SeatRow { base, quote, accounts, group, owner, open: 0, is_stopped: false };
                market.take_seat(*seat, row);
            }
            Event::SeatStopped { seat, is_stopped, .. } => market.set_stopped(*seat, *is_stopped),
            Event::ParentPlaced { number, parent } => market.place_parent(*number, parent, now),
            Event::ParentWorked { number, next, .. } => market.parent_worked(*number, *next),
            Event::ParentEnded { number, .. } => market.end_parent(*number),
            // Of no single market.
            _ => {}
        }
    }

    fn open<F: Funds>(
        &mut self,
        number: MarketNumber,
        rules: &Rules,
        reference: Price,
        now: Timestamp,
        funds: &F,
    ) {
        let fee_account = funds.position(rules.fee_account);
        invariant!(fee_account.is_ok(), "market {number} has no account for fees");
        let Ok(fee_account) = fee_account else { return };
        let mut market = Market {
            number,
            rules: RulesByTime { first: RulesRow { from: now, rules: rules.clone() }, later: Vec::new() },
            phase: Phase::Closed,
            phase_due: None,
            book: Book::around(reference),
            claims: Vec::new(),
            seats: Vec::new(),
            seat_of: BTreeMap::new(),
            reference,
            reference_since: now,
            expiries: Default::default(),
            clients: Default::default(),
            parents: BTreeMap::new(),
            parents_count: 0,
            pieces: Default::default(),
            rising: Default::default(),
            falling: Default::default(),
            trades: 0,
            label: Label::default(),
            fee_account,
        };
        // What its hours say, it does from its first tick on; without hours it is open.
        let phase = if rules.hours.is_some() { Phase::Closed } else { Phase::Open };
        market.set_phase(phase, now);
        if rules.hours.is_some() {
            market.phase_due = Some(now);
        }
        self.markets.push(market);
    }

    fn known(&self, market: MarketNumber) -> Result<&Market, Refusal> {
        self.market(market).ok_or(Refusal::MarketUnknown { market })
    }

    fn proposal(&self, number: u64) -> Result<&Proposal, Refusal> {
        self.proposals.get(&number).ok_or(Refusal::ProposalUnknown { number })
    }

    fn operator(&self, caller: &Caller) -> Result<OperatorName, Refusal> {
        caller.operator.clone().ok_or(Refusal::NotForOwners)
    }

    /// What is wrong with the markets, in words; empty when every invariant holds. Walks every order.
    #[must_use]
    pub fn broken_invariants(&self) -> Vec<String> {
        let mut broken = self.dealing.broken_invariants();
        broken.extend(self.markets.iter().flat_map(Market::broken_invariants));
        broken
    }

    /// What is set aside on each account for orders and open offers.
    #[must_use]
    pub fn reserved(&self) -> BTreeMap<Position, u128> {
        let mut sums = BTreeMap::new();
        self.dealing.reserved(&mut sums);
        for market in &self.markets {
            for claim in market.claims() {
                let Some(seat) = market.seat(claim.seat) else { continue };
                let sum: &mut u128 = sums.entry(seat.accounts.drawn_on(claim.side)).or_default();
                *sum = sum.saturating_add(claim.reserved);
            }
        }
        sums
    }
}

fn index(number: MarketNumber) -> Option<usize> {
    usize::try_from(number.number().checked_sub(1)?).ok()
}

fn check_plan(parent: &NewParent) -> Result<(), Refusal> {
    let malformed = |why| Err(Refusal::Malformed { why });
    if parent.quantity.is_zero() {
        return malformed("a quantity of nothing");
    }
    match parent.plan {
        Plan::OneCancelsOther { limit, trigger, stop_limit } => {
            if limit.ticks() == 0 || trigger.ticks() == 0 || stop_limit.ticks() == 0 {
                return malformed("a price of nothing");
            }
            // What waits for a better price stands on one side, what ends the wait on the other.
            if trigger.crosses(parent.side, limit) && trigger != limit {
                Ok(())
            } else {
                malformed("the trigger lies on the same side as the limit")
            }
        }
        Plan::TimeWeighted { limit, pieces, every_ms } => {
            if limit.ticks() == 0 {
                return malformed("a price of nothing");
            }
            if !PIECES.contains(&pieces) || !(EVERY_MS_MIN..=EVERY_MS_MAX).contains(&every_ms) {
                return malformed("2 to 1,000 pieces, a second to a day apart");
            }
            if parent.quantity.lots() < u64::from(pieces) {
                return malformed("more pieces than lots");
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
