//! `jinku demo --once`: the main job without a screen, with every figure checked.
//!
//! Two customers with software authenticators do what the wallet does, through the same interface; the sandbox is the outside world, in
//! a process of its own. Nothing here looks into the bank except the audit at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use receipts::{Receipt, VerifierKey, verify_receipt};
use serde_json::{Value, json};
use settlement::{NetPosition, RoundKey};

use super::{Running, since};
use crate::audit;
use crate::client::{Customer, To, text};
use crate::operate::{Operator, Order};
use crate::process::loopback;

/// Longest time an inbound credit may take from the other bank to the account.
const INBOUND_MAX: Duration = Duration::from_secs(1);
/// Longest wait for what the rails do by themselves.
const PATIENCE: Duration = Duration::from_secs(20);
/// Accounts of the sandbox by what happens to payments to them.
const CONFIRMED: (&str, &str) = ("6210990000000001", "陈静");
const CLOSED: (&str, &str) = ("6210990000000011", "孙丽");
const RETURNING: (&str, &str) = ("6210990000000021", "周婷");
const THEIR_BANK: &str = "102100000099";

/// The account of what was done.
struct Account {
    lines: u32,
    failed: u32,
}

impl Account {
    fn says(&mut self, what: &str, started: Instant) {
        self.lines = self.lines.saturating_add(1);
        println!("  ok  {what}  ({})", since(started));
    }

    fn fails(&mut self, what: &str) {
        self.failed = self.failed.saturating_add(1);
        println!("  FAILED  {what}");
    }
}

/// Runs the main job; exit code 0 only when every figure agrees.
///
/// # Errors
/// A step cannot be done at all.
pub(super) fn run(mut running: Running, started: Instant) -> anyhow::Result<ExitCode> {
    println!("Jinku main job: a bank and a sandbox, both on loopback (ready in {}).", since(started));
    let mut account = Account { lines: 0, failed: 0 };
    let outcome = steps(&mut running, &mut account);
    if let Err(error) = outcome {
        account.fails(&format!("{error:#}"));
    }
    println!();
    println!("{} steps, {} failed, {} in all.", account.lines, account.failed, since(started));
    Ok(if account.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn steps(running: &mut Running, account: &mut Account) -> anyhow::Result<()> {
    let (mut ann, mut bo) = sign_up(running, account)?;
    receive(running, account, &ann)?;
    across(running, account, &mut ann, &bo)?;
    out(account, &mut ann)?;
    undone(account, &mut ann)?;
    rejected(account, &mut ann)?;
    returned(account, &mut ann)?;
    lost_and_doubled(running, account, &mut ann, &bo)?;
    unmatched(running, account, &mut bo)?;
    killed(running, account, &mut ann)?;
    end_of_day(running, account)?;
    let key = receipts_of(account, &[&ann, &bo])?;
    audited(running, account)?;
    println!("      the log's public key: {key}");
    Ok(())
}

fn own_bank(running: &Running) -> &str {
    &running.installation.config.number
}

fn sign_up(running: &Running, account: &mut Account) -> anyhow::Result<(Customer, Customer)> {
    println!("Sign up");
    let mut customers = Vec::new();
    for (name, phone, byte) in [("安然", "+8610000000101", 1_u8), ("Bo Larsen", "+8610000000102", 2)] {
        let started = Instant::now();
        let mut seed = running.seed;
        if let Some(first) = seed.first_mut() {
            *first ^= byte;
        }
        let mut customer = Customer::new(&running.base(), &running.origin(), name, seed);
        customer.enrol(phone, if byte == 1 { "zh" } else { "en" })?;
        account.says(&format!("{name} signed up with a passkey, account {}", customer.number), started);
        customers.push(customer);
    }
    let started = Instant::now();
    if let Some(customer) = customers.first_mut() {
        customer.sign_in()?;
        account.says("and signed in again with it", started);
    }
    let mut customers = customers.into_iter();
    customers.next().zip(customers.next()).context("two customers")
}

/// Money from another bank, on the account within a second.
fn receive(running: &Running, account: &mut Account, ann: &Customer) -> anyhow::Result<()> {
    println!("In");
    let started = Instant::now();
    running.control(
        "send-credit",
        &json!({ "to_account": ann.number, "to_name": ann.name, "amount": "4000.00" }),
    )?;
    ann.until_available("4000.00")?;
    let took = started.elapsed();
    ensure!(took <= INBOUND_MAX, "an inbound credit took {took:?}");
    account.says("4,000.00 CNY came from another bank over the instant rail", started);
    Ok(())
}

fn across(running: &Running, account: &mut Account, ann: &mut Customer, bo: &Customer) -> anyhow::Result<()> {
    println!("Across");
    let to = To { name: &bo.name, account: &bo.number, bank: own_bank(running) };
    let started = Instant::now();
    ann.pay(to, "88.80", "lunch")?;
    bo.until_available("88.80")?;
    account.says("88.80 to Bo, small: no passkey", started);
    let started = Instant::now();
    let preview = ann.preview(to, "411.20", "rent")?;
    let first = ann.submit(&preview)?;
    bo.until_available("500.00")?;
    account.says("411.20 to Bo, signed with a passkey over the intent", started);
    let started = Instant::now();
    let again = ann.submit(&preview)?;
    ensure!(text(&again, "id")? == text(&first, "id")?, "the same intent made another payment");
    expect(ann, "3500.00", "0.00")?;
    account.says("the same intent once more changed nothing", started);
    let started = Instant::now();
    let mut altered = ann.preview(to, "300.00", "")?;
    if let Some(value) = altered.pointer_mut("/intent/amount/value") {
        *value = json!("301.00");
    }
    refused(ann.submit(&altered), "assertion_invalid")?;
    expect(ann, "3500.00", "0.00")?;
    account.says("an amount altered after signing was refused", started);
    Ok(())
}

fn out(account: &mut Account, ann: &mut Customer) -> anyhow::Result<()> {
    println!("Out");
    let started = Instant::now();
    let payment = ann.pay(other(CONFIRMED), "120.00", "tea")?;
    let id = text(&payment, "id")?;
    ann.until_state(&id, &["confirmed", "settled"])?;
    expect(ann, "3380.00", "0.00")?;
    account.says("120.00 went to another bank: held, sent, confirmed", started);
    let started = Instant::now();
    ann.until_state(&id, &["settled"])?;
    account.says("and settled with its netting round", started);
    Ok(())
}

fn undone(account: &mut Account, ann: &mut Customer) -> anyhow::Result<()> {
    let started = Instant::now();
    let payment = ann.pay(other(CONFIRMED), "600.00", "too fast")?;
    ensure!(text(&payment, "state")? == "waiting", "600.00 does not wait for its undo window");
    expect(ann, "2780.00", "600.00")?;
    ann.cancel(&text(&payment, "id")?)?;
    expect(ann, "3380.00", "0.00")?;
    account.says("600.00 waited in its undo window and was undone; nothing left the bank", started);
    Ok(())
}

fn rejected(account: &mut Account, ann: &mut Customer) -> anyhow::Result<()> {
    let started = Instant::now();
    let payment = ann.pay(other(CLOSED), "75.00", "")?;
    let payment = ann.until_state(&text(&payment, "id")?, &["rejected"])?;
    let code = payment.pointer("/reason/code").and_then(Value::as_str).unwrap_or_default().to_owned();
    ensure!(code == "RJ11", "rejected with {code:?}, not RJ11");
    expect(ann, "3380.00", "0.00")?;
    account.says("75.00 to a closed account was rejected (RJ11); the money is back", started);
    Ok(())
}

fn returned(account: &mut Account, ann: &mut Customer) -> anyhow::Result<()> {
    let started = Instant::now();
    let payment = ann.pay(other(RETURNING), "60.00", "")?;
    let id = text(&payment, "id")?;
    ann.until_state(&id, &["confirmed", "settled"])?;
    expect(ann, "3320.00", "0.00")?;
    ann.until_state(&id, &["returned"])?;
    expect(ann, "3380.00", "0.00")?;
    account.says("60.00 was confirmed, then returned by the other bank; the money is back", started);
    Ok(())
}

fn lost_and_doubled(
    running: &Running,
    account: &mut Account,
    ann: &mut Customer,
    bo: &Customer,
) -> anyhow::Result<()> {
    println!("Faults");
    let started = Instant::now();
    running.control("fault", &json!({ "kind": "lost_ack", "count": 2 }))?;
    let payment = ann.pay(other(CONFIRMED), "40.00", "")?;
    ann.until_state(&text(&payment, "id")?, &["confirmed", "settled"])?;
    expect(ann, "3340.00", "0.00")?;
    account.says("an acknowledgement was lost twice; the payment was made once", started);
    let started = Instant::now();
    running.control("fault", &json!({ "kind": "duplicate", "count": 1 }))?;
    running
        .control("send-credit", &json!({ "to_account": bo.number, "to_name": bo.name, "amount": "10.00" }))?;
    bo.until_available("510.00")?;
    std::thread::sleep(Duration::from_millis(300));
    expect(bo, "510.00", "0.00")?;
    account.says("a credit was delivered twice and booked once", started);
    let started = Instant::now();
    for kind in ["bad_schema", "bom", "bad_signature", "truncated", "oversized", "duplicate_other_body"] {
        running.control("fault", &json!({ "kind": kind }))?;
    }
    // Each is refused by its own check: no frame at all, too long, the schema, the signature, another body under a known id.
    let mut codes = until("six refusals", || {
        let world = running.world()?;
        let refused = world.get("refused").and_then(Value::as_array).cloned().unwrap_or_default();
        let codes: Vec<String> = refused.iter().map(|one| text(one, "code")).collect::<Result<_, _>>()?;
        Ok((codes.len() >= 6).then_some(codes))
    })?;
    codes.sort();
    ensure!(codes == ["HTTP 400", "HTTP 400", "HTTP 400", "RJ35", "RJ95", "RJ96"], "refused with {codes:?}");
    expect(bo, "510.00", "0.00")?;
    account.says("six malformed or altered messages were refused, each by its own check", started);
    Ok(())
}

/// A high-value credit that matches nobody lies in suspense until an operator sends it back.
fn unmatched(running: &Running, account: &mut Account, bo: &mut Customer) -> anyhow::Result<()> {
    let started = Instant::now();
    let operator = Operator::new(&running.installation, loopback(running.ports.operator), "demo")?;
    running.control(
        "send-credit",
        &json!({ "to_account": "6217880000000000", "to_name": "Nobody", "amount": "77000.00", "rail": "high_value" }),
    )?;
    let case =
        until("a case", || Ok(operator.cases()?.into_iter().find(|case| case.kind == "unmatched deposit")))?;
    ensure!(case.amount == "77000.00 CNY", "the case is about {}", case.amount);
    operator.order(Order::ReturnDeposit { payment: case.subject.clone(), code: "RJ01".to_owned() })?;
    operator.order(Order::ResolveCase { case: case.id, resolution: "sent back to its payer".to_owned() })?;
    until("the return", || {
        let world = running.world()?;
        let returns = world.get("returns").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(returns
            .iter()
            .any(|back| back.get("amount").and_then(Value::as_str) == Some("77000.00"))
            .then_some(()))
    })?;
    ensure!(operator.cases()?.is_empty(), "a case is still open");
    account
        .says("77,000.00 for nobody lay in suspense with a case and was sent back by an operator", started);
    let started = Instant::now();
    let refusal = bo.pay(other(CONFIRMED), "2500.00", "");
    refused(refusal, "over_limit")?;
    expect(bo, "510.00", "0.00")?;
    account.says("a payment over the limit was refused with words", started);
    Ok(())
}

/// A power cut between the customer's click and the rail's answer.
fn killed(running: &mut Running, account: &mut Account, ann: &mut Customer) -> anyhow::Result<()> {
    let started = Instant::now();
    running.control("fault", &json!({ "kind": "late_answer", "ms": 1500 }))?;
    let payment = ann.pay(other(CONFIRMED), "33.00", "")?;
    let bank = running.bank.take().context("the bank runs")?;
    bank.kill()?;
    running.start_bank()?;
    ann.until_state(&text(&payment, "id")?, &["confirmed", "settled"])?;
    expect(ann, "3307.00", "0.00")?;
    account.says("the bank was killed with a payment under way, started again, and finished it", started);
    Ok(())
}

fn end_of_day(running: &Running, account: &mut Account) -> anyhow::Result<()> {
    println!("End of day");
    let started = Instant::now();
    let operator = Operator::new(&running.installation, loopback(running.ports.operator), "demo")?;
    // What is under way settles first; the totals then speak of what the books have.
    running.control("end-round", &json!({}))?;
    let before = operator.days()?.len();
    running.control("end-of-day", &json!({}))?;
    let days = until("the totals of both rails", || {
        let days = operator.days()?;
        Ok((days.len() >= before.saturating_add(2)).then_some(days))
    })?;
    for day in days.iter().rev().take(2) {
        ensure!(day.breaks == 0, "{} {} has {} breaks", day.rail, day.date, day.breaks);
        account
            .says(&format!("{} {}: {} rounds reconciled, no break", day.rail, day.date, day.rounds), started);
    }
    let started = Instant::now();
    running.control("fault", &json!({ "kind": "wrong_total", "amount": "5.00" }))?;
    running.control("end-of-day", &json!({ "system": "instant" }))?;
    let case = until("a case for the wrong total", || {
        Ok(operator.cases()?.into_iter().find(|case| case.kind == "totals of the day differ"))
    })?;
    ensure!(case.amount == "5.00 CNY", "the case is about {}", case.amount);
    account.says("a planted break of 5.00 in the totals was found", started);
    Ok(())
}

/// Every movement's receipt is checked with nothing but the log's public key, and one with a changed byte is refused.
fn receipts_of(account: &mut Account, customers: &[&Customer]) -> anyhow::Result<String> {
    println!("Proof");
    let started = Instant::now();
    let mut count = 0_u32;
    let mut vkey = String::new();
    for customer in customers {
        vkey = text(&customer.get("/log/key")?, "vkey")?;
        let key = VerifierKey::parse(&vkey)?;
        for movement in customer.movements()? {
            let file = customer.receipt(&text(&movement, "id")?)?;
            verify_receipt(&Receipt::parse(&file)?, &key)?;
            count = count.saturating_add(1);
            let amount = movement.pointer("/amount/value").and_then(Value::as_str).unwrap_or_default();
            let forged = String::from_utf8(file)?.replacen(amount, "9999999.99", 1);
            let accepted =
                Receipt::parse(forged.as_bytes()).and_then(|receipt| verify_receipt(&receipt, &key));
            ensure!(accepted.is_err(), "a forged receipt was accepted");
        }
    }
    ensure!(count > 0, "there are no receipts");
    account.says(&format!("{count} receipts verified offline, and as many forgeries refused"), started);
    Ok(vkey)
}

fn audited(running: &Running, account: &mut Account) -> anyhow::Result<()> {
    let started = Instant::now();
    let findings = audit::audit(&running.installation.folder)?;
    for line in &findings.failed {
        account.fails(line);
    }
    if findings.is_clean() {
        for line in &findings.passed {
            account.says(line, started);
        }
    }
    agree_with_world(running, account)
}

/// The sandbox counts for itself: nothing is left to deliver, and each of its rounds has the net that the bank has booked.
fn agree_with_world(running: &Running, account: &mut Account) -> anyhow::Result<()> {
    let started = Instant::now();
    let world = running.world()?;
    let list = |name: &str| world.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    ensure!(list("defects").is_empty(), "the sandbox met defects of its own: {:?}", list("defects"));
    ensure!(list("queue").is_empty(), "{} frames of the sandbox were never taken", list("queue").len());
    let bank = node::recover(&running.installation.folder)?.bank;
    let rounds = list("rounds");
    for round in &rounds {
        let number = round.get("round").and_then(Value::as_u64).context("a round without a number")?;
        let key = RoundKey {
            rail: money::Text::clip("instant"),
            date: text(round, "date")?.parse()?,
            round: u32::try_from(number)?,
        };
        let theirs = round.pointer(&format!("/nets/{}", own_bank(running))).and_then(Value::as_str);
        let ours = bank.settlement().round(&key).and_then(|round| round.settled).map(signed);
        ensure!(
            theirs.map(ToOwned::to_owned) == ours,
            "round {number} of {}: the centre's net is {theirs:?}, ours {ours:?}",
            key.date
        );
    }
    account.says(&format!("the centre's nets of {} rounds are the bank's own", rounds.len()), started);
    Ok(())
}

/// A net as the sandbox writes it: what the bank pays is below zero.
fn signed(net: NetPosition) -> String {
    match net {
        NetPosition::ToPay(amount) => format!("-{}", amount.decimal()),
        NetPosition::ToReceive(amount) => amount.decimal(),
    }
}

fn other((account, name): (&'static str, &'static str)) -> To<'static> {
    To { name, account, bank: THEIR_BANK }
}

/// Available and held must be these now.
fn expect(customer: &Customer, available: &str, held: &str) -> anyhow::Result<()> {
    let (_, now_held, now_available) = customer.balances()?;
    ensure!(
        now_available == available && now_held == held,
        "{}: available {now_available}, held {now_held}; expected {available} and {held}",
        customer.name
    );
    Ok(())
}

fn refused(outcome: anyhow::Result<Value>, code: &str) -> anyhow::Result<()> {
    match outcome {
        Ok(value) => bail!("taken, though it must be refused: {value}"),
        Err(error) => {
            let words = format!("{error:#}");
            ensure!(words.contains(code), "refused for another reason than {code}: {words}");
            Ok(())
        }
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(found) = look()? {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("{what} did not come within {PATIENCE:?}")
}
