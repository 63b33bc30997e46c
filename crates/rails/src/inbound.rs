//! From a centre's message to the commands that follow from it, in order.

use bank::Command;
use cnaps::{CentreState, Message, NettingNotice, Side, Status, System, Totals};
use jiff::civil;
use money::{Amount, Text};
use payments::{Answer, Rail, RailNotice, RailState, RailStatus, Settlement};
use settlement::{Flow, NetPosition, Notice, Page, RoundKey, TotalRow};
use thiserror::Error;

use crate::convert::{ConvertError, to_amount, to_date, to_id, to_key, to_party};
use crate::outbound::rail_of;

/// Why a message means nothing to us.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A value we cannot carry.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// A message that a bank does not get.
    #[error("a bank does not take messages of this type")]
    NotForBanks,
    /// A system we are no member of.
    #[error("this bank is no member of system {0}")]
    System(&'static str),
    /// An answer that does not say how it is settled, or has a state that answers nothing.
    #[error("the answer does not say {0}")]
    Answer(&'static str),
}

/// A message as commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Which rail says it.
    pub rail: Rail,
    /// What follows, in order; each is harmless when repeated.
    pub commands: Vec<Command>,
}

/// Reads a message that came over `system`. `known` is what the rail last said of itself.
///
/// # Errors
/// A message that means nothing to us; the centre is told so.
pub fn incoming(
    system: System,
    message: &Message,
    known: impl Fn(Rail) -> Option<RailStatus>,
) -> Result<Incoming, Malformed> {
    let rail = match message {
        Message::BusinessDateChange(change) => rail_of(change.system),
        Message::CentreStatus(status) => rail_of(status.system),
        _ => rail_of(system),
    };
    let rail = rail.ok_or(Malformed::System(system.code()))?;
    let notice = |notice| Ok(vec![Command::Payments(payments::Command::Notice { rail, notice })]);
    let commands = match message {
        Message::Credit(credit) => {
            let settlement = match rail {
                Rail::HighValue => Some(Settlement::Gross { date: to_date(credit.settlement_date)? }),
                Rail::Instant | Rail::Internal => None,
            };
            notice(RailNotice::Credit {
                key: to_key(&credit.message_id)?,
                from: to_party(&credit.debtor_name, &credit.debtor_account, &credit.debtor_bank)?,
                to: to_party(&credit.creditor_name, &credit.creditor_account, &credit.creditor_bank)?,
                amount: to_amount(&credit.amount)?,
                settlement,
                note: Text::clip(credit.remittance.as_deref().unwrap_or_default()),
            })
        }
        Message::Answer(answer) => notice(RailNotice::Answer {
            original: to_id(&answer.original.message_id)?,
            answer: read_answer(answer)?,
        }),
        Message::Return(back) => notice(RailNotice::Return {
            key: to_key(&back.message_id)?,
            original: to_id(&back.original.message_id)?,
            amount: to_amount(&back.amount)?,
            code: Text::clip(back.reason.code()),
            settlement: match back.information.as_deref().and_then(settlement_in) {
                Some(settlement) => Some(settlement),
                None if rail == Rail::HighValue => {
                    Some(Settlement::Gross { date: to_date(back.settlement_date)? })
                }
                None => None,
            },
        }),
        Message::CancelAnswer(answer) => notice(RailNotice::CancelAnswer {
            original: to_id(&answer.original_id)?,
            cancelled: answer.status == Status::Cancelled,
            code: Text::clip(answer.reject.map_or(answer.status.code(), cnaps::RejectCode::code)),
        }),
        Message::NettingNotice(netting) => read_netting(rail, netting),
        Message::SettlementNotice(settled) => {
            let amount = to_amount(&settled.net.amount)?;
            let net = match settled.net.side {
                Side::Debit => NetPosition::ToPay(amount),
                Side::Credit => NetPosition::ToReceive(amount),
            };
            let key = round_key(rail, settled.business_date, settled.round)?;
            Ok(vec![told(Notice::Settled { key, net })])
        }
        Message::Totals(totals) => read_totals(rail, totals),
        Message::BusinessDateChange(change) => {
            let state = known(rail).map_or(RailState::Open, |status| status.state);
            let status = RailStatus { state, business_date: to_date(change.new_date)? };
            notice(RailNotice::Status(status))
        }
        Message::CentreStatus(status) => {
            let state = match status.state {
                CentreState::Open => RailState::Open,
                CentreState::Clearing | CentreState::Closed => RailState::Closed,
            };
            notice(RailNotice::Status(RailStatus { state, business_date: to_date(status.business_date)? }))
        }
        Message::DetailAnswer(_) => Ok(Vec::new()),
        Message::CancelRequest(_)
        | Message::NegativeAck(_)
        | Message::TransportAck(_)
        | Message::DetailRequest(_) => Err(Malformed::NotForBanks),
    }?;
    Ok(Incoming { rail, commands })
}

fn told(notice: Notice) -> Command {
    Command::Settlement(settlement::Command::Notice(notice))
}

fn round_key(rail: Rail, date: civil::Date, round: u32) -> Result<RoundKey, ConvertError> {
    Ok(RoundKey { rail: Text::clip(rail.name()), date: to_date(date)?, round })
}

fn read_answer(answer: &cnaps::Answer) -> Result<Answer, Malformed> {
    match (answer.status, answer.reject) {
        (Status::Rejected, Some(code)) => Ok(Answer::Rejected { code: Text::clip(code.code()) }),
        (Status::Rejected, None) => Err(Malformed::Answer("why it rejects")),
        (Status::Confirmed | Status::Paid | Status::Netted | Status::Settled, _) => {
            let settlement = answer.information.as_deref().and_then(settlement_in);
            settlement.map(Answer::Confirmed).ok_or(Malformed::Answer("how it is settled"))
        }
        (Status::Forwarded | Status::Ok | Status::Processed | Status::Cancelled, _) => {
            Err(Malformed::Answer("whether the payee has it"))
        }
    }
}

/// How a payment is settled, as the centre writes it: `round=2026-11-24/3`, or `settled=2026-11-24`.
#[must_use]
pub fn settlement_in(information: &str) -> Option<Settlement> {
    if let Some(round) = information.strip_prefix("round=") {
        let (date, round) = round.split_once('/')?;
        return Some(Settlement::Netted { date: date.parse().ok()?, round: round.parse().ok()? });
    }
    let date = information.strip_prefix("settled=")?;
    Some(Settlement::Gross { date: date.parse().ok()? })
}

/// A round's entries say which of the credits we answered are in it; then the round is closed with its sums.
fn read_netting(rail: Rail, netting: &NettingNotice) -> Result<Vec<Command>, Malformed> {
    let date = to_date(netting.business_date)?;
    let settlement = Settlement::Netted { date, round: netting.round };
    let asset = to_amount(&netting.net.amount)?.asset();
    let (mut sent, mut received) = (Flow::none(asset), Flow::none(asset));
    let mut commands = Vec::new();
    for entry in &netting.entries {
        let amount = to_amount(&entry.amount)?;
        let flow = match entry.side {
            Side::Credit => &mut received,
            Side::Debit => &mut sent,
        };
        flow.count = flow.count.saturating_add(1);
        flow.sum = sum(flow.sum, amount)?;
        if entry.side == Side::Credit && entry.original.message_type.form() == cnaps::Form::Credit {
            let notice = RailNotice::Netted { original: to_key(&entry.original.message_id)?, settlement };
            commands.push(Command::Payments(payments::Command::Notice { rail, notice }));
        }
    }
    let key = round_key(rail, netting.business_date, netting.round)?;
    commands.push(told(Notice::Netting { key, sent, received }));
    Ok(commands)
}

/// Only what was settled counts for the books; what was rejected or cancelled is not in any round.
fn read_totals(rail: Rail, totals: &Totals) -> Result<Vec<Command>, Malformed> {
    let mut rows: Vec<TotalRow> = Vec::new();
    for line in &totals.lines {
        if line.status != Status::Settled {
            continue;
        }
        let amount = to_amount(&line.amount)?;
        let none = Flow::none(amount.asset());
        let position = rows.iter().position(|row| row.round == line.round).unwrap_or_else(|| {
            rows.push(TotalRow { round: line.round, sent: none, received: none });
            rows.len().saturating_sub(1)
        });
        let Some(row) = rows.get_mut(position) else { continue };
        let flow = match line.side {
            Side::Credit => &mut row.received,
            Side::Debit => &mut row.sent,
        };
        flow.count = flow.count.saturating_add(line.count);
        flow.sum = sum(flow.sum, amount)?;
    }
    let date = to_date(totals.business_date)?;
    let page = Page { number: totals.page, of: totals.pages };
    if page.number > page.of {
        let problem = format!("{} of {}", page.number, page.of);
        return Err(ConvertError { what: "page", problem }.into());
    }
    Ok(vec![told(Notice::Totals { rail: Text::clip(rail.name()), date, rows, page })])
}

fn sum(left: Amount, right: Amount) -> Result<Amount, ConvertError> {
    left.plus(right).map_err(|error| ConvertError { what: "sum", problem: error.to_string() })
}
