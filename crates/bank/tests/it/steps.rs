//! The words of a scenario: each line is one command, or the passing of time.
//!
//! `who tries: step` gives a step of the operator or a rail in somebody else's name. Behind a bar stand the details of a payment or a
//! credit, parted by commas: `lin pays chen 300.00 "rent" | without passkey, expires in 20m`.

use bank::{Command, Submission};
use identity::{Actor, Assertion, Grade, LimitRow, NewCredential, NewSession, Phone, Proof, SessionDevice};
use ledger::{
    AccountKind, Batch, Change, HoldEnd, HoldOutcome, JournalMark, NewHold, Row, Sizing, Tenant, Threshold,
    Transfer,
};
use money::{
    AccountId, Amount, Asset, CaseId, CommandId, Date, EntryId, HoldId, Limits, MonitorId, PaymentId, Text,
    Timestamp,
};
use payments::{
    AccountNumber, Answer, BankNumber, Counterparty, EffectResult, Intent, MessageId, MessageKey,
    PaymentState, Rail, RailNotice, RailState, RailStatus, Settlement,
};
use settlement::{Flow, NetPosition, Notice, Page, RoundKey, TotalRow};
use sha2::{Digest as _, Sha256};

use crate::bench::{Bench, operator, rail_actor};
use crate::opening::{OTHER_BANK, OUR_BANK};
use crate::people::{Passkey, Person, device};
use crate::render::{Names, amount, time};

/// A session of a scenario lives half an hour.
const SESSION_MS: u64 = 30 * 60_000;

pub(crate) struct Scenario {
    pub(crate) bench: Bench,
    pub(crate) names: Names,
    last_intent: Option<Intent>,
    last_approval: Option<Assertion>,
    /// Of the books, for a reversal.
    last_entry: EntryId,
}

/// The words of a line; what stands in quotes is one word.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    let words = quoted.flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

pub(crate) fn cny(text: &str) -> Amount {
    Amount::parse(Asset::CNY, text).unwrap_or_else(|error| panic!("amount {text}: {error}"))
}

pub(crate) fn span_ms(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit_ms = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => panic!("{text} is no span of time"),
    };
    number.parse::<u64>().unwrap() * unit_ms
}

fn monitor(name: &str) -> MonitorId {
    MonitorId::new(name.strip_prefix('m').unwrap().parse().unwrap())
}

fn rail(name: &str) -> Rail {
    Rail::from_name(name).unwrap_or_else(|| panic!("{name} is no rail"))
}

fn flow(count: &str, sum: &str) -> Flow {
    Flow { count: count.parse().unwrap(), sum: cny(sum) }
}

fn net(way: &str, sum: &str) -> NetPosition {
    match way {
        "pay" => NetPosition::ToPay(cny(sum)),
        "receive" => NetPosition::ToReceive(cny(sum)),
        _ => panic!("a net is to pay or to receive"),
    }
}

pub(crate) fn flag<'d>(details: &'d [Vec<String>], words: &[&str]) -> Option<&'d [String]> {
    let fits = |detail: &&Vec<String>| detail.iter().zip(words).all(|(a, b)| a == b);
    let found = details.iter().filter(|detail| detail.len() >= words.len()).find(fits);
    found.map(|detail| &detail[words.len()..])
}

impl Scenario {
    pub(crate) fn new() -> Self {
        Self {
            bench: Bench::open(),
            names: Names::default(),
            last_intent: None,
            last_approval: None,
            last_entry: EntryId::new(0),
        }
    }

    /// Carries a line out and answers with what followed.
    pub(crate) fn step(&mut self, line: &str) -> Vec<String> {
        if let Some((who, step)) = line.split_once(" tries: ") {
            let actor = match who {
                "visitor" => Actor::Visitor,
                "system" => Actor::System,
                "rail" => rail_actor(Rail::Instant),
                "operator" => operator(),
                who => self.session(who),
            };
            let submission = self.command(step);
            let submission = self.bench.submission(actor, submission.command);
            return self.submit(submission);
        }
        let parts = words(line);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["at", date, at] => {
                let date: Date = date.parse().unwrap();
                let (h, m) = at.split_once(':').unwrap();
                let ms = h.parse::<u64>().unwrap() * 3_600_000 + m.parse::<u64>().unwrap() * 60_000;
                self.bench.clock = date.midnight_at(480).plus_ms(ms);
                Vec::new()
            }
            ["after", span] => {
                self.bench.clock = self.bench.clock.plus_ms(span_ms(span));
                Vec::new()
            }
            ["the", "clock", "goes", "back", span] => {
                self.bench.clock = self.bench.clock.minus_ms(span_ms(span));
                vec![format!("the bank stays at {}", time(self.bench.bank.recorded_at()))]
            }
            ["what", "monitors", "say"] | [_, "had", "on", _, _] => self.look(parts.as_slice()).unwrap(),
            [who, "has", "used"] => vec![self.usage(who)],
            [who, "uses", "session", number] => {
                self.person_mut(who).session = number.parse::<usize>().unwrap() - 1;
                Vec::new()
            }
            _ => {
                let submission = self.command(line);
                self.submit(submission)
            }
        }
    }

    fn submit(&mut self, submission: Submission) -> Vec<String> {
        let outcome = self.bench.submit(submission);
        self.names.outcome(&self.bench, &outcome)
    }

    pub(crate) fn person(&self, who: &str) -> &Person {
        self.bench.people.get(who).unwrap_or_else(|| panic!("nobody is called {who}"))
    }

    fn person_mut(&mut self, who: &str) -> &mut Person {
        self.bench.people.get_mut(who).unwrap_or_else(|| panic!("nobody is called {who}"))
    }

    pub(crate) fn session(&self, who: &str) -> Actor {
        let person = self.person(who);
        Actor::Session(person.sessions[person.session])
    }

    fn usage(&self, who: &str) -> String {
        let payments = self.bench.bank.payments();
        let customer = self.person(who).customer;
        let used = payments.usage(customer, Asset::CNY, payments.local_date(self.bench.clock));
        let [day, month, year] = [used.day_sum, used.month_sum, used.year_sum].map(amount);
        format!("{day} of the day, {month} of the month, {year} of the year")
    }

    fn payment(&self, name: &str) -> PaymentId {
        let number: usize = name.strip_prefix('p').and_then(|n| n.parse().ok()).expect(name);
        self.names.payments.get(number - 1).copied().unwrap_or(PaymentId::new(999_999))
    }

    /// Our message that carried a payment.
    fn message_of(&self, name: &str) -> MessageId {
        let payment = self.bench.bank.payments().payment(self.payment(name)).expect(name);
        match &payment.state {
            PaymentState::Sending { message, .. }
            | PaymentState::Sent { message, .. }
            | PaymentState::Cancelling { message, .. }
            | PaymentState::Confirmed { message, .. } => message.clone(),
            // Ended: the message is found by its number, which scenarios keep to the payment's own.
            _ => self
                .bench
                .journal
                .iter()
                .filter_map(|bytes| bank::JournalEntry::from_bytes(bytes).ok())
                .flat_map(|entry| entry.events)
                .find_map(|event| match event {
                    bank::Event::EffectQueued {
                        effect: payments::Effect::SendCredit { payment: of, message, .. },
                        ..
                    } if of == payment.id => Some(message),
                    _ => None,
                })
                .unwrap_or_else(|| MessageId::new("31310000001520261124999").unwrap()),
        }
    }

    fn today(&self) -> Date {
        self.bench.clock.date_at(480)
    }

    fn key(&self, number: &str) -> MessageKey {
        let id = format!("{OTHER_BANK}20261124{:08}", number.parse::<u32>().unwrap());
        MessageKey { sender: BankNumber::new(OTHER_BANK).unwrap(), id: MessageId::new(&id).unwrap() }
    }

    /// The command of a line, from whoever usually gives it.
    fn command(&mut self, line: &str) -> Submission {
        let (line, details) = line.split_once(" | ").unwrap_or((line, ""));
        let details: Vec<Vec<String>> =
            details.split(',').map(words).filter(|detail| !detail.is_empty()).collect();
        let parts = words(line);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        if let Some((actor, command)) = self.between_cells(&parts) {
            return self.bench.submission(actor, command);
        }
        if let Some((actor, command)) = self.on_markets(&parts, &details) {
            return self.bench.submission(actor, command);
        }
        let (actor, command) = match parts.as_slice() {
            ["tick"] => (Actor::System, Command::Tick),
            ["customer", who, "enrols", name] => (Actor::Visitor, self.enrol(who, name, &details)),
            ["operator", "hands", "in:", ..] => (operator(), self.batch(line)),
            ["tenant", number, "hands", "in:", ..] => {
                (Actor::Tenant(number.parse().unwrap()), self.batch(line))
            }
            ["tenant", number, rest @ ..] => {
                let tenant: u32 = number.parse().unwrap();
                (Actor::Tenant(tenant), Command::Ledger(self.ledger(rest, Some(tenant))))
            }
            ["operator", rest @ ..] => (operator(), self.by_operator(rest)),
            ["rail", rest @ ..] => {
                let (rail, command) = self.by_rail(rest, &details);
                (rail_actor(rail), command)
            }
            ["effect", name, result @ ..] => {
                let result = match result {
                    ["delivered"] => EffectResult::Delivered,
                    ["refused", code] => EffectResult::Refused { code: Text::clip(code) },
                    _ => panic!("an effect is delivered or refused"),
                };
                let effect = self.names.effect_id(name).unwrap_or(money::EffectId::new(77));
                (rail_actor(Rail::Instant), Command::EffectReported { effect, result })
            }
            [who, "pays", rest @ ..] => return self.pay(who, rest, &details),
            [_, "asks", "the", "same", "again"] => return self.bench.last.clone().unwrap(),
            [who, "undoes", payment] => {
                let payment = self.payment(payment);
                (self.session(who), Command::Payments(payments::Command::Cancel { payment }))
            }
            [who, "signs", "in", rest @ ..] => (Actor::Visitor, self.sign_in(who, rest)),
            [who, rest @ ..] => {
                let command = self.by_customer(who, rest);
                (self.session(who), Command::Identity(command))
            }
            [] => panic!("an empty step"),
        };
        self.bench.submission(actor, command)
    }

    fn enrol(&mut self, who: &str, name: &str, details: &[Vec<String>]) -> Command {
        let number = u8::try_from(self.bench.people.len() + 1).unwrap();
        let mut person = Person::new(number, name);
        let mut phone = format!("+8613800000{number:03}");
        if let Some([other]) = flag(details, &["phone", "of"]) {
            let other = self.person(other).customer;
            phone = self.bench.bank.identity().customer(other).unwrap().phone.as_str().to_owned();
        }
        if let Some([other]) = flag(details, &["passkey", "of"]) {
            person.passkeys = vec![self.person(other).passkeys[0].copied()];
        }
        let command = identity::Command::Enrol {
            customer: person.customer,
            name: Text::clip(name),
            phone: Phone::new(&phone).unwrap(),
            locale: identity::Locale::Zh,
            device: device(person.devices[0]),
            credential: person.passkeys[0].credential(),
            session: self.new_session(person.sessions[0]),
        };
        self.bench.people.insert(who.to_owned(), person);
        Command::Identity(command)
    }

    fn new_session(&self, id: money::SessionId) -> NewSession {
        NewSession { id, expires_at: self.bench.clock.plus_ms(SESSION_MS) }
    }

    fn sign_in(&mut self, who: &str, rest: &[&str]) -> Command {
        let now = self.bench.clock;
        let person = self.person_mut(who);
        let passkey_proof = |passkey: &mut Passkey| Proof::Passkey {
            assertion: passkey.sign(b"the shell's challenge"),
            challenge: b"the shell's challenge".to_vec().into(),
        };
        let (device, proof) = match rest {
            [] => (SessionDevice::Known(person.devices[0]), passkey_proof(&mut person.passkeys[0])),
            ["on", "device", number] => {
                let device = person.devices[number.parse::<usize>().unwrap() - 1];
                (SessionDevice::Known(device), passkey_proof(&mut person.passkeys[0]))
            }
            ["on", "a", "new", "device"] => {
                let new = person.new_device();
                (SessionDevice::New(new), passkey_proof(&mut person.passkeys[0]))
            }
            ["with", "a", "copied", "passkey"] => {
                let proof = passkey_proof(&mut person.passkeys[0].copied());
                (SessionDevice::Known(person.devices[0]), proof)
            }
            ["with", "code", step] => {
                let device = person.devices[0];
                (SessionDevice::Known(device), Proof::Totp { device, step: step.parse().unwrap() })
            }
            ["on", "a", "new", "device", "with", "code", step] => {
                let (device, new) = (person.devices[0], person.new_device());
                (SessionDevice::New(new), Proof::Totp { device, step: step.parse().unwrap() })
            }
            other => panic!("nobody signs in {other:?}"),
        };
        let id = person.next_session();
        let session = NewSession { id, expires_at: now.plus_ms(SESSION_MS) };
        Command::Identity(identity::Command::OpenSession { session, device, proof })
    }

    fn by_customer(&mut self, who: &str, rest: &[&str]) -> identity::Command {
        use identity::Command as C;
        let person = self.person_mut(who);
        match rest {
            ["signs", "out"] => C::CloseSession,
            ["blocks", "device", number] => {
                C::BlockDevice(person.devices[number.parse::<usize>().unwrap() - 1])
            }
            ["adds", "a", "passkey"] => {
                let seed = u8::try_from(100 + person.passkeys.len()).unwrap();
                person.passkeys.push(Passkey::new(seed));
                let credential: NewCredential = person.passkeys.last().unwrap().credential();
                C::AddCredential(credential)
            }
            ["removes", "passkey", number] => {
                C::RemoveCredential(person.passkeys[number.parse::<usize>().unwrap() - 1].id.clone())
            }
            ["sets", "up", "codes"] => C::BeginTotp { sealed: vec![1, 2, 3].into() },
            ["confirms", "code", step] => C::ConfirmTotp { step: step.parse().unwrap() },
            ["gives", "up", "codes"] => C::RemoveTotp,
            ["locks", "everything"] => C::Lock,
            ["unlocks"] => {
                let challenge = b"unlock".to_vec();
                C::Unlock { assertion: person.passkeys[0].sign(&challenge), challenge: challenge.into() }
            }
            ["speaks", "English"] => C::SetLocale(identity::Locale::En),
            other => panic!("a customer does not {other:?}"),
        }
    }

    /// `chen 88.80 "lunch"` inside the bank, `"赵雷" 6210260000000001 at 103100000026 100.00` to another.
    fn pay(&mut self, who: &str, rest: &[&str], details: &[Vec<String>]) -> Submission {
        let (payee, sum, note) = match rest {
            [name, number, "at", bank, sum, note @ ..] => (self.party(name, number, bank), *sum, note),
            [other, sum, note @ ..] => {
                let person = self.person(other);
                let owner = self.bench.bank.payments().owner(person.account).cloned();
                let number = owner.expect("an account").number;
                (self.party(&person.name, number.as_str(), OUR_BANK), *sum, note)
            }
            other => panic!("nobody pays {other:?}"),
        };
        let intent = self.intent(who, payee, cny(sum), note.first().copied().unwrap_or_default(), details);
        let approval = self.approval(who, &intent, details);
        self.last_intent = Some(intent.clone());
        self.last_approval.clone_from(&approval);
        let intent = match flag(details, &["altered", "to"]) {
            Some([sum]) => Intent { amount: cny(sum), ..intent },
            _ => intent,
        };
        let mut submission = self.bench.submission(self.session(who), Command::Pay { intent, approval });
        if flag(details, &["under", "the", "last", "command's", "id"]).is_some() {
            submission.id = self.bench.last.as_ref().map_or(CommandId::new(1), |last| last.id);
        }
        submission
    }

    fn party(&self, name: &str, number: &str, bank: &str) -> Counterparty {
        Counterparty {
            name: Text::clip(name),
            account: AccountNumber::new(number).unwrap(),
            bank: BankNumber::new(bank).unwrap(),
        }
    }

    fn intent(
        &mut self,
        who: &str,
        payee: Counterparty,
        sum: Amount,
        note: &str,
        details: &[Vec<String>],
    ) -> Intent {
        let today = self.bench.bank.payments().local_date(self.bench.clock);
        let route = self.bench.bank.payments().route(&payee.bank, sum, today);
        let mut intent = Intent {
            payment: PaymentId::new(self.bench.serial()),
            from: self.person(who).account,
            payee,
            amount: sum,
            fee_cap: route.as_ref().map_or(Amount::zero(Asset::CNY), |route| route.fee),
            rail: route.map_or(Rail::Instant, |route| route.rail),
            expires_at: self.bench.clock.plus_ms(60_000),
            nonce: vec![9; 16].into(),
            note: Text::clip(note),
        };
        for detail in details {
            let detail: Vec<&str> = detail.iter().map(String::as_str).collect();
            match detail.as_slice() {
                ["named", name] => intent.payee.name = Text::clip(name),
                ["to", "account", number] => intent.payee.account = AccountNumber::new(number).unwrap(),
                ["from", other] => intent.from = self.person(other).account,
                ["expires", "in", span] => intent.expires_at = self.bench.clock.plus_ms(span_ms(span)),
                ["expired", span, "ago"] => intent.expires_at = self.bench.clock.minus_ms(span_ms(span)),
                ["by", name] => intent.rail = rail(name),
                ["in", code] => {
                    let asset: Asset = code.parse().unwrap();
                    intent.amount = Amount::new(asset, intent.amount.minor());
                    intent.fee_cap = Amount::zero(asset);
                }
                ["fee", "cap", cap] => intent.fee_cap = cny(cap),
                ["a", "short", "nonce"] => intent.nonce = vec![9; 4].into(),
                ["a", "reserved", "id"] => intent.payment = PaymentId::new(u128::MAX),
                ["the", "same", "payment"] => {
                    intent.payment = self.last_intent.as_ref().map_or(intent.payment, |last| last.payment);
                }
                _ => {}
            }
        }
        intent
    }

    /// Signed above the small-amount limit, unless the line says otherwise.
    fn approval(&mut self, who: &str, intent: &Intent, details: &[Vec<String>]) -> Option<Assertion> {
        let large = intent.amount.minor() > 20_000;
        let challenge = Sha256::digest(intent.canonical().as_bytes());
        if flag(details, &["without", "passkey"]).is_some() {
            return None;
        }
        if flag(details, &["with", "the", "last", "approval"]).is_some() {
            return self.last_approval.clone();
        }
        if let Some([other]) = flag(details, &["with", "passkey", "of"]) {
            let other = other.clone();
            return Some(self.person_mut(&other).passkeys[0].sign(&challenge));
        }
        if let Some([number]) = flag(details, &["with", "passkey", "number"]) {
            let number: usize = number.parse().unwrap();
            return Some(self.person_mut(who).passkeys[number - 1].sign(&challenge));
        }
        let person = self.person_mut(who);
        if flag(details, &["with", "a", "copied", "passkey"]).is_some() {
            return Some(person.passkeys[0].copied().sign(&challenge));
        }
        let asked = flag(details, &["with", "passkey"]).is_some();
        let mut approval = (large || asked).then(|| person.passkeys[0].sign(&challenge))?;
        if flag(details, &["counter", "raised"]).is_some() {
            approval.sign_count += 10;
        }
        if flag(details, &["signature", "damaged"]).is_some() {
            let mut bytes = approval.signature.to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            approval.signature = bytes.into();
        }
        Some(approval)
    }

    fn by_operator(&mut self, rest: &[&str]) -> Command {
        match rest {
            ["grades", who, grade] => {
                let grade = match *grade {
                    "basic" => Grade::Basic,
                    "verified" => Grade::Verified,
                    _ => Grade::Full,
                };
                let customer = self.person(who).customer;
                Command::Identity(identity::Command::SetGrade { customer, grade })
            }
            ["limits", "basic", "single", single, "day", day, "month", month, "year", year, "from", from] => {
                let some = |text: &str| (text != "-").then(|| cny(text));
                let limits = Limits {
                    small_amount: cny("200.00"),
                    undo_from: cny("500.00"),
                    undo_ms: 60_000,
                    single: some(single),
                    day: some(day),
                    month: some(month),
                    year: some(year),
                };
                let from = from.parse().unwrap();
                let row = LimitRow { grade: Grade::Basic, asset: Asset::CNY, from, limits };
                Command::Identity(identity::Command::SetLimits(row))
            }
            ["returns", payment, code] => {
                let (payment, code) = (self.payment(payment), Text::clip(code));
                Command::Payments(payments::Command::ReturnDeposit { payment, code })
            }
            ["credits", payment, "to", who] => {
                let (payment, account) = (self.payment(payment), self.person(who).account);
                Command::Payments(payments::Command::CreditDeposit { payment, account })
            }
            ["concludes", payment, "confirmed", "round", number] => {
                let settlement = Settlement::Netted { date: self.today(), round: number.parse().unwrap() };
                let (payment, answer) = (self.payment(payment), Answer::Confirmed(settlement));
                Command::Payments(payments::Command::Conclude { payment, answer })
            }
            ["concludes", payment, "rejected", code] => {
                let (payment, answer) = (self.payment(payment), Answer::Rejected { code: Text::clip(code) });
                Command::Payments(payments::Command::Conclude { payment, answer })
            }
            ["closes", "case", name, words] => {
                let number: usize = name.strip_prefix('c').unwrap().parse().unwrap();
                let case = self.names.cases.get(number - 1).copied().unwrap_or(CaseId::new(5));
                let resolution = Text::clip(words);
                Command::Settlement(settlement::Command::ResolveCase { case, resolution })
            }
            ["opens", "an", "account", number, "for", "customer", customer] => {
                let customer = money::CustomerId::new(customer.parse().unwrap());
                let account = AccountId::new(5_000 + customer.value());
                let number = AccountNumber::new(number).unwrap();
                Command::Payments(payments::Command::OpenAccount {
                    customer,
                    account,
                    number,
                    asset: Asset::CNY,
                })
            }
            other => Command::Ledger(self.ledger(other, None)),
        }
    }

    /// A batch: rows parted by semicolons; `linked` before a row ties it to the next one.
    fn batch(&mut self, line: &str) -> Command {
        let (head, rows) = line.split_once("hands in:").unwrap();
        let tenant = head.strip_prefix("tenant ").map(|number| number.trim().parse().unwrap());
        let mut batch = Batch::default();
        for row in rows.split(';') {
            let row = words(row);
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            let (is_linked, row) = match row.as_slice() {
                ["linked", rest @ ..] => (true, rest),
                rest => (false, rest),
            };
            let command = self.ledger(row, tenant);
            batch.push(&Row { is_linked, command }).unwrap();
        }
        Command::LedgerBatch(batch)
    }

    /// The account of a person, or one of the books by its name.
    pub(crate) fn account_of(&self, name: &str) -> AccountId {
        let own = crate::opening::books();
        match name {
            "reserve" => own.reserve,
            "capital" => own.capital,
            "suspense" => own.suspense,
            "transit-cell-2" => self.transit(2),
            name => match self.bench.books.get(name) {
                Some(account) => *account,
                None => self.person(name).account,
            },
        }
    }

    fn moment(&self, date: &str, at: &str) -> Timestamp {
        let date: Date = date.parse().unwrap();
        let (h, m) = at.split_once(':').unwrap();
        let ms = h.parse::<u64>().unwrap() * 3_600_000 + m.parse::<u64>().unwrap() * 60_000;
        date.midnight_at(480).plus_ms(ms)
    }

    fn transfer(
        &mut self,
        from: &str,
        to: &str,
        sizing: Sizing,
        since: Option<Timestamp>,
    ) -> ledger::Command {
        self.last_entry = EntryId::new(self.bench.serial() + 10_000);
        ledger::Command::Transfer(Transfer {
            id: self.last_entry,
            debit: self.account_of(from),
            credit: self.account_of(to),
            sizing,
            effective_at: since,
            reference: None,
            memo: Text::clip("correction"),
        })
    }

    fn ledger(&mut self, rest: &[&str], tenant: Option<u32>) -> ledger::Command {
        use ledger::Command as C;
        let now = self.bench.clock;
        match rest {
            ["closes", "the", "fee", "account"] => C::CloseAccount { id: crate::opening::books().fees },
            ["closes", "the", "account", "of", who] => C::CloseAccount { id: self.account_of(who) },
            ["opens", name, rest @ ..] => {
                let (tenant, since) = match rest {
                    [] => (tenant, None),
                    ["for", "tenant", number] => (Some(number.parse().unwrap()), None),
                    ["since", date, at] => (tenant, Some(self.moment(date, at))),
                    other => panic!("an account is not opened {other:?}"),
                };
                let fresh = AccountId::new(9_000 + self.bench.books.len() as u128);
                let id = *self.bench.books.entry((*name).to_owned()).or_insert(fresh);
                let (kind, asset, tenant) = (AccountKind::Customer, Asset::CNY, tenant.map(Tenant::new));
                C::OpenAccount { id, kind, asset, tenant, opened_at: since }
            }
            ["holds", sum, "on", who, "for", span] => {
                let id = HoldId::new(self.bench.serial());
                let (account, expires_at) = (self.account_of(who), Some(now.plus_ms(span_ms(span))));
                let places = vec![NewHold { id, account, amount: cny(sum), expires_at }];
                C::Change(Change { places, ..Change::default() })
            }
            ["releases", "hold", name] => {
                let number: usize = name.strip_prefix('h').unwrap().parse().unwrap();
                let end = HoldEnd { hold: self.names.holds[number - 1], outcome: HoldOutcome::Released };
                C::Change(Change { ends: vec![end], ..Change::default() })
            }
            ["moves", "all", "from", who, "to", other] => {
                self.transfer(who, other, Sizing::AllAvailable(Asset::CNY), None)
            }
            ["moves", "up", "to", sum, "from", who, "to", other] => {
                self.transfer(who, other, Sizing::UpTo(cny(sum)), None)
            }
            ["moves", sum, "from", who, "to", other] => {
                self.transfer(who, other, Sizing::Exact(cny(sum)), None)
            }
            ["moves", sum, "from", who, "to", other, "as", "of", date, at] => {
                let since = self.moment(date, at);
                self.transfer(who, other, Sizing::Exact(cny(sum)), Some(since))
            }
            ["reverses", "the", "transfer", name] => {
                let (id, of) = (EntryId::new(self.bench.serial() + 10_000), self.entry_of_transfer(name));
                C::Reverse { id, of, memo: Text::clip("mistake") }
            }
            ["reverses", "the", "last", "entry"] => {
                let (id, of) = (EntryId::new(self.bench.serial() + 10_000), self.last_entry);
                C::Reverse { id, of, memo: Text::clip("mistake") }
            }
            ["seals", "through", date, at] => {
                let mark = JournalMark { seq: self.bench.bank.seq(), hash: [7; 32] };
                C::Seal { through: self.moment(date, at), mark }
            }
            ["watches", who, "below", sum, "as", name] => self.watch(who, Threshold::Below(cny(sum)), name),
            ["watches", who, "from", sum, "as", name] => self.watch(who, Threshold::AtLeast(cny(sum)), name),
            ["stops", name] => C::RemoveMonitor { id: monitor(name) },
            ["delivers", "notice", number, "of", name] => {
                C::NoticeDelivered { id: monitor(name), number: number.parse().unwrap() }
            }
            other => panic!("an operator does not {other:?}"),
        }
    }

    fn watch(&self, who: &str, threshold: Threshold, name: &str) -> ledger::Command {
        ledger::Command::SetMonitor { id: monitor(name), account: self.account_of(who), threshold }
    }

    /// What waits to be told, and balances of the past.
    fn look(&self, parts: &[&str]) -> Option<Vec<String>> {
        let ledger = self.bench.bank.ledger();
        match parts {
            ["what", "monitors", "say"] => {
                let words = |(id, notice): (MonitorId, &ledger::Notice)| {
                    format!(
                        "notice {} of m{}: {} available",
                        notice.number,
                        id.value(),
                        amount(notice.available)
                    )
                };
                Some(ledger.notices().map(words).collect())
            }
            [who, "had", "on", date, at] => {
                let (id, at) = (self.account_of(who), self.moment(date, at));
                let recorded = ledger.balance_recorded(id, at).unwrap().posted;
                let effective = ledger.balance_effective(id, at).unwrap().posted;
                Some(vec![format!("{} as was known then, {} as it was", amount(recorded), amount(effective))])
            }
            _ => None,
        }
    }

    fn by_rail(&mut self, rest: &[&str], details: &[Vec<String>]) -> (Rail, Command) {
        if let [name, "credits", who, sum, "from", from, "message", number] = rest {
            let notice = self.credit(rail(name), who, sum, (from, number), details);
            return (rail(name), Command::Payments(payments::Command::Notice { rail: rail(name), notice }));
        }
        if let [name, "is", state, date] = rest {
            let state = match *state {
                "open" => RailState::Open,
                "closed" => RailState::Closed,
                _ => RailState::Down,
            };
            let notice = RailNotice::Status(RailStatus { state, business_date: date.parse().unwrap() });
            return (rail(name), Command::Payments(payments::Command::Notice { rail: rail(name), notice }));
        }
        if let Some(notice) = self.told(rest) {
            return (Rail::Instant, Command::Settlement(settlement::Command::Notice(notice)));
        }
        let today = self.today();
        let by = |words: &[&str]| match words {
            ["round", number] => Settlement::Netted { date: today, round: number.parse().unwrap() },
            ["gross"] => Settlement::Gross { date: today },
            other => panic!("nothing is settled by {other:?}"),
        };
        let notice = match rest {
            ["answers", payment, "confirmed", words @ ..] => RailNotice::Answer {
                original: self.message_of(payment),
                answer: Answer::Confirmed(by(words)),
            },
            ["answers", payment, "rejected", code] => RailNotice::Answer {
                original: self.message_of(payment),
                answer: Answer::Rejected { code: Text::clip(code) },
            },
            ["answers", "unknown", message] => RailNotice::Answer {
                original: MessageId::new(message).unwrap(),
                answer: Answer::Rejected { code: Text::clip("RJ01") },
            },
            ["nets", "message", number, words @ ..] => {
                RailNotice::Netted { original: self.key(number), settlement: by(words) }
            }
            ["cancels", payment] => RailNotice::CancelAnswer {
                original: self.message_of(payment),
                cancelled: true,
                code: Text::clip("PR08"),
            },
            ["cannot", "cancel", payment, code] => RailNotice::CancelAnswer {
                original: self.message_of(payment),
                cancelled: false,
                code: Text::clip(code),
            },
            ["returns", payment, sum, code, "message", number, words @ ..] => RailNotice::Return {
                key: self.key(number),
                original: self.message_of(payment),
                amount: cny(sum),
                code: Text::clip(code),
                settlement: Some(by(words)),
            },
            other => panic!("a rail does not say {other:?}"),
        };
        let rail = match rest {
            [_, name, ..] => self.rail_of(name),
            _ => Rail::Instant,
        };
        (rail, Command::Payments(payments::Command::Notice { rail, notice }))
    }

    /// The rail a payment goes by; instant where there is no such payment.
    fn rail_of(&self, name: &str) -> Rail {
        let number = name.strip_prefix('p').and_then(|number| number.parse::<usize>().ok());
        let payment = number.and_then(|number| self.names.payments.get(number.checked_sub(1)?));
        payment.and_then(|id| self.bench.bank.payments().payment(*id)).map_or(Rail::Instant, |p| p.rail)
    }

    fn credit(
        &self,
        rail: Rail,
        who: &str,
        sum: &str,
        (from, number): (&str, &str),
        details: &[Vec<String>],
    ) -> RailNotice {
        let person = self.person(who);
        let owner = self.bench.bank.payments().owner(person.account).expect("an account");
        let mut to = self.party(&person.name, owner.number.as_str(), OUR_BANK);
        for detail in details {
            let detail: Vec<&str> = detail.iter().map(String::as_str).collect();
            match detail.as_slice() {
                ["named", name] => to.name = Text::clip(name),
                ["to", "account", number] => to.account = AccountNumber::new(number).unwrap(),
                ["at", "bank", number] => to.bank = BankNumber::new(number).unwrap(),
                other => panic!("a credit is not {other:?}"),
            }
        }
        let settlement = (rail == Rail::HighValue).then(|| Settlement::Gross { date: self.today() });
        RailNotice::Credit {
            key: self.key(number),
            from: self.party(from, "6210990000000001", OTHER_BANK),
            to,
            amount: cny(sum),
            settlement,
            note: Text::clip("invoice"),
        }
    }

    fn told(&self, rest: &[&str]) -> Option<Notice> {
        let key = |rail: &str, round: &str| RoundKey {
            rail: Text::clip(rail),
            date: self.today(),
            round: round.parse().unwrap(),
        };
        match rest {
            [rail, "closes", "round", round, "sent", n, sent, "received", m, received] => {
                let (sent, received) = (flow(n, sent), flow(m, received));
                Some(Notice::Netting { key: key(rail, round), sent, received })
            }
            [rail, "settles", "round", round, "to", way, sum] => {
                Some(Notice::Settled { key: key(rail, round), net: net(way, sum) })
            }
            [rail, "totals", "part", number, "of", of, rows @ ..] => {
                let page = Page { number: number.parse().unwrap(), of: of.parse().unwrap() };
                Some(Notice::Totals { rail: Text::clip(rail), date: self.today(), rows: totals(rows), page })
            }
            [rail, "totals", rows @ ..] => {
                let (rail, date) = (Text::clip(rail), self.today());
                Some(Notice::Totals { rail, date, rows: totals(rows), page: Page::ONLY })
            }
            _ => None,
        }
    }
}

/// Rows of totals, eight words each.
fn totals(rows: &[&str]) -> Vec<TotalRow> {
    let row = |words: &[&str]| match words {
        ["round", round, "sent", n, sent, "received", m, received] => {
            TotalRow { round: round.parse().unwrap(), sent: flow(n, sent), received: flow(m, received) }
        }
        other => panic!("no row of totals: {other:?}"),
    };
    rows.chunks(8).map(row).collect()
}
