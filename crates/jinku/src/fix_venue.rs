//! The bank as a venue of the FIX gateway: tenants trade from their seats by machine.
//!
//! Three threads stand between the gateway's sessions and the node. `fix-orders` takes requests to the bank. `fix-journal` follows what is durable, so that
//! whatever happens to an order is told, whoever caused it. Sessions look at what those two keep, and at the books in the bank's state.
//!
//! | in `fix/` | |
//! |---|---|
//! | `names.log` | what clients call their requests; on disk before a request goes to the bank, and found nowhere else |
//! | `orders.snapshot` | orders and executions as of an entry; made again from the journal where it is missing |
//! | `sessions/` | numbers and sent messages of each session |
//!
//! **Invariants.** An order is placed once, however often it is sent. What is told of an order is durable. A client sees and ends only what its own session
//! placed. A session's name begins with its tenant's number, so that nobody comes by another's messages.

mod follow;
mod kept;
mod mirror;
mod names;
mod orders;
mod terms;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};
use crossbeam_channel::Sender;
use exchange::MarketNumber;
use fix::UtcTime;
use fix::server::{Server, Settings};
use fix::venue::{
    Book, ClOrdId, Client, Credentials, Execution, Instrument, Level, LogOnRefused, Lots, MarketState,
    OrderView, Position, Price, Reply, Request, Scope, Symbol, Trade, TradeNumber, Venue, Waker,
};
use node::Handle;

use crate::config::Installation;
use crate::tenants::{Caller, Tokens};
use crate::worker::Worker;
use follow::Follower;
use mirror::Mirror;
use names::{ClientNumber, Names};
use orders::{Desk, Job};
use terms::Listed;

/// The gateway's own name: the TargetCompID of clients.
pub const NAME: &str = "JINKU";

/// What the threads share.
struct Shared {
    /// Locked before `mirror` where both are.
    names: Mutex<Names>,
    mirror: Mutex<Mirror>,
    /// The last entry in the mirror.
    seq: AtomicU64,
    listed: Mutex<Vec<Listed>>,
    wakers: Mutex<Vec<Waker>>,
    jobs: Sender<Job>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts a file in the place of another, durably; answers with it, open at its end.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let begun = path.with_extension("partial");
    let mut file = File::create(&begun)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&begun, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    OpenOptions::new().append(true).open(path)
}

impl Shared {
    fn seq(&self) -> u64 {
        self.seq.load(Ordering::Acquire)
    }

    /// The mirror has everything up to here.
    fn note(&self, seq: u64) {
        self.seq.store(seq, Ordering::Release);
        let _ = self.jobs.send(Job::Moved);
    }

    fn wake(&self) {
        locked(&self.wakers).retain(Waker::wake);
    }

    /// Whether a client has used an id for a request that was, or may be, under way.
    fn is_known(&self, client: ClientNumber, id: &ClOrdId) -> bool {
        let names = locked(&self.names);
        names.has(names.command(client, id))
    }

    /// The market of a symbol; the bank is asked for new ones.
    fn listed(&self, handle: &Handle, symbol: &Symbol) -> Option<Listed> {
        let find = |all: &[Listed]| all.iter().find(|one| one.instrument.symbol == *symbol).cloned();
        if let Some(found) = find(&locked(&self.listed)) {
            return Some(found);
        }
        find(&self.list(handle))
    }

    fn list(&self, handle: &Handle) -> Vec<Listed> {
        // Nothing of a market that has no orders yet can be lost.
        let all = handle.peek(terms::listed);
        locked(&self.listed).clone_from(&all);
        all
    }

    fn instrument(&self, market: u32) -> Option<Instrument> {
        let listed = locked(&self.listed);
        listed.iter().find(|one| one.market.number() == market).map(|one| one.instrument.clone())
    }
}

/// The bank, as the gateway sees it.
struct BankVenue {
    handle: Handle,
    tokens: Tokens,
    shared: Arc<Shared>,
}

/// A gateway that runs; dropping it logs every session out and writes down what it knows.
#[derive(Debug)]
pub struct Gateway {
    // In this order: nobody asks any more, then nothing is taken any more, then nothing is read any more.
    server: Server,
    _orders: Worker,
    _journal: Worker,
}

impl Gateway {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

/// Starts the gateway of an installation.
///
/// # Errors
/// The address is in use, or the folder `fix/` or the journal cannot be read or written.
pub fn start(address: SocketAddr, installation: &Installation, handle: &Handle) -> anyhow::Result<Gateway> {
    ensure!(
        installation.config.cluster.is_none(),
        "--fix-listen, and bank.json names a cluster: sessions and names of orders are in this node's folder alone, so another one could not go on with them"
    );
    let listener = TcpListener::bind(address).with_context(|| format!("listen on {address}"))?;
    let folder = installation.folder.join("fix");
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let mut names = Names::open(&folder.join("names.log"))?;
    let journal = installation.folder.join("journal");
    let snapshot = folder.join("orders.snapshot");
    let (mut follower, mirror) = Follower::begin(handle.clone(), journal, snapshot, &mut names)?;
    let (jobs, taken) = crossbeam_channel::unbounded();
    let shared = Arc::new(Shared {
        names: Mutex::new(names),
        seq: AtomicU64::new(mirror.seq),
        mirror: Mutex::new(mirror),
        listed: Mutex::default(),
        wakers: Mutex::default(),
        jobs: jobs.clone(),
    });
    shared.list(handle);
    // Before anybody asks: what was taken before is known.
    follower.catch_up(&shared).context("read the journal for the FIX gateway")?;
    let of_follower = Arc::clone(&shared);
    let journal =
        Worker::start("fix-journal".to_owned(), move |stopping| follower.go(&of_follower, stopping))?;
    let desk = Desk::new(Arc::clone(&shared), handle.clone(), taken, jobs);
    let orders = Worker::start("fix-orders".to_owned(), move |stopping| desk.go(stopping))?;
    let venue = BankVenue { handle: handle.clone(), tokens: Tokens::open(installation)?, shared };
    let settings = Settings { name: NAME.to_owned(), folder: folder.join("sessions") };
    let server = Server::start(listener, settings, Arc::new(venue)).context("start the FIX gateway")?;
    Ok(Gateway { server, _orders: orders, _journal: journal })
}

/// Whether a session's name is one of a tenant's: its number, alone or with `-` and more behind it.
fn is_own_name(session: &str, tenant: u32) -> bool {
    let number = tenant.to_string();
    session.strip_prefix(&number).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

impl BankVenue {
    fn client(client: &Client) -> ClientNumber {
        ClientNumber::of(client.number)
    }

    fn market(&self, symbol: &Symbol) -> Option<MarketNumber> {
        self.shared.listed(&self.handle, symbol).map(|listed| listed.market)
    }

    fn symbol(&self, market: u32) -> Option<Symbol> {
        if let Some(known) = self.shared.instrument(market) {
            return Some(known.symbol);
        }
        self.shared.list(&self.handle);
        self.shared.instrument(market).map(|instrument| instrument.symbol)
    }
}

impl Venue for BankVenue {
    fn log_on(&self, credentials: &Credentials<'_>) -> Result<Client, LogOnRefused> {
        let refused = || LogOnRefused("username and password are no tenant's number and token".to_owned());
        let Some(Caller::Tenant(tenant)) = self.tokens.caller_in_hex(credentials.password) else {
            return Err(refused());
        };
        let number = tenant.number();
        if credentials.username != number.to_string() {
            return Err(refused());
        }
        if !is_own_name(credentials.session, number) {
            let text = format!("SenderCompID of tenant {number} is {number}, or begins with {number}-");
            return Err(LogOnRefused(text));
        }
        let client = ClientNumber::new(number, credentials.session);
        Ok(Client { number: client.number(), account: credentials.username.to_owned() })
    }

    fn instruments(&self) -> Vec<Instrument> {
        self.shared.list(&self.handle).into_iter().map(|listed| listed.instrument).collect()
    }

    fn submit(&self, client: &Client, request: Request, reply: Reply) {
        // Where the thread has gone the reply is dropped, and the outcome in doubt.
        let _ = self.shared.jobs.send(Job::Request(Self::client(client), request, reply));
    }

    fn order(&self, client: &Client, id: &ClOrdId) -> Option<OrderView> {
        let shown = locked(&self.shared.mirror).find(Self::client(client), id)?.shown.clone();
        shown.view(&self.symbol(shown.market)?)
    }

    fn orders(&self, client: &Client, scope: &Scope, most: usize) -> Vec<OrderView> {
        let meant = orders::in_scope(&self.shared, Self::client(client), scope);
        let view = |shown: &kept::Shown| shown.view(&self.symbol(shown.market)?);
        meant.iter().filter_map(view).take(most).collect()
    }

    fn executions(&self, client: &Client, after: Position, most: usize) -> Vec<Execution> {
        let mirror = locked(&self.shared.mirror);
        let found = mirror.executions(Self::client(client), after.number()).take(most);
        let found: Vec<kept::Done> = found.cloned().collect();
        drop(mirror);
        found.iter().filter_map(|done| done.execution(&self.symbol(done.order.market)?)).collect()
    }

    fn latest(&self, client: &Client) -> Position {
        Position::new(locked(&self.shared.mirror).latest(Self::client(client)))
    }

    fn book(&self, symbol: &Symbol, depth: usize) -> Option<Book> {
        let number = self.market(symbol)?;
        let look = move |bank: &bank::Bank| {
            let book = bank.exchange().market(number)?.book();
            let side = |side| {
                let level = |level: exchange::book::DepthLevel| Level {
                    price: Price::new(level.price.ticks()),
                    quantity: Lots::new(level.shown.lots()),
                };
                book.depth(side).take(depth).map(level).collect()
            };
            Some(Book { bids: side(exchange::Side::Bid), asks: side(exchange::Side::Ask) })
        };
        self.handle.read(look).ok().flatten()
    }

    fn trades(&self, symbol: &Symbol, after: TradeNumber, most: usize) -> Vec<Trade> {
        let Some(market) = self.market(symbol) else { return Vec::new() };
        let mirror = locked(&self.shared.mirror);
        let later: Vec<Trade> = mirror
            .trades(market.number())
            .filter(|trade| trade.number > after.number())
            .map(|trade| Trade {
                number: TradeNumber::new(trade.number),
                at: UtcTime::from_ms(trade.at.ms()),
                price: Price::new(trade.price),
                quantity: Lots::new(trade.quantity),
            })
            .collect();
        drop(mirror);
        let surplus = later.len().saturating_sub(most);
        later.into_iter().skip(surplus).collect()
    }

    fn state(&self, symbol: &Symbol) -> Option<MarketState> {
        let number = self.market(symbol)?;
        let look = move |bank: &bank::Bank| Some(terms::state(bank.exchange().market(number)?.phase()));
        self.handle.read(look).ok().flatten()
    }

    fn wake(&self, waker: Waker) {
        locked(&self.shared.wakers).push(waker);
    }
}
