//! One connection: who it is, then its session until the end.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender, bounded, never, select};

use crate::codec::{Framed, Framer, Message, Unreadable};
use crate::desk::{Desk, WAITING_MAX};
use crate::dictionary::{MsgType, tag};
use crate::session::{Action, LOGON_PATIENCE_MS, Names, Session, turned_away};
use crate::store::{FileStore, StoreFault};
use crate::time::UtcTime;
use crate::venue::{Answer, Client, Credentials, Venue, Waker};

use super::{Claim, Shared, WRITE_PATIENCE};

/// Messages between the two threads of a connection; beyond, the socket is left unread.
const INCOMING_MAX: usize = 256;
/// Messages that are taken before what they lead to is written.
const TAKEN_MAX: usize = 64;
/// Bytes read at a time.
const READ_BYTES: usize = 8 * 1024;
/// Garbage that a connection may bring before it is given up: a client that speaks something else.
const GARBAGE_BYTES_MAX: usize = 64 * 1024;
/// What a wrong password costs in time.
const REFUSED_PAUSE: Duration = Duration::from_millis(500);
/// How long the last words of ours have to arrive.
const FAREWELL: Duration = Duration::from_secs(1);
/// Shortest time between two looks at books, which cost the venue a lock and us a comparison. Reports do not wait for it.
const LOOK_PACE: Duration = Duration::from_millis(10);
/// Longest name of a session.
const NAME_BYTES_MAX: usize = 32;

/// A connection and the thread that reads it.
pub(super) struct Connection<'a, V> {
    shared: &'a Shared<V>,
    stream: TcpStream,
    incoming: Receiver<Vec<u8>>,
    reader: Option<JoinHandle<()>>,
}

/// Why a connection ends without more words.
enum End {
    Store(StoreFault),
    Io(io::Error),
}

impl From<StoreFault> for End {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Who has logged on.
struct Admitted<'a> {
    claim: Claim<'a>,
    client: Client,
    names: Names,
    logon: Message,
}

impl<'a, V: Venue> Connection<'a, V> {
    pub(super) fn open(shared: &'a Shared<V>, stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_PATIENCE))?;
        let (found, incoming) = bounded(INCOMING_MAX);
        let source = stream.try_clone()?;
        let reader =
            std::thread::Builder::new().name("fix-reader".to_owned()).spawn(move || read(source, &found))?;
        Ok(Self { shared, stream, incoming, reader: Some(reader) })
    }

    /// Serves it to its end.
    pub(super) fn serve(mut self) {
        let Some(admitted) = self.admit() else { return self.part() };
        let name = admitted.names.theirs.clone();
        let path = self.shared.settings.folder.join(format!("{name}.fix"));
        let ended =
            FileStore::open(&path).map_err(End::from).and_then(|store| self.converse(admitted, store));
        match ended {
            Ok(why) => tracing::info!(session = name, why, "session ended"),
            Err(End::Store(fault)) => tracing::error!(session = name, %fault, "session given up"),
            Err(End::Io(error)) => tracing::info!(session = name, %error, "connection lost"),
        }
        self.part();
    }

    /// Reads the logon and asks the venue who it is.
    fn admit(&mut self) -> Option<Admitted<'a>> {
        let patience = Duration::from_millis(LOGON_PATIENCE_MS);
        let first = select! {
            recv(self.incoming) -> bytes => bytes.ok()?,
            recv(self.shared.stop) -> _ => return None,
            default(patience) => return None,
        };
        let logon = Message::read(first).ok().filter(|message| message.msg_type() == Some(MsgType::Logon))?;
        let theirs = logon.get(tag::SENDER_COMP_ID).filter(|name| is_name(name))?.to_owned();
        let names = Names { ours: self.shared.settings.name.clone(), theirs };
        let why = match self.recognise(&logon, &names) {
            Ok((claim, client)) => return Some(Admitted { claim, client, names, logon }),
            Err(why) => why,
        };
        tracing::warn!(session = names.theirs, why, "logon refused");
        std::thread::sleep(REFUSED_PAUSE);
        let _ = self.stream.write_all(&turned_away(&names, &why, now()));
        None
    }

    fn recognise(&self, logon: &Message, names: &Names) -> Result<(Claim<'a>, Client), String> {
        if logon.get(tag::TARGET_COMP_ID) != Some(&names.ours) {
            return Err("no such TargetCompID".to_owned());
        }
        let text = |tag| logon.optional(tag).ok().flatten().unwrap_or_default();
        let (username, password) = (text(tag::USERNAME), text(tag::PASSWORD));
        let credentials = Credentials { session: &names.theirs, username, password };
        let client = self.shared.venue.log_on(&credentials).map_err(|refused| refused.to_string())?;
        let claim = self.shared.claim(&names.theirs).ok_or("the session is connected already")?;
        Ok((claim, client))
    }

    /// The session from its logon on; answers why it ended.
    fn converse(&mut self, admitted: Admitted<'a>, store: FileStore) -> Result<String, End> {
        let Admitted { claim, client, names, logon } = admitted;
        let (answers, replies) = bounded(WAITING_MAX);
        let (waker, woken) = Waker::new();
        let desk = Desk::new(std::sync::Arc::clone(&self.shared.venue), client, answers);
        let mut talk = Talk {
            session: Session::new(names, Box::new(store), now()),
            desk,
            stream: &mut self.stream,
            out: Vec::new(),
            ended: None,
            looked: Instant::now(),
            look_at: None,
        };
        self.shared.venue.wake(waker);
        talk.session.take(logon, now())?;
        talk.act()?;
        talk.session.settle()?;
        talk.report()?;
        let (mut stop, nobody) = (self.shared.stop.clone(), never());
        while talk.ended.is_none() {
            talk.write()?;
            let mut wait = Duration::from_millis(talk.session.due().since(now()));
            if let Some(at) = talk.look_at {
                wait = wait.min(at.saturating_duration_since(Instant::now()));
            }
            let incoming = if talk.desk.is_full() { &nobody } else { &self.incoming };
            let mut woke = false;
            select! {
                recv(incoming) -> bytes => match bytes {
                    Ok(bytes) => talk.take(bytes)?,
                    Err(_) => return Ok("the client has gone".to_owned()),
                },
                recv(replies) -> reply => if let Ok((number, answer)) = reply { talk.answered(number, answer)? },
                recv(woken) -> _ => woke = true,
                recv(stop) -> _ => {
                    stop = never();
                    talk.session.log_out("the venue closes", now())?;
                }
                default(wait) => {}
            }
            talk.take_more(&self.incoming, &replies)?;
            talk.session.tick(now())?;
            talk.act()?;
            talk.session.settle()?;
            if woke {
                talk.report()?;
                talk.look_at.get_or_insert(talk.looked.checked_add(LOOK_PACE).unwrap_or(talk.looked));
            }
            talk.look()?;
        }
        let (ended, last) = (talk.ended.take().unwrap_or_default(), std::mem::take(&mut talk.out));
        // Store and name are free before the client hears the last word, so that it can connect again at once.
        drop(talk);
        drop(claim);
        self.stream.write_all(&last)?;
        Ok(ended)
    }

    /// Ends the connection so that what was said last arrives.
    fn part(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let until = Instant::now().checked_add(FAREWELL);
        while let Some(left) = until.and_then(|at| at.checked_duration_since(Instant::now())) {
            // What the client still sends is of no use. Its end closes the channel.
            if self.incoming.recv_timeout(left).is_err() {
                break;
            }
        }
        let _ = self.stream.shutdown(Shutdown::Both);
        // The reader may wait for room in the channel.
        while self.incoming.recv().is_ok() {}
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// A session with its desk, and what is to be written.
struct Talk<'a, V> {
    session: Session,
    desk: Desk<V>,
    stream: &'a mut TcpStream,
    out: Vec<u8>,
    ended: Option<String>,
    /// When books were looked at last, and when they are to be looked at next, if something has changed.
    looked: Instant,
    look_at: Option<Instant>,
}

impl<V: Venue> Talk<'_, V> {
    fn take(&mut self, bytes: Vec<u8>) -> Result<(), StoreFault> {
        match Message::read(bytes) {
            Ok(message) => self.session.take(message, now())?,
            // As if it had not come: the gap that it leaves is asked for.
            Err(Unreadable::Garbled) => {}
            Err(fault @ (Unreadable::Version | Unreadable::NoNumber)) => {
                self.session.log_out(&fault.to_string(), now())?;
            }
        }
        self.act()
    }

    /// Takes what has come besides, so that it is written in one.
    fn take_more(
        &mut self,
        incoming: &Receiver<Vec<u8>>,
        replies: &Receiver<(u64, Answer)>,
    ) -> Result<(), StoreFault> {
        for (number, answer) in replies.try_iter().take(WAITING_MAX) {
            self.answered(number, answer)?;
        }
        for _ in 0..TAKEN_MAX {
            if self.desk.is_full() || self.ended.is_some() {
                break;
            }
            let Ok(bytes) = incoming.try_recv() else { break };
            self.take(bytes)?;
        }
        Ok(())
    }

    /// Does what the session wants done.
    fn act(&mut self) -> Result<(), StoreFault> {
        for action in self.session.actions() {
            match action {
                Action::Send(bytes) => self.out.extend_from_slice(&bytes),
                Action::Deliver(message) => {
                    let taken = self.desk.take(&message, now());
                    if taken.waits {
                        self.session.hold(message.seq());
                    }
                    for body in taken.bodies {
                        self.session.send(body, now())?;
                    }
                    self.collect();
                }
                Action::Close(why) => self.ended = Some(why),
            }
        }
        Ok(())
    }

    /// Takes what a message of ours has become. Nothing else comes of sending.
    fn collect(&mut self) {
        for action in self.session.actions() {
            if let Action::Send(bytes) = action {
                self.out.extend_from_slice(&bytes);
            }
        }
    }

    fn answered(&mut self, number: u64, answer: Answer) -> Result<(), StoreFault> {
        let answered = self.desk.answered(number, answer, now());
        let mut is_told = true;
        for body in answered.bodies {
            is_told &= self.session.send(body, now())?;
        }
        // What the client could not be told any more is asked for again, and then answered.
        if let Some(seq) = answered.seq.filter(|_| is_told) {
            self.session.release(seq);
        }
        if answered.in_doubt {
            self.session.log_out("the outcome of a request is in doubt: connect again", now())?;
        }
        self.collect();
        Ok(())
    }

    /// Reports executions.
    fn report(&mut self) -> Result<(), End> {
        if !self.session.is_active() {
            return Ok(());
        }
        let mut position = match self.session.position() {
            Some(position) => position,
            None => {
                let latest = self.desk.latest();
                self.session.reported(latest)?;
                latest
            }
        };
        while let Some((last, bodies)) = self.desk.reports(position) {
            for body in bodies {
                self.session.send(body, now())?;
            }
            self.session.reported(last)?;
            position = last;
            self.collect();
            self.write()?;
        }
        Ok(())
    }

    /// Tells what has changed in what the client follows, where it is time to.
    fn look(&mut self) -> Result<(), StoreFault> {
        let at_once = Instant::now();
        if !self.session.is_active() || self.look_at.is_none_or(|at| at > at_once) {
            return Ok(());
        }
        (self.looked, self.look_at) = (at_once, None);
        for body in self.desk.look() {
            self.session.send(body, now())?;
        }
        self.collect();
        Ok(())
    }

    fn write(&mut self) -> Result<(), End> {
        if !self.out.is_empty() {
            self.stream.write_all(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }
}

/// Finds messages until the connection ends or brings nothing but garbage.
fn read(mut source: TcpStream, found: &Sender<Vec<u8>>) {
    let (mut framer, mut garbage) = (Framer::default(), 0_usize);
    let mut bytes = vec![0; READ_BYTES];
    loop {
        let count = match source.read(&mut bytes) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        framer.push(bytes.get(..count).unwrap_or_default());
        while let Some(framed) = framer.take() {
            match framed {
                Framed::Message(message) => {
                    garbage = 0;
                    if found.send(message).is_err() {
                        return;
                    }
                }
                Framed::Garbled(dropped, why) => {
                    tracing::warn!(dropped, why, "garbled");
                    garbage = garbage.saturating_add(dropped);
                    if garbage > GARBAGE_BYTES_MAX {
                        return;
                    }
                }
            }
        }
    }
}

/// A name that can be one of a file too.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn now() -> UtcTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcTime::from_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
