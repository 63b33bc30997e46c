//! What the clients of the ledger's benchmarks send.

use std::time::Instant;

use anyhow::ensure;
use ledger::{
    AccountKind, Batch, Change, Command, Entry, HoldEnd, HoldOutcome, Leg, Memo, NewHold, Row, Sizing,
    Transfer,
};
use money::{AccountId, Amount, Asset, CommandId, EntryId, HoldId};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::report::{histogram, micros};
use crate::bulk::{Client, ROWS_MAX};
use crate::opening::books;

/// What every account begins with, in fen: enough that no transfer of the run is refused.
const OPENING_FEN: u128 = 1 << 40;
/// Ids of the run's accounts begin here.
const ACCOUNTS_FROM: u128 = 1 << 64;
/// Requests to open accounts take ids from here on.
const OPENING_FROM: u128 = 1 << 65;
/// Entries, holds and requests of the clients take ids from here on.
const ROWS_FROM: u128 = 1 << 66;

/// What the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// From one account to another.
    Transfer,
    /// Half of the rows of a request hold money, the other half settle these holds.
    TwoStep,
    /// Entries with four legs, a reference and a memo.
    FourLegs,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::TwoStep => "two-step",
            Self::FourLegs => "four-legs",
        }
    }
}

/// The rows of one client, from a seed of its own.
pub(super) struct Load {
    client: u128,
    kind: Kind,
    accounts: u64,
    hot: bool,
    random: ChaCha8Rng,
    serial: u128,
    memo: Memo,
}

impl Load {
    pub(super) fn new(client: u64, kind: Kind, accounts: u64, hot: bool) -> Self {
        let random = ChaCha8Rng::seed_from_u64(client);
        let memo = Memo::clip("salaries, November");
        Self { client: client.into(), kind, accounts, hot, random, serial: 0, memo }
    }

    /// The next request of so many rows, with its id.
    pub(super) fn request(&mut self, rows: u64) -> anyhow::Result<(CommandId, Batch)> {
        let mut batch = Batch::default();
        let id = CommandId::new(self.next_id());
        let mut held = Vec::new();
        for number in 0..rows {
            let command = match self.kind {
                Kind::Transfer => self.transfer(),
                Kind::FourLegs => self.four_legs(),
                Kind::TwoStep if number < rows.div_ceil(2) => self.hold(&mut held),
                Kind::TwoStep => match held.pop() {
                    Some((hold, account, amount)) => self.settle(hold, account, amount),
                    None => self.transfer(),
                },
            };
            batch.push(&Row { is_linked: false, command })?;
        }
        Ok((id, batch))
    }

    fn next_id(&mut self) -> u128 {
        self.serial = self.serial.wrapping_add(1);
        ROWS_FROM | self.client << 40 | self.serial
    }

    /// Two different accounts, and an amount.
    fn draw(&mut self) -> (AccountId, AccountId, Amount) {
        let bits = self.random.next_u64();
        let (high, low) = (bits >> 32, bits & 0xFFFF_FFFF);
        // From 32 random bits to a range without a division: their product's upper half.
        let pick = |bits: u64, range: u64| bits.wrapping_mul(range) >> 32;
        let from = if self.hot { 0 } else { pick(high, self.accounts) };
        let step = pick(low, self.accounts.saturating_sub(1)).saturating_add(1);
        let to = from.saturating_add(step);
        let to = if to >= self.accounts { to.saturating_sub(self.accounts) } else { to };
        let amount = Amount::new(Asset::CNY, u128::from(bits & 0xFFFF).saturating_add(1));
        // The hot account gives and takes in turn, so that it never runs dry.
        if self.hot && bits & 1 == 0 {
            (account(to), account(from), amount)
        } else {
            (account(from), account(to), amount)
        }
    }

    fn transfer(&mut self) -> Command {
        let (debit, credit, amount) = self.draw();
        Command::Transfer(Transfer {
            id: EntryId::new(self.next_id()),
            debit,
            credit,
            sizing: Sizing::Exact(amount),
            effective_at: None,
            reference: None,
            memo: Memo::default(),
        })
    }

    fn four_legs(&mut self) -> Command {
        let ((a, b, one), (c, d, two)) = (self.draw(), self.draw());
        let legs = vec![Leg::debit(a, one), Leg::credit(b, one), Leg::debit(c, two), Leg::credit(d, two)];
        let id = EntryId::new(self.next_id());
        let memo = self.memo.clone();
        let entry = Entry { id, legs, effective_at: None, reference: Some(self.random.next_u64()), memo };
        Command::Change(Change { entry: Some(entry), ..Change::default() })
    }

    fn hold(&mut self, held: &mut Vec<(HoldId, AccountId, Amount)>) -> Command {
        let (account, _, amount) = self.draw();
        let id = HoldId::new(self.next_id());
        held.push((id, account, amount));
        let hold = NewHold { id, account, amount, expires_at: None };
        Command::Change(Change { places: vec![hold], ..Change::default() })
    }

    fn settle(&mut self, hold: HoldId, from: AccountId, amount: Amount) -> Command {
        let (_, to, _) = self.draw();
        // Money held on the very account it goes to would be a transfer to itself; the bank's capital takes that.
        let to = if to == from { books().capital } else { to };
        let legs = vec![Leg::debit(from, amount), Leg::credit(to, amount)];
        let id = EntryId::new(self.next_id());
        let entry = Entry { id, legs, effective_at: None, reference: None, memo: Memo::default() };
        let end = HoldEnd { hold, outcome: HoldOutcome::Settled };
        Command::Change(Change { ends: vec![end], entry: Some(entry), places: Vec::new() })
    }
}

fn account(number: u64) -> AccountId {
    AccountId::new(ACCOUNTS_FROM | u128::from(number))
}

/// Opens the accounts and funds them.
pub(super) fn open_accounts(client: &mut Client, accounts: u64) -> anyhow::Result<()> {
    let mut commands = Vec::new();
    let most = usize::try_from(ROWS_MAX)?;
    let mut request = OPENING_FROM;
    for number in 0..accounts {
        let id = account(number);
        commands.push(Command::open(id, AccountKind::Customer, Asset::CNY));
        commands.push(Command::Transfer(Transfer {
            id: EntryId::new(OPENING_FROM | u128::from(number)),
            debit: books().reserve,
            credit: id,
            sizing: Sizing::Exact(Amount::new(Asset::CNY, OPENING_FEN)),
            effective_at: None,
            reference: None,
            memo: Memo::default(),
        }));
        if commands.len() == most || number.saturating_add(1) == accounts {
            client.send_all(CommandId::new(request), commands.drain(..))?;
            // Each request is cut into fewer batches than this.
            request = request.wrapping_add(1 << 10);
        }
    }
    Ok(())
}

/// One connection: sends its rows request after request, and takes the time of each. The next request is made up while the bank has
/// the one before it; it is sent when that has been answered.
pub(super) fn client(
    mut load: Load,
    rows: u64,
    batch: u32,
    address: std::net::SocketAddr,
    token: [u8; 32],
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let mut client = Client::connect(address, &token)?;
    let mut latencies = histogram()?;
    let mut left = rows;
    let mut next = load.request(left.min(batch.into()))?;
    while left > 0 {
        let (id, request) = next;
        left = left.saturating_sub(request.len().into());
        let begun = Instant::now();
        client.begin(id, &request)?;
        next = load.request(left.min(batch.into()))?;
        let answer = client.finish()?;
        latencies.record(micros(begun.elapsed()).max(1))?;
        ensure!(answer.problem.is_none(), "not all rows were taken: {}", answer.problem.unwrap_or_default());
        let first = answer.refused.first().map(|refused| refused.words.as_str());
        ensure!(first.is_none(), "a row was refused: {}", first.unwrap_or_default());
    }
    Ok(latencies)
}
