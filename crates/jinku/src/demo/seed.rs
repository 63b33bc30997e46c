//! A month of history, by real commands with past times.
//!
//! It runs before the bank is opened to anybody, on a clock set by hand. What the clearing centre would have said in that month is said
//! by commands of the rail, in the same order and with the same bookkeeping as live ones: answers, rounds, settlement, totals.

use std::sync::Arc;

use anyhow::Context;
use bank::{Command, Submission};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{
    Actor, Assertion, CredentialId, Grade, Locale, NewCredential, NewDevice, NewPayee, NewSession, Phone,
};
use money::{
    AccountId, Amount, Asset, CommandId, CustomerId, Date, DeviceId, PayeeId, PaymentId, SessionId, Text,
    Timestamp,
};
use node::{Handle, ManualClock};
use passkey::software::{Profile, SoftwareAuthenticator};
use payments::{
    AccountNumber, Answer, BankNumber, Counterparty, Effect, EffectResult, Intent, MessageId, MessageKey,
    Rail, RailNotice, RailState, RailStatus, Settlement,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use settlement::{NetPosition, Notice, Page, RoundKey, TotalRow};
use sha2::{Digest, Sha256};

use super::people::{OTHERS, Other, PEOPLE, Person};
use crate::config::BankConfig;

/// Days of history.
const DAYS: u64 = 31;
const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;
/// When the day's payments begin.
const OPENS_MS: u64 = 9 * HOUR_MS;
/// One netting round a day is enough for a past.
const ROUND: u32 = 1;

/// The id a person has as a customer: from the demo's seed, so that their authenticator can say it too.
fn customer_id(person: &Person, seed: &[u8; 32]) -> CustomerId {
    let hash =
        Sha256::new().chain_update(seed).chain_update("customer").chain_update(person.handle).finalize();
    let value = hash.iter().take(16).fold(0_u128, |value, byte| (value << 8) | u128::from(*byte));
    CustomerId::new(value >> 1)
}

/// The authenticator of a person, as it was when they signed up; `seed` is the demo's own.
pub(super) fn authenticator(
    person: &Person,
    seed: &[u8; 32],
    config: &BankConfig,
) -> anyhow::Result<(SoftwareAuthenticator, Value)> {
    let origin = config.origins.first().context("bank.json names no origin")?.clone();
    let own: [u8; 32] = Sha256::new().chain_update(seed).chain_update(person.handle).finalize().into();
    let user_handle = URL_SAFE_NO_PAD.encode(customer_id(person, seed).value().to_be_bytes());
    let profile = Profile { synchronised: true, ..Profile::default() };
    let mut authenticator = SoftwareAuthenticator::new(own, origin, profile);
    let made = authenticator.create(&json!({
        "rp": { "id": config.relying_party, "name": config.name_en },
        "user": { "id": user_handle, "name": person.handle, "displayName": person.name },
        "challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
        "authenticatorSelection": { "residentKey": "required", "userVerification": "required" },
    }))?;
    Ok((authenticator, made))
}

/// A person with what they have at the bank.
struct Client {
    person: Person,
    authenticator: SoftwareAuthenticator,
    credential: Value,
    public_key: Vec<u8>,
    session: SessionId,
    account: AccountId,
    number: AccountNumber,
}

struct Past<'a> {
    handle: &'a Handle,
    clock: &'a ManualClock,
    config: &'a BankConfig,
    random: ChaCha8Rng,
    now: Timestamp,
    other_serial: u32,
}

/// Gives the bank a month of history that ends on the day before `now`.
///
/// # Errors
/// The bank refuses something, which would be a fault of the demo.
pub(super) fn history(
    handle: &Handle,
    clock: &Arc<ManualClock>,
    config: &BankConfig,
    seed: &[u8; 32],
    now: Timestamp,
) -> anyhow::Result<()> {
    // Days of the bank's own calendar, each from nine in the morning; the last is yesterday.
    let today = now.date_at(config.utc_offset_minutes).midnight_at(config.utc_offset_minutes);
    let start = today.minus_ms(DAYS.saturating_mul(DAY_MS)).plus_ms(OPENS_MS);
    let mut past =
        Past { handle, clock, config, random: ChaCha8Rng::from_seed(*seed), now: start, other_serial: 0 };
    past.at(start);
    past.status()?;
    let mut clients = Vec::new();
    for person in PEOPLE {
        clients.push(past.enrol(person, seed)?);
    }
    past.save_payees(&clients)?;
    for day in 1..DAYS {
        let morning = start.plus_ms(day.saturating_mul(DAY_MS));
        past.day(morning, &mut clients)?;
    }
    for client in &clients {
        let command = Command::Identity(identity::Command::CloseSession);
        past.submit(Actor::Session(client.session), command)?;
    }
    Ok(())
}

impl Past<'_> {
    fn at(&mut self, at: Timestamp) {
        self.now = at.max(self.now);
        self.clock.set(self.now);
    }

    fn later(&mut self, minutes_max: u64) {
        let minutes = self.random.next_u64().checked_rem(minutes_max.max(1)).unwrap_or(0);
        self.at(self.now.plus_ms(minutes.saturating_add(1).saturating_mul(60_000)));
    }

    fn pick(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(1).max(1);
        usize::try_from(self.random.next_u64().checked_rem(count).unwrap_or(0)).unwrap_or(0)
    }

    fn number(&mut self) -> u128 {
        (u128::from(self.random.next_u64()) << 63) | u128::from(self.random.next_u64() >> 1)
    }

    fn submit(&mut self, actor: Actor, command: Command) -> anyhow::Result<()> {
        let id = CommandId::new(self.number());
        self.handle.submit(Submission { id, actor, command })?;
        Ok(())
    }

    fn notice(&mut self, rail: Rail, notice: RailNotice) -> anyhow::Result<()> {
        let actor = Actor::Rail(Text::clip(rail.name()));
        self.submit(actor, Command::Payments(payments::Command::Notice { rail, notice }))
    }

    fn settle(&mut self, notice: Notice) -> anyhow::Result<()> {
        let actor = Actor::Rail(Text::clip(Rail::Instant.name()));
        self.submit(actor, Command::Settlement(settlement::Command::Notice(notice)))
    }

    fn today(&self) -> Date {
        self.now.date_at(self.config.utc_offset_minutes)
    }

    fn status(&mut self) -> anyhow::Result<()> {
        let status = RailStatus { state: RailState::Open, business_date: self.today() };
        self.notice(Rail::Instant, RailNotice::Status(status))?;
        self.notice(Rail::HighValue, RailNotice::Status(status))
    }

    fn enrol(&mut self, person: Person, seed: &[u8; 32]) -> anyhow::Result<Client> {
        self.later(20);
        let (authenticator, made) = authenticator(&person, seed, self.config)?;
        let registration = passkey::Registration::from_json(&made)?;
        let credential = made.get("id").cloned().unwrap_or_default();
        let (customer, session) = (customer_id(&person, seed), SessionId::new(self.number()));
        let expires_at = self.now.plus_ms(DAYS.saturating_mul(2).saturating_mul(DAY_MS));
        let enrol = identity::Command::Enrol {
            customer,
            name: Text::new(person.name)?,
            phone: Phone::new(person.phone)?,
            locale: if person.locale == "zh" { Locale::Zh } else { Locale::En },
            device: NewDevice {
                id: DeviceId::new(self.number()),
                name: Text::clip("iPhone"),
                secret_hash: Sha256::digest(self.number().to_be_bytes()).to_vec().into(),
            },
            credential: NewCredential {
                id: CredentialId::new(&registration.credential.credential_id),
                public_key: registration.credential.public_key.to_bytes().into(),
                sign_count: registration.sign_count,
                backed_up: registration.flags.backed_up(),
                name: Text::clip("iPhone"),
            },
            session: NewSession { id: session, expires_at },
        };
        self.submit(Actor::Visitor, Command::Identity(enrol))?;
        let grade = identity::Command::SetGrade { customer, grade: Grade::Verified };
        self.submit(Actor::Operator(Text::clip("branch")), Command::Identity(grade))?;
        let found = self.handle.read(|bank| {
            let account = bank.payments().accounts_of(customer).first().copied()?;
            Some((account, bank.payments().owner(account)?.number.clone()))
        })?;
        let (account, number) = found.context("a new customer has no account")?;
        let public_key = registration.credential.public_key.to_bytes();
        Ok(Client { person, authenticator, credential, public_key, session, account, number })
    }

    /// Everybody knows the next two customers and two shops.
    fn save_payees(&mut self, clients: &[Client]) -> anyhow::Result<()> {
        let own = BankNumber::new(&self.config.number)?;
        for (index, client) in clients.iter().enumerate() {
            let friends = clients.iter().cycle().skip(index.saturating_add(1)).take(2);
            let mut payees: Vec<(String, String, String)> = friends
                .map(|friend| (friend.person.name.to_owned(), friend.number.to_string(), own.to_string()))
                .collect();
            for other in OTHERS.iter().skip(2).cycle().skip(index).take(2) {
                payees.push((
                    other.name.to_owned(),
                    other.account.to_owned(),
                    self.bank_of(other)?.to_string(),
                ));
            }
            for (name, account, bank) in payees {
                let payee = NewPayee {
                    id: PayeeId::new(self.number()),
                    name: Text::new(&name)?,
                    account_number: Text::new(&account)?,
                    bank_number: Text::new(&bank)?,
                };
                self.submit(
                    Actor::Session(client.session),
                    Command::Identity(identity::Command::AddPayee(payee)),
                )?;
            }
        }
        Ok(())
    }

    fn bank_of(&self, other: &Other) -> anyhow::Result<BankNumber> {
        let listed = self.config.banks.get(other.bank).context("the demo needs two other banks")?;
        Ok(BankNumber::new(&listed.number)?)
    }

    fn day(&mut self, morning: Timestamp, clients: &mut [Client]) -> anyhow::Result<()> {
        self.at(morning);
        self.status()?;
        let (_, _, day_of_month) = self.today().civil();
        for index in 0..clients.len() {
            self.later(30);
            let is_first = morning.ms() < self.now.ms() && self.has_nothing(clients, index)?;
            if day_of_month == 10 || is_first {
                self.salary(clients, index)?;
            }
            match self.pick(3) {
                0 => self.transfer(clients, index)?,
                1 => self.withdraw(clients, index)?,
                _ => {}
            }
        }
        self.at(morning.plus_ms(HOUR_MS.saturating_mul(10)));
        self.close_round()
    }

    fn has_nothing(&self, clients: &[Client], index: usize) -> anyhow::Result<bool> {
        let client = clients.get(index).context("no such client")?;
        let account = client.account;
        let balance =
            self.handle.read(|bank| bank.ledger().account(account).map(ledger::Account::balance))?;
        Ok(balance.is_none_or(|balance| balance.posted.is_zero()))
    }

    /// A salary comes over the high-value rail when it is large, otherwise over the instant one.
    fn salary(&mut self, clients: &[Client], index: usize) -> anyhow::Result<()> {
        let client = clients.get(index).context("no such client")?;
        let employer = OTHERS.get(client.person.employer).context("no such employer")?;
        let amount = Amount::new(Asset::CNY, client.person.salary_yuan.saturating_mul(100));
        let from = Counterparty {
            name: Text::new(employer.name)?,
            account: AccountNumber::new(employer.account)?,
            bank: self.bank_of(employer)?,
        };
        let to = Counterparty {
            name: Text::new(client.person.name)?,
            account: client.number.clone(),
            bank: BankNumber::new(&self.config.number)?,
        };
        self.other_serial = self.other_serial.saturating_add(1);
        let date = self.today();
        let digits = date.to_string().replace('-', "");
        let id = MessageId::new(&format!("{}{digits}{:08}", from.bank, self.other_serial))?;
        let key = MessageKey { sender: from.bank.clone(), id };
        let is_large = client.person.salary_yuan >= 20_000;
        let (rail, settlement) = if is_large {
            (Rail::HighValue, Some(Settlement::Gross { date }))
        } else {
            (Rail::Instant, None)
        };
        let note = Text::clip("工资");
        self.notice(rail, RailNotice::Credit { key: key.clone(), from, to, amount, settlement, note })?;
        if !is_large {
            self.deliver()?;
            let settlement = Settlement::Netted { date, round: ROUND };
            self.notice(rail, RailNotice::Netted { original: key, settlement })?;
        }
        Ok(())
    }

    fn transfer(&mut self, clients: &mut [Client], index: usize) -> anyhow::Result<()> {
        let step = self.pick(2).saturating_add(1);
        let other = index.saturating_add(step).checked_rem(clients.len()).unwrap_or(0);
        let to = clients.get(other).context("no such client")?;
        let payee = Counterparty {
            name: Text::new(to.person.name)?,
            account: to.number.clone(),
            bank: BankNumber::new(&self.config.number)?,
        };
        let notes = ["午餐", "AA", "Thanks", "生日快乐", "打车"];
        let note = notes.get(self.pick(notes.len())).copied().unwrap_or_default();
        let fen = u128::from(self.random.next_u32() % 60_000).saturating_add(500);
        self.pay(clients, index, payee, Rail::Internal, fen, note).map(|_| ())
    }

    fn withdraw(&mut self, clients: &mut [Client], index: usize) -> anyhow::Result<()> {
        let shops = OTHERS.iter().filter(|other| !other.note.is_empty()).count();
        let pick = self.pick(shops).saturating_add(2);
        let other = OTHERS.get(pick).context("no such shop")?;
        let payee = Counterparty {
            name: Text::new(other.name)?,
            account: AccountNumber::new(other.account)?,
            bank: self.bank_of(other)?,
        };
        let fen_max: u32 = if other.note == "房租" { 250_000 } else { 45_000 };
        let fen = u128::from(self.random.next_u32().checked_rem(fen_max).unwrap_or(0)).saturating_add(1_200);
        let Some(payment) = self.pay(clients, index, payee, Rail::Instant, fen, other.note)? else {
            return Ok(());
        };
        // The undo window runs out, the payment is sent, and the other bank has it.
        self.at(self.now.plus_ms(90_000));
        self.until_sent(payment)?;
        self.deliver()?;
        let message = self.handle.read(|bank| {
            bank.payments().payment(payment).and_then(|payment| match &payment.state {
                payments::PaymentState::Sent { message, .. } => Some(message.clone()),
                _ => None,
            })
        })?;
        let original = message.context("a payment of the demo was not sent")?;
        let settlement = Settlement::Netted { date: self.today(), round: ROUND };
        self.notice(Rail::Instant, RailNotice::Answer { original, answer: Answer::Confirmed(settlement) })
    }

    /// Lets timers happen until the payment is on its way.
    fn until_sent(&mut self, payment: PaymentId) -> anyhow::Result<()> {
        let waits = self.handle.read(|bank| {
            bank.payments()
                .payment(payment)
                .is_some_and(|payment| matches!(payment.state, payments::PaymentState::Waiting { .. }))
        })?;
        if !waits {
            return Ok(());
        }
        match self.submit(Actor::System, Command::Tick) {
            Ok(()) => Ok(()),
            // The node's own timer was quicker.
            Err(error) if error.to_string().contains("nothing is due") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Pays with a passkey; none where there is not enough on the account.
    fn pay(
        &mut self,
        clients: &mut [Client],
        index: usize,
        payee: Counterparty,
        rail: Rail,
        fen: u128,
        note: &str,
    ) -> anyhow::Result<Option<PaymentId>> {
        let nonce: Vec<u8> = self.number().to_be_bytes().to_vec();
        let payment = PaymentId::new(self.number());
        let client = clients.get_mut(index).context("no such client")?;
        let intent = Intent {
            payment,
            from: client.account,
            payee,
            amount: Amount::new(Asset::CNY, fen),
            fee_cap: Amount::zero(Asset::CNY),
            rail,
            expires_at: self.now.plus_ms(5 * 60_000),
            nonce: nonce.into(),
            note: Text::new(note)?,
        };
        let approval = sign(client, &intent, self.config)?;
        let session = Actor::Session(client.session);
        match self.submit(session, Command::Pay { intent, approval: Some(approval) }) {
            Ok(()) => Ok(Some(payment)),
            Err(error) if error.to_string().contains("available") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything that the bank wants sent has been taken by the centre.
    fn deliver(&mut self) -> anyhow::Result<()> {
        let outstanding: Vec<money::EffectId> =
            self.handle.read(|bank| bank.outstanding().map(|(id, _)| id).collect())?;
        for effect in outstanding {
            let rail = self.handle.read(|bank| {
                bank.effect(effect).map(|outstanding| match &outstanding.effect {
                    Effect::SendCredit { rail, .. }
                    | Effect::SendAnswer { rail, .. }
                    | Effect::SendCancel { rail, .. }
                    | Effect::SendReturn { rail, .. } => *rail,
                })
            })?;
            let Some(rail) = rail else { continue };
            let actor = Actor::Rail(Text::clip(rail.name()));
            self.submit(actor, Command::EffectReported { effect, result: EffectResult::Delivered })?;
        }
        Ok(())
    }

    /// The centre closes the round with what the bank counted, settles its net, and sends the totals of both rails.
    fn close_round(&mut self) -> anyhow::Result<()> {
        let date = self.today();
        let key = |rail: Rail, round| RoundKey { rail: Text::clip(rail.name()), date, round };
        let counted = |key: &RoundKey| {
            self.handle.read(|bank| bank.settlement().round(key).map(|round| (round.sent, round.received)))
        };
        let instant = counted(&key(Rail::Instant, ROUND))?;
        let gross = counted(&key(Rail::HighValue, 0))?;
        let row = |round, flows: (settlement::Flow, settlement::Flow)| TotalRow {
            round,
            sent: flows.0,
            received: flows.1,
        };
        if let Some((sent, received)) = instant {
            let key = key(Rail::Instant, ROUND);
            self.settle(Notice::Netting { key: key.clone(), sent, received })?;
            self.settle(Notice::Settled { key, net: NetPosition::of(sent.sum, received.sum) })?;
        }
        let instant_rows = instant.map(|flows| row(ROUND, flows)).into_iter().collect();
        self.settle(Notice::Totals {
            rail: Text::clip(Rail::Instant.name()),
            date,
            rows: instant_rows,
            page: Page::ONLY,
        })?;
        let gross_rows = gross.map(|flows| row(0, flows)).into_iter().collect();
        self.settle(Notice::Totals {
            rail: Text::clip(Rail::HighValue.name()),
            date,
            rows: gross_rows,
            page: Page::ONLY,
        })
    }
}

/// The person's signature over an intent.
fn sign(client: &mut Client, intent: &Intent, config: &BankConfig) -> anyhow::Result<Assertion> {
    let challenge = Sha256::digest(intent.canonical().as_bytes());
    let answer = client.authenticator.get(&json!({
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "rpId": config.relying_party,
        "userVerification": "required",
        "allowCredentials": [{ "type": "public-key", "id": client.credential }],
    }))?;
    let signed = passkey::Assertion::from_json(&answer)?;
    let data = passkey::AuthenticatorData::parse(&signed.authenticator_data)?;
    Ok(Assertion {
        public_key: client.public_key.clone().into(),
        credential: CredentialId::new(&signed.credential_id),
        sign_count: data.sign_count,
        authenticator_data: signed.authenticator_data.into(),
        client_data_json: signed.client_data_json.into(),
        signature: signed.signature.into(),
    })
}
