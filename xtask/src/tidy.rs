//! `cargo xtask tidy`: the rules of the house that a compiler does not know, each as a function from text to faults.
//!
//! A fault is one line, `path:line: message`. The rules and the data they compare with are in the files below; each is
//! shown to turn red in its tests.

mod docs;
mod edges;
mod files;
mod manifests;
mod others;

use std::fmt;

use anyhow::Context as _;
use serde_json::Value;

use crate::project::Project;
use crate::run::output;

/// A rule broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    path: String,
    line: usize,
    message: String,
}

impl Fault {
    fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// A file of the repository, with its path from the root.
#[derive(Debug)]
pub(crate) struct File {
    path: String,
    /// Nothing where the file is not text.
    text: Option<String>,
}

impl File {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let text = self.text.as_deref().unwrap_or("");
        text.split_terminator('\n').enumerate().map(|(index, line)| (index.saturating_add(1), line))
    }

    fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or("");
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Checks every rule and prints what is broken; answers whether nothing is.
pub(crate) fn run(project: &Project) -> anyhow::Result<bool> {
    let files = files(project)?;
    let members = metadata(project, &["--no-deps", "--offline"])?;
    let mut faults = files::check(&files);
    faults.extend(edges::check(&members, project.root()));
    faults.extend(manifests::check(&files, &members, project.root()));
    faults.extend(docs::check(&files));
    match metadata(project, &["--locked", "--filter-platform", PLATFORM]) {
        Ok(all) => faults.extend(others::check(&all)),
        Err(fault) => {
            faults.push(Fault::new("Cargo.lock", 1, format!("does not fit the manifests: {fault:#}")))
        }
    }
    faults.sort();
    faults.iter().for_each(|fault| println!("{fault}"));
    println!("tidy: {} files, {} faults", files.len(), faults.len());
    Ok(faults.is_empty())
}

/// The platform whose dependencies are judged.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

fn metadata(project: &Project, arguments: &[&str]) -> anyhow::Result<Value> {
    let mut command = project.cargo(&["metadata", "--format-version", "1"]);
    command.args(arguments);
    serde_json::from_str(&output(command, "cargo metadata")?).context("read cargo metadata")
}

/// Every file that is in the repository or would be with the next commit.
fn files(project: &Project) -> anyhow::Result<Vec<File>> {
    let mut command = project.command_in(project.root(), "git");
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
    let mut files = Vec::new();
    for path in output(command, "git ls-files")?.split_terminator('\0') {
        let Ok(bytes) = std::fs::read(project.root().join(path)) else { continue };
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        files.push(File { path: path.to_owned(), text });
    }
    Ok(files)
}

#[cfg(test)]
pub(crate) mod testing {
    //! Planted examples for the tests of the rules.

    use super::{Fault, File};

    pub(crate) fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: Some(text.to_owned()) }
    }

    /// The faults found must be exactly those that begin with these texts, in any order.
    pub(crate) fn check(mut faults: Vec<Fault>, expect: &[&str]) {
        faults.sort();
        let mut expect = expect.to_vec();
        expect.sort_unstable();
        let found: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let fits = found.len() == expect.len() && found.iter().zip(&expect).all(|(f, e)| f.starts_with(e));
        assert!(fits, "found {found:#?}, expected {expect:#?}");
    }
}
