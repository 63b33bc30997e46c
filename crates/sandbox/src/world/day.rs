//! The business day: states of the systems, broadcasts, the end of the day, totals and details.

use std::collections::BTreeMap;

use cnaps::{
    BusinessDateChange, CentreState, CentreStatus, DetailAnswer, DetailLine, DetailRequest, Message,
    MessageType, Money, RejectCode, Side, Status, TotalLine, Totals,
};
use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::World;
use super::agenda::Due;
use super::compose::Letter;
use super::payment::State;
use super::receive::{Refused, refused};
use crate::calendar::{after, by_table, next_business_day, previous_business_day};
use crate::config::Rail;

/// Most lines in one message, so that it stays below the size limit of a frame.
const LINES_MAX: usize = 3_000;

/// One system at the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Centre {
    pub(crate) state: CentreState,
    /// State held against the table.
    pub(crate) held: Option<CentreState>,
    pub(crate) is_down: bool,
    pub(crate) business_date: Date,
    /// Planned things whose time came while the system was down.
    pub(crate) held_up: Vec<Due>,
}

impl Default for Centre {
    fn default() -> Self {
        let business_date = date(2000, 1, 1);
        Self { state: CentreState::Closed, held: None, is_down: false, business_date, held_up: Vec::new() }
    }
}

/// Both systems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Centres {
    pub(crate) instant: Centre,
    pub(crate) high_value: Centre,
}

impl World {
    pub(crate) fn all_down(&self) -> bool {
        Rail::ALL.iter().all(|rail| self.centre(*rail).is_down)
    }

    /// The first moment: dates and states by the table, and a broadcast.
    pub(crate) fn start(&mut self, at: Timestamp) {
        for rail in Rail::ALL {
            let (state, business_date) = by_table(&self.config, rail, at);
            let centre = self.centre_mut(rail);
            (centre.state, centre.business_date) = (state, business_date);
        }
        self.announce(at);
    }

    /// Broadcasts date and state of both systems.
    pub(crate) fn announce(&mut self, at: Timestamp) {
        for rail in Rail::ALL {
            let new_date = self.centre(rail).business_date;
            let previous = previous_business_day(&self.config.calendar, new_date);
            self.broadcast_date(rail, previous, at);
            self.broadcast_state(rail, at);
        }
    }

    fn broadcast_date(&mut self, rail: Rail, previous_date: Date, at: Timestamp) {
        let (system, new_date) = (rail.system(), self.centre(rail).business_date);
        let letter = self.common_letter(MessageType::Ccms801);
        self.send(&letter, at, |message_id| {
            let (created_at, effective_at) = (at, at);
            Message::BusinessDateChange(BusinessDateChange {
                message_id,
                created_at,
                system,
                previous_date,
                new_date,
                effective_at,
            })
        });
    }

    pub(crate) fn broadcast_state(&mut self, rail: Rail, at: Timestamp) {
        let centre = self.centre(rail);
        let (is_down, business_date) = (centre.is_down, centre.business_date);
        let state = if is_down { CentreState::Closed } else { centre.state };
        let information = is_down.then(|| "not reachable".to_owned());
        let letter = self.common_letter(MessageType::Ccms803);
        let system = rail.system();
        self.send(&letter, at, |message_id| {
            let (created_at, effective_at) = (at, at);
            Message::CentreStatus(CentreStatus {
                message_id,
                created_at,
                system,
                state,
                business_date,
                effective_at,
                information,
            })
        });
    }

    fn common_letter(&self, message_type: MessageType) -> Letter {
        Letter { rail: None, sender: self.config.centre.clone(), message_type, reference: None }
    }

    /// Whether the table asks for a new date or state.
    pub(crate) fn calendar_moves(&self, rail: Rail, at: Timestamp) -> bool {
        let centre = self.centre(rail);
        if centre.is_down {
            return false;
        }
        let (state, date) = by_table(&self.config, rail, at);
        date > centre.business_date || centre.held.unwrap_or(state) != centre.state
    }

    /// Follows the table; a day that was ended by hand is not ended again.
    pub(crate) fn follow_calendar(&mut self, rail: Rail, at: Timestamp) {
        if !self.calendar_moves(rail, at) {
            return;
        }
        let (state, date) = by_table(&self.config, rail, at);
        if date > self.centre(rail).business_date {
            self.end_day(rail, date, at);
        }
        let centre = self.centre_mut(rail);
        let state = centre.held.unwrap_or(state);
        if centre.state != state {
            centre.state = state;
            self.broadcast_state(rail, at);
        }
    }

    /// Ends the day now; the next business day begins.
    pub(crate) fn end_day_now(&mut self, rail: Rail, at: Timestamp) -> Date {
        let next = next_business_day(&self.config.calendar, self.centre(rail).business_date);
        self.end_day(rail, next, at);
        next
    }

    fn end_day(&mut self, rail: Rail, next: Date, at: Timestamp) {
        let ended = self.centre(rail).business_date;
        self.reject_unanswered(rail, at);
        if rail == Rail::Instant {
            self.close_round(at);
            self.settle_all(at);
            self.rounds.closed_today = 0;
        }
        self.send_totals(rail, ended, at);
        self.centre_mut(rail).business_date = next;
        self.broadcast_date(rail, ended, at);
    }

    pub(crate) fn take_down(&mut self, rail: Rail) {
        self.centre_mut(rail).is_down = true;
    }

    /// What was held up happens now; our bank gets its full time to answer again.
    pub(crate) fn bring_up(&mut self, rail: Rail, at: Timestamp) {
        let centre = self.centre_mut(rail);
        if !centre.is_down {
            return;
        }
        centre.is_down = false;
        for due in std::mem::take(&mut centre.held_up) {
            let wait_ms =
                if matches!(due, Due::AnswerTimeout(_)) { self.config.answer_timeout_ms } else { 0 };
            self.agenda.plan(after(at, wait_ms), due);
        }
        self.broadcast_state(rail, at);
    }

    fn details(&self, rail: Rail, date: Date) -> Vec<DetailLine> {
        let status = |date, round| self.rounds.status(date, round);
        let payments = self.payments.values().filter(|p| p.rail == rail && p.state.date() == date);
        let payments = payments.map(|payment| payment.detail(status));
        let returns = self.returns.iter().filter(|(_, r)| r.rail == rail && r.date == date);
        payments.chain(returns.map(|(id, r)| r.detail(id, status))).collect()
    }

    /// The totals of a day (701): a line per status, side and round. Credits that our bank has still to answer are
    /// left out; they count on the day of their answer.
    fn send_totals(&mut self, rail: Rail, date: Date, at: Timestamp) {
        let mut sums: BTreeMap<(Status, Side, u32), (u64, u128)> = BTreeMap::new();
        for line in self.details(rail, date).into_iter().filter(|line| line.status != Status::Forwarded) {
            let (count, minor) = sums.entry((line.status, line.side, line.round)).or_default();
            *count = count.saturating_add(1);
            *minor = minor.saturating_add(line.amount.minor_units);
        }
        if let Some(wrong) = self.faults.wrong_totals.remove(&rail) {
            let settled = sums.iter_mut().find(|((status, _, _), _)| *status == Status::Settled);
            match settled {
                Some((_, (_, minor))) => *minor = minor.saturating_add(wrong),
                None => {
                    sums.insert((Status::Settled, Side::Credit, 0), (1, wrong));
                }
            }
        }
        let lines = sums.into_iter().map(|((status, side, round), (count, minor))| {
            let amount = Money::cny(minor);
            TotalLine { status, side, round, count, amount }
        });
        let lines: Vec<TotalLine> = lines.collect();
        let message_type = match rail {
            Rail::Instant => MessageType::Ibps701,
            Rail::HighValue => MessageType::Hvps701,
        };
        let parts = parts(&lines);
        let pages = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        for (page, part) in (1..).zip(parts) {
            let letter = self.rail_letter(rail, message_type);
            let (bank, business_date, lines) = (self.config.bank.clone(), date, part.to_vec());
            self.send(&letter, at, |message_id| {
                let created_at = at;
                Message::Totals(Totals { message_id, created_at, bank, business_date, page, pages, lines })
            });
        }
    }

    /// A request for details (703), answered by one or more 704.
    pub(crate) fn take_detail_request(
        &mut self,
        rail: Rail,
        request: &DetailRequest,
        at: Timestamp,
    ) -> Result<(), Refused> {
        if request.bank != self.config.bank {
            return refused(RejectCode::CentreCheck, "details are for the own bank only");
        }
        let wanted = |line: &DetailLine| {
            request.status.is_none_or(|status| status == line.status)
                && request.round.is_none_or(|round| round == line.round)
        };
        let business_date = request.business_date;
        let details: Vec<DetailLine> = self.details(rail, business_date).into_iter().filter(wanted).collect();
        let message_type = match rail {
            Rail::Instant => MessageType::Ibps704,
            Rail::HighValue => MessageType::Hvps704,
        };
        let request_id = request.message_id.clone();
        for part in parts(&details) {
            let letter =
                Letter { reference: Some(request_id.clone()), ..self.rail_letter(rail, message_type) };
            let (bank, request_id, details) = (self.config.bank.clone(), request_id.clone(), part.to_vec());
            self.send(&letter, at, |message_id| {
                let created_at = at;
                Message::DetailAnswer(DetailAnswer {
                    message_id,
                    created_at,
                    request_id,
                    bank,
                    business_date,
                    details,
                })
            });
        }
        Ok(())
    }

    fn rail_letter(&self, rail: Rail, message_type: MessageType) -> Letter {
        Letter { rail: Some(rail), sender: self.config.centre.clone(), message_type, reference: None }
    }

    /// Payments in a state, for the report.
    pub(crate) fn count_by_state(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for payment in self.payments.values() {
            let name = match payment.state {
                State::Netted { date, round } => match self.rounds.status(date, round) {
                    Status::Settled => "settled",
                    Status::Netted => "netted",
                    _ => "confirmed",
                },
                other => other.name(),
            };
            let key = format!("{} {} {name}", payment.rail.name(), payment.way.name());
            let count: &mut u64 = counts.entry(key).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }
}

/// The lines in parts of one message each; one empty part where there are none.
fn parts<T>(lines: &[T]) -> Vec<&[T]> {
    if lines.is_empty() { vec![lines] } else { lines.chunks(LINES_MAX).collect() }
}
