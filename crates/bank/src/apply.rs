//! Applying journal entries. Every event was decided on the same state, so nothing can fail; if it does, the core stops.

use money::{Timestamp, invariant};

use crate::{Bank, Command, Event, JournalEntry, Outstanding};

impl Bank {
    /// Applies a journal entry with its sequence number.
    pub fn apply(&mut self, seq: u64, entry: &JournalEntry) {
        invariant!(seq == self.seq.saturating_add(1), "entry {seq} applied after {}", self.seq);
        invariant!(
            entry.recorded_at >= self.recorded_at,
            "entry {seq} recorded at {}, before {}",
            entry.recorded_at,
            self.recorded_at
        );
        for event in &entry.events {
            match (event, &entry.command) {
                (Event::LedgerBatch(outcome), Command::LedgerBatch(batch)) => {
                    self.ledger.apply_batch(batch, outcome, entry.recorded_at);
                }
                _ => self.apply_event(event, entry.recorded_at),
            }
        }
        self.move_on(seq, entry);
    }

    /// What every entry changes, whatever it is.
    pub(crate) fn move_on(&mut self, seq: u64, entry: &JournalEntry) {
        if Self::remembers(&entry.actor) {
            self.recent.remember(entry.id, entry.body, seq);
        }
        self.seq = seq;
        self.recorded_at = entry.recorded_at;
    }

    pub(crate) fn apply_event(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::Ledger(event) => self.ledger.apply(event, now),
            Event::Identity(event) => self.identity.apply(event, now),
            Event::Payments(event) => self.payments.apply(event),
            Event::Settlement(event) => self.settlement.apply(event, now),
            Event::Cells(event) => self.cells.apply(event, now),
            Event::Exchange(outcome) => self.replay_exchange(outcome, now),
            Event::LedgerBatch(_) => invariant!(false, "the outcome of a batch without its batch"),
            Event::EffectQueued { id, effect } => {
                let outstanding = Outstanding { effect: effect.clone(), since: now };
                let taken = self.outbox.insert(*id, outstanding).is_some();
                invariant!(!taken, "effect {id} queued twice");
                self.next_effect = self.next_effect.saturating_add(1);
            }
            Event::EffectEnded { id, .. } => {
                let known = self.outbox.remove(id).is_some();
                invariant!(known, "effect {id} ended but is not outstanding");
            }
        }
    }
}
