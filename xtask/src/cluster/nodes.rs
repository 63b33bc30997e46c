//! Three nodes of one bank.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::database::{Database, Service};
use super::disk::Disk;
use super::net::Machine;
use crate::project::Project;
use crate::run::{output, run};

const API_PORT: u16 = 7460;
const BULK_PORT: u16 = 7464;
/// For a node that replays on a busy machine.
const READY_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) services: Vec<Service>,
    program: String,
}

impl Nodes {
    /// Makes a bank with three nodes, which share keys and configuration but for each one's own name and addresses, and starts them.
    pub(super) fn start(
        project: &Project,
        folder: &Path,
        database: &Database,
        small_disks: bool,
    ) -> anyhow::Result<Self> {
        let program = project.release("jinku").display().to_string();
        let template = folder.join("bank");
        let mut init = std::process::Command::new(&program);
        init.arg("init").arg("--data").arg(&template);
        run(init, "jinku init")?;
        let mut services = Vec::new();
        for number in 1..=3 {
            let machine = Machine::new(&format!("n{number}"), 40_u8.saturating_add(number))?;
            let disk = Disk::new(folder, &format!("n{number}"), small_disks)?;
            let service = Service::new(machine, disk, folder);
            configure(&template, &service, database)?;
            services.push(service);
        }
        let mut nodes = Self { services, program };
        for index in 0..3 {
            nodes.start_node(index)?;
        }
        let begun = Instant::now();
        while nodes.leader(database).is_none() {
            if begun.elapsed() > READY_MAX {
                bail!("no node leads; see {}/jk-n*.log", folder.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // The first leader opens the bank; nothing is asked of it before that is done.
        let mut opened = 0;
        while opened == 0 || nodes.records(database) != opened {
            opened = nodes.records(database);
            std::thread::sleep(Duration::from_secs(1));
        }
        Ok(nodes)
    }

    pub(super) fn start_node(&mut self, index: usize) -> anyhow::Result<()> {
        let program = self.program.clone();
        let service = self.services.get_mut(index).context("no such node")?;
        let (address, data) = (service.address(), service.disk.path().join("bank"));
        service.start(None, &program, |command| {
            command.arg("serve").arg("--data").arg(data);
            for (flag, port) in [
                ("--listen", API_PORT),
                ("--rails-listen", 7462),
                ("--operator-listen", 7463),
                ("--bulk-listen", BULK_PORT),
            ] {
                command.args([flag, &format!("{address}:{port}")]);
            }
        })
    }

    /// Which node has the lead, by the shared journal.
    pub(super) fn leader(&self, database: &Database) -> Option<usize> {
        let server = database.servers.get(database.primary()?)?;
        let asked = "SELECT leader FROM jinku.stream WHERE lease_until > clock_timestamp()";
        let name = super::database::sql(server.address(), asked).ok()?;
        self.services.iter().position(|service| service.machine.name == name.trim())
    }

    /// Records in the shared journal.
    fn records(&self, database: &Database) -> u64 {
        let server = database.primary().and_then(|index| database.servers.get(index));
        let asked =
            server.map(|server| super::database::sql(server.address(), "SELECT head_seq FROM jinku.stream"));
        asked.and_then(Result::ok).and_then(|answer| answer.trim().parse().ok()).unwrap_or(0)
    }

    pub(super) fn bulk_addresses(&self) -> Vec<String> {
        self.services.iter().map(|service| format!("{}:{BULK_PORT}", service.address())).collect()
    }
}

fn configure(template: &Path, service: &Service, database: &Database) -> anyhow::Result<()> {
    let data = service.disk.path().join("bank");
    let mut copy = std::process::Command::new("cp");
    copy.arg("-a").arg(template).arg(&data);
    output(copy, "cp")?;
    let file = data.join("bank.json");
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    let cluster = json!({
        "node": service.machine.name,
        "stream": "bank",
        "postgres": database.addresses(),
        "database": "postgres",
        "user": "postgres",
        "api_url": format!("http://{}:{API_PORT}", service.address()),
        "bulk_address": format!("{}:{BULK_PORT}", service.address()),
    });
    config.as_object_mut().context("bank.json is no object")?.insert("cluster".to_owned(), cluster);
    std::fs::write(&file, serde_json::to_string_pretty(&config)?).context("write bank.json")
}
