//! Two customers on a market, from outside: what they may place, what the books, the order history, the trades, the candles and the depth say of it.

mod convert;
mod live;

use axum::http::Method;
use bank::Command;
use exchange::market::{Fees, MakerFee, Rules};
use exchange::{MarketChange, Price, Quantity};
use identity::Actor;
use ledger::{Change, Entry, Leg};
use money::{AccountId, Amount, Asset, EntryId, Text};
use payments::Books;
use serde_json::{Value, json};

use crate::support::{Customer, World, key, request};

pub(super) fn btc() -> Asset {
    Asset::new("BTC", 8).unwrap()
}

/// The account in BTC that stands for what the bank holds.
const RESERVE: u128 = 21;
const FEES: u128 = 5;

pub(super) fn operator(name: &str) -> Actor {
    Actor::Operator(Text::clip(name))
}

/// A bank with books in BTC and a market BTC against CNY: lots of 0.001, ticks of 10 yuan, around 68,250.
pub(super) fn with_market() -> World {
    let world = World::new();
    let account = AccountId::new;
    let books = Books {
        asset: btc(),
        reserve: account(RESERVE),
        transit_instant: account(22),
        transit_high_value: account(23),
        suspense: account(24),
        fees: account(25),
        capital: account(26),
    };
    world.submit(operator("test"), Command::Payments(payments::Command::OpenBooks(books)));
    open_market(&world, 200, 1_000);
    world
}

pub(super) fn open_market(world: &World, band_bps: u32, taker_ppm: u32) {
    let rules = Rules {
        base: btc(),
        quote: Asset::CNY,
        lot: 100_000,
        tick: 1,
        quantity_max: Quantity::new(10_000),
        notional_min: 1_000,
        fees: Fees { maker: MakerFee::Gets(100), taker_ppm },
        band_bps: band_bps * 5,
        halt_bps: band_bps,
        reference_ms: 3_600_000,
        call_ms: 10_000,
        open_orders_max: 50,
        hours: None,
        fee_account: AccountId::new(FEES),
    };
    decide(world, MarketChange::Open { rules, reference: Price::new(6_825) });
}

/// One of the bank's people proposes, another approves.
pub(super) fn decide(world: &World, change: MarketChange) {
    world.submit(operator("anna"), Command::Exchange(exchange::Command::Propose(change)));
    let number = world.handle.read(|bank| bank.exchange().proposals().next().map(|(number, _)| number));
    let approve = exchange::Command::Approve { proposal: number.unwrap().unwrap() };
    world.submit(operator("boris"), Command::Exchange(approve));
}

/// A customer with yuan and bitcoin.
pub(super) async fn trader(world: &World, name: &str, yuan: &str, bitcoin: &str) -> Customer {
    let mut customer = world.customer(name).await;
    if yuan != "0" {
        world.credit(&customer.account().clone(), name, yuan);
    }
    let opened = customer.post(world, "/accounts", &json!({ "asset": "BTC" })).await.ok();
    assert_eq!((&opened["asset"], &opened["posted"]["value"]), (&json!("BTC"), &json!("0.00000000")));
    if bitcoin != "0" {
        let amount = Amount::parse(btc(), bitcoin).unwrap();
        let to: AccountId = opened["id"].as_str().unwrap().parse().unwrap();
        let legs = vec![Leg::debit(AccountId::new(RESERVE), amount), Leg::credit(to, amount)];
        let id = EntryId::new(to.value() >> 8);
        let entry = Entry { id, legs, effective_at: None, reference: None, memo: Text::clip("bitcoin") };
        let change = Change { entry: Some(entry), ..Change::default() };
        world.submit(operator("test"), Command::Ledger(ledger::Command::Change(change)));
    }
    customer
}

pub(super) fn limit(side: &str, price: &str, quantity: &str) -> Value {
    json!({ "side": side, "type": "limit", "price": price, "quantity": quantity })
}

impl Customer {
    pub(super) async fn place(&mut self, world: &World, order: &Value) -> crate::support::Answer {
        self.post(world, "/markets/1/orders", order).await
    }

    pub(super) async fn balance(&mut self, world: &World, asset: &str) -> [String; 2] {
        let list = self.get(world, "/accounts").await.ok();
        let of = list["items"].as_array().unwrap().iter().find(|of| of["asset"] == asset).unwrap().clone();
        ["posted", "available"].map(|field| of[field]["value"].as_str().unwrap().to_owned())
    }
}

fn texts(value: &Value, fields: &[&str]) -> Vec<String> {
    fields.iter().map(|field| value[*field].as_str().unwrap_or("null").to_owned()).collect()
}

#[tokio::test]
async fn two_customers_trade_and_everything_agrees() {
    let world = with_market();
    let mut seller = trader(&world, "陈思远", "0", "0.01000000").await;
    let mut buyer = trader(&world, "林晓雯", "1000.00", "0").await;

    let sold = seller.place(&world, &limit("sell", "68250", "0.005")).await.ok();
    let order = &sold["order"];
    assert_eq!(texts(order, &["state", "left", "filled", "fee_paid"]), ["open", "0.005", "0.000", "0.00"]);
    assert_eq!(order["reserved"], json!({ "asset": "BTC", "value": "0.00500000" }));
    assert_eq!(seller.balance(&world, "BTC").await, ["0.01000000", "0.00500000"]);

    let depth = buyer.get(&world, "/markets/1/depth").await.ok();
    assert_eq!((&depth["bids"], &depth["asks"]), (&json!([]), &json!([["68250", "0.005", 1]])));

    // A preview says what the order then does.
    let ask = json!({ "side": "buy", "type": "market", "quantity": "0.002" });
    let preview = buyer.post(&world, "/markets/1/orders/preview", &ask).await.ok();
    assert_eq!(
        texts(&preview["fills_now"], &["quantity", "average", "worst", "cost"]),
        ["0.002", "68250.00", "68250", "136.50"]
    );
    // The edge of the prices that do not halt the market is 2 % above: 69,610 yuan; set aside is that and the taker's fee.
    assert_eq!(preview["reserved"], json!({ "asset": "CNY", "value": "139.36" }));
    assert_eq!((&preview["refusal"], &preview["fee_expected"]), (&Value::Null, &json!("0.14")));
    let bought = buyer.place(&world, &ask).await.ok();
    assert_eq!(
        texts(&bought["order"], &["type", "state", "filled", "average", "fee_paid"]),
        ["market", "filled", "0.002", "68250.00", "0.14"]
    );
    let fill = &bought["fills"][0];
    assert_eq!(
        texts(fill, &["side", "role", "price", "quantity", "fee"]),
        ["buy", "taker", "68250", "0.002", "0.14"]
    );

    // The seller gets a hundredth of a per cent back: 136.50 × 0.0001 is one fen, rounded down.
    assert_eq!(seller.balance(&world, "CNY").await, ["136.51", "136.51"]);
    assert_eq!(buyer.balance(&world, "CNY").await, ["863.36", "863.36"]);
    assert_eq!(buyer.balance(&world, "BTC").await, ["0.00200000", "0.00200000"]);
    assert_eq!(seller.balance(&world, "BTC").await, ["0.00800000", "0.00500000"]);

    // Movements are those of the fill, with receipts.
    let movements = buyer.get(&world, "/movements").await.ok();
    let ours: Vec<&Value> =
        movements["items"].as_array().unwrap().iter().filter(|of| of["kind"] == "trade").collect();
    assert_eq!(ours.len(), 2);
    let paid = ours.iter().find(|of| of["amount"]["asset"] == "CNY").unwrap();
    assert_eq!((&paid["amount"]["value"], &paid["direction"]), (&json!("136.64"), &json!("out")));
    assert_eq!(paid["note"], "BUY 0.002 BTC @ 68250 CNY");
    assert_eq!(paid["id"], fill["movements"][1]);
    let receipt = format!("/receipts/{}", paid["id"].as_str().unwrap());
    buyer.get(&world, &receipt).await.ok();

    // Lists, trades and candles say the same.
    world.caught_up();
    let open = seller.get(&world, "/orders?open=true").await.ok();
    assert_eq!(
        texts(&open["orders"][0], &["state", "left", "filled", "fee_paid"]),
        ["open", "0.003", "0.002", "-0.01"]
    );
    let ended = buyer.get(&world, "/orders?open=false").await.ok();
    assert_eq!(ended["orders"][0]["id"], bought["order"]["id"]);
    assert_eq!(ended["orders"][0]["fee_paid"], "0.14");
    let fills = buyer.get(&world, "/fills").await.ok();
    assert_eq!(&fills["fills"][0], fill, "the same as when it was placed");
    assert_eq!(seller.get(&world, "/fills").await.ok()["fills"][0]["role"], "maker");
    let trades = buyer.get(&world, "/markets/1/trades").await.ok();
    assert_eq!(trades["trades"].as_array().unwrap().len(), 1);
    assert_eq!(texts(&trades["trades"][0], &["price", "quantity", "taker"]), ["68250", "0.002", "buy"]);
    assert_eq!(trades["trades"][0]["number"], fill["trade"]);
    let candles = buyer.get(&world, "/markets/1/candles?interval=5m").await.ok();
    assert_eq!(
        texts(&candles["candles"][0], &["open", "high", "low", "close", "volume_base", "volume_quote"]),
        ["68250", "68250", "68250", "68250", "0.002", "136.50"]
    );
    let shown = buyer.get(&world, "/markets/1").await.ok();
    assert_eq!(
        texts(&shown, &["last", "best_ask", "volume_24h_base", "tick", "lot", "phase"]),
        ["68250", "68250", "0.002", "10", "0.001", "open"]
    );

    // What is left is cancelled, and nothing stays set aside.
    let path = format!("/markets/1/orders/{}", order["id"].as_str().unwrap());
    seller.call(&world, Method::DELETE, &path).await.ok();
    assert_eq!(seller.balance(&world, "BTC").await, ["0.00800000", "0.00800000"]);
    let cancelled = seller.get(&world, "/orders").await.ok();
    assert_eq!(texts(&cancelled["orders"][0], &["state", "left", "filled"]), ["cancelled", "0.000", "0.002"]);
    assert_eq!(seller.get(&world, "/markets/1/depth").await.ok()["asks"], json!([]));
    assert!(world.handle.read(|bank| bank.broken_invariants()).unwrap().is_empty());
}

#[tokio::test]
async fn refusals_are_told_before_and_when_placing() {
    let world = with_market();
    let mut customer = world.customer("陈思远").await;
    let check = async |customer: &mut Customer, order: &Value, status: u16, code: &str| {
        let answer = customer.place(&world, order).await;
        assert_eq!(answer.refusal(), (status, code), "{order}");
        answer
    };
    // Without an account in the base there is no seat.
    let answer = check(&mut customer, &limit("buy", "68250", "0.001"), 409, "seat_accounts").await;
    assert_eq!(answer.body["params"]["missing"], "BTC");
    let mut customer = trader(&world, "林晓雯", "100.00", "0").await;
    check(&mut customer, &limit("buy", "68255", "0.001"), 422, "price_step").await;
    check(&mut customer, &limit("buy", "68250", "0.0015"), 422, "quantity_step").await;
    check(&mut customer, &limit("buy", "68250", "0"), 422, "order_malformed").await;
    check(&mut customer, &limit("buy", "68250", "x"), 400, "bad_request").await;
    let answer = check(&mut customer, &limit("buy", "90000", "0.001"), 409, "price_outside_band").await;
    assert_eq!(texts(&answer.body["params"], &["low", "high"]), ["61430", "75070"]);
    check(&mut customer, &limit("buy", "68250", "11"), 422, "quantity_above").await;
    check(&mut customer, &limit("buy", "68250", "0.002"), 422, "insufficient_funds").await;
    check(&mut customer, &json!({ "side": "buy", "type": "limit", "quantity": "0.001" }), 400, "bad_request")
        .await;
    check(
        &mut customer,
        &json!({ "side": "sell", "type": "budget", "budget": "10.00" }),
        422,
        "order_malformed",
    )
    .await;
    // The preview tells the same without a problem of its own.
    let asked = limit("buy", "68250", "0.002");
    let preview = customer.post(&world, "/markets/1/orders/preview", &asked).await.ok();
    assert_eq!(preview["refusal"]["code"], "insufficient_funds");
    assert_eq!(preview["reserved"], Value::Null);
    let missing = customer.get(&world, "/markets/7/depth").await;
    assert_eq!(missing.refusal(), (404, "market_unknown"));
    assert_eq!(customer.get(&world, "/orders").await.ok()["orders"], json!([]), "nothing was placed");
}

#[tokio::test]
async fn nobody_touches_an_order_of_somebody_else() {
    let world = with_market();
    let mut one = trader(&world, "陈思远", "1000.00", "0").await;
    let mut other = trader(&world, "林晓雯", "1000.00", "0").await;
    let placed = one.place(&world, &limit("buy", "68000", "0.002")).await.ok();
    let id = placed["order"]["id"].as_str().unwrap().to_owned();
    let path = format!("/markets/1/orders/{id}");
    // Neither without a seat nor with one.
    for seated in [false, true] {
        if seated {
            other.place(&world, &limit("buy", "67000", "0.001")).await.ok();
        }
        let answer = other.call(&world, Method::DELETE, &path).await;
        assert_eq!(answer.refusal(), (404, "order_unknown"));
        let answer = other.post(&world, &format!("{path}/reduce"), &json!({ "by": "0.001" })).await;
        assert_eq!(answer.refusal(), (404, "order_unknown"));
        let answer = other.post(&world, &format!("{path}/move"), &json!({ "price": "68010" })).await;
        assert_eq!(answer.refusal(), (404, "order_unknown"));
    }
    let orders = other.get(&world, "/orders").await.ok();
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1, "only their own");
    let (status, ..) = world.send(request(Method::GET, "/orders", None)).await;
    assert_eq!(status.as_u16(), 401);
    // The owner may.
    one.post(&world, &format!("{path}/reduce"), &json!({ "by": "0.001" })).await.ok();
    one.post(&world, &format!("{path}/move"), &json!({ "price": "68010" })).await.ok();
    let shown = one.get(&world, "/orders").await.ok();
    assert_eq!(texts(&shown["orders"][0], &["price", "left", "state"]), ["68010", "0.001", "open"]);
}

#[tokio::test]
async fn the_kill_switch_and_the_mass_cancel_end_everything() {
    let world = with_market();
    let mut customer = trader(&world, "陈思远", "1000.00", "0.01000000").await;
    for price in ["67000", "67010", "67020"] {
        customer.place(&world, &limit("buy", price, "0.001")).await.ok();
    }
    let ended = customer.call(&world, Method::DELETE, "/markets/1/orders").await.ok();
    assert_eq!(ended["ended"], 3);
    assert_eq!(customer.call(&world, Method::DELETE, "/markets/1/orders").await.ok()["ended"], 0);
    let pair = json!({
        "side": "sell", "type": "oco", "price": "69000", "quantity": "0.002",
        "oco": { "stop_trigger": "67500", "stop_limit": "67400" },
    });
    let placed = customer.place(&world, &pair).await.ok();
    assert_eq!(
        texts(&placed["plan"], &["type", "price", "stop_trigger", "left"]),
        ["oco", "69000", "67500", "0.002"]
    );
    let child = placed["plan"]["order"].as_str().unwrap().to_owned();
    let open = customer.get(&world, "/orders?open=true&market=1").await.ok();
    assert_eq!((&open["orders"][0]["id"], &open["orders"][0]["plan"]), (&json!(child), &json!(1)));
    assert_eq!(customer.call(&world, Method::POST, "/markets/1/stop").await.ok()["ended"], 1);
    assert_eq!(customer.get(&world, "/plans").await.ok()["plans"], json!([]));
    let answer = customer.place(&world, &limit("buy", "67000", "0.001")).await;
    assert_eq!(answer.refusal(), (409, "seat_stopped"));
    assert_eq!(customer.get(&world, "/markets").await.ok()["markets"][0]["stopped"], true);
    customer.call(&world, Method::POST, "/markets/1/free").await.ok();
    let spread = json!({
        "side": "buy", "type": "twap", "price": "68250", "quantity": "0.004",
        "twap": { "pieces": 4, "every_seconds": 60 },
    });
    let plan = customer.place(&world, &spread).await.ok();
    let path = format!("/markets/1/plans/{}", plan["plan"]["number"]);
    assert_eq!(customer.get(&world, "/plans").await.ok()["plans"][0]["pieces"], 4);
    customer.call(&world, Method::DELETE, &path).await.ok();
    let again = customer.call(&world, Method::DELETE, &path).await;
    assert_eq!(again.refusal(), (404, "plan_unknown"));
    assert!(world.handle.read(|bank| bank.broken_invariants()).unwrap().is_empty());
}

#[tokio::test]
async fn a_stop_waits_until_the_price_is_reached() {
    let world = with_market();
    let mut seller = trader(&world, "陈思远", "0", "0.01000000").await;
    let mut buyer = trader(&world, "林晓雯", "1000.00", "0").await;
    let stop = json!({
        "side": "buy", "type": "stop_limit", "trigger": "68300", "price": "68400", "quantity": "0.002",
    });
    let waits = buyer.place(&world, &stop).await.ok();
    assert_eq!(
        texts(&waits["order"], &["type", "state", "trigger", "price"]),
        ["stop_limit", "waiting", "68300", "68400"]
    );
    assert_eq!(buyer.get(&world, "/markets/1/depth").await.ok()["bids"], json!([]), "nobody sees it");
    // Its trigger is not its price: what is set aside for it follows from the price.
    let path = format!("/markets/1/orders/{}", waits["order"]["id"].as_str().unwrap());
    let answer = buyer.post(&world, &format!("{path}/move"), &json!({ "price": "67000" })).await;
    assert_eq!(answer.refusal(), (422, "order_malformed"));
    let mut third = trader(&world, "周国梁", "1000.00", "0").await;
    seller.place(&world, &limit("sell", "68300", "0.001")).await.ok();
    seller.place(&world, &limit("sell", "68350", "0.001")).await.ok();
    third.place(&world, &limit("buy", "68300", "0.001")).await.ok();
    world.caught_up();
    let orders = buyer.get(&world, "/orders").await.ok();
    assert_eq!(
        texts(&orders["orders"][0], &["state", "filled", "left", "average"]),
        ["open", "0.001", "0.001", "68350.00"]
    );
    let till = json!({
        "side": "buy", "type": "limit", "price": "68000", "quantity": "0.001", "in_force": "gtd",
        "until": "2026-11-24T01:00:00Z",
    });
    assert_eq!(buyer.place(&world, &till).await.refusal(), (422, "order_malformed"), "it is over already");
    assert!(world.handle.read(|bank| bank.broken_invariants()).unwrap().is_empty());
}

#[tokio::test]
async fn a_repeat_is_the_order_once() {
    let world = with_market();
    let mut customer = trader(&world, "陈思远", "1000.00", "0").await;
    let ask = limit("buy", "68000", "0.002");
    let key = key();
    let mut send = async |body: &Value| {
        let mut ask = request(Method::POST, "/markets/1/orders", Some(body));
        ask.headers_mut().insert("idempotency-key", key.parse().unwrap());
        customer.send(&world, ask).await
    };
    let first = send(&ask).await.ok();
    let again = send(&ask).await.ok();
    assert_eq!(first, again);
    let answer = send(&limit("buy", "68000", "0.001")).await;
    assert_eq!(answer.refusal(), (422, "idempotency_mismatch"));
    // After the kept answers are gone the bank itself knows the command.
    world.pass(601);
    let known = send(&ask).await.ok();
    assert_eq!(known["order"]["id"], first["order"]["id"]);
    let orders = customer.get(&world, "/orders").await.ok();
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rebuild_gives_the_same_rows() {
    let mut world = with_market();
    let mut seller = trader(&world, "陈思远", "0", "0.01000000").await;
    let mut buyer = trader(&world, "林晓雯", "1000.00", "0").await;
    seller.place(&world, &limit("sell", "68250", "0.004")).await.ok();
    seller.place(&world, &limit("sell", "68300", "0.002")).await.ok();
    buyer.place(&world, &json!({ "side": "buy", "type": "budget", "budget": "350.00" })).await.ok();
    buyer.place(&world, &limit("buy", "68000", "0.001")).await.ok();
    world.pass(90);
    let ended = buyer.call(&world, Method::DELETE, "/markets/1/orders").await;
    ended.ok();
    world.caught_up();
    let all = |reads: &projections::ReadModel| {
        let market = exchange::MarketNumber::new(1);
        let query = projections::MarketQuery { limit: 100, ..projections::MarketQuery::default() };
        let from = money::Timestamp::from_ms(0);
        let candles = reads.candles(market, 1, from, from.plus_ms(u64::MAX / 4)).unwrap();
        let rows: Vec<_> = [&seller, &buyer]
            .map(|customer| {
                let id = customer.me["customer_id"].as_str().unwrap().parse().unwrap();
                (reads.orders(id, &query).unwrap(), reads.fills(id, &query).unwrap())
            })
            .into();
        let page = projections::MovementQuery { limit: 100, ..projections::MovementQuery::default() };
        let id = buyer.me["customer_id"].as_str().unwrap().parse().unwrap();
        let movements = reads.movements(id, &page).unwrap().rows;
        (candles, rows, reads.trades(market, None, 100).unwrap(), movements, reads.status().movements)
    };
    let before = all(&world.reads());
    assert_eq!((before.0.len(), before.2.len()), (1, 2), "candles and trades");
    assert_eq!(before.1[1].1.len(), 2, "the buyer's fills");
    world.rebuild();
    assert_eq!(all(&world.reads()), before);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = with_market();
    let mut customer = trader(&world, "陈思远", "1000.00", "0").await;
    for price in ["67000", "67010", "67020", "67030", "67040"] {
        customer.place(&world, &limit("buy", price, "0.001")).await.ok();
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = customer.get(&world, &format!("/orders?limit=2{cursor}")).await.ok();
        seen.extend(page["orders"].as_array().unwrap().iter().map(|of| of["price"].clone()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["67040", "67030", "67020", "67010", "67000"]);
    let answer = customer.get(&world, "/orders?cursor=nonsense").await;
    assert_eq!(answer.refusal(), (400, "bad_request"));
}
