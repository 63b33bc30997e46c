//! Runs stages one after the other, each with a bound on its time, and reports them.
//!
//! A stage that fails does not stop the ones after it. What a command prints is passed on as it comes; its tests are
//! counted on the way. A stage without tests counts as one.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::counts::{Counts, Reader};
use crate::project::in_ci;

/// How often a running command is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long output may still come from what a command left running behind it.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What a command counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its tests. One that counts none has failed, for then nothing was tested.
    Tests,
    /// One.
    Check,
}

#[derive(Debug)]
struct Row {
    name: String,
    counts: Counts,
    took: Duration,
    fault: Option<String>,
    skips: Vec<String>,
}

/// The stages so far.
#[derive(Debug)]
pub(crate) struct Report {
    started: Instant,
    bound: Duration,
    rows: Vec<Row>,
}

impl Report {
    /// A report whose stages together may take `bound`.
    pub(crate) fn new(bound: Duration) -> Self {
        Self { started: Instant::now(), bound, rows: Vec::new() }
    }

    /// Runs a command that counts as one; answers whether it ended well.
    pub(crate) fn check(&mut self, name: &str, bound: Duration, command: Command) -> bool {
        self.command(name, bound, command, Kind::Check)
    }

    /// Runs a command that counts as its tests; answers whether all passed.
    pub(crate) fn tests(&mut self, name: &str, bound: Duration, command: Command) -> bool {
        self.command(name, bound, command, Kind::Tests)
    }

    /// Does something within this program that counts as one.
    pub(crate) fn perform(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<bool>) -> bool {
        let started = announce(name);
        let fault = match work() {
            Ok(true) => None,
            Ok(false) => Some("see above".to_owned()),
            Err(fault) => Some(format!("{fault:#}")),
        };
        let counts = if fault.is_none() { Counts::ONE_PASSED } else { Counts::ONE_FAILED };
        self.record(Row { name: name.to_owned(), counts, took: started.elapsed(), fault, skips: Vec::new() })
    }

    /// Records as failed what could not be started.
    pub(crate) fn cannot(&mut self, name: &str, why: &str) {
        self.perform(name, || bail!("{why}"));
    }

    fn command(&mut self, name: &str, bound: Duration, command: Command, kind: Kind) -> bool {
        let started = announce(name);
        let left = self.bound.saturating_sub(self.started.elapsed());
        let mut reader = Reader::default();
        let ended = stream(command, bound.min(left), &mut |line| reader.read(line));
        let (counts, fault) = judge(kind, reader.counts(), reader.skips(), ended);
        let skips = reader.skips().to_vec();
        self.record(Row { name: name.to_owned(), counts, took: started.elapsed(), fault, skips })
    }

    fn record(&mut self, row: Row) -> bool {
        if let Some(fault) = &row.fault {
            println!("FAILED {}: {fault}", row.name);
        }
        let passed = row.counts.failed == 0;
        self.rows.push(row);
        passed
    }

    /// Prints the table and the closing line; answers whether nothing failed.
    pub(crate) fn finish(self) -> bool {
        let mut total = Counts::default();
        println!("\n{:<26} {:>7} {:>7} {:>8} {:>9}", "stage", "passed", "failed", "skipped", "seconds");
        for row in &self.rows {
            let Counts { passed, failed, skipped } = row.counts;
            let seconds = seconds(row.took);
            println!("{:<26} {passed:>7} {failed:>7} {skipped:>8} {seconds:>9}", row.name);
            total.add(row.counts);
        }
        println!("{:<26} {:>34}", "in all", seconds(self.started.elapsed()));
        for row in &self.rows {
            row.skips.iter().for_each(|skip| println!("{}: {skip}", row.name));
            if let Some(fault) = &row.fault {
                println!("FAILED {}: {fault}", row.name);
            }
        }
        println!("\n{}", total.line());
        total.failed == 0
    }
}

/// The counts of a command that has ended, and what was wrong with it.
fn judge(
    kind: Kind,
    found: Counts,
    skips: &[String],
    ended: anyhow::Result<Ended>,
) -> (Counts, Option<String>) {
    let mut counts = match kind {
        Kind::Tests => found,
        Kind::Check => Counts::default(),
    };
    let fault = match ended {
        Ok(Ended::Exit(status)) if !status.success() => Some(format!("ended with {status}")),
        Ok(Ended::Exit(_)) if counts.failed > 0 => Some("tests failed".to_owned()),
        Ok(Ended::Exit(_)) if kind == Kind::Tests && counts == Counts::default() => {
            Some("ran no test".to_owned())
        }
        Ok(Ended::Exit(_)) if in_ci() && !skips.is_empty() => {
            Some("continuous integration may skip nothing".to_owned())
        }
        Ok(Ended::Exit(_)) => None,
        Ok(Ended::OutOfTime(bound)) => Some(format!("stopped: not done after {} seconds", bound.as_secs())),
        Err(fault) => Some(format!("{fault:#}")),
    };
    match (kind, &fault) {
        (Kind::Check, None) => counts = Counts::ONE_PASSED,
        (_, Some(_)) if counts.failed == 0 => counts.add(Counts::ONE_FAILED),
        _ => {}
    }
    (counts, fault)
}

fn announce(name: &str) -> Instant {
    println!("\n=== {name} ===");
    let _ = std::io::stdout().flush();
    Instant::now()
}

fn seconds(took: Duration) -> String {
    format!("{}.{}", took.as_secs(), took.subsec_millis() / 100)
}

/// Runs a command, with its output to the screen; an error names what failed.
pub(crate) fn run(mut command: Command, what: &str) -> anyhow::Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("start {what}"))?;
    if !status.success() {
        bail!("{what} ended with {status}");
    }
    Ok(())
}

/// The output of a command that must end well.
pub(crate) fn output(mut command: Command, what: &str) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("start {what}"))?;
    if !output.status.success() {
        bail!("{what} ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("output of {what}"))
}

/// Whether a quiet command could be started and ended well.
pub(crate) fn succeeds(mut command: Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[derive(Debug)]
enum Ended {
    Exit(ExitStatus),
    OutOfTime(Duration),
}

/// Runs a command and shows its lines to `read` and to the screen, until it ends or its time is over.
fn stream(mut command: Command, bound: Duration, read: &mut dyn FnMut(&str)) -> anyhow::Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own can be ended with all that it started. At a terminal it would no longer hear Ctrl-C.
    let grouped = !std::io::stdout().is_terminal();
    if grouped {
        command.process_group(0);
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().with_context(|| format!("start {program}"))?;
    let (to, lines) = channel();
    if let Some(from) = child.stdout.take() {
        pass_on(from, to.clone());
    }
    if let Some(from) = child.stderr.take() {
        pass_on(from, to);
    }
    let ended = listen(&mut child, &lines, bound, read)?;
    if matches!(ended, Ended::OutOfTime(_)) {
        stop(&mut child, grouped);
    }
    Ok(ended)
}

fn listen(
    child: &mut Child,
    lines: &Receiver<String>,
    bound: Duration,
    read: &mut dyn FnMut(&str),
) -> anyhow::Result<Ended> {
    let started = Instant::now();
    let mut echo = Echo::default();
    let mut exit: Option<(ExitStatus, Instant)> = None;
    loop {
        let heard = lines.recv_timeout(LOOK);
        let silent = matches!(heard, Err(RecvTimeoutError::Disconnected));
        if let Ok(line) = heard {
            read(&line);
            echo.show(&line);
        }
        if exit.is_none() {
            exit = child.try_wait()?.map(|status| (status, Instant::now()));
        }
        match exit {
            Some((status, at)) if silent || at.elapsed() > LAST_WORDS => return Ok(Ended::Exit(status)),
            None if started.elapsed() > bound => return Ok(Ended::OutOfTime(bound)),
            None if silent => thread::sleep(LOOK),
            _ => {}
        }
    }
}

/// Passes lines on, but for cargo's second list of the tests that passed.
#[derive(Debug, Default)]
struct Echo {
    in_list: bool,
}

impl Echo {
    fn show(&mut self, line: &str) {
        match line {
            "successes:" => self.in_list = true,
            _ if self.in_list && (line.is_empty() || line.starts_with("    ")) => {}
            _ => {
                self.in_list = false;
                println!("{line}");
            }
        }
    }
}

fn stop(child: &mut Child, grouped: bool) {
    let pid = Pid::from_child(child);
    let _ = if grouped { kill_process_group(pid, Signal::KILL) } else { kill_process(pid, Signal::KILL) };
    let _ = child.wait();
}

fn pass_on(from: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        while from.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            bytes.clear();
            if to.send(line).is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::Report;
    use crate::counts::Counts;

    const LONG: Duration = Duration::from_secs(60);

    /// Runs a shell line as a stage and compares what it counts as, and its fault.
    fn check(is_tests: bool, bound: Duration, line: &str, expect: [u64; 3], fault: Option<&str>) {
        let mut report = Report::new(LONG);
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        let passed =
            if is_tests { report.tests("a", bound, command) } else { report.check("a", bound, command) };
        let [passed_count, failed, skipped] = expect;
        let counts = report.rows.last().map(|row| row.counts);
        assert_eq!(counts, Some(Counts { passed: passed_count, failed, skipped }), "{line}");
        assert_eq!(passed, failed == 0, "{line}");
        let found = report.rows.last().and_then(|row| row.fault.as_deref());
        let fits = match (found, fault) {
            (Some(found), Some(wanted)) => found.contains(wanted),
            (found, wanted) => found == wanted,
        };
        assert!(fits, "{line}: {found:?}");
    }

    #[test]
    fn what_stages_count_as() {
        check(false, LONG, "echo '# pass 3'", [1, 0, 0], None);
        check(false, LONG, "exit 3", [0, 1, 0], Some("exit status: 3"));
        check(true, LONG, "echo '# pass 3'; echo '# skipped 1'", [3, 0, 1], None);
        check(true, LONG, "echo '# pass 3'; echo '# fail 2'; exit 1", [3, 2, 0], Some("exit status: 1"));
        check(true, LONG, "echo '# pass 3' >&2; exit 1", [3, 1, 0], Some("exit status: 1"));
        check(true, LONG, "echo '# fail 1'", [0, 1, 0], Some("tests failed"));
        check(true, LONG, "true", [0, 1, 0], Some("ran no test"));
    }

    #[test]
    fn a_stage_ends_with_its_time() {
        check(false, Duration::from_millis(200), "exec sleep 60", [0, 1, 0], Some("stopped"));
    }

    #[test]
    fn what_a_stage_leaves_running_holds_up_nobody() {
        check(true, LONG, "echo '# pass 1'; sleep 60 &", [1, 0, 0], None);
    }
}
