//! `cargo xtask test`: every test there is, counted.

use std::time::Duration;

use crate::demo;
use crate::project::Project;
use crate::run::Report;
use crate::setup;

/// For all tests together.
const BOUND: Duration = Duration::from_secs(75 * 60);
/// A cold build of the dev profile with every test takes a third of this on two cores.
const RUST: Duration = Duration::from_secs(35 * 60);
/// A cold release build takes a third of this on two cores.
const RELEASE: Duration = Duration::from_secs(25 * 60);
/// Compilers and runners of the web part answer within a minute.
const WEB: Duration = Duration::from_secs(5 * 60);
/// Two languages, every screen.
const BROWSER: Duration = Duration::from_secs(8 * 60);

/// The packages of the release build, always named together: with fewer, cargo might unite features differently and
/// build everything a second time.
pub(crate) const RELEASE_PACKAGES: [&str; 4] = ["jinku", "sandbox", "sim", "fuzz"];

/// Runs all tests, or with `quick` those that need neither a browser nor the release build; answers whether all passed.
pub(crate) fn run(project: &Project, quick: bool) -> bool {
    let mut report = Report::new(BOUND);
    report.perform("setup", || {
        if quick { setup::for_quick_tests(project) } else { setup::all(project) }.map(|()| true)
    });
    rust(project, &mut report);
    web(project, &mut report);
    if !quick {
        screens(project, &mut report);
        if release_build(project, &mut report) {
            browser(project, &mut report);
        } else {
            report.cannot("main job in a browser", "there is no release build");
        }
    }
    report.finish()
}

/// The Rust tests in one build. Their output is shown, for it says what was checked and what was skipped.
pub(crate) fn rust(project: &Project, report: &mut Report) {
    let arguments = ["test", "--workspace", "--no-fail-fast", "--", "--show-output"];
    report.tests("Rust tests", RUST, project.cargo(&arguments));
}

/// Types and unit tests of the web part.
pub(crate) fn web(project: &Project, report: &mut Report) {
    report.check("web types", WEB, project.npm(&["run", "check"]));
    report.tests("web tests", WEB, project.npm(&["test"]));
}

/// Every screen in headless Chromium, against a bank in memory.
pub(crate) fn screens(project: &Project, report: &mut Report) {
    if report.perform("web build", || demo::build_web(project).map(|()| true)) {
        report.tests("screens in a browser", BROWSER, project.npm(&["run", "test:smoke"]));
    } else {
        report.cannot("screens in a browser", "there is no web build");
    }
}

/// Builds what the demo, the simulator and the main job in a browser run.
pub(crate) fn release_build(project: &Project, report: &mut Report) -> bool {
    report.check("release build", RELEASE, demo::release_build(project, &RELEASE_PACKAGES))
}

/// The main job on the running system. Needs the release and the web build.
pub(crate) fn browser(project: &Project, report: &mut Report) {
    report.tests("main job in a browser", BROWSER, project.npm(&["run", "test:browser"]));
}
