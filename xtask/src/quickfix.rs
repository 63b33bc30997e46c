//! Installs an independent FIX client for the tests of the crate `fix`: QuickFIX's engine with its Python binding, and the published dictionary of FIX 4.4.
//!
//! Neither is part of the repository. The engine comes as a built wheel, so that nothing is compiled; the dictionary out of an archive that ships it, which
//! must have the pinned SHA-256, as the file itself must.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};

use crate::run::{run, succeeds};
use crate::setup;

/// The engine, in wheels for each version of Python.
const ENGINE: &str = "quickfix-tls==1.16.0.1rc1";
/// What ships the dictionary, its archive, and where in it.
const SHIPS: &str = "jspurefix@5.11.4";
const ARCHIVE: &str = "jspurefix-5.11.4.tgz";
const ARCHIVE_SHA256: &str = "e1947599cb4bf40c28364846ecea9917a098c9c5f0bf9d59f9c435ac6729dd2d";
const MEMBER: &str = "package/data/FIX44.xml";
const DICTIONARY: &str = "FIX44.xml";
const DICTIONARY_SHA256: &str = "2af65911ed8e9c9bccd8800052446c313b4edf30ec94fdc8be28ef89c18e48d2";

/// Takes one member out of an archive: arguments are the archive, the member and the target.
const EXTRACT: &str = r#"
import sys, tarfile
archive, member, target = sys.argv[1:]
with tarfile.open(archive) as tar, open(target, "wb") as out:
    out.write(tar.extractfile(member).read())
"#;

/// Installs both into `<data_dir>/fix`, unless they are there.
///
/// # Errors
/// No Python with pip that could be used or installed, a download that fails, or a file with another hash.
pub(crate) fn install(data_dir: &Path) -> anyhow::Result<()> {
    let folder = data_dir.join("fix");
    std::fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    engine(&folder)?;
    dictionary(&folder)
}

fn engine(folder: &Path) -> anyhow::Result<()> {
    let target = folder.join("quickfix");
    let works = || {
        let mut ask = Command::new("python3");
        ask.args(["-c", "import quickfix"]).env("PYTHONPATH", &target);
        target.is_dir() && succeeds(ask)
    };
    if works() {
        return Ok(());
    }
    setup::pip()?;
    println!("setup: installing {ENGINE} in {}", target.display());
    // What another Python left there is of no use to this one.
    let _ = std::fs::remove_dir_all(&target);
    let mut install = Command::new("python3");
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    install.args(["--only-binary", ":all:", "--target"]).arg(&target).arg(ENGINE);
    run(install, "pip install")?;
    ensure!(works(), "python3 cannot use {ENGINE}");
    Ok(())
}

fn dictionary(folder: &Path) -> anyhow::Result<()> {
    let target = folder.join(DICTIONARY);
    if sha256(&target).is_ok_and(|found| found == DICTIONARY_SHA256) {
        return Ok(());
    }
    println!("setup: fetching the FIX 4.4 dictionary out of {SHIPS}");
    // Beside the target, so that the last step is a rename within one file system.
    let work = folder.join(format!(".work-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let outcome = fetch(&work, &target);
    let _ = std::fs::remove_dir_all(&work);
    outcome
}

fn fetch(work: &Path, target: &Path) -> anyhow::Result<()> {
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", "--pack-destination"]).arg(work).arg(SHIPS).current_dir(work);
    run(pack, "npm pack")?;
    let archive = work.join(ARCHIVE);
    has_hash(&archive, ARCHIVE_SHA256)?;
    let extracted = work.join(DICTIONARY);
    let mut extract = Command::new("python3");
    extract.arg("-c").arg(EXTRACT).arg(&archive).arg(MEMBER).arg(&extracted);
    run(extract, "unpacking of the dictionary")?;
    has_hash(&extracted, DICTIONARY_SHA256)?;
    std::fs::rename(&extracted, target).with_context(|| format!("move {} into place", target.display()))
}

fn has_hash(path: &Path, expected: &str) -> anyhow::Result<()> {
    let found = sha256(path)?;
    ensure!(found == expected, "{} has sha256 {found}, expected {expected}", path.display());
    Ok(())
}

fn sha256(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}
