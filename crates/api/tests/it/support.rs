//! A bank in a folder, and customers with phones.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use api::{BankInfo, Config, Rates};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bank::{Command, RelyingParty, Submission};
use identity::{Actor, Grade, LimitRow};
use ledger::{Change, Entry, Leg};
use money::{AccountId, Amount, Asset, Bps, CommandId, Date, EntryId, Limits, Text, Timestamp};
use node::{Handle, ManualClock, Node};
use passkey::secret::Secret;
use passkey::software::{Profile as Device, SoftwareAuthenticator};
use payments::{
    AccountNumber, BankNumber, Books, Counterparty, FeeRule, MessageId, MessageKey, Profile, Rail,
    RailNotice, RailRow, RailState, RailStatus,
};
use projections::{Projections, ReadModel};
use receipts::NoteSigner;
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) const ORIGIN: &str = "http://localhost:7460";
pub(crate) const OURS: &str = "900000000001";
pub(crate) const OTHERS: &str = "900000000101";
const START_MS: u64 = 1_795_485_600_000;

static NUMBER: AtomicU32 = AtomicU32::new(1);

fn next() -> u32 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

fn yuan(value: u128) -> Amount {
    Amount::new(Asset::CNY, value * 100)
}

/// A running bank with its interface; its folder goes with it.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) handle: Handle,
    pub(crate) clock: Arc<ManualClock>,
    reads: ReadModel,
    now: std::cell::Cell<u64>,
    projections: Option<Projections>,
    node: Option<Node>,
    folder: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|config| config)
    }

    pub(crate) fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let folder = std::env::temp_dir().join(format!("api-test-{}-{}", std::process::id(), next()));
        std::fs::create_dir_all(&folder).unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_ms(START_MS)));
        let relying_party = RelyingParty { id: "localhost".to_owned(), origins: vec![ORIGIN.to_owned()] };
        let journal = journal::Options { segment_bytes: 4 << 20, direct: false };
        let config = node::Config {
            data: folder.clone(),
            journal,
            epoch: 1,
            snapshot_every: None,
            history_in_memory: None,
            relying_party,
        };
        let node = Node::start(config, clock.clone()).unwrap();
        let handle = node.handle();
        opening(&handle);
        let signer = NoteSigner::from_seed("jinku.example/log", &[7; 32]).unwrap();
        let config = projections::Config { data: folder.clone(), signer };
        let projections = Projections::start(config, handle.clone()).unwrap();
        let others = BankInfo {
            code: OTHERS.to_owned(),
            name_zh: "东江银行".to_owned(),
            name_en: "Dongjiang Bank".to_owned(),
        };
        let config = Config {
            banks: vec![others],
            secure: false,
            clock: clock.clone(),
            rates: Rates::generous(),
            ..Config::new(Secret::new([9; 32]))
        };
        let router = api::router(change(config), handle.clone(), projections.reader()).unwrap();
        let (now, reads) = (std::cell::Cell::new(START_MS), projections.reader());
        assert!(reads.wait_for(handle.status().durable.seq, std::time::Duration::from_secs(10)));
        Self { router, handle, clock, reads, now, projections: Some(projections), node: Some(node), folder }
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.now.set(self.now.get() + seconds * 1000);
        self.clock.set(Timestamp::from_ms(self.now.get()));
    }

    /// Another bank's customer pays one of ours, over the instant rail.
    pub(crate) fn credit(&self, account: &Value, name: &str, amount: &str) {
        let party = |name: &str, account: &str, bank: &str| Counterparty {
            name: Text::clip(name),
            account: AccountNumber::new(account).unwrap(),
            bank: BankNumber::new(bank).unwrap(),
        };
        let id = MessageId::new(&format!("IN{:010}", next())).unwrap();
        let notice = RailNotice::Credit {
            key: MessageKey { sender: BankNumber::new(OTHERS).unwrap(), id },
            from: party("周国梁", "8801200000000777", OTHERS),
            to: party(name, account["number"].as_str().unwrap(), OURS),
            amount: Amount::parse(Asset::CNY, amount).unwrap(),
            settlement: None,
            note: Text::clip("工资"),
        };
        self.notice(Rail::Instant, notice);
    }

    pub(crate) fn notice(&self, rail: Rail, notice: RailNotice) {
        let command = Command::Payments(payments::Command::Notice { rail, notice });
        self.submit(Actor::Rail(Text::clip(rail.name())), command);
    }

    /// Hands a command in and waits until the screens have it.
    pub(crate) fn submit(&self, actor: Actor, command: Command) {
        let submission = Submission { id: CommandId::new(u128::from(next())), actor, command };
        let taken = self.handle.submit(submission).unwrap();
        assert!(self.reads.wait_for(taken.seq, std::time::Duration::from_secs(10)));
    }

    /// Waits until the screens have what everybody did.
    pub(crate) fn caught_up(&self) {
        assert!(self.reads.wait_for(self.handle.durable().seq, std::time::Duration::from_secs(10)));
    }

    /// The way to the read models.
    pub(crate) fn reads(&self) -> ReadModel {
        self.reads.clone()
    }

    /// Throws the read models away and makes them again from the journal.
    pub(crate) fn rebuild(&mut self) {
        drop(self.projections.take());
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.folder.join(format!("read.sqlite{suffix}")));
        }
        let signer = NoteSigner::from_seed("jinku.example/log", &[7; 32]).unwrap();
        let config = projections::Config { data: self.folder.clone(), signer };
        let projections = Projections::start(config, self.handle.clone()).unwrap();
        self.reads = projections.reader();
        self.projections = Some(projections);
        self.caught_up();
    }

    /// Any request; answers with its status, headers and body.
    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, body.to_vec())
    }

    /// A new customer, signed in on a new phone.
    pub(crate) async fn customer(&self, name: &str) -> Customer {
        let mut customer = Customer::stranger(name);
        let begun = customer.post(self, "/enrolments", &customer.wish()).await.ok();
        let credential = customer.phone.create(&begun["creation_options"]).unwrap();
        let path = format!("/enrolments/{}/finish", begun["enrolment_id"].as_str().unwrap());
        let body = json!({ "credential": credential, "device_name": "Phone · Test" });
        customer.me = customer.post(self, &path, &body).await.ok();
        customer
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.projections.take());
        drop(self.node.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn opening(handle: &Handle) {
    let account = AccountId::new;
    let books = Books {
        asset: Asset::CNY,
        reserve: account(1),
        transit_instant: account(2),
        transit_high_value: account(3),
        suspense: account(4),
        fees: account(5),
        capital: account(6),
    };
    let profile = Profile {
        bank: BankNumber::new(OURS).unwrap(),
        name_zh: Text::clip("金库银行"),
        name_en: Text::clip("Jinku Bank"),
        utc_offset_minutes: 480,
    };
    let capital = yuan(100_000_000);
    let legs = vec![Leg::debit(books.reserve, capital), Leg::credit(books.capital, capital)];
    let entry =
        Entry { id: EntryId::new(1), legs, effective_at: None, reference: None, memo: Text::clip("capital") };
    let from: Date = "2020-01-01".parse().unwrap();
    let free =
        FeeRule { free_up_to: yuan(1_000_000), rate: Bps::new(0), at_least: yuan(0), at_most: yuan(0) };
    let rail = RailRow {
        rail: Rail::Instant,
        asset: Asset::CNY,
        from,
        ceiling: Some(yuan(1_000_000)),
        fee: free,
        answer_ms: 20_000,
        usual_ms: 8_000,
    };
    let limits = Limits {
        small_amount: yuan(200),
        undo_from: yuan(500),
        undo_ms: 60_000,
        single: Some(yuan(2_000)),
        day: Some(yuan(5_000)),
        month: None,
        year: Some(yuan(50_000)),
    };
    let row = LimitRow { grade: Grade::Basic, asset: Asset::CNY, from, limits };
    let operator = || Actor::Operator(Text::clip("test"));
    let commands = [
        Command::Payments(payments::Command::SetProfile(profile)),
        Command::Payments(payments::Command::OpenBooks(books)),
        Command::Ledger(ledger::Command::Change(Change { entry: Some(entry), ..Change::default() })),
        Command::Payments(payments::Command::SetRail(rail)),
        Command::Identity(identity::Command::SetLimits(row)),
    ];
    let submit = |actor, command| {
        handle.submit(Submission { id: CommandId::new(u128::from(next())), actor, command }).unwrap();
    };
    commands.into_iter().for_each(|command| submit(operator(), command));
    let business_date = "2026-11-24".parse().unwrap();
    let notice = RailNotice::Status(RailStatus { state: RailState::Open, business_date });
    let open = Command::Payments(payments::Command::Notice { rail: Rail::Instant, notice });
    submit(Actor::Rail(Text::clip("instant")), open);
}

/// A customer with a phone: authenticator, cookies, and the last entry seen, as the wallet keeps it.
pub(crate) struct Customer {
    pub(crate) name: String,
    pub(crate) phone: SoftwareAuthenticator,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) me: Value,
    number: u32,
    seq: u64,
}

/// An answer of the interface.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of a good answer.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }

    /// Status and code of a refusal, which must be complete.
    #[track_caller]
    pub(crate) fn refusal(&self) -> (u16, &str) {
        assert!(!self.status.is_success(), "{} {}", self.status, self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        for field in ["type", "title", "detail", "reference"] {
            assert!(
                self.body[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field} of {}",
                self.body
            );
        }
        (self.status.as_u16(), self.body["code"].as_str().unwrap())
    }
}

/// A fresh idempotency key.
pub(crate) fn key() -> String {
    format!("test-key-{:020}", next())
}

/// A request as the wallet makes it, before its cookies.
pub(crate) fn request(method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
    let builder = Request::builder().method(&method).uri(format!("/api/v1{path}"));
    let builder = if method == Method::GET {
        builder
    } else {
        builder.header("origin", ORIGIN).header("idempotency-key", key())
    };
    match body {
        Some(body) => {
            builder.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
        }
        None => builder.body(Body::empty()).unwrap(),
    }
}

impl Customer {
    pub(crate) fn stranger(name: &str) -> Self {
        let number = next();
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let phone = SoftwareAuthenticator::new(seed, ORIGIN.to_owned(), Device::default());
        let (cookies, me) = (BTreeMap::new(), Value::Null);
        Self { name: name.to_owned(), phone, cookies, me, number, seq: 0 }
    }

    pub(crate) fn wish(&self) -> Value {
        json!({ "display_name": self.name, "phone": format!("+86139{:08}", self.number), "locale": "zh" })
    }

    pub(crate) fn account(&self) -> &Value {
        &self.me["accounts"][0]
    }

    pub(crate) fn account_id(&self) -> &str {
        self.account()["id"].as_str().unwrap()
    }

    /// Sends a request with this phone's cookies, and keeps those that come back.
    pub(crate) async fn send(&mut self, world: &World, mut request: Request<Body>) -> Answer {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request.headers_mut().insert("cookie", pairs.join("; ").parse().unwrap());
        }
        if request.method() == Method::GET {
            request.headers_mut().insert("x-jinku-min-seq", self.seq.into());
        }
        let (status, headers, body) = world.send(request).await;
        for set in headers.get_all("set-cookie") {
            let text = set.to_str().unwrap();
            assert!(text.contains("HttpOnly") && text.contains("SameSite=Strict"), "{text}");
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(seq) = headers.get("x-jinku-seq") {
            self.seq = self.seq.max(seq.to_str().unwrap().parse().unwrap());
        }
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&mut self, world: &World, path: &str) -> Answer {
        self.send(world, request(Method::GET, path, None)).await
    }

    pub(crate) async fn post(&mut self, world: &World, path: &str, body: &Value) -> Answer {
        self.send(world, request(Method::POST, path, Some(body))).await
    }

    pub(crate) async fn call(&mut self, world: &World, method: Method, path: &str) -> Answer {
        self.send(world, request(method, path, None)).await
    }

    /// Signs in with a passkey on this phone.
    pub(crate) async fn sign_in(&mut self, world: &World) -> Answer {
        let begun = self.call(world, Method::POST, "/sessions/passkey").await.ok();
        let credential = self.phone.get(&begun["request_options"]).unwrap();
        let path = format!("/sessions/passkey/{}/finish", begun["ceremony_id"].as_str().unwrap());
        self.post(world, &path, &json!({ "credential": credential, "device_name": "Phone · Test" })).await
    }

    /// The body of a preview: some yuan to somebody.
    pub(crate) fn asks(&self, to: &Value, amount: &str) -> Value {
        json!({
            "from_account": self.account_id(), "payee": to,
            "amount": { "asset": "CNY", "value": amount }, "note": "午餐",
        })
    }

    pub(crate) async fn preview(&mut self, world: &World, to: &Value, amount: &str) -> Answer {
        let body = self.asks(to, amount);
        self.post(world, "/payments/preview", &body).await
    }

    /// The body of a submission; the passkey signs where it is asked.
    pub(crate) fn signed(&mut self, preview: &Value) -> Value {
        let options = &preview["request_options"];
        let assertion = if options.is_null() { Value::Null } else { self.phone.get(options).unwrap() };
        json!({ "intent": preview["intent"], "assertion": assertion })
    }

    /// Previews, signs where needed, and submits.
    pub(crate) async fn pay(&mut self, world: &World, to: &Value, amount: &str) -> Answer {
        let preview = self.preview(world, to, amount).await.ok();
        let body = self.signed(&preview);
        self.post(world, "/payments", &body).await
    }

    /// This customer as a payee of others.
    pub(crate) fn as_payee(&self) -> Value {
        json!({ "name": self.name, "account_number": self.account()["number"], "bank_code": OURS })
    }

    pub(crate) async fn available(&mut self, world: &World) -> String {
        let list = self.get(world, "/accounts").await.ok();
        list["items"][0]["available"]["value"].as_str().unwrap().to_owned()
    }
}

/// Somebody at another bank.
pub(crate) fn elsewhere() -> Value {
    json!({ "name": "周国梁", "account_number": "8801200000000777", "bank_code": OTHERS })
}
