//! `cargo xtask ci`: everything that must hold before a change is taken, with one count at the end.
//!
//! The order shares what is built: clippy and the documentation use the same checked dependencies, the tests are one
//! development build, and the simulator, the generated files and both runs of the demo use one release build. Every
//! stage runs, also after one that failed.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use crate::demo;
use crate::project::Project;
use crate::run::{Report, output};
use crate::setup;
use crate::test;
use crate::tidy;

/// For everything together: below the ninety minutes after which nobody waits any more.
const BOUND: Duration = Duration::from_secs(80 * 60);
/// What compiles nothing.
const QUICK: Duration = Duration::from_secs(2 * 60);
/// A cold check of every dependency takes a quarter of this on two cores.
const CHECK: Duration = Duration::from_secs(20 * 60);
/// The short simulation, and the main job without a screen.
const RUN: Duration = Duration::from_secs(8 * 60);
/// Seeds of the short simulation.
const SEEDS: &str = "60";
/// Seconds of fuzzing, for all targets together: enough to see that every one of them works and that the last change broke none.
const FUZZ_SECONDS: &str = "45";

/// Runs every stage; answers whether all passed.
pub(crate) fn run(project: &Project) -> bool {
    let mut report = Report::new(BOUND);
    report.perform("setup", || setup::all(project).map(|()| true));
    report.check("formatting", QUICK, project.cargo(&["fmt", "--all", "--check"]));
    report.perform("tidy", || tidy::run(project));
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    report.check("clippy", CHECK, project.cargo(&clippy));
    let mut documentation = project.cargo(&["doc", "--workspace", "--no-deps"]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    report.check("documentation", CHECK, documentation);
    test::rust(project, &mut report);
    test::web(project, &mut report);
    test::screens(project, &mut report);
    if test::release_build(project, &mut report) {
        on_the_release(project, &mut report);
    } else {
        for stage in
            ["generated files", "main job in a browser", "simulation", "fuzzing", "main job without a screen"]
        {
            report.cannot(stage, "there is no release build");
        }
    }
    report.finish()
}

fn on_the_release(project: &Project, report: &mut Report) {
    report.perform("generated files", || generated(project));
    test::browser(project, report);
    let mut simulation = project.command_in(project.root(), project.release("sim"));
    simulation.args(["--seeds", SEEDS]);
    report.check("simulation", RUN, simulation);
    let mut fuzzing = project.command_in(project.root(), project.release("fuzz"));
    fuzzing.args(["--seconds", FUZZ_SECONDS]);
    report.check("fuzzing", RUN, fuzzing);
    report.check("main job without a screen", RUN, demo::command(project, true));
}

/// Compares what is generated with what is committed.
fn generated(project: &Project) -> anyhow::Result<bool> {
    let mut openapi = project.command_in(project.root(), project.release("jinku"));
    openapi.arg("openapi");
    let openapi = output(openapi, "jinku openapi")?;
    let fresh = is_fresh(&project.web().join("openapi.json"), &openapi, "jinku openapi > web/openapi.json")?;

    let made = project.web().join("node_modules/.jinku-schema.d.ts");
    let target = made.to_string_lossy().into_owned();
    let generate =
        ["exec", "--workspace", "wallet", "--", "openapi-typescript", "../openapi.json", "-o", &target];
    output(project.npm(&generate), "openapi-typescript")?;
    let schema = std::fs::read_to_string(&made).with_context(|| format!("read {target}"))?;
    let committed = project.web().join("wallet/src/api/schema.d.ts");
    Ok(is_fresh(&committed, &schema, "npm run generate, in web/")? && fresh)
}

fn is_fresh(committed: &Path, made: &str, how: &str) -> anyhow::Result<bool> {
    let found =
        std::fs::read_to_string(committed).with_context(|| format!("read {}", committed.display()))?;
    if let Some(line) = first_difference(&found, made) {
        println!("{}:{line}: is stale; make it again with: {how}", committed.display());
        return Ok(false);
    }
    Ok(true)
}

/// The first line, from 1, in which two texts differ.
fn first_difference(one: &str, other: &str) -> Option<usize> {
    let same = one.lines().zip(other.lines()).take_while(|(a, b)| a == b).count();
    (one != other).then(|| same.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn where_texts_differ() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
        assert_eq!(first_difference("a\n", "a"), Some(2));
    }
}
