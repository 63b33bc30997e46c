//! The market of prices: its walk, its faults, and the WebSocket.

use std::time::Duration;

use futures_util::StreamExt as _;
use sandbox::market::{Market, MarketConfig, MarketFault, Quote};
use sandbox::{Handle, ServeConfig, WorldConfig};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Longest any single thing may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn market() -> Market {
    Market::new(MarketConfig::default()).unwrap()
}

fn fault(value: Value) -> MarketFault {
    serde_json::from_value(value).unwrap()
}

fn of<'a>(quotes: &'a [Quote], source: &str) -> Vec<&'a Quote> {
    quotes.iter().filter(|quote| quote.source == source).collect()
}

/// The price in hundredths of a yuan.
fn fen(quote: &Quote) -> i64 {
    let text = quote.bid.to_string();
    text.replace('.', "").parse().unwrap()
}

#[test]
fn a_seed_says_the_same_again() {
    let (mut one, mut again) = (market(), market());
    let mut other = Market::new(MarketConfig { seed: 2, ..MarketConfig::default() }).unwrap();
    let mut differed = false;
    for step in 0..500 {
        let quotes = one.step(step);
        assert_eq!(quotes, again.step(step));
        assert_eq!(quotes.len(), 9);
        assert!(quotes.iter().all(|quote| quote.bid < quote.ask && quote.at_ms == step));
        differed |= quotes != other.step(step);
    }
    assert!(differed);
}

#[test]
fn the_walk_is_as_wide_as_its_step() {
    let mut market = market();
    let mut squares = 0.0;
    let mut last: Option<i64> = None;
    for step in 0..4_000 {
        let quotes = market.step(step);
        let price = fen(of(&quotes, "sandbox-a")[0]);
        if let Some(last) = last {
            #[expect(clippy::cast_precision_loss, reason = "prices of some ten digits")]
            let change = (price - last) as f64 / last as f64;
            squares += change * change;
        }
        last = Some(price);
    }
    // 60 ppm of the price and 30 of the source's noise before and after: √(60² + 2 · 30²) = 73.5.
    let deviation = (squares / 3_999.0).sqrt();
    assert!((68e-6..79e-6).contains(&deviation), "{deviation}");
}

#[test]
fn a_fault_of_one_source_leaves_the_others_alone() {
    let (mut calm, mut troubled) = (market(), market());
    for step in 0..20 {
        calm.step(step);
        troubled.step(step);
    }
    let say = |troubled: &mut Market, value, now| troubled.make(&fault(value), now).unwrap();
    say(&mut troubled, json!({"kind": "silence", "source": "sandbox-a", "ms": 5}), 20);
    say(&mut troubled, json!({"kind": "crossed", "source": "sandbox-b", "count": 4}), 20);
    say(&mut troubled, json!({"kind": "jump", "source": "sandbox-c", "ppm": 500_000, "count": 3}), 20);
    for step in 20..30 {
        let (honest, said) = (calm.step(step), troubled.step(step));
        let is_silent = step < 25;
        assert_eq!(of(&said, "sandbox-a").is_empty(), is_silent);
        if !is_silent {
            assert_eq!(of(&said, "sandbox-a"), of(&honest, "sandbox-a"));
        }
        let crossed = of(&said, "sandbox-b").iter().filter(|quote| quote.bid > quote.ask).count();
        assert_eq!(crossed, [3, 1].get(usize::try_from(step - 20).unwrap()).copied().unwrap_or(0));
        let wild = fen(of(&said, "sandbox-c")[0]) * 100 / fen(of(&honest, "sandbox-c")[0]);
        assert!(if step == 20 { (149..=150).contains(&wild) } else { wild == 100 }, "{step}: {wild}");
    }
    say(&mut troubled, json!({"kind": "stale", "source": "sandbox-a"}), 30);
    let stuck = troubled.step(30);
    assert!(of(&stuck, "sandbox-a").iter().all(|quote| quote.at_ms == 29));
    assert_eq!(of(&troubled.step(31), "sandbox-a"), of(&stuck, "sandbox-a"));
    troubled.clear();
    assert!(of(&troubled.step(32), "sandbox-a").iter().all(|quote| quote.at_ms == 32));
}

#[test]
fn a_crash_is_everywhere_at_once() {
    let mut market = market();
    let before = market.step(0);
    market.make(&fault(json!({"kind": "crash", "pair": "BTC/CNY"})), 0).unwrap();
    market.make(&fault(json!({"kind": "gap", "pair": "ETH/CNY", "ppm": 100_000})), 0).unwrap();
    let after = market.step(1);
    for (before, after) in before.iter().zip(&after) {
        let percent = fen(after) * 1_000 / fen(before);
        let expect = match after.pair.as_str() {
            "BTC/CNY" => 698..=702,
            "ETH/CNY" => 1_097..=1_103,
            _ => 998..=1_002,
        };
        assert!(expect.contains(&percent), "{before:?} {after:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut market = market();
    for (value, problem) in [
        (json!({"kind": "crash", "percent": 100}), "percent: between 1 and 99"),
        (json!({"kind": "gap", "pair": "X/Y", "ppm": 1}), "pair: there is no such pair"),
        (json!({"kind": "gap", "ppm": -1_000_000}), "ppm: not above -1000000, or far too much"),
        (json!({"kind": "stale", "source": "x"}), "source: there is no \"x\""),
        (json!({"kind": "crossed", "source": "sandbox-a", "count": 0}), "count: between 1 and 100000"),
        (json!({"kind": "silence", "source": "sandbox-a", "ms": 86_400_001}), "ms: at most 86400000"),
    ] {
        assert_eq!(market.make(&fault(value), 0), Err(problem.to_owned()));
    }
    let bad = |change: &dyn Fn(&mut MarketConfig)| {
        let mut config = MarketConfig::default();
        change(&mut config);
        Market::new(config).unwrap_err()
    };
    assert_eq!(bad(&|config| config.tick_ms = 0), "tick_ms must be between 10 and 60000");
    assert_eq!(bad(&|config| config.pairs[0].start = "0.00".to_owned()), "start of BTC/CNY is no price");
    assert_eq!(bad(&|config| config.sources[0] = "sandbox-b".to_owned()), "a source is listed twice");
    assert!(bad(&|config| config.sources[0] = "A".to_owned()).contains("is not 1 to 32 of"));
}

#[test]
fn a_written_configuration_names_only_a_market_of_its_own() {
    let written = |config: &WorldConfig| serde_json::to_value(config).unwrap();
    assert!(written(&WorldConfig::default()).get("market").is_none());
    let mut config = WorldConfig::default();
    config.market.seed = 7;
    assert_eq!(written(&config)["market"]["seed"], 7);
    assert_eq!(serde_json::from_value::<WorldConfig>(written(&config)).unwrap(), config);
}

struct Running {
    handle: Handle,
    _folder: crate::replay::Folder,
}

async fn start() -> Running {
    let folder = crate::replay::Folder::new("market");
    let mut world = WorldConfig::default();
    world.market.tick_ms = 10;
    let listen = "127.0.0.1:0".parse().unwrap();
    let bank_url = "http://127.0.0.1:9".to_owned();
    let config = ServeConfig { listen, bank_url, data: folder.0.clone(), world };
    Running { handle: sandbox::start(config).await.unwrap(), _folder: folder }
}

impl Running {
    fn url(&self, source: &str) -> String {
        format!("ws://{}/market/{source}", self.handle.address())
    }

    async fn ask(&self, method: &'static str, body: Value) -> (u16, Value) {
        let url = format!("http://{}/control/market", self.handle.address());
        let asked = tokio::task::spawn_blocking(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
            let mut response = match method {
                "POST" => agent.post(url).send(body.to_string()).unwrap(),
                "DELETE" => agent.delete(url).call().unwrap(),
                _ => agent.get(url).call().unwrap(),
            };
            (response.status().as_u16(), response.body_mut().read_to_vec().unwrap())
        });
        let (status, body) = asked.await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

#[tokio::test]
async fn listeners_hear_and_are_dropped_on_demand() {
    let running = start().await;
    let heard = async {
        let (mut socket, _) = tokio_tungstenite::connect_async(running.url("sandbox-b")).await.unwrap();
        let hello: Value =
            serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        let pairs = json!(["BTC/CNY", "ETH/CNY", "USD/CNY"]);
        assert_eq!(hello, json!({"type": "hello", "source": "sandbox-b", "pairs": pairs}));
        for _ in 0..30 {
            let text = socket.next().await.unwrap().unwrap();
            let quote: Value = serde_json::from_str(text.to_text().unwrap()).unwrap();
            assert_eq!((&quote["type"], &quote["source"]), (&json!("quote"), &json!("sandbox-b")));
            assert!(quote["bid"].is_string() && quote["at_ms"].is_u64());
        }
        let (status, _) =
            running.ask("POST", json!({"kind": "disconnect", "source": "sandbox-b", "ms": 60_000})).await;
        assert_eq!(status, 200);
        while let Some(Ok(message)) = socket.next().await {
            assert!(matches!(message, Message::Text(_) | Message::Close(_)));
        }
        let status = |tried: Result<_, Error>| match tried {
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(other) => panic!("{other}"),
            Ok(_) => 101,
        };
        assert_eq!(status(tokio_tungstenite::connect_async(running.url("sandbox-b")).await), 503);
        assert_eq!(status(tokio_tungstenite::connect_async(running.url("sandbox-x")).await), 404);
        assert_eq!(status(tokio_tungstenite::connect_async(running.url("sandbox-a")).await), 101);
        let (_, state) = running.ask("GET", Value::Null).await;
        assert_eq!(state["sources"]["sandbox-b"]["cut_off"], true);
        assert_eq!(running.ask("POST", json!({"kind": "crash", "percent": 0})).await.0, 400);
        assert_eq!(running.ask("DELETE", Value::Null).await.0, 200);
        assert_eq!(status(tokio_tungstenite::connect_async(running.url("sandbox-b")).await), 101);
    };
    tokio::time::timeout(PATIENCE, heard).await.unwrap();
    running.handle.stop();
    running.handle.wait().await.unwrap();
}
