//! Machines of a cluster as network namespaces on one bridge: each has an address of its own, can be cut off, and all its processes can be
//! killed, frozen or thawed. Nothing outside this machine can reach them.

use std::fs::File;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::run::{output, succeeds};

const BRIDGE: &str = "jkbr";
/// With this the name of every machine begins.
const PREFIX: &str = "jk-";
/// File in the folder for temporary files that a running cluster holds.
const LOCK: &str = "jinku-cluster.lock";
/// The side of the bridge that clients on this machine use.
const HERE: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);
/// How long killed processes may take to go.
const GONE_MAX: Duration = Duration::from_secs(10);

/// The bridge. Dropping it takes it away.
#[derive(Debug)]
pub(super) struct Net {
    /// Held as long as the cluster runs.
    _lock: File,
}

impl Net {
    /// Lays the bridge. Only one cluster runs at a time; machines that one left behind which was killed are taken away.
    pub(super) fn lay() -> anyhow::Result<Self> {
        let lock = File::create(std::env::temp_dir().join(LOCK)).context("make the lock")?;
        ensure!(lock.try_lock().is_ok(), "another cluster runs on this machine");
        let left = output(ip(&["netns", "list"]), "ip netns")?;
        for name in left.split_whitespace().filter(|name| name.starts_with(PREFIX)) {
            drop(Machine { name: name.to_owned(), address: HERE });
        }
        if succeeds(ip(&["link", "show", BRIDGE])) {
            run(&["link", "del", BRIDGE])?;
        }
        let net = Self { _lock: lock };
        run(&["link", "add", BRIDGE, "type", "bridge"])?;
        run(&["addr", "add", &format!("{HERE}/24"), "dev", BRIDGE])?;
        run(&["link", "set", BRIDGE, "up"])?;
        Ok(net)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = run(&["link", "del", BRIDGE]);
    }
}

/// A machine. Dropping it kills what runs on it and takes it away.
#[derive(Debug)]
pub(super) struct Machine {
    /// Its name, which is also that of its namespace.
    pub(super) name: String,
    pub(super) address: Ipv4Addr,
}

impl Machine {
    pub(super) fn new(name: &str, last: u8) -> anyhow::Result<Self> {
        let machine = Self { name: format!("{PREFIX}{name}"), address: Ipv4Addr::new(10, 88, 0, last) };
        let (ns, cable) = (machine.name.as_str(), machine.cable());
        run(&["netns", "add", ns])?;
        run(&["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", ns])?;
        run(&["link", "set", &cable, "master", BRIDGE, "up"])?;
        run(&["-n", ns, "addr", "add", &format!("{}/24", machine.address), "dev", "eth0"])?;
        run(&["-n", ns, "link", "set", "eth0", "up"])?;
        run(&["-n", ns, "link", "set", "lo", "up"])?;
        Ok(machine)
    }

    fn cable(&self) -> String {
        format!("{}-v", self.name)
    }

    /// A command that will run on this machine, as `user` where one is named. Its output goes to `log`.
    pub(super) fn command(
        &self,
        user: Option<&str>,
        log: &std::path::Path,
        program: &str,
    ) -> anyhow::Result<Command> {
        let mut command = ip(&["netns", "exec", &self.name]);
        if let Some(user) = user {
            command.arg("setpriv").args([format!("--reuid={user}"), format!("--regid={user}")]);
            command.args(["--clear-groups", "env", "HOME=/tmp", "PYTHONUNBUFFERED=1"]);
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        command.arg(program).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir("/");
        Ok(command)
    }

    /// Everything that runs on it.
    pub(super) fn processes(&self) -> anyhow::Result<Vec<Pid>> {
        let text = output(ip(&["netns", "pids", &self.name]), "ip netns pids")?;
        Ok(text.split_whitespace().filter_map(|id| id.parse().ok().and_then(Pid::from_raw)).collect())
    }

    /// Processor time that what runs on it has taken since it began, in milliseconds.
    pub(super) fn processor_ms(&self) -> anyhow::Result<u64> {
        let used = self.processes()?.into_iter().filter_map(|process| {
            let path = format!("/proc/{}/stat", process.as_raw_nonzero());
            let stat = std::fs::read_to_string(path).ok()?;
            // Behind the name, which may have spaces: state is the first field, user and system time the 12th and 13th, in hundredths.
            let fields = stat.rsplit_once(") ")?.1.split(' ').skip(11).take(2);
            Some(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
        });
        Ok(used.sum::<u64>().saturating_mul(10))
    }

    /// Sends a signal to everything that runs on it.
    pub(super) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        for process in self.processes()? {
            // One that has just ended needs none.
            let _ = kill_process(process, signal);
        }
        Ok(())
    }

    /// Kills everything that runs on it, as a power cut would, and waits until it is gone.
    pub(super) fn kill(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !self.processes()?.is_empty() {
            self.signal(Signal::KILL)?;
            ensure!(begun.elapsed() < GONE_MAX, "{} cannot be killed", self.name);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Cuts it off from the others, or joins it again.
    pub(super) fn set_cut(&self, cut: bool) -> anyhow::Result<()> {
        run(&["link", "set", &self.cable(), if cut { "down" } else { "up" }])
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.signal(Signal::CONT);
        let _ = self.kill();
        // By itself it would go some time after its namespace, and be in the way of the next one.
        let _ = run(&["link", "del", &self.cable()]);
        let _ = run(&["netns", "del", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> anyhow::Result<()> {
    output(ip(arguments), "ip").map(|_| ()).with_context(|| format!("ip {}", arguments.join(" ")))
}
