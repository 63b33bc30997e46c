//! Orders over the binary bulk interface, on a bank whose demo has opened its markets.

use std::net::{SocketAddr, TcpListener};

use exchange::book::InForce;
use exchange::row::{Ask, OrderRow, PlaceRow};
use exchange::{Command, MarketNumber, OrderId, Price, Quantity, Seat, Side};
use jinku::bulk::{self, Client};
use jinku::config::Installation;
use jinku::tenants::{self, Tokens};
use money::CommandId;
use node::Node;

use crate::support::Bank;

const MARKET: MarketNumber = MarketNumber::new(1);
/// The two clients of the demo and their seats.
const MAKER: (u32, Seat) = (9_001, Seat::new(0));
const TAKER: (u32, Seat) = (9_002, Seat::new(1));

struct Floor {
    _bank: Bank,
    node: Node,
    _projections: projections::Projections,
    address: SocketAddr,
    installation: Installation,
}

impl Floor {
    fn open(name: &str) -> Self {
        let bank = Bank::with_history(name);
        let installation = Installation::open(bank.folder()).unwrap();
        for (tenant, _) in [MAKER, TAKER] {
            tenants::add(&installation, tenant).unwrap();
        }
        let (node, projections) = bank.start();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let tokens = Tokens::open(&installation).unwrap();
        bulk::listen(listener, node.handle(), tokens, bank.folder().join("journal")).unwrap();
        Self { _bank: bank, node, _projections: projections, address, installation }
    }

    fn client(&self, tenant: u32) -> Client {
        let file = self.installation.folder.join(format!("keys/tenant-{tenant}.token"));
        let mut token = [0; 32];
        hex::decode_to_slice(std::fs::read_to_string(file).unwrap().trim(), &mut token).unwrap();
        Client::connect(self.address, &token).unwrap()
    }

    /// Bids and asks that rest.
    fn resting(&self) -> u32 {
        self.node.handle().read(|bank| bank.exchange().market(MARKET).unwrap().book().count()).unwrap()
    }
}

fn row(seat: Seat, ask: Ask) -> OrderRow {
    OrderRow { market: MARKET, seat, ask }
}

fn limit(side: Side, price: u64, lots: u64) -> PlaceRow {
    PlaceRow::limit(side, Price::new(price), Quantity::new(lots))
}

#[test]
fn rows_are_taken_in_order_each_with_its_result_and_a_repeat_places_nothing_twice() {
    let floor = Floor::open("orders-in-bulk");
    let (mut maker, mut taker) = (floor.client(MAKER.0), floor.client(TAKER.0));
    let rows = [
        row(MAKER.1, Ask::Place(limit(Side::Ask, 51_300, 5))),
        row(MAKER.1, Ask::Place(limit(Side::Bid, 51_100, 5))),
        // Outside the band.
        row(MAKER.1, Ask::Place(limit(Side::Bid, 10, 1_000))),
        // The taker's seat.
        row(TAKER.1, Ask::Place(limit(Side::Bid, 51_000, 1))),
        row(MAKER.1, Ask::Cancel(OrderId::from_number(99))),
    ];
    let placed = maker.order(CommandId::new(1 << 90), &rows).unwrap();
    assert_eq!((placed.rows, placed.placed.len(), placed.problem.as_deref()), (5, 2, None));
    let codes: Vec<(u32, u16)> = placed.refused.iter().map(|refused| (refused.row, refused.code)).collect();
    assert_eq!(codes, [(2, 14), (3, 5), (4, 8)]);
    assert!(placed.refused[0].words.contains("the price is between"), "{:?}", placed.refused);
    assert_eq!(floor.resting(), 2);

    let again = maker.order(CommandId::new(1 << 90), &rows).unwrap();
    assert!(again.is_repeat && again.placed.is_empty() && again.seq == placed.seq, "{again:?}");
    assert_eq!(floor.resting(), 2);

    let place = PlaceRow { in_force: InForce::ImmediateOrCancel, ..limit(Side::Bid, 51_300, 7) };
    let taken = taker.order(CommandId::new(2 << 90), &[row(TAKER.1, Ask::Place(place))]).unwrap();
    assert_eq!((taken.fills, taken.placed.len()), (1, 1));
    assert_eq!(floor.resting(), 1);
    let broken = floor.node.handle().read(bank::Bank::broken_invariants).unwrap();
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn commands_of_the_markets_and_rows_that_cannot_be_read() {
    let floor = Floor::open("markets-in-bulk");
    let mut maker = floor.client(MAKER.0);
    maker.order(CommandId::new(1 << 90), &[row(MAKER.1, Ask::Place(limit(Side::Bid, 51_100, 5)))]).unwrap();
    let stopped =
        maker.trade(CommandId::new(2 << 90), &Command::StopSeat { market: MARKET, seat: MAKER.1 }).unwrap();
    assert_eq!(stopped.problem, None);
    assert_eq!(floor.resting(), 0);
    let suspend = maker.trade(CommandId::new(3 << 90), &Command::Suspend { market: MARKET }).unwrap();
    assert_eq!(suspend.problem.as_deref(), Some("only the bank does this"));
    let none = maker.order(CommandId::new(4 << 90), &[]).unwrap();
    assert_eq!(none.problem.as_deref(), Some("0 rows are given, 1 to 8192 can be"));
    // The connection goes on after each of them.
    let free = Command::FreeSeat { market: MARKET, seat: MAKER.1 };
    assert_eq!(maker.trade(CommandId::new(5 << 90), &free).unwrap().problem, None);
}
