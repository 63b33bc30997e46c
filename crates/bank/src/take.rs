//! A command's turn: decided, applied, and made an entry of the journal.

use ledger::{Batch, BatchOutcome, Tenant};
use money::Timestamp;

use crate::decide::{check_own_numbers, scope};
use crate::{Admitted, Bank, Command, Event, JournalEntry, Refusal, Submission};

/// What a command's turn led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The entry, whose sequence number is that of the state now.
    pub entry: JournalEntry,
    /// Of a batch, what became of its rows.
    pub rows: Option<RowsTaken>,
    /// Of a command of the markets, what it led to.
    pub markets: Option<exchange::Taken>,
}

/// What became of the rows of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsTaken {
    /// As the journal has it.
    pub outcome: BatchOutcome,
    /// Why each refused row was refused, in the order of the outcome.
    pub refusals: Vec<ledger::Refusal>,
}

impl Bank {
    /// Decides a command and applies what follows from it; `None` where nothing follows.
    ///
    /// Most commands are decided as a whole and then applied. A batch takes row after row, so that each is decided on what the rows
    /// before it left; it is one entry all the same.
    ///
    /// # Errors
    /// A [`Refusal`]; the state is as it was.
    pub fn take(&mut self, admitted: Admitted, epoch: u64, now: Timestamp) -> Result<Option<Turn>, Refusal> {
        let seq = self.seq.saturating_add(1);
        if let Command::LedgerBatch(batch) = &admitted.submission().command {
            let scope = scope(&self.identity.authorise(&admitted.submission().actor, now)?)?;
            let rows = self.take_rows(batch, scope, now)?;
            let entry = entry(admitted, epoch, now, vec![Event::LedgerBatch(rows.outcome.clone())]);
            self.move_on(seq, &entry);
            return Ok(Some(Turn { entry, rows: Some(rows), markets: None }));
        }
        if let Command::Exchange(command) = &admitted.submission().command {
            let taken = self.take_exchange(command, &admitted.submission().actor, now)?;
            let entry = entry(admitted, epoch, now, vec![Event::Exchange(taken.outcome.clone())]);
            self.move_on(seq, &entry);
            return Ok(Some(Turn { entry, rows: None, markets: Some(taken) }));
        }
        if matches!(admitted.submission().command, Command::Tick) {
            return self.take_tick(admitted, epoch, now);
        }
        let events = self.decide(&admitted, now)?;
        if events.is_empty() {
            return Ok(None);
        }
        let entry = entry(admitted, epoch, now, events);
        self.apply(seq, &entry);
        Ok(Some(Turn { entry, rows: None, markets: None }))
    }

    /// A tick: what the other machines decide, and then the markets, which decide and apply as they go.
    fn take_tick(&mut self, admitted: Admitted, epoch: u64, now: Timestamp) -> Result<Option<Turn>, Refusal> {
        let mut events = match self.decide(&admitted, now) {
            Ok(events) => events,
            Err(Refusal::NothingDue) => Vec::new(),
            Err(refusal) => return Err(refusal),
        };
        for event in &events {
            self.apply_event(event, now);
        }
        events.extend(self.tick_exchange(now));
        if events.is_empty() {
            return Err(Refusal::NothingDue);
        }
        let seq = self.seq.saturating_add(1);
        let entry = entry(admitted, epoch, now, events);
        self.move_on(seq, &entry);
        Ok(Some(Turn { entry, rows: None, markets: None }))
    }

    fn take_rows(
        &mut self,
        batch: &Batch,
        scope: Option<Tenant>,
        now: Timestamp,
    ) -> Result<RowsTaken, Refusal> {
        // What comes from outside was read whole and cannot end like this; a batch put together in here can.
        if batch.is_open() {
            return Err(ledger::Refusal::ChainBroken.into());
        }
        let (payments, exchange) = (&self.payments, &self.exchange);
        let (outcome, refusals) = self.ledger.take_batch(batch, now, |ledger, command| {
            check_own_numbers(command).is_ok()
                && Self::check_own_accounts(payments, exchange, command).is_ok()
                && scope.is_none_or(|tenant| ledger.is_within(tenant, command))
        });
        if refusals.len() == usize::try_from(batch.len()).unwrap_or(usize::MAX) {
            return Err(if refusals.is_empty() {
                ledger::Refusal::EmptyChange.into()
            } else {
                Refusal::Rows(refusals)
            });
        }
        Ok(RowsTaken { outcome, refusals })
    }
}

fn entry(admitted: Admitted, epoch: u64, now: Timestamp, events: Vec<Event>) -> JournalEntry {
    let body = admitted.body();
    let Submission { id, actor, command } = admitted.into_submission();
    JournalEntry { epoch, recorded_at: now, actor, id, body, command, events }
}
