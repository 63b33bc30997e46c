//! What the command line says when something is wrong: which thing, and what to do.

use std::process::{Command, Output};

use jinku::process::Scratch;

fn jinku(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jinku")).args(arguments).output().unwrap()
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_folder_without_a_bank_is_told_how_to_make_one() {
    let scratch = Scratch::new(None, "no-bank").unwrap();
    let folder = scratch.path().display().to_string();
    for command in ["serve", "audit"] {
        let output = jinku(&[command, "--data", &folder]);
        assert!(!output.status.success());
        assert!(words(&output).contains("jinku init"), "{}", words(&output));
    }
}

#[test]
fn a_second_bank_in_one_folder_is_refused() {
    let scratch = Scratch::new(None, "two-banks").unwrap();
    let folder = scratch.path().join("bank").display().to_string();
    assert!(jinku(&["init", "--data", &folder]).status.success());
    let again = jinku(&["init", "--data", &folder]);
    assert!(!again.status.success());
    assert!(words(&again).contains("has a bank already"), "{}", words(&again));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new(None, "open-key").unwrap();
    let folder = scratch.path().join("bank");
    let text = folder.display().to_string();
    assert!(jinku(&["init", "--data", &text]).status.success());
    let key = folder.join("keys/log.seed");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = jinku(&["serve", "--data", &text, "--listen", "127.0.0.1:0"]);
    assert!(!output.status.success());
    assert!(words(&output).contains("chmod 600"), "{}", words(&output));
}

#[test]
fn what_is_no_receipt_is_refused_with_its_step() {
    let scratch = Scratch::new(None, "no-receipt").unwrap();
    let file = scratch.path().join("receipt.json");
    std::fs::write(&file, "{}").unwrap();
    let signer = receipts::NoteSigner::from_seed("localhost/jinku-log", &[3; 32]).unwrap();
    let key = signer.verifier().to_string();
    let output = jinku(&["verify", &file.display().to_string(), "--key", &key]);
    assert!(!output.status.success());
    assert!(words(&output).contains("FAILED  format"), "{}", words(&output));
}
