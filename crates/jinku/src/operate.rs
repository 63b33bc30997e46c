//! `jinku operate`: what staff does on a running bank, until the console does it.
//!
//! The node listens on its own address for JSON with the operator's token from the data folder; who can read that file is an operator.
//! Every act is a command in the journal under the operator's name.

pub mod markets;
pub mod surveillance;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bank::{Bank, Command, Submission};
use identity::{Actor, Grade, LimitRow, Phone};
use ledger::JournalMark;
use money::{Amount, Asset, Bps, CaseId, CommandId, Date, Limits, PaymentId, Text, Timestamp};
use node::{Clock as _, Handle, SystemClock};
use payments::{AccountNumber, Answer, FeeRule, Rail, RailRow};
use projections::ReadModel;
use serde::{Deserialize, Serialize};
use settlement::CaseKind;

use crate::config::{Installation, Key};

/// An operator's command line.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Data folder of the bank; its operator token is used.
    #[arg(long)]
    data: PathBuf,
    /// Address of the operators' interface.
    #[arg(long, default_value = "127.0.0.1:7463")]
    address: SocketAddr,
    /// Your name, for the journal.
    #[arg(long)]
    name: String,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// List open cases.
    Cases,
    /// List days and how they compared with the centre's totals.
    Days,
    /// Grade a customer after an identity check.
    Grade {
        /// Telephone number.
        phone: String,
        /// basic, verified or full.
        grade: String,
    },
    /// Send a deposit in suspense back.
    Return {
        /// The payment.
        payment: String,
        /// Reason code of the rail.
        #[arg(default_value = "RJ01")]
        code: String,
    },
    /// Credit a deposit in suspense to an account.
    Credit {
        /// The payment.
        payment: String,
        /// Account number.
        account: String,
    },
    /// Say how a payment ended that nobody answered, as the other bank told by other means.
    Conclude {
        /// The payment.
        payment: String,
        /// `round=2026-11-24/3` or `settled=2026-11-24` when the payee has it; a reject code such as RJ99 when not.
        outcome: String,
    },
    /// Close a case.
    Resolve {
        /// The case.
        case: String,
        /// What was done.
        resolution: String,
    },
    /// Close an empty account.
    CloseAccount {
        /// Account number.
        account: String,
    },
    /// Seal the books through the end of a day: no entry may count in it any more.
    Seal {
        /// The day, such as 2026-11-24, by the bank's own clock.
        date: String,
    },
    /// What there is to do about markets.
    Market {
        #[command(subcommand)]
        act: markets::Act,
    },
    /// Add dated rows of limits and of rails' terms from a JSON file: an array of orders `set_limits` and `set_rail`.
    Terms {
        /// The file.
        file: PathBuf,
    },
}

/// What an operator asks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Grade a customer.
    Grade {
        /// Telephone number.
        phone: String,
        /// basic, verified or full.
        grade: String,
    },
    /// Send a deposit in suspense back.
    ReturnDeposit {
        /// The payment.
        payment: String,
        /// Reason code of the rail.
        code: String,
    },
    /// Credit a deposit in suspense.
    CreditDeposit {
        /// The payment.
        payment: String,
        /// Account number.
        account: String,
    },
    /// Say how a payment ended that nobody answered.
    Conclude {
        /// The payment.
        payment: String,
        /// How it was settled, or a reject code.
        outcome: String,
    },
    /// Close a case.
    ResolveCase {
        /// The case.
        case: String,
        /// What was done.
        resolution: String,
    },
    /// Close an empty account.
    CloseAccount {
        /// Account number.
        account: String,
    },
    /// Seal the books through the end of a day.
    Seal {
        /// The day.
        date: String,
    },
    /// Limits of a grade in yuan from a date on.
    SetLimits(LimitTerms),
    /// Terms of a rail in yuan from a date on.
    SetRail(RailTerms),
    /// About markets.
    Market {
        /// What.
        order: markets::MarketOrder,
    },
}

/// Limits of a grade: decimal amounts in yuan; a limit that is left out is none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitTerms {
    /// basic, verified or full.
    pub grade: String,
    /// First day, such as 2026-12-01.
    pub from: String,
    /// Up to here no passkey is asked for.
    pub small_amount: String,
    /// From here a withdrawal waits.
    pub undo_from: String,
    /// How long it waits, in seconds.
    pub undo_seconds: u64,
    /// Most in one payment.
    pub single: Option<String>,
    /// Most in a day.
    pub day: Option<String>,
    /// Most in a month.
    pub month: Option<String>,
    /// Most in a year.
    pub year: Option<String>,
}

/// Terms of a rail: decimal amounts in yuan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RailTerms {
    /// instant or high_value.
    pub rail: String,
    /// First day.
    pub from: String,
    /// Most in one payment; left out for no ceiling.
    pub ceiling: Option<String>,
    /// Up to here it is free.
    pub free_up_to: String,
    /// Then this rate, in basis points,
    pub rate_bps: u32,
    /// at least this,
    pub fee_at_least: String,
    /// at most this.
    pub fee_at_most: String,
    /// How long we wait for an answer, in seconds.
    pub answer_seconds: u64,
    /// How long a payment usually takes, in seconds.
    pub usual_seconds: u64,
}

/// An order with its sender.
#[derive(Debug, Serialize, Deserialize)]
pub struct Signed {
    /// Who.
    pub name: String,
    /// Id of the command, so that a repeat is one.
    pub id: String,
    /// What.
    pub order: Order,
}

/// A case as an operator sees it.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownCase {
    /// Its id.
    pub id: String,
    /// What about.
    pub kind: String,
    /// The payment or round.
    pub subject: String,
    /// How much is at stake.
    pub amount: String,
    /// Since when.
    pub opened_at: String,
}

/// A day that was compared with the centre's totals.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShownDay {
    /// Which rail.
    pub rail: String,
    /// Which business date.
    pub date: String,
    /// How many rounds were compared.
    pub rounds: u32,
    /// How many differences there are.
    pub breaks: usize,
}

struct Desk {
    handle: Handle,
    reads: ReadModel,
    token: String,
}

/// The operators' interface.
pub fn router(handle: Handle, reads: ReadModel, token: [u8; 32]) -> axum::Router {
    let desk = Arc::new(Desk { handle, reads, token: hex::encode(token) });
    axum::Router::new()
        .route("/cases", get(cases))
        .route("/days", get(days))
        .route("/markets", get(market_list))
        .route("/markets/{number}/book", get(market_book))
        .route("/markets/{number}/seats", get(seat_list))
        .route("/markets/{number}/suspend", post(suspend))
        .route("/markets/{number}/seats/{seat}/{what}", post(seat_switch))
        .route("/proposals", get(proposal_list).post(propose))
        .route("/proposals/{number}/{what}", post(decide))
        .route("/surveillance", get(hint_list))
        .route("/prices", get(price_list))
        .route("/convert", get(convert_desk))
        .route("/orders", post(order))
        .with_state(desk)
}

/// Whether the token is shown; every byte is compared, so that time tells nothing.
fn is_operator(desk: &Desk, headers: &HeaderMap) -> bool {
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shown = shown.strip_prefix("Bearer ").unwrap_or_default();
    shown.len() == desk.token.len()
        && shown.bytes().zip(desk.token.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

async fn cases(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    show(desk, headers, open_cases).await
}

async fn days(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    show(desk, headers, compared_days).await
}

async fn show<T: Serialize + Send + 'static>(
    desk: Arc<Desk>,
    headers: HeaderMap,
    look: impl Fn(&Bank) -> T + Send + 'static,
) -> Response {
    if !is_operator(&desk, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match tokio::task::spawn_blocking(move || desk.handle.read(look)).await {
        Ok(Ok(shown)) => Json(shown).into_response(),
        Ok(Err(halted)) => (StatusCode::SERVICE_UNAVAILABLE, halted.to_string()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn market_list(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    show(desk, headers, markets::markets).await
}

async fn proposal_list(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    show(desk, headers, markets::proposals).await
}

async fn price_list(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    let now = SystemClock.now();
    show(desk, headers, move |bank| markets::prices(bank, now.max(bank.recorded_at()))).await
}

async fn convert_desk(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    show(desk, headers, markets::desk).await
}

/// How much of a book is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookQuery {
    #[serde(default = "levels_usual")]
    levels: usize,
}

/// Prices of each side where nothing is said.
const fn levels_usual() -> usize {
    50
}

async fn market_book(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Path(number): Path<u32>,
    Query(asked): Query<BookQuery>,
) -> Response {
    show(desk, headers, move |bank| markets::book(bank, number, asked.levels)).await
}

async fn seat_list(State(desk): State<Arc<Desk>>, headers: HeaderMap, Path(number): Path<u32>) -> Response {
    show(desk, headers, move |bank| markets::seats(bank, number)).await
}

/// Who acts; the id makes a repeat one.
#[derive(Debug, Deserialize)]
struct By {
    by: String,
    id: Option<String>,
}

/// A change that somebody proposes.
#[derive(Debug, Deserialize)]
struct Proposed {
    by: String,
    id: Option<String>,
    #[serde(flatten)]
    change: markets::Change,
}

/// An order of somebody at the console, like every other order.
async fn give(
    desk: Arc<Desk>,
    headers: HeaderMap,
    by: String,
    id: Option<String>,
    asked: markets::MarketOrder,
) -> Response {
    let fresh = || fresh_id().map(|id| id.to_string());
    match id.map_or_else(fresh, Ok) {
        Ok(id) => {
            let signed = Signed { name: by, id, order: Order::Market { order: asked } };
            order(State(desk), headers, Json(signed)).await
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

async fn propose(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Json(Proposed { by, id, change }): Json<Proposed>,
) -> Response {
    give(desk, headers, by, id, markets::MarketOrder::Propose { change }).await
}

async fn decide(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Path((proposal, what)): Path<(u64, String)>,
    Json(By { by, id }): Json<By>,
) -> Response {
    let asked = match what.as_str() {
        "approve" => markets::MarketOrder::Approve { proposal },
        "withdraw" => markets::MarketOrder::Withdraw { proposal },
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    give(desk, headers, by, id, asked).await
}

async fn suspend(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Path(market): Path<u32>,
    Json(By { by, id }): Json<By>,
) -> Response {
    give(desk, headers, by, id, markets::MarketOrder::Suspend { market }).await
}

async fn seat_switch(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Path((market, seat, what)): Path<(u32, u32, String)>,
    Json(By { by, id }): Json<By>,
) -> Response {
    let asked = match what.as_str() {
        "stop" => markets::MarketOrder::StopSeat { market, seat },
        "free" => markets::MarketOrder::FreeSeat { market, seat },
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    give(desk, headers, by, id, asked).await
}

/// Which market is looked at; all where none is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HintQuery {
    market: Option<u32>,
}

async fn hint_list(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Query(asked): Query<HintQuery>,
) -> Response {
    if !is_operator(&desk, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let look = move || markets::all_hints(&desk.handle, &desk.reads, asked.market);
    match tokio::task::spawn_blocking(look).await {
        Ok(Ok(Some(hints))) => Json(hints).into_response(),
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn order(State(desk): State<Arc<Desk>>, headers: HeaderMap, Json(signed): Json<Signed>) -> Response {
    if !is_operator(&desk, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let done = tokio::task::spawn_blocking(move || carry_out(&desk.handle, &signed)).await;
    match done {
        Ok(Ok(seq)) => Json(serde_json::json!({ "seq": seq })).into_response(),
        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error:#}")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn carry_out(handle: &Handle, signed: &Signed) -> anyhow::Result<u64> {
    let id: CommandId = signed.id.parse().context("id")?;
    let actor = Actor::Operator(Text::new(&signed.name).context("name")?);
    let command = to_command(handle, &signed.order)?;
    Ok(handle.submit(Submission { id, actor, command })?.seq)
}

fn to_command(handle: &Handle, order: &Order) -> anyhow::Result<Command> {
    let account_of = |number: &str| -> anyhow::Result<money::AccountId> {
        let number = AccountNumber::new(number)?;
        let account = handle.read(|bank| bank.payments().account_by_number(&number))?;
        account.with_context(|| format!("no account has the number {number}"))
    };
    Ok(match order {
        Order::Grade { phone, grade } => {
            let phone = Phone::new(phone)?;
            let customer = handle.read(|bank| bank.identity().customer_by_phone(&phone))?;
            let customer = customer.context("no customer has this telephone number")?;
            Command::Identity(identity::Command::SetGrade { customer, grade: grade_of(grade)? })
        }
        Order::ReturnDeposit { payment, code } => Command::Payments(payments::Command::ReturnDeposit {
            payment: payment.parse::<PaymentId>()?,
            code: Text::new(code)?,
        }),
        Order::CreditDeposit { payment, account } => Command::Payments(payments::Command::CreditDeposit {
            payment: payment.parse::<PaymentId>()?,
            account: account_of(account)?,
        }),
        Order::Conclude { payment, outcome } => Command::Payments(payments::Command::Conclude {
            payment: payment.parse::<PaymentId>()?,
            answer: outcome_of(outcome)?,
        }),
        Order::ResolveCase { case, resolution } => Command::Settlement(settlement::Command::ResolveCase {
            case: case.parse::<CaseId>()?,
            resolution: Text::new(resolution)?,
        }),
        Order::CloseAccount { account } => {
            Command::Ledger(ledger::Command::CloseAccount { id: account_of(account)? })
        }
        Order::Seal { date } => {
            let (through, mark) = day_closed(handle, date.parse().context("date")?);
            Command::Ledger(ledger::Command::Seal { through, mark })
        }
        Order::SetLimits(terms) => Command::Identity(identity::Command::SetLimits(limit_row(terms)?)),
        Order::Market { order } => markets::command(handle, order)?,
        Order::SetRail(terms) => Command::Payments(payments::Command::SetRail(rail_row(terms)?)),
    })
}

/// When a day ends by the bank's own clock, and the journal as far as it is durable now: what a seal says.
pub(crate) fn day_closed(handle: &Handle, date: Date) -> (Timestamp, JournalMark) {
    let offset = handle.peek(|bank| bank.payments().profile().map_or(0, |p| p.utc_offset_minutes));
    let head = handle.status().durable;
    let mark = JournalMark { seq: head.seq, hash: *head.hash.as_bytes() };
    (date.plus_days(1).midnight_at(offset), mark)
}

/// An id that no command has.
pub(crate) fn fresh_id() -> anyhow::Result<CommandId> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(CommandId::new(u128::from_be_bytes(random)))
}

/// `round=2026-11-24/3` and `settled=2026-11-24` confirm, a reject code rejects.
fn outcome_of(text: &str) -> anyhow::Result<Answer> {
    if let Some(settlement) = rails::settlement_in(text) {
        return Ok(Answer::Confirmed(settlement));
    }
    let code = cnaps::RejectCode::from_code(text);
    let code = code.with_context(|| format!("{text:?} is neither a settlement nor a reject code"))?;
    Ok(Answer::Rejected { code: Text::clip(code.code()) })
}

fn grade_of(name: &str) -> anyhow::Result<Grade> {
    match name {
        "basic" => Ok(Grade::Basic),
        "verified" => Ok(Grade::Verified),
        "full" => Ok(Grade::Full),
        other => bail!("{other:?} is not basic, verified or full"),
    }
}

fn yuan(name: &str, text: &str) -> anyhow::Result<Amount> {
    Amount::parse(Asset::CNY, text).with_context(|| name.to_owned())
}

fn limit_row(terms: &LimitTerms) -> anyhow::Result<LimitRow> {
    let optional = |name: &str, text: &Option<String>| text.as_ref().map(|text| yuan(name, text)).transpose();
    Ok(LimitRow {
        grade: grade_of(&terms.grade)?,
        asset: Asset::CNY,
        from: terms.from.parse().context("from")?,
        limits: Limits {
            small_amount: yuan("small_amount", &terms.small_amount)?,
            undo_from: yuan("undo_from", &terms.undo_from)?,
            undo_ms: terms.undo_seconds.saturating_mul(1000),
            single: optional("single", &terms.single)?,
            day: optional("day", &terms.day)?,
            month: optional("month", &terms.month)?,
            year: optional("year", &terms.year)?,
        },
    })
}

fn rail_row(terms: &RailTerms) -> anyhow::Result<RailRow> {
    let rail = Rail::from_name(&terms.rail).filter(|rail| *rail != Rail::Internal);
    Ok(RailRow {
        rail: rail.with_context(|| format!("{:?} is not instant or high_value", terms.rail))?,
        asset: Asset::CNY,
        from: terms.from.parse().context("from")?,
        ceiling: terms.ceiling.as_ref().map(|text| yuan("ceiling", text)).transpose()?,
        fee: FeeRule {
            free_up_to: yuan("free_up_to", &terms.free_up_to)?,
            rate: Bps::new(terms.rate_bps),
            at_least: yuan("fee_at_least", &terms.fee_at_least)?,
            at_most: yuan("fee_at_most", &terms.fee_at_most)?,
        },
        answer_ms: terms.answer_seconds.saturating_mul(1000),
        usual_ms: terms.usual_seconds.saturating_mul(1000),
    })
}

/// Cases that nobody has closed, oldest first.
#[must_use]
pub fn open_cases(bank: &Bank) -> Vec<ShownCase> {
    let shown = bank.settlement().open_cases().map(|(id, case)| {
        let round = |key: &settlement::RoundKey| format!("round {} of {} {}", key.round, key.rail, key.date);
        let (kind, subject) = match &case.new.kind {
            CaseKind::UnmatchedDeposit(payment) => ("unmatched deposit", payment.to_string()),
            CaseKind::NoAnswer(payment) => ("no answer", payment.to_string()),
            CaseKind::AnswerConflict(payment) => ("confirmed after it was given back", payment.to_string()),
            CaseKind::TakenBackShort(payment) => ("taken back, money gone", payment.to_string()),
            CaseKind::RoundBreak(key) => ("round settled at another net", round(key)),
            CaseKind::TotalsBreak(key) => ("totals of the day differ", round(key)),
        };
        ShownCase {
            id: id.to_string(),
            kind: kind.to_owned(),
            subject,
            amount: case.new.amount.to_string(),
            opened_at: case.opened_at.to_string(),
        }
    });
    shown.collect()
}

/// Days that were compared with the centre's totals, in the order they were compared.
#[must_use]
pub fn compared_days(bank: &Bank) -> Vec<ShownDay> {
    let mut days: Vec<_> = bank.settlement().days().collect();
    days.sort_by_key(|(_, _, result)| result.at);
    let shown = days.into_iter().map(|(rail, date, result)| ShownDay {
        rail: rail.to_string(),
        date: date.to_string(),
        rounds: result.rounds,
        breaks: result.breaks.len(),
    });
    shown.collect()
}

/// An operator's way to a running bank.
#[derive(Debug)]
pub struct Operator {
    base: String,
    token: String,
    name: String,
}

impl Operator {
    /// An operator with the token of a data folder.
    ///
    /// # Errors
    /// The token cannot be read.
    pub fn new(installation: &Installation, address: SocketAddr, name: &str) -> anyhow::Result<Self> {
        let token = hex::encode(installation.key(Key::Operator)?);
        Ok(Self { base: format!("http://{address}"), token, name: name.to_owned() })
    }

    /// Open cases.
    ///
    /// # Errors
    /// The bank cannot be reached.
    pub fn cases(&self) -> anyhow::Result<Vec<ShownCase>> {
        self.get("cases")
    }

    /// Days that were compared with the centre's totals, oldest first.
    ///
    /// # Errors
    /// The bank cannot be reached.
    pub fn days(&self) -> anyhow::Result<Vec<ShownDay>> {
        self.get("days")
    }

    /// All markets.
    ///
    /// # Errors
    /// The bank cannot be reached.
    pub fn markets(&self) -> anyhow::Result<Vec<markets::ShownMarket>> {
        self.get::<markets::ShownMarkets>("markets").map(|shown| shown.markets)
    }

    /// What waits for a second person.
    ///
    /// # Errors
    /// The bank cannot be reached.
    pub fn proposals(&self) -> anyhow::Result<Vec<markets::ShownProposal>> {
        self.get::<markets::ShownProposals>("proposals").map(|shown| shown.proposals)
    }

    /// What rests and waits in a market, so many prices of each side.
    ///
    /// # Errors
    /// The bank cannot be reached.
    pub fn book(&self, market: u32, levels: usize) -> anyhow::Result<markets::ShownBook> {
        self.get(&format!("markets/{market}/book?levels={levels}"))
    }

    /// Patterns that people look at in a market.
    ///
    /// # Errors
    /// The bank cannot be reached, or has no such market.
    pub fn surveillance(&self, market: u32) -> anyhow::Result<Vec<surveillance::Hint>> {
        self.get::<markets::ShownHints>(&format!("surveillance?market={market}")).map(|shown| shown.hints)
    }

    fn get<T: serde::de::DeserializeOwned>(&self, what: &str) -> anyhow::Result<T> {
        let request = ureq::get(format!("{}/{what}", self.base));
        let mut response = request.header("authorization", format!("Bearer {}", self.token)).call()?;
        Ok(response.body_mut().read_json()?)
    }

    /// Gives an order and answers with its journal number.
    ///
    /// # Errors
    /// The bank cannot be reached, or refuses, in its words.
    pub fn order(&self, order: Order) -> anyhow::Result<u64> {
        let id = fresh_id()?.to_string();
        let signed = Signed { name: self.name.clone(), id, order };
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent
            .post(format!("{}/orders", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .send_json(&signed)?;
        if response.status() != 200 {
            bail!("{}", response.body_mut().read_to_string()?);
        }
        let done: serde_json::Value = response.body_mut().read_json()?;
        done.get("seq").and_then(serde_json::Value::as_u64).context("the answer has no sequence number")
    }
}

/// Does what the command line says.
///
/// # Errors
/// The bank cannot be reached or refuses.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let installation = Installation::open(&arguments.data)?;
    let operator = Operator::new(&installation, arguments.address, &arguments.name)?;
    let order = match &arguments.act {
        Act::Cases => {
            let cases = operator.cases()?;
            for case in &cases {
                println!(
                    "{}  {}  {}  {}  since {}",
                    case.id, case.kind, case.subject, case.amount, case.opened_at
                );
            }
            println!("{} open cases", cases.len());
            return Ok(());
        }
        Act::Days => {
            for day in operator.days()? {
                println!("{}  {}  {} rounds, {} breaks", day.rail, day.date, day.rounds, day.breaks);
            }
            return Ok(());
        }
        Act::Grade { phone, grade } => Order::Grade { phone: phone.clone(), grade: grade.clone() },
        Act::Return { payment, code } => {
            Order::ReturnDeposit { payment: payment.clone(), code: code.clone() }
        }
        Act::Credit { payment, account } => {
            Order::CreditDeposit { payment: payment.clone(), account: account.clone() }
        }
        Act::Conclude { payment, outcome } => {
            Order::Conclude { payment: payment.clone(), outcome: outcome.clone() }
        }
        Act::Resolve { case, resolution } => {
            Order::ResolveCase { case: case.clone(), resolution: resolution.clone() }
        }
        Act::CloseAccount { account } => Order::CloseAccount { account: account.clone() },
        Act::Seal { date } => Order::Seal { date: date.clone() },
        Act::Market { act } => match markets::run(&operator, act)? {
            Some(order) => order,
            None => return Ok(()),
        },
        Act::Terms { file } => {
            let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
            let orders: Vec<Order> =
                serde_json::from_str(&text).with_context(|| format!("read {}", file.display()))?;
            for (number, order) in (1..).zip(orders) {
                let seq = operator.order(order).with_context(|| format!("order {number}"))?;
                println!("order {number}: done, journal entry {seq}");
            }
            return Ok(());
        }
    };
    println!("done, journal entry {}", operator.order(order)?);
    Ok(())
}
