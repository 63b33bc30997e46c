//! Markets of the demo: three pairs, the bank's own stock, a convert desk, a pool, and two clients with seats who trade all day.

use anyhow::Context;
use bank::{Command, Submission};
use exchange::market::{Fees, MakerFee, Rules};
use exchange::pool::{Coin, Curve, PoolCommand, PoolNumber, PoolTerms};
use exchange::price::{Pair, PriceTerms};
use exchange::quote::{ConvertTerms, SizeBand};
use exchange::{Command as C, MarketChange, MarketNumber, Price, Quantity};
use identity::Actor;
use ledger::{AccountKind, Change, Entry, Leg, Tenant};
use money::{AccountId, Amount, Asset, CommandId, EntryId, Text, Timestamp};
use node::Handle;
use payments::Books;

/// The client that keeps prices on both sides of the books, and the one that takes them.
pub(super) const MAKER: u32 = 9_001;
pub(super) const TAKER: u32 = 9_002;
/// Ids of the demo's market accounts, entries and commands begin here.
const FROM: u128 = 0xDE40 << 112;
/// Units of quote that each of the two clients begins with, in minor units.
const CLIENT_QUOTE: u128 = 100_000_000_000;

/// A market of the demo.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing {
    pub(super) number: u32,
    /// As the sandbox calls the pair.
    pub(super) name: &'static str,
    code: &'static str,
    scale: u8,
    /// Minor units of base in a lot.
    lot: u64,
    /// A tick, in hundred-millionths of a unit of quote for one unit of base.
    pub(super) tick_e8: u128,
    /// Price at the start, in ticks.
    reference: u64,
    /// What the bank has of it at the start, in units.
    stock: u128,
}

/// One lot at one tick is one fen in each.
pub(super) const LISTINGS: [Listing; 3] = [
    Listing {
        number: 1,
        name: "BTC/CNY",
        code: "BTC",
        scale: 8,
        lot: 100_000,
        tick_e8: 1_000_000_000,
        reference: 51_200,
        stock: 40,
    },
    Listing {
        number: 2,
        name: "ETH/CNY",
        code: "ETH",
        scale: 18,
        lot: 10_000_000_000_000_000,
        tick_e8: 100_000_000,
        reference: 19_800,
        stock: 800,
    },
    Listing {
        number: 3,
        name: "USD/CNY",
        code: "USD",
        scale: 2,
        lot: 10_000,
        tick_e8: 10_000,
        reference: 71_000,
        stock: 4_000_000,
    },
];

impl Listing {
    fn asset(&self) -> anyhow::Result<Asset> {
        Ok(Asset::new(self.code, self.scale)?)
    }

    /// So many whole units.
    fn units(&self, units: u128) -> anyhow::Result<Amount> {
        let one = 10_u128.checked_pow(u32::from(self.scale)).context("scale")?;
        Ok(Amount::new(self.asset()?, units.saturating_mul(one)))
    }

    /// One of the accounts in this asset.
    fn account(&self, which: u128) -> AccountId {
        AccountId::new(FROM | (u128::from(self.number) << 16) | which)
    }

    fn books(&self) -> anyhow::Result<Books> {
        Ok(Books {
            asset: self.asset()?,
            reserve: self.account(1),
            transit_instant: self.account(2),
            transit_high_value: self.account(3),
            suspense: self.account(4),
            fees: self.account(5),
            capital: self.account(6),
        })
    }

    fn rules(&self) -> anyhow::Result<Rules> {
        Ok(Rules {
            base: self.asset()?,
            quote: Asset::CNY,
            lot: self.lot,
            tick: 1,
            quantity_max: Quantity::new(100_000),
            notional_min: 1_000,
            fees: Fees { maker: MakerFee::Gets(100), taker_ppm: 1_000 },
            band_bps: 2_000,
            halt_bps: 1_000,
            reference_ms: 300_000,
            call_ms: 30_000,
            open_orders_max: 200,
            hours: None,
            fee_account: crate::opening::books().fees,
        })
    }

    fn convert(&self) -> anyhow::Result<ConvertTerms> {
        let band = |yuan: u128, spread_ppm| SizeBand { up_to: cny(yuan), spread_ppm };
        Ok(ConvertTerms {
            bands: vec![band(50_000, 2_000), band(500_000, 4_000), band(5_000_000, 8_000)],
            least: Amount::new(Asset::CNY, 100),
            lock_ms: 15_000,
            volatility_share_ppm: 500_000,
            target: self.units(self.stock / 2)?,
            target_band: self.units((self.stock / 8).max(1))?,
            skew_ppm: 1_000,
            spread_max_ppm: 50_000,
            fee_ppm: 500,
        })
    }
}

const fn cny(yuan: u128) -> Amount {
    Amount::new(Asset::CNY, yuan.saturating_mul(100))
}

/// The bank's own account in yuan to convert with, and those of the two clients.
const fn yuan_account(which: u128) -> AccountId {
    AccountId::new(FROM | (0xFFFF << 16) | which)
}

/// Whose accounts are numbered how, in each asset.
const DESK: u128 = 10;
const POOL: u128 = 11;
const SHARES: u128 = 12;
const DESK_SHARES: u128 = 13;

fn of_client(tenant: u32) -> u128 {
    u128::from(tenant)
}

struct Setting<'a> {
    handle: &'a Handle,
    now: Timestamp,
    serial: u128,
    proposals: u64,
}

/// Opens the markets: everything by the commands that the bank's people would give, two of them for what needs two.
///
/// # Errors
/// The bank refuses something, which would be a fault of the demo.
pub(super) fn open(handle: &Handle, now: Timestamp) -> anyhow::Result<()> {
    let mut setting = Setting { handle, now, serial: 0, proposals: 0 };
    setting.yuan()?;
    for listing in &LISTINGS {
        setting.list(listing).with_context(|| listing.name.to_owned())?;
    }
    setting.pool(&LISTINGS[0]).context("the pool")
}

impl Setting<'_> {
    fn number(&mut self) -> u128 {
        self.serial = self.serial.saturating_add(1);
        FROM | (1 << 64) | self.serial
    }

    fn give(&mut self, by: &str, command: Command) -> anyhow::Result<()> {
        let id = CommandId::new(self.number());
        self.handle.submit(Submission { id, actor: Actor::Operator(Text::clip(by)), command })?;
        Ok(())
    }

    fn trade(&mut self, actor: Actor, command: C) -> anyhow::Result<()> {
        let id = CommandId::new(self.number());
        self.handle.submit(Submission { id, actor, command: Command::Exchange(command) })?;
        Ok(())
    }

    /// Proposed by the treasurer, approved by risk.
    fn decide(&mut self, change: MarketChange) -> anyhow::Result<()> {
        self.proposals = self.proposals.saturating_add(1);
        self.give("treasurer", Command::Exchange(C::Propose(change)))?;
        self.give("risk", Command::Exchange(C::Approve { proposal: self.proposals }))
    }

    fn open_account(
        &mut self,
        id: AccountId,
        kind: AccountKind,
        asset: Asset,
        tenant: Option<u32>,
    ) -> anyhow::Result<()> {
        let tenant = tenant.map(Tenant::new);
        let command = ledger::Command::OpenAccount { id, kind, asset, tenant, opened_at: None };
        self.give("treasurer", Command::Ledger(command))
    }

    fn post(
        &mut self,
        debit: AccountId,
        credit: AccountId,
        amount: Amount,
        memo: &str,
    ) -> anyhow::Result<()> {
        let id = EntryId::new(self.number());
        let legs = vec![Leg::debit(debit, amount), Leg::credit(credit, amount)];
        let entry = Entry { id, legs, effective_at: None, reference: None, memo: Text::clip(memo) };
        let change = Change { entry: Some(entry), ..Change::default() };
        self.give("treasurer", Command::Ledger(ledger::Command::Change(change)))
    }

    /// The bank's own yuan for the desk, and those of the two clients.
    fn yuan(&mut self) -> anyhow::Result<()> {
        let books = crate::opening::books();
        self.open_account(yuan_account(DESK), AccountKind::Customer, Asset::CNY, None)?;
        self.post(books.capital, yuan_account(DESK), cny(50_000_000), "stock of the convert desk")?;
        for tenant in [MAKER, TAKER] {
            for listing in &LISTINGS {
                let id = client_yuan(tenant, listing);
                self.open_account(id, AccountKind::Customer, Asset::CNY, Some(tenant))?;
                let amount = Amount::new(Asset::CNY, CLIENT_QUOTE);
                self.post(books.reserve, id, amount, "brought in")?;
            }
        }
        self.decide(MarketChange::SetInventory {
            asset: Asset::CNY,
            account: yuan_account(DESK),
            fees: books.fees,
        })
    }

    fn list(&mut self, listing: &Listing) -> anyhow::Result<()> {
        let (asset, books) = (listing.asset()?, listing.books()?);
        let pair = Pair { base: asset, quote: Asset::CNY };
        self.give("treasurer", Command::Payments(payments::Command::OpenBooks(books)))?;
        self.post(books.reserve, books.capital, listing.units(listing.stock)?, "opening stock")?;
        let desk = listing.account(DESK);
        self.open_account(desk, AccountKind::Customer, asset, None)?;
        self.post(books.capital, desk, listing.units(listing.stock / 2)?, "stock of the convert desk")?;
        self.decide(MarketChange::Open {
            rules: listing.rules()?,
            reference: Price::new(listing.reference),
        })?;
        let from = self.now;
        let prices = PriceTerms {
            stale_ms: 10_000,
            sources_min: 2,
            jump_ppm: 30_000,
            confirm_ms: 5_000,
            width_max_ppm: 10_000,
            half_life_ms: 60_000,
            volatility_min_ppb: 20_000,
        };
        self.decide(MarketChange::SetPriceTerms { pair, from, terms: prices })?;
        self.decide(MarketChange::SetConvertTerms { pair, from, terms: listing.convert()? })?;
        self.decide(MarketChange::SetInventory { asset, account: desk, fees: books.fees })?;
        let market = MarketNumber::new(listing.number);
        for tenant in [MAKER, TAKER] {
            let (base, quote) = (listing.account(of_client(tenant)), client_yuan(tenant, listing));
            self.open_account(base, AccountKind::Customer, asset, Some(tenant))?;
            self.post(books.reserve, base, listing.units(listing.stock)?, "brought in")?;
            let seat = C::TakeSeat { market, base, quote, group: None };
            self.trade(Actor::Tenant(tenant), seat)?;
        }
        if listing.number == 1 {
            // The desk's yuan have a seat in one market, where its largest positions are.
            let seat = C::TakeSeat { market, base: desk, quote: yuan_account(DESK), group: None };
            self.trade(Actor::Operator(Text::clip("treasurer")), seat)?;
        }
        Ok(())
    }

    /// A pool of the bank's own beside the first market.
    fn pool(&mut self, listing: &Listing) -> anyhow::Result<()> {
        let (asset, share) = (listing.asset()?, Asset::new("POOLBTC", 18)?);
        let accounts = vec![listing.account(POOL), yuan_account(POOL)];
        let shares = listing.account(SHARES);
        self.open_account(listing.account(POOL), AccountKind::Customer, asset, None)?;
        self.open_account(yuan_account(POOL), AccountKind::Customer, Asset::CNY, None)?;
        self.open_account(shares, AccountKind::Reserve, share, None)?;
        self.open_account(listing.account(DESK_SHARES), AccountKind::Customer, share, None)?;
        let coins = vec![Coin::new(asset), Coin::new(Asset::CNY)];
        let terms = PoolTerms { coins, curve: Curve::Product, fee_ppm: 3_000, share };
        self.decide(MarketChange::OpenPool { terms, accounts, shares })?;
        let pays = vec![listing.units(5)?, cny(2_560_000)];
        let add = C::UsePool {
            pool: PoolNumber::new(1),
            command: PoolCommand::Add { pays, shares_least: Amount::new(share, 1) },
            accounts: vec![listing.account(DESK), yuan_account(DESK)],
            shares: listing.account(DESK_SHARES),
        };
        self.trade(Actor::Operator(Text::clip("treasurer")), add)
    }
}

/// A client's yuan for one market: an account has one seat in a market, and its own in each here.
fn client_yuan(tenant: u32, listing: &Listing) -> AccountId {
    yuan_account((u128::from(listing.number) << 32) | of_client(tenant))
}
