//! Two tenants trade with each other over FIX, with a bank behind it that stops, dies and starts again.

mod quickfix;
mod session;

use std::process::Command;
use std::sync::Arc;

use exchange::market::{Fees, MakerFee, Rules};
use exchange::{Command as C, MarketChange, MarketNumber, Price, Quantity};
use identity::Actor;
use jinku::config::{BankConfig, Installation};
use jinku::process::{Process, Scratch, free_port, loopback};
use jinku::{opening, serve, tenants};
use ledger::{AccountKind, Change, Entry, Leg, Tenant};
use money::{AccountId, Amount, Asset, CommandId, EntryId, Text};
use node::{Handle, SystemClock};
use payments::Books;
use session::Session;

const MAKER: u32 = 7;
const TAKER: u32 = 8;
/// What each begins with, in minor units.
const COINS: u128 = 100_000_000;
const YUAN: u128 = 10_000_000;

/// A bank with a market and two tenants in it.
struct World {
    // The process ends before its folder goes.
    process: Option<Process>,
    installation: Installation,
    fix: u16,
    bulk: u16,
    _scratch: Scratch,
}

fn btc() -> Asset {
    Asset::new("BTC", 8).unwrap()
}

fn account(number: u32) -> AccountId {
    AccountId::new((1 << 84) | u128::from(number))
}

/// A tenant's account in coins and in yuan.
fn accounts(tenant: u32) -> [AccountId; 2] {
    [account(tenant * 10), account(tenant * 10 + 1)]
}

/// One lot is a thousandth of a coin, and one tick a fen for it: ten yuan for the coin.
fn rules() -> Rules {
    Rules {
        base: btc(),
        quote: Asset::CNY,
        lot: 100_000,
        tick: 1,
        quantity_max: Quantity::new(10_000),
        notional_min: 1_000,
        fees: Fees { maker: MakerFee::Gets(100), taker_ppm: 1_000 },
        band_bps: 1_000,
        halt_bps: 500,
        reference_ms: 60_000,
        call_ms: 30_000,
        open_orders_max: 100,
        hours: None,
        fee_account: opening::books().fees,
    }
}

/// Gives commands as the bank's people and its tenants would.
struct Giver {
    handle: Handle,
    serial: u128,
}

impl Giver {
    fn give(&mut self, actor: Actor, command: bank::Command) {
        self.serial += 1;
        let id = CommandId::new((1 << 86) | self.serial);
        self.handle.submit(bank::Submission { id, actor, command }).unwrap();
    }

    fn staff(&mut self, name: &str, command: bank::Command) {
        self.give(Actor::Operator(Text::clip(name)), command);
    }

    fn fund(&mut self, to: AccountId, from: AccountId, amount: Amount) {
        let legs = vec![Leg::debit(from, amount), Leg::credit(to, amount)];
        let id = EntryId::new((1 << 90) | self.serial);
        let entry = Entry { id, legs, effective_at: None, reference: None, memo: Text::clip("brought in") };
        let change = Change { entry: Some(entry), ..Change::default() };
        self.staff("ann", bank::Command::Ledger(ledger::Command::Change(change)));
    }

    fn furnish(&mut self) {
        let books = Books {
            asset: btc(),
            reserve: account(1),
            transit_instant: account(2),
            transit_high_value: account(3),
            suspense: account(4),
            fees: account(5),
            capital: account(6),
        };
        self.staff("ann", bank::Command::Payments(payments::Command::OpenBooks(books)));
        let open = MarketChange::Open { rules: rules(), reference: Price::new(50_000) };
        self.staff("ann", bank::Command::Exchange(C::Propose(open)));
        self.staff("bob", bank::Command::Exchange(C::Approve { proposal: 1 }));
        for tenant in [MAKER, TAKER] {
            let [base, quote] = accounts(tenant);
            for (id, asset, from, minor) in
                [(base, btc(), books.reserve, COINS), (quote, Asset::CNY, opening::books().reserve, YUAN)]
            {
                let (kind, owner) = (AccountKind::Customer, Some(Tenant::new(tenant)));
                let open = ledger::Command::OpenAccount { id, kind, asset, tenant: owner, opened_at: None };
                self.staff("ann", bank::Command::Ledger(open));
                self.fund(id, from, Amount::new(asset, minor));
            }
            let seat = C::TakeSeat { market: MarketNumber::new(1), base, quote, group: None };
            self.give(Actor::Tenant(tenant), bank::Command::Exchange(seat));
        }
    }
}

impl World {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(None, name).unwrap();
        let folder = scratch.path().join("bank");
        let installation = Installation::create(&folder, BankConfig::local(7460)).unwrap();
        for tenant in [MAKER, TAKER] {
            tenants::add(&installation, tenant).unwrap();
        }
        let node = serve::start_node(&installation, Arc::new(SystemClock)).unwrap();
        Giver { handle: node.handle(), serial: 0 }.furnish();
        drop(node);
        let fix = free_port().unwrap();
        let mut world = Self { process: None, installation, fix, bulk: 0, _scratch: scratch };
        world.start();
        world
    }

    fn start(&mut self) {
        let ports: Vec<u16> = (0..4).map(|_| free_port().unwrap()).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_jinku"));
        command.arg("serve").arg("--data").arg(&self.installation.folder);
        let names = ["--listen", "--rails-listen", "--operator-listen", "--bulk-listen"];
        for (name, port) in names.iter().zip(&ports) {
            command.args([*name, &loopback(*port).to_string()]);
        }
        command.args(["--fix-listen", &loopback(self.fix).to_string()]);
        self.bulk = ports[3];
        // The wallet's interface comes after the gateway.
        self.process = Some(Process::start("the bank", &mut command, loopback(ports[0])).unwrap());
    }

    /// Ends the bank as a power cut would, and starts it again.
    fn kill_and_start(&mut self) {
        self.process.take().unwrap().kill().unwrap();
        self.start();
    }

    fn stop(&mut self) {
        self.process = None;
    }

    fn token(&self, tenant: u32) -> String {
        let file = self.installation.folder.join(format!("keys/tenant-{tenant}.token"));
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    fn connect(&self, session: &str) -> Session {
        Session::connect(loopback(self.fix), session)
    }

    /// Logs a session on that begins its numbers anew.
    fn log_on(&self, session: &str, tenant: u32) -> Session {
        let mut client = self.connect(session);
        client.say("A", &self.logon(tenant, "141=Y|"));
        client.hear("A");
        client
    }

    /// Connects a session again, which goes on with its numbers.
    fn back(&self, gone: &Session, tenant: u32) -> Session {
        let mut client = self.connect(&gone.name);
        client.seq = gone.seq;
        client.say("A", &self.logon(tenant, ""));
        client.hear("A");
        client
    }

    fn logon(&self, tenant: u32, more: &str) -> String {
        format!("98=0|108=30|{more}553={tenant}|554={}|", self.token(tenant))
    }

    /// What each tenant has in coins and yuan once the bank has stopped, all of it free.
    fn balances(&self) -> [[u128; 2]; 2] {
        let node = serve::start_node(&self.installation, Arc::new(SystemClock)).unwrap();
        let look = |bank: &bank::Bank| {
            assert_eq!(bank.broken_invariants(), Vec::<String>::new());
            [MAKER, TAKER].map(|tenant| {
                accounts(tenant).map(|id| {
                    let balance = bank.ledger().account(id).unwrap().balance();
                    assert_eq!(balance.available, balance.posted, "nothing is set aside any more");
                    balance.available.minor()
                })
            })
        };
        node.handle().read(look).unwrap()
    }
}

fn limit(id: &str, side: u8, lots: &str, price: &str) -> String {
    format!("11={id}|55=BTC/CNY|54={side}|38={lots}|40=2|44={price}|59=1|60=20260101-00:00:00|")
}

fn replace(id: &str, of: &str, lots: &str, price: &str) -> String {
    format!("41={of}|{}", limit(id, 2, lots, price))
}

const BOOK: &str = "263=1|264=0|265=1|267=3|269=0|269=1|269=2|146=1|55=BTC/CNY|";

#[test]
fn only_tenants_come_in_and_under_names_of_their_own() {
    let world = World::new("fix-logon");
    for (session, name, token) in [
        ("7", "7", "0".repeat(64)),
        ("7", "8", world.token(7)),
        ("8-x", "7", world.token(7)),
        ("77", "7", world.token(7)),
        ("7", "0", hex::encode(world.installation.key(jinku::config::Key::Operator).unwrap())),
    ] {
        let mut client = world.connect(session);
        client.say("A", &format!("98=0|108=30|141=Y|553={name}|554={token}|"));
        let told = client.next();
        assert!(told.starts_with("5 ") || told == "gone", "{session} {name}: {told}");
    }
    for session in ["7", "7-a"] {
        let mut client = world.log_on(session, MAKER);
        client.say("x", "320=l|559=4|");
        let listed = client.hear("y");
        assert!(listed.contains("|55=BTC/CNY|"), "{listed}");
    }
}

#[test]
fn a_day_of_trading_with_a_crash_between() {
    let mut world = World::new("fix-day");
    let (mut maker, mut taker) = (world.log_on("7-M", MAKER), world.log_on("8", TAKER));
    let mut watcher = world.log_on("8-data", TAKER);
    watcher.say("V", &format!("262=md|{BOOK}"));
    watcher.hears("W", &["262=md", "268=0"]);

    // It rests, and everybody sees it.
    maker.say("D", &limit("m1", 2, "0.005", "500000"));
    maker.hears("8", &["11=m1", "150=0", "39=0", "38=0.005", "44=500000", "54=2"]);
    watcher.sees(&["269=1", "270=500000", "271=0.005"]);

    // Part of it is filled by a market order of the other.
    taker.say("D", "11=t1|55=BTC/CNY|54=1|38=0.002|40=1|59=3|60=20260101-00:00:00|");
    taker.hears("8", &["11=t1", "150=0", "40=1"]);
    taker.hears("8", &["11=t1", "150=F", "39=2", "31=500000", "32=0.002", "851=2", "137=1.00", "138=CNY"]);
    maker.hears("8", &["11=m1", "150=F", "39=1", "14=0.002", "151=0.003", "851=1", "137=-0.10"]);
    watcher.sees(&["279=1", "271=0.003", "269=2", "278=T1", "271=0.002"]);

    // Less of it keeps its place; another price and less at once; more is refused.
    maker.say("G", &replace("m2", "m1", "0.004", "500000"));
    maker.hears("8", &["11=m2", "41=m1", "150=5", "39=1", "38=0.004", "151=0.002"]);
    maker.say("G", &replace("m3", "m2", "0.003", "500100"));
    maker.hears("8", &["11=m3", "41=m2", "150=5", "44=500100", "38=0.003", "151=0.001"]);
    maker.say("G", &replace("m4", "m3", "0.009", "500100"));
    maker.hears(
        "9",
        &["11=m4", "41=m3", "102=99", "39=1", "58=a quantity cannot be raised: place another order"],
    );

    // A cancel that follows its order at once finds it.
    maker.say("D", &limit("m5", 2, "0.001", "510000"));
    maker.say("F", "11=m6|41=m5|55=BTC/CNY|54=2|60=20260101-00:00:00|");
    maker.hears("8", &["11=m5", "150=0"]);
    maker.hears("8", &["11=m6", "41=m5", "150=4", "39=4", "151=0"]);
    maker.say("F", "11=m7|41=m5|55=BTC/CNY|54=2|60=20260101-00:00:00|");
    maker.hears("9", &["11=m7", "434=1", "102=0", "39=4"]);

    // The market refuses in the client's words; the id can be used again.
    maker.say("D", &limit("m8", 2, "0.001", "900000"));
    maker.hears("8", &["11=m8", "150=8", "58=the price is between 450000 and 550000 now"]);
    maker.say("D", &limit("m8", 2, "999", "500000"));
    maker.hears("8", &["11=m8", "150=8", "103=3"]);

    // The bank dies. While the maker is away its order is filled.
    world.kill_and_start();
    let (mut taker, mut watcher) = (world.back(&taker, TAKER), world.back(&watcher, TAKER));
    watcher.say("V", &format!("262=md|{BOOK}"));
    watcher.hears("W", &["269=1", "270=500100", "271=0.001", "269=2", "270=500000"]);
    taker.say("D", &limit("t2", 1, "0.001", "500100"));
    taker.hears("8", &["11=t2", "150=0"]);
    taker.hears("8", &["11=t2", "150=F", "39=2", "31=500100"]);
    watcher.sees(&["279=2", "278=A500100", "278=T2"]);
    let mut maker = world.back(&maker, MAKER);
    maker.hears("8", &["11=m3", "150=F", "39=2", "14=0.003", "31=500100", "32=0.001"]);

    // What is sent again is not placed again: the answer is where the order stands, or that the id was used.
    maker.say("D", &format!("97=Y|{}", limit("m1", 2, "0.005", "500000")));
    maker.hears("8", &["11=m3", "150=I", "39=2", "14=0.003"]);
    maker.say("D", &limit("m1", 2, "0.005", "500000"));
    maker.hears("8", &["11=m1", "150=8", "103=6"]);
    maker.say("D", &limit("m8", 2, "0.001", "540000"));
    maker.hears("8", &["11=m8", "150=0"]);
    for (id, price) in [("b1", "499000"), ("b2", "498000")] {
        maker.say("D", &limit(id, 1, "0.001", price));
        maker.hears("8", &[&format!("11={id}"), "150=0"]);
    }

    // Another session of the tenant sees none of them, and ends none.
    let mut other = world.log_on("7", MAKER);
    other.say("q", "11=x|530=7|60=20260101-00:00:00|");
    other.hears("r", &["11=x", "531=7", "533=0"]);
    other.say("H", "11=m8|55=BTC/CNY|54=2|");
    other.hears("8", &["11=m8", "150=I", "39=8"]);

    // One side, then the rest of the market.
    maker.say("q", "11=c1|530=7|54=1|60=20260101-00:00:00|");
    let mut seen = [maker.next(), maker.next(), maker.next()];
    // By kind and id, whichever came first.
    seen.sort_by_key(|told| (told.starts_with("r "), told.contains("|11=b2|")));
    assert!(seen[0].contains("|11=b1|") && seen[1].contains("|11=b2|"), "{seen:?}");
    assert!(
        seen[0].contains("|150=4|") && seen[2].starts_with("r ") && seen[2].contains("|533=2|"),
        "{seen:?}"
    );
    maker.say("q", "11=c2|530=1|55=BTC/CNY|60=20260101-00:00:00|");
    let mut seen = [maker.next(), maker.next()];
    seen.sort();
    assert!(seen[0].contains("|11=m8|") && seen[1].contains("|533=1|"), "{seen:?}");

    // What the gateway knows follows from the journal and the names.
    world.stop();
    std::fs::remove_file(world.installation.folder.join("fix/orders.snapshot")).unwrap();
    world.start();
    let mut maker = world.back(&maker, MAKER);
    maker.say("H", "11=m2|55=BTC/CNY|54=2|");
    maker.hears("8", &["11=m3", "150=I", "39=2", "14=0.003"]);
    maker.say("D", &format!("97=Y|{}", limit("b1", 1, "0.001", "499000")));
    maker.hears("8", &["11=b1", "150=I", "39=4"]);

    // The ledger says what the reports said: 0.003 coins for 1,000 and 500.10 yuan, a fee of 0.1 per cent, a rebate of 0.01.
    world.stop();
    let [[maker_coins, maker_yuan], [taker_coins, taker_yuan]] = world.balances();
    assert_eq!((maker_coins, taker_coins), (COINS - 300_000, COINS + 300_000));
    assert_eq!(maker_yuan, YUAN + 100_000 + 50_010 + 10 + 5);
    assert_eq!(taker_yuan, YUAN - 100_000 - 50_010 - 100 - 51);
}

#[test]
fn what_the_market_does_to_an_order_is_told() {
    let world = World::new("fix-market");
    let (mut maker, mut taker) = (world.log_on("7-M", MAKER), world.log_on("8", TAKER));
    taker.say("e", "324=s|55=BTC/CNY|263=1|");
    taker.hears("f", &["324=s", "326=17"]);

    // At once or not at all, and at once as far as there is.
    taker.say("D", &limit("t1", 1, "0.002", "500000").replace("59=1", "59=4"));
    taker.hears("8", &["11=t1", "150=0", "59=4"]);
    taker.hears("8", &["11=t1", "150=C", "39=C", "14=0"]);
    maker.say("D", &limit("m1", 2, "0.001", "500000"));
    maker.hears("8", &["11=m1", "150=0"]);
    taker.say("D", &limit("t2", 1, "0.003", "500000").replace("59=1", "59=3"));
    taker.hears("8", &["11=t2", "150=0"]);
    taker.hears("8", &["11=t2", "150=F", "39=1", "14=0.001"]);
    taker.hears("8", &["11=t2", "150=C", "39=C", "14=0.001", "151=0"]);
    maker.hears("8", &["11=m1", "150=F", "39=2"]);

    // A stop waits until its price trades; then it is a limit order.
    taker.say("D", "11=t3|55=BTC/CNY|54=1|38=0.001|40=4|99=500500|44=501000|59=1|60=20260101-00:00:00|");
    taker.hears("8", &["11=t3", "150=0", "636=N", "99=500500", "44=501000"]);
    maker.say("D", &limit("m2", 2, "0.002", "500500"));
    maker.hears("8", &["11=m2", "150=0"]);
    taker.say("D", &limit("t4", 1, "0.001", "500500"));
    taker.hears("8", &["11=t4", "150=0"]);
    taker.hears("8", &["11=t4", "150=F", "39=2"]);
    taker.hears("8", &["11=t3", "150=D", "378=8", "636=Y"]);
    taker.hears("8", &["11=t3", "150=F", "39=2", "31=500500", "636=Y"]);
    maker.hears("8", &["11=m2", "150=F", "39=1"]);
    maker.hears("8", &["11=m2", "150=F", "39=2"]);
    // Without a limit it is a market order.
    taker.say("D", "11=t5|55=BTC/CNY|54=2|38=0.001|40=3|99=400000|59=1|60=20260101-00:00:00|");
    taker.hears("8", &["11=t5", "150=0", "40=3", "59=1", "636=N"]);

    // Where it would meet its own, both become smaller.
    maker.say("D", &limit("m3", 1, "0.001", "499000"));
    maker.hears("8", &["11=m3", "150=0"]);
    maker.say("D", &format!("20001=D|{}", limit("m4", 2, "0.003", "499000")));
    maker.hears("8", &["11=m4", "150=0", "38=0.003"]);
    maker.hears("8", &["11=m3", "150=4", "39=4"]);
    maker.hears("8", &["11=m4", "150=D", "378=5", "38=0.002", "151=0.002"]);

    // Of a change of which half is refused, the half that was done is told.
    maker.say("G", &replace("m5", "m4", "0.001", "900000"));
    let mut told = [maker.next(), maker.next()];
    told.sort();
    assert!(told[0].contains("|11=m4|") && told[0].contains("|150=D|"), "{told:?}");
    assert!(
        told[0].contains("|38=0.001|") && told[0].contains("|58=its price could not be changed|"),
        "{told:?}"
    );
    assert!(told[1].starts_with("9 ") && told[1].contains("|58=the price is between"), "{told:?}");

    // Its time is over.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let until = fix::UtcTime::from_ms(now + 1_500);
    maker.say("D", &format!("126={until}|{}", limit("m6", 2, "0.001", "501000").replace("59=1", "59=6")));
    maker.hears("8", &["11=m6", "150=0", "59=6", &format!("126={until}")]);
    maker.hears("8", &["11=m6", "150=C", "39=C"]);

    // The bank suspends the market: orders stand still, and can be ended.
    let token = world.installation.key(jinku::config::Key::Operator).unwrap();
    let mut staff = jinku::bulk::Client::connect(loopback(world.bulk), &token).unwrap();
    let suspend = C::Suspend { market: MarketNumber::new(1) };
    let answer = staff.trade(CommandId::new((1 << 87) | 1), &suspend).unwrap();
    assert_eq!(answer.problem, None);
    maker.hears("8", &["11=m4", "150=9", "39=9"]);
    taker.hears("8", &["11=t5", "150=9", "39=9"]);
    taker.hears("f", &["326=2"]);
    maker.say("D", &limit("m7", 2, "0.001", "501000"));
    maker.hears("8", &["11=m7", "150=8", "103=2"]);
    maker.say("F", "11=m8|41=m4|55=BTC/CNY|54=2|60=20260101-00:00:00|");
    maker.hears("8", &["11=m8", "41=m4", "150=4", "39=4"]);
}
