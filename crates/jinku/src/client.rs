//! A customer with a software authenticator, over HTTP: for the demo and the benchmarks.
//!
//! It does what the wallet in a browser does, through the same interface. Its keys follow from a seed, so it must never be a real customer.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use passkey::software::{Profile, SoftwareAuthenticator};
use serde_json::{Value, json};

/// What asks another server: it follows nobody elsewhere, waits no longer than `patience`, and leaves the reading of a status to the caller.
pub(crate) fn agent(patience: std::time::Duration) -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(patience));
    config.max_redirects(0).build().into()
}

/// Longest wait for something that the bank does by itself.
const PATIENCE: Duration = Duration::from_secs(15);

/// A customer at a wallet.
pub struct Customer {
    base: String,
    origin: String,
    agent: ureq::Agent,
    authenticator: SoftwareAuthenticator,
    /// Full name.
    pub name: String,
    /// Account id.
    pub account: String,
    /// Account number.
    pub number: String,
    keys: u64,
    key_prefix: String,
}

impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Customer")
            .field("name", &self.name)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// What the bank answers when it says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: String,
    /// Words.
    pub detail: String,
}

/// Who is to be paid.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    /// Name of the account's holder.
    pub name: &'a str,
    /// Account number.
    pub account: &'a str,
    /// Clearing number of the bank.
    pub bank: &'a str,
}

impl Customer {
    /// A customer who is not yet one; `seed` makes their keys.
    #[must_use]
    pub fn new(base: &str, origin: &str, name: &str, seed: [u8; 32]) -> Self {
        let authenticator = SoftwareAuthenticator::new(seed, origin.to_owned(), Profile::default());
        let key_prefix = seed.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Self::build(base, origin, name, authenticator, key_prefix)
    }

    /// A customer whose authenticator exists.
    ///
    /// # Errors
    /// The system gives no randomness for idempotency keys.
    pub fn with_authenticator(
        base: &str,
        origin: &str,
        name: &str,
        authenticator: SoftwareAuthenticator,
    ) -> anyhow::Result<Self> {
        let mut random = [0; 12];
        getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        Ok(Self::build(base, origin, name, authenticator, hex::encode(random)))
    }

    fn build(
        base: &str,
        origin: &str,
        name: &str,
        authenticator: SoftwareAuthenticator,
        key_prefix: String,
    ) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Self {
            base: base.to_owned(),
            origin: origin.to_owned(),
            agent,
            authenticator,
            name: name.to_owned(),
            account: String::new(),
            number: String::new(),
            keys: 0,
            key_prefix,
        }
    }

    /// Signs up with a passkey.
    ///
    /// # Errors
    /// The bank refuses or cannot be reached.
    pub fn enrol(&mut self, phone: &str, locale: &str) -> anyhow::Result<()> {
        let asked = json!({ "display_name": self.name, "phone": phone, "locale": locale });
        let begun = self.post("/enrolments", &asked)?;
        let credential = self.authenticator.create(field(&begun, "creation_options")?)?;
        let id = text(&begun, "enrolment_id")?;
        let finish = json!({ "credential": credential, "device_name": "demo" });
        let me = self.post(&format!("/enrolments/{id}/finish"), &finish)?;
        self.know(&me)
    }

    /// Signs in with the passkey.
    ///
    /// # Errors
    /// The bank refuses or cannot be reached.
    pub fn sign_in(&mut self) -> anyhow::Result<()> {
        let begun = self.post("/sessions/passkey", &json!({}))?;
        let credential = self.authenticator.get(field(&begun, "request_options")?)?;
        let id = text(&begun, "ceremony_id")?;
        let finish = json!({ "credential": credential, "device_name": "demo" });
        let me = self.post(&format!("/sessions/passkey/{id}/finish"), &finish)?;
        self.know(&me)
    }

    fn know(&mut self, me: &Value) -> anyhow::Result<()> {
        let account = me.pointer("/accounts/0").context("the customer has no account")?;
        self.account = text(account, "id")?;
        self.number = text(account, "number")?;
        Ok(())
    }

    /// The account's figures: posted, held and available, as decimal text.
    ///
    /// # Errors
    /// The bank cannot be reached.
    pub fn balances(&self) -> anyhow::Result<(String, String, String)> {
        let accounts = self.get("/accounts")?;
        let figure = |name: &str| -> anyhow::Result<String> {
            let found = accounts.pointer(&format!("/items/0/{name}/value")).and_then(Value::as_str);
            Ok(found.with_context(|| format!("no {name} balance"))?.to_owned())
        };
        Ok((figure("posted")?, figure("held")?, figure("available")?))
    }

    /// Waits until the available balance is this.
    ///
    /// # Errors
    /// It is not in time.
    pub fn until_available(&self, value: &str) -> anyhow::Result<()> {
        self.until(&format!("available {value}"), || Ok(self.balances()?.2 == value))
    }

    /// What a payment would be: intent, challenge, fee, way.
    ///
    /// # Errors
    /// The bank refuses or cannot be reached.
    pub fn preview(&mut self, to: To<'_>, amount: &str, note: &str) -> anyhow::Result<Value> {
        let asked = json!({
            "from_account": self.account,
            "payee": { "name": to.name, "account_number": to.account, "bank_code": to.bank },
            "amount": { "asset": "CNY", "value": amount },
            "note": note,
        });
        self.post("/payments/preview", &asked)
    }

    /// Pays: preview, signature where one is needed, submission. Answers with the payment.
    ///
    /// # Errors
    /// The bank refuses or cannot be reached.
    pub fn pay(&mut self, to: To<'_>, amount: &str, note: &str) -> anyhow::Result<Value> {
        let preview = self.preview(to, amount, note)?;
        self.submit(&preview)
    }

    /// Signs and submits a previewed payment.
    ///
    /// # Errors
    /// The bank refuses or cannot be reached.
    pub fn submit(&mut self, preview: &Value) -> anyhow::Result<Value> {
        let signed = preview.get("request_options").filter(|options| !options.is_null());
        let assertion = signed.map(|options| self.authenticator.get(options)).transpose()?;
        let request = json!({ "intent": field(preview, "intent")?, "assertion": assertion });
        self.post("/payments", &request)
    }

    /// Undoes a payment.
    ///
    /// # Errors
    /// The bank refuses or cannot be reached.
    pub fn cancel(&mut self, payment: &str) -> anyhow::Result<Value> {
        self.post(&format!("/payments/{payment}/cancel"), &json!({}))
    }

    /// Waits until a payment is in one of these states; answers with it.
    ///
    /// # Errors
    /// It is not in time.
    pub fn until_state(&self, payment: &str, states: &[&str]) -> anyhow::Result<Value> {
        let path = format!("/payments/{payment}");
        let is_there = |payment: &Value| {
            payment.get("state").and_then(Value::as_str).is_some_and(|state| states.contains(&state))
        };
        self.until(&format!("payment {payment} in state {states:?}"), || Ok(is_there(&self.get(&path)?)))?;
        self.get(&path)
    }

    fn until(&self, what: &str, mut holds: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if holds()? {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{}: {what} did not come within {PATIENCE:?}", self.name)
    }

    /// All movements, newest first.
    ///
    /// # Errors
    /// The bank cannot be reached.
    pub fn movements(&self) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let more = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page = self.get(&format!("/movements?limit=100{more}"))?;
            all.extend(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
            cursor = page.get("next_cursor").and_then(Value::as_str).map(ToOwned::to_owned);
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// The receipt file of a movement, once it is ready.
    ///
    /// # Errors
    /// It is not in time.
    pub fn receipt(&self, movement: &str) -> anyhow::Result<Vec<u8>> {
        let path = format!("{}/api/v1/receipts/{movement}", self.base);
        let mut file = Vec::new();
        self.until(&format!("receipt of {movement}"), || {
            let mut response = self.agent.get(&path).call()?;
            if response.status() == 200 {
                file = response.body_mut().read_to_vec()?;
            }
            Ok(!file.is_empty())
        })?;
        Ok(file)
    }

    /// Reads.
    ///
    /// # Errors
    /// The bank refuses or cannot be reached.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let response = self.agent.get(format!("{}/api/v1{path}", self.base)).call()?;
        answer(path, response)?
            .map_err(|problem| anyhow::anyhow!("{path}: {} {}", problem.code, problem.detail))
    }

    /// Writes, with a new idempotency key.
    ///
    /// # Errors
    /// The bank refuses or cannot be reached.
    pub fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let key = self.next_key();
        self.post_with(path, &key, body)?
            .map_err(|problem| anyhow::anyhow!("{path}: {} {}", problem.code, problem.detail))
    }

    /// An idempotency key that was not used before.
    pub fn next_key(&mut self) -> String {
        self.keys = self.keys.saturating_add(1);
        format!("{}-{:08}", self.key_prefix, self.keys)
    }

    /// Writes with this idempotency key; a refusal is an answer.
    ///
    /// # Errors
    /// The bank cannot be reached.
    pub fn post_with(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<Result<Value, Problem>> {
        let request = self
            .agent
            .post(format!("{}/api/v1{path}", self.base))
            .header("origin", &self.origin)
            .header("idempotency-key", key);
        answer(path, request.send_json(body)?)
    }

    /// Signs the options of a ceremony with the newest fitting passkey.
    ///
    /// # Errors
    /// No passkey fits.
    pub fn sign(&mut self, options: &Value) -> anyhow::Result<Value> {
        Ok(self.authenticator.get(options)?)
    }

    /// The cookies of the session, as the bank set them.
    #[must_use]
    pub fn cookies(&self) -> Vec<String> {
        let jar = self.agent.cookie_jar_lock();
        jar.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect()
    }
}

fn answer(
    path: &str,
    mut response: ureq::http::Response<ureq::Body>,
) -> anyhow::Result<Result<Value, Problem>> {
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_string()?;
    let value: Value = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&body).with_context(|| format!("{path} answered {status}: {body}"))?
    };
    if status < 400 {
        return Ok(Ok(value));
    }
    let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    ensure!(!word("code").is_empty(), "{path} answered {status} without a reason: {value}");
    Ok(Err(Problem { status, code: word("code"), detail: word("detail") }))
}

/// A field that must be there.
///
/// # Errors
/// It is not.
pub fn field<'v>(value: &'v Value, name: &str) -> anyhow::Result<&'v Value> {
    value.get(name).with_context(|| format!("{name} is missing in {value}"))
}

/// A text that must be there.
///
/// # Errors
/// It is not.
pub fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    let found = field(value, name)?.as_str();
    Ok(found.with_context(|| format!("{name} is no text in {value}"))?.to_owned())
}
