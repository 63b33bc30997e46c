//! What followed from a command, in a few plain lines.

use bank::{Command, Event, JournalEntry};
use exchange::OrderId;
use exchange::quote::OfferId;
use ledger::{Change, HoldOutcome, Side};
use money::{AccountId, Amount, Asset, CaseId, EffectId, HoldId, PaymentId, Timestamp};
use payments::{DepositOf, Effect, EffectResult, Kind, MessageId, PaymentState, Rail, Settlement};
use settlement::{CaseKind, Flow, NetPosition, RoundKey};

use crate::bench::{Bench, Outcome};
use crate::between_cells;
use crate::on_markets;
use crate::opening::books;

/// Names of what came to be, in the order it came: `p1`, `h1`, `c1`.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) payments: Vec<PaymentId>,
    pub(crate) holds: Vec<HoldId>,
    pub(crate) cases: Vec<CaseId>,
    effects: Vec<EffectId>,
    pub(crate) orders: Vec<OrderId>,
    pub(crate) offers: Vec<OfferId>,
}

fn numbered<T: PartialEq + Copy>(prefix: &str, known: &mut Vec<T>, id: T) -> String {
    let position = known.iter().position(|other| *other == id).unwrap_or_else(|| {
        known.push(id);
        known.len() - 1
    });
    format!("{prefix}{}", position + 1)
}

pub(crate) fn amount(amount: Amount) -> String {
    if amount.asset() == Asset::CNY { amount.decimal() } else { amount.to_string() }
}

/// China's date and time.
pub(crate) fn time(at: Timestamp) -> String {
    let ms = at.time_of_day_ms(480);
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{} {h:02}:{m:02}:{s:02}", at.date_at(480))
}

/// The last figures of a message id: its number of the day.
fn message(id: &MessageId) -> String {
    let text = id.as_str();
    format!("message {}", text[text.len() - 8..].trim_start_matches('0'))
}

fn settlement(settlement: Settlement) -> String {
    match settlement {
        Settlement::Netted { date, round } => format!("round {round} of {date}"),
        Settlement::Gross { date } => format!("gross on {date}"),
    }
}

fn round(key: &RoundKey) -> String {
    format!("{} round {} of {}", key.rail, key.round, key.date)
}

fn net(net: NetPosition) -> String {
    match net {
        NetPosition::ToPay(sum) => format!("to pay {}", amount(sum)),
        NetPosition::ToReceive(sum) => format!("to receive {}", amount(sum)),
    }
}

fn flow(flow: Flow) -> String {
    format!("{} of {}", flow.count, amount(flow.sum))
}

/// Account names: people's, and the bank's own.
pub(crate) fn account(bench: &Bench, id: AccountId) -> String {
    let own = books();
    let named = [
        (own.reserve, "reserve"),
        (own.transit_instant, "transit instant"),
        (own.transit_high_value, "transit high_value"),
        (own.suspense, "suspense"),
        (own.fees, "fees"),
        (own.capital, "capital"),
    ];
    let person = bench.people.iter().find(|(_, person)| person.account == id);
    let known = named.iter().find(|(own, _)| *own == id).map(|(_, name)| (*name).to_owned());
    let transit = bench.bank.cells().peers().find(|(.., peer)| peer.transit == id);
    let known = known.or(transit.map(|(cell, ..)| format!("transit cell {cell}")));
    let of_books = bench.books.iter().find(|(_, of)| **of == id);
    let known = known.or(person.map(|(handle, _)| handle.clone()));
    known.or(of_books.map(|(name, _)| name.clone())).unwrap_or_else(|| id.to_string())
}

/// Accounts whose balance the markets changed: of everybody who has a seat or took an offer.
fn moved(bench: &Bench, outcome: &exchange::Outcome) -> Vec<AccountId> {
    let has_book = outcome.events.iter().any(|event| {
        matches!(
            event,
            exchange::Event::Book { .. } | exchange::Event::Converted { .. } | exchange::Event::Quote(_)
        )
    });
    if !has_book {
        return Vec::new();
    }
    let markets = bench.bank.exchange().markets().iter();
    let seats = markets.flat_map(|market| market.seats().map(|(_, seat)| [seat.base, seat.quote]));
    let people = bench.people.values().map(|person| person.account);
    seats.flatten().chain(people).chain(bench.books.values().copied()).collect()
}

impl Names {
    fn payment(&mut self, id: PaymentId) -> String {
        numbered("p", &mut self.payments, id)
    }

    pub(crate) fn order(&mut self, id: OrderId) -> String {
        numbered("o", &mut self.orders, id)
    }

    pub(crate) fn offer(&mut self, id: OfferId) -> String {
        numbered("q", &mut self.offers, id)
    }

    fn hold(&mut self, id: HoldId) -> String {
        numbered("h", &mut self.holds, id)
    }

    /// The effect's name, `e1` for the first.
    pub(crate) fn effect(&mut self, id: EffectId) -> String {
        numbered("e", &mut self.effects, id)
    }

    pub(crate) fn effect_id(&self, name: &str) -> Option<EffectId> {
        let number: usize = name.strip_prefix('e')?.parse().ok()?;
        self.effects.get(number.checked_sub(1)?).copied()
    }

    /// The lines under a step.
    pub(crate) fn outcome(&mut self, bench: &Bench, outcome: &Outcome) -> Vec<String> {
        match outcome {
            Outcome::Taken(entry) => self.events(bench, entry),
            Outcome::Nothing => vec!["nothing follows".to_owned()],
            Outcome::Repeat(seq) => vec![format!("repeat of entry {seq}")],
            Outcome::Refused(refusal) => vec![self.refusal(bench, refusal)],
        }
    }

    fn refusal(&mut self, bench: &Bench, refusal: &bank::Refusal) -> String {
        let debug = format!("{refusal:?}");
        let code: Vec<&str> = debug
            .split('(')
            .map(|part| part.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default())
            .take_while(|part| part.starts_with(char::is_uppercase))
            .collect();
        let mut words = refusal.to_string();
        for (index, id) in self.payments.iter().enumerate() {
            words = words.replace(&id.to_string(), &format!("p{}", index + 1));
        }
        let of_books = bench.books.values().copied();
        for id in bench.people.values().map(|person| person.account).chain(of_books) {
            words = words.replace(&id.to_string(), &account(bench, id));
        }
        let when = if refusal.is_transient() { " (may go later)" } else { "" };
        format!("refused {}: {words}{when}", code.join("."))
    }

    fn events(&mut self, bench: &Bench, entry: &JournalEntry) -> Vec<String> {
        let mut lines = Vec::new();
        let mut touched: Vec<AccountId> = Vec::new();
        for event in &entry.events {
            match event {
                Event::LedgerBatch(outcome) => {
                    self.batch(bench, &entry.command, outcome, &mut lines, &mut touched)
                }
                Event::Ledger(event) => self.ledger(bench, event, &mut lines, &mut touched),
                Event::Identity(event) => lines.push(identity_words(event)),
                Event::Payments(event) => lines.extend(self.payments_words(bench, event)),
                Event::Settlement(event) => lines.extend(self.settlement_words(event)),
                Event::Cells(event) => lines.push(between_cells::followed(bench, event)),
                Event::Exchange(outcome) => {
                    lines.extend(on_markets::followed(bench, self, outcome));
                    touched.extend(moved(bench, outcome));
                }
                Event::EffectQueued { id, effect } => {
                    let name = self.effect(*id);
                    lines.push(format!("effect {name}: {}", self.effect_words(effect)));
                }
                Event::EffectEnded { id, result } => {
                    let name = self.effect(*id);
                    lines.push(match result {
                        EffectResult::Delivered => format!("effect {name} delivered"),
                        EffectResult::Refused { code } => format!("effect {name} refused {code}"),
                    });
                }
            }
        }
        let customers =
            bench.people.values().map(|person| person.account).chain(bench.books.values().copied());
        for id in customers.filter(|id| touched.contains(id)).collect::<Vec<_>>() {
            let Some(found) = bench.bank.ledger().account(id) else { continue };
            let balance = found.balance();
            lines.push(format!(
                "{} has {} available, {} held",
                account(bench, id),
                amount(balance.available),
                amount(balance.held)
            ));
        }
        lines
    }

    /// What the rows of a batch did, and which were refused.
    fn batch(
        &mut self,
        bench: &Bench,
        command: &Command,
        outcome: &ledger::BatchOutcome,
        lines: &mut Vec<String>,
        touched: &mut Vec<AccountId>,
    ) {
        let Command::LedgerBatch(batch) = command else { panic!("an outcome without its batch") };
        batch.replay(outcome, |step| {
            let event = match step {
                ledger::Step::Changed { change, reverses } => {
                    ledger::Event::Changed { change: change.clone(), reverses }
                }
                ledger::Step::Closed(id) => ledger::Event::AccountClosed { id },
                ledger::Step::Opened(ledger::Command::OpenAccount { id, kind, asset, tenant, opened_at }) => {
                    let (id, kind, asset) = (*id, *kind, *asset);
                    ledger::Event::AccountOpened { id, kind, asset, tenant: *tenant, opened_at: *opened_at }
                }
                ledger::Step::Opened(other) => panic!("{other:?} opens nothing"),
            };
            self.ledger(bench, &event, lines, touched);
        });
        for refused in &outcome.refused {
            lines.push(format!("row {} refused, code {}", refused.row + 1, refused.code));
        }
    }

    fn ledger(
        &mut self,
        bench: &Bench,
        event: &ledger::Event,
        lines: &mut Vec<String>,
        touched: &mut Vec<AccountId>,
    ) {
        match event {
            ledger::Event::AccountOpened { id, kind, asset, tenant, opened_at } => {
                let of = tenant.map(|tenant| format!(" for tenant {}", tenant.number())).unwrap_or_default();
                let since = opened_at.map(|at| format!(" since {}", time(at))).unwrap_or_default();
                lines.push(format!("account {} opened ({kind:?}, {asset}){of}{since}", account(bench, *id)));
            }
            ledger::Event::AccountClosed { id } => {
                lines.push(format!("account {} closed", account(bench, *id)));
            }
            ledger::Event::Changed { change: Change { ends, entry, places }, reverses } => {
                for end in ends {
                    let how = match end.outcome {
                        HoldOutcome::Settled => "settled",
                        HoldOutcome::Released => "released",
                    };
                    lines.push(format!("hold {} {how}", self.hold(end.hold)));
                    // The hold is gone; every customer's line is cheap.
                    touched.extend(bench.people.values().filter(|_| entry.is_none()).map(|p| p.account));
                }
                for leg in entry.iter().flat_map(|entry| &entry.legs) {
                    let side = match leg.side {
                        Side::Debit => "debit ",
                        Side::Credit => "credit",
                    };
                    lines.push(format!(
                        "{side} {:<16} {:>12}",
                        account(bench, leg.account),
                        amount(leg.amount)
                    ));
                    touched.push(leg.account);
                }
                for hold in places {
                    let (name, on) = (self.hold(hold.id), account(bench, hold.account));
                    let until = hold.expires_at.map(|at| format!(" until {}", time(at))).unwrap_or_default();
                    lines.push(format!("hold {name} of {} on {on}{until}", amount(hold.amount)));
                    touched.push(hold.account);
                }
                lines.extend(reverses.map(|_| "it reverses an earlier entry".to_owned()));
            }
            ledger::Event::Sealed { through, mark } => {
                lines.push(format!("days sealed through {}, journal {}", time(*through), mark.seq));
            }
            ledger::Event::MonitorSet { account: id, threshold, .. } => {
                let words = match threshold {
                    ledger::Threshold::Below(mark) => format!("below {}", amount(*mark)),
                    ledger::Threshold::AtLeast(mark) => format!("at least {}", amount(*mark)),
                };
                lines.push(format!("a monitor on {}: {words}", account(bench, *id)));
            }
            ledger::Event::MonitorRemoved { .. } => lines.push("the monitor is gone".to_owned()),
            ledger::Event::NoticeDelivered { number, .. } => {
                lines.push(format!("notice {number} was delivered"));
            }
        }
    }

    fn payments_words(&mut self, bench: &Bench, event: &payments::Event) -> Vec<String> {
        use payments::Event as E;
        let line = match event {
            E::ProfileSet(_) | E::BooksOpened(_) | E::SerialsUsed { .. } => return Vec::new(),
            E::RailSet(row) => format!("rail {} has terms from {}", row.rail.name(), row.from),
            E::RailChanged { rail, status } => {
                format!("rail {} is {:?} on {}", rail.name(), status.state, status.business_date)
            }
            E::AccountOpened { account: id, number, .. } => {
                format!("account {} has number {number}", account(bench, *id))
            }
            E::Created(payment) => {
                let kind = match payment.kind {
                    Kind::Transfer => "transfer",
                    Kind::Withdrawal => "withdrawal",
                    Kind::Deposit => "deposit",
                };
                let fee = if payment.fee.is_zero() {
                    String::new()
                } else {
                    format!(" and fee {}", amount(payment.fee))
                };
                let (name, by) = (self.payment(payment.id), rail_words(payment.rail));
                format!(
                    "{name}: {kind} of {}{fee}{by}: {}",
                    amount(payment.amount),
                    self.state(bench, &payment.state)
                )
            }
            E::Moved { payment, to } => {
                let name = self.payment(*payment);
                format!("{name}: {}", self.state(bench, to))
            }
            E::MessageTaken { key, payment, .. } => {
                format!("{} is taken as {}", message(&key.id), self.payment(*payment))
            }
            E::AnswerConflict { payment, .. } => {
                format!("{}: confirmed although its money was given back", self.payment(*payment))
            }
        };
        vec![line]
    }

    fn state(&mut self, bench: &Bench, state: &PaymentState) -> String {
        match state {
            PaymentState::Waiting { until, .. } => format!("waiting, undo until {}", time(*until)),
            PaymentState::Sending { message: id, .. } => format!("sending as {}", message(id)),
            PaymentState::Sent { answer_by, .. } => format!("sent, answer due {}", time(*answer_by)),
            PaymentState::Cancelling { answer_by: Some(at), .. } => {
                format!("cancelling, answer due {}", time(*at))
            }
            PaymentState::Cancelling { answer_by: None, .. } => "cancelling, an operator looks".to_owned(),
            PaymentState::Confirmed { settlement: by, .. } => format!("confirmed, {}", settlement(*by)),
            PaymentState::Done => "done".to_owned(),
            PaymentState::Cancelled { code: None } => "cancelled".to_owned(),
            PaymentState::Cancelled { code: Some(code) } => format!("cancelled {code}"),
            PaymentState::Rejected { code } => format!("rejected {code}"),
            PaymentState::Returned { code } => format!("returned {code}"),
            PaymentState::Credited { to, settlement: by } => {
                let to = match to {
                    DepositOf::Account(id) => account(bench, *id),
                    DepositOf::Suspense => "suspense".to_owned(),
                };
                format!("credited to {to}, {}", by.map_or("not yet netted".to_owned(), settlement))
            }
            PaymentState::Returning { message: id } => format!("being returned as {}", message(id)),
        }
    }

    fn effect_words(&mut self, effect: &Effect) -> String {
        match effect {
            Effect::SendCredit { payment, rail, message: id, from, to, amount: sum, .. } => format!(
                "send {} of {} by {} as {} from {} to {}",
                self.payment(*payment),
                amount(*sum),
                rail.name(),
                message(id),
                from.name,
                to.name
            ),
            Effect::SendAnswer { payment, original, reject, .. } => {
                let what = reject.as_ref().map_or("confirm".to_owned(), |code| format!("reject {code}"));
                format!("{what} {} ({})", message(&original.id), self.payment(*payment))
            }
            Effect::SendCancel { payment, message: id, .. } => {
                format!("ask to cancel {} as {}", self.payment(*payment), message(id))
            }
            Effect::SendReturn { payment, message: id, amount: sum, code, .. } => {
                format!("return {} of {} {code} as {}", self.payment(*payment), amount(*sum), message(id))
            }
        }
    }

    fn settlement_words(&mut self, event: &settlement::Event) -> Vec<String> {
        use settlement::Event as E;
        match event {
            E::Counted { key, is_inbound, amount: sum } => {
                let way = if *is_inbound { "in" } else { "out" };
                vec![format!("counted {} {way}, {}", amount(*sum), round(key))]
            }
            E::RoundClosed { key, sent, received } => {
                vec![format!("{} closed: sent {}, received {}", round(key), flow(*sent), flow(*received))]
            }
            E::RoundSettled { key, net: told } => vec![format!("{} settled: {}", round(key), net(*told))],
            E::TotalsPageKept { rail, date, number, rows } => {
                vec![format!("part {number} of the totals of {rail} {date} is kept: {} rounds", rows.len())]
            }
            E::DayReconciled { rail, date, rounds, breaks } => {
                let mut lines =
                    vec![format!("day {date} of {rail} compared: {rounds} rounds, {} differ", breaks.len())];
                lines.extend(breaks.iter().map(|found| {
                    let way = if found.is_inbound { "in" } else { "out" };
                    let (counted, told) = (flow(found.counted), flow(found.told));
                    format!("round {} {way}: counted {counted}, told {told}", found.round)
                }));
                lines
            }
            E::CaseOpened { id, case } => {
                let about = match &case.kind {
                    CaseKind::UnmatchedDeposit(id) => format!("unmatched deposit {}", self.payment(*id)),
                    CaseKind::NoAnswer(id) => format!("no answer for {}", self.payment(*id)),
                    CaseKind::AnswerConflict(id) => format!("answer conflict of {}", self.payment(*id)),
                    CaseKind::TakenBackShort(id) => format!("{} taken back short", self.payment(*id)),
                    CaseKind::RoundBreak(key) => format!("net of {} differs", round(key)),
                    CaseKind::TotalsBreak(key) => format!("totals of {} differ", round(key)),
                };
                let name = numbered("c", &mut self.cases, *id);
                vec![format!("case {name}: {about}, {}", amount(case.amount))]
            }
            E::CaseResolved { id, resolution } => {
                vec![format!("case {} closed: {resolution}", numbered("c", &mut self.cases, *id))]
            }
        }
    }
}

fn rail_words(rail: Rail) -> &'static str {
    match rail {
        Rail::Internal => "",
        Rail::Instant => " by instant",
        Rail::HighValue => " by high_value",
    }
}

fn identity_words(event: &identity::Event) -> String {
    use identity::Event as E;
    match event {
        E::Enrolled { name, phone, .. } => format!("{name} is a customer, {}", phone.masked()),
        E::DeviceBound { .. } => "a device is bound".to_owned(),
        E::DeviceBlocked { .. } => "a device is blocked".to_owned(),
        E::CredentialAdded { .. } => "a passkey is added".to_owned(),
        E::CredentialRemoved { .. } => "a passkey is removed".to_owned(),
        E::CredentialUsed { sign_count, .. } => format!("the passkey signed, counter {sign_count}"),
        E::SessionOpened { session, by, .. } => {
            format!("a session by {by:?} until {}", time(session.expires_at))
        }
        E::SessionClosed { .. } => "a session is closed".to_owned(),
        E::TotpBegun { .. } => "codes are set up, not yet in use".to_owned(),
        E::TotpUsed { step, .. } => format!("the code of step {step} is used"),
        E::TotpRemoved { .. } => "codes are given up".to_owned(),
        E::Locked { .. } => "everything is locked".to_owned(),
        E::Unlocked { .. } => "and unlocked".to_owned(),
        E::LocaleSet { locale, .. } => format!("language {locale:?}"),
        E::PayeeAdded { payee, .. } => format!("payee {} is saved", payee.name),
        E::PayeeRemoved { .. } => "a payee is forgotten".to_owned(),
        E::Graded { grade, .. } => format!("grade {grade:?}"),
        E::LimitsSet(row) => format!("limits of {:?} from {}", row.grade, row.from),
    }
}
