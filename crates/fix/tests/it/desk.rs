//! What messages lead to, and what the venue's answers become: golden texts.

use std::sync::Arc;

use crossbeam_channel::Receiver;
use fix::codec::Message;
use fix::desk::Desk;
use fix::venue::{Answer, Client, Credentials, MarketState, Position, Venue as _};

use crate::client::{frame, short_body};
use crate::venue::{AT, MemoryVenue, TOKEN};

struct Bench {
    venue: Arc<MemoryVenue>,
    desk: Desk<MemoryVenue>,
    replies: Receiver<(u64, Answer)>,
    position: Position,
    seq: u64,
}

/// An order with all that is required.
const ORDER: &str = "55=BTC/CNY|54=1|60=20240229-12:00:00|";

impl Bench {
    fn new() -> Self {
        Self::of(Arc::default(), "C")
    }

    fn of(venue: Arc<MemoryVenue>, session: &str) -> Self {
        let (sender, replies) = crossbeam_channel::bounded(fix::desk::WAITING_MAX);
        let client: Client =
            venue.log_on(&Credentials { session, username: "acc", password: TOKEN }).unwrap();
        let desk = Desk::new(Arc::clone(&venue), client, sender);
        Self { venue, desk, replies, position: Position::new(0), seq: 1 }
    }

    fn told(&mut self, kind: &str, fields: &str) -> Vec<String> {
        self.seq += 1;
        let head = format!("35={kind}|49=C|56=V|34={}|52=20240229-12:00:00|", self.seq);
        let message = Message::read(frame(&format!("{head}{fields}"))).unwrap();
        assert_eq!(message.fault(), None);
        let mut bodies = self.desk.take(&message, AT).bodies;
        bodies.extend(self.rest());
        bodies.iter().map(short_body).collect()
    }

    fn rest(&mut self) -> Vec<fix::codec::Body> {
        let mut bodies = Vec::new();
        while let Ok((number, answer)) = self.replies.try_recv() {
            bodies.extend(self.desk.answered(number, answer, AT).bodies);
        }
        while let Some((position, page)) = self.desk.reports(self.position) {
            self.position = position;
            bodies.extend(page);
        }
        bodies
    }

    fn take(&mut self, kind: &str, fields: &str, expect: &[&str]) {
        assert_eq!(self.told(kind, fields), expect, "after {kind} {fields}");
    }

    fn order(&mut self, fields: &str, expect: &[&str]) {
        self.take("D", &format!("{fields}{ORDER}"), expect);
    }

    /// What is told of the order is a refusal with this reason and these words.
    fn refused(&mut self, fields: &str, reason: u64, words: &str) {
        let told = self.told("D", fields).join("\n");
        assert!(
            told.contains("|150=8|39=8|") && told.contains(&format!("|103={reason}|")),
            "{fields}: {told}"
        );
        assert!(told.ends_with(&format!("|58={words}|")), "{fields}: {told}");
    }

    /// The message breaks the rules: this reason, in this field.
    fn rejected(&mut self, kind: &str, fields: &str, reason: u64, tag: u32) {
        let told = self.told(kind, fields).join("\n");
        let expect = format!("3 45={}|371={tag}|372={kind}|373={reason}|", self.seq);
        assert!(told.starts_with(&expect), "{fields}: {told}");
    }

    fn look(&mut self, expect: &[&str]) {
        let told: Vec<String> = self.desk.look().iter().map(short_body).collect();
        assert_eq!(told, expect);
    }
}

const PLACED: &str = "8 37=1|11=a|17=1|150=0|39=0|55=BTC/CNY|54=1|38=2|40=2|44=100|59=1|151=2|14=0|6=0|60=20240229-12:00:00.000|";

#[test]
fn a_limit_order_lives_and_is_cancelled() {
    let mut bench = Bench::new();
    bench.order("11=a|38=2|40=2|44=100.00|59=1|", &[PLACED]);
    bench.take(
        "F",
        &format!("11=b|41=a|{ORDER}"),
        &["8 37=1|11=b|41=a|17=2|150=4|39=4|55=BTC/CNY|54=1|38=2|40=2|44=100|59=1|151=0|14=0|6=0|60=20240229-12:00:00.000|"],
    );
    bench.take(
        "F",
        &format!("11=c|41=a|{ORDER}"),
        &["9 37=1|11=c|41=a|39=4|434=1|102=0|58=the order has ended|"],
    );
    bench.take(
        "F",
        &format!("11=d|41=x|{ORDER}"),
        &["9 37=NONE|11=d|41=x|39=8|434=1|102=1|58=there is no such order|"],
    );
}

#[test]
fn fills_are_reported_to_both() {
    let venue = Arc::default();
    let (mut buyer, mut seller) = (Bench::of(Arc::clone(&venue), "B"), Bench::of(venue, "S"));
    buyer.order("11=a|38=2|40=2|44=100.00|59=1|", &[PLACED]);
    seller.take(
        "D",
        "11=s|38=0.5|40=1|55=BTC/CNY|54=2|60=20240229-12:00:00|",
        &[
            "8 37=2|11=s|17=1|150=0|39=0|55=BTC/CNY|54=2|38=0.5|40=1|59=3|151=0.5|14=0|6=0|60=20240229-12:00:00.000|",
            "8 37=2|11=s|17=2|150=F|39=2|55=BTC/CNY|54=2|38=0.5|40=1|59=3|151=0|14=0.5|6=100|60=20240229-12:00:00.000|32=0.5|31=100|851=2|136=1|137=0.02|138=CNY|139=4|",
        ],
    );
    let told: Vec<String> = buyer.rest().iter().map(short_body).collect();
    let partial = "8 37=1|11=a|17=2|150=F|39=1|55=BTC/CNY|54=1|38=2|40=2|44=100|59=1|151=1.5|14=0.5|6=100|60=20240229-12:00:00.000|32=0.5|31=100|851=1|136=1|137=-0.01|138=CNY|139=4|";
    assert_eq!(told, [partial]);
    buyer.take(
        "H",
        "11=a|790=q|55=BTC/CNY|54=1|",
        &["8 37=1|11=a|17=0|150=I|39=1|55=BTC/CNY|54=1|38=2|40=2|44=100|59=1|151=1.5|14=0.5|6=100|790=q|"],
    );
}

#[test]
fn less_at_the_same_price_is_a_reduction_and_all_else_a_move() {
    let mut bench = Bench::new();
    bench.order("11=a|38=2|40=2|44=100|59=1|", &[PLACED]);
    bench.order("11=z|38=1|40=2|44=100|59=1|", &["8 37=2|11=z|17=2|150=0|39=0|55=BTC/CNY|54=1|38=1|40=2|44=100|59=1|151=1|14=0|6=0|60=20240229-12:00:00.000|"]);
    bench.take(
        "G",
        &format!("11=b|41=a|38=1.5|40=2|44=100|59=1|{ORDER}"),
        &["8 37=1|11=b|41=a|17=3|150=5|39=0|55=BTC/CNY|54=1|38=1.5|40=2|44=100|59=1|151=1.5|14=0|6=0|60=20240229-12:00:00.000|"],
    );
    bench.take(
        "G",
        &format!("11=c|41=b|38=1.5|40=2|44=99.99|{ORDER}"),
        &["8 37=1|11=c|41=b|17=4|150=5|39=0|55=BTC/CNY|54=1|38=1.5|40=2|44=99.99|59=1|151=1.5|14=0|6=0|60=20240229-12:00:00.000|"],
    );
    let nothing = "neither price nor quantity would change";
    bench.take(
        "G",
        &format!("11=d|41=c|38=1.5|40=2|44=99.99|{ORDER}"),
        &[&format!("9 37=1|11=d|41=c|39=0|434=2|102=99|58={nothing}|")],
    );
    bench.take(
        "G",
        &format!("11=e|41=c|38=1.5|40=1|{ORDER}"),
        &["9 37=1|11=e|41=c|39=0|434=2|102=99|58=tag 40 cannot be changed|"],
    );
    bench.take(
        "G",
        &format!("11=e|41=c|38=1|40=2|44=99|59=4|{ORDER}"),
        &["9 37=1|11=e|41=c|39=0|434=2|102=99|58=tag 59 cannot be changed|"],
    );
    bench.take(
        "G",
        &format!("11=e|41=c|38=1|40=2|44=99|111=1|{ORDER}"),
        &["9 37=1|11=e|41=c|39=0|434=2|102=99|58=tag 111 cannot be changed|"],
    );
    bench.take(
        "G",
        &format!("11=e|41=none|38=1|40=2|44=99|{ORDER}"),
        &["9 37=NONE|11=e|41=none|39=8|434=2|102=1|58=there is no order none|"],
    );
    bench.rejected("G", &format!("11=e|41=c|40=2|44=99|{ORDER}"), 1, 38);
}

#[test]
fn a_repeat_is_never_placed_twice() {
    let mut bench = Bench::new();
    bench.order("11=a|38=2|40=2|44=100|59=1|", &[PLACED]);
    let told = bench.told("D", &format!("97=Y|11=a|38=2|40=2|44=100|59=1|{ORDER}"));
    assert_eq!(told, ["8 37=1|11=a|17=0|150=I|39=0|55=BTC/CNY|54=1|38=2|40=2|44=100|59=1|151=2|14=0|6=0|"]);
    bench.refused(&format!("11=a|38=2|40=2|44=100|59=1|{ORDER}"), 6, "this ClOrdID was used before");
    bench.told("G", &format!("11=b|41=a|38=1|40=2|44=100|{ORDER}"));
    let told = bench.told("G", &format!("97=Y|11=b|41=a|38=1|40=2|44=100|{ORDER}"));
    assert_eq!(told, ["8 37=1|11=b|17=0|150=I|39=0|55=BTC/CNY|54=1|38=1|40=2|44=100|59=1|151=1|14=0|6=0|"]);
    assert_eq!(bench.venue.live(), 1);
}

#[test]
fn what_is_not_served_is_refused_by_its_tag() {
    let mut bench = Bench::new();
    let limit = format!("11=a|38=2|40=2|44=100|59=1|{ORDER}");
    bench.refused(&format!("110=1|{limit}"), 11, "tag 110 is not supported");
    bench.refused(&format!("9999=1|{limit}"), 11, "tag 9999 is not supported");
    bench.refused(&format!("18=G|{limit}"), 11, "G in tag 18 is not supported");
    bench.refused(&format!("21=3|{limit}"), 11, "3 in tag 21 is not supported");
    bench.refused(&format!("126=20250101-00:00:00|{limit}"), 11, "an expiry goes with 6 in tag 59 only");
    bench.refused(&format!("1=other|{limit}"), 99, "account other is not this session's");
    bench.refused(&format!("15=USD|{limit}"), 99, "BTC/CNY is priced in CNY, not in USD");
    bench.refused(&format!("99=1|{limit}"), 11, "tag 99 does not go with order type 2");
    bench.refused(&limit.replace("54=1", "54=5"), 11, "5 in tag 54 is not supported");
    bench.refused(&limit.replace("40=2", "40=P"), 11, "P in tag 40 is not supported");
    let day = "0 in tag 59, the day and the default, is not supported: use 1, 3, 4 or 6";
    bench.refused(&limit.replace("59=1|", ""), 11, day);
    bench.refused(&limit.replace("59=1", "59=0"), 11, day);
    bench.refused(&limit.replace("59=1", "59=2"), 11, "2 in tag 59 is not supported");
    bench.refused(&limit.replace("40=2", "40=1"), 11, "a market order needs 3 or 4 in tag 59");
    bench.refused(&limit.replace("BTC/", "XXX/"), 1, "there is no instrument XXX/CNY");
    bench.refused(&limit.replace("44=100", "44=100.005"), 99, "100.005 in tag 44 is no multiple of 0.01");
    bench.refused(&limit.replace("44=100", "44=0"), 99, "0 in tag 44 must be above zero");
    bench.refused(&limit.replace("38=2", "38=0.0001"), 99, "0.0001 in tag 38 is no multiple of 0.001");
    bench.refused(&limit.replace("38=2", "38=2000"), 3, "more than 1000 is needed");
    assert_eq!(bench.venue.live(), 0);
}

#[test]
fn orders_that_break_the_rules_are_rejected() {
    let mut bench = Bench::new();
    let limit = format!("11=a|38=2|40=2|44=100|59=1|{ORDER}");
    for (text, tag) in
        [("11=a|", 11), ("38=2|", 38), ("40=2|", 40), ("44=100|", 44), ("55=BTC/CNY|", 55), ("54=1|", 54)]
    {
        bench.rejected("D", &limit.replace(text, ""), 1, tag);
    }
    bench.rejected("D", &limit.replace("60=20240229-12:00:00|", ""), 1, 60);
    bench.rejected("D", &limit.replace("59=1", "59=6"), 1, 126);
    bench.rejected("D", &limit.replace("59=1", "59=x"), 5, 59);
    bench.rejected("D", &limit.replace("54=1", "54=x"), 5, 54);
    bench.rejected("D", &limit.replace("11=a", "11=a b"), 5, 11);
    bench.rejected("D", &limit.replace("44=100", "44=1e2"), 6, 44);
    bench.rejected("D", &limit.replace("60=2024", "60=x024"), 6, 60);
    bench.rejected("D", &format!("44=100|{limit}"), 13, 44);
    bench.rejected("D", &format!("20001=X|{limit}"), 5, 20001);
    assert_eq!(bench.venue.live(), 0);
}

#[test]
fn all_kinds_of_orders() {
    let mut bench = Bench::new();
    let report = |rest: &str| format!("|55=BTC/CNY|54=1|38=2|{rest}");
    let mut check = |fields: &str, expect: &str| {
        let told = bench.told("D", &format!("{fields}38=2|{ORDER}"));
        assert!(told[0].contains("|150=0|39=0|") && told[0].contains(&report(expect)), "{fields}: {told:?}");
    };
    check("11=a|40=1|", "40=1|59=3|151=2|");
    check("11=b|40=1|44=101|59=4|", "40=1|44=101|59=4|151=2|");
    check(
        "11=c|40=2|44=100|59=6|126=20300101-00:00:00|",
        "40=2|44=100|59=6|126=20300101-00:00:00.000|151=2|",
    );
    check("11=d|40=2|44=100|59=6|432=20300101|", "40=2|44=100|59=6|126=20300101-23:59:59.999|151=2|");
    check("11=e|40=2|44=100|59=1|18=6|111=0.5|", "40=2|44=100|59=1|18=6|111=0.5|151=2|");
    check("11=f|40=3|99=120|59=1|", "40=3|99=120|59=1|151=2|14=0|6=0|636=N|");
    check("11=g|40=4|99=120|44=121.5|59=1|20001=D|", "40=4|44=121.5|99=120|59=1|151=2|14=0|6=0|636=N|");
    check(
        "11=h|1=acc|15=CNY|21=1|58=words|453=1|448=x|447=D|452=3|40=2|44=100|59=1|",
        "40=2|44=100|59=1|151=2|",
    );
    // What cannot be filled at once is dropped.
    let told = bench.told("D", &format!("11=i|40=2|44=90|59=3|38=2|{ORDER}"));
    assert!(told[1].contains("|150=C|39=C|") && told[1].contains("|151=0|"), "{told:?}");
}

#[test]
fn mass_requests() {
    let mut bench = Bench::new();
    bench.take("AF", "584=m|585=7|", &["8 37=NONE|17=0|150=I|39=8|103=5|55=[N/A]|54=1|151=0|14=0|6=0|60=20240229-12:00:00.000|58=there is no live order|584=m|911=0|912=Y|"]);
    for (id, symbol, side) in [("a", "BTC/CNY", 1), ("b", "BTC/CNY", 2), ("c", "ETH/CNY", 1)] {
        let price = 100 * side;
        bench.told(
            "D",
            &format!("11={id}|55={symbol}|54={side}|38=1|40=2|44={price}|59=1|60=20240229-12:00:00|"),
        );
    }
    let told = bench.told("AF", "584=m|585=7|");
    let ends: Vec<&str> = told.iter().map(|text| text.split_once("|584=").unwrap().1).collect();
    assert_eq!(ends, ["m|911=3|912=N|", "m|911=3|912=N|", "m|911=3|912=Y|"]);
    assert_eq!(bench.told("AF", "584=m|585=1|55=ETH/CNY|").len(), 1);
    assert_eq!(bench.told("AF", "584=m|585=7|54=1|").len(), 2);
    let told = bench.told("q", "11=q1|530=1|55=BTC/CNY|54=2|60=20240229-12:00:00|");
    assert_eq!(told[0], "r 11=q1|37=M4|530=1|531=1|533=1|");
    assert!(
        told[1].starts_with("8 37=2|11=b|17=4|150=4|39=4|") && told[1].ends_with("|58=mass cancel|"),
        "{told:?}"
    );
    bench.take(
        "q",
        "11=q2|530=1|55=XXX|60=20240229-12:00:00|",
        &["r 11=q2|37=NONE|530=1|531=0|532=99|58=there is no instrument XXX|"],
    );
    bench.take(
        "q",
        "11=q2|530=3|60=20240229-12:00:00|",
        &["r 11=q2|37=NONE|530=7|531=0|532=99|58=only types 1 and 7 are served|"],
    );
    assert_eq!(bench.told("q", "11=q3|530=7|60=20240229-12:00:00|")[0], "r 11=q3|37=M5|530=7|531=7|533=2|");
    assert_eq!(bench.venue.live(), 0);
    bench.take("H", "11=x|55=BTC/CNY|54=2|", &["8 37=NONE|11=x|17=0|150=I|39=8|103=5|55=BTC/CNY|54=2|151=0|14=0|6=0|60=20240229-12:00:00.000|58=there is no such order|"]);
}

#[test]
fn other_messages_are_refused() {
    Bench::new().take("R", "131=q|", &["j 45=2|372=R|380=3|58=this message type is not served|"]);
    Bench::new().take("8", "37=1|", &["j 45=2|372=8|380=3|58=this message type is not served|"]);
}

#[test]
fn the_list_of_instruments() {
    let mut bench = Bench::new();
    bench.take(
        "x",
        "320=l|559=4|",
        &["y 320=l|322=L2|560=0|393=2|146=2|55=BTC/CNY|870=1|871=99|872=tick=0.01|15=CNY|561=0.001|562=0.001|55=ETH/CNY|870=1|871=99|872=tick=0.05|15=CNY|561=0.001|562=0.001|"],
    );
    bench.take("x", "320=l|559=0|55=XXX|", &["y 320=l|322=L3|560=2|"]);
    bench.take("x", "320=l|559=1|", &["y 320=l|322=L4|560=1|"]);
    bench.rejected("x", "559=4|", 1, 320);
}

#[test]
fn market_data_is_told_by_differences() {
    let mut bench = Bench::new();
    let order = |id: &str, side: u32, price: &str, lots: &str| {
        format!("11={id}|38={lots}|40=2|44={price}|59=1|55=BTC/CNY|54={side}|60=20240229-12:00:00|")
    };
    for (id, side, price) in
        [("a", 1, "100"), ("b", 1, "99"), ("c", 1, "98"), ("d", 2, "101"), ("e", 2, "102")]
    {
        bench.told("D", &order(id, side, price, "1"));
    }
    let head = "264=0|265=1|267=3|269=0|269=1|269=2|146=1|55=BTC/CNY|";
    bench.take(
        "V",
        &format!("262=m|263=1|{head}"),
        &["W 262=m|55=BTC/CNY|268=5|269=0|270=100|271=1|269=0|270=99|271=1|269=0|270=98|271=1|269=1|270=101|271=1|269=1|270=102|271=1|"],
    );
    bench.look(&[]);
    bench.told("D", &order("f", 2, "100", "0.4"));
    bench.told("D", &order("g", 1, "97", "1"));
    bench.told("F", &format!("11=h|41=c|{ORDER}"));
    bench.look(&["X 262=m|268=4|279=2|269=0|278=B98|55=BTC/CNY|270=98|279=0|269=0|278=B97|55=BTC/CNY|270=97|271=1|279=1|269=0|278=B100|55=BTC/CNY|270=100|271=0.6|279=0|269=2|278=T1|55=BTC/CNY|270=100|271=0.4|272=20240229|273=12:00:00.000|"]);
    bench.look(&[]);
    // The top alone, and the whole of it each time.
    bench.take(
        "V",
        "262=t|263=1|264=1|265=0|267=2|269=0|269=1|146=1|55=BTC/CNY|",
        &["W 262=t|55=BTC/CNY|268=2|269=0|270=100|271=0.6|269=1|270=101|271=1|"],
    );
    bench.take("V", &format!("262=m|263=2|{head}"), &[]);
    bench.told("D", &order("i", 2, "103", "1"));
    bench.look(&[]);
    bench.told("q", "11=q|530=7|60=20240229-12:00:00|");
    bench.look(&["W 262=t|55=BTC/CNY|268=0|"]);
    bench.take(
        "V",
        &format!("262=s|263=0|{head}"),
        &["W 262=s|55=BTC/CNY|268=1|269=2|270=100|271=0.4|272=20240229|273=12:00:00.000|"],
    );
    bench.look(&[]);
}

#[test]
fn market_data_that_is_refused() {
    let mut bench = Bench::new();
    let mut check = |fields: &str, expect: &str| bench.take("V", fields, &[expect]);
    let rest = "267=1|269=0|146=1|55=BTC/CNY|";
    check(&format!("262=m|263=1|264=0|265=1|{rest}"), "W 262=m|55=BTC/CNY|268=0|");
    check(&format!("262=m|263=1|264=0|265=1|{rest}"), "Y 262=m|281=1|58=this MDReqID is in use|");
    check(
        &format!("262=n|263=7|264=0|265=1|{rest}"),
        "Y 262=n|281=4|58=only 0, 1 and 2 in tag 263 are served|",
    );
    check(&format!("262=n|263=1|264=0|265=7|{rest}"), "Y 262=n|281=6|58=only 0 and 1 in tag 265 are served|");
    check(
        &format!("262=n|263=1|264=0|265=1|266=N|{rest}"),
        "Y 262=n|281=7|58=a book is told by prices, not by orders|",
    );
    check(&format!("262=n|263=2|264=0|{rest}"), "Y 262=n|58=nothing is followed under n|");
    check(
        "262=n|263=1|264=0|265=1|267=1|269=7|146=1|55=BTC/CNY|",
        "Y 262=n|281=8|58=only bids, offers and trades are served|",
    );
    check(
        "262=n|263=1|264=0|265=1|267=1|269=0|146=1|55=XXX|",
        "Y 262=n|281=0|58=there is no instrument XXX|",
    );
    let many: String = std::iter::repeat_n("55=BTC/CNY|", 256).collect();
    check(
        &format!("262=n|263=1|264=0|265=1|267=1|269=0|146=256|{many}"),
        "Y 262=n|281=2|58=too many symbols are followed|",
    );
    bench.rejected("V", &format!("263=1|264=0|265=1|{rest}"), 1, 262);
    bench.rejected("V", &format!("262=n|263=1|264=0|{rest}"), 1, 265);
    bench.rejected("V", "262=n|263=1|264=0|265=1|267=2|269=0|146=1|55=BTC/CNY|", 16, 267);
}

#[test]
fn market_states() {
    let mut bench = Bench::new();
    bench.take("e", "324=s|55=BTC/CNY|263=1|", &["f 324=s|55=BTC/CNY|325=N|326=17|58=continuous trading|"]);
    bench.venue.set_market(MarketState::Halted);
    bench.look(&["f 324=s|55=BTC/CNY|325=Y|326=2|58=halted|"]);
    bench.look(&[]);
    bench.take("e", "324=s|55=BTC/CNY|263=2|", &[]);
    bench.venue.set_market(MarketState::Auction);
    bench.look(&[]);
    bench.take("e", "324=s|55=XXX|263=1|", &["j 45=4|372=e|380=0|58=there is no instrument XXX|"]);
}
