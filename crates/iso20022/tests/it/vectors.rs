//! Where the outside vectors are, and what to do where they are not.

use std::path::{Path, PathBuf};

use iso20022::SchemaSet;

/// The folder of the ISO 20022 vectors; `None` where absent, which CI does not tolerate.
pub(crate) fn folder(what: &str) -> Option<PathBuf> {
    let base = std::env::var_os("JINKU_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let folder = base.join("rails/iso20022");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "vectors absent in CI: {}", folder.display());
    println!("skipped: vectors absent ({what})");
    None
}

pub(crate) fn schemas(folder: &Path) -> SchemaSet {
    SchemaSet::load_dir(&folder.join("xsd")).unwrap()
}

/// Every sample message below a folder, with its bytes, in a fixed order.
pub(crate) fn messages(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "xml") {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
