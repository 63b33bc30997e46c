//! Ways to damage an input, drawn from a seed.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Longest input that is made.
pub(crate) const INPUT_BYTES_MAX: usize = 1 << 20;
/// Most changes of one input.
const CHANGES_MAX: usize = 6;
/// Numbers that readers trip over.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];
/// Pieces of text that readers of text trip over.
const TEXTS: [&[u8]; 16] = [
    b"\0",
    b"\n",
    b"\n\n",
    b"\"",
    b"{",
    b"}",
    b"[[[[[[[[",
    b"<![CDATA[",
    b"&amp;",
    b"&#x0;",
    b"<!DOCTYPE a>",
    b"-1",
    b"1e999",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x8f\xa6",
    b"99999999999999999999999999999999999999999",
];

/// A seeded source of chance.
#[derive(Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`; 0 where the bound is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.0.next_u64().checked_rem(bound).unwrap_or(0)).unwrap_or(0)
    }

    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> Option<&'t T> {
        from.get(self.below(from.len()))
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or(0)
    }
}

/// Changes an input in one to [`CHANGES_MAX`] ways; `other` is one to take pieces from.
pub(crate) fn mutate(input: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let changes = chance.below(CHANGES_MAX).saturating_add(1);
    for _ in 0..changes {
        change(input, other, chance);
    }
    input.truncate(INPUT_BYTES_MAX);
}

fn change(input: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let at = chance.below(input.len().saturating_add(1));
    match chance.below(10) {
        0 | 1 => {
            let bit = chance.below(8);
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1_u8.rotate_left(u32::try_from(bit).unwrap_or(0));
            }
        }
        2 => {
            let value = chance.byte();
            if let Some(byte) = input.get_mut(at) {
                *byte = value;
            }
        }
        3 => number(input, at, chance),
        4 => {
            let len = length(input.len(), chance);
            let end = at.saturating_add(len).min(input.len());
            input.drain(at.min(end)..end);
        }
        5 => {
            let piece = piece(input, chance);
            insert(input, at, &piece);
        }
        6 => {
            let piece = piece(other, chance);
            insert(input, at, &piece);
        }
        7 => {
            let piece = piece(other, chance);
            for (byte, new) in input.iter_mut().skip(at).zip(piece) {
                *byte = new;
            }
        }
        8 => {
            let text = chance.pick(&TEXTS).copied().unwrap_or_default();
            insert(input, at, text);
        }
        _ => {
            if chance.percent(50) {
                input.truncate(at);
            } else {
                let len = length(input.len(), chance);
                input.iter_mut().skip(at).take(len).for_each(|byte| *byte = 0);
            }
        }
    }
}

/// Writes a number over some bytes.
fn number(input: &mut [u8], at: usize, chance: &mut Chance) {
    let value = chance.pick(&NUMBERS).copied().unwrap_or(0).to_be_bytes();
    let width = chance.pick(&[1_usize, 2, 4, 8]).copied().unwrap_or(8);
    let bytes = value.get(value.len().saturating_sub(width)..).unwrap_or_default();
    for (byte, new) in input.iter_mut().skip(at).zip(bytes) {
        *byte = *new;
    }
}

/// Mostly short, now and then anything.
fn length(max: usize, chance: &mut Chance) -> usize {
    let bound = if chance.percent(80) { 32 } else { max };
    chance.below(bound).saturating_add(1)
}

fn piece(from: &[u8], chance: &mut Chance) -> Vec<u8> {
    let (at, len) = (chance.below(from.len()), length(from.len(), chance));
    from.iter().skip(at).take(len).copied().collect()
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let tail = input.split_off(at.min(input.len()));
    input.extend_from_slice(piece);
    input.extend(tail);
}
