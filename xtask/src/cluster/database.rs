//! Three etcd members, and three PostgreSQL servers under Patroni: one writes, a commit must be on one of the other two as well.

use std::net::Ipv4Addr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::disk::Disk;
use super::net::Machine;
use crate::run::output;

/// Patroni's settings that say how long a database may be without a writer: the old one's claim ends after `TTL_S` without renewal,
/// which is looked at every `LOOP_S`; an etcd that does not answer is asked again for `RETRY_S`. 20 is the least `ttl` that Patroni takes.
pub(super) const TTL_S: u32 = 20;
pub(super) const LOOP_S: u32 = 2;
pub(super) const RETRY_S: u32 = 5;
/// The user that PostgreSQL runs as; it refuses to run as root.
const USER: &str = "postgres";
/// For a new cluster on a busy machine.
const READY_MAX: Duration = Duration::from_secs(120);
pub(super) const PORT: u16 = 5432;

/// A service on a machine of its own.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) machine: Machine,
    pub(super) disk: Disk,
    log: PathBuf,
    child: Option<Child>,
}

impl Service {
    pub(super) fn new(machine: Machine, disk: Disk, folder: &Path) -> Self {
        let log = folder.join(format!("{}.log", machine.name));
        Self { machine, disk, log, child: None }
    }

    /// Starts a program of the service, and takes away what is left of the one before.
    pub(super) fn start(
        &mut self,
        user: Option<&str>,
        program: &str,
        arguments: impl FnOnce(&mut Command),
    ) -> anyhow::Result<()> {
        self.reap();
        let mut command = self.machine.command(user, &self.log, program)?;
        arguments(&mut command);
        self.child = Some(command.spawn().with_context(|| format!("start {program}"))?);
        Ok(())
    }

    /// Whether the program still runs.
    pub(super) fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        self.machine.address
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.machine.signal(rustix::process::Signal::CONT);
        let _ = self.machine.kill();
        self.reap();
    }
}

/// The database of the cluster.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) etcd: Vec<Service>,
    pub(super) servers: Vec<Service>,
    small_disks: bool,
}

impl Database {
    /// Starts all of it, and waits until it can be written to with a quorum.
    pub(super) fn start(folder: &Path, small_disks: bool) -> anyhow::Result<Self> {
        let mut etcd = Vec::new();
        for number in 1..=3 {
            let machine = Machine::new(&format!("e{number}"), 20_u8.saturating_add(number))?;
            let disk = Disk::new(folder, &format!("e{number}"), false)?;
            etcd.push(Service::new(machine, disk, folder));
        }
        let mut servers = Vec::new();
        let owner = user()?;
        for number in 1..=3 {
            let machine = Machine::new(&format!("p{number}"), 30_u8.saturating_add(number))?;
            let disk = Disk::new(folder, &format!("p{number}"), small_disks)?;
            chown(disk.path(), Some(owner.0), Some(owner.1))?;
            servers.push(Service::new(machine, disk, folder));
        }
        let mut database = Self { etcd, servers, small_disks };
        for index in 0..3 {
            database.start_etcd(index)?;
        }
        for index in 0..3 {
            database.start_server(index)?;
        }
        let begun = Instant::now();
        while database.synchronous()? < 2 {
            if begun.elapsed() > READY_MAX {
                bail!("the database does not come up; see {}/jk-p*.log", folder.display());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(database)
    }

    pub(super) fn start_etcd(&mut self, index: usize) -> anyhow::Result<()> {
        let peers: Vec<String> = self
            .etcd
            .iter()
            .map(|service| format!("{}=http://{}:2380", service.machine.name, service.address()))
            .collect();
        let service = self.etcd.get_mut(index).context("no such member")?;
        let (name, address) = (service.machine.name.clone(), service.address());
        let data = service.disk.path().join("data");
        service.start(None, "etcd", |command| {
            command.args(["--name", &name, "--initial-cluster", &peers.join(",")]);
            command.arg("--data-dir").arg(data);
            for flag in ["--listen-peer-urls", "--initial-advertise-peer-urls"] {
                command.args([flag, &format!("http://{address}:2380")]);
            }
            for flag in ["--listen-client-urls", "--advertise-client-urls"] {
                command.args([flag, &format!("http://{address}:2379")]);
            }
            command.args(["--logger=zap", "--log-level=warn"]);
        })
    }

    pub(super) fn start_server(&mut self, index: usize) -> anyhow::Result<()> {
        let hosts: Vec<String> =
            self.etcd.iter().map(|service| format!("{}:2379", service.address())).collect();
        let service = self.servers.get_mut(index).context("no such server")?;
        let settings = patroni(service, &hosts.join(", "), self.small_disks);
        let file = service.disk.path().join("patroni.yml");
        std::fs::write(&file, settings)?;
        let owner = user()?;
        chown(&file, Some(owner.0), Some(owner.1))?;
        service.start(Some(USER), "patroni", |command| {
            command.arg(&file);
        })
    }

    /// Every server, `host:port`.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.servers.iter().map(|server| format!("{}:{PORT}", server.address())).collect()
    }

    /// Which server writes, if one does.
    pub(super) fn primary(&self) -> Option<usize> {
        self.servers.iter().position(|server| {
            sql(server.address(), "SELECT NOT pg_is_in_recovery()").is_ok_and(|answer| answer.trim() == "t")
        })
    }

    /// How many servers follow the one that writes as members of its quorum.
    pub(super) fn synchronous(&self) -> anyhow::Result<usize> {
        let Some(primary) = self.primary().and_then(|index| self.servers.get(index)) else { return Ok(0) };
        let asked = "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming'";
        Ok(sql(primary.address(), asked).ok().and_then(|answer| answer.trim().parse().ok()).unwrap_or(0))
    }

    /// Which etcd member leads the others.
    pub(super) fn etcd_leader(&self) -> Option<usize> {
        self.etcd.iter().position(|member| {
            let mut ask = Command::new("curl");
            ask.args([
                "-s",
                "-m",
                "2",
                "-d",
                "{}",
                &format!("http://{}:2379/v3/maintenance/status", member.address()),
            ]);
            let Ok(text) = output(ask, "curl") else { return false };
            let Ok(status) = serde_json::from_str::<serde_json::Value>(&text) else { return false };
            let (leader, member) = (status.get("leader"), status.pointer("/header/member_id"));
            leader.is_some() && leader == member
        })
    }
}

impl Database {
    /// Writes every server's pages, so that segments of its log can be used again.
    pub(super) fn checkpoint(&self) -> anyhow::Result<()> {
        for server in &self.servers {
            let mut ask = Command::new("psql");
            ask.args(["-h", &server.address().to_string(), "-U", USER, "-d", USER, "-qc", "CHECKPOINT"]);
            output(ask, "psql")?;
        }
        Ok(())
    }
}

/// Asks a server; a frozen one is given up after two seconds.
pub(super) fn sql(address: Ipv4Addr, text: &str) -> anyhow::Result<String> {
    let mut ask = Command::new("timeout");
    ask.args(["2", "psql", "-h", &address.to_string(), "-U", USER, "-d", USER, "-qtAc", text]);
    ask.env("PGCONNECT_TIMEOUT", "2");
    // What a server that is down or frozen says is no news here.
    let answer = ask.stdin(std::process::Stdio::null()).output().context("start psql")?;
    ensure!(answer.status.success(), "no answer from {address}");
    String::from_utf8(answer.stdout).context("output of psql")
}

fn user() -> anyhow::Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find_map(|line| line.strip_prefix("postgres:")).context("no user postgres")?;
    let mut numbers = line.split(':').skip(1).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(user)), Some(Ok(group))) => Ok((user, group)),
        _ => bail!("the user postgres has no numbers"),
    }
}

/// Patroni leaves `synchronous_standby_names` alone as long as its own `synchronous_mode` is off. It promotes the server that is furthest
/// among those that it reaches, and with one server down that is always one that has every confirmed commit.
fn patroni(service: &Service, etcd: &str, small_disk: bool) -> String {
    // Segments of the log that are used again cost nothing, new ones a write of their own; a busy server keeps many.
    let (wal_mib, least_mib) = if small_disk { (256, 80) } else { (8192, 4096) };
    let (name, address) = (&service.machine.name, service.address());
    let data = service.disk.path().display();
    format!(
        "scope: jinku
name: {name}
etcd3:
  hosts: {etcd}
restapi:
  listen: {address}:8008
  connect_address: {address}:8008
bootstrap:
  dcs:
    ttl: {TTL_S}
    loop_wait: {LOOP_S}
    retry_timeout: {RETRY_S}
    maximum_lag_on_failover: 1048576
    postgresql:
      use_pg_rewind: true
      parameters:
        fsync: 'on'
        full_page_writes: 'on'
        synchronous_commit: 'on'
        synchronous_standby_names: 'ANY 1 (\"jk-p1\", \"jk-p2\", \"jk-p3\")'
        wal_log_hints: 'on'
        shared_buffers: 128MB
        max_connections: 40
        max_wal_size: {wal_mib}MB
        min_wal_size: {least_mib}MB
        wal_keep_size: 128MB
        wal_sender_timeout: 5s
        wal_receiver_timeout: 5s
        tcp_user_timeout: 5s
  initdb:
  - encoding: UTF8
  - locale: C
  pg_hba:
  - local all all trust
  - host all all 10.88.0.0/24 trust
  - host replication all 10.88.0.0/24 trust
postgresql:
  listen: {address}:{PORT}
  connect_address: {address}:{PORT}
  data_dir: {data}/data
  bin_dir: {bin}
  pgpass: {data}/pgpass
  authentication:
    superuser: {{username: postgres}}
    replication: {{username: replicator}}
  parameters:
    unix_socket_directories: '{data}'
",
        bin = programs().map_or_else(|| "/usr/bin".to_owned(), |path| path.display().to_string()),
    )
}

/// The programs of the newest PostgreSQL that is installed.
pub(super) fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
    found.retain(|bin| bin.join("postgres").is_file());
    found.sort();
    found.pop()
}
