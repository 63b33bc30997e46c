//! The books' interface: rows in and out, tenants apart from each other, balances as of a time, pages, monitors, sealed days.

mod archives;
mod monitors;
mod reads;
mod releases;
mod rows;
mod tenants;

use std::process::Command;

use jinku::config::{BankConfig, Installation, Key};
use jinku::opening;
use jinku::process::{Process, Scratch, free_port, loopback};
use jinku::tenants as tokens;
use money::{AccountId, CommandId, EntryId, HoldId, MonitorId};
use serde_json::Value;

/// A bank whose books are served, with the tokens of two tenants.
struct Served {
    scratch: Scratch,
    installation: Installation,
    process: Option<Process>,
    books: String,
    bulk: std::net::SocketAddr,
    operator: u16,
}

/// An answer: status and body.
struct Said {
    status: u16,
    text: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The lines of an answer to rows; the last is the sum.
    fn lines(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.json()["code"].as_str().unwrap()), (status, code), "{}", self.text);
        self.json()["detail"].as_str().unwrap().to_owned()
    }
}

fn acc(number: u128) -> String {
    AccountId::new((1 << 84) | number).to_string()
}

fn ent(number: u128) -> String {
    EntryId::new((1 << 90) | number).to_string()
}

fn hld(number: u128) -> String {
    HoldId::new((1 << 90) | number).to_string()
}

fn mon(number: u128) -> String {
    MonitorId::new(number).to_string()
}

fn cmd(number: u128) -> String {
    CommandId::new((1 << 85) | (number << 32)).to_string()
}

impl Served {
    fn new(name: &str) -> Self {
        Self::configured(name, BankConfig::local(7460))
    }

    fn configured(name: &str, config: BankConfig) -> Self {
        let scratch = Scratch::new(None, name).unwrap();
        let installation = Installation::create(&scratch.path().join("bank"), config).unwrap();
        for number in [7, 8] {
            tokens::add(&installation, number).unwrap();
        }
        let mut served = Self {
            scratch,
            installation,
            process: None,
            books: String::new(),
            bulk: loopback(0),
            operator: 0,
        };
        served.start();
        served
    }

    /// Starts the bank, again if it was stopped.
    fn start(&mut self) {
        let ports: Vec<u16> = (0..5).map(|_| free_port().unwrap()).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_jinku"));
        command.arg("serve").arg("--data").arg(&self.installation.folder);
        let names = ["--listen", "--rails-listen", "--operator-listen", "--bulk-listen", "--books-listen"];
        for (name, port) in names.iter().zip(&ports) {
            command.args([*name, &loopback(*port).to_string()]);
        }
        // The books are served last, so that everything else is there, too.
        self.process = Some(Process::start("the bank", &mut command, loopback(ports[4])).unwrap());
        self.operator = ports[2];
        self.bulk = loopback(ports[3]);
        self.books = format!("http://{}", loopback(ports[4]));
    }

    fn stop(&mut self) {
        self.process = None;
    }

    /// Waits until the read models have everything.
    fn caught_up(&self) {
        let folder = &self.installation.folder;
        let head = journal::verify(&folder.join("journal")).unwrap().head.seq;
        let begun = std::time::Instant::now();
        while projections::standing(folder).unwrap().is_none_or(|seq| seq < head) {
            assert!(begun.elapsed().as_secs() < 60, "the read models do not come to record {head}");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    fn token(&self, tenant: u32) -> String {
        match tenant {
            0 => hex::encode(self.installation.key(Key::Operator).unwrap()),
            number => {
                let file = self.installation.folder.join(format!("keys/tenant-{number}.token"));
                std::fs::read_to_string(file).unwrap().trim().to_owned()
            }
        }
    }

    fn request(&self, method: &str, path: &str, token: &str, body: &str) -> Said {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(std::time::Duration::from_secs(30)))
            .build()
            .into();
        let url = format!("{}{path}", self.books);
        let bearer = format!("Bearer {token}");
        let answer = match method {
            "GET" => agent.get(&url).header("authorization", &bearer).call(),
            "DELETE" => agent.delete(&url).header("authorization", &bearer).call(),
            _ => agent.post(&url).header("authorization", &bearer).send(body),
        };
        let mut answer = answer.unwrap();
        Said { status: answer.status().as_u16(), text: answer.body_mut().read_to_string().unwrap() }
    }

    fn get(&self, tenant: u32, path: &str) -> Said {
        self.request("GET", path, &self.token(tenant), "")
    }

    fn post(&self, tenant: u32, path: &str, body: &str) -> Said {
        self.request("POST", path, &self.token(tenant), body)
    }

    fn delete(&self, tenant: u32, path: &str) -> Said {
        self.request("DELETE", path, &self.token(tenant), "")
    }

    fn rows(&self, tenant: u32, id: u128, lines: &[String]) -> Said {
        self.post(tenant, &format!("/rows?id={}", cmd(id)), &lines.join("\n"))
    }

    /// Hands in rows that all have to be taken.
    fn take(&self, tenant: u32, id: u128, lines: &[String]) {
        let said = self.rows(tenant, id, lines).lines();
        let sum = said.last().unwrap();
        let refused = said.iter().find(|line| line["result"] == "refused");
        assert_eq!(sum["refused"], 0, "{sum}, the first: {refused:?}");
    }

    /// Opens accounts 1 and 2 for tenant 7 and 3 for tenant 8, with 100.00 and 0.00 and 50.00.
    fn furnish(&self) {
        let reserve = opening::books().reserve.to_string();
        let fund = |number: u128, to: u128, amount: &str| {
            format!(
                r#"{{"row":"transfer","id":"{}","debit":"{reserve}","credit":"{}","asset":"CNY","amount":"{amount}","memo":"funds","reference":"5"}}"#,
                ent(number),
                acc(to)
            )
        };
        let rows =
            [open_for(1, 7), open_for(2, 7), open_for(3, 8), fund(1, 1, "100.00"), fund(2, 3, "50.00")];
        self.take(0, 1, &rows);
    }

    fn available(&self, account: u128) -> String {
        self.get(0, &format!("/accounts/{}", acc(account))).json()["balance"]["available"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn open_for(account: u128, tenant: u32) -> String {
    format!(
        r#"{{"row":"open","account":"{}","kind":"customer","asset":"CNY","tenant":{tenant},"opened_at":"2026-01-01T00:00:00Z"}}"#,
        acc(account)
    )
}

fn pay(entry: u128, from: u128, to: u128, amount: &str) -> String {
    format!(
        r#"{{"row":"transfer","id":"{}","debit":"{}","credit":"{}","asset":"CNY","amount":"{amount}"}}"#,
        ent(entry),
        acc(from),
        acc(to)
    )
}

/// The row with a field more.
fn with(row: &str, field: &str) -> String {
    format!("{},{field}}}", row.strip_suffix('}').unwrap())
}
