//! The defects that tamper with what passes between the components.

use bank::{Bank, Command, Event};
use exchange::quote::Offer;
use exchange::row::{Ask, OrderBatch, OrderRow};
use exchange::{Quantity, Seat};
use ledger::{Batch, Change, Entry, HoldOutcome, Leg, Side, Sizing};
use money::{Amount, EntryId};
use payments::RailNotice;
use settlement::{Notice, TotalRow};

use crate::Defect;

/// Ids of entries that tampering makes.
const MADE_UP: u128 = 77 << 96;

/// Tampers with a command on its way to the bank.
pub(crate) fn command(defect: Defect, command: &mut Command, bank: &Bank) {
    match (defect, command) {
        (
            Defect::RoundAway,
            Command::Payments(payments::Command::Notice {
                notice: RailNotice::Credit { amount, .. }, ..
            }),
        ) => {
            let last = amount.minor().checked_rem(10).unwrap_or(0);
            *amount = Amount::new(amount.asset(), amount.minor().saturating_sub(last).max(1));
        }
        (
            Defect::AcceptWrongTotal,
            Command::Settlement(settlement::Command::Notice(Notice::Totals { rail, date, rows, .. })),
        ) => {
            let counted =
                bank.settlement().rounds().filter(|(key, _)| key.rail == *rail && key.date == *date);
            *rows = counted
                .map(|(key, round)| TotalRow { round: key.round, sent: round.sent, received: round.received })
                .collect();
        }
        (Defect::UnlinkRows | Defect::DropCap | Defect::DropValueTime, Command::LedgerBatch(batch)) => {
            *batch = misread(defect, batch);
        }
        (_, Command::Exchange(command)) => on_the_floor(defect, command, bank),
        _ => {}
    }
}

/// Orders, readings and seats as a wrong reader understands them.
fn on_the_floor(defect: Defect, command: &mut exchange::Command, bank: &Bank) {
    use exchange::Command as C;
    match (defect, command) {
        (Defect::CancelIsReduce | Defect::DropLastRow, C::Orders(batch)) => {
            let mut rows: Vec<OrderRow> = batch.rows().collect();
            if defect == Defect::DropLastRow && rows.len() > 1 {
                rows.pop();
            }
            for row in rows.iter_mut().filter(|_| defect == Defect::CancelIsReduce) {
                if let Ask::Cancel(order) = row.ask {
                    row.ask = Ask::Reduce(order, Quantity::new(1));
                }
            }
            let read = OrderBatch::of(&rows);
            money::invariant!(read.is_ok(), "rows that were read cannot be written");
            if let Ok(read) = read {
                *batch = read;
            }
        }
        (Defect::ForgetGroup, C::TakeSeat { group, .. }) => *group = None,
        (Defect::IgnoreSuspension, command @ C::Suspend { .. }) => {
            let C::Suspend { market } = *command else { return };
            *command = C::FreeSeat { market, seat: Seat::new(0) };
        }
        (Defect::StaleIsFresh, C::ReadPrice { reading, .. }) => {
            reading.at = reading.at.max(bank.recorded_at());
        }
        _ => {}
    }
}

/// What an offer moves, once more, as staff would post it.
pub(crate) fn paid_again(offer: &Offer, bank: &Bank) -> Option<Command> {
    let inventory = |asset| bank.exchange().dealing().inventory().find(|(of, _)| *of == asset);
    let (into, out_of) = (inventory(offer.pays.asset())?.1, inventory(offer.takes.asset())?.1);
    let legs = vec![
        Leg::debit(offer.request.from, offer.pays),
        Leg::credit(into.account, offer.pays),
        Leg::debit(out_of.account, offer.takes),
        Leg::credit(offer.request.to, offer.takes),
    ];
    let change = Change { entry: Some(made_up(bank, legs)), ..Change::default() };
    Some(Command::Ledger(ledger::Command::Change(change)))
}

/// Ends of orders are lost on their way to the journal.
pub(crate) fn without_ends(events: &mut [Event]) {
    let outcomes = events.iter_mut().filter_map(|event| match event {
        Event::Exchange(outcome) => Some(outcome),
        _ => None,
    });
    for event in outcomes.flat_map(|outcome| &mut outcome.events) {
        if let exchange::Event::Book { events, .. } = event {
            events.retain(|event| !matches!(event, exchange::book::BookEvent::Ended { .. }));
        }
    }
}

/// Rows as a wrong reader understands them.
fn misread(defect: Defect, batch: &Batch) -> Batch {
    let mut read = Batch::default();
    for mut row in batch.rows() {
        row.is_linked &= defect != Defect::UnlinkRows;
        if let ledger::Command::Transfer(transfer) = &mut row.command {
            match (defect, transfer.sizing) {
                (Defect::DropCap, Sizing::UpTo(cap)) => transfer.sizing = Sizing::Exact(cap),
                (Defect::DropValueTime, _) => transfer.effective_at = None,
                _ => {}
            }
        }
        money::invariant!(read.push(&row).is_ok(), "a row that was read cannot be written");
    }
    read
}

/// Tampers with what was decided.
pub(crate) fn events(defect: Defect, command: &Command, events: &mut Vec<Event>, bank: &Bank) {
    match defect {
        Defect::SkipHoldRelease => skip_release(events),
        Defect::ReleaseAndSettle => settle_released(events, bank),
        Defect::CreditTwice => credit_again(command, events, bank),
        Defect::IgnoreFee => ignore_fee(events, bank),
        Defect::UnbalancedEntry => unbalance(events, bank),
        Defect::OverdrawAccount => overdraw(events, bank),
        Defect::ForgetEffectEnd => events.retain(|event| !matches!(event, Event::EffectEnded { .. })),
        _ => {}
    }
}

fn changes(events: &mut [Event]) -> impl Iterator<Item = &mut Change> {
    events.iter_mut().filter_map(|event| match event {
        Event::Ledger(ledger::Event::Changed { change, .. }) => Some(change),
        _ => None,
    })
}

fn skip_release(events: &mut Vec<Event>) {
    for change in changes(events) {
        change.ends.retain(|end| end.outcome != HoldOutcome::Released);
    }
    events.retain(|event| {
        !matches!(event, Event::Ledger(ledger::Event::Changed { change, .. }) if *change == Change::default())
    });
}

fn settle_released(events: &mut [Event], bank: &Bank) {
    let asset = money::Asset::CNY;
    let Some(transit) = bank.payments().books(asset).map(|books| books.transit_instant) else { return };
    for change in changes(events).filter(|change| change.entry.is_none()) {
        let end = change.ends.iter().find(|end| end.outcome == HoldOutcome::Released);
        let Some(hold) = end.and_then(|end| bank.ledger().hold(end.hold)) else { continue };
        change.entry = Some(made_up(
            bank,
            vec![Leg::debit(hold.account, hold.amount), Leg::credit(transit, hold.amount)],
        ));
    }
}

fn made_up(bank: &Bank, legs: Vec<Leg>) -> Entry {
    let id = EntryId::new(MADE_UP | u128::from(bank.seq()));
    Entry { id, legs, effective_at: None, reference: None, memo: money::Text::default() }
}

/// A repeated credit is answered again; here it is posted again as well.
fn credit_again(command: &Command, events: &mut Vec<Event>, bank: &Bank) {
    let Command::Payments(payments::Command::Notice { notice: RailNotice::Credit { key, amount, .. }, rail }) =
        command
    else {
        return;
    };
    let known = bank.payments().payment_received_as(key).and_then(|payment| payment.account);
    let books = bank.payments().books(amount.asset());
    if let (Some(account), Some(books)) = (known, books) {
        let legs = vec![Leg::debit(books.transit(*rail), *amount), Leg::credit(account, *amount)];
        let change = Change { entry: Some(made_up(bank, legs)), ..Change::default() };
        events.push(Event::Ledger(ledger::Event::Changed { change, reverses: None }));
    }
}

fn ignore_fee(events: &mut [Event], bank: &Bank) {
    let Some(fees) = bank.payments().books(money::Asset::CNY).map(|books| books.fees) else { return };
    for entry in changes(events).filter_map(|change| change.entry.as_mut()) {
        let fee = entry.legs.iter().find(|leg| leg.account == fees).map(|leg| leg.amount);
        let Some(fee) = fee else { continue };
        entry.legs.retain(|leg| leg.account != fees);
        for leg in entry.legs.iter_mut().filter(|leg| leg.side == Side::Debit) {
            leg.amount = leg.amount.minus(fee).unwrap_or(leg.amount);
        }
    }
}

/// Now and then a credit is a hundredth more than its debit.
fn unbalance(events: &mut [Event], bank: &Bank) {
    if !bank.seq().is_multiple_of(7) {
        return;
    }
    for entry in changes(events).filter_map(|change| change.entry.as_mut()) {
        let credit = entry.legs.iter_mut().find(|leg| leg.side == Side::Credit);
        if let Some(leg) = credit {
            leg.amount = Amount::new(leg.amount.asset(), leg.amount.minor().saturating_add(1));
        }
    }
}

/// A customer's debit becomes a hundred times as much, and the credit with it.
fn overdraw(events: &mut [Event], bank: &Bank) {
    let is_customer =
        |id| bank.ledger().account(id).is_some_and(|account| account.kind() == ledger::AccountKind::Customer);
    for entry in changes(events).filter_map(|change| change.entry.as_mut()) {
        let takes = entry.legs.iter().any(|leg| leg.side == Side::Debit && is_customer(leg.account));
        if takes && entry.legs.len() == 2 {
            for leg in &mut entry.legs {
                leg.amount = Amount::new(leg.amount.asset(), leg.amount.minor().saturating_mul(100_000));
            }
        }
    }
}
