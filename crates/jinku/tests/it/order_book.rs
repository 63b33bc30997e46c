//! `jinku bench exchange --in`: anyone can give the book the commands of another engine's run and compare.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;

use flate2::read::GzDecoder;

/// The folder of runs, or nothing where it is absent (never in continuous integration).
fn folder() -> Option<PathBuf> {
    let data = std::env::var_os("JINKU_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let folder = data.join("exchange/exchange-core");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the runs must be there in continuous integration");
    println!("skipped: vectors absent (runs of exchange-core)");
    None
}

fn replay(path: &std::path::Path) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_jinku")).args(["bench", "exchange", "--in"]).arg(path).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_recorded_run_comes_out_as_it_went_in() {
    let Some(folder) = folder() else { return };
    let path = folder.join("exchange-core-golden-5k.csv.gz");
    let mut expected = String::new();
    GzDecoder::new(std::fs::File::open(&path).unwrap()).read_to_string(&mut expected).unwrap();
    assert!(replay(&path) == expected);
    // From the commands alone, as another engine would be given them.
    let commands: String = expected
        .lines()
        .filter(|line| line.starts_with(['#', 'C']))
        .map(|line| format!("{}\n", line.strip_suffix(",R,SUCCESS").unwrap_or(line)))
        .collect();
    let plain = std::env::temp_dir().join(format!("jinku-commands-{}.csv", std::process::id()));
    std::fs::write(&plain, commands).unwrap();
    assert!(replay(&plain) == expected);
    std::fs::remove_file(plain).unwrap();
}
