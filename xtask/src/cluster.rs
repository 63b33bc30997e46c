//! `cargo xtask cluster`: a bank of three nodes on three PostgreSQL servers under Patroni and etcd, each on a machine of its own, under load;
//! every part fails in every way in turn, and afterwards every acknowledged transfer is looked for.
//!
//! Machines are network namespaces on a bridge of this machine, so it runs as root, and nothing outside can reach them. What it does
//! not do: it measures no other machine's network or disk, and a lost machine comes back with its disk.

mod database;
mod disk;
mod faults;
mod net;
mod nodes;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use self::database::{Database, LOOP_S, RETRY_S, TTL_S};
use self::faults::Fault;
use self::net::Net;
use self::nodes::Nodes;
use crate::project::Project;
use crate::run::succeeds;
use crate::{demo, setup};

/// How long the healthy cluster is measured.
const HEALTHY_S: u64 = 20;
/// What is offered to the healthy cluster in a second, whatever the answers take; and how many of it must be taken, and how soon.
const OFFERED_PER_S: &str = "160000";
const TAKEN_PER_S_MIN: u64 = 150_000;
const P99_MAX_US: u64 = 50_000;
/// After a fault was mended, everything must be as before within this time.
const WHOLE_MAX: Duration = Duration::from_secs(120);
/// Longest time without an acknowledgement, in milliseconds, when a node fails, and when the database does.
const NODE_PAUSE_MAX_MS: u64 = 3_000;
const DATABASE_PAUSE_MAX_MS: u64 = 30_000;

/// What to run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// Folder for everything; a disk, not memory, gives honest figures.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Only the figures of the healthy cluster.
    #[arg(long)]
    healthy: bool,
    /// Only faults whose name has this in it.
    #[arg(long)]
    fault: Option<String>,
    /// Keep the folder.
    #[arg(long)]
    keep: bool,
    /// Take the release build as it is.
    #[arg(long)]
    as_built: bool,
}

/// A cluster that runs. Fields are dropped in this order: nodes, database, net.
struct Cluster {
    nodes: Nodes,
    database: Database,
    folder: PathBuf,
    program: PathBuf,
    _net: Net,
}

/// Whether a PostgreSQL server is installed.
pub(crate) fn has_postgresql() -> bool {
    database::programs().is_some()
}

/// Runs it; answers whether every figure was reached.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> anyhow::Result<bool> {
    ensure!(rustix::process::geteuid().is_root(), "machines are network namespaces: run this as root");
    setup::for_cluster()?;
    let built = arguments.as_built || succeeds(demo::release_build(project, &["jinku"]));
    ensure!(built, "the release build failed");
    let parent = arguments.data.clone().unwrap_or_else(std::env::temp_dir);
    let folder = parent.join(format!("jinku-cluster-{}", std::process::id()));
    println!("Patroni: ttl {TTL_S} s, loop_wait {LOOP_S} s, retry_timeout {RETRY_S} s");
    let healthy = match arguments.fault {
        None => healthy(project, &folder.join("healthy"))?,
        Some(_) => true,
    };
    let wanted = arguments.fault.as_deref().unwrap_or_default();
    let faulty = arguments.healthy || with_faults(project, &folder.join("faulty"), wanted)?;
    if !arguments.keep {
        std::fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    Ok(healthy && faulty)
}

impl Cluster {
    fn start(project: &Project, folder: &Path, small_disks: bool) -> anyhow::Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::create_dir_all(folder)?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
        let begun = Instant::now();
        let net = Net::lay()?;
        let database = Database::start(folder, small_disks)?;
        let nodes = Nodes::start(project, folder, &database, small_disks)?;
        println!("three nodes on three servers are up after {} s", begun.elapsed().as_secs());
        let program = project.release("jinku");
        Ok(Self { nodes, database, folder: folder.to_owned(), program, _net: net })
    }

    fn load(&self, run: u64, more: &[&str]) -> anyhow::Result<Child> {
        self.load_command(run, more).spawn().context("start the load")
    }

    fn load_command(&self, run: u64, more: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["cluster", "load", "--run", &run.to_string()]);
        for address in self.nodes.bulk_addresses() {
            command.args(["--node", &address]);
        }
        command.arg("--data").arg(self.folder.join("bank")).arg("--acks").arg(self.acks()).args(more);
        command
    }

    /// Offers load at a rate that does not wait for answers, and says whether enough was taken soon enough.
    fn offered(&self, run: u64, rows: &str, clients: &str) -> anyhow::Result<bool> {
        let seconds = HEALTHY_S.to_string();
        let more = ["--seconds", &seconds, "--rows", rows, "--clients", clients, "--offered", OFFERED_PER_S];
        let output = self.load_command(run, &more).stderr(Stdio::inherit()).output().context("the load")?;
        let text = String::from_utf8_lossy(&output.stdout);
        print!("{text}");
        let measured: serde_json::Value = serde_json::from_str(&text).context("what the load measured")?;
        let figure = |name: &str| measured.get(name).and_then(serde_json::Value::as_u64);
        let taken = figure("transfers_per_s").is_some_and(|taken| taken >= TAKEN_PER_S_MIN);
        let soon = figure("p99_us").is_some_and(|p99| p99 <= P99_MAX_US);
        println!(
            "  at least {TAKEN_PER_S_MIN} in a second, p99 at most {} ms: {}",
            P99_MAX_US / 1000,
            verdict(taken && soon)
        );
        Ok(output.status.success() && taken && soon)
    }

    fn acks(&self) -> PathBuf {
        self.folder.join("acks")
    }

    /// Whether everything runs: a writer with two members of its quorum, a leading node, and all three nodes.
    fn is_whole(&mut self) -> anyhow::Result<bool> {
        let alive = self.nodes.services.iter_mut().all(database::Service::is_running);
        Ok(alive && self.database.synchronous()? == 2 && self.nodes.leader(&self.database).is_some())
    }

    fn wait_until_whole(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        while !self.is_whole()? {
            ensure!(begun.elapsed() < WHOLE_MAX, "the cluster does not come back");
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(begun.elapsed())
    }

    /// Processor time of the parts since they began.
    fn processor_ms(&self) -> anyhow::Result<[(&'static str, u64); 3]> {
        let parts = [
            ("nodes", &self.nodes.services),
            ("database servers with Patroni", &self.database.servers),
            ("etcd", &self.database.etcd),
        ];
        let mut sums = parts.map(|(name, _)| (name, 0_u64));
        for (sum, (_, services)) in sums.iter_mut().zip(parts) {
            for service in services {
                sum.1 = sum.1.saturating_add(service.machine.processor_ms()?);
            }
        }
        Ok(sums)
    }

    /// Stops the nodes and looks for every acknowledged transfer in their copies.
    fn check(&mut self) -> anyhow::Result<bool> {
        // The last words of the leader reach the followers.
        std::thread::sleep(Duration::from_secs(1));
        for node in &self.nodes.services {
            node.machine.signal(rustix::process::Signal::TERM)?;
        }
        std::thread::sleep(Duration::from_secs(2));
        let mut command = Command::new(&self.program);
        command.args(["cluster", "check"]).arg("--acks").arg(self.acks());
        for node in &self.nodes.services {
            command.arg("--data").arg(node.disk.path().join("bank"));
        }
        Ok(command.status().context("start the check")?.success())
    }
}

/// Speed with nothing wrong.
fn healthy(project: &Project, folder: &Path) -> anyhow::Result<bool> {
    println!("\n=== the healthy cluster ===");
    let mut cluster = Cluster::start(project, folder, false)?;
    let seconds = HEALTHY_S.to_string();
    let mut fine = true;
    println!("warm, so that the servers' logs have segments to use again:");
    fine &= cluster.load(0, &["--seconds", "30", "--rows", "8189", "--clients", "1"])?.wait()?.success();
    cluster.database.checkpoint()?;
    for (run, rows, clients) in [(1, "8189", "1"), (2, "4000", "1"), (3, "2000", "2"), (4, "1", "64")] {
        println!("{clients} clients, {rows} transfers in a request:");
        let before = cluster.processor_ms()?;
        let load = cluster.load(run, &["--seconds", &seconds, "--rows", rows, "--clients", clients]);
        fine &= load?.wait()?.success();
        let after = cluster.processor_ms()?;
        for ((part, after), (_, before)) in after.iter().zip(&before) {
            println!("  {part}: {} ms of processor time", after.saturating_sub(*before));
        }
    }
    let mut reached = false;
    for (run, rows, clients) in [(5, "1000", "8"), (6, "2000", "4"), (7, "4000", "4")] {
        println!("{OFFERED_PER_S} transfers offered in a second, {clients} clients, {rows} in a request:");
        reached |= cluster.offered(run, rows, clients)?;
    }
    Ok(cluster.check()? && fine && reached)
}

/// Everything that fails, and what came of it.
fn with_faults(project: &Project, folder: &Path, wanted: &str) -> anyhow::Result<bool> {
    println!("\n=== faults ===");
    let mut cluster = Cluster::start(project, folder, true)?;
    let end = folder.join("end");
    let seconds = (4 * 3600).to_string();
    let more = ["--seconds", &seconds, "--rows", "100", "--clients", "4", "--rate", "10"];
    let mut load = cluster.load(9, &[&more[..], &["--until", &end.display().to_string()]].concat())?;
    let mut rows = Vec::new();
    let mut fine = true;
    for fault in Fault::all().filter(|fault| fault.name().contains(wanted)) {
        cluster.wait_until_whole()?;
        std::thread::sleep(Duration::from_secs(4));
        println!("{} ...", fault.name());
        let began_ms = now_ms();
        let whole = fault.strike(&mut cluster).and_then(|()| cluster.wait_until_whole());
        let pause = faults::longest_pause(&cluster.acks(), began_ms)?;
        let most = if fault.is_of_database() { DATABASE_PAUSE_MAX_MS } else { NODE_PAUSE_MAX_MS };
        let is_fine = whole.is_ok() && (pause <= most || !fault.is_bounded());
        fine &= is_fine;
        let whole = whole.map_or_else(|error| format!("{error:#}"), |took| format!("{} s", took.as_secs()));
        let row =
            format!("{:<28} {pause:>8} ms   {:<8} whole again after {whole}", fault.name(), verdict(is_fine));
        println!("{row}");
        rows.push(row);
        if load.try_wait()?.is_some() {
            break;
        }
    }
    std::fs::write(&end, "")?;
    fine &= load.wait()?.success();
    println!("\nlongest time without an acknowledgement, by fault:");
    rows.iter().for_each(|row| println!("{row}"));
    Ok(cluster.check()? && fine)
}

const fn verdict(is_fine: bool) -> &'static str {
    if is_fine { "ok" } else { "TOO LONG" }
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
