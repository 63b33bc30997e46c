//! Two nodes of one bank on one PostgreSQL server, under load: one is killed, the next is frozen and comes back, and nothing that was acknowledged
//! is lost or there twice.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use jinku::cluster::{check, load};
use jinku::config::{BankConfig, ClusterConfig, Installation};
use jinku::process::{Process, Scratch, free_port, loopback};

#[path = "../../../replica/tests/it/server.rs"]
mod server;

use server::Server;

const NAMES: [&str; 2] = ["a", "b"];
/// Much longer than a takeover, for a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(30);

struct TestNode {
    data: PathBuf,
    api: u16,
    operator: u16,
    bulk: u16,
}

impl TestNode {
    fn new(scratch: &Path, name: &str, server: &Server) -> Self {
        let [api, operator, bulk] = [(); 3].map(|()| free_port().unwrap());
        let data = scratch.join(name);
        let database = server.config(name);
        let cluster = ClusterConfig {
            node: name.to_owned(),
            stream: "bank".to_owned(),
            postgres: database.servers,
            database: database.database,
            user: database.user,
            quorum: false,
            lease_ms: 1_500,
            patience_ms: 4_000,
            api_url: format!("http://{}", loopback(api)),
            bulk_address: loopback(bulk).to_string(),
        };
        let config = BankConfig { cluster: Some(cluster), ..BankConfig::local(api) };
        if let Ok(first) = Installation::open(&scratch.join(NAMES[0])) {
            // The same bank: the same keys.
            Command::new("cp").arg("-a").arg(&first.folder).arg(&data).status().unwrap();
            let _ = std::fs::remove_dir_all(data.join("journal"));
            Installation { folder: data.clone(), config }.save().unwrap();
        } else {
            Installation::create(&data, config).unwrap();
        }
        Self { data, api, operator, bulk }
    }

    fn start(&self) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jinku"));
        command.arg("serve").arg("--data").arg(&self.data);
        command.args(["--listen", &loopback(self.api).to_string()]);
        command.args(["--operator-listen", &loopback(self.operator).to_string()]);
        command.args(["--bulk-listen", &loopback(self.bulk).to_string()]);
        Process::start("a node", &mut command, loopback(self.api)).unwrap()
    }
}

fn signal(process: &Process, signal: rustix::process::Signal) {
    let id = rustix::process::Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, signal).unwrap();
}

/// Waits until a node other than `before` leads.
#[track_caller]
fn next_leader(server: &Server, before: Option<usize>) -> usize {
    let begun = Instant::now();
    loop {
        let name = server.ask("SELECT leader FROM jinku.stream WHERE lease_until > clock_timestamp()");
        let leader = NAMES.iter().position(|known| *known == name.trim());
        match leader {
            Some(leader) if Some(leader) != before => return leader,
            _ => assert!(begun.elapsed() < PATIENCE, "nobody takes over"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn nothing_is_lost_when_leaders_are_killed_and_frozen() {
    let Some(server) = Server::start("nodes") else { return };
    let scratch = Scratch::new(None, "cluster-test").unwrap();
    let nodes = NAMES.map(|name| TestNode::new(scratch.path(), name, &server));
    let mut running = nodes.each_ref().map(|node| Some(node.start()));
    let first = next_leader(&server, None);
    let acks = scratch.path().join("acks");
    let arguments = load::Arguments {
        node: nodes.iter().map(|node| loopback(node.bulk)).collect(),
        data: nodes[0].data.clone(),
        seconds: 14,
        until: None,
        rows: 50,
        clients: 4,
        rate: 20,
        offered: 0,
        accounts: 500,
        run: 0,
        acks: acks.clone(),
    };
    let loading = std::thread::spawn(move || load::run(&arguments));

    std::thread::sleep(Duration::from_secs(3));
    running[first].take().unwrap().kill().unwrap();
    let second = next_leader(&server, Some(first));
    running[first] = Some(nodes[first].start());
    std::thread::sleep(Duration::from_secs(3));

    let frozen = running[second].as_ref().unwrap();
    signal(frozen, rustix::process::Signal::STOP);
    next_leader(&server, Some(second));
    std::thread::sleep(Duration::from_secs(1));
    signal(frozen, rustix::process::Signal::CONT);

    loading.join().unwrap().unwrap();
    // In the end both have everything: the last words of the leader are a moment old.
    std::thread::sleep(Duration::from_millis(500));
    drop(running);
    let data = nodes.iter().map(|node| node.data.clone()).collect();
    let found = check::check(&check::Arguments { data, acks }).unwrap();
    assert_eq!(found.faults, Vec::<String>::new());
    assert_eq!((found.lost, found.twice), (0, 0));
    assert!(found.acknowledged > 100, "only {} requests came through", found.acknowledged);
    for node in &nodes {
        let audit = Command::new(env!("CARGO_BIN_EXE_jinku"))
            .arg("audit")
            .arg("--data")
            .arg(&node.data)
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&audit.stdout);
        assert!(audit.status.success(), "{words}{}", String::from_utf8_lossy(&audit.stderr));
    }
    assert!(found.epochs >= 3, "the lead never changed: {} epochs", found.epochs);
}
