//! What is fuzzed.

mod archives;
mod books;
mod clients;
mod markets;
mod messages;
mod proofs;
mod storage;

use crate::mutate::Chance;

/// What a target says to an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The kind of answer, in words without figures: a new one is a step forward.
    pub class: String,
    /// The input was taken as valid.
    pub taken: bool,
}

impl Answer {
    /// Taken as valid.
    fn taken(class: impl Into<String>) -> Self {
        Self { class: class.into(), taken: true }
    }

    /// Refused, with these words.
    fn refused(words: impl std::fmt::Display) -> Self {
        let words = words.to_string();
        let class = words.chars().filter(|c| !c.is_ascii_digit()).take(120).collect();
        Self { class, taken: false }
    }
}

/// A reader of outside bytes.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in words.
    pub what: &'static str,
    /// Valid inputs.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Repairs what guards the inside of an input, now and then.
    pub mend: fn(&mut [u8], &mut Chance),
    /// Reads an input. An error is a fault of the reader: something damaged was taken for whole.
    pub check: fn(&[u8]) -> Result<Answer, String>,
    /// Bytes that it may use for any input,
    pub bytes_base: usize,
    /// and for each byte of input.
    pub bytes_per_byte: usize,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

fn no_mending(_: &mut [u8], _: &mut Chance) {}

/// All targets.
#[must_use]
pub fn all() -> Vec<Target> {
    vec![
        storage::journal(),
        storage::snapshot(),
        storage::entry(),
        storage::stream_row(),
        storage::manifest(),
        books::rows(),
        books::bulk(),
        books::sends(),
        books::ndjson(),
        markets::orders(),
        markets::outcome(),
        markets::exchange(),
        markets::prices(),
        archives::archive(),
        archives::piece(),
        messages::frame(),
        clients::stream_of_a_client(),
        proofs::receipt(),
        proofs::checkpoint(),
        proofs::authenticator(),
    ]
}

/// The target of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<Target> {
    all().into_iter().find(|target| target.name == name)
}
