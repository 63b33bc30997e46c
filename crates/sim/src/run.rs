//! One run: steps with faults, then rest, then the last checks.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bank::{Command, RelyingParty, Submission};
use identity::{Actor, Grade};
use money::{CommandId, Date, Text, Timestamp};
use payments::{Effect, Rail};
use sandbox::{Control, Which};

use crate::cluster::Cluster;
use crate::faults::{Faults, Network};
use crate::floor::Floor;
use crate::observer::Observer;
use crate::opening::{self, CAPITAL_YUAN, yuan};
use crate::outside::{Clocks, Outside, jiff_time};
use crate::pair::Pair;
use crate::people::{ORIGIN, Person, RP_ID};
use crate::rng::Chance;
use crate::shell::{Reply, Shell};
use crate::{Defect, agreement, books};

/// Steps of a run where the caller does not say.
pub const STEPS_DEFAULT: u64 = 250;
/// Nine in the morning of Tuesday 24 November 2026 in China.
const MORNING_MS: u64 = 1_795_482_000_000;
/// Turns that everything has to come to rest in.
const REST_TURNS_MAX: u64 = 2_000;
/// Lines of the log that a failure shows,
const LOG_LINES: usize = 40;
/// and those of a run of chosen steps, which is short.
const SHORT_LOG_LINES: usize = 1_000;
/// Keeps the cells' chance apart from the rest of a seed's.
const CELLS: u64 = 0xce11_ce11_0000_0000;
/// And the floor's.
const FLOOR: u64 = 0xf100_f100_0000_0000;
/// The step whose chance everything after the last step has.
const REST: u64 = u64::MAX;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The seed: everything follows from it.
    pub seed: u64,
    /// Steps with faults.
    pub steps: u64,
    /// A defect to plant.
    pub defect: Option<Defect>,
    /// Only these steps are taken; all of them without it.
    pub only: Option<BTreeSet<u64>>,
}

impl Options {
    /// Whether a step is taken.
    pub(crate) fn takes(&self, step: u64) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&step))
    }
}

/// What a clean run was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Hash of the bank's last state, in hexadecimal.
    pub state: String,
    /// Records in the journal.
    pub records: u64,
    /// Payments of the bank.
    pub payments: u64,
    /// Fills on the trading floor.
    pub fills: u64,
    /// Offers taken on it.
    pub conversions: u64,
    /// Restarts after crashes.
    pub restarts: u64,
    /// Cases that wait for an operator.
    pub cases: u64,
}

/// What a run found.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed that shows it again.
    pub seed: u64,
    /// At which step; the number of steps and more is after them.
    pub step: u64,
    /// What is wrong.
    pub what: String,
    /// What happened last.
    pub log: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 0, steps: STEPS_DEFAULT, defect: None, only: None }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.log {
            writeln!(f, "  {line}")?;
        }
        write!(f, "seed {} at step {}: {}", self.seed, self.step, self.what)
    }
}

pub(crate) struct Sim {
    pub(crate) chance: Chance,
    pub(crate) faults: Faults,
    pub(crate) now: Timestamp,
    /// By how much the machine's clock is behind,
    pub(crate) behind_ms: u64,
    /// or ahead,
    pub(crate) ahead_ms: u64,
    /// or at what time it stands still.
    pub(crate) stopped_at: Option<Timestamp>,
    /// Nothing passes between bank and centre before this time.
    pub(crate) parted_until: Timestamp,
    pub(crate) shell: Shell,
    /// Two cells beside it.
    pair: Pair,
    /// A trading floor beside them.
    floor: Floor,
    pub(crate) outside: Outside,
    pub(crate) observer: Observer,
    pub(crate) people: Vec<Person>,
    /// Commands whose clients got no answer.
    pub(crate) unsure: Vec<Submission>,
    /// Commands that were answered "taken", to be sent again as a client does that lost the answer.
    pub(crate) answered: VecDeque<Submission>,
    pub(crate) wrong_totals: BTreeSet<Rail>,
    pub(crate) wrong_days: BTreeSet<(Rail, Date)>,
    pub(crate) days_seen: usize,
    /// Rails a day of which ended while a return of ours was neither acknowledged nor refused: the centre may have it in that day's totals and we
    /// in the next one's, and nothing in its protocol says which.
    pub(crate) in_doubt: BTreeSet<Rail>,
    pub(crate) wrong_nets: usize,
    pub(crate) restarts: u64,
    step: u64,
    log_lines: usize,
    log: VecDeque<String>,
}

pub(crate) fn relying_party() -> RelyingParty {
    RelyingParty { id: RP_ID.to_owned(), origins: vec![ORIGIN.to_owned()] }
}

/// Chance of the cells in a step, so that they take none from the others.
fn cells_chance(seed: u64, step: u64) -> Chance {
    Chance::of_step(seed ^ CELLS, step)
}

/// Chance of the floor in a step.
fn floor_chance(seed: u64, step: u64) -> Chance {
    Chance::of_step(seed ^ FLOOR, step)
}

/// Runs a seed to its end, or to the first thing that is wrong.
///
/// # Errors
/// The [`Failure`].
pub fn run(options: &Options) -> Result<Summary, Failure> {
    let start = |what: String| Failure { seed: options.seed, step: 0, what, log: Vec::new() };
    let mut sim = Sim::new(options).map_err(|error| start(error.to_string()))?;
    // A core that stops on a broken invariant has found something, too.
    let found = catch_unwind(AssertUnwindSafe(|| sim.whole(options)));
    let found = found.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        Err(words.unwrap_or_else(|| "the core stopped".to_owned()))
    });
    found.map_err(|what| Failure { seed: options.seed, step: sim.step, what, log: sim.log.into() })
}

/// The journal's records of a clean run, in order.
///
/// # Errors
/// The [`Failure`], where the run is not clean.
pub fn records(options: &Options) -> Result<Vec<Vec<u8>>, Failure> {
    let fail = |what: String| Failure { seed: options.seed, step: options.steps, what, log: Vec::new() };
    let mut sim = Sim::new(options).map_err(|error| fail(error.to_string()))?;
    sim.whole(options).map_err(fail)?;
    Ok(sim.observer.into_records())
}

/// The records of the trading floor's journal in a clean run, in order.
///
/// # Errors
/// The [`Failure`], where the run is not clean.
pub fn floor_records(options: &Options) -> Result<Vec<Vec<u8>>, Failure> {
    let fail = |what: String| Failure { seed: options.seed, step: options.steps, what, log: Vec::new() };
    let mut sim = Sim::new(options).map_err(|error| fail(error.to_string()))?;
    sim.whole(options).map_err(fail)?;
    Ok(sim.floor.into_records())
}

impl Sim {
    fn new(options: &Options) -> anyhow::Result<Self> {
        let mut chance = Chance::new(options.seed);
        let faults = Faults::draw(&mut chance);
        let cluster = faults.cluster.then(Cluster::new);
        let named = [
            ("Lin Xiao", Grade::Full),
            ("Chen Jing", Grade::Full),
            ("Wang Fang", Grade::Verified),
            ("Wu Lei", Grade::Basic),
        ];
        let people = (1..).zip(named).map(|(number, (name, grade))| Person::new(number, name, grade));
        Ok(Self {
            chance,
            faults,
            now: Timestamp::from_ms(MORNING_MS),
            behind_ms: 0,
            ahead_ms: 0,
            stopped_at: None,
            parted_until: Timestamp::default(),
            log_lines: if options.only.is_some() { SHORT_LOG_LINES } else { LOG_LINES },
            shell: Shell::new(relying_party(), options.defect, cluster).map_err(anyhow::Error::msg)?,
            pair: Pair::new(
                options.defect,
                Timestamp::from_ms(MORNING_MS),
                &mut cells_chance(options.seed, 0),
            )
            .map_err(anyhow::Error::msg)?,
            floor: Floor::new(
                options.defect,
                Timestamp::from_ms(MORNING_MS),
                &mut floor_chance(options.seed, 0),
            )
            .map_err(anyhow::Error::msg)?,
            outside: Outside::new()?,
            observer: Observer::default(),
            people: people.collect::<anyhow::Result<_>>()?,
            unsure: Vec::new(),
            answered: VecDeque::new(),
            wrong_totals: BTreeSet::new(),
            wrong_days: BTreeSet::new(),
            days_seen: 0,
            in_doubt: BTreeSet::new(),
            wrong_nets: 0,
            restarts: 0,
            step: 0,
            log: VecDeque::new(),
        })
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if self.log.len() >= self.log_lines {
            self.log.pop_front();
        }
        let line = format!("{} {} {}", self.step, self.now, line());
        self.log.push_back(line);
    }

    fn whole(&mut self, options: &Options) -> Result<Summary, String> {
        self.open().map_err(|error| error.to_string())?;
        while self.step < options.steps {
            self.step = self.step.saturating_add(1);
            if options.takes(self.step) {
                self.chance = Chance::of_step(options.seed, self.step);
                self.one_step()?;
                self.cells_step(options.seed)?;
                self.floor_step(options.seed)?;
            }
        }
        self.chance = Chance::of_step(options.seed, REST);
        self.rest()?;
        self.pair.rest(self.now, &mut cells_chance(options.seed, REST))?;
        let traded = self.floor.rest(self.now, &mut floor_chance(options.seed, REST))?;
        self.last_checks(traded)
    }

    fn open(&mut self) -> anyhow::Result<()> {
        let operator = Actor::Operator(Text::clip("opening"));
        let mut commands: Vec<(Actor, Command)> =
            opening::commands()?.into_iter().map(|command| (operator.clone(), command)).collect();
        for person in &self.people {
            commands.push((Actor::Visitor, Command::Identity(person.enrol(self.now)?)));
            let grade = identity::Command::SetGrade { customer: person.customer, grade: person.grade };
            commands.push((operator.clone(), Command::Identity(grade)));
        }
        for (actor, command) in commands {
            let id = CommandId::new(self.chance.number() | 1);
            let reply = self.give(Submission { id, actor, command }).map_err(anyhow::Error::msg)?;
            anyhow::ensure!(matches!(reply, Reply::Taken { is_repeat: false, .. }), "{reply:?}");
        }
        self.outside.pass(self.clocks());
        self.exchange(&Network::CALM).map_err(anyhow::Error::msg)
    }

    /// Both clocks.
    pub(crate) fn clocks(&self) -> Clocks {
        let shown = self.stopped_at.unwrap_or(self.now);
        Clocks { world: self.now, bank: shown.minus_ms(self.behind_ms).plus_ms(self.ahead_ms) }
    }

    /// Gives one command and checks what must hold.
    pub(crate) fn give(&mut self, submission: Submission) -> Result<Reply, String> {
        Ok(self.give_all(vec![submission])?.pop().unwrap_or(Reply::Dead))
    }

    /// Gives commands as one group, which is durable whole or not at all, and checks what must hold.
    pub(crate) fn give_all(&mut self, group: Vec<Submission>) -> Result<Vec<Reply>, String> {
        let clock = self.clocks().bank;
        let replies = self.shell.commit(clock, group);
        self.now = self.now.plus_ms(self.shell.waited_ms());
        self.observer.check(&mut self.shell)?;
        Ok(replies)
    }

    fn cells_step(&mut self, seed: u64) -> Result<(), String> {
        let mut chance = cells_chance(seed, self.step);
        if chance.percent(50) {
            for words in self.pair.step(self.now, &self.faults, &mut chance)? {
                self.note(|| words.to_owned());
            }
        }
        Ok(())
    }

    fn floor_step(&mut self, seed: u64) -> Result<(), String> {
        let mut chance = floor_chance(seed, self.step);
        if chance.percent(60)
            && let Some(words) = self.floor.step(self.now, &self.faults, &mut chance)?
        {
            self.note(|| words.to_owned());
        }
        Ok(())
    }

    fn one_step(&mut self) -> Result<(), String> {
        let ms = match self.chance.below(100) {
            0..=69 => self.chance.between(0, 400),
            70..=94 => self.chance.between(400, 8_000),
            95..=98 => self.chance.between(8_000, 70_000),
            _ => self.chance.between(70_000, 5_400_000),
        };
        self.now = self.now.plus_ms(ms);
        self.shell.set_now(self.now);
        self.outside.pass(self.clocks());
        self.see_days();
        if self.faults.network.parts && self.chance.percent(2) {
            self.parted_until = self.now.plus_ms(self.chance.between(1_000, 90_000));
            self.note(|| "bank and centre are parted".to_owned());
        }
        match self.chance.below(100) {
            0..=34 => self.customer_acts()?,
            35..=46 => self.others_pay()?,
            47..=56 => self.trouble()?,
            57..=61 => self.operator_acts()?,
            62..=64 => self.centre_works(),
            65..=74 => self.clients_repeat()?,
            _ => {}
        }
        if !self.shell.is_alive() && self.chance.percent(50) {
            self.restart()?;
        }
        if self.chance.percent(70) {
            let network = self.faults.network;
            self.exchange(&network)?;
        }
        Ok(())
    }

    /// Messages go both ways, and the bank's own clock ticks.
    pub(crate) fn exchange(&mut self, network: &Network) -> Result<(), String> {
        self.shell.set_now(self.now);
        let clocks = self.clocks();
        let are_parted = self.now < self.parted_until;
        if !are_parted {
            self.outside.deliver(&mut self.shell, clocks, network, &mut self.chance);
            self.observer.check(&mut self.shell)?;
        }
        if self.shell.is_alive() && !are_parted {
            self.outside.send(&mut self.shell, clocks, network, &mut self.chance);
            self.observer.check(&mut self.shell)?;
        }
        if self.shell.is_alive() {
            if !are_parted {
                self.outside.probe(&mut self.shell, clocks);
            }
            let _ = self.shell.commit(clocks.bank, Vec::new());
            self.shell.renew();
            self.observer.check(&mut self.shell)?;
        }
        self.shell.standby_follows();
        self.observer.check(&mut self.shell)?;
        self.see_days();
        if self.observer.records().is_multiple_of(8) && self.shell.is_alive() {
            books::match_payments(&self.shell.bank)?;
        }
        Ok(())
    }

    /// A day that ended with wrong totals planted must be found to differ.
    pub(crate) fn see_days(&mut self) {
        self.outside.note_days();
        for (rail, date) in self.outside.ended.iter().skip(self.days_seen) {
            if self.wrong_totals.remove(rail) {
                self.wrong_days.insert((*rail, *date));
            }
            let is_return =
                |effect: &Effect| matches!(effect, Effect::SendReturn { rail: by, .. } if by == rail);
            if self.shell.bank.outstanding().any(|(_, outstanding)| is_return(&outstanding.effect)) {
                self.in_doubt.insert(*rail);
            }
        }
        self.days_seen = self.outside.ended.len();
    }

    /// All faults end, time passes, and everything comes to rest.
    fn rest(&mut self) -> Result<(), String> {
        self.note(|| "all faults end".to_owned());
        (self.behind_ms, self.ahead_ms, self.stopped_at) = (0, 0, None);
        self.parted_until = Timestamp::default();
        self.shell.mend();
        self.shell.disk.set_capacity(None);
        self.wrong_totals.clear();
        let _ = self.outside.world.control(&Control::ClearFaults, jiff_time(self.now));
        self.hold_hours(sandbox::HeldState::Open);
        // Started anew, so that no fault of the disk is still planned.
        self.faults.crashes = false;
        self.shell.kill();
        self.restart()?;
        let mut calm_turns = 0_u32;
        for turn in 0..REST_TURNS_MAX {
            self.step = self.step.saturating_add(1);
            self.now = self.now.plus_ms(if turn < 50 { 200 } else { 3_000 });
            self.outside.pass(self.clocks());
            self.exchange(&Network::CALM)?;
            self.ask_unsure()?;
            let is_idle = self.shell.bank.outstanding().next().is_none()
                && self.outside.world.next_outgoing().is_none();
            let due = self.shell.bank.payments().next_due().is_some();
            calm_turns = if is_idle && !due { calm_turns.saturating_add(1) } else { 0 };
            // Longer than the world waits for anything.
            if calm_turns > 15 {
                break;
            }
        }
        let which = Which { system: None };
        let _ = self.outside.world.control(&Control::EndOfDay(which), jiff_time(self.now));
        for _ in 0..50 {
            self.now = self.now.plus_ms(1_000);
            self.outside.pass(self.clocks());
            self.exchange(&Network::CALM)?;
        }
        Ok(())
    }

    pub(crate) fn hold_hours(&mut self, state: sandbox::HeldState) {
        for system in [sandbox::Rail::Instant, sandbox::Rail::HighValue] {
            let hours = Control::Hours(sandbox::SetHours { system, state });
            let _ = self.outside.world.control(&hours, jiff_time(self.now));
        }
    }

    fn last_checks(&mut self, (fills, conversions): (u64, u64)) -> Result<Summary, String> {
        self.shell.standby_agrees()?;
        let bank = &self.shell.bank;
        let world = &self.outside.world;
        if let Some(defect) = world.defects().first() {
            return Err(format!("the world made a frame wrong: {defect}"));
        }
        self.observer.compare(bank)?;
        self.observer.of_stream(&self.shell)?;
        books::all_ended(bank)?;
        books::match_payments(bank)?;
        books::match_transit(bank)?;
        books::match_reserve(bank, yuan(CAPITAL_YUAN))?;
        agreement::of_payments(bank, world)?;
        agreement::of_rounds(bank, world, self.wrong_nets)?;
        let is_exact = |rail| !self.outside.was_disordered && !self.in_doubt.contains(&rail);
        agreement::of_days(bank, &self.outside.ended, &self.wrong_days, is_exact)?;
        self.observer.audit(&relying_party())?;
        Ok(Summary {
            state: bank.state_hash().to_string(),
            records: self
                .observer
                .records()
                .saturating_add(self.pair.records())
                .saturating_add(self.floor.records()),
            payments: u64::try_from(bank.payments().payments().count()).unwrap_or(u64::MAX),
            fills,
            conversions,
            restarts: self.restarts,
            cases: u64::try_from(bank.settlement().open_cases().count()).unwrap_or(u64::MAX),
        })
    }
}
