//! What somebody outside knows: which commands were answered, and what the journal's records alone amount to.

use std::collections::BTreeMap;

use bank::{Bank, BodyHash, JournalEntry, RelyingParty, Submission, admit};
use journal::{Head, Reader, SimDisk, verify_on};
use money::CommandId;

use crate::shell::{Shell, Written};

/// Every so many commands the whole state is compared with its replay.
const COMPARE_EVERY: u64 = 16;

#[derive(Default)]
pub(crate) struct Observer {
    /// The state that the durable records alone give.
    replay: Bank,
    records: BTreeMap<u64, Vec<u8>>,
    /// Commands in durable records, by id.
    by_id: BTreeMap<CommandId, (BodyHash, u64)>,
    commands: u64,
}

impl Observer {
    /// The durable entry of a client's command.
    pub(crate) fn entry_of(&self, submission: &Submission) -> Option<u64> {
        let body = BodyHash::of(&submission.command);
        self.by_id.get(&submission.id).filter(|(known, _)| *known == body).map(|(_, seq)| *seq)
    }

    pub(crate) fn records(&self) -> u64 {
        u64::try_from(self.records.len()).unwrap_or(u64::MAX)
    }

    /// The durable records, in order.
    pub(crate) fn each(&self) -> impl Iterator<Item = &[u8]> {
        self.records.values().map(Vec::as_slice)
    }

    pub(crate) fn into_records(self) -> Vec<Vec<u8>> {
        self.records.into_values().collect()
    }

    fn take(&mut self, (seq, bytes): Written) -> Result<(), String> {
        let entry = JournalEntry::from_bytes(&bytes).map_err(|error| format!("record {seq}: {error}"))?;
        if seq != self.replay.seq().saturating_add(1) {
            return Err(format!("record {seq} follows {} in the journal", self.replay.seq()));
        }
        self.replay.apply(seq, &entry);
        if entry.id != CommandId::new(0) {
            self.by_id.insert(entry.id, (entry.body, seq));
        }
        self.records.insert(seq, bytes);
        Ok(())
    }

    /// What must hold after every command.
    pub(crate) fn check(&mut self, shell: &mut Shell) -> Result<(), String> {
        for written in std::mem::take(&mut shell.written) {
            self.take(written)?;
        }
        if let Some(trace) = shell.trace.take() {
            return Err(trace);
        }
        if !shell.is_alive() {
            return Ok(());
        }
        self.commands = self.commands.saturating_add(1);
        if shell.bank.seq() != self.replay.seq() {
            return Err(format!(
                "the live state is at entry {}, the journal at {}",
                shell.bank.seq(),
                self.replay.seq()
            ));
        }
        if self.commands.is_multiple_of(COMPARE_EVERY) {
            self.compare(&shell.bank)?;
        }
        let broken = shell.bank.broken_invariants();
        if broken.is_empty() { Ok(()) } else { Err(broken.join("; ")) }
    }

    /// The live state is what the journal's records give.
    pub(crate) fn compare(&self, bank: &Bank) -> Result<(), String> {
        if bank.state_hash() == self.replay.state_hash() {
            Ok(())
        } else {
            Err(format!("at entry {} the live state is not what replay gives", bank.seq()))
        }
    }

    /// After a restart: what was acknowledged is there, byte for byte, and the state is that of a full replay.
    pub(crate) fn after_restart(&mut self, shell: &mut Shell) -> Result<(), String> {
        shell.written.clear();
        let verified = verify_on(shell.disk.clone()).map_err(|error| format!("after a restart: {error}"))?;
        let known = std::mem::take(&mut self.records);
        let commands = self.commands;
        *self = Self { commands, ..Self::default() };
        for (seq, bytes) in read_all(&shell.disk)? {
            self.take((seq, bytes))?;
        }
        if self.replay.seq() != verified.head.seq {
            return Err("the reader and the verifier see different journals".to_owned());
        }
        for (seq, bytes) in known {
            match self.records.get(&seq) {
                Some(found) if *found == bytes => {}
                Some(_) => return Err(format!("entry {seq} was acknowledged and is another one now")),
                None => return Err(format!("entry {seq} was acknowledged and is lost")),
            }
        }
        self.compare(&shell.bank)
    }

    /// The shared journal has exactly what was answered and is durable, each record once.
    pub(crate) fn of_stream(&self, shell: &Shell) -> Result<(), String> {
        let Some(cluster) = &shell.cluster else { return Ok(()) };
        let mut head = Head::default();
        for row in cluster.part.link.rows() {
            let (records, after) =
                row.follow(head).map_err(|error| format!("the shared journal: {error}"))?;
            for (seq, record) in (head.seq.saturating_add(1)..).zip(records) {
                if self.records.get(&seq).map(Vec::as_slice) != Some(record) {
                    return Err(format!(
                        "record {seq} of the shared journal is not the one that was answered"
                    ));
                }
            }
            head = after;
        }
        if head.seq == self.records() {
            Ok(())
        } else {
            Err(format!("the shared journal ends at {}, what was answered at {}", head.seq, self.records()))
        }
    }

    /// Decides every command of the journal again and compares what followed, as `jinku audit` does.
    pub(crate) fn audit(&self, relying_party: &RelyingParty) -> Result<(), String> {
        let mut bank = Bank::default();
        for (seq, bytes) in &self.records {
            let entry = JournalEntry::from_bytes(bytes).map_err(|error| format!("record {seq}: {error}"))?;
            let submission =
                Submission { id: entry.id, actor: entry.actor.clone(), command: entry.command.clone() };
            let admitted =
                admit(submission, relying_party).map_err(|error| format!("entry {seq}: {error}"))?;
            let turn = bank.take(admitted, entry.epoch, entry.recorded_at);
            if !turn.as_ref().is_ok_and(|turn| turn.as_ref().is_some_and(|turn| turn.entry == entry)) {
                return Err(format!("entry {seq} is decided otherwise now: {turn:?}"));
            }
        }
        self.compare(&bank)
    }
}

fn read_all(disk: &SimDisk) -> Result<Vec<Written>, String> {
    let mut reader = Reader::open_on(disk.clone(), 1).map_err(|error| error.to_string())?;
    let mut records = Vec::new();
    while let Some(record) = reader.next().map_err(|error| error.to_string())? {
        records.push((record.seq, record.bytes));
    }
    Ok(records)
}
