//! The sandbox's market over WebSocket, into the bank's prices.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use exchange::price::{Mid, Pair, PriceRefusal, PriceTerms, Prices, Reading, SourceName};
use feeds::{Feeds, FeedsConfig, FeedsError, Pace, Source};
use money::{Asset, Timestamp};
use sandbox::{Handle, ServeConfig, WorldConfig};

/// Longest any single thing may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

type Arrival = (Instant, Pair, Reading);

fn btc_cny() -> Pair {
    Pair { base: Asset::new("BTC", 8).unwrap(), quote: Asset::CNY }
}

fn config(address: &str, names: &[&str], pace: Pace) -> FeedsConfig {
    let source = |name: &&str| Source {
        name: SourceName::new(name).unwrap(),
        url: format!("ws://{address}/market/{name}"),
    };
    FeedsConfig { sources: names.iter().map(source).collect(), pairs: vec![btc_cny()], pace }
}

/// A sandbox with a quick market, in a folder and a runtime of its own.
struct Market {
    runtime: tokio::runtime::Runtime,
    handle: Option<Handle>,
    folder: PathBuf,
}

impl Market {
    fn start(name: &str, listen: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("feeds-{name}-{}", std::process::id()));
        let _gone = std::fs::remove_dir_all(&folder);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut world = WorldConfig::default();
        world.market.tick_ms = 20;
        let (listen, bank_url) = (listen.parse().unwrap(), "http://127.0.0.1:9".to_owned());
        let handle =
            runtime.block_on(sandbox::start(ServeConfig { listen, bank_url, data: folder.clone(), world }));
        Self { runtime, handle: Some(handle.unwrap()), folder }
    }

    fn address(&self) -> String {
        self.handle.as_ref().unwrap().address().to_string()
    }

    fn make(&self, fault: &str) {
        let url = format!("http://{}/control/market", self.address());
        assert_eq!(ureq::post(url).send(fault).unwrap().status().as_u16(), 200);
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.stop();
            self.runtime.block_on(handle.wait()).unwrap();
        }
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

fn listen(config: FeedsConfig) -> (Feeds, Receiver<Arrival>) {
    let (tell, told): (Sender<Arrival>, _) = channel();
    let sink = move |pair: Pair, reading: Reading| {
        let _test_over = tell.send((Instant::now(), pair, reading));
    };
    (Feeds::start(config, Arc::new(sink)).unwrap(), told)
}

/// Readings until one is as wanted.
fn until(told: &Receiver<Arrival>, mut is_wanted: impl FnMut(&Reading) -> bool) -> Vec<Arrival> {
    let end = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    loop {
        let arrival = told.recv_timeout(end.saturating_duration_since(Instant::now())).unwrap();
        let is_last = is_wanted(&arrival.2);
        all.push(arrival);
        if is_last {
            return all;
        }
    }
}

#[test]
fn readings_keep_their_pace_and_jumps_do_not_wait() {
    let market = Market::start("pace", "127.0.0.1:0");
    let pace = Pace { every_ms: 200, moved_ppm: 100_000 };
    let (feeds, told) = listen(config(&market.address(), &["sandbox-a"], pace));
    let mut count = 0;
    let calm = until(&told, |_| {
        count += 1;
        count == 6
    });
    // The market says fifty a second; five go on. The clock of the sink is a little behind the sieve's.
    for (before, after) in calm.iter().zip(&calm[1..]) {
        assert!(after.0 - before.0 > Duration::from_millis(150), "{:?}", after.0 - before.0);
        assert!(after.2.at > before.2.at);
    }
    let (said, _, last) = calm.last().unwrap().clone();
    market.make(r#"{"kind":"gap","pair":"BTC/CNY","ppm":500000}"#);
    let jumped = until(&told, |reading| reading.mid().distance_ppm(last.mid()) > 400_000);
    assert_eq!(jumped[0].1, btc_cny());
    assert!(jumped.last().unwrap().0 - said < PATIENCE);
    let status = &feeds.status()[0];
    assert!(status.is_connected && status.connections == 1 && status.readings >= 7 && status.unreadable == 0);
}

#[test]
fn a_source_that_drops_the_line_is_heard_again() {
    let market = Market::start("again", "127.0.0.1:0");
    let (feeds, told) = listen(config(&market.address(), &["sandbox-a", "sandbox-x"], Pace::default()));
    until(&told, |_| true);
    market.make(r#"{"kind":"disconnect","source":"sandbox-a","ms":300}"#);
    until(&told, |_| feeds.status()[0].connections == 2);
    // One that does not exist is tried again and again, and disturbs nobody.
    let status = feeds.status();
    assert_eq!((status[0].is_connected, status[1].is_connected, status[1].connections), (true, false, 0));
    // The whole market goes and comes back at the same place.
    let address = market.address();
    drop(market);
    let market = Market::start("again-2", &address);
    until(&told, |_| feeds.status()[0].connections == 3);
    drop(feeds);
    drop(market);
}

#[test]
fn a_sink_that_waits_gets_the_latest() {
    let market = Market::start("slow", "127.0.0.1:0");
    let (tell, told) = channel();
    let (open, gate) = std::sync::mpsc::sync_channel::<()>(0);
    let gate = std::sync::Mutex::new(gate);
    let sink = move |_: Pair, reading: Reading| {
        let _test_over = tell.send(reading.at);
        let _test_over = gate.lock().unwrap().recv_timeout(PATIENCE);
    };
    let pace = Pace { every_ms: 1, moved_ppm: 1_000_000 };
    let feeds = Feeds::start(config(&market.address(), &["sandbox-a"], pace), Arc::new(sink)).unwrap();
    let first = told.recv_timeout(PATIENCE).unwrap();
    // Meanwhile the sandbox goes on: its true price has been said many times when the sink comes back.
    let (other, others) = listen(config(&market.address(), &["sandbox-a"], pace));
    let seen = until(&others, |reading| reading.at.since(first) > 500).last().unwrap().2.at;
    open.send(()).unwrap();
    let second = told.recv_timeout(PATIENCE).unwrap();
    assert!(second.since(first) > 400, "{second} after {first}, {seen} was said");
    assert_eq!(told.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty));
    drop(open);
    drop((feeds, other));
}

/// Readings become the bank's price; a crash is believed because two say so, and a wild source is not.
#[test]
fn sources_make_a_price() {
    let market = Market::start("price", "127.0.0.1:0");
    let names = ["sandbox-a", "sandbox-b", "sandbox-c"];
    let (feeds, told) = listen(config(&market.address(), &names, Pace { every_ms: 50, moved_ppm: 1_000 }));
    let mut prices = Prices::new();
    let terms = PriceTerms {
        stale_ms: 3_000,
        sources_min: 2,
        jump_ppm: 20_000,
        confirm_ms: 600_000,
        width_max_ppm: 10_000,
        half_life_ms: 60_000,
        volatility_min_ppb: 1_000,
    };
    let set = prices.decide_terms(btc_cny(), Timestamp::from_ms(0), terms).unwrap();
    prices.apply(&set);
    let mut refused: BTreeMap<String, u32> = BTreeMap::new();
    let mut drive = |is_wanted: &dyn Fn(&Mid) -> bool| {
        let mut reached = None;
        until(&told, |reading| {
            let now = reading.at;
            match prices.decide(btc_cny(), reading, now) {
                Ok(change) => prices.apply(&change),
                Err(refusal @ PriceRefusal::Crossed { .. }) => {
                    *refused.entry(refusal.to_string()).or_default() += 1
                }
                Err(_) => {}
            }
            reached = prices.mid(btc_cny(), now).ok().filter(|mid| is_wanted(mid));
            reached.is_some()
        });
        reached.unwrap()
    };
    let start = drive(&|mid| mid.sources == 3).rate;
    assert!(start.distance_ppm("512000".parse().unwrap()) < 100_000, "{start}");
    market.make(r#"{"kind":"jump","source":"sandbox-b","ppm":300000,"count":100000}"#);
    let without = drive(&|mid| mid.sources == 2);
    assert!(without.rate.distance_ppm(start) < 50_000, "{without:?}");
    market.make(r#"{"kind":"crash","pair":"BTC/CNY","percent":30}"#);
    let crashed = drive(&|mid| mid.rate.distance_ppm(start) > 250_000);
    assert!(crashed.rate < start && crashed.sources >= 2);
    drop(feeds);
}

#[test]
fn a_configuration_without_sense_is_refused() {
    let start = |config| Feeds::start(config, Arc::new(|_: Pair, _: Reading| {})).unwrap_err();
    let mut tls = config("127.0.0.1:9", &["a"], Pace::default());
    tls.sources[0].url = "wss://127.0.0.1:9".to_owned();
    assert!(matches!(start(tls), FeedsError::Address { .. }));
    let twice = config("127.0.0.1:9", &["a", "a"], Pace::default());
    assert!(matches!(start(twice), FeedsError::NameTwice { .. }));
    let names: Vec<String> = (0..17).map(|number| format!("s{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(matches!(
        start(config("127.0.0.1:9", &names, Pace::default())),
        FeedsError::TooMany { count: 17 }
    ));
    let mut pairs = config("127.0.0.1:9", &["a"], Pace::default());
    pairs.pairs.push(Pair { base: Asset::new("BTC", 6).unwrap(), quote: Asset::CNY });
    assert!(matches!(start(pairs), FeedsError::PairTwice { .. }));
}
