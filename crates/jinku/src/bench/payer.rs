//! The clients of the API's benchmark: requests made beforehand, and connections that send them one after another.
//!
//! A request is what a wallet sends: HTTP/1.1 with the session's cookies, an idempotency key and a JSON body, on a connection that stays
//! open. Every answer is read whole, and counts only when it says that this very payment is settled. All connections share one thread, so
//! that the client costs little beside the bank on the same processors. Signatures and bodies are made before the timed part, since a
//! phone makes its own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hdrhistogram::Histogram;
use money::PaymentId;
use payments::{AccountNumber, BankNumber, Counterparty, Intent, Note, PartyName, Rail};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::report::{histogram, micros};
use crate::client::{Customer, To, field, text};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer: ours are a twentieth of it.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Most headers of an answer: ours have a third of them.
const HEADERS_MAX: usize = 40;
/// Where the time stands in an id that a client makes, as in ULID.
const TIME_BITS_AT: u32 = 80;

/// A request as it goes over the wire, and the payment it makes.
#[derive(Debug)]
struct Request {
    bytes: Vec<u8>,
    payment: String,
}

/// One customer's requests, in their order.
#[derive(Debug)]
pub(super) struct Payer {
    requests: Vec<Request>,
}

/// What every payment of a customer has in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan<'a> {
    /// Whom to pay.
    pub(super) to: To<'a>,
    /// How much, as decimal text.
    pub(super) amount: &'a str,
    /// How many times.
    pub(super) count: u64,
    /// The customer's number among all.
    pub(super) number: u64,
    /// When the first id is from, in milliseconds: ids of all customers grow together, as they would over the day.
    pub(super) first_ms: u64,
    /// Where the bank listens.
    pub(super) host: SocketAddr,
    /// The origin of the wallet's pages.
    pub(super) origin: &'a str,
}

impl Payer {
    /// Makes a customer's requests: one preview is the pattern, each payment has an id and a nonce of its own, and a signature of its
    /// own where the bank asks for one.
    ///
    /// # Errors
    /// The bank refuses the preview, or it is of another shape.
    pub(super) fn prepare(customer: &mut Customer, plan: &Plan<'_>) -> anyhow::Result<Self> {
        let preview = customer.preview(plan.to, plan.amount, "")?;
        let pattern = field(&preview, "intent")?;
        let options = preview.get("request_options").filter(|options| !options.is_null());
        let intent = read_intent(pattern)?;
        let cookies = customer.cookies().join("; ");
        let mut requests = Vec::new();
        for serial in 0..plan.count {
            let head = u128::from(plan.first_ms.saturating_add(serial)) << TIME_BITS_AT;
            let value = head | (u128::from(plan.number) << 40) | u128::from(serial);
            let nonce = Sha256::digest(value.to_be_bytes()).iter().take(16).copied().collect::<Vec<u8>>();
            let payment = PaymentId::new(value);
            let mut wire = pattern.clone();
            if let Some(object) = wire.as_object_mut() {
                object.insert("payment_id".to_owned(), json!(payment.to_string()));
                object.insert("nonce".to_owned(), json!(URL_SAFE_NO_PAD.encode(&nonce)));
            }
            let own = Intent { payment, nonce: nonce.into(), ..intent.clone() };
            let assertion = options.map(|options| sign(customer, options, &own)).transpose()?;
            let body = json!({ "intent": wire, "assertion": assertion }).to_string();
            let key = customer.next_key();
            let bytes = format!(
                "POST /api/v1/payments HTTP/1.1\r\nhost: {}\r\norigin: {}\r\ncookie: {cookies}\r\nidempotency-key: {key}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                plan.host,
                plan.origin,
                body.len(),
            );
            requests.push(Request { bytes: bytes.into_bytes(), payment: payment.to_string() });
        }
        Ok(Self { requests })
    }
}

/// The passkey's answer over an intent.
fn sign(customer: &mut Customer, options: &Value, intent: &Intent) -> anyhow::Result<Value> {
    let mut options = options.clone();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(intent.canonical().as_bytes()));
    if let Some(object) = options.as_object_mut() {
        object.insert("challenge".to_owned(), json!(challenge));
    }
    customer.sign(&options)
}

fn read_intent(wire: &Value) -> anyhow::Result<Intent> {
    let payee = field(wire, "payee")?;
    let amount = |name: &str| -> anyhow::Result<money::Amount> {
        let amount = field(wire, name)?;
        Ok(money::Amount::parse(text(amount, "asset")?.parse()?, &text(amount, "value")?)?)
    };
    let rail = Rail::from_name(&text(wire, "rail")?).context("a rail")?;
    let expires_at = api::wire::parse_instant(&text(wire, "expires_at")?).context("an instant")?;
    Ok(Intent {
        payment: text(wire, "payment_id")?.parse()?,
        from: text(wire, "from_account")?.parse()?,
        payee: Counterparty {
            name: PartyName::new(&text(payee, "name")?)?,
            account: AccountNumber::new(&text(payee, "account_number")?)?,
            bank: BankNumber::new(&text(payee, "bank_code")?)?,
        },
        amount: amount("amount")?,
        fee_cap: amount("fee_cap")?,
        rail,
        expires_at,
        nonce: URL_SAFE_NO_PAD.decode(text(wire, "nonce")?)?.into(),
        note: Note::new(&text(wire, "note")?)?,
    })
}

/// Sends everything, one request under way per customer; answers with the time from the first request to the last answer.
///
/// # Errors
/// The bank cannot be reached, or answers with anything but a settled payment.
pub(super) fn pay_all(host: SocketAddr, payers: Vec<Payer>) -> anyhow::Result<(Duration, Histogram<u64>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let mut connections = Vec::new();
        for payer in payers {
            let socket = TcpStream::connect(host).await?;
            socket.set_nodelay(true)?;
            connections.push((payer, Connection { socket, received: Vec::with_capacity(4096) }));
        }
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for (payer, mut connection) in connections {
            tasks.spawn(async move { connection.pay(&payer.requests).await });
        }
        let mut latencies = histogram()?;
        while let Some(done) = tasks.join_next().await {
            latencies.add(done??)?;
        }
        Ok((started.elapsed(), latencies))
    })
}

/// A connection that stays open.
struct Connection {
    socket: TcpStream,
    received: Vec<u8>,
}

/// What counts of an answer.
#[derive(Debug, Deserialize)]
struct Paid<'a> {
    id: &'a str,
    state: &'a str,
}

impl Connection {
    async fn pay(&mut self, requests: &[Request]) -> anyhow::Result<Histogram<u64>> {
        let mut latencies = histogram()?;
        for request in requests {
            let begun = Instant::now();
            self.socket.write_all(&request.bytes).await?;
            tokio::time::timeout(PATIENCE, self.answer(&request.payment)).await??;
            latencies.record(micros(begun.elapsed()).max(1))?;
        }
        Ok(latencies)
    }

    /// Reads one answer, which must be the whole of what has come.
    async fn answer(&mut self, payment: &str) -> anyhow::Result<()> {
        self.received.clear();
        loop {
            ensure!(self.socket.read_buf(&mut self.received).await? > 0, "the bank closed a connection");
            ensure!(self.received.len() <= ANSWER_BYTES_MAX, "an answer is too long");
            let Some(whole) = Whole::read(&self.received)? else { continue };
            let body = String::from_utf8_lossy(whole.body);
            if whole.status != 200 {
                bail!("a payment was answered with {}: {body}", whole.status);
            }
            let paid: Paid<'_> = serde_json::from_slice(whole.body).context("an answer")?;
            ensure!((paid.id, paid.state) == (payment, "settled"), "not settled: {body}");
            return Ok(());
        }
    }
}

/// An answer that has come whole.
struct Whole<'a> {
    status: u16,
    body: &'a [u8],
}

impl<'a> Whole<'a> {
    /// The answer in these bytes; none while more must come.
    fn read(bytes: &'a [u8]) -> anyhow::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut answer = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(start) = answer.parse(bytes)? else { return Ok(None) };
        let length = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length = length.context("an answer without a length")?.value;
        let length: usize = std::str::from_utf8(length)?.trim().parse()?;
        let status = answer.code.context("an answer without a status")?;
        let body = bytes.get(start..).unwrap_or_default();
        ensure!(body.len() <= length, "bytes follow an answer");
        Ok((body.len() == length).then_some(Self { status, body }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_when_it_is_whole() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";
        for end in 0..text.len() {
            assert!(Whole::read(text.as_bytes().get(..end).unwrap_or_default()).is_ok_and(|w| w.is_none()));
        }
        let whole = Whole::read(text.as_bytes()).ok().flatten();
        assert!(whole.is_some_and(|whole| (whole.status, whole.body) == (200, b"body".as_slice())));
        assert!(Whole::read(format!("{text}more").as_bytes()).is_err(), "an answer to nothing");
        assert!(Whole::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "without a length");
    }
}
