//! Processes that the demo and the benchmarks start and stop: a bank and a sandbox, each on loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Longest time a process has to answer on its port.
const START_MAX: Duration = Duration::from_secs(30);
/// Longest time a process has to stop when asked, before it is killed.
const STOP_MAX: Duration = Duration::from_secs(10);

/// A started process; dropping it stops it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    /// Starts a program and waits until it accepts connections at `ready`.
    ///
    /// # Errors
    /// It cannot be started, ends at once, or does not listen in time.
    pub fn start(name: &'static str, command: &mut Command, ready: SocketAddr) -> anyhow::Result<Self> {
        // Whoever answers there now is somebody else, and would be taken for the process.
        if TcpStream::connect_timeout(&ready, Duration::from_millis(200)).is_ok() {
            bail!("{ready} is in use: stop what listens there, or choose another port for {name}");
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", command.get_program().to_string_lossy()))?;
        let mut process = Self { child, name };
        let started = Instant::now();
        while TcpStream::connect_timeout(&ready, Duration::from_millis(200)).is_err() {
            if let Some(status) = process.child.try_wait()? {
                bail!("{name} ended at once ({status})");
            }
            if started.elapsed() > START_MAX {
                bail!("{name} does not listen on {ready}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(process)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it without warning (SIGKILL), as a power cut would.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().with_context(|| format!("kill {}", self.name))?;
        self.child.wait()?;
        Ok(())
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn ask_to_stop(&mut self) {
        let Ok(raw) = i32::try_from(self.child.id()) else { return };
        if let Some(pid) = rustix::process::Pid::from_raw(raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_running() {
            return;
        }
        self.ask_to_stop();
        let asked = Instant::now();
        while self.is_running() {
            if asked.elapsed() > STOP_MAX {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A port on loopback that is free now.
///
/// # Errors
/// None is.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// An address on loopback.
#[must_use]
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A program that was built beside this one.
///
/// # Errors
/// It is not there.
pub fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let path = here.with_file_name(name);
    if path.is_file() {
        Ok(path)
    } else {
        bail!("{} is missing: `cargo build --release -p {name}` makes it", path.display())
    }
}

/// A folder for one run, removed when dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new folder below `parent`, or below the system's folder for temporary files.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(parent: Option<&Path>, name: &str) -> anyhow::Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let path = parent.join(format!("jinku-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(Self(path))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Scratch {
    /// Leaves the folder where it is.
    pub fn keep(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.0.as_os_str().is_empty() {
            return;
        }
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Resident memory of a process now and at its highest, in bytes.
///
/// # Errors
/// The process is gone.
pub fn memory(id: u32) -> anyhow::Result<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let read = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib =
            line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
        kib.unwrap_or(0).saturating_mul(1024)
    };
    Ok((read("VmRSS:"), read("VmHWM:")))
}
