//! exchange-core's scenarios, read from their files: the parts about the book. Balances and reservations are the market's, above it.

#![expect(clippy::panic, clippy::arithmetic_side_effects, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use exchange::book::{Book, BookCommand, BookEvent, InForce, NewOrder, OrderView, SelfTrade, Terms};
use exchange::{OrderId, Price, Quantity, Seat, Side, StpGroup};

/// One scenario under way.
struct World {
    book: Book,
    ids: BTreeMap<u64, OrderId>,
    seats: Vec<String>,
    events: Vec<BookEvent>,
    /// Steps that were checked against the book.
    checked: usize,
}

/// The numbers in a text, in order.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

fn side(text: &str) -> Side {
    if text.contains("BID") { Side::Bid } else { Side::Ask }
}

impl World {
    fn new() -> Self {
        let book = Book::around(Price::new(1_600));
        Self { book, ids: BTreeMap::new(), seats: Vec::new(), events: Vec::new(), checked: 0 }
    }

    fn seat(&mut self, text: &str) -> Seat {
        let name = text.split("client ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        let at = self.seats.iter().position(|known| known == name).unwrap_or_else(|| {
            self.seats.push(name.to_owned());
            self.seats.len() - 1
        });
        Seat::new(u32::try_from(at).unwrap())
    }

    fn take(&mut self, command: BookCommand) -> OrderId {
        self.events.clear();
        let id = self.book.take(command, &mut self.events).unwrap();
        assert_eq!(self.book.broken(), Vec::<String>::new());
        id
    }

    fn place(&mut self, text: &str) {
        let seat = self.seat(text);
        let [number, price, quantity, ..] = numbers(text.split(" order ").nth(1).unwrap())[..] else {
            panic!("{text}")
        };
        let in_force =
            if text.contains("type: IOC") { InForce::ImmediateOrCancel } else { InForce::UntilEnded };
        let id = self.take(BookCommand::Enter(NewOrder {
            seat,
            group: StpGroup::NONE,
            self_trade: SelfTrade::CancelTaker,
            side: side(text),
            terms: Terms::Limit(Price::new(price)),
            in_force,
            quantity: Quantity::new(quantity),
            shown: Quantity::ZERO,
            trigger: None,
        }));
        self.ids.insert(number, id);
    }

    /// The book as rows of bid, price and ask, highest price first.
    fn rows(&self) -> Vec<[String; 3]> {
        let asks: Vec<_> = self.book.depth(Side::Ask).collect();
        let ask = asks
            .iter()
            .rev()
            .map(|level| [String::new(), level.price.ticks().to_string(), level.shown.lots().to_string()]);
        let bid = self
            .book
            .depth(Side::Bid)
            .map(|level| [level.shown.lots().to_string(), level.price.ticks().to_string(), String::new()]);
        ask.chain(bid).collect()
    }

    fn order(&self, number: u64) -> OrderView {
        self.book.order(self.ids[&number]).unwrap()
    }

    fn step(&mut self, text: &str, table: &[Vec<String>]) {
        if text.contains("could not") || text.contains("balance") {
            return;
        }
        self.checked += 1;
        if text.contains(" places an ") {
            self.place(text);
        } else if text.contains("moves a price") {
            let [price, number] = numbers(text)[..] else { panic!("{text}") };
            self.take(BookCommand::Move(self.ids[&number], Price::new(price)));
        } else if text.contains("cancels the remaining") {
            let [quantity, number] = numbers(text)[..] else { panic!("{text}") };
            assert_eq!(self.order(number).left, Quantity::new(quantity));
            self.take(BookCommand::Cancel(self.ids[&number]));
        } else if text.contains(" order book is:") {
            let expected: Vec<[String; 3]> = table
                .iter()
                .filter(|row| row[1] != "price")
                .map(|row| [row[0].clone(), row[1].clone(), row[2].clone()])
                .collect();
            assert_eq!(self.rows(), expected, "{text}");
        } else if text.contains("No trade events") {
            assert!(!self.events.iter().any(|event| matches!(event, BookEvent::Filled { .. })));
        } else if text.contains(" matched. ") {
            self.check_match(text);
        } else if text.contains("does not have active orders") {
            let seat = self.seat(text);
            assert_eq!(self.book.orders_of(seat).count(), 0, "{text}");
        } else if text.contains(" orders:") {
            self.check_orders(text, table);
        } else {
            panic!("a step that is not known: {text}");
        }
    }

    fn check_match(&self, text: &str) {
        let found = numbers(text);
        let is_whole = text.contains("fully");
        let matched = self.events.iter().any(|event| match *event {
            BookEvent::Filled { maker, price, quantity, maker_left, .. } => {
                (maker, price.ticks(), quantity.lots(), maker_left.is_zero())
                    == (self.ids[&found[0]], found[1], found[2], is_whole)
            }
            _ => false,
        });
        assert!(matched, "{text}: {:?}", self.events);
    }

    fn check_orders(&mut self, text: &str, table: &[Vec<String>]) {
        let seat = self.seat(text);
        let rows = &table[1..];
        assert_eq!(self.book.orders_of(seat).count(), rows.len(), "{text}");
        for row in rows {
            let field = |at: usize| row[at].parse::<u64>().unwrap();
            let order = self.order(field(0));
            let Terms::Limit(price) = order.terms else { panic!("{text}") };
            assert_eq!((price.ticks(), order.quantity.lots()), (field(1), field(2)), "{text}");
            assert_eq!((order.filled.lots(), order.side, order.seat), (field(3), side(&row[5]), seat));
        }
    }
}

/// The cells of a table's line.
fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// A scenario's steps, each with its table.
type Steps = Vec<(String, Vec<Vec<String>>)>;

/// The scenarios of a file; steps of `Background` are about money.
fn scenarios(text: &str) -> Vec<(String, Steps)> {
    let mut found: Vec<(String, Steps)> = Vec::new();
    let mut is_examples = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('@')) {
        if line.starts_with("Scenario") {
            found.push((line.to_owned(), Vec::new()));
            is_examples = false;
        } else if line.starts_with("Examples") {
            is_examples = true;
        } else if let Some((_, steps)) = found.last_mut().filter(|_| !is_examples) {
            match line.starts_with('|') {
                true => steps.last_mut().unwrap().1.push(cells(line)),
                false => steps.push((line.to_owned(), Vec::new())),
            }
        }
    }
    found
}

fn check(name: &str, expected: &[(&str, usize)]) {
    let Some(folder) = crate::golden::folder() else { return };
    let text = crate::golden::read(&folder.join(name));
    let mut found = Vec::new();
    for (title, steps) in scenarios(&text) {
        let mut world = World::new();
        for (step, table) in &steps {
            world.step(step, table);
        }
        found.push((title, world.checked));
    }
    let found: Vec<(&str, usize)> =
        found.iter().map(|(title, count)| (title.split_once(": ").unwrap().1, *count)).collect();
    assert_eq!(found, expected);
}

#[test]
fn basic() {
    check("basic.feature", &[("basic full cycle test", 14), ("cancel BID order", 5)]);
}

#[test]
fn risk() {
    check("risk.feature", &[("basic scenario", 9), ("move orders UP and DOWN", 25)]);
}
