//! A client's session over a socket: it numbers its messages and says what it is told to.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use fix::UtcTime;
use fix::codec::{Framed, Framer, Message, check_sum};
use fix::dictionary::tag;

pub(super) struct Session {
    stream: TcpStream,
    framer: Framer,
    pub(super) name: String,
    pub(super) seq: u64,
}

impl Session {
    pub(super) fn connect(address: SocketAddr, name: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { stream, framer: Framer::default(), name: name.to_owned(), seq: 1 }
    }

    /// Says fields, with `|` for the delimiter.
    pub(super) fn say(&mut self, kind: &str, fields: &str) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = UtcTime::from_ms(now.as_millis() as u64);
        let body = format!("35={kind}|49={}|56=JINKU|34={}|52={now}|{fields}", self.name, self.seq);
        let body = body.replace('|', "\u{1}");
        let head = format!("8=FIX.4.4\u{1}9={}\u{1}{body}", body.len());
        let sum = check_sum(head.as_bytes());
        self.stream.write_all(format!("{head}10={sum:03}\u{1}").as_bytes()).unwrap();
        self.seq += 1;
    }

    /// The next message as text, its type first; or `gone`. Heartbeats and gap fills are passed over.
    pub(super) fn next(&mut self) -> String {
        loop {
            match self.framer.take() {
                Some(Framed::Message(bytes)) => {
                    let message = Message::read(bytes).unwrap();
                    let kind = message.get(tag::MSG_TYPE).unwrap().to_owned();
                    if ["0", "2", "4"].contains(&kind.as_str()) {
                        continue;
                    }
                    let mut text = format!("{kind} |");
                    for (tag, value) in message.fields() {
                        text.push_str(&format!("{tag}={}|", String::from_utf8_lossy(value)));
                    }
                    return text;
                }
                Some(Framed::Garbled(count, why)) => panic!("{count} bytes of garbage: {why}"),
                None => {}
            }
            let mut bytes = [0; 65536];
            match self.stream.read(&mut bytes).unwrap() {
                0 => return "gone".to_owned(),
                count => self.framer.push(&bytes[..count]),
            }
        }
    }

    /// The next message, which is of this type. News of the market is passed over unless it is asked for.
    pub(super) fn hear(&mut self, kind: &str) -> String {
        loop {
            let told = self.next();
            if told.starts_with(&format!("{kind} ")) {
                return told;
            }
            assert!(told.starts_with("X "), "a message of type {kind}, not {told}");
        }
    }

    /// What changes on the market, until all of these fields were among it.
    pub(super) fn sees(&mut self, fields: &[&str]) {
        let mut seen = String::new();
        while !fields.iter().all(|field| seen.contains(&format!("|{field}|"))) {
            let told = self.next();
            assert!(told.starts_with("X "), "{fields:?} after {seen}, not {told}");
            seen.push_str(&told);
        }
    }

    /// The next message of this type, which has these fields.
    pub(super) fn hears(&mut self, kind: &str, fields: &[&str]) {
        let told = self.hear(kind);
        for field in fields {
            assert!(told.contains(&format!("|{field}|")), "{field}: {told}");
        }
    }
}
