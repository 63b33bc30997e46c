//! `cargo xtask demo`: from a fresh clone to a running bank.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::project::Project;
use crate::run;
use crate::setup;

/// Below `web/node_modules`, so that it goes when they go: the hash of what the web build was made from.
const WEB_STAMP: &str = "node_modules/.jinku-build";

/// Builds everything and becomes `jinku demo`; comes back only when that could not be started.
pub(crate) fn run(project: &Project, once: bool, arguments: &[OsString]) -> anyhow::Result<bool> {
    setup::for_demo(project)?;
    build_web(project)?;
    println!("demo: building the bank and its counterparties");
    run::run(release_build(project, &["jinku", "sandbox"]), "the release build")?;
    let mut demo = command(project, once);
    demo.args(arguments);
    Err(demo.exec()).context("start jinku demo")
}

/// `jinku demo`, once built.
pub(crate) fn command(project: &Project, once: bool) -> Command {
    let mut demo = project.command_in(project.root(), project.release("jinku"));
    demo.arg("demo");
    if once {
        demo.arg("--once");
    }
    demo
}

/// The release build of some packages.
pub(crate) fn release_build(project: &Project, packages: &[&str]) -> Command {
    let mut build = project.cargo(&["build", "--release"]);
    packages.iter().for_each(|package| {
        build.args(["--package", package]);
    });
    build
}

/// Builds the web part, unless it was built from the same files.
pub(crate) fn build_web(project: &Project) -> anyhow::Result<()> {
    let web = project.web();
    let (stamp, inputs) = (web.join(WEB_STAMP), inputs_hash(&web)?);
    let fresh = std::fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == inputs);
    let apps = ["wallet", "console"];
    if fresh && apps.iter().all(|app| web.join(app).join("dist/index.html").is_file()) {
        return Ok(());
    }
    for app in apps {
        println!("demo: building the {app}");
        let vite = ["exec", "--workspace", app, "--", "vite", "build", "--logLevel", "warn"];
        run::run(project.npm(&vite), "the web build")?;
    }
    std::fs::write(&stamp, inputs).with_context(|| format!("write {}", stamp.display()))
}

/// The hash of every file that the web build may read, with their names.
fn inputs_hash(web: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    list(web, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let bytes = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        hash.update(file.strip_prefix(web).unwrap_or(&file).to_string_lossy().as_bytes());
        hash.update(b"\0");
        hash.update(Sha256::digest(&bytes));
    }
    Ok(hex::encode(hash.finalize()))
}

/// Every file below a folder but what was installed, built or is a test.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !path.is_dir() {
            files.push(path);
        } else if !matches!(name.as_str(), "node_modules" | "dist" | "tests") {
            list(&path, files)?;
        }
    }
    Ok(())
}
