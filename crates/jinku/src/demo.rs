//! `jinku demo`: a believable bank with a sandbox around it, on loopback.

mod desk;
mod markets;
mod once;
mod people;
mod seed;
mod traders;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use money::Timestamp;
use node::{Clock, ManualClock, SystemClock};
use serde_json::{Value, json};

use crate::client::Customer;
use crate::config::{BankConfig, CentreConfig, Installation, ListedBank, PriceSourceConfig};
use crate::process::{Process, Scratch, beside, free_port, loopback};
use crate::serve;
use crate::worker::Worker;

/// How the demo runs.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run the main job without a screen, print an account of it, and end: exit code 0 only if every figure agrees.
    #[arg(long)]
    once: bool,
    /// Data folder; it is kept, and used again the next time. Without it (and with --once) the data goes when the demo ends.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder of the built wallet.
    #[arg(long, default_value = "web/wallet/dist")]
    wallet: PathBuf,
    /// Folder of the built console; without one the operators have the command line alone.
    #[arg(long, default_value = "web/console/dist")]
    console: PathBuf,
    /// Ports of the wallet and of the sandbox; the others follow the wallet's.
    #[arg(long, value_delimiter = ',', default_values_t = [7460, 7461])]
    ports: Vec<u16>,
}

/// Ports of everything the demo runs.
#[derive(Debug, Clone, Copy)]
struct Ports {
    wallet: u16,
    sandbox: u16,
    rails: u16,
    operator: u16,
    desk: u16,
    bulk: u16,
}

/// A running demo.
struct Running {
    installation: Installation,
    ports: Ports,
    traders: Option<Worker>,
    bank: Option<Process>,
    _sandbox: Process,
    seed: [u8; 32],
    arguments: Vec<String>,
    _scratch: Option<Scratch>,
}

/// Runs the demo.
///
/// # Errors
/// Something cannot be started.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let (folder, scratch) = match &arguments.data {
        Some(folder) => (folder.clone(), None),
        None => {
            let scratch = Scratch::new(None, "demo")?;
            (scratch.path().to_owned(), Some(scratch))
        }
    };
    let ports = ports(arguments)?;
    let running = start(arguments, &folder, ports, scratch)?;
    if arguments.once {
        return once::run(running, started);
    }
    show(&running, started);
    desk::serve(&running)?;
    Ok(ExitCode::SUCCESS)
}

/// Gives a new bank customers and a month of history that ends before `now`; everything follows from the seed and that time.
///
/// # Errors
/// The bank is not new, or its configuration names no two other banks.
pub fn give_history(installation: &Installation, seed: &[u8; 32], now: Timestamp) -> anyhow::Result<()> {
    let clock = Arc::new(ManualClock::new(now.minus_ms(32 * 86_400_000)));
    let node = serve::start_node(installation, Arc::clone(&clock) as Arc<dyn Clock>)?;
    seed::history(&node.handle(), &clock, &installation.config, seed, now)?;
    markets::open(&node.handle(), clock.now())
}

/// The first of the demo's customers, signed in, of a bank that [`give_history`] gave its past.
pub(crate) fn first_customer(
    installation: &Installation,
    seed: &[u8; 32],
    base: &str,
) -> anyhow::Result<Customer> {
    let person = people::PEOPLE.first().context("the demo has no people")?;
    let (authenticator, _) = seed::authenticator(person, seed, &installation.config)?;
    let origin = installation.config.origins.first().context("bank.json names no origin")?;
    let mut customer = Customer::with_authenticator(base, origin, person.name, authenticator)?;
    customer.sign_in()?;
    Ok(customer)
}

fn ports(arguments: &Arguments) -> anyhow::Result<Ports> {
    if arguments.once {
        return Ok(Ports {
            wallet: free_port()?,
            sandbox: free_port()?,
            rails: free_port()?,
            operator: free_port()?,
            desk: free_port()?,
            bulk: free_port()?,
        });
    }
    let [wallet, sandbox] = arguments.ports.as_slice() else { bail!("--ports is two ports: wallet,sandbox") };
    let after = |more: u16| wallet.checked_add(more).context("--ports: the wallet's port is too high");
    let ports = Ports {
        wallet: *wallet,
        sandbox: *sandbox,
        rails: after(2)?,
        operator: after(3)?,
        desk: after(4)?,
        bulk: after(5)?,
    };
    ensure!(
        ![ports.wallet, ports.rails, ports.operator, ports.desk, ports.bulk].contains(&ports.sandbox),
        "--ports: the sandbox cannot use port {}, the bank does",
        ports.sandbox
    );
    Ok(ports)
}

fn start(
    arguments: &Arguments,
    folder: &Path,
    ports: Ports,
    scratch: Option<Scratch>,
) -> anyhow::Result<Running> {
    let bank_folder = folder.join("bank");
    let sandbox_data = folder.join("sandbox");
    std::fs::create_dir_all(&sandbox_data)?;
    let is_new = !bank_folder.join("bank.json").exists();
    let mut installation = if is_new {
        Installation::create(&bank_folder, BankConfig::local(ports.wallet))?
    } else {
        Installation::open(&bank_folder)?
    };
    ensure!(
        installation.config.origins == [format!("http://localhost:{}", ports.wallet)],
        "the bank in {} was made for {}; passkeys are bound to that address, so use the same port",
        bank_folder.display(),
        installation.config.origins.join(", ")
    );
    let world = sandbox_config(&sandbox_data, &installation)?;
    meet(&mut installation, &world, ports)?;
    let seed = demo_seed(folder)?;
    if is_new {
        give_history(&installation, &seed, SystemClock.now())?;
    }
    let sandbox = start_sandbox(&sandbox_data, ports)?;
    let mut serve_arguments: Vec<String> = vec![
        "serve".to_owned(),
        "--data".to_owned(),
        bank_folder.display().to_string(),
        "--listen".to_owned(),
        loopback(ports.wallet).to_string(),
        "--rails-listen".to_owned(),
        loopback(ports.rails).to_string(),
        "--operator-listen".to_owned(),
        loopback(ports.operator).to_string(),
        "--bulk-listen".to_owned(),
        loopback(ports.bulk).to_string(),
        "--generous-rates".to_owned(),
    ];
    if serve::is_built(&arguments.wallet) {
        serve_arguments.extend(["--wallet".to_owned(), arguments.wallet.display().to_string()]);
    } else {
        ensure!(
            arguments.once,
            "the wallet is not built: `cargo xtask demo` builds it, or name its folder with --wallet"
        );
    }
    if serve::is_built(&arguments.console) {
        serve_arguments.extend(["--console".to_owned(), arguments.console.display().to_string()]);
    }
    let mut running = Running {
        installation,
        ports,
        traders: None,
        bank: None,
        _sandbox: sandbox,
        seed,
        arguments: serve_arguments,
        _scratch: scratch,
    };
    running.start_bank()?;
    if !arguments.once {
        let (bulk, sandbox) = (loopback(ports.bulk), loopback(ports.sandbox));
        running.traders = Some(traders::start(&running.installation, bulk, sandbox)?);
    }
    Ok(running)
}

impl Running {
    /// Starts the bank, or starts it again.
    fn start_bank(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(&self.arguments);
        self.bank = Some(Process::start("the bank", &mut command, loopback(self.ports.wallet))?);
        Ok(())
    }

    /// Where the wallet and the API are; passkeys belong to this name.
    fn origin(&self) -> String {
        format!("http://localhost:{}", self.ports.wallet)
    }

    /// Where a program on this machine reaches them.
    fn base(&self) -> String {
        format!("http://{}", loopback(self.ports.wallet))
    }

    /// Gives the sandbox an order.
    fn control(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("http://{}/control/{path}", loopback(self.ports.sandbox));
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.post(&url).send_json(body).with_context(|| format!("sandbox: {path}"))?;
        let text = response.body_mut().read_to_string()?;
        ensure!(response.status() == 200, "sandbox: {path}: {text}");
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }

    /// What the sandbox knows.
    fn world(&self) -> anyhow::Result<Value> {
        let url = format!("http://{}/control/state", loopback(self.ports.sandbox));
        Ok(ureq::get(&url).call()?.body_mut().read_json()?)
    }
}

/// The sandbox's configuration with our bank's key in it, written once and read by the sandbox itself.
fn sandbox_config(folder: &Path, installation: &Installation) -> anyhow::Result<Value> {
    let file = folder.join("sandbox.json");
    if let Ok(text) = std::fs::read_to_string(&file) {
        return Ok(serde_json::from_str(&text)?);
    }
    let key = serve::rail_public_key(installation)?;
    let output = Command::new(beside("sandbox")?)
        .args(["config", "--always-open", "--bank-key", &key])
        .output()
        .context("ask the sandbox for its configuration")?;
    ensure!(output.status.success(), "sandbox config: {}", String::from_utf8_lossy(&output.stderr));
    let config: Value = serde_json::from_slice(&output.stdout)?;
    std::fs::write(&file, serde_json::to_vec_pretty(&config)?)?;
    Ok(config)
}

/// Writes into the bank's configuration whom it talks to: the centre and the banks of the sandbox.
fn meet(installation: &mut Installation, world: &Value, ports: Ports) -> anyhow::Result<()> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(ToOwned::to_owned);
    let mut seed = [0; 32];
    let centre_seed = text(world.get("centre_seed")).context("sandbox config: centre_seed")?;
    hex::decode_to_slice(&centre_seed, &mut seed).context("sandbox config: centre_seed")?;
    let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
    let url = format!("http://{}", loopback(ports.sandbox));
    installation.config.centre = Some(CentreConfig {
        number: text(world.get("centre")).context("sandbox config: centre")?,
        public_key: hex::encode(public.to_bytes()),
        instant_url: url.clone(),
        high_value_url: url,
    });
    let banks = world.get("other_banks").and_then(Value::as_array).context("sandbox config: other_banks")?;
    installation.config.banks = banks
        .iter()
        .map(|bank| {
            Ok(ListedBank {
                number: text(bank.get("number")).context("sandbox config: number")?,
                name_zh: text(bank.get("name_zh")).context("sandbox config: name_zh")?,
                name_en: text(bank.get("name_en")).context("sandbox config: name_en")?,
            })
        })
        .collect::<anyhow::Result<_>>()?;
    let sources = world.pointer("/market/sources").and_then(Value::as_array).cloned();
    let sources = sources.unwrap_or_else(|| SOURCES.map(Value::from).to_vec());
    installation.config.price_sources = sources
        .iter()
        .filter_map(Value::as_str)
        .map(|name| PriceSourceConfig {
            name: name.to_owned(),
            url: format!("ws://{}/market/{name}", loopback(ports.sandbox)),
        })
        .collect();
    installation.save()
}

/// The sandbox's sources of prices, where its configuration says nothing else.
const SOURCES: [&str; 3] = ["sandbox-a", "sandbox-b", "sandbox-c"];

/// The demo people's authenticators follow from this; it is the demo's own and of no use elsewhere.
fn demo_seed(folder: &Path) -> anyhow::Result<[u8; 32]> {
    let file = folder.join("people.seed");
    let mut seed = [0; 32];
    if let Ok(text) = std::fs::read_to_string(&file) {
        hex::decode_to_slice(text.trim(), &mut seed).context("people.seed")?;
        return Ok(seed);
    }
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    std::fs::write(&file, hex::encode(seed))?;
    Ok(seed)
}

fn start_sandbox(data: &Path, ports: Ports) -> anyhow::Result<Process> {
    let mut command = Command::new(beside("sandbox")?);
    command.arg("serve").args(["--listen", &loopback(ports.sandbox).to_string()]);
    if std::env::var_os("RUST_LOG").is_none() {
        command.env("RUST_LOG", "warn");
    }
    command.args(["--bank-url", &format!("http://{}", loopback(ports.rails))]);
    command.arg("--data").arg(data).arg("--config").arg(data.join("sandbox.json"));
    Process::start("the sandbox", &mut command, loopback(ports.sandbox))
}

fn show(running: &Running, started: Instant) {
    let (origin, ports) = (running.origin(), running.ports);
    let desk = format!("http://localhost:{}", ports.desk);
    println!(
        "Jinku is running (ready in {} ms). Everything is on this machine alone.",
        started.elapsed().as_millis()
    );
    println!();
    println!("  wallet          {origin}");
    println!("  demo desk       {desk}   sign in as a demo customer, send money from another bank");
    println!(
        "  sandbox         http://localhost:{}   clearing centre, two other banks, a market of prices",
        ports.sandbox
    );
    println!(
        "  console         http://localhost:{}/console/   markets, by the operator's token in {}",
        ports.operator,
        running.installation.folder.join("keys/operator.token").display()
    );
    println!("  data            {}", running.installation.folder.display());
    println!();
    println!("Demo customers, each with a month of history:");
    for person in people::PEOPLE {
        println!("  {:<14} {desk}/sign-in/{}", person.name, person.handle);
    }
    println!();
    println!("Four things to try:");
    println!(
        "  1. Open {origin}, sign up with a passkey, then send yourself money at the demo desk and watch it arrive."
    );
    println!(
        "  2. Withdraw 500 to another bank and undo it before the clock runs out; let a second one go through."
    );
    println!(
        "  3. Open a receipt, press \"verify now\", download it, and check it here: jinku verify FILE --key KEY"
    );
    println!(
        "  4. Sign in as a customer, convert 5,000 yuan into BTC, and sell it in the market: two clients trade there all day."
    );
    println!();
    println!("Ctrl-C ends the demo.");
}

/// How long something took, for people.
fn since(started: Instant) -> String {
    let elapsed: Duration = started.elapsed();
    format!("{} ms", elapsed.as_millis())
}

/// The demo's own answer to a question about a person that is none.
fn unknown(handle: &str) -> Value {
    json!({ "problem": format!("nobody in the demo is called {handle}") })
}
