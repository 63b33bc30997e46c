//! Installs, by name, what is missing; says so, and is silent about what is there.
//!
//! Rust and Node with npm must be there already (README says so). Everything else comes from the package managers of
//! the system: Debian's packages as root, or through `sudo` where that asks no password.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::project::Project;
use crate::quickfix;
use crate::run::{output, run, succeeds};
use crate::schemas;

/// The oldest Node that vite 8 runs on.
const NODE_MIN: (u64, u64) = (20, 19);
/// Below `web/node_modules`: the hash of the lock file they were installed from.
const NODE_MODULES_STAMP: &str = "node_modules/.jinku-lock";
/// The second opinion on messages for a Python that is not the system's; Debian has its own version.
const LXML: &str = "lxml==6.1.3";

/// What `test` and `ci` need.
pub(crate) fn all(project: &Project) -> anyhow::Result<()> {
    for_quick_tests(project)?;
    chromium()?;
    chinese_fonts()
}

/// What `test --quick` needs.
pub(crate) fn for_quick_tests(project: &Project) -> anyhow::Result<()> {
    for_demo(project)?;
    postgresql()?;
    second_opinion()?;
    quickfix::install(project.data_dir())
}

/// What `cluster` needs beside the database that the tests need.
pub(crate) fn for_cluster() -> anyhow::Result<()> {
    postgresql()?;
    let missing: Vec<&str> = [
        ("/usr/bin/patroni", "patroni"),
        ("/usr/bin/etcd", "etcd-server"),
        ("/usr/sbin/ip", "iproute2"),
        ("/usr/bin/curl", "curl"),
        ("/usr/bin/strace", "strace"),
    ]
    .into_iter()
    .filter(|(program, _)| !Path::new(program).exists())
    .map(|(_, package)| package)
    .collect();
    if missing.is_empty() { Ok(()) } else { apt(&missing) }
}

/// The server that nodes share a journal in.
fn postgresql() -> anyhow::Result<()> {
    if crate::cluster::has_postgresql() {
        return Ok(());
    }
    apt(&["postgresql"])?;
    ensure!(
        crate::cluster::has_postgresql(),
        "there is still no PostgreSQL server below /usr/lib/postgresql"
    );
    Ok(())
}

/// What `demo` needs.
pub(crate) fn for_demo(project: &Project) -> anyhow::Result<()> {
    node()?;
    node_modules(project)?;
    schemas::install(project.data_dir())
}

fn node() -> anyhow::Result<()> {
    let (major, minor) = NODE_MIN;
    let wanted = format!("Node {major}.{minor} or newer with npm is needed; install it and try again");
    let mut ask = Command::new("node");
    ask.arg("--version");
    let version = output(ask, "node").with_context(|| wanted.clone())?;
    ensure!(is_recent(version.trim()), "{wanted} (found {})", version.trim());
    let mut npm = Command::new("npm");
    npm.arg("--version");
    ensure!(succeeds(npm), "{wanted} (npm is missing)");
    Ok(())
}

/// Whether a version such as `v20.19.4` is recent enough.
fn is_recent(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u64>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return false };
    (major, minor) >= NODE_MIN
}

fn node_modules(project: &Project) -> anyhow::Result<()> {
    let web = project.web();
    let lock = std::fs::read(web.join("package-lock.json")).context("read web/package-lock.json")?;
    let (lock, stamp) = (hex::encode(Sha256::digest(lock)), web.join(NODE_MODULES_STAMP));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed_from| installed_from == lock) {
        return Ok(());
    }
    println!("setup: installing the packages of web/package-lock.json");
    run(project.npm(&["ci", "--no-audit", "--no-fund"]), "npm ci")?;
    std::fs::write(&stamp, lock).with_context(|| format!("write {}", stamp.display()))
}

/// libxml2 judges every message beside our own validator, through Python's lxml.
fn second_opinion() -> anyhow::Result<()> {
    let has_lxml = || succeeds(python(&["-c", "import lxml.etree"]));
    if has_lxml() {
        return Ok(());
    }
    // Debian's package serves Debian's Python only.
    let python_path =
        output(python(&["-c", "import sys; print(sys.executable)"]), "python3").unwrap_or_default();
    if python_path.is_empty() || python_path.starts_with("/usr/bin/") {
        apt(&["python3", "python3-lxml"])?;
    } else {
        println!("setup: installing {LXML} for {}", python_path.trim());
        run(
            python(&["-m", "pip", "install", "--quiet", "--disable-pip-version-check", LXML]),
            "pip install",
        )?;
    }
    ensure!(has_lxml(), "python3 still has no lxml");
    Ok(())
}

fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(arguments);
    command
}

/// Makes sure that `python3 -m pip` works.
pub(crate) fn pip() -> anyhow::Result<()> {
    let works = || succeeds(python(&["-m", "pip", "--version"]));
    if works() {
        return Ok(());
    }
    apt(&["python3", "python3-pip"])?;
    ensure!(works(), "python3 still has no pip");
    Ok(())
}

/// A browser of the system's: runners' own downloads of browsers are not used.
fn chromium() -> anyhow::Result<()> {
    let path = std::env::var_os("CHROMIUM").unwrap_or("/usr/bin/chromium".into());
    if Path::new(&path).exists() {
        return Ok(());
    }
    apt(&["chromium"])?;
    ensure!(Path::new(&path).exists(), "there is still no {}", path.display());
    Ok(())
}

/// Without them Chinese text is boxes.
fn chinese_fonts() -> anyhow::Result<()> {
    let mut ask = Command::new("fc-list");
    ask.arg(":lang=zh-cn");
    if output(ask, "fc-list").is_ok_and(|fonts| !fonts.trim().is_empty()) {
        return Ok(());
    }
    apt(&["fontconfig", "fonts-noto-cjk"])
}

/// Installs Debian packages. The lists are fetched again only when a package is not in those that are there.
fn apt(packages: &[&str]) -> anyhow::Result<()> {
    let names = packages.join(" ");
    let by_hand = format!("run `apt-get install {names}` as root and try again");
    let root = rustix::process::geteuid().is_root();
    let mut may_sudo = Command::new("sudo");
    may_sudo.args(["-n", "true"]);
    if !root && !succeeds(may_sudo) {
        bail!("{names} is needed: {by_hand}");
    }
    println!("setup: installing Debian packages {names}");
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new(if root { "env" } else { "sudo" });
        if !root {
            command.args(["-n", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]);
        command.args(arguments);
        command
    };
    let install: Vec<&str> =
        ["install", "-y", "--no-install-recommends"].iter().chain(packages).copied().collect();
    if succeeds(apt_get(&install)) {
        return Ok(());
    }
    run(apt_get(&["update"]), "apt-get update")?;
    run(apt_get(&install), "apt-get install").context(by_hand)
}

#[cfg(test)]
mod tests {
    use super::is_recent;

    #[test]
    fn versions_of_node() {
        for (version, expect) in
            [("v20.19.0", true), ("v20.18.3", false), ("v22.1.0", true), ("v18.20.1", false), ("", false)]
        {
            assert_eq!(is_recent(version), expect, "{version}");
        }
    }
}
