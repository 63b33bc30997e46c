//! A made-up flow of commands with the mix and the statistics of exchange-core's own generator, as its recorded runs show them.
//!
//! | command | share | what it does |
//! |---|---|---|
//! | good till cancelled | 12.8 % | `1 + a·b·c` lots with `a`, `b`, `c` from 0 to 5; priced away from the last trade by up to 1,000 ticks times three or four uniform numbers |
//! | immediate or cancel | 1.75 % | the same quantities, at any price |
//! | whole for a budget | 0.06 % | the same, with a budget that suffices |
//! | cancel | 7.3 % | any open order |
//! | reduce | 7.3 % | any open order, by one lot up to all it came in with |
//! | move | 70.9 % | any open order, a hundredth of its way towards the last trade, one tick at least |
//!
//! About half of the quantities are one lot, a reduction ends about half of its orders, and two or three moves in a thousand trade; in those runs it is one
//! (60 orders) to nine (400 orders). Where the number of open orders leaves its target by more than a fiftieth, a cancel becomes an order or the
//! reverse. All is made before it is measured.

use std::collections::VecDeque;

use crate::book::{Book, BookCommand, BookEvent, InForce, NewOrder, SelfTrade, Terms};
use crate::{OrderId, Price, Quantity, Seat, Side, StpGroup};

/// Of an order that is gone, and of one that waits for its turn among those at work.
const NOWHERE: u32 = u32::MAX;
const LATER: u32 = u32::MAX - 1;

/// Where prices start.
pub const MIDDLE: u64 = 200_000;

/// How a flow is made.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Orders that rest.
    pub orders: usize,
    /// Owners.
    pub seats: u32,
    /// Farthest distance of a price from the last trade, in ticks.
    pub reach: u64,
    /// Whether prices are spread evenly over the reach, as in a deep book.
    pub is_even: bool,
    /// So many of the oldest orders are the ones that are cancelled, reduced and moved.
    pub window: usize,
    /// Whether the orders of one owner never trade with each other.
    pub is_grouped: bool,
    /// What the flow follows from.
    pub seed: u64,
}

impl Shape {
    /// The market that engines are compared with.
    pub const fn usual(seed: u64) -> Self {
        Self {
            orders: 1_000,
            seats: 125,
            reach: 1_000,
            is_even: false,
            window: usize::MAX,
            is_grouped: false,
            seed,
        }
    }

    /// The same with self-trade prevention.
    #[must_use]
    pub const fn grouped(seed: u64) -> Self {
        Self { is_grouped: true, ..Self::usual(seed) }
    }

    /// A million orders over a hundred thousand prices, of which the oldest 512 are at work, as exchange-core's generator has it.
    #[must_use]
    pub const fn deep(seed: u64) -> Self {
        Self {
            orders: 1_000_000,
            seats: 125_000,
            reach: 50_000,
            is_even: true,
            window: 512,
            is_grouped: false,
            seed,
        }
    }

    /// The same, but any of the million may be at work: the worst that can happen to a processor's caches.
    #[must_use]
    pub const fn deep_any(seed: u64) -> Self {
        Self { window: usize::MAX, ..Self::deep(seed) }
    }
}

/// What there is of each kind of command.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mix {
    /// Good till cancelled.
    pub limit: u64,
    /// Immediate or cancel.
    pub immediate: u64,
    /// Whole for a budget.
    pub whole: u64,
    /// Cancels.
    pub cancel: u64,
    /// Reductions.
    pub reduce: u64,
    /// Moves.
    pub moves: u64,
}

/// Makes commands against a book of its own, so that each names an order that is there.
#[derive(Debug)]
pub struct Flow {
    shape: Shape,
    state: u64,
    book: Book,
    /// The orders that commands are about.
    open: Vec<OrderId>,
    /// The others, oldest first; some may be gone.
    later: VecDeque<OrderId>,
    /// Where in `open` the order of a slot is.
    places: Vec<u32>,
    /// Orders far outside the band, which stay there.
    far: Vec<(OrderId, Price)>,
    last: u64,
    events: Vec<BookEvent>,
    mix: Mix,
}

impl Flow {
    /// A flow that has made nothing yet.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            state: shape.seed,
            book: Book::around(Price::new(MIDDLE)),
            open: Vec::new(),
            later: VecDeque::new(),
            places: Vec::new(),
            far: Vec::new(),
            last: MIDDLE,
            events: Vec::new(),
            mix: Mix::default(),
        }
    }

    /// The next pseudo-random number (SplitMix64).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()).wrapping_mul(u128::from(bound));
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// The commands that fill the book.
    pub fn fill(&mut self, commands: &mut Vec<BookCommand>) {
        while self.count() < self.shape.orders {
            let command = self.limit();
            self.keep(command, commands);
        }
    }

    /// Puts an order far outside the band on each side; from then on every sixty-fourth command moves one of them a little and back.
    pub fn go_far(&mut self, commands: &mut Vec<BookCommand>) {
        for (side, price) in [(Side::Bid, 1), (Side::Ask, 1 << 60)] {
            let terms = Terms::Limit(Price::new(price));
            let command = self.order(side, terms, InForce::UntilEnded, Quantity::new(1));
            self.keep(command, commands);
            self.far.extend(self.open.pop().map(|id| (id, Price::new(price))));
        }
    }

    fn far_move(&mut self) -> BookCommand {
        let at = usize::from(self.below(2) == 0);
        let Some((id, price)) = self.far.get_mut(at) else { return self.moves() };
        *price = Price::new(price.ticks() ^ 2);
        BookCommand::Move(*id, *price)
    }

    /// Further commands, in the mix.
    pub fn run(&mut self, count: usize, commands: &mut Vec<BookCommand>) {
        for _ in 0..count {
            let slack = (self.shape.orders / 50).max(1);
            let is_short = self.count().saturating_add(slack) < self.shape.orders;
            let is_long = self.count() > self.shape.orders.saturating_add(slack);
            if !self.far.is_empty() && self.below(64) == 0 {
                let command = self.far_move();
                self.keep(command, commands);
                continue;
            }
            let command = match self.below(10_011) {
                0..1_280 if !is_long => self.limit(),
                1_280..1_455 => self.immediate(),
                1_455..1_461 => self.whole(),
                0..1_280 | 1_461..2_191 => {
                    if is_short {
                        self.limit()
                    } else {
                        self.cancel()
                    }
                }
                2_191..2_921 => self.reduce(),
                _ => self.moves(),
            };
            self.keep(command, commands);
        }
    }

    fn keep(&mut self, command: BookCommand, commands: &mut Vec<BookCommand>) {
        self.events.clear();
        let taken = self.book.take(command, &mut self.events);
        debug_assert!(taken.is_ok(), "{command:?}: {taken:?}");
        let events = std::mem::take(&mut self.events);
        for event in &events {
            match *event {
                BookEvent::Rested { id } => self.opened(id),
                BookEvent::Filled { taker, maker, price, taker_left, maker_left, .. } => {
                    self.last = price.ticks();
                    for (id, left) in [(taker, taker_left), (maker, maker_left)] {
                        if left.is_zero() {
                            self.gone(id);
                        }
                    }
                }
                BookEvent::Ended { id, .. } => self.gone(id),
                _ => {}
            }
        }
        self.events = events;
        commands.push(command);
    }

    fn count(&self) -> usize {
        usize::try_from(self.book.count()).unwrap_or(usize::MAX)
    }

    fn opened(&mut self, id: OrderId) {
        let slot = id.slot() as usize;
        if self.places.len() <= slot {
            self.places.resize(slot.saturating_add(1), NOWHERE);
        }
        let is_new = self.places.get(slot) == Some(&NOWHERE);
        if is_new && self.open.len() < self.shape.window {
            self.work_on(id);
        } else if is_new {
            self.place(id, LATER);
            self.later.push_back(id);
        }
    }

    fn place(&mut self, id: OrderId, at: u32) {
        self.places.get_mut(id.slot() as usize).into_iter().for_each(|place| *place = at);
    }

    fn work_on(&mut self, id: OrderId) {
        self.place(id, u32::try_from(self.open.len()).unwrap_or(NOWHERE));
        self.open.push(id);
    }

    fn gone(&mut self, id: OrderId) {
        let Some(place) = self.places.get_mut(id.slot() as usize) else { return };
        let at = std::mem::replace(place, NOWHERE);
        if at == NOWHERE || at == LATER {
            return;
        }
        self.open.swap_remove(at as usize);
        if let Some(moved) = self.open.get(at as usize).copied() {
            self.place(moved, at);
        }
        while self.open.len() < self.shape.window
            && let Some(next) = self.later.pop_front()
        {
            if self.book.order(next).is_some() {
                self.work_on(next);
            }
        }
    }

    fn quantity(&mut self) -> Quantity {
        let product = self.below(6).saturating_mul(self.below(6)).saturating_mul(self.below(6));
        Quantity::new(product.saturating_add(1))
    }

    fn side(&mut self) -> Side {
        if self.below(2) == 0 { Side::Bid } else { Side::Ask }
    }

    fn order(&mut self, side: Side, terms: Terms, in_force: InForce, quantity: Quantity) -> BookCommand {
        let seat = u32::try_from(self.below(u64::from(self.shape.seats))).unwrap_or(0);
        BookCommand::Enter(NewOrder {
            seat: Seat::new(seat),
            group: if self.shape.is_grouped { StpGroup::new(seat.saturating_add(1)) } else { StpGroup::NONE },
            self_trade: SelfTrade::CancelTaker,
            side,
            terms,
            in_force,
            quantity,
            shown: Quantity::ZERO,
            trigger: None,
        })
    }

    fn limit(&mut self) -> BookCommand {
        self.mix.limit = self.mix.limit.saturating_add(1);
        let (side, quantity) = (self.side(), self.quantity());
        let mut away = self.below(self.shape.reach).saturating_add(1);
        if !self.shape.is_even {
            for _ in 0..self.below(2).saturating_add(2) {
                away = away.saturating_mul(self.below(1 << 20)) >> 20;
            }
        }
        let price = match side {
            Side::Bid => self.last.saturating_sub(away),
            Side::Ask => self.last.saturating_add(away),
        };
        self.order(side, Terms::Limit(Price::new(price.max(1))), InForce::UntilEnded, quantity)
    }

    fn immediate(&mut self) -> BookCommand {
        self.mix.immediate = self.mix.immediate.saturating_add(1);
        let (side, quantity) = (self.side(), self.quantity());
        let price = match side {
            Side::Bid => self.last.saturating_add(self.last / 4),
            Side::Ask => self.last.saturating_sub(self.last / 4),
        };
        self.order(side, Terms::Limit(Price::new(price)), InForce::ImmediateOrCancel, quantity)
    }

    fn whole(&mut self) -> BookCommand {
        self.mix.whole = self.mix.whole.saturating_add(1);
        let (side, quantity) = (self.side(), self.quantity());
        let price = match side {
            Side::Bid => self.last.saturating_mul(2),
            Side::Ask => self.last / 2,
        };
        let ticks_lots = price.saturating_mul(quantity.lots());
        self.order(side, Terms::WholeFor { ticks_lots }, InForce::FillOrKill, quantity)
    }

    fn any(&mut self) -> OrderId {
        let at = self.below(self.open.len() as u64);
        self.open.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or(OrderId::from_number(0))
    }

    fn cancel(&mut self) -> BookCommand {
        self.mix.cancel = self.mix.cancel.saturating_add(1);
        BookCommand::Cancel(self.any())
    }

    fn reduce(&mut self) -> BookCommand {
        self.mix.reduce = self.mix.reduce.saturating_add(1);
        let id = self.any();
        let all = self.book.order(id).map_or(1, |order| order.quantity.lots());
        let by = self.below(all.max(1)).saturating_add(1);
        BookCommand::Reduce(id, Quantity::new(by))
    }

    fn moves(&mut self) -> BookCommand {
        self.mix.moves = self.mix.moves.saturating_add(1);
        let id = self.any();
        let (price, side) = match self.book.order(id).map(|order| (order.terms, order.side)) {
            Some((Terms::Limit(price), side)) => (price.ticks(), side),
            _ => (self.last, Side::Bid),
        };
        let step = (price.abs_diff(self.last) / 100).max(1);
        // One that is as near as it can be goes on into the other side half of the time, and back otherwise.
        let goes_up = match price.cmp(&self.last) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => (side == Side::Bid) == (self.below(2) == 0),
        };
        let price = if goes_up { price.saturating_add(step) } else { price.saturating_sub(step) };
        BookCommand::Move(id, Price::new(price.max(1)))
    }

    /// The commands there were of each kind since this was last asked.
    pub fn take_mix(&mut self) -> Mix {
        std::mem::take(&mut self.mix)
    }

    /// The book after the commands made so far.
    pub const fn book(&self) -> &Book {
        &self.book
    }
}
