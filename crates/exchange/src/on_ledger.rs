//! The ledger as the markets' purse: what an order needs is set aside there, and what it trades is posted there.

use ledger::{Ledger, Position, Trade};
use money::{AccountId, Asset, Timestamp};

use crate::market::{Funds, Movement};

/// Books, at the time at which what happens is recorded.
#[derive(Debug)]
pub struct OnLedger<'a> {
    ledger: &'a mut Ledger,
    now: Timestamp,
}

impl<'a> OnLedger<'a> {
    /// These books.
    pub const fn new(ledger: &'a mut Ledger, now: Timestamp) -> Self {
        Self { ledger, now }
    }
}

impl Funds for OnLedger<'_> {
    fn position(&self, account: AccountId) -> Result<Position, ledger::Refusal> {
        self.ledger.position(account)
    }

    fn asset(&self, account: Position) -> Option<Asset> {
        self.ledger.at(account).map(|(_, account)| account.asset())
    }

    fn available(&self, account: Position) -> u128 {
        self.ledger.at(account).map_or(0, |(_, account)| account.balance().available.minor())
    }

    fn can_reserve(&self, account: Position, minor: u128) -> Result<(), ledger::Refusal> {
        self.ledger.can_reserve(account, minor)
    }

    fn carry_out(&mut self, movement: &Movement) {
        match movement {
            Movement::Reserve { account, minor } => self.ledger.reserve(*account, *minor),
            Movement::Unreserve { account, minor } => self.ledger.unreserve(*account, *minor),
            Movement::Trade { id, legs, reference } => {
                let trade = Trade { id: *id, legs, reference: Some(*reference), memo: "" };
                self.ledger.post_trade(&trade, self.now);
            }
        }
    }
}
