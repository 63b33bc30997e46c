//! Every target takes its valid inputs, holds for the inputs that once broke it, and finds a reader that is made wrong.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use fuzz::{Answer, Settings, Target, all, run, try_one};

fn settings(inputs: u64) -> Settings {
    Settings { seed: 5, time: Duration::from_secs(600), inputs, peak: || 0 }
}

#[test]
fn every_target_holds_for_some_inputs() {
    for target in all() {
        let stats = run(&target, &settings(400)).unwrap_or_else(|found| panic!("{target:?}: {}", found.what));
        assert!(stats.taken > 0 && stats.answers > 2, "{target:?}: {stats:?}");
    }
}

#[test]
fn inputs_that_once_broke_a_reader_do_not() {
    for target in all() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kept").join(target.name);
        let Ok(files) = std::fs::read_dir(folder) else { continue };
        for file in files {
            let path = file.unwrap().path();
            let tried = try_one(&target, &std::fs::read(&path).unwrap(), || 0);
            assert!(tried.is_ok(), "{}: {tried:?}", path.display());
        }
    }
}

/// A reader with a fault, whose valid inputs are these.
fn faulty(check: fn(&[u8]) -> Result<Answer, String>) -> Target {
    Target {
        name: "faulty",
        what: "a reader with a fault",
        seeds: || vec![b"length:08;".to_vec()],
        mend: |_, _| {},
        check,
        bytes_base: 1 << 16,
        bytes_per_byte: 16,
    }
}

fn taken() -> Result<Answer, String> {
    Ok(Answer { class: "taken".to_owned(), taken: true })
}

#[test]
fn a_reader_that_panics_or_takes_what_is_damaged_is_found() {
    let found =
        run(&faulty(|input| if input.len() > 14 { panic!("too long") } else { taken() }), &settings(10_000));
    assert!(found.unwrap_err().what.contains("it panics: too long"));
    let found = run(
        &faulty(|input| if input.contains(&0) { Err("taken".to_owned()) } else { taken() }),
        &settings(10_000),
    );
    assert_eq!(found.unwrap_err().what, "taken");
    let found = run(&faulty(|_| Ok(Answer { class: "no".to_owned(), taken: false })), &settings(10_000));
    assert!(found.unwrap_err().what.contains("a valid input is not taken"));
}

#[test]
fn the_same_seed_finds_the_same_input() {
    let once = || {
        run(&faulty(|input| if input.len() > 14 { panic!("too long") } else { taken() }), &settings(10_000))
    };
    assert_eq!(once().unwrap_err().input, once().unwrap_err().input);
}

#[test]
fn a_reader_that_asks_for_too_much_is_found() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static IN_USE: AtomicUsize = AtomicUsize::new(0);
    let target = faulty(|input| {
        IN_USE.store(if input.len() > 12 { 1 << 30 } else { 10 }, Ordering::Relaxed);
        taken()
    });
    let found = run(&target, &Settings { peak: || IN_USE.swap(0, Ordering::Relaxed), ..settings(10_000) });
    assert!(found.unwrap_err().what.contains("make it use"));
}
