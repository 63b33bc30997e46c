//! Random steps of every kind, for books to be compared under: few prices, owners and lots, so that everything meets everything.

use crate::book::{BookCommand, BookEvent, InForce, NewOrder, SelfTrade, Terms};
use crate::{OrderId, Price, Quantity, Seat, Side, StpGroup};

/// Something that a book is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A command.
    Take(BookCommand),
    /// All orders of a seat end.
    EndSeat(Seat),
    /// A call phase begins.
    Collect,
    /// A call phase ends with an auction.
    Uncross {
        /// Its reference price.
        reference: Price,
    },
}

/// An endless sequence of steps that follows from a seed.
#[derive(Debug, Clone)]
pub struct Commands {
    state: u64,
    /// Some ids that were given out, most of them of orders that are there.
    ids: Vec<OrderId>,
    is_collecting: bool,
}

/// How many ids are remembered.
const IDS: usize = 64;

impl Commands {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed, ids: Vec::new(), is_collecting: false }
    }

    /// Remembers some of the orders that came in, and forgets those that are gone.
    pub fn learn(&mut self, events: &[BookEvent]) {
        for event in events {
            match *event {
                BookEvent::Entered { id, .. } if self.ids.len() < IDS => self.ids.push(id),
                BookEvent::Entered { id, .. } => {
                    let at = self.below(IDS as u64);
                    self.ids
                        .get_mut(usize::try_from(at).unwrap_or(0))
                        .into_iter()
                        .for_each(|known| *known = id);
                }
                BookEvent::Filled { taker, maker, taker_left, maker_left, .. } => {
                    self.forget(taker, taker_left);
                    self.forget(maker, maker_left);
                }
                BookEvent::Uncrossed { bid, ask, bid_left, ask_left, .. } => {
                    self.forget(bid, bid_left);
                    self.forget(ask, ask_left);
                }
                BookEvent::Ended { id, .. } => self.forget(id, Quantity::ZERO),
                BookEvent::Waits { .. }
                | BookEvent::Triggered { .. }
                | BookEvent::Rested { .. }
                | BookEvent::Refreshed { .. }
                | BookEvent::Reduced { .. }
                | BookEvent::Moved { .. } => {}
            }
        }
    }

    /// Forgets an order that has nothing left; one in sixteen is kept, so that gone orders are asked for, too.
    fn forget(&mut self, id: OrderId, left: Quantity) {
        if left.is_zero() && self.below(16) != 0 {
            self.ids.retain(|known| *known != id);
        }
    }

    /// The next step.
    pub fn step(&mut self) -> Step {
        if self.below(1_000) == 0 {
            return Step::EndSeat(self.seat());
        }
        // A call phase lasts for some thirty steps, and there is one in some three hundred.
        if self.is_collecting && self.below(30) == 0 {
            self.is_collecting = false;
            return Step::Uncross { reference: self.price() };
        }
        if !self.is_collecting && self.below(300) == 0 {
            self.is_collecting = true;
            return Step::Collect;
        }
        Step::Take(match self.below(100) {
            0..48 => BookCommand::Enter(self.order()),
            48..58 => BookCommand::Cancel(self.id()),
            58..72 => {
                let by = self.below(12);
                BookCommand::Reduce(self.id(), Quantity::new(by))
            }
            _ => {
                let price = self.price();
                BookCommand::Move(self.id(), price)
            }
        })
    }

    /// SplitMix64.
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

    fn id(&mut self) -> OrderId {
        let at = self.below(self.ids.len() as u64);
        self.ids.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or(OrderId::new(1, 1))
    }

    fn seat(&mut self) -> Seat {
        Seat::new(u32::try_from(self.below(8)).unwrap_or(0))
    }

    /// Mostly near the band's first price, on both sides of it.
    fn price(&mut self) -> Price {
        let near = self.below(40).saturating_add(Self::BAND_FROM.ticks()).saturating_sub(20);
        Price::new(if self.below(200) == 0 { near.saturating_add(300_000) } else { near })
    }

    /// Where the band of a book has to begin for prices to fall inside and outside of it.
    pub const BAND_FROM: Price = Price::new(1 << 10);

    fn order(&mut self) -> NewOrder {
        let quantity = self.below(20);
        let terms = match self.below(20) {
            0 => Terms::Budget { ticks_lots: self.below(20_000), worst: self.price() },
            1 => {
                let price = self.price().ticks();
                Terms::WholeFor { ticks_lots: price.saturating_mul(quantity) }
            }
            _ => Terms::Limit(self.price()),
        };
        let in_force = match self.below(20) {
            0 | 1 => InForce::ImmediateOrCancel,
            2 | 3 => InForce::FillOrKill,
            4 | 5 => InForce::PostOnly,
            _ => InForce::UntilEnded,
        };
        let shown = if self.below(5) == 0 { self.below(6) } else { 0 };
        let trigger = if self.below(8) == 0 { Some(self.price()) } else { None };
        NewOrder {
            seat: self.seat(),
            group: StpGroup::new(u32::try_from(self.below(4)).unwrap_or(0)),
            self_trade: match self.below(4) {
                0 => SelfTrade::CancelTaker,
                1 => SelfTrade::CancelMaker,
                2 => SelfTrade::CancelBoth,
                _ => SelfTrade::Decrement,
            },
            side: if self.below(2) == 0 { Side::Bid } else { Side::Ask },
            terms,
            in_force,
            quantity: Quantity::new(quantity),
            shown: Quantity::new(shown),
            trigger,
        }
    }
}
