//! `cargo xtask fuzz`: the seeded fuzzers, in their release build.

use std::ffi::OsString;

use anyhow::Context as _;

use crate::project::Project;

/// Runs the fuzzers with `arguments`; answers whether they found nothing.
pub(crate) fn run(project: &Project, arguments: &[OsString]) -> anyhow::Result<bool> {
    let mut command = project.cargo(&["run", "--release", "--package", "fuzz", "--"]);
    let status = command.args(arguments).status().context("start the fuzzers")?;
    Ok(status.success())
}
