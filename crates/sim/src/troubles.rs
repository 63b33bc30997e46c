//! What goes wrong: power, disks, clocks, and the centre itself.

use journal::JournalError;
use payments::Rail;
use sandbox::{Control, Fault, RejectAt};

use crate::outside::{jiff_time, world_rail};
use crate::run::Sim;

/// Starts that fail in a row before the disk is left alone.
const STARTS_MAX: u32 = 8;
/// Codes of rejections.
const CODES: [&str; 6] = ["RJ01", "RJ02", "RJ03", "RJ11", "RJ91", "RJ98"];

impl Sim {
    pub(crate) fn trouble(&mut self) -> Result<(), String> {
        match self.chance.below(10) {
            0..=2 if self.faults.crashes => self.crash(),
            3 if self.faults.disk => self.disk_fails(),
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
        let back = self.chance.percent(60);
        self.behind_ms = if back { self.chance.between(1, 120_000) } else { 0 };
        let behind_ms = self.behind_ms;
        self.note(|| format!("the machine's clock is {behind_ms} ms behind"));
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
                Ok(()) => {
                    self.restarts = self.restarts.saturating_add(1);
                    self.note(|| "started again".to_owned());
                    return self.observer.after_restart(&mut self.shell);
                }
                Err(JournalError::Io(_)) if self.shell.disk.is_off() => {}
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
