//! Markets by the bank's people, over their own address: four eyes for what matters, one hand for stopping, and hints with what they were seen in.

use std::net::SocketAddr;

use bank::{Command, Submission};
use exchange::row::{Ask, OrderBatch, OrderRow, PlaceRow};
use exchange::{Command as C, MarketNumber, Price, Quantity, Seat, Side};
use identity::Actor;
use jinku::config::Key;
use jinku::operate::markets::{Change, MarketOrder};
use jinku::operate::{self, Operator, Order};
use ledger::{AccountKind, Entry, Leg};
use money::{AccountId, Amount, Asset, CommandId, EntryId, Text};
use node::Handle;
use payments::Books;
use serde_json::json;

use crate::support::Bank;

/// The market that is opened here, after those of the history.
const GOLD: u32 = 4;

/// A bank with its operators' interface.
struct Desk {
    handle: Handle,
    anna: Operator,
    boris: Operator,
    serial: std::cell::Cell<u128>,
}

impl Desk {
    fn give(&self, command: Command) {
        self.serial.set(self.serial.get() + 1);
        let id = CommandId::new(self.serial.get());
        let actor = Actor::Operator(Text::clip("anna"));
        self.handle.submit(Submission { id, actor, command }).unwrap();
    }

    fn order(by: &Operator, order: MarketOrder) -> anyhow::Result<u64> {
        by.order(Order::Market { order })
    }

    /// An account of the bank's own with something on it.
    fn account(&self, number: u128, amount: Amount, from: AccountId) -> AccountId {
        let id = AccountId::new(0x4D00 + number);
        let (kind, asset) = (AccountKind::Customer, amount.asset());
        let open = ledger::Command::OpenAccount { id, kind, asset, tenant: None, opened_at: None };
        self.give(Command::Ledger(open));
        let legs = vec![Leg::debit(from, amount), Leg::credit(id, amount)];
        let entry = EntryId::new(0x4D00 + number);
        let entry = Entry { id: entry, legs, effective_at: None, reference: None, memo: Text::clip("stock") };
        let change = ledger::Change { entry: Some(entry), ..ledger::Change::default() };
        self.give(Command::Ledger(ledger::Command::Change(change)));
        id
    }

    fn place(&self, seat: u32, side: Side, price: u64) {
        let ask = Ask::Place(PlaceRow::limit(side, Price::new(price), Quantity::new(2)));
        let row = OrderRow { market: MarketNumber::new(GOLD), seat: Seat::new(seat), ask };
        self.give(Command::Exchange(C::Orders(OrderBatch::of(&[row]).unwrap())));
    }
}

fn terms() -> serde_json::Value {
    json!({
        "lot": "0.01", "tick": "1", "quantity_max": "1000", "min_notional": "1.00",
        "maker_ppm": -100, "taker_ppm": 500, "band_bps": 2_000, "halt_bps": 1_000, "reference_ms": 300_000,
        "call_ms": 60_000, "open_orders_max": 100,
    })
}

fn change(json: serde_json::Value) -> MarketOrder {
    MarketOrder::Propose { change: serde_json::from_value::<Change>(json).unwrap() }
}

#[test]
fn two_people_open_a_market_and_one_stops_it() {
    let bank = Bank::with_history("markets");
    let (node, projections) = bank.start();
    let handle = node.handle();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let token = bank.installation.key(Key::Operator).unwrap();
    let router = operate::router(handle.clone(), projections.reader(), token);
    runtime.spawn(api::serve(listener, router, std::future::pending()));
    let person = |name| Operator::new(&bank.installation, address, name).unwrap();
    let serial = std::cell::Cell::new(0x4D00_0000);
    let desk = Desk { handle, anna: person("anna"), boris: person("boris"), serial };

    let gold = Asset::new("XAU", 4).unwrap();
    let account = |number: u128| AccountId::new(0x4E00 + number);
    let books = Books {
        asset: gold,
        reserve: account(1),
        transit_instant: account(2),
        transit_high_value: account(3),
        suspense: account(4),
        fees: account(5),
        capital: account(6),
    };
    desk.give(Command::Payments(payments::Command::OpenBooks(books)));

    // What nobody could trade in is not proposed.
    let mut odd = terms();
    odd["tick"] = json!("0.5");
    let refused = Desk::order(
        &desk.anna,
        change(json!({ "kind": "open", "base": "XAU", "quote": "CNY", "rules": odd, "reference": "500" })),
    );
    assert!(refused.unwrap_err().to_string().contains("no whole number of minor units"));
    Desk::order(
        &desk.anna,
        change(
            json!({ "kind": "open", "base": "XAU", "quote": "CNY", "rules": terms(), "reference": "500" }),
        ),
    )
    .unwrap();
    let waiting = desk.boris.proposals().unwrap();
    assert_eq!((waiting[0].by.as_str(), waiting[0].about.as_str()), ("anna", "open XAU/CNY"));
    let approve = || MarketOrder::Approve { proposal: waiting[0].number };
    assert!(Desk::order(&desk.anna, approve()).is_err(), "nobody approves their own");
    Desk::order(&desk.boris, approve()).unwrap();
    let market = desk.anna.markets().unwrap().pop().unwrap();
    assert_eq!((market.phase.as_str(), market.reference.as_str()), ("open", "500"));
    assert_eq!((market.band.low.as_str(), market.band.high.as_str()), ("400", "600"));
    assert_eq!(
        (market.rules.tick.as_str(), market.rules.lot.as_str(), market.rules.maker_ppm),
        ("1", "0.01", -100)
    );

    // Two seats of the bank trade with each other, which is worth a look.
    let yuan = Amount::parse(Asset::CNY, "10000.00").unwrap();
    let ounces = Amount::parse(gold, "10").unwrap();
    let from = jinku::opening::books().capital;
    for seat in 0..2 {
        let (base, quote) =
            (desk.account(seat * 2, ounces, account(1)), desk.account(seat * 2 + 1, yuan, from));
        let market = MarketNumber::new(GOLD);
        desk.give(Command::Exchange(C::TakeSeat { market, base, quote, group: None }));
    }
    desk.place(0, Side::Ask, 500);
    desk.place(1, Side::Bid, 500);
    desk.place(0, Side::Ask, 510);
    let book = desk.anna.book(GOLD, 10).unwrap();
    assert_eq!((book.asks.len(), book.asks[0].price.as_str(), book.asks[0].orders[0].seat), (1, "510", 0));
    let head = desk.handle.durable().seq;
    assert!(projections.reader().wait_for(head, std::time::Duration::from_secs(10)));
    let hints = desk.anna.surveillance(GOLD).unwrap();
    assert_eq!((hints[0].kind.as_str(), hints[0].seats.as_slice()), ("wash", [0, 1].as_slice()));
    assert_eq!(hints[0].evidence[0].quantity.as_deref(), Some("0.02"));

    // One hand stops a seat and a market; going on needs two.
    Desk::order(&desk.boris, MarketOrder::StopSeat { market: GOLD, seat: 0 }).unwrap();
    Desk::order(&desk.boris, MarketOrder::Suspend { market: GOLD }).unwrap();
    let market = desk.anna.markets().unwrap().pop().unwrap();
    assert_eq!((market.phase.as_str(), market.orders, market.seats), ("suspended", 0, 2));
    Desk::order(&desk.anna, change(json!({ "kind": "resume", "market": GOLD, "reference": "505" }))).unwrap();
    let number = desk.anna.proposals().unwrap()[0].number;
    Desk::order(&desk.boris, MarketOrder::Approve { proposal: number }).unwrap();
    let market = desk.anna.markets().unwrap().pop().unwrap();
    assert_eq!((market.phase.as_str(), market.phase_why.as_deref()), ("call", Some("resumption")));
    assert_eq!(market.reference, "505");

    // The console asks by addresses of its own; a change is the same command.
    let token = format!("Bearer {}", hex::encode(token));
    let post = |path: &str, body: serde_json::Value| {
        let request = ureq::post(format!("http://{address}/{path}")).header("authorization", &token);
        request.send_json(&body).map(|response| response.status().as_u16())
    };
    let mut wider = terms();
    wider["halt_bps"] = json!(1_500);
    let wider = json!({ "by": "anna", "kind": "rules", "market": GOLD, "rules": wider });
    assert!(matches!(post("proposals", wider), Ok(200)));
    let proposal = desk.boris.proposals().unwrap().pop().unwrap();
    let bps = |rules: &Option<jinku::operate::markets::MarketTerms>| rules.as_ref().unwrap().halt_bps;
    assert_eq!((bps(&proposal.now), bps(&proposal.rules)), (1_000, 1_500));
    let path = format!("proposals/{}/approve", proposal.number);
    assert!(matches!(post(&path, json!({ "by": "anna" })), Err(ureq::Error::StatusCode(422))));
    assert!(matches!(post(&path, json!({ "by": "boris" })), Ok(200)));
    assert_eq!(desk.anna.markets().unwrap().pop().unwrap().rules.halt_bps, 1_500);
    assert!(matches!(post(&format!("markets/{GOLD}/seats/0/free"), json!({ "by": "anna" })), Ok(200)));

    // Nobody sees or does anything without the token.
    let stranger = ureq::get(format!("http://{address}/surveillance?market=1")).call();
    assert!(matches!(stranger, Err(ureq::Error::StatusCode(401))));
    runtime.shutdown_background();
}
