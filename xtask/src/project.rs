//! Where things are: the project's root, its build folder, its data, and the programs built.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// The folders of this project.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    root: PathBuf,
    target_dir: PathBuf,
    data_dir: PathBuf,
    vectors: Option<PathBuf>,
}

/// Outside test data, when it stands beside the project.
const VECTORS_BESIDE: &str = "../shared/data";

impl Project {
    /// Finds the project from where the task runner was built, and the rest from the environment: `CARGO_TARGET_DIR`,
    /// `JINKU_DATA` (default `data`) and `JINKU_VECTORS`, all relative to the current folder as for other programs.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?;
        let root = root.canonicalize().with_context(|| format!("find {}", root.display()))?;
        let target_dir = from_environment("CARGO_TARGET_DIR")?.unwrap_or_else(|| root.join("target"));
        let data_dir = from_environment("JINKU_DATA")?.unwrap_or_else(|| root.join("data"));
        let vectors = match from_environment("JINKU_VECTORS")? {
            Some(given) => Some(given),
            None => root.join(VECTORS_BESIDE).canonicalize().ok(),
        };
        Ok(Self { root, target_dir, data_dir, vectors })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn web(&self) -> PathBuf {
        self.root.join("web")
    }

    /// Where what is installed and not committed goes, the ISO schemas first of all.
    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// A program of the release build.
    pub(crate) fn release(&self, program: &str) -> PathBuf {
        self.target_dir.join("release").join(program)
    }

    /// A command in `folder` that knows where everything is, with every path absolute.
    pub(crate) fn command_in(&self, folder: &Path, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder);
        command.env("CARGO_TARGET_DIR", &self.target_dir).env("JINKU_DATA", &self.data_dir);
        command.env("JINKU_BIN", self.release("jinku"));
        if let Some(vectors) = &self.vectors {
            command.env("JINKU_VECTORS", vectors);
        }
        command
    }

    /// The cargo that runs this, in the project's root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_in(&self.root, std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.args(arguments);
        command
    }

    /// npm in `web/`.
    pub(crate) fn npm(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_in(&self.web(), "npm");
        command.args(arguments);
        command
    }
}

/// An absolute path out of the environment, not necessarily of something that exists.
fn from_environment(name: &str) -> anyhow::Result<Option<PathBuf>> {
    match std::env::var_os(name).filter(|value| !value.is_empty()) {
        Some(value) => std::path::absolute(&value).map(Some).with_context(|| format!("{name} as a path")),
        None => Ok(None),
    }
}

/// Whether this is continuous integration, where nothing may be skipped.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
