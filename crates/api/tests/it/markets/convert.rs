//! Converting: a firm price, taken once and by nobody else, and what the books say after.

use bank::Command;
use exchange::MarketChange;
use exchange::price::{Pair, PriceTerms, Reading};
use exchange::quote::{ConvertTerms, SizeBand};
use identity::Actor;
use ledger::{AccountKind, Change, Entry, Leg};
use money::{AccountId, Amount, Asset, EntryId, Text, Timestamp};
use serde_json::{Value, json};

use super::{btc, decide, operator, trader, with_market};
use crate::support::World;

const DESK: [AccountId; 2] = [AccountId::new(31), AccountId::new(32)];

/// A bank that converts between bitcoin and yuan around 68,250.
fn with_desk() -> World {
    let world = with_market();
    let stock = [Amount::parse(btc(), "10").unwrap(), Amount::parse(Asset::CNY, "1000000").unwrap()];
    for (number, ((account, amount), from)) in (71_u128..).zip(DESK.into_iter().zip(stock).zip([26, 6])) {
        let (kind, asset) = (AccountKind::Customer, amount.asset());
        let open = ledger::Command::OpenAccount { id: account, kind, asset, tenant: None, opened_at: None };
        world.submit(operator("test"), Command::Ledger(open));
        if from == 26 {
            let legs = vec![Leg::debit(AccountId::new(21), amount), Leg::credit(AccountId::new(26), amount)];
            post(&world, number + 10, legs);
        }
        post(&world, number, vec![Leg::debit(AccountId::new(from), amount), Leg::credit(account, amount)]);
    }
    let (pair, from) = (Pair { base: btc(), quote: Asset::CNY }, Timestamp::from_ms(0));
    let prices = PriceTerms {
        stale_ms: 60_000,
        sources_min: 1,
        jump_ppm: 30_000,
        confirm_ms: 5_000,
        width_max_ppm: 10_000,
        half_life_ms: 60_000,
        volatility_min_ppb: 1,
    };
    let yuan = |text| Amount::parse(Asset::CNY, text).unwrap();
    let terms = ConvertTerms {
        bands: vec![SizeBand { up_to: yuan("50000.00"), spread_ppm: 2_000 }],
        least: yuan("10.00"),
        lock_ms: 15_000,
        volatility_share_ppm: 0,
        target: stock[0],
        target_band: stock[0],
        skew_ppm: 0,
        spread_max_ppm: 50_000,
        fee_ppm: 500,
    };
    decide(&world, MarketChange::SetPriceTerms { pair, from, terms: prices });
    decide(&world, MarketChange::SetConvertTerms { pair, from, terms });
    for (asset, account, fees) in [(btc(), DESK[0], 25), (Asset::CNY, DESK[1], 5)] {
        decide(&world, MarketChange::SetInventory { asset, account, fees: AccountId::new(fees) });
    }
    let rate = "68250".parse().unwrap();
    let at = world.handle.status().recorded_at;
    let reading = Reading { source: Text::clip("one"), bid: rate, ask: rate, at };
    let read = exchange::Command::ReadPrice { pair, reading };
    world.submit(Actor::System, Command::Exchange(read));
    world
}

fn post(world: &World, id: u128, legs: Vec<Leg>) {
    let id = EntryId::new(id);
    let entry = Entry { id, legs, effective_at: None, reference: None, memo: Text::clip("stock") };
    let change = Change { entry: Some(entry), ..Change::default() };
    world.submit(operator("test"), Command::Ledger(ledger::Command::Change(change)));
}

fn ask(amount: &str) -> Value {
    json!({ "from": "CNY", "to": "BTC", "exact": "in", "amount": amount })
}

#[tokio::test]
async fn an_offer_is_taken_once_and_moves_what_it_says() {
    let world = with_desk();
    let mut customer = trader(&world, "陈思远", "1000.00", "0").await;
    let mut other = trader(&world, "林晓雯", "1000.00", "0").await;
    let pairs = customer.get(&world, "/convert/pairs").await.ok();
    assert_eq!(pairs["pairs"][0]["mid"], "68250");
    assert_eq!(pairs["pairs"][0]["max"], "50000.00");
    let offered = customer.post(&world, "/convert/quotes", &ask("682.50")).await.ok();
    let offer = &offered["offer"];
    assert_eq!(offer["pays"], json!({ "asset": "CNY", "value": "682.50" }));
    assert_eq!(offer["spread_bps"], 20);
    // A fee of 0.05 % and then 0.2 % above the middle; the rest is 0.00997 bitcoin and a little.
    assert_eq!(offer["fee"], json!({ "asset": "CNY", "value": "0.35" }));
    assert_eq!(offer["takes"], json!({ "asset": "BTC", "value": "0.00997492" }));
    assert_eq!(offer["route"], json!([{ "venue": "inventory", "share_bps": 10_000 }]));
    let path = format!("/convert/quotes/{}/accept", offer["id"].as_str().unwrap());
    let take = json!({ "terms_hash": offer["terms_hash"] });
    // Other terms, somebody else.
    let altered = json!({ "terms_hash": "00".repeat(32) });
    assert_eq!(customer.post(&world, &path, &altered).await.refusal().1, "quote_altered");
    let foreign = other.post(&world, &path, &take).await;
    assert_eq!(foreign.refusal().1, "quote_unknown");
    let done = customer.post(&world, &path, &take).await.ok();
    assert_eq!(done["conversion"]["takes"], offer["takes"]);
    assert_eq!(customer.post(&world, &path, &take).await.refusal().1, "quote_used");
    assert_eq!(customer.balance(&world, "CNY").await, ["317.50", "317.50"]);
    assert_eq!(customer.balance(&world, "BTC").await, ["0.00997492", "0.00997492"]);
    let history = customer.get(&world, "/convert/history").await.ok();
    assert_eq!(history["conversions"], json!([done["conversion"]]));
    assert_eq!(other.get(&world, "/convert/history").await.ok()["conversions"], json!([]));
    let movements = customer.get(&world, "/movements").await.ok();
    let paid =
        &movements["items"].as_array().unwrap().iter().find(|of| of["amount"]["asset"] == "CNY").unwrap();
    assert_eq!((&paid["kind"], &paid["balance_after"]["value"]), (&json!("convert"), &json!("317.50")));
    assert_eq!(paid["note"], "CONVERT 682.50 CNY -> 0.00997492 BTC");
    // What was taken can be sold on the market: the read models know of it.
    let sell = json!({ "side": "sell", "type": "limit", "price": "68250", "quantity": "0.009" });
    customer.place(&world, &sell).await.ok();
    let buy = json!({ "side": "buy", "type": "market", "quantity": "0.009" });
    assert_eq!(other.place(&world, &buy).await.ok()["order"]["state"], "filled");
    world.caught_up();
    let movements = customer.get(&world, "/movements").await.ok();
    let sold =
        &movements["items"].as_array().unwrap().iter().find(|of| of["amount"]["asset"] == "BTC").unwrap();
    assert_eq!((&sold["kind"], &sold["balance_after"]["value"]), (&json!("trade"), &json!("0.00097492")));
    assert!(world.handle.read(|bank| bank.broken_invariants()).unwrap().is_empty());
}

#[tokio::test]
async fn an_offer_ends_with_its_time() {
    let world = with_desk();
    let mut customer = trader(&world, "陈思远", "1000.00", "0").await;
    let offered = customer.post(&world, "/convert/quotes", &ask("100.00")).await.ok();
    world.pass(16);
    let path = format!("/convert/quotes/{}/accept", offered["offer"]["id"].as_str().unwrap());
    let take = json!({ "terms_hash": offered["offer"]["terms_hash"] });
    assert_eq!(customer.post(&world, &path, &take).await.refusal().1, "quote_expired");
    assert_eq!(customer.balance(&world, "CNY").await, ["1000.00", "1000.00"]);
    let refused = customer.post(&world, "/convert/quotes", &ask("1.00")).await;
    assert_eq!(refused.refusal().1, "amount_too_small");
    let refused = customer.post(&world, "/convert/quotes", &ask("60000.00")).await;
    assert_eq!(refused.refusal().1, "amount_too_large");
    // Without readings nothing is offered.
    world.pass(120);
    let refused = customer.post(&world, "/convert/quotes", &ask("100.00")).await;
    assert_eq!(refused.refusal().1, "unavailable");
}
