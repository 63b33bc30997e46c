//! What goes wrong: power, disks, clocks, and the centre itself.

use journal::{JournalError, SECTOR_BYTES, Storage as _};
use payments::Rail;
use sandbox::{Control, Fault, RejectAt};

use crate::cluster::LEASE;
use crate::engine::{ReadFault, WriteFault};
use crate::outside::{jiff_time, world_rail};
use crate::run::Sim;
use crate::shell::Reply;

/// Starts that fail in a row before the disk is left alone.
const STARTS_MAX: u32 = 8;
/// Codes of rejections.
const CODES: [&str; 6] = ["RJ01", "RJ02", "RJ03", "RJ11", "RJ91", "RJ98"];

impl Sim {
    pub(crate) fn trouble(&mut self) -> Result<(), String> {
        match self.chance.below(16) {
            0..=2 if self.faults.crashes => self.crash(),
            3 if self.faults.disk => self.disk_fails(),
            10 if self.faults.disk => self.disk_is_damaged()?,
            11 if self.faults.disk => self.disk_is_slow_or_unreadable(),
            12..=13 if self.faults.cluster => self.shared_journal_fails()?,
            14..=15 if self.faults.cluster => self.lead_changes()?,
            4 if self.faults.clock => self.clock_jumps(),
            5 => self.make_snapshot(),
            6..=8 if self.faults.centre => self.centre_fails(),
            9 if self.faults.wrong_figures => self.wrong_figures(),
            _ if self.faults.bad_frames => self.bad_frame(),
            _ => {}
        }
        Ok(())
    }

    /// The power goes at one of the next operations of the disk, or the process is killed here and now.
    fn crash(&mut self) {
        if self.chance.percent(70) {
            let operations = self.chance.below(6);
            self.note(|| format!("the power will go in {operations} operations"));
            self.shell.disk.lose_power_after(operations);
        } else {
            self.note(|| "the process is killed".to_owned());
            self.shell.kill();
        }
    }

    fn disk_fails(&mut self) {
        if self.chance.percent(40) {
            self.shell.disk.fail_after(self.chance.below(4));
            self.note(|| "the disk will fail once".to_owned());
        } else if self.chance.percent(50) {
            self.shell.disk.set_capacity(Some(0));
            self.note(|| "the disk is full".to_owned());
        } else {
            self.shell.disk.set_capacity(None);
            self.note(|| "the disk has room".to_owned());
        }
    }

    fn clock_jumps(&mut self) {
        (self.behind_ms, self.ahead_ms, self.stopped_at) = (0, 0, None);
        let words = match self.chance.below(10) {
            0..=4 => {
                self.behind_ms = self.chance.between(1, 120_000);
                format!("the machine's clock is {} ms behind", self.behind_ms)
            }
            5..=6 => {
                self.ahead_ms = self.chance.between(1, 10_000);
                format!("the machine's clock is {} ms ahead", self.ahead_ms)
            }
            7 => {
                self.stopped_at = Some(self.now);
                "the machine's clock stands still".to_owned()
            }
            _ => "the machine's clock is right".to_owned(),
        };
        self.note(|| words);
    }

    fn disk_is_slow_or_unreadable(&mut self) {
        if self.chance.percent(50) {
            self.shell.stall_ms = self.chance.between(500, 20_000);
            let ms = self.shell.stall_ms;
            self.note(|| format!("the disk will take {ms} ms for a write"));
        } else {
            self.shell.read_fails.set(Some(self.chance.below(20)));
            self.shell.kill();
            self.note(|| "the process is killed, and a read of the disk will fail".to_owned());
        }
    }

    /// Bytes that nobody wrote there: one turned, a sector written at another place, a write that never happened. A start must say where; then
    /// the right bytes are put back, as from a backup.
    fn disk_is_damaged(&mut self) -> Result<(), String> {
        let names = self.shell.disk.segments().map_err(|error| error.to_string()).unwrap_or_default();
        let Some(segment) = self.chance.pick(&names).copied().filter(|_| !self.shell.disk.is_off()) else {
            return Ok(());
        };
        let bytes = self.shell.disk.bytes(segment);
        let sectors = bytes.len() / SECTOR_BYTES;
        let (to, from) = (self.chance.index(sectors), self.chance.index(sectors));
        let part = |index: usize| {
            let start = index.saturating_mul(SECTOR_BYTES);
            bytes.get(start..start.saturating_add(SECTOR_BYTES)).unwrap_or_default()
        };
        let is_last = names.last() == Some(&segment);
        let mut sector = part(to).to_vec();
        let words = match self.chance.below(3) {
            0 => {
                let (at, bit) = (self.chance.index(sector.len()), self.chance.below(8));
                if let Some(byte) = sector.get_mut(at) {
                    *byte ^= 1_u8.rotate_left(u32::try_from(bit).unwrap_or(0));
                }
                "a bit is turned"
            }
            1 => {
                sector = part(from).to_vec();
                "a sector is written at another place"
            }
            // In the last segment it might be the last group, and then nothing shows that it was ever there.
            _ if is_last => return Ok(()),
            _ => {
                sector.fill(0);
                "a sector was never written"
            }
        };
        // A last group whose sectors are missing cannot be told from one that was being written.
        if sector == part(to) || (is_last && sector.iter().all(|byte| *byte == 0)) {
            return Ok(());
        }
        let offset = u64::try_from(to.saturating_mul(SECTOR_BYTES)).unwrap_or(0);
        self.note(|| format!("{words}: {segment} at byte {offset}"));
        self.shell.kill();
        self.shell.disk.lose_power();
        self.shell.disk.restore_power(|_| true);
        self.shell.disk.overwrite(segment, offset, &sector);
        let found = self.shell.open();
        self.shell.kill();
        match found {
            Err(JournalError::Damaged(damage)) if damage.at.segment == segment => {}
            Err(error) => {
                return Err(format!("{words} in {segment} at byte {offset}, and a start says: {error}"));
            }
            Ok(()) => {
                return Err(format!("{words} in {segment} at byte {offset}, and the journal was opened"));
            }
        }
        self.shell.disk.replace(segment, Some(bytes));
        self.restart()
    }

    /// What a shared journal is allowed to do.
    fn shared_journal_fails(&mut self) -> Result<(), String> {
        let calls = if self.chance.percent(50) { self.chance.between(1, 40) } else { 0 };
        let (what, read) = (self.chance.below(8), self.chance.percent(50));
        let Some(cluster) = &mut self.shell.cluster else { return Ok(()) };
        let words = match what {
            0..=2 => {
                cluster.part.link.fail_write(WriteFault::AnswerLost, calls);
                format!("the next answer of the shared journal is lost, and {calls} more")
            }
            3 => {
                cluster.part.link.fail_write(WriteFault::WriteLost, calls);
                format!("the next write to the shared journal is lost, and {calls} more calls")
            }
            4 => {
                cluster.part.link.cut(calls);
                format!("{calls} calls to the shared journal get no answer")
            }
            5 => {
                let lost = cluster.part.link.lose_unconfirmed();
                format!("the shared journal's database changes its leader and loses {lost} rows")
            }
            6 => {
                cluster.standby_link().fail_read(if read { ReadFault::Gap } else { ReadFault::Damage });
                "the follower's next read has a gap or a wrong byte".to_owned()
            }
            _ => {
                cluster.part.link.repeat_last()?;
                "the last write to the shared journal comes again".to_owned()
            }
        };
        self.note(|| words);
        Ok(())
    }

    /// The leader dies or is not heard of; the other node takes over. Somebody may still talk to the old one.
    fn lead_changes(&mut self) -> Result<(), String> {
        if self.chance.percent(50) {
            self.shell.kill();
        }
        let lease = u64::try_from(LEASE.as_millis()).unwrap_or(0);
        self.now = self.now.plus_ms(lease.saturating_add(self.chance.between(1, 5_000)));
        self.shell.set_now(self.now);
        if !self.shell.fail_over() {
            return self.observer.check(&mut self.shell);
        }
        self.restarts = self.restarts.saturating_add(1);
        self.note(|| "the other node leads".to_owned());
        self.observer.after_restart(&mut self.shell)?;
        for _ in 0..self.chance.below(3) {
            let Some(submission) = self.customer_wants() else { continue };
            let clock = self.clocks().bank;
            match self.shell.ask_old_leader(clock, submission.clone()) {
                Some(Reply::Taken { seq, .. }) => {
                    return Err(format!("a node that leads no more answered entry {seq}"));
                }
                Some(Reply::Dead | Reply::NoRoom) => self.unsure.push(submission),
                Some(Reply::Refused(_)) | None => {}
            }
        }
        self.observer.check(&mut self.shell)
    }

    pub(crate) fn make_snapshot(&mut self) {
        if self.shell.is_alive() {
            self.shell.snapshot();
            self.note(|| "a snapshot".to_owned());
        }
        if self.faults.disk && self.chance.percent(15) {
            let at = self.chance.index(1 << 20);
            self.shell.damage_snapshot(at);
            self.note(|| "the newest snapshot is damaged".to_owned());
        }
    }

    /// Power back, journal opened, state rebuilt; the power may go again meanwhile.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        self.shell.disk.set_capacity(None);
        let changes = self.chance.percent(30);
        if let Some(cluster) = &mut self.shell.cluster {
            // What cut the node off was the database's own leader going away.
            let lost = if changes { cluster.part.link.lose_unconfirmed() } else { 0 };
            cluster.part.link.mend();
            if lost > 0 {
                self.note(|| format!("the shared journal lost {lost} rows that it had not confirmed"));
            }
        }
        for attempt in 0..STARTS_MAX {
            let mode = self.chance.below(3);
            let chance = &mut self.chance;
            self.shell.disk.lose_power();
            self.shell.disk.restore_power(|_| match mode {
                0 => false,
                1 => true,
                _ => chance.percent(50),
            });
            if self.faults.crashes && attempt.saturating_add(1) < STARTS_MAX && self.chance.percent(25) {
                self.shell.disk.lose_power_after(self.chance.below(3));
            }
            match self.shell.start() {
                // The copy could not be written to its end.
                Ok(())
                    if self.shell.cluster.is_some()
                        && !self.shell.is_alive()
                        && self.shell.trace.is_none() => {}
                Ok(()) => {
                    self.restarts = self.restarts.saturating_add(1);
                    self.note(|| "started again".to_owned());
                    return self.observer.after_restart(&mut self.shell);
                }
                // The power went again, or a read failed.
                Err(JournalError::Io(_)) => {}
                Err(error) => return Err(format!("cannot start again: {error}")),
            }
        }
        Err("cannot start again at all".to_owned())
    }

    fn centre_fails(&mut self) {
        let rail = if self.chance.percent(70) { Rail::Instant } else { Rail::HighValue };
        let system = Some(world_rail(rail));
        let count = u32::try_from(self.chance.between(1, 2)).unwrap_or(1);
        let fault = match self.chance.below(9) {
            0 => Fault::LostAck { count },
            1 => Fault::LateAnswer { ms: self.chance.between(1_000, 60_000), count },
            2 => Fault::NoAnswer { count },
            3 => Fault::AnswerAfterCancel { ms: self.chance.below(5_000), count },
            4 => {
                let code = self.chance.pick(&CODES).copied().unwrap_or("RJ01").to_owned();
                let at = if self.chance.percent(50) { RejectAt::Answer } else { RejectAt::Acknowledgement };
                Fault::Reject { code, count, at }
            }
            5 => Fault::Duplicate { count },
            6 => Fault::CentreDown { system },
            _ => Fault::CentreUp { system },
        };
        self.make_fault(fault);
    }

    fn wrong_figures(&mut self) {
        if self.chance.percent(60) {
            let rail = if self.chance.percent(70) { Rail::Instant } else { Rail::HighValue };
            self.wrong_totals.insert(rail);
            self.make_fault(Fault::WrongTotal { amount: "1.00".to_owned(), system: world_rail(rail) });
        } else {
            self.wrong_nets = self.wrong_nets.saturating_add(1);
            self.make_fault(Fault::WrongNet { amount: "0.37".to_owned() });
        }
    }

    fn bad_frame(&mut self) {
        let fault = match self.chance.below(7) {
            0 => Fault::BadSchema,
            1 => Fault::Bom,
            2 => Fault::Truncated,
            3 => Fault::BadSignature,
            4 if self.chance.percent(20) => Fault::Oversized,
            // Only behind what it contradicts: a centre that contradicts itself beforehand is beyond what a bank can know.
            _ if self.outside.world.next_outgoing().is_none() => {
                Fault::DuplicateOtherBody { message_id: None }
            }
            _ => return,
        };
        self.make_fault(fault);
    }

    fn make_fault(&mut self, fault: Fault) {
        let control = Control::Fault(fault);
        let answer = self.outside.world.control(&control, jiff_time(self.now));
        self.note(|| format!("{control:?}: {answer:?}"));
    }
}
