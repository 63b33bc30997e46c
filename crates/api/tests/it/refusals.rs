//! Every code that the interface sends is explained in `docs/REFUSALS.md`, and no other is.

use std::collections::BTreeSet;
use std::path::Path;

/// What a code is made with in the sources.
const MAKERS: [&str; 7] =
    ["unprocessable(", "conflict(", "forbidden(", "missing(", "unauthorised(", "changed(", "new("];

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            // Tests within the sources make problems of their own.
            found.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
}

/// The first text of a call, behind at most a status.
fn code(arguments: &str) -> Option<&str> {
    let arguments = arguments.trim_start();
    let arguments = match arguments.strip_prefix("StatusCode::") {
        Some(rest) => rest.split_once(',')?.1.trim_start(),
        None => arguments,
    };
    let (code, _) = arguments.strip_prefix('"')?.split_once('"')?;
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_code.then_some(code)
}

#[test]
fn every_code_has_its_row() {
    let mut files = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    let mut sent = BTreeSet::new();
    for text in &files {
        for maker in MAKERS {
            let calls = text.match_indices(maker).filter_map(|(at, _)| code(&text[at + maker.len()..]));
            sent.extend(calls.map(ToOwned::to_owned));
        }
    }
    let page = include_str!("../../../../docs/REFUSALS.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let explained: BTreeSet<String> =
        rows.map(|(code, _)| code.to_owned()).filter(|code| !code.starts_with("RJ")).collect();
    assert!(sent.len() > 50, "only {} codes were found in the sources", sent.len());
    assert_eq!(sent, explained);
}
