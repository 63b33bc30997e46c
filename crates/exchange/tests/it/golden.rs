//! What other engines did with the same commands: exchange-core's own runs, in every event, result and price of the final book.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "recorded runs are files, and a skipped test says so"
)]
#![allow(clippy::arithmetic_side_effects, reason = "a test stops at the first surprise")]

use std::io::Read as _;
use std::path::PathBuf;

use exchange::book::transcript::Transcript;
use flate2::read::GzDecoder;

/// The folder of runs, or nothing where it is absent (never in continuous integration).
pub(crate) fn folder() -> Option<PathBuf> {
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

/// The text of a file.
pub(crate) fn read(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn check(name: &str, commands: usize) {
    let Some(folder) = folder() else { return };
    let mut expected = String::new();
    GzDecoder::new(std::fs::File::open(folder.join(name)).unwrap()).read_to_string(&mut expected).unwrap();
    let mut transcript = Transcript::default();
    let mut written = String::new();
    for line in expected.lines() {
        transcript.line(line, &mut written).unwrap();
    }
    transcript.finish(&mut written);
    for (line, (ours, theirs)) in written.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, theirs, "{name}, line {}", line + 1);
    }
    assert!(written == expected, "{name}: {} bytes, expected {}", written.len(), expected.len());
    assert_eq!(written.lines().filter(|line| line.starts_with("C,")).count(), commands);
    assert_eq!(transcript.book().unwrap().broken(), Vec::<String>::new());
}

#[test]
fn short_run() {
    check("exchange-core-golden-5k.csv.gz", 5_060);
}

#[test]
fn long_run() {
    check("exchange-core-golden-20k.csv.gz", 20_400);
}

fn lines(commands: &str) -> String {
    let mut transcript = Transcript::default();
    let mut written = String::new();
    for line in commands.lines() {
        transcript.line(line.trim(), &mut written).unwrap();
    }
    transcript.finish(&mut written);
    written
}

/// What the runs do not have: refusals, what does not fill, a number that is in use.
#[test]
fn commands_that_the_runs_lack() {
    let commands = "\
        # a comment is handed on
        C,PLACE_ORDER,ASK,GTC,1,10,100,5,0
        C,PLACE_ORDER,BID,IOC,2,11,100,8,100
        C,PLACE_ORDER,BID,GTC,2,12,90,4,95
        C,PLACE_ORDER,ASK,FOK_BUDGET,1,13,361,4,0
        C,PLACE_ORDER,ASK,FOK_BUDGET,1,13,360,4,0
        C,PLACE_ORDER,BID,GTC,2,14,90,4,95
        C,MOVE_ORDER,BID,,2,14,96,0,0
        C,MOVE_ORDER,BID,,3,14,91,0,0
        C,CANCEL_ORDER,BID,,2,12,0,0,0
        C,REDUCE_ORDER,BID,,2,14,0,0,0
        C,PLACE_ORDER,BID,GTC,2,14,80,1,95
        C,REDUCE_ORDER,BID,,2,14,0,9,0
        C,PLACE_ORDER,BID,GTC,2,15,70,1,95";
    let expected = "\
# a comment is handed on
C,PLACE_ORDER,ASK,GTC,1,10,100,5,0,R,SUCCESS
C,PLACE_ORDER,BID,IOC,2,11,100,8,100,R,SUCCESS
E,REJECT,0,0,100,3,true,false
E,TRADE,10,1,100,5,false,true
C,PLACE_ORDER,BID,GTC,2,12,90,4,95,R,SUCCESS
C,PLACE_ORDER,ASK,FOK_BUDGET,1,13,361,4,0,R,SUCCESS
E,REJECT,0,0,361,4,true,false
C,PLACE_ORDER,ASK,FOK_BUDGET,1,13,360,4,0,R,SUCCESS
E,TRADE,12,2,90,4,true,true
C,PLACE_ORDER,BID,GTC,2,14,90,4,95,R,SUCCESS
C,MOVE_ORDER,BID,,2,14,96,0,0,R,MATCHING_MOVE_FAILED_PRICE_OVER_RISK_LIMIT
C,MOVE_ORDER,BID,,3,14,91,0,0,R,MATCHING_UNKNOWN_ORDER_ID
C,CANCEL_ORDER,BID,,2,12,0,0,0,R,MATCHING_UNKNOWN_ORDER_ID
C,REDUCE_ORDER,BID,,2,14,0,0,0,R,MATCHING_REDUCE_FAILED_WRONG_SIZE
C,PLACE_ORDER,BID,GTC,2,14,80,1,95,R,SUCCESS
E,REJECT,0,0,80,1,true,false
C,REDUCE_ORDER,BID,,2,14,0,9,0,R,SUCCESS
E,REDUCE,0,0,90,4,true,false
C,PLACE_ORDER,BID,GTC,2,15,70,1,95,R,SUCCESS
B,70,1,1
";
    assert_eq!(lines(commands), expected);
}

#[test]
fn a_line_that_cannot_be_read_is_named() {
    let mut transcript = Transcript::default();
    for (line, what) in [
        ("C,PLACE_ORDER,ASK,GTC,1,10,100,5", "too few fields"),
        ("C,PLACE_ORDER,ASK,GTC,1,10,1.5,5,0", "not a number"),
        ("C,PLACE_ORDER,BUY,GTC,1,10,100,5,0", "a side other than BID and ASK"),
        ("C,PLACE_ORDER,ASK,DAY,1,10,100,5,0", "a type other than GTC, IOC and FOK_BUDGET"),
        ("C,PLACE_ORDER,ASK,GTC,1,10,100,0,0", "an order that the book does not take"),
    ] {
        assert_eq!(transcript.line(line, &mut String::new()).unwrap_err().what, what);
    }
    assert_eq!(transcript.line("C,", &mut String::new()).unwrap_err().line, 6);
}
