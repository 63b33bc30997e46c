//! Messages as text with `|` for the delimiter, and a client that speaks them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use fix::UtcTime;
use fix::codec::{Body, Framed, Framer, Header, Message, SOH, check_sum};
use fix::dictionary::tag;

use crate::venue::TOKEN;

/// What a message says, without header, trailer and times of now.
pub(crate) fn short(message: &Message) -> String {
    let mut text = format!("{} ", message.get(tag::MSG_TYPE).unwrap());
    let hidden = [8, 9, 35, 34, 49, 56, 52, 122, 10];
    for (tag, value) in message.fields().filter(|(tag, _)| !hidden.contains(&tag.number())) {
        text.push_str(&format!("{tag}={}|", String::from_utf8_lossy(value)));
    }
    text
}

/// The same of a message in the making.
pub(crate) fn short_body(body: &Body) -> String {
    let header = Header { sender: "V", target: "C", seq: 1, at: crate::venue::AT, first_at: None };
    short(&Message::read(body.frame(&header)).unwrap())
}

/// A whole message of these fields.
pub(crate) fn frame(fields: &str) -> Vec<u8> {
    let body = fields.replace('|', "\u{1}");
    let mut bytes = format!("8=FIX.4.4\u{1}9={}\u{1}{body}", body.len()).into_bytes();
    let sum = check_sum(&bytes);
    bytes.extend_from_slice(format!("10={sum:03}").as_bytes());
    bytes.push(SOH);
    bytes
}

pub(crate) fn now() -> UtcTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UtcTime::from_ms(since.as_millis() as u64)
}

/// A client that numbers its messages and answers nothing by itself.
pub(crate) struct PlainClient {
    pub(crate) stream: TcpStream,
    framer: Framer,
    name: String,
    pub(crate) seq: u64,
}

impl PlainClient {
    pub(crate) fn connect(address: SocketAddr, name: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { stream, framer: Framer::default(), name: name.to_owned(), seq: 1 }
    }

    /// Connects and logs on with fresh numbers.
    pub(crate) fn log_on(address: SocketAddr, name: &str) -> Self {
        let mut client = Self::connect(address, name);
        client.say("A", &format!("98=0|108=30|141=Y|553=acc|554={TOKEN}|"));
        assert_eq!(client.hear(), "A 98=0|108=30|141=Y|");
        client
    }

    pub(crate) fn bytes(&self, kind: &str, seq: u64, fields: &str) -> Vec<u8> {
        frame(&format!("35={kind}|49={}|56=JINKU|34={seq}|52={}|{fields}", self.name, now()))
    }

    pub(crate) fn say(&mut self, kind: &str, fields: &str) {
        let bytes = self.bytes(kind, self.seq, fields);
        self.seq += 1;
        self.stream.write_all(&bytes).unwrap();
    }

    pub(crate) fn next(&mut self) -> Option<Message> {
        loop {
            match self.framer.take() {
                Some(Framed::Message(bytes)) => return Some(Message::read(bytes).unwrap()),
                Some(Framed::Garbled(count, why)) => panic!("{count} bytes of garbage: {why}"),
                None => {}
            }
            let mut bytes = [0; 65536];
            match self.stream.read(&mut bytes).unwrap() {
                0 => return None,
                count => self.framer.push(&bytes[..count]),
            }
        }
    }

    /// The next message, or `gone`.
    pub(crate) fn hear(&mut self) -> String {
        self.next().map_or("gone".to_owned(), |message| short(&message))
    }
}
