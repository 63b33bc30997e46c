//! A trading floor for the benchmarks: a market, owners with seats and plenty of funds, and the usual flow as rows.

use anyhow::Context as _;
use exchange::book::flow::{Flow, MIDDLE, Shape};
use exchange::book::{Book, BookCommand, InForce, Terms};
use exchange::market::{Fees, MakerFee, Rules};
use exchange::row::{Ask, OrderRow, PlaceRow};
use exchange::{Command, MarketChange, MarketNumber, Price, Quantity, Seat};
use ledger::{AccountKind, Command as Books, Memo, Sizing, Transfer};
use money::{AccountId, Amount, Asset, EntryId};

/// The market.
pub(super) const MARKET: MarketNumber = MarketNumber::new(1);
/// Ids of the accounts begin here.
const FROM: u128 = 0xF100 << 96;
/// What each owner has of base and of quote, in minor units: no order of a run is refused for want of it.
const PLENTY: u128 = 1 << 70;

/// What is traded; the quote is yuan.
pub(super) fn base() -> anyhow::Result<Asset> {
    Ok(Asset::new("BTC", 8)?)
}

fn account(number: u128) -> AccountId {
    AccountId::new(FROM | number)
}

/// The account that gives everybody what they begin with, in base and in quote, and the one for fees.
pub(super) const SOURCES: [u128; 2] = [1, 2];
const FEES: u128 = 3;

/// The accounts of a seat, in base and in quote.
fn of_seat(seat: u32) -> [AccountId; 2] {
    let first = 16_u128.saturating_add(u128::from(seat).saturating_mul(2));
    [account(first), account(first.saturating_add(1))]
}

/// Fees both ways, bands as wide as they can be, and no halts: nothing of the flow is refused.
fn rules() -> anyhow::Result<Rules> {
    Ok(Rules {
        base: base()?,
        quote: Asset::CNY,
        lot: 1_000,
        tick: 1,
        quantity_max: Quantity::new(u64::from(u32::MAX)),
        notional_min: 1,
        fees: Fees { maker: MakerFee::Pays(500), taker_ppm: 1_000 },
        band_bps: 9_999,
        halt_bps: 9_999,
        reference_ms: u64::from(u32::MAX),
        call_ms: 1_000,
        open_orders_max: u32::MAX,
        hours: None,
        fee_account: account(FEES),
    })
}

/// Commands of the ledger that open and fund the accounts of so many seats.
pub(super) fn accounts(seats: u32) -> anyhow::Result<Vec<Books>> {
    let assets = [base()?, Asset::CNY];
    let mut commands = vec![Books::open(account(FEES), AccountKind::Fee, Asset::CNY)];
    for (source, asset) in SOURCES.into_iter().zip(assets) {
        commands.push(Books::open(account(source), AccountKind::Capital, asset));
    }
    for seat in 0..seats {
        for (place, (id, asset)) in of_seat(seat).into_iter().zip(assets).enumerate() {
            commands.push(Books::open(id, AccountKind::Customer, asset));
            commands.push(Books::Transfer(Transfer {
                id: EntryId::new(id.value()),
                debit: account(SOURCES.get(place).copied().unwrap_or(1)),
                credit: id,
                sizing: Sizing::Exact(Amount::new(asset, PLENTY)),
                effective_at: None,
                reference: None,
                memo: Memo::default(),
            }));
        }
    }
    Ok(commands)
}

/// The proposal that opens the market.
pub(super) fn opening() -> anyhow::Result<Command> {
    Ok(Command::Propose(MarketChange::Open { rules: rules()?, reference: Price::new(MIDDLE) }))
}

/// The commands by which each owner takes a seat.
pub(super) fn seats(count: u32) -> impl Iterator<Item = Command> {
    (0..count).map(|seat| {
        let [base, quote] = of_seat(seat);
        Command::TakeSeat { market: MARKET, base, quote, group: None }
    })
}

/// The usual flow with self-trade prevention, as rows: those that fill the book and warm it up, and those to be timed.
pub(super) struct Rows {
    pub(super) seats: u32,
    pub(super) before: Vec<OrderRow>,
    pub(super) timed: Vec<OrderRow>,
}

impl Rows {
    pub(super) fn make(seed: u64, count: usize) -> anyhow::Result<Self> {
        let shape = Shape::grouped(seed);
        let mut flow = Flow::new(shape);
        let (mut before, mut timed) = (Vec::new(), Vec::with_capacity(count));
        flow.fill(&mut before);
        flow.run(100_000, &mut before);
        flow.run(count, &mut timed);
        // A book of its own knows whose each order is.
        let mut book = Book::around(Price::new(MIDDLE));
        let mut rows = |commands: &[BookCommand]| -> anyhow::Result<Vec<OrderRow>> {
            let mut events = Vec::new();
            commands.iter().map(|command| row(&mut book, command, &mut events)).collect()
        };
        Ok(Self { seats: shape.seats, before: rows(&before)?, timed: rows(&timed)? })
    }
}

fn row(
    book: &mut Book,
    command: &BookCommand,
    events: &mut Vec<exchange::book::BookEvent>,
) -> anyhow::Result<OrderRow> {
    let owner = |id| book.order(id).map(|order| order.seat).context("an order that is not there");
    let (seat, ask): (Seat, Ask) = match *command {
        BookCommand::Enter(order) => {
            let in_force = match order.terms {
                Terms::WholeFor { .. } => InForce::FillOrKill,
                Terms::Limit(_) | Terms::Budget { .. } => order.in_force,
            };
            let place = PlaceRow {
                side: order.side,
                terms: order.terms,
                in_force,
                self_trade: order.self_trade,
                quantity: order.quantity,
                shown: order.shown,
                trigger: order.trigger,
                until: None,
                client: 0,
            };
            (order.seat, Ask::Place(place))
        }
        BookCommand::Cancel(id) => (owner(id)?, Ask::Cancel(id)),
        BookCommand::Reduce(id, by) => (owner(id)?, Ask::Reduce(id, by)),
        BookCommand::Move(id, price) => (owner(id)?, Ask::Move(id, price)),
    };
    events.clear();
    book.take(*command, events)?;
    Ok(OrderRow { market: MARKET, seat, ask })
}
