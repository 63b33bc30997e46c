#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
use super::*;

fn rows_of(sizes: &[usize]) -> (Vec<Vec<u8>>, Vec<StreamRow>) {
    let records: Vec<Vec<u8>> = (0_u8..).zip(sizes).map(|(fill, size)| vec![fill; *size]).collect();
    let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let rows = cut_rows(Head::default(), 3, &slices);
    (records, rows)
}

#[track_caller]
fn check(sizes: &[usize], expect: &[(u64, u64)]) {
    let (records, rows) = rows_of(sizes);
    assert_eq!(rows.iter().map(|row| (row.first, row.last)).collect::<Vec<_>>(), expect);
    let (mut head, mut read) = (Head::default(), Vec::new());
    for row in &rows {
        let (found, after) = row.follow(head).unwrap();
        read.extend(found.into_iter().map(<[u8]>::to_vec));
        head = after;
    }
    assert_eq!(read, records);
}

#[test]
fn rows_are_full_and_hold_every_record() {
    check(&[], &[]);
    check(&[0], &[(1, 1)]);
    check(&[10, 20, 30], &[(1, 3)]);
    check(&[ROW_BYTES_MAX - 4, 1], &[(1, 1), (2, 2)]);
    check(&[100_000, 31_064, 0], &[(1, 2), (3, 3)]);
    check(&[1, RECORD_BYTES_MAX, 1], &[(1, 1), (2, 2), (3, 3)]);
}

#[test]
fn a_row_that_is_not_what_follows_is_told_apart() {
    let (_, rows) = rows_of(&[5, 6]);
    let row = &rows[0];
    let wrong = |change: fn(&mut StreamRow)| {
        let mut row = row.clone();
        change(&mut row);
        row.follow(Head::default()).unwrap_err()
    };
    let head = row.head();
    assert_eq!(row.follow(head), Ok((vec![], head)), "nothing after its own head");
    let within = Head { seq: 1, hash: crate::hash::record_hash(&Hash::default(), 1, &[0; 5]) };
    assert_eq!(row.follow(within), Ok((vec![[1_u8; 6].as_slice()], head)));
    let other = Head { seq: 1, hash: Hash::new([7; 32]) };
    assert!(matches!(row.follow(other), Err(StreamError::Fork { seq: 1, .. })));
    let beyond = Head { seq: 3, hash: head.hash };
    assert_eq!(row.follow(beyond), Err(StreamError::Gap { expected: 4, found: 1 }));
    let mut later = row.clone();
    (later.first, later.last) = (5, 6);
    assert_eq!(later.follow(head), Err(StreamError::Gap { expected: 3, found: 5 }));
    assert!(matches!(wrong(|row| row.before = Hash::new([1; 32])), StreamError::Fork { seq: 0, .. }));
    assert!(matches!(wrong(|row| row.content[9] ^= 1), StreamError::Damaged { .. }));
    assert!(matches!(
        wrong(|row| {
            row.content.pop();
        }),
        StreamError::Damaged { .. }
    ));
    assert!(matches!(wrong(|row| row.content.push(0)), StreamError::Damaged { .. }));
    assert!(matches!(wrong(|row| row.last = 1), StreamError::Damaged { .. }));
    assert!(matches!(wrong(|row| row.content.clear()), StreamError::Damaged { .. }));
    assert!(matches!(wrong(|row| row.content[0] = 0xFF), StreamError::Damaged { .. }));
}
