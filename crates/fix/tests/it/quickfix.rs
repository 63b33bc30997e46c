//! An independent client: QuickFIX's engine, through its Python binding, with the published dictionary.

use std::path::PathBuf;
use std::process::Command;

use crate::gateway::Gateway;
use crate::venue::TOKEN;

/// What the client says when all has held.
const STEPS: [&str; 11] = [
    "logon",
    "instruments and state",
    "order placed and seen in the market data",
    "partial fill",
    "replaced and cancelled",
    "refusals",
    "status and mass cancel",
    "our messages sent again",
    "its messages asked for again",
    "heartbeats",
    "logout, and logon with numbers kept",
];

/// Where `cargo xtask setup` puts the engine and the dictionary.
fn installed() -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");
    std::env::var_os("JINKU_DATA").map_or_else(|| PathBuf::from(root), PathBuf::from).join("fix")
}

#[test]
fn quickfix_trades_for_a_day() {
    let (engine, dictionary) = (installed().join("quickfix"), installed().join("FIX44.xml"));
    if !engine.is_dir() || !dictionary.is_file() {
        assert!(std::env::var_os("CI").is_none(), "QuickFIX is needed in CI");
        println!("skipped: QuickFIX is not installed; `cargo xtask setup` installs it");
        return;
    }
    let gateway = Gateway::new();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("quickfix-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/quickfix_client.py");
    let mut client = Command::new("python3");
    client.arg(script).arg(gateway.address().port().to_string()).arg(dictionary).arg(&folder).arg(TOKEN);
    let run = client.env("PYTHONPATH", engine).output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{said}\n{errors}\nits log is below {}", folder.display());
    let _ = std::fs::remove_dir_all(&folder);
    let steps: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("ok ")).collect();
    assert_eq!(steps, [&STEPS[..], &["end"]].concat());
}
