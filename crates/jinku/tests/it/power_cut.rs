//! A bank that is killed again and again while it takes batches: what it acknowledged is there, what it did not is whole or absent.

use std::process::Command;

use jinku::bulk::{Client, Row};
use jinku::config::{BankConfig, Installation, Key};
use jinku::opening::books;
use jinku::process::{Process, Scratch, free_port, loopback};
use ledger::{AccountKind, Change, Entry, Leg, Memo};
use money::{AccountId, Amount, Asset, CommandId, EntryId};

const CUTS: u64 = 6;
const BATCH: u128 = 20;

fn start(installation: &Installation) -> (Process, std::net::SocketAddr) {
    let ports: Vec<u16> = (0..4).map(|_| free_port().unwrap()).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_jinku"));
    command.arg("serve").arg("--data").arg(&installation.folder);
    command.args([
        "--listen",
        &loopback(ports[0]).to_string(),
        "--rails-listen",
        &loopback(ports[1]).to_string(),
    ]);
    command.args(["--operator-listen", &loopback(ports[2]).to_string()]);
    command.args(["--bulk-listen", &loopback(ports[3]).to_string()]);
    let process = Process::start("the bank", &mut command, loopback(ports[0])).unwrap();
    (process, loopback(ports[3]))
}

fn entry(serial: u128) -> Row {
    let one = Amount::new(Asset::CNY, 1);
    let legs = vec![Leg::debit(books().reserve, one), Leg::credit(AccountId::new(77), one)];
    let id = EntryId::new((1 << 90) | serial);
    let entry = Entry { id, legs, effective_at: None, reference: None, memo: Memo::default() };
    (
        CommandId::new((1 << 90) | serial),
        ledger::Command::Change(Change { entry: Some(entry), ..Change::default() }),
    )
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let scratch = Scratch::new(None, "power-cut").unwrap();
    let installation = Installation::create(&scratch.path().join("bank"), BankConfig::local(7460)).unwrap();
    let token = installation.key(Key::Operator).unwrap();
    let mut acknowledged = 0_u128;
    for cut in 0..CUTS {
        let (process, address) = start(&installation);
        let mut client = Client::connect(address, &token).unwrap();
        if cut == 0 {
            let id = AccountId::new(77);
            let open = ledger::Command::open(id, AccountKind::Customer, Asset::CNY);
            client.send(&[(CommandId::new(1 << 91), open)]).unwrap();
        }
        // The killer waits a different time at each cut; what is sent in between is cut wherever it is.
        let killer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(40 + 37 * cut));
            process.kill().unwrap();
        });
        loop {
            let rows: Vec<Row> = (acknowledged..acknowledged + BATCH).map(entry).collect();
            match client.send(&rows) {
                Ok((_, refused)) => assert_eq!(refused, Vec::new()),
                Err(_) => break,
            }
            acknowledged += BATCH;
        }
        killer.join().unwrap();
        let recovered = node::recover(&installation.folder).unwrap().bank;
        assert_eq!(recovered.broken_invariants(), Vec::<String>::new());
        let posted = recovered.ledger().account(AccountId::new(77)).unwrap().balance().posted.minor();
        // At most the one batch under way may be there besides; its repeat after the restart changes nothing.
        assert!(posted >= acknowledged, "cut {cut}: {posted} of {acknowledged} acknowledged");
        assert!(posted <= acknowledged + BATCH, "cut {cut}: {posted} of {acknowledged} acknowledged");
    }
    assert!(acknowledged > 0);
    let findings = jinku::audit::audit(&installation.folder).unwrap();
    assert_eq!(findings.failed, Vec::<String>::new());
}
