//! Control requests: checked, and carried out.

use cnaps::{BankNumber, CentreState, Credit, Message, MessageId, Money, RejectCode};
use jiff::Timestamp;

use super::World;
use super::compose::Letter;
use super::fault::{COUNT_MAX, PaymentFault};
use super::payment::{Way, credit_type};
use crate::config::{Customer, OtherBank, Rail};
use crate::control::{Control, ControlAnswer, ControlError, Fault, HeldState, SendCredit, SetHours};
use crate::text;

/// Furthest the clock may be moved at once, in milliseconds: a month.
const ADVANCE_MS_MAX: u64 = 31 * 86_400_000;

fn bad<T>(field: &'static str, problem: impl ToString) -> Result<T, ControlError> {
    Err(ControlError::BadInput { field, problem: problem.to_string() })
}

pub(crate) fn not_now<T>(why: impl ToString) -> Result<T, ControlError> {
    Err(ControlError::NotNow(why.to_string()))
}

fn done(what: impl ToString) -> Result<ControlAnswer, ControlError> {
    Ok(ControlAnswer { message_id: None, done: what.to_string() })
}

pub(crate) fn sent(id: &MessageId, what: &str) -> Result<ControlAnswer, ControlError> {
    Ok(ControlAnswer { message_id: Some(id.to_string()), done: what.to_owned() })
}

fn amount(text: &str, currency: &str) -> Result<Money, ControlError> {
    let parsed = Money::parse(text, currency).or_else(|e| bad("amount", e))?;
    if parsed.minor_units == 0 { bad("amount", "must be above zero") } else { Ok(parsed) }
}

fn reject_code(field: &'static str, code: &str) -> Result<RejectCode, ControlError> {
    RejectCode::from_code(code).map_or_else(|| bad(field, format!("{code:?} is no reject code")), Ok)
}

impl World {
    /// Carries out a control request.
    ///
    /// # Errors
    /// Input that makes no sense, or a world that is not in the state for it; nothing is sent then.
    pub fn control(&mut self, control: &Control, now: Timestamp) -> Result<ControlAnswer, ControlError> {
        let at = self.advance_to(now);
        match control {
            Control::SendCredit(request) => self.send_credit(request, at),
            Control::Fault(fault) => self.make_fault(fault, at),
            Control::ClearFaults => {
                self.faults = super::Faults::default();
                Rail::ALL.into_iter().for_each(|rail| self.bring_up(rail, at));
                done("no fault waits")
            }
            Control::Return(request) => {
                let code = reject_code("code", request.code.as_deref().unwrap_or("RJ93"))?;
                let Some(id) = text::message_id(&request.message_id) else {
                    return bad("message_id", "not 28 digits with a day that exists");
                };
                self.check_open(self.payments.get(&id).map_or(Rail::Instant, |payment| payment.rail))?;
                let return_id = self.send_return(&id, code, at).or_else(not_now)?;
                sent(&return_id, "returned")
            }
            Control::EndOfDay(which) => {
                let rails = which.system.map_or(Rail::ALL.to_vec(), |rail| vec![rail]);
                if let Some(down) = rails.iter().find(|rail| self.centre(**rail).is_down) {
                    return not_now(format!("{} is down", down.name()));
                }
                let days: Vec<String> = rails
                    .into_iter()
                    .map(|rail| format!("{} is in {}", rail.name(), self.end_day_now(rail, at)))
                    .collect();
                done(days.join(", "))
            }
            Control::EndRound => {
                let number = self.rounds.number();
                if self.close_round(at) {
                    done(format!("round {number} closed"))
                } else {
                    done("the open round has no payments")
                }
            }
            Control::Hours(request) => self.hold_state(request, at),
            Control::Announce => {
                self.announce(at);
                done("announced")
            }
            Control::Advance(advance) => {
                if advance.ms > ADVANCE_MS_MAX {
                    return bad("ms", format!("at most {ADVANCE_MS_MAX}"));
                }
                self.ahead_ms = self.ahead_ms.saturating_add(advance.ms);
                let at = self.advance_to(now);
                done(format!("it is {at}"))
            }
        }
    }

    fn hold_state(&mut self, request: &SetHours, at: Timestamp) -> Result<ControlAnswer, ControlError> {
        if self.centre(request.system).is_down {
            return not_now(format!("{} is down", request.system.name()));
        }
        self.centre_mut(request.system).held = match request.state {
            HeldState::Open => Some(CentreState::Open),
            HeldState::Clearing => Some(CentreState::Clearing),
            HeldState::Closed => Some(CentreState::Closed),
            HeldState::Table => None,
        };
        self.follow_calendar(request.system, at);
        done(format!("{} is {}", request.system.name(), self.centre(request.system).state.text()))
    }

    fn check_open(&self, rail: Rail) -> Result<(), ControlError> {
        let centre = self.centre(rail);
        if centre.is_down {
            return not_now(format!("{} is down", rail.name()));
        }
        if centre.state != CentreState::Open {
            return not_now(format!("{} is {}", rail.name(), centre.state.text()));
        }
        Ok(())
    }

    fn payer(&self, request: &SendCredit) -> Result<(OtherBank, Customer), ControlError> {
        let found = match (&request.from_account, &request.from_bank) {
            (Some(account), bank) => {
                let known = self.config.customer(account);
                let known = known.filter(|(at, _)| bank.as_ref().is_none_or(|b| at.number.as_str() == b));
                known.map_or_else(|| bad("from_account", "no such account at the other banks"), Ok)?
            }
            (None, Some(bank)) => {
                let known = self.config.other_banks.iter().find(|at| at.number.as_str() == bank);
                let known = known.and_then(|at| at.customers.first().map(|customer| (at, customer)));
                known.map_or_else(|| bad("from_bank", "no other bank has this number"), Ok)?
            }
            (None, None) => {
                let mut all =
                    self.config.other_banks.iter().filter_map(|at| at.customers.first().map(|c| (at, c)));
                all.next().map_or_else(|| not_now("there are no other customers"), Ok)?
            }
        };
        Ok((found.0.clone(), found.1.clone()))
    }

    fn send_credit(&mut self, request: &SendCredit, at: Timestamp) -> Result<ControlAnswer, ControlError> {
        if request.asset.as_deref().is_some_and(|asset| asset != "CNY") {
            return bad("asset", "these systems settle in CNY only");
        }
        let rail = request.rail.unwrap_or(Rail::Instant);
        let amount = amount(&request.amount, "CNY")?;
        let (bank, payer) = self.payer(request)?;
        let field = |name, value: &str, chars_max| match text::field(value, chars_max) {
            Some(clean) if clean == value.trim() => Ok(clean),
            _ => bad(name, format!("1 to {chars_max} characters without '|' or control characters")),
        };
        let creditor_account = field("to_account", &request.to_account, 34)?;
        let creditor_name = field("to_name", &request.to_name, 140)?;
        let remittance = request.note.as_deref().filter(|note| !note.trim().is_empty());
        let remittance = remittance.map(|note| field("note", note, 140)).transpose()?;
        let forced = match &request.message_id {
            None => None,
            Some(id) => match text::message_id(id) {
                Some(id) if *id.bank() == bank.number => Some(id),
                _ => return bad("message_id", "not a message id of the payer's bank"),
            },
        };
        self.check_open(rail)?;
        let ceiling = self.config.ceiling_minor(rail, self.centre(rail).business_date);
        if let Some(ceiling) = ceiling.filter(|ceiling| amount.minor_units > u128::from(*ceiling)) {
            return bad("amount", format!("above the ceiling of {}", Money::cny(u128::from(ceiling))));
        }
        let message_id = match &forced {
            Some(id) => id.clone(),
            None => self.next_id(&bank.number, at).or_else(not_now)?,
        };
        let credit = Credit {
            end_to_end_id: format!("E{}", message_id.transport_id()),
            message_id,
            created_at: at,
            amount,
            settlement_date: self.centre(rail).business_date,
            debtor_name: payer.name_zh,
            debtor_account: payer.account,
            debtor_bank: bank.number,
            creditor_bank: self.config.bank.clone(),
            creditor_name,
            creditor_account,
            remittance,
        };
        if forced.is_some() && self.payments.contains_key(&credit.message_id) {
            return self.send_again(rail, credit, at);
        }
        let id = credit.message_id.clone();
        self.pay_in(rail, credit, at).or_else(|e| bad("credit", e))?;
        sent(&id, "sent")
    }

    /// The same credit again: the same frame. Another credit under a used id: a bad frame.
    fn send_again(
        &mut self,
        rail: Rail,
        credit: Credit,
        at: Timestamp,
    ) -> Result<ControlAnswer, ControlError> {
        let id = credit.message_id.clone();
        let Some(known) = self.payments.get(&id).filter(|p| p.way == Way::In && p.rail == rail) else {
            return bad("message_id", "used by another kind of payment");
        };
        let same = Credit {
            created_at: known.credit.created_at,
            settlement_date: known.credit.settlement_date,
            ..credit.clone()
        };
        let is_same = same == known.credit;
        let known_frame = known.frame.clone();
        let letter = bank_letter(rail, &credit.debtor_bank);
        if is_same {
            self.queue(&letter, id.clone(), known_frame, true);
            return sent(&id, "the same frame again");
        }
        let frame = self.sealed(&letter, &Message::Credit(credit), at).or_else(|e| bad("credit", e))?;
        self.queue(&letter, id.clone(), frame, true);
        sent(&id, "another body under the same id")
    }

    fn make_fault(&mut self, fault: &Fault, at: Timestamp) -> Result<ControlAnswer, ControlError> {
        match fault {
            Fault::LostAck { count } => {
                check_count(*count)?;
                self.faults.lost_acks = self.faults.lost_acks.saturating_add(*count).min(COUNT_MAX);
            }
            Fault::Duplicate { count } => {
                check_count(*count)?;
                self.faults.duplicates = self.faults.duplicates.saturating_add(*count).min(COUNT_MAX);
            }
            Fault::LateAnswer { ms, count } => self.plan_fault(PaymentFault::Late { ms: *ms }, *count)?,
            Fault::NoAnswer { count } => self.plan_fault(PaymentFault::Silence, *count)?,
            Fault::AnswerAfterCancel { ms, count } => {
                self.plan_fault(PaymentFault::AfterCancel { ms: *ms }, *count)?;
            }
            Fault::Reject { code, count, at } => {
                let code = reject_code("code", code)?;
                self.plan_fault(PaymentFault::Reject { code, at: *at }, *count)?;
            }
            Fault::CentreDown { system } => {
                which(*system).into_iter().for_each(|rail| self.take_down(rail));
                // Common control still reaches our bank while one of the systems does.
                if let Some(rail) = system.filter(|_| !self.all_down()) {
                    self.broadcast_state(rail, at);
                }
            }
            Fault::CentreUp { system } => {
                which(*system).into_iter().for_each(|rail| self.bring_up(rail, at));
            }
            Fault::WrongTotal { amount: by, system } => {
                self.faults.wrong_totals.insert(*system, amount(by, "CNY")?.minor_units);
            }
            Fault::WrongNet { amount: by } => {
                self.faults.wrong_net = Some(amount(by, "CNY")?.minor_units);
            }
            Fault::BadSchema | Fault::Bom | Fault::Oversized | Fault::Truncated | Fault::BadSignature => {
                return self.inject(fault, at);
            }
            Fault::DuplicateOtherBody { message_id } => {
                return self.inject_other_body(message_id.as_deref(), at);
            }
        }
        done("the fault is set")
    }

    fn plan_fault(&mut self, fault: PaymentFault, count: u32) -> Result<(), ControlError> {
        check_count(count)?;
        self.faults.payments.extend((0..count).map(|_| fault));
        Ok(())
    }
}

pub(crate) fn bank_letter(rail: Rail, sender: &BankNumber) -> Letter {
    Letter { rail: Some(rail), sender: sender.clone(), message_type: credit_type(rail), reference: None }
}

fn which(system: Option<Rail>) -> Vec<Rail> {
    system.map_or(Rail::ALL.to_vec(), |rail| vec![rail])
}

fn check_count(count: u32) -> Result<(), ControlError> {
    if (1..=COUNT_MAX).contains(&count) { Ok(()) } else { bad("count", format!("1 to {COUNT_MAX}")) }
}
