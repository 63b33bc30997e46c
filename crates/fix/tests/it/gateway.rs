//! The gateway over sockets: who is let in, what outlives a connection, and readers that are slow.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fix::server::{Server, Settings};

use crate::client::PlainClient;
use crate::venue::{MemoryVenue, TOKEN};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A gateway over a venue in memory, with a folder that goes with it.
pub(crate) struct Gateway {
    pub(crate) venue: Arc<MemoryVenue>,
    server: Option<Server>,
    folder: PathBuf,
}

impl Gateway {
    pub(crate) fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("fix-gateway-{}-{number}", std::process::id()));
        let mut gateway = Self { venue: Arc::default(), server: None, folder };
        gateway.start();
        gateway
    }

    fn start(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let settings = Settings { name: "JINKU".to_owned(), folder: self.folder.clone() };
        self.server = Some(Server::start(listener, settings, Arc::clone(&self.venue)).unwrap());
    }

    /// Ends the server and starts it on the same stores.
    fn restart(&mut self) {
        self.server = None;
        self.start();
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.as_ref().unwrap().address()
    }

    pub(crate) fn log_on(&self, name: &str) -> PlainClient {
        PlainClient::log_on(self.address(), name)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server = None;
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Waits for something that another thread does.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::yield_now();
    }
}

fn order(id: &str, side: u32, price: u32) -> String {
    format!("11={id}|38=1|40=2|44={price}|59=1|55=BTC/CNY|54={side}|60=20240229-12:00:00|")
}

#[test]
fn who_is_let_in() {
    let gateway = Gateway::new();
    let refused = |name: &str, fields: &str| {
        let mut client = PlainClient::connect(gateway.address(), name);
        client.say("A", fields);
        client.hear()
    };
    assert_eq!(refused("C", "98=0|108=30|553=acc|554=wrong|"), "5 58=not authorised|");
    assert_eq!(refused("C", "98=0|108=30|"), "5 58=not authorised|");
    assert_eq!(refused("../C", &format!("98=0|108=30|554={TOKEN}|")), "gone");
    assert_eq!(
        refused("C", &format!("98=0|108=999|554={TOKEN}|")),
        "5 58=HeartBtInt must be between 1 and 300|"
    );
    let mut client = PlainClient::connect(gateway.address(), "C");
    client.say("0", "");
    assert_eq!(client.hear(), "gone");
    let mut first = gateway.log_on("C");
    assert_eq!(refused("C", &format!("98=0|108=30|554={TOKEN}|")), "5 58=the session is connected already|");
    first.say("1", "112=still here|");
    assert_eq!(first.hear(), "0 112=still here|");
    first.say("5", "");
    assert_eq!(first.hear(), "5 ");
    assert_eq!(first.hear(), "gone");
    until("the name is free again", || {
        let mut again = PlainClient::connect(gateway.address(), "C");
        again.say("A", &format!("98=0|108=30|141=Y|554={TOKEN}|"));
        again.hear() == "A 98=0|108=30|141=Y|"
    });
}

#[test]
fn a_gateway_that_closes_says_so() {
    let mut gateway = Gateway::new();
    let mut client = gateway.log_on("C");
    let ending = std::thread::spawn(move || {
        gateway.server = None;
        gateway
    });
    assert_eq!(client.hear(), "5 58=the venue closes|");
    client.say("5", "");
    assert_eq!(client.hear(), "gone");
    drop(ending.join().unwrap());
}

#[test]
fn a_silent_client_is_asked_and_left() {
    let gateway = Gateway::new();
    let mut client = PlainClient::connect(gateway.address(), "C");
    client.say("A", &format!("98=0|108=1|141=Y|554={TOKEN}|"));
    assert_eq!(client.hear(), "A 98=0|108=1|141=Y|");
    let mut heard = Vec::new();
    while heard.last().is_none_or(|text| text != "gone") {
        heard.push(client.hear());
    }
    let asked = heard.iter().filter(|text| text.starts_with("1 112=")).count();
    assert_eq!(asked, 1, "{heard:?}");
    assert_eq!(heard[heard.len() - 2], "5 58=no answer to a test request|");
}

#[test]
fn two_clients_trade() {
    let gateway = Gateway::new();
    let (mut buyer, mut seller) = (gateway.log_on("B"), gateway.log_on("S"));
    buyer.say("D", &order("b", 1, 100));
    assert!(buyer.hear().contains("|150=0|"));
    seller.say("D", &order("s", 2, 100));
    assert!(seller.hear().contains("|150=0|"));
    assert!(seller.hear().contains("|150=F|39=2|"));
    let filled = buyer.hear();
    assert!(filled.contains("|150=F|39=2|") && filled.contains("|851=1|"), "{filled}");
}

#[test]
fn what_happens_while_a_client_is_away_is_told_when_it_is_back() {
    let mut gateway = Gateway::new();
    let mut buyer = gateway.log_on("B");
    buyer.say("D", &order("b", 1, 100));
    assert!(buyer.hear().contains("|17=1|150=0|"));
    buyer.say("5", "");
    assert_eq!(buyer.hear(), "5 ");
    let seq = buyer.seq;
    drop(buyer);
    let mut seller = gateway.log_on("S");
    seller.say("D", &order("s", 2, 100));
    assert!(seller.hear().contains("|150=0|") && seller.hear().contains("|150=F|"));
    drop(seller);
    gateway.restart();
    let mut buyer = PlainClient::connect(gateway.address(), "B");
    buyer.seq = seq;
    buyer.say("A", &format!("98=0|108=30|553=acc|554={TOKEN}|"));
    let logon = buyer.next().unwrap();
    // Logon, report and logout came before.
    assert_eq!(logon.seq(), 4);
    assert!(buyer.hear().contains("|17=2|150=F|39=2|"));
    // All reports can be had again, and nothing else.
    buyer.say("2", "7=1|16=0|");
    assert_eq!(buyer.hear(), "4 43=Y|123=Y|36=2|");
    assert!(buyer.hear().starts_with("8 43=Y|37=1|11=b|17=1|150=0|"));
    assert_eq!(buyer.hear(), "4 43=Y|123=Y|36=5|");
    assert!(buyer.hear().starts_with("8 43=Y|37=1|11=b|17=2|150=F|"));
}

#[test]
fn an_order_whose_outcome_is_in_doubt_is_asked_for_again_and_placed_once() {
    let gateway = Gateway::new();
    let mut client = gateway.log_on("C");
    gateway.venue.hold();
    client.say("D", &order("a", 1, 100));
    client.say("D", &order("b", 1, 99));
    client.say("1", "112=x|");
    assert_eq!(client.hear(), "0 112=x|");
    until("both have come", || gateway.venue.held() == 2);
    // Both are placed, and nobody hears of the first.
    gateway.venue.go_on(1);
    let mut told = Vec::new();
    while !told.last().is_some_and(|text: &String| text.starts_with("5 ")) {
        told.push(client.hear());
    }
    assert_eq!(told.last().unwrap(), "5 58=the outcome of a request is in doubt: connect again|");
    client.say("5", "");
    assert_eq!(client.hear(), "gone");
    let seq = client.seq;
    drop(client);
    let mut client = PlainClient::connect(gateway.address(), "C");
    until("the name is free again", || {
        client = PlainClient::connect(gateway.address(), "C");
        client.seq = seq;
        client.say("A", &format!("98=0|108=30|553=acc|554={TOKEN}|"));
        client.hear() == "A 98=0|108=30|"
    });
    // Its number and all after it are asked for again.
    let mut heard = client.hear();
    while heard.starts_with("8 ") {
        heard = client.hear();
    }
    assert_eq!(heard, "2 7=2|16=0|");
    let again = |client: &PlainClient, seq, fields: &str| {
        client.bytes("D", seq, &format!("43=Y|122=20240229-12:00:00|{fields}"))
    };
    let (first, second) = (again(&client, 2, &order("a", 1, 100)), again(&client, 3, &order("b", 1, 99)));
    client.stream.write_all(&[first, second].concat()).unwrap();
    let mut states = Vec::new();
    while states.len() < 2 {
        let heard = client.hear();
        if heard.contains("|150=I|") {
            states.push(heard);
        }
    }
    assert!(states[0].contains("|11=a|") && states[0].contains("|39=0|"), "{states:?}");
    assert_eq!(gateway.venue.live(), 2);
}

#[test]
fn a_refusal_that_could_not_be_told_is_told_later() {
    let mut gateway = Gateway::new();
    let mut client = gateway.log_on("C");
    gateway.venue.hold();
    client.say("D", &order("a", 1, 100).replace("38=1|", "38=2000|"));
    until("it has come", || gateway.venue.held() == 1);
    let server = gateway.server.take();
    let ending = std::thread::spawn(move || drop(server));
    assert_eq!(client.hear(), "5 58=the venue closes|");
    gateway.venue.go_on(0);
    client.say("5", "");
    assert_eq!(client.hear(), "gone");
    ending.join().unwrap();
    gateway.start();
    let seq = client.seq;
    let mut client = PlainClient::connect(gateway.address(), "C");
    client.seq = seq;
    client.say("A", &format!("98=0|108=30|553=acc|554={TOKEN}|"));
    assert_eq!(client.hear(), "A 98=0|108=30|");
    assert_eq!(client.hear(), "2 7=2|16=0|");
    let again = order("a", 1, 100).replace("38=1|", "38=2000|");
    let again = client.bytes("D", 2, &format!("43=Y|122=20240229-12:00:00|{again}"));
    client.stream.write_all(&again).unwrap();
    let told = client.hear();
    assert!(told.contains("|11=a|") && told.contains("|150=8|39=8|103=3|"), "{told}");
}

#[test]
fn no_more_is_read_than_the_venue_takes() {
    let gateway = Gateway::new();
    let mut client = gateway.log_on("C");
    gateway.venue.hold();
    let count = fix::desk::WAITING_MAX as u32 + 100;
    for number in 0..count {
        client.say("D", &order(&format!("o{number}"), 1, 1 + number));
    }
    until("the venue has its share", || gateway.venue.held() == fix::desk::WAITING_MAX);
    gateway.venue.go_on(0);
    for number in 0..count {
        let told = client.hear();
        assert!(told.contains(&format!("|11=o{number}|")) && told.contains("|150=0|"), "{number}: {told}");
    }
    assert_eq!(gateway.venue.live(), count as usize);
}

#[test]
fn garbage_leaves_a_gap_or_ends_the_connection() {
    let gateway = Gateway::new();
    let mut client = gateway.log_on("C");
    let mut damaged = client.bytes("D", 2, &order("a", 1, 100));
    damaged[40] ^= 1;
    client.stream.write_all(&damaged).unwrap();
    client.seq = 3;
    client.say("1", "112=x|");
    assert_eq!(client.hear(), "2 7=2|16=0|");
    client
        .stream
        .write_all(&client.bytes("D", 2, &format!("43=Y|122=20240229-12:00:00|{}", order("a", 1, 100))))
        .unwrap();
    client.stream.write_all(&client.bytes("1", 3, "43=Y|122=20240229-12:00:00|112=x|")).unwrap();
    let told = [client.hear(), client.hear()];
    assert!(
        told.iter().any(|text| text == "0 112=x|") && told.iter().any(|text| text.contains("|150=0|")),
        "{told:?}"
    );
    let mut noise = TcpStream::connect(gateway.address()).unwrap();
    let _ = noise.write_all(&vec![b'x'; 100_000]);
    noise.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let ended = std::io::Read::read(&mut noise, &mut [0; 16]);
    assert!(matches!(ended, Ok(0)) || ended.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset));
}

/// While the reader sleeps the book changes thousands of times. What it reads then is short, and leads to the book as it is.
#[test]
fn a_slow_reader_gets_the_book_not_its_history() {
    const CHANGES: u32 = 3_000;
    let gateway = Gateway::new();
    let mut slow = gateway.log_on("SLOW");
    slow.say("V", "262=m|263=1|264=0|265=1|267=2|269=0|269=1|146=1|55=BTC/CNY|");
    assert_eq!(slow.hear(), "W 262=m|55=BTC/CNY|268=0|");
    let mut maker = gateway.log_on("MAKER");
    // Wide books fill the socket of the sleeper soon.
    for number in 0..CHANGES {
        maker.say("D", &order(&format!("o{number}"), 1, 1_000 + number % 700));
        assert!(maker.hear().contains("|150=0|"));
    }
    let mut book = std::collections::BTreeMap::new();
    let mut messages = 0;
    while book.values().sum::<u32>() < CHANGES {
        let message = slow.next().unwrap();
        messages += 1;
        if message.get(fix::dictionary::tag::MSG_TYPE) == Some("W") {
            book.clear();
        }
        let mut price = None;
        let mut gone = false;
        for (tag, value) in message.fields() {
            let text = String::from_utf8_lossy(value).into_owned();
            match tag.number() {
                279 => gone = text == "2",
                270 => price = Some(text.clone()),
                271 => {
                    book.insert(price.clone().unwrap(), text.parse::<u32>().unwrap());
                }
                _ => {}
            }
            assert!(!gone, "nothing was cancelled");
        }
    }
    assert!(messages <= CHANGES, "{messages} messages");
    assert_eq!(book.len(), 700);
}
