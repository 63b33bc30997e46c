//! Rules about the documents: those that must be there, and links between them.

use std::collections::BTreeSet;

use super::{Fault, File};

/// Documents that must be there, with the most lines each may have.
const WANTED: [(&str, usize); 6] = [
    ("README.md", 800),
    ("ARCHITECTURE.md", 300),
    ("CHANGELOG.md", usize::MAX),
    ("docs/GLOSSARY.md", 800),
    ("docs/HOWTO.md", 800),
    ("LICENSE", 300),
];

/// Checks the documents.
pub(super) fn check(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, lines_max) in WANTED {
        match files.iter().find(|file| file.path == path) {
            None => faults.push(Fault::new(path, 1, "is missing")),
            Some(file) if file.lines().count() > lines_max => {
                faults.push(Fault::new(path, lines_max, format!("has more than {lines_max} lines")));
            }
            Some(_) => {}
        }
    }
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for file in files.iter().filter(|file| file.extension() == "md") {
        faults.extend(broken_links(file, &paths));
    }
    faults
}

fn broken_links(file: &File, paths: &BTreeSet<&str>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut in_code = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let targets =
            line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in targets.filter(|_| !in_code) {
            if !resolves(&file.path, target, paths) {
                faults.push(Fault::new(&file.path, number, format!("link to {target}, which is not there")));
            }
        }
    }
    faults
}

/// Whether a link leads outside, within its page, or to a file or folder of the repository.
fn resolves(from: &str, target: &str, paths: &BTreeSet<&str>) -> bool {
    let target = target.split(['#', ' ']).next().unwrap_or("");
    if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    let folder = format!("{path}/");
    path.is_empty() || paths.contains(path.as_str()) || paths.iter().any(|known| known.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::{WANTED, check};
    use crate::tidy::testing::{self, file};

    fn verdict(extra: &[(&str, &str)], expect: &[&str]) {
        let is_given = |path: &str| extra.iter().any(|(given, _)| *given == path);
        let wanted = WANTED.iter().filter(|(path, _)| !is_given(path)).map(|(path, _)| file(path, ""));
        let files: Vec<_> = extra.iter().map(|(path, text)| file(path, text)).chain(wanted).collect();
        testing::check(check(&files), expect);
    }

    #[test]
    fn documents_that_must_be_there() {
        testing::check(
            check(&[file("README.md", ""), file("LICENSE", "")]),
            &[
                "ARCHITECTURE.md:1: is missing",
                "CHANGELOG.md:1: is missing",
                "docs/GLOSSARY.md:1: is missing",
                "docs/HOWTO.md:1: is missing",
            ],
        );
        verdict(
            &[("ARCHITECTURE.md", &"A line.\n".repeat(301))],
            &["ARCHITECTURE.md:300: has more than 300 lines"],
        );
    }

    #[test]
    fn links() {
        verdict(
            &[(
                "docs/a.md",
                "[r](../README.md) [h](HOWTO.md#one) [f](../docs) [o](https://host/x) [i](#here)\n",
            )],
            &[],
        );
        verdict(&[("docs/a.md", "```\n[x](nowhere.md)\n```\n")], &[]);
        verdict(&[("docs/a.md", "\n[x](nowhere.md)\n")], &["docs/a.md:2: link to nowhere.md"]);
        verdict(&[("a.md", "![x](../../outside.png)\n")], &["a.md:1: link to ../../outside.png"]);
    }
}
