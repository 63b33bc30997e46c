//! A customer's order by HTTP, one after another on an idle bank: from the request to the answer, which means that the order is on disk.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use node::{Clock as _, SystemClock};
use serde_json::json;

use super::case::{Case, histogram};
use crate::client::{field, text};
use crate::config::{BankConfig, Installation, ListedBank};
use crate::demo;
use crate::process::{Process, Scratch, free_port, loopback};

/// The market of the demo, a price within its band, and the least quantity.
const MARKET: &str = "/markets/1/orders";
const PRICE: &str = "500000";
const QUANTITY: &str = "0.001";
/// Between two orders: the bank is idle.
const PAUSE: Duration = Duration::from_millis(2);
const SEED: [u8; 32] = [5; 32];

pub(super) fn idle(count: u64) -> anyhow::Result<Case> {
    let scratch = Scratch::new(None, "bench-orders")?;
    let (wallet, rails, operator) = (free_port()?, free_port()?, free_port()?);
    let listed = |number: &str, name: &str| ListedBank {
        number: number.to_owned(),
        name_zh: name.to_owned(),
        name_en: name.to_owned(),
    };
    let banks = vec![listed("102100000099", "Jiangnan"), listed("103100000026", "Haihe")];
    let config = BankConfig { banks, ..BankConfig::local(wallet) };
    let installation = Installation::create(&scratch.path().join("bank"), config)?;
    demo::give_history(&installation, &SEED, SystemClock.now())?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve").arg("--data").arg(&installation.folder);
    command.args(["--listen", &loopback(wallet).to_string()]);
    command.args(["--rails-listen", &loopback(rails).to_string()]);
    command.args(["--operator-listen", &loopback(operator).to_string()]);
    command.arg("--generous-rates");
    let _bank = Process::start("the bank", &mut command, loopback(wallet))?;
    let mut customer = demo::first_customer(&installation, &SEED, &format!("http://{}", loopback(wallet)))?;
    customer.post("/accounts", &json!({ "asset": "BTC" }))?;
    let order = json!({ "side": "buy", "type": "limit", "price": PRICE, "quantity": QUANTITY });
    let mut latencies = histogram()?;
    let mut elapsed = Duration::ZERO;
    for number in 0..count.saturating_add(20) {
        let start = Instant::now();
        let placed = customer.post(MARKET, &order)?;
        let took = start.elapsed();
        // The first ones find the way.
        if number >= 20 {
            latencies.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX))?;
            elapsed = elapsed.saturating_add(took);
        }
        let id = text(field(&placed, "order")?, "id").context("an order has an id")?;
        customer.post(&format!("{MARKET}/{id}/reduce"), &json!({ "by": QUANTITY }))?;
        std::thread::sleep(PAUSE);
    }
    let (runs, more) = (vec![elapsed], vec![("market", json!(MARKET))]);
    Ok(Case { name: "order by HTTP, idle", items: count, runs, latencies: Some(latencies), more })
}
