//! Two clients of the demo's bank who trade all day, so that books move: one keeps prices on both sides, the other takes them now and then.
//!
//! They stand outside the bank, like anybody with a token: orders go over the bulk interface, and the price they go by is the sandbox's.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use exchange::book::InForce;
use exchange::row::{Ask, OrderRow, PlaceRow};
use exchange::{MarketNumber, Price, Quantity, Seat, Side};
use money::{Amount, Asset, CommandId};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::Value;

use super::markets::{LISTINGS, Listing, MAKER, TAKER};
use crate::bulk::Client;
use crate::config::{Installation, read_token};
use crate::worker::Worker;

/// Time between two rounds.
const ROUND: Duration = Duration::from_millis(1_500);
/// Prices on each side.
const LEVELS: u64 = 10;
/// A round in which the price has moved by less than this many ticks leaves the orders where they are.
const STILL_TICKS: u64 = 2;
/// The seats of the two in every market: they were taken first.
const MAKER_SEAT: Seat = Seat::new(0);
const TAKER_SEAT: Seat = Seat::new(1);

/// Trades until it is dropped.
pub(super) fn start(
    installation: &Installation,
    bulk: SocketAddr,
    sandbox: SocketAddr,
) -> anyhow::Result<Worker> {
    for tenant in [MAKER, TAKER] {
        let file = installation.folder.join(format!("keys/tenant-{tenant}.token"));
        if !file.exists() {
            crate::tenants::add(installation, tenant)?;
        }
    }
    let folder = installation.folder.clone();
    let token = move |tenant: u32| read_token(&folder.join(format!("keys/tenant-{tenant}.token")));
    let (maker, taker) = (token(MAKER)?, token(TAKER)?);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    // Ids of this run: nothing that an earlier one used comes again.
    let run = seed.iter().take(8).fold(0_u128, |run, byte| (run << 8) | u128::from(*byte));
    let mut traders = Traders {
        bulk,
        sandbox: format!("http://{sandbox}/control/market"),
        tokens: [maker, taker],
        random: ChaCha8Rng::from_seed(seed),
        next: (run << 48) | 1,
        stand_at: [0; LISTINGS.len()],
    };
    Worker::start("demo-traders".to_owned(), move |stopping| traders.go(stopping))
}

struct Traders {
    bulk: SocketAddr,
    sandbox: String,
    tokens: [[u8; 32]; 2],
    random: ChaCha8Rng,
    next: u128,
    /// The price around which the maker's orders stand, by market.
    stand_at: [u64; LISTINGS.len()],
}

impl Traders {
    fn go(&mut self, stopping: &AtomicBool) {
        while !stopping.load(Ordering::Relaxed) {
            // A bank that is starting or gone is tried again; the demo says nothing of it.
            if self.session(stopping).is_err() {
                self.stand_at = [0; LISTINGS.len()];
            }
            std::thread::park_timeout(ROUND);
        }
    }

    fn session(&mut self, stopping: &AtomicBool) -> anyhow::Result<()> {
        let patience = Duration::from_secs(5);
        let [maker, taker] = self.tokens;
        let mut maker = Client::connect_within(self.bulk, &maker, patience)?;
        let mut taker = Client::connect_within(self.bulk, &taker, patience)?;
        while !stopping.load(Ordering::Relaxed) {
            let prices: Value = ureq::get(&self.sandbox).call()?.body_mut().read_json()?;
            for (index, listing) in LISTINGS.iter().enumerate() {
                let price = prices.pointer("/prices").and_then(|prices| prices.get(listing.name));
                let price = ticks(listing, price).context("the sandbox has no price")?;
                self.make(index, listing, price, &mut maker)?;
                self.take(listing, price, &mut taker)?;
            }
            std::thread::park_timeout(ROUND);
        }
        Ok(())
    }

    /// Both sides of a book around the price.
    fn make(
        &mut self,
        index: usize,
        listing: &Listing,
        price: u64,
        client: &mut Client,
    ) -> anyhow::Result<()> {
        let stood = self.stand_at.get(index).copied().unwrap_or(0);
        if stood.abs_diff(price) < STILL_TICKS {
            return Ok(());
        }
        let market = MarketNumber::new(listing.number);
        let row = |ask| OrderRow { market, seat: MAKER_SEAT, ask };
        let mut rows = vec![row(Ask::CancelAll)];
        for level in 0..LEVELS {
            // Closer together near the price, thicker further out.
            let away = 1_u64.saturating_add(level).saturating_add(level.saturating_mul(level) / 3);
            for (side, at) in
                [(Side::Bid, price.saturating_sub(away)), (Side::Ask, price.saturating_add(away))]
            {
                let lots = 2_u64.saturating_add(self.below(4)).saturating_add(level.saturating_mul(2));
                rows.push(row(Ask::Place(PlaceRow::limit(side, Price::new(at.max(1)), Quantity::new(lots)))));
            }
        }
        let answer = client.order(self.id(), &rows)?;
        ensure!(answer.problem.is_none(), "{}", answer.problem.unwrap_or_default());
        if let Some(slot) = self.stand_at.get_mut(index) {
            *slot = price;
        }
        Ok(())
    }

    /// Now and then an order that takes what there is.
    fn take(&mut self, listing: &Listing, price: u64, client: &mut Client) -> anyhow::Result<()> {
        if self.below(3) == 0 {
            return Ok(());
        }
        let (side, at) = match self.below(2) {
            0 => (Side::Bid, price.saturating_add(6)),
            _ => (Side::Ask, price.saturating_sub(6).max(1)),
        };
        let lots = Quantity::new(1_u64.saturating_add(self.below(6)));
        let place =
            PlaceRow { in_force: InForce::ImmediateOrCancel, ..PlaceRow::limit(side, Price::new(at), lots) };
        let market = MarketNumber::new(listing.number);
        let row = OrderRow { market, seat: TAKER_SEAT, ask: Ask::Place(place) };
        client.order(self.id(), &[row])?;
        Ok(())
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64().checked_rem(bound.max(1)).unwrap_or(0)
    }

    fn id(&mut self) -> CommandId {
        self.next = self.next.saturating_add(16);
        CommandId::new(self.next)
    }
}

/// A price of the sandbox in ticks of the market, rounded down.
fn ticks(listing: &Listing, price: Option<&Value>) -> Option<u64> {
    let text = price?.as_str()?;
    let e8 = Amount::parse(Asset::new("P", 8).ok()?, text).ok()?.minor();
    u64::try_from(e8.checked_div(listing.tick_e8)?).ok()
}
