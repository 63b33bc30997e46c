//! What must hold of a book between commands, looked for the slow and plain way.

use std::collections::BTreeSet;

use crate::Side;
use crate::book::Book;
use crate::book::order::{NIL, Place};

impl Book {
    /// What does not hold; nothing, unless there is a mistake in the book itself.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let (false, Some(bid), Some(ask)) =
            (self.is_collecting, self.best(Side::Bid), self.best(Side::Ask))
            && bid.price >= ask.price
        {
            faults.push(format!("crossed: bid {} and ask {}", bid.price.ticks(), ask.price.ticks()));
        }
        let mut seen = BTreeSet::new();
        for side in [Side::Bid, Side::Ask] {
            self.check_queues(side, &mut seen, &mut faults);
            self.ladder(side).check(&mut faults);
            self.check_stops(side, &mut seen, &mut faults);
        }
        let placed = self.orders.hot.iter().filter(|hot| hot.place != Place::Free).count();
        if placed != seen.len() || placed != self.orders.count as usize {
            faults.push(format!("{placed} orders, {} in queues, {} counted", seen.len(), self.orders.count));
        }
        self.check_seats(&mut faults);
        let free: BTreeSet<u32> = self.orders.free.iter().copied().collect();
        if free.len() != self.orders.free.len() || free.contains(&NIL) || !free.is_disjoint(&seen) {
            faults.push("a slot is free twice, or has an order".to_owned());
        }
        faults
    }

    fn check_queues(&self, side: Side, seen: &mut BTreeSet<u32>, faults: &mut Vec<String>) {
        let ladder = self.ladder(side);
        let mut prices = 0_u32;
        for key in ladder.keys() {
            prices = prices.saturating_add(1);
            let level = *ladder.level(key);
            let (mut count, mut shown, mut total, mut before) = (0_u32, 0_u64, 0_u64, NIL);
            for slot in self.queue(side, key) {
                if !seen.insert(slot) {
                    faults.push(format!("slot {slot} is in two queues"));
                    return;
                }
                let hot = self.orders.hot(slot);
                let showing = self.orders.showing(slot, hot);
                if (hot.place, hot.side, ladder.key(hot.price)) != (Place::Resting, side, key) {
                    faults.push(format!("slot {slot} does not belong in its queue"));
                }
                if hot.left == 0 || showing == 0 || showing > hot.left {
                    faults.push(format!("slot {slot} shows {showing} of {}", hot.left));
                }
                if self.orders.links.get(slot as usize).map(|link| link.prev) != Some(before) {
                    faults.push(format!("slot {slot} has another one before it"));
                }
                before = slot;
                count = count.saturating_add(1);
                shown = shown.saturating_add(showing);
                total = total.saturating_add(hot.left);
            }
            if (count, shown, total, before) != (level.count, level.shown, level.total, level.tail) {
                faults.push(format!("sums of the queue at {}: {level:?}", ladder.price(key)));
            }
        }
        if prices != ladder.prices() {
            faults.push(format!("{prices} prices of {side:?}, {} counted", ladder.prices()));
        }
    }

    fn check_stops(&self, side: Side, seen: &mut BTreeSet<u32>, faults: &mut Vec<String>) {
        for (trigger, since, slot) in self.stops.of(side) {
            let hot = self.orders.hot(slot);
            if !seen.insert(slot) || (hot.place, hot.side) != (Place::Waiting, side) {
                faults.push(format!("slot {slot} waits and does not"));
            }
            if (self.trigger_of(slot), self.orders.cold(slot).waits_since) != (trigger, since) {
                faults.push(format!("slot {slot} waits at another trigger than its own"));
            }
        }
    }

    fn check_seats(&self, faults: &mut Vec<String>) {
        let mut found = 0_usize;
        for (number, list) in (0_u32..).zip(&self.orders.seats) {
            let (mut slot, mut before, mut count) = (list.first, NIL, 0_u32);
            while slot != NIL && count <= list.count {
                let (hot, cold) = (self.orders.hot(slot), self.orders.cold(slot));
                if hot.place == Place::Free || hot.seat != number || cold.of_seat.prev != before {
                    faults.push(format!("slot {slot} is not in the list of seat {number}"));
                }
                before = slot;
                slot = cold.of_seat.next;
                count = count.saturating_add(1);
            }
            if count != list.count || before != list.last {
                faults.push(format!("seat {number} has {count} orders, {} counted", list.count));
            }
            found = found.saturating_add(count as usize);
        }
        if found != self.orders.count as usize {
            faults.push(format!("{found} orders in lists of seats, {} counted", self.orders.count));
        }
    }
}
