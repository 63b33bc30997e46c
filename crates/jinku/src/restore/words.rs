//! What passed between the bank and the world, in words that an operator can look up.

use std::collections::BTreeMap;

use bank::{Command, Event, JournalEntry};
use money::EffectId;
use payments::{Effect, RailNotice};

/// An effect in words.
pub(super) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::SendCredit { payment, rail, message, to, amount, .. } => {
            let (rail, bank, account) = (rail.name(), &to.bank, &to.account);
            format!(
                "{amount} to account {account} at bank {bank} by {rail}, message {message}, payment {payment}"
            )
        }
        Effect::SendAnswer { payment, rail, original, reject, amount } => {
            let answer =
                reject.as_ref().map_or_else(|| "accepted".to_owned(), |code| format!("rejected {code}"));
            format!("answer \"{answer}\" to {} by {}, {amount}, payment {payment}", original, rail.name())
        }
        Effect::SendCancel { payment, rail, message, original, amount } => {
            let rail = rail.name();
            format!("cancellation {message} of {original} by {rail}, {amount}, payment {payment}")
        }
        Effect::SendReturn { payment, rail, message, original, amount, .. } => {
            let rail = rail.name();
            format!("return {message} of {original} by {rail}, {amount}, payment {payment}")
        }
    }
}

/// What passed after the point.
#[derive(Debug, Default)]
pub(super) struct Passed {
    lines: Vec<String>,
    /// Effects begun after the point.
    begun: BTreeMap<EffectId, String>,
    /// Effects that were outstanding at the point and have ended since.
    ended: Vec<EffectId>,
    others: BTreeMap<&'static str, u64>,
}

impl Passed {
    pub(super) fn entry(&mut self, seq: u64, entry: &JournalEntry) {
        match &entry.command {
            Command::Payments(payments::Command::Notice { rail, notice }) => {
                if let Some(words) = notice_words(notice) {
                    let (rail, at) = (rail.name(), entry.recorded_at);
                    self.lines.push(format!("came in by {rail} at {at} (record {seq}): {words}"));
                }
            }
            Command::Settlement(_) => self.count("notices and decisions about settlement"),
            Command::Pay { .. } => self.count("payments asked for by customers"),
            Command::Ledger(_) | Command::LedgerBatch(_) => {
                self.count(
                    "commands and batches of rows by staff and tenants, who were told that they are done",
                );
            }
            Command::Cells(_) => self.count("halves of transfers between cells"),
            Command::Exchange(_) => self.count("orders on markets and changes of the markets"),
            Command::OpenOwnAccount { .. } => self.count("accounts that customers opened"),
            Command::Identity(_) => self.count("changes of customers, devices and sessions"),
            _ => {}
        }
        for event in &entry.events {
            match event {
                Event::EffectQueued { id, effect: queued } => {
                    let words = format!("begun at {} (record {seq}): {}", entry.recorded_at, effect(queued));
                    self.begun.insert(*id, words);
                }
                Event::EffectEnded { id, .. } => self.ended.push(*id),
                Event::Ledger(_)
                | Event::LedgerBatch(_)
                | Event::Identity(_)
                | Event::Payments(_)
                | Event::Settlement(_)
                | Event::Cells(_)
                | Event::Exchange(_) => {}
            }
        }
    }

    fn count(&mut self, what: &'static str) {
        let count = self.others.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn lines(self) -> Vec<String> {
        let Self { mut lines, begun, ended, others } = self;
        for (id, words) in &begun {
            let outcome = if ended.contains(id) { "sent, the centre has it" } else { "may have been sent" };
            lines.push(format!("{outcome}: {id}, {words}"));
        }
        let again = ended.iter().filter(|id| !begun.contains_key(id));
        lines.extend(
            again.map(|id| format!("{id} was outstanding at the point and sent after it: it goes out again")),
        );
        if !begun.is_empty() {
            lines.push(
                "numbers of our own messages that were used after the point are given again: \
                 let the bank send nothing by a rail on that business day until the centre has agreed"
                    .to_owned(),
            );
        }
        lines.extend(others.iter().map(|(what, count)| format!("lost besides: {count} {what}")));
        lines
    }
}

/// What a rail said, where money or a promise about it moved.
fn notice_words(notice: &RailNotice) -> Option<String> {
    match notice {
        RailNotice::Credit { key, to, amount, .. } => {
            Some(format!("{amount} for account {}, message {key}", to.account))
        }
        RailNotice::Answer { original, answer } => Some(format!("answer to our {original}: {answer:?}")),
        RailNotice::CancelAnswer { original, cancelled, .. } => {
            let words = if *cancelled { "cancelled" } else { "not cancelled" };
            Some(format!("our {original} is {words}"))
        }
        RailNotice::Return { original, amount, .. } => Some(format!("{amount} of our {original} came back")),
        _ => None,
    }
}
