//! A bank that is killed again and again while it takes batches: what it acknowledged is there, what it did not is whole or absent.

use std::process::Command;

use jinku::bulk::Client;
use jinku::config::{BankConfig, Installation, Key};
use jinku::opening::books;
use jinku::process::{Process, Scratch, free_port, loopback};
use ledger::{AccountKind, Batch, Memo, Row};
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

fn entry(serial: u128) -> ledger::Command {
    ledger::Command::Transfer(ledger::Transfer {
        id: EntryId::new((1 << 90) | serial),
        debit: books().reserve,
        credit: AccountId::new(77),
        sizing: ledger::Sizing::Exact(Amount::new(Asset::CNY, 1)),
        effective_at: None,
        reference: None,
        memo: Memo::default(),
    })
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
            client.send_all(CommandId::new(1 << 91), [open]).unwrap();
        }
        // The killer waits a different time at each cut; what is sent in between is cut wherever it is.
        let killer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(40 + 37 * cut));
            process.kill().unwrap();
        });
        loop {
            let mut rows = Batch::default();
            for command in (acknowledged..acknowledged + BATCH).map(entry) {
                rows.push(&Row { is_linked: false, command }).unwrap();
            }
            match client.send(CommandId::new((1 << 90) | acknowledged), &rows) {
                Ok(answer) => assert_eq!((answer.refused, answer.problem), (Vec::new(), None)),
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
