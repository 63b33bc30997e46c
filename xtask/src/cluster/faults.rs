//! What fails, and how.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use super::Cluster;
use super::database::Service;

/// How long a part stays as it is before it is mended: longer than what should take its place may need.
const NODE_HOLD: Duration = Duration::from_secs(6);
const DATABASE_HOLD: Duration = Duration::from_secs(40);
const ETCD_HOLD: Duration = Duration::from_secs(12);
/// What a slow disk adds to every write that must be durable.
const SLOW_US: u32 = 100_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Node,
    Database,
    Etcd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Kill,
    Freeze,
    Cut,
    FullDisk,
    SlowDisk,
}

/// One part fails in one way. It is always the part that leads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    part: Part,
    kind: Kind,
}

impl Fault {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let kinds = [Kind::Kill, Kind::Freeze, Kind::Cut, Kind::FullDisk, Kind::SlowDisk];
        let both = [Part::Node, Part::Database].map(|part| kinds.map(|kind| Self { part, kind }));
        let etcd = [Kind::Kill, Kind::Freeze, Kind::Cut].map(|kind| Self { part: Part::Etcd, kind });
        both.into_iter().flatten().chain(etcd)
    }

    pub(super) fn name(self) -> String {
        let part = match self.part {
            Part::Node => "leading node",
            Part::Database => "writing database",
            Part::Etcd => "leading etcd member",
        };
        let kind = match self.kind {
            Kind::Kill => "killed",
            Kind::Freeze => "frozen",
            Kind::Cut => "cut off",
            Kind::FullDisk => "disk full",
            Kind::SlowDisk => "disk slow",
        };
        format!("{part} {kind}")
    }

    /// Whether the database may have to find a new writer. It may also step down by itself for a moment when it cannot reach its etcd.
    pub(super) fn is_of_database(self) -> bool {
        self.part != Part::Node
    }

    /// A database whose disk is full goes on as the one that writes: nothing can be recorded until there is room.
    pub(super) fn is_bounded(self) -> bool {
        !(self.part == Part::Database && self.kind == Kind::FullDisk)
    }

    /// Lets it happen, and mends it after a while.
    pub(super) fn strike(self, cluster: &mut Cluster) -> anyhow::Result<()> {
        let (index, hold) = match self.part {
            Part::Node => (cluster.nodes.leader(&cluster.database), NODE_HOLD),
            Part::Database => (cluster.database.primary(), DATABASE_HOLD),
            Part::Etcd => (cluster.database.etcd_leader(), ETCD_HOLD),
        };
        let index = index.context("nobody leads")?;
        let service = self.service(cluster, index)?;
        match self.kind {
            Kind::Kill => {
                service.machine.kill()?;
                std::thread::sleep(hold);
                match self.part {
                    Part::Node => cluster.nodes.start_node(index)?,
                    Part::Database => cluster.database.start_server(index)?,
                    Part::Etcd => cluster.database.start_etcd(index)?,
                }
            }
            Kind::Freeze => {
                service.machine.signal(Signal::STOP)?;
                std::thread::sleep(hold);
                service.machine.signal(Signal::CONT)?;
            }
            Kind::Cut => {
                service.machine.set_cut(true)?;
                std::thread::sleep(hold);
                service.machine.set_cut(false)?;
            }
            Kind::FullDisk => {
                service.disk.fill()?;
                std::thread::sleep(hold.div_f32(2.0));
                service.disk.empty()?;
            }
            Kind::SlowDisk => {
                let slow = Slow::begin(service)?;
                std::thread::sleep(hold.div_f32(2.0));
                drop(slow);
            }
        }
        Ok(())
    }

    fn service(self, cluster: &Cluster, index: usize) -> anyhow::Result<&Service> {
        let services = match self.part {
            Part::Node => &cluster.nodes.services,
            Part::Database => &cluster.database.servers,
            Part::Etcd => &cluster.database.etcd,
        };
        services.get(index).context("no such part")
    }
}

/// Makes every durable write of a machine's processes take longer.
struct Slow(Child);

impl Slow {
    fn begin(service: &Service) -> anyhow::Result<Self> {
        let calls = "fsync,fdatasync,pwrite64";
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")]);
        command.args(["-e", &format!("inject={calls}:delay_enter={SLOW_US}")]);
        for process in service.machine.processes()? {
            command.args(["-p", &process.as_raw_nonzero().to_string()]);
        }
        let child = command.stdin(Stdio::null()).spawn().context("start strace")?;
        Ok(Self(child))
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        // It lets its processes go when it is asked to end.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// The longest time without an acknowledgement since `began_ms`, in milliseconds, the present included.
pub(super) fn longest_pause(acks: &Path, began_ms: u64) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(acks)?;
    let times = text.lines().filter_map(|line| line.split(' ').next()?.parse::<u64>().ok());
    let mut times: Vec<u64> =
        times.filter(|time| *time >= began_ms).chain([began_ms, super::now_ms()]).collect();
    ensure!(times.len() > 1, "there are no acknowledgements");
    times.sort_unstable();
    let pauses = times.iter().zip(times.iter().skip(1)).map(|(one, next)| next.saturating_sub(*one));
    Ok(pauses.max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::longest_pause;

    #[test]
    fn pauses() {
        let file = std::env::temp_dir().join(format!("jinku-xtask-acks-{}", std::process::id()));
        let now = super::super::now_ms();
        let at = |before: u64| format!("{} id 1 1 0 1 5\n", now.saturating_sub(before));
        let written = std::fs::write(&file, [at(9_000), at(5_000), at(4_900), at(1_000), at(0)].concat());
        assert!(written.is_ok(), "{written:?}");
        let pause = longest_pause(&file, now.saturating_sub(8_000));
        let _ = std::fs::remove_file(&file);
        assert!(pause.as_ref().is_ok_and(|pause| (3_900..4_200).contains(pause)), "{pause:?}");
    }
}
