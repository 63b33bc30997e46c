//! What a FIX client sends: a stream of bytes, through session and desk.

use std::collections::BTreeSet;
use std::sync::Arc;

use fix::UtcTime;
use fix::codec::{Body, Framed, Framer, Header, Message, check_sum};
use fix::desk::{Desk, WAITING_MAX};
use fix::dictionary::tag;
use fix::session::{Action, Names, Session};
use fix::store::MemoryStore;
use fix::venue::{
    Answer as Reply, Book, ClOrdId, Client, Credentials, Decimal, Execution, Instrument, Kind, Level,
    Lifetime, LogOnRefused, Lots, MarketState, OrderNumber, OrderState, OrderView, Position, Price, Request,
    Scope, Side, Symbol, Trade, TradeNumber, Venue, Waker,
};

use super::{Answer, Target};
use crate::mutate::Chance;

/// Bytes of a stream that are looked at: a few dozen messages.
const STREAM_BYTES_MAX: usize = 16 * 1024;
/// 29 February 2024, noon.
const NOW: UtcTime = UtcTime::from_ms(1_709_208_000_000);
/// Digits of the seeds' lengths, so that a mender can write any other in their place.
const LENGTH_DIGITS: usize = 5;
const START: &[u8] = b"8=FIX.4.4\x019=";
const TRAILER: &[u8] = b"\x0110=";

/// Takes everything and has one order.
struct Willing;

fn order() -> Option<OrderView> {
    Some(OrderView {
        number: OrderNumber::new(1),
        id: ClOrdId::new("a")?,
        symbol: Symbol::new("A/B"),
        side: Side::Buy,
        kind: Kind::Limit { price: Price::new(10_000) },
        lifetime: Lifetime::UntilCancelled,
        post_only: false,
        display: None,
        quantity: Lots::new(2_000),
        filled: Lots::new(500),
        value: 5_000_000,
        state: OrderState::Open,
    })
}

impl Venue for Willing {
    fn log_on(&self, credentials: &Credentials<'_>) -> Result<Client, LogOnRefused> {
        Ok(Client { number: 1, account: credentials.username.to_owned() })
    }

    fn instruments(&self) -> Vec<Instrument> {
        let (Some(tick), Some(lot)) = (Decimal::new(1, 2), Decimal::new(1, 3)) else { return Vec::new() };
        vec![Instrument {
            symbol: Symbol::new("A/B"),
            quote: "B".to_owned(),
            tick,
            lot,
            smallest: Lots::new(1),
        }]
    }

    fn submit(&self, _: &Client, _: Request, reply: fix::venue::Reply) {
        reply.give(Reply::Taken { orders: 1 });
    }

    fn order(&self, _: &Client, id: &ClOrdId) -> Option<OrderView> {
        order().filter(|order| order.id == *id)
    }

    fn orders(&self, _: &Client, _: &Scope, most: usize) -> Vec<OrderView> {
        order().into_iter().take(most).collect()
    }

    fn executions(&self, _: &Client, _: Position, _: usize) -> Vec<Execution> {
        Vec::new()
    }

    fn latest(&self, _: &Client) -> Position {
        Position::new(0)
    }

    fn book(&self, _: &Symbol, depth: usize) -> Option<Book> {
        let level = Level { price: Price::new(10_000), quantity: Lots::new(1_500) };
        Some(Book { bids: vec![level; depth.min(1)], asks: Vec::new() })
    }

    fn trades(&self, _: &Symbol, _: TradeNumber, _: usize) -> Vec<Trade> {
        Vec::new()
    }

    fn state(&self, _: &Symbol) -> Option<MarketState> {
        Some(MarketState::Continuous)
    }

    fn wake(&self, _: Waker) {}
}

/// Messages of these types and fields, numbered from 1.
fn stream(messages: &[(&str, &str)]) -> Vec<u8> {
    let mut whole = Vec::new();
    for (seq, (kind, fields)) in (1_u32..).zip(messages) {
        let body =
            format!("35={kind}|49=C|56=V|34={seq}|52=20240229-12:00:00|{fields}").replace('|', "\u{1}");
        let mut message = START.to_vec();
        message.extend(format!("{:0LENGTH_DIGITS$}\u{1}{body}", body.len()).into_bytes());
        let sum = check_sum(&message);
        message.extend(format!("10={sum:03}\u{1}").into_bytes());
        whole.extend(message);
    }
    whole
}

const LOGON: (&str, &str) = ("A", "98=0|108=30|553=acc|554=token|");
const ORDER: &str = "55=A/B|54=1|38=2|60=20240229-12:00:00|";

fn seeds() -> Vec<Vec<u8>> {
    let order = |fields: &str| format!("{fields}{ORDER}");
    let market = "264=0|265=1|267=3|269=0|269=1|269=2|146=1|55=A/B|";
    vec![
        stream(&[LOGON, ("D", &order("11=b|1=acc|40=2|44=101.25|59=1|18=6|111=1|20001=N|"))]),
        stream(&[LOGON, ("D", &order("11=b|40=4|44=101|99=100|59=6|126=20300101-00:00:00|"))]),
        stream(&[LOGON, ("D", &order("11=b|453=1|448=x|447=D|452=3|40=1|59=3|"))]),
        stream(&[LOGON, ("G", &order("11=c|41=a|40=2|44=99|")), ("F", &order("11=d|41=a|"))]),
        stream(&[
            LOGON,
            ("G", "11=c|41=a|55=A/B|54=1|40=2|38=1.5|60=20240229-12:00:00|"),
            ("H", &order("11=a|790=q|")),
        ]),
        stream(&[LOGON, ("q", "11=c|530=1|55=A/B|60=20240229-12:00:00|"), ("AF", "584=m|585=7|54=1|")]),
        stream(&[LOGON, ("V", &format!("262=m|263=1|{market}")), ("V", &format!("262=m|263=2|{market}"))]),
        stream(&[LOGON, ("x", "320=l|559=4|"), ("e", "324=s|55=A/B|263=1|"), ("R", "131=q|")]),
        stream(&[LOGON, ("1", "112=t|"), ("2", "7=1|16=0|"), ("D", "11=|"), ("2", "7=1|16=0|"), ("5", "")]),
        stream(&[LOGON, ("4", "123=Y|36=3|"), ("0", ""), ("4", "36=9|"), ("D", "95=3|96=a\u{1}b|")]),
        stream(&[
            LOGON,
            ("A", "98=0|108=30|141=Y|"),
            ("D", &order("43=Y|122=20240229-11:00:00|11=b|40=2|44=1|59=1|")),
        ]),
    ]
}

fn positions(input: &[u8], pattern: &[u8]) -> Vec<usize> {
    let windows = input.windows(pattern.len()).enumerate();
    windows.filter(|(_, window)| *window == pattern).map(|(at, _)| at).collect()
}

/// Writes the right length and sum into every message that still has the places for them.
fn mend(input: &mut [u8], chance: &mut Chance) {
    if chance.percent(10) {
        return;
    }
    let starts = positions(input, START);
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at.saturating_add(1)).copied().unwrap_or(input.len());
        let length_at = start.saturating_add(START.len());
        let body_at = length_at.saturating_add(LENGTH_DIGITS).saturating_add(1);
        let Some(body) = input.get(body_at..end) else { continue };
        let Some(body_bytes) = positions(body, TRAILER).last().map(|at| at.saturating_add(1)) else {
            continue;
        };
        let length = format!("{body_bytes:0LENGTH_DIGITS$}\u{1}");
        if let Some(place) = input.get_mut(length_at..body_at) {
            place.copy_from_slice(length.as_bytes());
        }
        let sum_at = body_at.saturating_add(body_bytes);
        let sum = input.get(*start..sum_at).map_or(0, check_sum);
        if let Some(place) = input.get_mut(sum_at..sum_at.saturating_add(7)) {
            place.copy_from_slice(format!("10={sum:03}\u{1}").as_bytes());
        }
    }
}

/// A message without a fault is its fields, and nothing else.
fn is_its_fields(message: &Message) -> Result<(), String> {
    let mut again = Vec::new();
    for (tag, value) in message.fields() {
        again.extend_from_slice(format!("{tag}=").as_bytes());
        again.extend_from_slice(value);
        again.push(fix::codec::SOH);
    }
    if message.fault().is_none() && again != message.bytes() {
        return Err("a message is more than its fields".to_owned());
    }
    Ok(())
}

/// What we write has to be without a fault; answers what it is.
fn is_sound(bytes: Vec<u8>) -> Result<String, String> {
    let message = Message::read(bytes).map_err(|error| format!("what we write is unreadable: {error}"))?;
    if let Some(fault) = message.fault() {
        return Err(format!("what we write breaks the rules: {fault}"));
    }
    let kind = message.get(tag::MSG_TYPE).unwrap_or_default();
    let reason =
        message.get(tag::SESSION_REJECT_REASON).or(message.get(tag::ORD_REJ_REASON)).unwrap_or_default();
    // Letters for figures, which would not count as another answer.
    let reason: String = reason
        .chars()
        .filter_map(|c| c.to_digit(10))
        .filter_map(|d| char::from_digit(d.saturating_add(10), 36))
        .collect();
    Ok(format!("{kind}{reason}"))
}

fn framed(body: &Body) -> Vec<u8> {
    body.frame(&Header { sender: "V", target: "C", seq: 1, at: NOW, first_at: None })
}

fn check(input: &[u8]) -> Result<Answer, String> {
    let (replies, answers) = crossbeam_channel::bounded(WAITING_MAX);
    let client = Client { number: 1, account: "acc".to_owned() };
    let mut desk = Desk::new(Arc::new(Willing), client, replies);
    let names = Names { ours: "V".to_owned(), theirs: "C".to_owned() };
    let mut session = Session::new(names, Box::new(MemoryStore::default()), NOW);
    let (mut said, mut served) = (BTreeSet::new(), false);
    let mut framer = Framer::default();
    framer.push(input.get(..STREAM_BYTES_MAX.min(input.len())).unwrap_or_default());
    while let Some(found) = framer.take() {
        let bytes = match found {
            Framed::Message(bytes) => bytes,
            Framed::Garbled(_, why) => {
                said.insert(why.to_owned());
                continue;
            }
        };
        let message = match Message::read(bytes) {
            Ok(message) => message,
            Err(error) => {
                said.insert(error.to_string());
                continue;
            }
        };
        is_its_fields(&message)?;
        session.take(message, NOW).map_err(|fault| fault.to_string())?;
        for action in session.actions() {
            match action {
                Action::Send(bytes) => said.extend([is_sound(bytes)?]),
                Action::Deliver(message) => {
                    let taken = desk.take(&message, NOW);
                    served |= taken.waits;
                    let mut bodies = taken.bodies;
                    while let Ok((number, answer)) = answers.try_recv() {
                        bodies.extend(desk.answered(number, answer, NOW).bodies);
                    }
                    for body in bodies.iter().chain(&desk.look()) {
                        said.insert(is_sound(framed(body))?);
                    }
                }
                Action::Close(_) => {}
            }
        }
    }
    let said: Vec<String> = said.into_iter().collect();
    let said = said.join(" ");
    if served || session.is_active() || session.is_closed() {
        Ok(Answer::taken(said))
    } else {
        Ok(Answer::refused(said))
    }
}

/// A client's stream, from its logon on.
pub(super) fn stream_of_a_client() -> Target {
    Target {
        name: "fix",
        what: "what a FIX client sends, through session and desk",
        seeds,
        mend,
        check,
        bytes_base: 1 << 22,
        bytes_per_byte: 256,
    }
}
