//! `cargo xtask sim`: the seeded simulator, in its release build.

use std::ffi::OsString;

use anyhow::Context as _;

use crate::project::Project;

/// Runs the simulator with `arguments`; answers whether it found nothing.
pub(crate) fn run(project: &Project, arguments: &[OsString]) -> anyhow::Result<bool> {
    let mut command = project.cargo(&["run", "--release", "--package", "sim", "--"]);
    let status = command.args(arguments).status().context("start the simulator")?;
    Ok(status.success())
}
