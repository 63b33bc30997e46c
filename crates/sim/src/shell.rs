//! A miniature of the node in one thread: decide, apply, encode, append to the journal on a disk that fails, and only then reply.

use std::cell::Cell;
use std::rc::Rc;

use bank::{Bank, Command, Event, JournalEntry, Refusal, RelyingParty, Seen, Submission, admit};
use exchange::quote::Offer;
use identity::Actor;
use journal::{Hash, Journal, JournalError, Options, Reader, SegmentName, SimDisk};
use money::{CommandId, Timestamp};

use crate::cluster::{Cluster, Shared};
use crate::disk::WriterDisk;
use crate::{Defect, tamper};

/// Small segments, so that runs cross from one to the next.
const SEGMENT_BYTES: u64 = 128 * 1024;
/// Snapshots kept, as in the node.
const SNAPSHOTS_KEPT: usize = 2;

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Taken {
        seq: u64,
        is_repeat: bool,
    },
    Refused(Refusal),
    /// Not now; nothing was taken.
    NoRoom,
    /// No answer: nobody knows.
    Dead,
}

/// A snapshot file, whole and durable.
pub(crate) struct Snapshot {
    seq: u64,
    record: Hash,
    bytes: Vec<u8>,
}

/// A record that was handed to the journal and is durable.
pub(crate) type Written = (u64, Vec<u8>);

pub(crate) struct Shell {
    pub(crate) disk: SimDisk,
    pub(crate) journal: Option<Journal<WriterDisk>>,
    pub(crate) bank: Bank,
    pub(crate) snapshots: Vec<Snapshot>,
    /// The other node and the journal that both share, where there are two.
    pub(crate) cluster: Option<Cluster>,
    /// How long the disk takes for the next write.
    pub(crate) stall_ms: u64,
    /// How long clients have waited for it.
    waited_ms: u64,
    /// So many more reads of the disk until one fails.
    pub(crate) read_fails: Rc<Cell<Option<u64>>>,
    relying_party: RelyingParty,
    defect: Option<Defect>,
    /// The driver's own list under [`Defect::LoseEffectsOnRestart`]: effects from before this number are forgotten.
    pub(crate) forgotten_effects: Option<u128>,
    /// What became durable since it was last asked.
    pub(crate) written: Vec<Written>,
    /// A refusal that changed the state, in words.
    pub(crate) trace: Option<String>,
    /// Hashes of the whole state are compared around every so many refusals.
    refusals: u64,
    /// Under [`Defect::OfferTwice`]: the offers that were taken.
    taken_offers: Vec<Offer>,
}

/// Entries that become durable together.
#[derive(Default)]
struct Group {
    records: Vec<Written>,
    replies: Vec<Reply>,
}

pub(crate) const fn options() -> Options {
    Options { segment_bytes: SEGMENT_BYTES, direct: true }
}

impl Shell {
    pub(crate) fn new(
        relying_party: RelyingParty,
        defect: Option<Defect>,
        cluster: Option<Cluster>,
    ) -> Result<Self, String> {
        if let (Some(cluster), Some(Defect::IgnoreEpoch)) = (&cluster, defect) {
            cluster.part.link.ignore_epoch();
        }
        let mut shell = Self {
            disk: SimDisk::new(),
            journal: None,
            bank: Bank::default(),
            snapshots: Vec::new(),
            cluster,
            stall_ms: 0,
            waited_ms: 0,
            read_fails: Rc::default(),
            relying_party,
            defect,
            forgotten_effects: None,
            written: Vec::new(),
            trace: None,
            refusals: 0,
            taken_offers: Vec::new(),
        };
        shell.open().map_err(|error| error.to_string())?;
        if !shell.take_lead().map_err(|error| error.to_string())? {
            return Err("nobody leads, and yet the lead cannot be taken".to_owned());
        }
        Ok(shell)
    }

    /// Opens the journal, cutting a torn tail, and rebuilds the state.
    pub(crate) fn open(&mut self) -> Result<(), JournalError> {
        self.journal = None;
        let forgets = self.has(Defect::ForgetSync);
        let disk = || WriterDisk::new(self.disk.clone(), Rc::clone(&self.read_fails), forgets);
        let opened = match Journal::open_on(disk(), &options()) {
            Err(JournalError::Damaged(damage)) if self.has(Defect::CutAtDamage) => {
                self.cut(damage.at.segment, damage.at.offset);
                Journal::open_on(disk(), &options())
            }
            opened => opened,
        };
        let (journal, _) = opened?;
        self.recover()?;
        self.journal = Some(journal);
        Ok(())
    }

    /// The mistake of a start that throws away whatever it cannot read.
    fn cut(&self, segment: SegmentName, offset: u64) {
        let rest = vec![0; usize::try_from(SEGMENT_BYTES.saturating_sub(offset)).unwrap_or(0)];
        self.disk.overwrite(segment, offset, &rest);
        for later in journal::Storage::segments(&self.disk).unwrap_or_default() {
            if later > segment {
                self.disk.replace(later, None);
            }
        }
    }

    /// How long clients have waited for the disk since it was last asked.
    pub(crate) const fn waited_ms(&mut self) -> u64 {
        std::mem::replace(&mut self.waited_ms, 0)
    }

    /// The shared journal's clock.
    pub(crate) fn set_now(&mut self, now: Timestamp) {
        if let Some(cluster) = &mut self.cluster {
            cluster.set_now(now);
        }
    }

    /// No fault is planned any more, on the disk's way to be read and on the way to the shared journal.
    pub(crate) fn mend(&mut self) {
        self.read_fails.set(None);
        self.stall_ms = 0;
        if let Some(cluster) = &mut self.cluster {
            cluster.part.link.mend();
            cluster.standby_link().mend();
            cluster.standby.disk.set_capacity(None);
        }
    }

    pub(crate) const fn defect(&self) -> Option<Defect> {
        self.defect
    }

    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// Whether the node runs and decides.
    pub(crate) fn is_alive(&self) -> bool {
        self.journal.is_some() && self.cluster.as_ref().is_none_or(|cluster| cluster.part.lead.is_some())
    }

    /// Whether a rail is told "taken" although the write failed.
    pub(crate) fn acknowledges_early(&self) -> bool {
        self.has(Defect::AcknowledgeBeforeDurable)
    }

    /// The process is killed.
    pub(crate) fn kill(&mut self) {
        self.journal = None;
    }

    /// Takes commands as one group, and what is due with them.
    pub(crate) fn commit(&mut self, clock: Timestamp, batch: Vec<Submission>) -> Vec<Reply> {
        let count = batch.len();
        if self.journal.is_none() {
            return vec![Reply::Dead; count];
        }
        let mut group = Group::default();
        for submission in batch {
            let reply = self.take(submission, clock, &mut group);
            group.replies.push(reply);
        }
        self.tick(clock, &mut group);
        if self.has(Defect::SnapshotAheadOfJournal) && self.bank.seq().is_multiple_of(16) {
            self.snapshot();
        }
        let records: Vec<&[u8]> = group.records.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        if self.stall_ms > 0 {
            self.waited_ms = self.waited_ms.saturating_add(std::mem::take(&mut self.stall_ms));
            self.set_now(clock.plus_ms(self.waited_ms));
        }
        match self.append_shared(&records) {
            Shared::Durable => {}
            Shared::Elsewhere => {
                self.step_down();
                return vec![Reply::Dead; count];
            }
            Shared::NotDone => return self.go_back(count),
            Shared::Unknown => {
                self.journal = None;
                return vec![Reply::Dead; count];
            }
        }
        let appended = match &mut self.journal {
            Some(journal) => journal.append(&records).map(|_| ()),
            None => Ok(()),
        };
        match appended {
            Ok(()) => {
                self.written.append(&mut group.records);
                group.replies
            }
            // In the shared journal it is durable: the answer is given, and the copy is mended at the next start.
            Err(_) if self.cluster.is_some() => {
                self.journal = None;
                self.written.append(&mut group.records);
                group.replies
            }
            Err(JournalError::Full { .. }) => self.go_back(count),
            Err(_) => {
                self.journal = None;
                if self.has(Defect::AckBeforeDurable) {
                    self.written.append(&mut group.records);
                    return group.replies;
                }
                vec![Reply::Dead; count]
            }
        }
    }

    /// The journal had no room for what was applied: the state goes back to what is durable.
    fn go_back(&mut self, count: usize) -> Vec<Reply> {
        if self.has(Defect::KeepWhatHadNoRoom) {
            return vec![Reply::NoRoom; count];
        }
        match self.recover() {
            Ok(()) => vec![Reply::NoRoom; count],
            Err(_) => {
                self.journal = None;
                vec![Reply::Dead; count]
            }
        }
    }

    fn now(&self, clock: Timestamp) -> Timestamp {
        if self.has(Defect::ClockGoesBack) { clock } else { clock.max(self.bank.recorded_at()) }
    }

    fn take(&mut self, mut submission: Submission, clock: Timestamp, group: &mut Group) -> Reply {
        if let Some(defect) = self.defect {
            tamper::command(defect, &mut submission.command, &self.bank);
        }
        if self.has(Defect::OfferTwice) {
            self.pay_again(&mut submission);
        }
        let admitted = match admit(submission, &self.relying_party) {
            Ok(admitted) => admitted,
            Err(refusal) => return Reply::Refused(refusal),
        };
        let (id, body) = (admitted.submission().id, admitted.body());
        let seen = if self.has(Defect::ForgetCommandIds) { Seen::New } else { self.bank.seen(id, body) };
        match seen {
            Seen::Conflict if self.has(Defect::TakeIdAgain) => {}
            Seen::New => {}
            Seen::Repeat { seq } => return Reply::Taken { seq, is_repeat: true },
            Seen::Conflict => return Reply::Refused(Refusal::IdReused { id }),
        }
        let now = self.now(clock);
        match &admitted.submission().command {
            Command::LedgerBatch(_) => return self.take_rows(admitted, now, group),
            Command::Exchange(exchange::Command::AcceptQuote { .. }) if self.has(Defect::LateOffer) => {
                return self.take_rows(admitted, self.bank.recorded_at(), group);
            }
            Command::Exchange(_) => return self.take_rows(admitted, now, group),
            Command::Tick if self.bank.exchange().next_due().is_some_and(|due| due <= now) => {
                return self.take_rows(admitted, now, group);
            }
            _ => {}
        }
        let mut events = match self.decide(&admitted, now) {
            Ok(events) if events.is_empty() => {
                return Reply::Taken { seq: self.bank.seq(), is_repeat: true };
            }
            Ok(events) => events,
            Err(refusal) => return Reply::Refused(refusal),
        };
        if let Some(defect) = self.defect {
            tamper::events(defect, &admitted.submission().command, &mut events, &self.bank);
        }
        let Submission { id, actor, command } = admitted.into_submission();
        let is_tick = command == Command::Tick;
        let entry = JournalEntry { epoch: 1, recorded_at: now, actor, id, body, command, events };
        let seq = self.bank.seq().saturating_add(1);
        if !(self.has(Defect::ApplyWithoutJournal) && is_tick && seq.is_multiple_of(3)) {
            group.records.push((seq, entry.to_bytes()));
        }
        self.bank.apply(seq, &entry);
        Reply::Taken { seq, is_repeat: false }
    }

    /// The mistake of a shell that pays out itself what it thinks was not paid yet.
    fn pay_again(&mut self, submission: &mut Submission) {
        let Command::Exchange(exchange::Command::AcceptQuote { offer, .. }) = submission.command else {
            return;
        };
        let body = bank::BodyHash::of(&submission.command);
        if self.bank.seen(submission.id, body) != Seen::New {
            return;
        }
        let taken = self.taken_offers.iter().find(|taken| taken.id() == offer);
        match taken.and_then(|taken| tamper::paid_again(taken, &self.bank)) {
            Some(command) => {
                submission.actor = Actor::Operator(money::Text::clip("shell"));
                submission.command = command;
            }
            None => self.taken_offers.extend(self.bank.exchange().dealing().desk().offer(offer).cloned()),
        }
    }

    /// Rows, orders and what falls due of them are decided and applied in one turn.
    fn take_rows(&mut self, admitted: bank::Admitted, now: Timestamp, group: &mut Group) -> Reply {
        self.refusals = self.refusals.saturating_add(1);
        let is_rows = matches!(admitted.submission().command, Command::LedgerBatch(_));
        let before = (is_rows || self.refusals.is_multiple_of(8)).then(|| self.bank.state_hash());
        match self.bank.take(admitted, 1, now) {
            Ok(Some(mut turn)) => {
                if self.has(Defect::KeepSetAside) {
                    tamper::without_ends(&mut turn.entry.events);
                }
                let seq = self.bank.seq();
                group.records.push((seq, turn.entry.to_bytes()));
                Reply::Taken { seq, is_repeat: false }
            }
            Ok(None) => Reply::Taken { seq: self.bank.seq(), is_repeat: true },
            Err(refusal) => {
                if before.is_some_and(|before| before != self.bank.state_hash()) {
                    self.trace = Some("a batch that was refused changed the state".to_owned());
                }
                Reply::Refused(refusal)
            }
        }
    }

    /// Decides, and sees to it that a refusal leaves nothing.
    fn decide(&mut self, admitted: &bank::Admitted, now: Timestamp) -> Result<Vec<Event>, Refusal> {
        self.refusals = self.refusals.saturating_add(1);
        let before = self.refusals.is_multiple_of(8).then(|| self.bank.state_hash());
        let decided = self.bank.decide(admitted, now);
        let Err(refusal) = &decided else { return decided };
        if self.has(Defect::RefusalLeavesTrace) {
            self.leave_trace(now);
        }
        if before.is_some_and(|before| before != self.bank.state_hash()) {
            self.trace = Some(format!("the refusal \"{refusal}\" changed the state"));
        }
        decided
    }

    /// Uses up numbers as an entry that nobody writes.
    fn leave_trace(&mut self, now: Timestamp) {
        let date = self.bank.payments().local_date(now);
        let next = u64::from(u32::MAX).saturating_add(self.refusals);
        let used = payments::Event::SerialsUsed { next, message: (date, 1) };
        let entry = JournalEntry {
            epoch: 1,
            recorded_at: now,
            actor: Actor::System,
            id: CommandId::new(0),
            body: bank::BodyHash::of(&Command::Tick),
            command: Command::Tick,
            events: vec![Event::Payments(used)],
        };
        self.bank.apply(self.bank.seq().saturating_add(1), &entry);
    }

    /// Lets happen what is due.
    fn tick(&mut self, clock: Timestamp, group: &mut Group) {
        let now = self.now(clock);
        if self.has(Defect::NeverTick) {
            return;
        }
        if self.bank.next_due().is_some_and(|due| due <= now) {
            let tick = Submission { id: CommandId::new(0), actor: Actor::System, command: Command::Tick };
            let _ = self.take(tick, clock, group);
        }
    }

    /// Makes a snapshot of what is durable.
    pub(crate) fn snapshot(&mut self) {
        let seq = self.bank.seq();
        let known = self.snapshots.last().is_some_and(|last| last.seq == seq);
        if known || seq == 0 {
            return;
        }
        let record = self.record_hash(seq);
        if record.is_none() && !self.has(Defect::SnapshotAheadOfJournal) {
            return;
        }
        let bytes = self.bank.to_snapshot();
        self.snapshots.push(Snapshot { seq, record: record.unwrap_or_default(), bytes });
        if self.snapshots.len() > SNAPSHOTS_KEPT {
            self.snapshots.remove(0);
        }
    }

    /// Damages a byte of the newest snapshot.
    pub(crate) fn damage_snapshot(&mut self, at: usize) {
        let Some(snapshot) = self.snapshots.last_mut() else { return };
        let at = at.checked_rem(snapshot.bytes.len()).unwrap_or(0);
        if let Some(byte) = snapshot.bytes.get_mut(at) {
            *byte ^= 0x10;
        }
    }

    fn record_hash(&self, seq: u64) -> Option<Hash> {
        let mut reader = Reader::open_on(self.disk.clone(), seq).ok()?;
        let record = reader.next().ok()??;
        (record.seq == seq).then_some(record.hash)
    }

    /// Starts again after a crash: opens the journal, cuts a torn tail, rebuilds the state, and takes the lead where there are two nodes.
    pub(crate) fn start(&mut self) -> Result<(), JournalError> {
        self.open()?;
        match self.take_lead() {
            Ok(true) => {}
            Ok(false) => self.trace = Some("the lead cannot be taken, and nobody has it".to_owned()),
            Err(error) => self.trace = Some(format!("the node that starts finds: {error}")),
        }
        if self.has(Defect::LoseEffectsOnRestart) {
            let newest = self.bank.outstanding().map(|(id, _)| id.value()).max();
            self.forgotten_effects = newest.or(self.forgotten_effects);
        }
        Ok(())
    }

    /// The newest snapshot that the journal agrees with, then the rest of the journal.
    pub(crate) fn recover(&mut self) -> Result<(), JournalError> {
        let believed = |snapshot: &&Snapshot| {
            self.has(Defect::SnapshotAheadOfJournal)
                || self.record_hash(snapshot.seq) == Some(snapshot.record)
        };
        let good = self.snapshots.iter().rev().filter(believed);
        let newest = good.filter_map(|snapshot| Bank::from_snapshot(&snapshot.bytes).ok()).next();
        let mut bank = newest.unwrap_or_default();
        let skipped = u64::from(self.has(Defect::SnapshotOfWrongSeq) && bank.seq() > 0);
        let from = bank.seq().saturating_add(1).saturating_add(skipped);
        let mut reader = Reader::open_on(self.disk.clone(), from)?;
        while let Some(record) = reader.next()? {
            let entry = JournalEntry::from_bytes(&record.bytes);
            money::invariant!(entry.is_ok(), "record {} is no entry", record.seq);
            if let Ok(entry) = entry {
                bank.apply(record.seq, &entry);
            }
        }
        self.bank = bank;
        Ok(())
    }
}
