//! A bank on a bench: commands go in as the node gives them, and after each one everything that must hold is checked.

use std::collections::BTreeMap;

use bank::{Bank, Command, Event, JournalEntry, Refusal, RelyingParty, Seen, Submission, admit};
use identity::Actor;
use money::{AccountId, CommandId, Text, Timestamp};
use payments::Rail;

use crate::opening;
use crate::people::{ORIGIN, Person, RP_ID};

/// Nine in the morning of 24 November 2026 in China.
pub(crate) const MORNING_MS: u64 = 1_795_482_000_000;

/// What became of a command.
#[derive(Debug)]
pub(crate) enum Outcome {
    Taken(Box<JournalEntry>),
    /// Taken, and nothing follows.
    Nothing,
    Repeat(u64),
    Refused(Refusal),
}

pub(crate) struct Bench {
    pub(crate) bank: Bank,
    /// Fed from the bytes of the journal only.
    replica: Bank,
    pub(crate) journal: Vec<Vec<u8>>,
    pub(crate) clock: Timestamp,
    pub(crate) people: BTreeMap<String, Person>,
    /// Accounts of the books that belong to no customer, by the name a scenario gives them.
    pub(crate) books: BTreeMap<String, AccountId>,
    pub(crate) last: Option<Submission>,
    serial: u128,
}

pub(crate) fn relying_party() -> RelyingParty {
    RelyingParty { id: RP_ID.to_owned(), origins: vec![ORIGIN.to_owned()] }
}

pub(crate) fn operator() -> Actor {
    Actor::Operator(Text::clip("teller"))
}

pub(crate) fn rail_actor(rail: Rail) -> Actor {
    Actor::Rail(Text::clip(rail.name()))
}

impl Bench {
    /// A bank that has opened, with both rails open.
    pub(crate) fn open() -> Self {
        let mut bench = Self {
            bank: Bank::default(),
            replica: Bank::default(),
            journal: Vec::new(),
            clock: Timestamp::from_ms(MORNING_MS),
            people: BTreeMap::new(),
            books: BTreeMap::new(),
            last: None,
            serial: 0,
        };
        for command in opening::by_operator() {
            let outcome = bench.give(operator(), command);
            assert!(matches!(outcome, Outcome::Taken(_)), "{outcome:?}");
        }
        for (rail, command) in opening::open_rails() {
            bench.give(rail_actor(rail), command);
        }
        bench
    }

    pub(crate) fn serial(&mut self) -> u128 {
        self.serial += 1;
        self.serial
    }

    /// A new command of this sender; rails and the clock give no ids, as in the node.
    pub(crate) fn submission(&mut self, actor: Actor, command: Command) -> Submission {
        let id = match actor {
            Actor::System | Actor::Rail(_) | Actor::Cell(_) => 0,
            Actor::Session(_) | Actor::Visitor | Actor::Operator(_) | Actor::Tenant(_) => self.serial(),
        };
        Submission { id: CommandId::new(id), actor, command }
    }

    pub(crate) fn give(&mut self, actor: Actor, command: Command) -> Outcome {
        let submission = self.submission(actor, command);
        self.submit(submission)
    }

    /// Gives a command to the bank in the order of the node, and checks what must hold afterwards.
    pub(crate) fn submit(&mut self, submission: Submission) -> Outcome {
        self.last = Some(submission.clone());
        let before = self.bank.state_hash();
        let outcome = self.take(submission.clone());
        match &outcome {
            Outcome::Taken(_) => self.check_again(submission),
            Outcome::Nothing | Outcome::Repeat(_) | Outcome::Refused(_) => {
                assert_eq!(before, self.bank.state_hash(), "a refusal left something");
            }
        }
        let broken = self.bank.broken_invariants();
        assert!(broken.is_empty(), "{broken:#?}");
        assert_eq!(self.bank.state_hash(), self.replica.state_hash(), "replay differs from the live state");
        outcome
    }

    fn take(&mut self, submission: Submission) -> Outcome {
        let now = self.clock.max(self.bank.recorded_at());
        let admitted = match admit(submission, &relying_party()) {
            Ok(admitted) => admitted,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let (id, body) = (admitted.submission().id, admitted.body());
        match self.bank.seen(id, body) {
            Seen::New => {}
            Seen::Repeat { seq } => return Outcome::Repeat(seq),
            Seen::Conflict => return Outcome::Refused(Refusal::IdReused { id }),
        }
        let entry = match self.bank.take(admitted, 1, now) {
            Ok(Some(turn)) => turn.entry,
            Ok(None) => return Outcome::Nothing,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let bytes = entry.to_bytes();
        self.replica.apply(self.bank.seq(), &JournalEntry::from_bytes(&bytes).unwrap());
        self.journal.push(bytes);
        Outcome::Taken(Box::new(entry))
    }

    /// The same command twice is the same command once: a client's is recognised, a rail's or a cell's moves no money again.
    fn check_again(&self, submission: Submission) {
        let remembered = !matches!(submission.actor, Actor::System | Actor::Rail(_) | Actor::Cell(_));
        let admitted = admit(submission, &relying_party()).unwrap();
        let seen = self.bank.seen(admitted.submission().id, admitted.body());
        if remembered {
            assert_eq!(seen, Seen::Repeat { seq: self.bank.seq() });
            return;
        }
        let again = self.bank.decide(&admitted, self.bank.recorded_at()).unwrap_or_default();
        let moves = again.iter().any(|event| matches!(event, Event::Ledger(_)));
        assert!(!moves, "a repeat moves money: {again:#?}");
    }

    /// Every entry of the journal is decided again from its command alone, as an audit does, and is the same entry.
    pub(crate) fn check_audit(&self) {
        let mut bank = Bank::default();
        for bytes in &self.journal {
            let entry = JournalEntry::from_bytes(bytes).unwrap();
            let (id, actor, command) = (entry.id, entry.actor.clone(), entry.command.clone());
            let admitted = admit(Submission { id, actor, command }, &relying_party()).unwrap();
            let turn = bank.take(admitted, entry.epoch, entry.recorded_at).unwrap().unwrap();
            assert_eq!(turn.entry, entry, "entry {} is decided otherwise", bank.seq());
        }
        assert_eq!(bank.state_hash(), self.bank.state_hash());
    }

    /// The state goes through a snapshot and stays the same.
    pub(crate) fn check_snapshot(&self) {
        let again = Bank::from_snapshot(&self.bank.to_snapshot()).unwrap();
        assert_eq!(again.state_hash(), self.bank.state_hash());
        assert_eq!(again.to_snapshot(), self.bank.to_snapshot());
    }
}
