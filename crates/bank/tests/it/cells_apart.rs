//! Two cells with a channel between them that loses, repeats and reorders, and either of which is killed at any step.
//!
//! A side that is killed is made again from the bytes of its journal, without the entry that was not durable yet. Whatever happened, in the end
//! nothing is on its way, each transfer happened on both sides or on neither, and the money of both is what it was.

use bank::{Bank, Command, JournalEntry, Refusal, Submission, admit};
use cells::{CellNumber, Command as C, Incoming, NewTransfer, Outcome, Place};
use identity::Actor;
use ledger::{AccountKind, Sizing, Transfer};
use money::{AccountId, Asset, CommandId, EntryId, Text, Timestamp, TransferId};
use proptest::prelude::*;

use crate::bench::{MORNING_MS, operator, relying_party};
use crate::opening::{books, by_operator, yuan};

/// Accounts of customers in each cell.
const ACCOUNTS: [u128; 3] = [100, 101, 102];
/// An account that is not there in the beginning.
const LATER: u128 = 103;
const FUNDS_YUAN: u128 = 1_000;

/// One cell: its state, and the bytes it is made again from.
struct Side {
    number: CellNumber,
    bank: Bank,
    journal: Vec<Vec<u8>>,
    serial: u128,
}

impl Side {
    fn new(number: u32, other: u32) -> Self {
        let number = CellNumber::new(number);
        let mut side = Self { number, bank: Bank::default(), journal: Vec::new(), serial: 0 };
        let mut commands = by_operator();
        commands.push(Command::Cells(C::OpenCell { number }));
        commands.push(Command::Cells(C::AddPeer { peer: CellNumber::new(other), asset: Asset::CNY }));
        for account in ACCOUNTS.map(AccountId::new) {
            let open = ledger::Command::open(account, AccountKind::Customer, Asset::CNY);
            commands.push(Command::Ledger(open));
            commands.push(moves(account.value(), books().reserve, account, Sizing::Exact(yuan(FUNDS_YUAN))));
        }
        for command in commands {
            side.take(operator(), command).unwrap();
        }
        side
    }

    fn take(&mut self, actor: Actor, command: Command) -> Result<(), Refusal> {
        self.serial += 1;
        let submission = Submission { id: CommandId::new(self.serial), actor, command };
        let admitted = admit(submission, &relying_party()).unwrap();
        let turn = self.bank.take(admitted, 1, Timestamp::from_ms(MORNING_MS))?;
        self.journal.extend(turn.map(|turn| turn.entry.to_bytes()));
        Ok(())
    }

    fn kill(&mut self, durable: usize) {
        self.journal.truncate(durable);
        let mut bank = Bank::default();
        for (seq, bytes) in (1..).zip(&self.journal) {
            bank.apply(seq, &JournalEntry::from_bytes(bytes).unwrap());
        }
        self.bank = bank;
        self.check();
    }

    fn check(&self) {
        assert_eq!(self.bank.broken_invariants(), Vec::<String>::new());
    }

    fn balance(&self, account: AccountId) -> u128 {
        self.bank.ledger().account(account).map_or(0, |account| account.balance().posted.minor())
    }
}

fn moves(id: u128, debit: AccountId, credit: AccountId, sizing: Sizing) -> Command {
    let (id, memo) = (EntryId::new(id), Text::clip("staff"));
    Command::Ledger(ledger::Command::Transfer(Transfer {
        id,
        debit,
        credit,
        sizing,
        memo,
        ..Transfer::default()
    }))
}

/// What goes from one cell to the other.
#[derive(Debug, Clone)]
enum Message {
    Ask { to: usize, transfer: Incoming },
    Answer { to: usize, id: TransferId, outcome: Outcome },
}

/// When a side is killed at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Before its entry is durable: as if it had never been asked.
    Early,
    /// After, and before anybody hears of it.
    Late,
}

struct World {
    sides: [Side; 2],
    channel: Vec<Message>,
    /// What happens at each step to come; nothing more once it is used up.
    faults: std::vec::IntoIter<Fault>,
    steps: usize,
    /// What clients have asked for: by which side, and what.
    asked: Vec<(usize, NewTransfer)>,
    serial: u128,
}

impl World {
    fn new(faults: Vec<Fault>) -> Self {
        Self {
            sides: [Side::new(1, 2), Side::new(2, 1)],
            channel: Vec::new(),
            faults: faults.into_iter(),
            steps: 0,
            asked: Vec::new(),
            serial: 1_000,
        }
    }

    /// A command's turn on one side; nothing is heard of it where that side is killed.
    fn take(&mut self, at: usize, actor: Actor, command: Command) -> Option<Result<(), Refusal>> {
        self.steps += 1;
        let durable = self.sides[at].journal.len();
        let result = self.sides[at].take(actor, command);
        match self.faults.next().unwrap_or(Fault::None) {
            Fault::None => return Some(result),
            Fault::Early => self.sides[at].kill(durable),
            Fault::Late => {
                let durable = self.sides[at].journal.len();
                self.sides[at].kill(durable);
            }
        }
        None
    }

    fn send(&mut self, at: usize, from: u128, account: u128, sum: u128) {
        self.serial += 1;
        let to = Place { cell: self.sides[1 - at].number, account: AccountId::new(account) };
        let (id, from, memo) = (TransferId::new(self.serial), AccountId::new(from), Text::clip("rent"));
        let transfer = NewTransfer { id, from, to, amount: yuan(sum), memo };
        self.asked.push((at, transfer.clone()));
        self.take(at, operator(), Command::Cells(C::Send(transfer)));
    }

    /// A client that has heard nothing asks again.
    fn send_again(&mut self, number: usize) {
        if let Some((at, transfer)) = self.asked.get(number % self.asked.len().max(1)).cloned() {
            self.take(at, operator(), Command::Cells(C::Send(transfer)));
        }
    }

    /// The driver of one side looks at the state and asks for all that is on its way.
    fn ask(&mut self, at: usize) {
        let from = self.sides[at].number;
        let asks = self.sides[at].bank.cells().outgoing().map(|(id, outgoing)| {
            let NewTransfer { to, amount, memo, .. } = outgoing.transfer.clone();
            Message::Ask { to: 1 - at, transfer: Incoming { from, id, account: to.account, amount, memo } }
        });
        self.channel.extend(asks.collect::<Vec<_>>());
    }

    fn deliver(&mut self, number: usize) {
        if self.channel.is_empty() {
            return;
        }
        let message = self.channel.remove(number % self.channel.len());
        match message {
            Message::Ask { to, transfer } => {
                let (from, id) = (transfer.from, transfer.id);
                let taken = self.take(to, Actor::Cell(from.number()), Command::Cells(C::Receive(transfer)));
                let Some(taken) = taken else { return };
                taken.unwrap();
                let outcome = self.sides[to].bank.cells().answered(from, id).unwrap();
                self.channel.push(Message::Answer { to: 1 - to, id, outcome });
            }
            Message::Answer { to, id, outcome } => {
                let report = C::ReportOutcome { id, outcome };
                if let Some(taken) = self.take(to, Actor::System, Command::Cells(report)) {
                    taken.unwrap();
                }
            }
        }
    }

    /// Staff empties an account and closes it, where nothing of it is on its way.
    fn close(&mut self, at: usize, account: u128) {
        self.serial += 1;
        let (id, account) = (self.serial, AccountId::new(account));
        self.take(at, operator(), moves(id, account, books().capital, Sizing::AllAvailable(Asset::CNY)));
        self.take(at, operator(), Command::Ledger(ledger::Command::CloseAccount { id: account }));
    }

    /// Somebody opens the account that transfers to it were declined for.
    fn open_later(&mut self, at: usize) {
        let open = ledger::Command::open(AccountId::new(LATER), AccountKind::Customer, Asset::CNY);
        self.take(at, operator(), Command::Ledger(open));
    }

    /// No more faults: both drivers go on until nothing is on its way, and then everything must be as it should.
    fn settle(mut self) {
        self.faults = Vec::new().into_iter();
        for round in 0.. {
            assert!(round < 3, "it does not come to an end");
            for at in [0, 1] {
                self.ask(at);
            }
            while !self.channel.is_empty() {
                self.deliver(0);
            }
            if self.sides.iter().all(|side| side.bank.cells().outgoing().next().is_none()) {
                break;
            }
        }
        let [one, other] = &self.sides;
        let mut credited = [0_u128; 2];
        for side in &self.sides {
            side.check();
            assert_eq!(side.bank.ledger().holds().count(), 0, "a hold is left");
        }
        for (at, transfer) in &self.asked {
            let ended = self.sides[*at].bank.cells().ended(transfer.id);
            let answered = self.sides[1 - at].bank.cells().answered(self.sides[*at].number, transfer.id);
            assert_eq!(ended, answered, "{} differs between the cells", transfer.id);
            if ended == Some(Outcome::Received) {
                credited[*at] += transfer.amount.minor();
            }
        }
        for (at, (side, peer)) in [(one, other), (other, one)].into_iter().enumerate() {
            let sent = side.bank.cells().peer(peer.number, Asset::CNY).unwrap().sent;
            let received = peer.bank.cells().peer(side.number, Asset::CNY).unwrap().received;
            assert_eq!(sent, received);
            assert_eq!(sent.sum.minor(), credited[at], "a transfer counts more or less than once");
        }
        let total = |side: &Side| {
            let accounts = ACCOUNTS.iter().chain([&LATER]).map(|account| AccountId::new(*account));
            accounts.chain([books().capital]).map(|account| side.balance(account)).sum::<u128>()
        };
        let opened = 2 * (yuan(FUNDS_YUAN).minor() * 3 + yuan(100_000_000).minor());
        assert_eq!(total(one) + total(other), opened, "money was made or lost");
    }
}

/// One transfer that is received and one that is declined each way, with a message lost after every step if `lossy`.
fn flow(faults: Vec<Fault>, lossy: bool) -> usize {
    let mut world = World::new(faults);
    for at in [0, 1] {
        world.send(at, 100, 101, 30);
        world.send(at, 101, LATER, 7);
    }
    world.send_again(0);
    for at in [0, 1] {
        world.ask(at);
    }
    for _ in 0..12 {
        world.deliver(0);
        if lossy {
            world.channel.pop();
        }
    }
    let steps = world.steps;
    world.settle();
    steps
}

#[test]
fn either_side_may_die_at_any_step() {
    for lossy in [false, true] {
        let steps = flow(Vec::new(), lossy);
        assert!(steps > 8, "only {steps} steps");
        for step in 0..steps {
            for fault in [Fault::Early, Fault::Late] {
                let mut faults = vec![Fault::None; step];
                faults.push(fault);
                flow(faults, lossy);
            }
        }
    }
}

/// What may happen between two cells.
#[derive(Debug, Clone)]
enum Op {
    Send { at: usize, from: u128, to: u128, sum: u128 },
    SendAgain(usize),
    Ask(usize),
    Deliver(usize),
    Lose(usize),
    Repeat(usize),
    Close { at: usize, account: u128 },
    OpenLater(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let (side, number) = (0..2_usize, 0..64_usize);
    prop_oneof![
        6 => (side.clone(), 100..104_u128, 100..104_u128, 1..600_u128)
            .prop_map(|(at, from, to, sum)| Op::Send { at, from, to, sum }),
        2 => number.clone().prop_map(Op::SendAgain),
        4 => side.clone().prop_map(Op::Ask),
        12 => number.clone().prop_map(Op::Deliver),
        3 => number.clone().prop_map(Op::Lose),
        3 => number.prop_map(Op::Repeat),
        1 => side.clone().prop_map(Op::OpenLater),
        1 => (side, 101..103_u128).prop_map(|(at, account)| Op::Close { at, account }),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![6 => Just(Fault::None), 1 => Just(Fault::Early), 1 => Just(Fault::Late)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_channel_does_a_transfer_is_on_both_sides_or_on_neither(
        ops in prop::collection::vec(op(), 1..80),
        faults in prop::collection::vec(fault(), 0..80),
    ) {
        let mut world = World::new(faults);
        for op in ops {
            let count = world.channel.len().max(1);
            match op {
                Op::Send { at, from, to, sum } => world.send(at, from, to, sum),
                Op::SendAgain(number) => world.send_again(number),
                Op::Ask(at) => world.ask(at),
                Op::Deliver(number) => world.deliver(number),
                Op::Lose(number) => {
                    if !world.channel.is_empty() {
                        world.channel.remove(number % count);
                    }
                }
                Op::Repeat(number) => {
                    let again = world.channel.get(number % count).cloned();
                    world.channel.extend(again);
                }
                Op::OpenLater(at) => world.open_later(at),
                Op::Close { at, account } => world.close(at, account),
            }
        }
        world.settle();
    }
}
