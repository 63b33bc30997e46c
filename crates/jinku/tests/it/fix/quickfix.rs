//! The same bank with an independent client: QuickFIX's engine, which checks every message against the published dictionary.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{COINS, MAKER, TAKER, World, YUAN};

/// What the client says when all has held.
const STEPS: [&str; 6] = [
    "logon",
    "rests and is seen",
    "partial fill",
    "replaced and cancelled",
    "back after the bank died, nothing placed twice",
    "end",
];

/// Where `cargo xtask setup` puts the engine and the dictionary.
fn installed() -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");
    std::env::var_os("JINKU_DATA").map_or_else(|| PathBuf::from(root), PathBuf::from).join("fix")
}

#[test]
fn quickfix_trades_with_the_bank() {
    let (engine, dictionary) = (installed().join("quickfix"), installed().join("FIX44.xml"));
    if !engine.is_dir() || !dictionary.is_file() {
        assert!(std::env::var_os("CI").is_none(), "QuickFIX is needed in CI");
        println!("skipped: QuickFIX is not installed; `cargo xtask setup` installs it");
        return;
    }
    let mut world = World::new("fix-quickfix");
    let folder = world.installation.folder.with_file_name("client");
    std::fs::create_dir_all(&folder).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fix/client.py");
    let mut client = Command::new("python3");
    client.arg(script).arg(world.fix.to_string()).arg(dictionary).arg(&folder);
    client.args([world.token(MAKER), world.token(TAKER)]).env("PYTHONPATH", engine);
    let mut client = client.stdout(Stdio::piped()).spawn().unwrap();
    let mut steps = Vec::new();
    for line in BufReader::new(client.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        match line.strip_prefix("ok ") {
            Some(step) => steps.push(step.to_owned()),
            None if line == "now the bank dies" => world.kill_and_start(),
            None => println!("{line}"),
        }
    }
    assert!(client.wait().unwrap().success(), "{steps:?}");
    assert_eq!(steps, STEPS);
    world.stop();
    // Twice 0.001 coins at 500,000.
    let [[maker_coins, maker_yuan], [taker_coins, taker_yuan]] = world.balances();
    assert_eq!((maker_coins, taker_coins), (COINS - 200_000, COINS + 200_000));
    assert_eq!((maker_yuan, taker_yuan), (YUAN + 100_000 + 10, YUAN - 100_000 - 100));
}
