//! A sector: the smallest piece that a device writes whole, with its own checksum. The layout is in the crate's documentation.

use crate::error::{Damage, Position, Reason, SegmentName};

/// Bytes of a sector.
pub const SECTOR_BYTES: usize = 512;
/// Bytes of a block: what direct writes are aligned to, in the file and in memory.
pub const BLOCK_BYTES: usize = 4096;
/// Bytes of content in a sector.
pub(crate) const CONTENT_BYTES: usize = 504;

/// [`SECTOR_BYTES`] as an offset.
pub(crate) const SECTOR: u64 = 512;
/// [`BLOCK_BYTES`] as an offset.
pub(crate) const BLOCK: u64 = 4096;

/// CRC-32C's polynomial (RFC 3720 §B.4), reflected.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// What a sector holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    /// All zero: never written.
    Zero,
    /// Written here.
    Valid {
        /// Block at which its group begins.
        group: u32,
        content: &'a [u8; CONTENT_BYTES],
    },
    /// Neither.
    Bad(Damage),
}

fn checksum(place: Position, bytes: &[u8]) -> u32 {
    let seed = crc32c::crc32c(&place.segment.0.to_be_bytes());
    let seed = crc32c::crc32c_append(seed, &place.offset.to_be_bytes());
    crc32c::crc32c_append(seed, bytes)
}

/// Writes a sector. Content shorter than a sector's is filled up with zeros; what is longer is left out.
pub(crate) fn seal(sector: &mut [u8; SECTOR_BYTES], place: Position, group: u32, content: &[u8]) {
    let Some((body, crc)) = sector.split_last_chunk_mut::<4>() else { return };
    let Some((head, room)) = body.split_first_chunk_mut::<4>() else { return };
    *head = group.to_be_bytes();
    let content = content.get(..CONTENT_BYTES).unwrap_or(content);
    let Some((used, rest)) = room.split_at_mut_checked(content.len()) else { return };
    used.copy_from_slice(content);
    rest.fill(0);
    *crc = checksum(place, body).to_be_bytes();
}

/// Reads a sector.
pub(crate) fn check(sector: &[u8; SECTOR_BYTES], place: Position) -> Content<'_> {
    const ZERO: [u8; SECTOR_BYTES] = [0; SECTOR_BYTES];
    if *sector == ZERO {
        return Content::Zero;
    }
    let parts = sector.split_last_chunk::<4>().and_then(|(body, crc)| {
        let (head, content) = body.split_first_chunk::<4>()?;
        Some((
            body,
            u32::from_be_bytes(*crc),
            u32::from_be_bytes(*head),
            <&[u8; CONTENT_BYTES]>::try_from(content).ok()?,
        ))
    });
    let Some((body, found, group, content)) = parts else { return Content::Zero };
    let expected = checksum(place, body);
    if expected == found {
        return Content::Valid { group, content };
    }
    if let Some(byte) = only_byte(sector) {
        // A written sector has more than one byte that is not zero: at least its group and its checksum.
        let byte = Some(place.offset.saturating_add(byte));
        return Content::Bad(Damage { at: place, byte, reason: Reason::NotZero });
    }
    let byte = wrong_byte(expected ^ found).map(|byte| place.offset.saturating_add(byte));
    Content::Bad(Damage { at: place, byte, reason: Reason::Checksum { expected, found } })
}

/// The one byte that is not zero, if there is just one.
fn only_byte(sector: &[u8; SECTOR_BYTES]) -> Option<u64> {
    let mut written = (0_u64..).zip(sector).filter(|(_, byte)| **byte != 0).map(|(index, _)| index);
    let byte = written.next()?;
    if written.next().is_none() { Some(byte) } else { None }
}

/// Which byte of a sector is wrong, if one alone explains the difference between its two checksums.
///
/// A checksum is linear: the difference is what the wrong bits alone, moved through the register, leave behind. Moving it back byte by byte gives, at
/// the wrong byte, a value that fits in one.
fn wrong_byte(difference: u32) -> Option<u64> {
    let mut found = None;
    let mut alone = |byte: u64| found = if found.is_none() { Some(Some(byte)) } else { Some(None) };
    for (byte, shift) in (SECTOR.saturating_sub(4)..SECTOR).zip([24, 16, 8, 0]) {
        if difference & !(0xff << shift) == 0 {
            alone(byte);
        }
    }
    let mut register = difference;
    for byte in (0..SECTOR.saturating_sub(4)).rev() {
        for _ in 0..8 {
            let carried = register >> 31;
            register = (if carried == 1 { register ^ POLYNOMIAL } else { register }) << 1 | carried;
        }
        if register <= 0xff {
            alone(byte);
        }
    }
    found.flatten()
}

/// The sector's place in a segment.
pub(crate) const fn place(segment: SegmentName, offset: u64) -> Position {
    Position { segment, offset }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]
    use super::*;

    fn at(offset: u64) -> Position {
        place(SegmentName(7), offset)
    }

    fn sealed() -> [u8; SECTOR_BYTES] {
        let mut sector = [0xee; SECTOR_BYTES];
        seal(&mut sector, at(4096), 1, b"content");
        sector
    }

    #[test]
    fn reads_back_at_its_place_only() {
        let sector = sealed();
        let Content::Valid { group: 1, content } = check(&sector, at(4096)) else { panic!("not valid") };
        assert!(content.starts_with(b"content\0") && content[7..].iter().all(|byte| *byte == 0));
        assert!(matches!(check(&sector, at(4608)), Content::Bad(_)));
        assert!(matches!(check(&sector, place(SegmentName(8), 4096)), Content::Bad(_)));
        assert_eq!(check(&[0; SECTOR_BYTES], at(4096)), Content::Zero);
    }

    #[test]
    fn every_wrong_byte_is_named() {
        for byte in 0..SECTOR_BYTES {
            for pattern in [1, 0x80, 0x55, 0xff] {
                let mut sector = sealed();
                sector[byte] ^= pattern;
                let Content::Bad(damage) = check(&sector, at(4096)) else { panic!("byte {byte}") };
                assert_eq!(damage.byte, Some(4096 + u64::try_from(byte).unwrap_or(0)), "{byte} {pattern}");
            }
        }
    }

    #[test]
    fn two_wrong_bytes_are_not_taken_for_one() {
        let mut sector = sealed();
        sector[10] ^= 1;
        sector[300] ^= 1;
        let Content::Bad(damage) = check(&sector, at(4096)) else { panic!("not bad") };
        assert_eq!(damage.byte, None);
    }
}
