//! Two cells, each a process of its own, with transfers both ways, while both are killed again and again: in the end nothing is on its way, and
//! the books of both say the same.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::cells::{CellNumber, Flow, Outcome};
use jinku::bulk::{Client, SendRow};
use jinku::cells::{NewOrder, ShownTransfer, join};
use jinku::config::{BankConfig, Installation, Key};
use jinku::opening::books;
use jinku::process::{Process, Scratch, free_port, loopback};
use jinku::tenants;
use ledger::{AccountKind, Memo, Sizing, Transfer};
use money::{AccountId, Amount, Asset, CommandId, EntryId, TransferId};

const NUMBERS: [u32; 2] = [1, 2];
const KILLS: u64 = 10;
/// Much longer than it takes, for a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);

const HOME: AccountId = AccountId::new(77);
const NOBODY: AccountId = AccountId::new(78);
const FUNDS: u128 = 10_000_000_000;

struct Cell {
    installation: Installation,
    api: u16,
    operator: u16,
    bulk: u16,
    cells: u16,
    books: u16,
}

impl Cell {
    fn new(folder: &Path) -> Self {
        let [api, operator, bulk, cells, books] = [(); 5].map(|()| free_port().unwrap());
        let installation = Installation::create(folder, BankConfig::local(api)).unwrap();
        Self { installation, api, operator, bulk, cells, books }
    }

    fn start(&self) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jinku"));
        command.arg("serve").arg("--data").arg(&self.installation.folder);
        let address = |port: u16| loopback(port).to_string();
        command.args(["--listen", &address(self.api), "--operator-listen", &address(self.operator)]);
        command.args(["--bulk-listen", &address(self.bulk), "--cells-listen", &address(self.cells)]);
        command.args(["--books-listen", &address(self.books)]);
        Process::start("a cell", &mut command, loopback(self.api)).unwrap()
    }

    /// An account with money.
    fn open_account(&self) {
        let token = self.installation.key(Key::Operator).unwrap();
        let mut client = Client::connect(loopback(self.bulk), &token).unwrap();
        let fund = ledger::Command::Transfer(Transfer {
            id: EntryId::new(1 << 90),
            debit: books().reserve,
            credit: HOME,
            sizing: Sizing::Exact(Amount::new(Asset::CNY, FUNDS)),
            memo: Memo::clip("funds"),
            ..Transfer::default()
        });
        let open = ledger::Command::open(HOME, AccountKind::Customer, Asset::CNY);
        client.send_all(CommandId::new(1 << 91), [open, fund]).unwrap();
    }

    fn desk(&self) -> Desk {
        let agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Desk {
            agent: agent.into(),
            address: loopback(self.operator),
            token: hex::encode(self.installation.key(Key::Operator).unwrap()),
        }
    }
}

struct Desk {
    agent: ureq::Agent,
    address: SocketAddr,
    token: String,
}

impl Desk {
    /// Sends until it is heard, as a client does: the same order again is the same transfer.
    #[track_caller]
    fn send(&self, order: &NewOrder) {
        let begun = Instant::now();
        loop {
            let bearer = format!("Bearer {}", self.token);
            let url = format!("http://{}/transfers", self.address);
            match self.agent.post(url).header("authorization", bearer).send_json(order) {
                Ok(answer) if answer.status() == 200 => return,
                // A cell that has only just started for the first time does not know the other one yet.
                _ => assert!(begun.elapsed() < PATIENCE, "{order:?} is not taken"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn on_the_way(&self) -> Option<Vec<ShownTransfer>> {
        let url = format!("http://{}/transfers", self.address);
        let bearer = format!("Bearer {}", self.token);
        self.agent.get(url).header("authorization", bearer).call().ok()?.body_mut().read_json().ok()
    }
}

/// Every fifth transfer goes to nobody, and its money comes back.
const fn arrives(number: u128) -> bool {
    number % 5 != 4
}

const fn minor(number: u128) -> u128 {
    100 + number % 997
}

fn order(number: u128, cell: u32) -> NewOrder {
    let to = if arrives(number) { HOME } else { NOBODY };
    NewOrder {
        id: TransferId::new(number + 1).to_string(),
        from: HOME.to_string(),
        cell,
        to: to.to_string(),
        amount: Amount::new(Asset::CNY, minor(number)).decimal(),
        memo: format!("transfer {number}"),
    }
}

#[test]
fn two_cells_agree_however_often_either_is_killed() {
    let scratch = Scratch::new(None, "cells").unwrap();
    let mut cells = NUMBERS.map(|number| Cell::new(&scratch.path().join(number.to_string())));
    let [one, other] = &mut cells;
    let url = |cell: &Cell| vec![format!("http://{}", loopback(cell.cells))];
    let token = join(&mut one.installation, 1, 2, &url(other), None).unwrap();
    // Of the first one's nodes one is never there: the other is asked then.
    let nowhere = format!("http://{}", loopback(free_port().unwrap()));
    let urls = [vec![nowhere], url(one)].concat();
    join(&mut other.installation, 2, 1, &urls, Some(&token)).unwrap();
    let mut running = cells.each_ref().map(|cell| Some(cell.start()));
    for cell in &cells {
        cell.open_account();
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let clients = [0, 1].map(|at: usize| {
        let (desk, is_over) = (cells[at].desk(), Arc::clone(&is_over));
        std::thread::spawn(move || {
            let mut sent = 0;
            while !is_over.load(Ordering::Relaxed) {
                desk.send(&order(sent, NUMBERS[1 - at]));
                sent += 1;
            }
            sent
        })
    });
    // Each is killed at other moments, also both at once.
    for kill in 0..KILLS {
        std::thread::sleep(Duration::from_millis(60 + 53 * (kill % 4)));
        let both = kill % 5 == 4;
        for (at, process) in running.iter_mut().enumerate() {
            if both || u64::try_from(at).unwrap() == kill % 2 {
                process.take().unwrap().kill().unwrap();
            }
        }
        for (process, cell) in running.iter_mut().zip(&cells) {
            process.get_or_insert_with(|| cell.start());
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let sent = clients.map(|client| client.join().unwrap());
    assert!(sent.iter().all(|sent| *sent > 20), "only {sent:?} transfers were sent");
    let begun = Instant::now();
    while !cells.iter().all(|cell| cell.desk().on_the_way().is_some_and(|left| left.is_empty())) {
        assert!(begun.elapsed() < PATIENCE, "something stays on its way");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(running);
    compare(&cells, sent);
}

/// The books of both, from their journals.
fn compare(cells: &[Cell; 2], sent: [u128; 2]) {
    let banks = cells.each_ref().map(|cell| {
        let findings = jinku::audit::audit(&cell.installation.folder).unwrap();
        assert_eq!(findings.failed, Vec::<String>::new());
        node::recover(&cell.installation.folder).unwrap().bank
    });
    let mut arrived = [(0, 0); 2];
    for at in [0, 1] {
        for number in 0..sent[at] {
            let id = TransferId::new(number + 1);
            let ended = banks[at].cells().ended(id).unwrap();
            assert_eq!(banks[1 - at].cells().answered(CellNumber::new(NUMBERS[at]), id), Some(ended));
            assert_eq!(ended == Outcome::Received, arrives(number), "{id} of cell {}", NUMBERS[at]);
            if arrives(number) {
                arrived[at] = (arrived[at].0 + 1, arrived[at].1 + minor(number));
            }
        }
    }
    for at in [0, 1] {
        let peer = banks[at].cells().peer(CellNumber::new(NUMBERS[1 - at]), Asset::CNY).unwrap();
        let flow = |flow: Flow| (u128::from(flow.count), flow.sum.minor());
        assert_eq!((flow(peer.sent), flow(peer.received)), (arrived[at], arrived[1 - at]));
        let home = banks[at].ledger().account(HOME).unwrap().balance();
        let left = FUNDS - arrived[at].1 + arrived[1 - at].1;
        assert_eq!((home.posted.minor(), home.held.minor()), (left, 0));
    }
}

#[test]
fn a_cell_answers_only_to_whom_it_knows() {
    let scratch = Scratch::new(None, "cell-alone").unwrap();
    let mut cell = Cell::new(&scratch.path().join("1"));
    let nowhere = vec![format!("http://{}", loopback(free_port().unwrap()))];
    let token = join(&mut cell.installation, 1, 2, &nowhere, None).unwrap();
    let token = std::fs::read_to_string(token).unwrap().trim().to_owned();
    let again = join(&mut cell.installation, 1, 2, &nowhere, None).unwrap_err();
    assert!(again.to_string().contains("2 is there twice"), "{again}");
    let other = join(&mut cell.installation, 3, 4, &nowhere, None).unwrap_err();
    assert!(other.to_string().contains("this bank is cell 1"), "{other}");
    tenants::add(&cell.installation, 7).unwrap();
    let process = cell.start();
    cell.open_account();
    let desk = cell.desk();
    // It has become a cell when it takes an order.
    desk.send(&order(0, 2));
    let post = |address: SocketAddr, token: &str, body: serde_json::Value| {
        let request = desk.agent.post(format!("http://{address}/transfers"));
        let mut answer = request.header("authorization", format!("Bearer {token}")).send_json(&body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    let hands_over = |token: &str, id: u128, minor: &str| {
        let transfer = serde_json::json!({
            "id": TransferId::new(id).to_string(), "account": HOME.to_string(),
            "asset": "CNY", "scale": 2, "minor": minor, "memo": "",
        });
        post(loopback(cell.cells), token, serde_json::json!({ "transfers": [transfer] }))
    };
    let check = |found: (u16, String), status: u16, words: &str| {
        assert_eq!(found.0, status, "{}", found.1);
        assert!(found.1.contains(words), "{} has no {words:?}", found.1);
    };
    check(hands_over(&"0".repeat(64), 1, "100"), 401, "the token is missing or not known");
    check(hands_over(&desk.token, 1, "100"), 401, "the token is missing or not known");
    check(hands_over(&token, 1, "ten"), 400, "a transfer cannot be read");
    check(hands_over(&token, 1, "100"), 200, r#"["received"]"#);
    check(hands_over(&token, 1, "100"), 200, r#"["received"]"#);
    check(hands_over(&token, 1, "101"), 200, "is known with another body");
    check(hands_over(&token, 2, "0"), 200, "the amount is zero");
    // An order needs a token of staff or of a tenant, which sees its own only.
    let mine = std::fs::read_to_string(cell.installation.folder.join("keys/tenant-7.token")).unwrap();
    let orders = |token: &str, order: &NewOrder| {
        post(loopback(cell.operator), token.trim(), serde_json::to_value(order).unwrap())
    };
    check(orders(&token, &order(1, 2)), 401, "the token is missing or not known");
    check(orders(&mine, &order(1, 2)), 422, "an id or account is not this sender's");
    check(orders(&desk.token, &order(1, 1)), 422, "cell 1 is this one");
    check(orders(&desk.token, &order(0, 2)), 200, "on_the_way");
    let listed =
        |token: &str| Desk { token: token.trim().to_owned(), ..cell.desk() }.on_the_way().unwrap().len();
    assert_eq!((listed(&desk.token), listed(&mine)), (1, 0));
    drop(process);
}

#[test]
fn rows_in_bulk_go_to_another_cell_and_each_says_what_became_of_it() {
    let scratch = Scratch::new(None, "cell-rows").unwrap();
    let mut cells = NUMBERS.map(|number| Cell::new(&scratch.path().join(number.to_string())));
    let [one, other] = &mut cells;
    let url = |cell: &Cell| vec![format!("http://{}", loopback(cell.cells))];
    let token = join(&mut one.installation, 1, 2, &url(other), None).unwrap();
    join(&mut other.installation, 2, 1, &url(one), Some(&token)).unwrap();
    tenants::add(&one.installation, 7).unwrap();
    let running = cells.each_ref().map(Cell::start);
    for cell in &cells {
        cell.open_account();
    }
    let desk = cells[0].desk();
    desk.send(&order(0, 2));
    let send = |number: u128, cell: u32, amount: &str| {
        format!(
            r#"{{"row":"send","id":"{}","from":"{HOME}","cell":{cell},"to":"{HOME}","asset":"CNY","amount":"{amount}","memo":"in bulk"}}"#,
            TransferId::new(number)
        )
    };
    let open = |number: u128| {
        format!(r#"{{"row":"open","account":"{}","kind":"customer","asset":"CNY"}}"#, AccountId::new(number))
    };
    let mine = std::fs::read_to_string(cells[0].installation.folder.join("keys/tenant-7.token")).unwrap();
    let post = |token: &str, id: u128, rows: &[String]| -> Vec<serde_json::Value> {
        let url =
            format!("http://{}/rows?id={}", loopback(cells[0].books), CommandId::new((1 << 85) | (id << 32)));
        let request = desk.agent.post(url).header("authorization", format!("Bearer {}", token.trim()));
        let text = request.send(rows.join("\n")).unwrap().body_mut().read_to_string().unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{text}"))).collect()
    };
    let rows = [
        open(101),
        send(1_001, 2, "30.00"),
        send(1_002, 3, "30.00"),
        send(1_003, 2, "999999999999.00"),
        send(1_004, 2, "0"),
        send(1_005, 1, "1.00"),
        send(1_001, 2, "31.00"),
        open(102),
        send(1_006, 2, "12.00"),
    ];
    let said = post(&desk.token, 1, &rows);
    let reasons: Vec<_> = said[..9].iter().map(|line| line["reason"].as_str()).collect();
    let expected = [
        None,
        None,
        Some("cell_unknown"),
        Some("insufficient_funds"),
        Some("zero_amount"),
        Some("own_cell"),
        Some("transfer_exists"),
        None,
        None,
    ];
    assert_eq!(reasons, expected, "{said:?}");
    assert_eq!((&said[9]["taken"], &said[9]["refused"]), (&4.into(), &5.into()));
    // The same again: nothing twice, and the same for each row.
    let again = post(&desk.token, 1, &rows);
    assert_eq!(again[..9].iter().map(|line| line["reason"].as_str()).collect::<Vec<_>>(), expected);
    // A tenant sends from accounts of its own only.
    assert_eq!(post(&mine, 2, &[send(1_007, 2, "1.00")])[0]["reason"], "not_permitted");
    // And over the binary interface.
    let row = |number: u128, cell: u32, minor: u128| SendRow {
        id: TransferId::new(number),
        from: HOME,
        cell,
        to: HOME,
        amount: Amount::new(Asset::CNY, minor),
        memo: Memo::clip("binary"),
    };
    let token = cells[0].installation.key(Key::Operator).unwrap();
    let mut client = Client::connect(loopback(cells[0].bulk), &token).unwrap();
    let many: Vec<SendRow> = (0..500).map(|number| row(2_000 + number, 2, 1 + number)).collect();
    let sent = [many, vec![row(3_000, 9, 1)]].concat();
    for _ in 0..2 {
        let answer = client.send_to_cells(CommandId::new(1 << 86), &sent).unwrap();
        assert_eq!((answer.rows, answer.problem.as_deref()), (501, None));
        let refused = answer.refused.iter().map(|refused| (refused.row, refused.reason.as_deref()));
        assert_eq!(refused.collect::<Vec<_>>(), [(500, Some("cell_unknown"))]);
        assert!(answer.seq > 0);
    }
    let begun = Instant::now();
    while !desk.on_the_way().is_some_and(|left| left.is_empty()) {
        assert!(begun.elapsed() < PATIENCE, "something stays on its way");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop((running, client));
    let banks = cells.each_ref().map(|cell| {
        assert_eq!(jinku::audit::audit(&cell.installation.folder).unwrap().failed, Vec::<String>::new());
        node::recover(&cell.installation.folder).unwrap().bank
    });
    let moved = minor(0) + 3_000 + 1_200 + (1..=500).sum::<u128>();
    let posted = banks.each_ref().map(|bank| bank.ledger().account(HOME).unwrap().balance().posted.minor());
    assert_eq!(posted, [FUNDS - moved, FUNDS + moved]);
    let peer = banks[1].cells().peer(CellNumber::new(1), Asset::CNY).unwrap();
    assert_eq!((u128::from(peer.received.count), peer.received.sum.minor()), (503, moved));
}
