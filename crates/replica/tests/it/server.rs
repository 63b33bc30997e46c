//! A PostgreSQL server in a folder of its own, on a port of its own on loopback, from Debian's package.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use replica::Config;

pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

/// The newest server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
    found.retain(|bin| bin.join("postgres").is_file() && bin.join("initdb").is_file());
    found.sort();
    found.pop()
}

/// The user that PostgreSQL runs as: it refuses to run as root.
fn user() -> Option<(u32, u32)> {
    let me = std::fs::metadata("/proc/self").ok().map(|data| std::os::unix::fs::MetadataExt::uid(&data));
    if me != Some(0) {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).unwrap();
    let mut fields = line.split(':').skip(2).map(|id| id.parse().unwrap());
    Some((fields.next().unwrap(), fields.next().unwrap()))
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user() {
        command.uid(uid).gid(gid);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    command
}

impl Server {
    /// A new, empty server; `None`, and words, where PostgreSQL is not installed.
    pub(crate) fn start(name: &str) -> Option<Self> {
        let Some(bin) = programs() else {
            println!("skipped: PostgreSQL is not installed; `cargo xtask setup` installs it");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("jinku-replica-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        if let Some((uid, gid)) = user() {
            chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        let mut init = command(&bin.join("initdb"));
        init.args([
            "--auth=trust",
            "--username=postgres",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
        ]);
        assert!(init.arg(folder.join("data")).status().unwrap().success(), "initdb");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut server = Self { folder, port, child: None };
        server.run(&[]);
        Some(server)
    }

    /// Starts the server with these settings, after stopping it.
    pub(crate) fn run(&mut self, settings: &[&str]) {
        self.stop();
        let mut run = command(&programs().unwrap().join("postgres"));
        run.arg("-D").arg(self.folder.join("data")).args(["-p", &self.port.to_string()]);
        run.args(["-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB", "-c"]);
        run.arg(format!("unix_socket_directories={}", self.folder.display()));
        for setting in settings {
            run.args(["-c", setting]);
        }
        self.child = Some(run.spawn().unwrap());
        let begun = Instant::now();
        let ready = programs().unwrap().join("pg_isready");
        while !command(&ready)
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .status()
            .unwrap()
            .success()
        {
            assert!(begun.elapsed() < Duration::from_secs(30), "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it at once, as a crash would.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let id = child.id().to_string();
        // SIGQUIT ends its children too and writes nothing.
        Command::new("kill").args(["-QUIT", &id]).status().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn config(&self, node: &str) -> Config {
        Config {
            servers: vec!["127.0.0.1:1".to_owned(), format!("127.0.0.1:{}", self.port)],
            database: "postgres".to_owned(),
            user: "postgres".to_owned(),
            password: None,
            stream: "test".to_owned(),
            node: node.to_owned(),
            quorum: false,
            may_create: true,
            patience: Duration::from_secs(5),
        }
    }

    /// Asks SQL beside the stream; an error, such as a table that is not there yet, answers nothing.
    pub(crate) fn ask(&self, text: &str) -> String {
        let psql = programs().unwrap().join("psql");
        let mut run = command(&psql);
        run.args(["-qtA", "-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "-c", text]);
        String::from_utf8(run.stdout(Stdio::piped()).output().unwrap().stdout).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
