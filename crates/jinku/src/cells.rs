//! The bank as one cell of several: transfers to the others are carried over, theirs are taken.
//!
//! `bank.json` says which cell this is and where the others are; `keys/cell-<number>.token` is the secret shared with one other cell. A
//! `driver` for each other cell follows the transfers on their way and asks that cell, for ever and with growing pauses, until it has answered;
//! the `desk` answers the others, and takes orders of staff and tenants.
//!
//! **Invariants.** Only the leader asks. What the other cell is asked for is durable here, and its answer is durable there. A repeat changes nothing,
//! so a driver keeps nothing that may not be lost.

mod command_line;
mod desk;
mod driver;
mod wire;

use anyhow::{Context, ensure};
use cells::CellNumber;
use node::Handle;

use crate::cluster::LeadersWork;
use crate::config::{BankConfig, CellConfig, Installation, read_token};
use crate::tenants::is_same;

pub use command_line::{Arguments, join, run};
pub(crate) use desk::{orders, takes};
pub use wire::{NewOrder, ShownCell, ShownTransfer};

/// Most transfers in one request between cells: some dozens of KiB, and one group of the journal.
const TRANSFERS_MAX: usize = 64;

/// Where the token shared with another cell lies within a data folder.
fn token_file(cell: CellNumber) -> String {
    format!("keys/cell-{cell}.token")
}

/// The tokens shared with other cells, within a data folder.
pub(crate) fn files(config: &BankConfig) -> Vec<String> {
    let peers = config.cell.iter().flat_map(|cell| &cell.peers);
    peers.map(|peer| token_file(CellNumber::new(peer.number))).collect()
}

/// Another cell, as the configuration has it.
#[derive(Clone)]
struct Peer {
    cell: CellNumber,
    urls: Vec<String>,
    token: [u8; 32],
}

/// This cell and the others.
#[derive(Clone)]
pub(crate) struct Neighbours {
    own: CellNumber,
    peers: Vec<Peer>,
}

impl Neighbours {
    /// Reads what the configuration says; none where the bank is the only cell.
    ///
    /// # Errors
    /// A configuration that cannot be used, or a token that is missing.
    pub(crate) fn open(installation: &Installation) -> anyhow::Result<Option<Self>> {
        let Some(config) = &installation.config.cell else { return Ok(None) };
        check(config)?;
        let peers = config.peers.iter().map(|peer| {
            let cell = CellNumber::new(peer.number);
            let token = read_token(&installation.folder.join(token_file(cell)))
                .with_context(|| format!("the token shared with cell {cell}"))?;
            Ok(Peer { cell, urls: peer.urls.clone(), token })
        });
        let peers = peers.collect::<anyhow::Result<Vec<Peer>>>()?;
        Ok(Some(Self { own: CellNumber::new(config.number), peers }))
    }

    /// Which other cell shows this token. Every byte of every token is compared, so that time tells nothing.
    fn who(&self, shown: &str) -> Option<CellNumber> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(shown, &mut bytes).ok()?;
        let mut found = None;
        for peer in &self.peers {
            if is_same(&bytes, &peer.token) {
                found = Some(peer.cell);
            }
        }
        found
    }
}

fn check(config: &CellConfig) -> anyhow::Result<()> {
    for (index, peer) in config.peers.iter().enumerate() {
        let number = peer.number;
        ensure!(number != config.number, "cell.peers in bank.json: {number} is this cell itself");
        let twice =
            config.peers.iter().skip(index.saturating_add(1)).any(|other| other.number == peer.number);
        ensure!(!twice, "cell.peers in bank.json: {number} is there twice");
        ensure!(!peer.urls.is_empty(), "cell.peers in bank.json: {number} has no urls");
        for url in &peer.urls {
            ensure!(
                url.starts_with("http://"),
                "cell.peers in bank.json: {url} does not begin with http://; TLS is the business of a relay on this machine"
            );
        }
    }
    Ok(())
}

/// Starts the drivers, which work while this node leads.
///
/// # Errors
/// A thread that cannot be started.
pub(crate) fn start(neighbours: &Neighbours, handle: &Handle) -> anyhow::Result<LeadersWork> {
    let (neighbours, driven) = (neighbours.clone(), handle.clone());
    LeadersWork::begin(handle.clone(), move || {
        let drivers =
            neighbours.peers.iter().map(|peer| driver::Driver::start(neighbours.own, peer, &driven));
        drivers.collect::<anyhow::Result<Vec<_>>>()
    })
}
