//! Segments released and brought back, with the power lost at every operation of either.

use journal::{
    Base, Head, Journal, JournalError, Options, Reader, SegmentName, SimDisk, Storage as _, base_on,
    verify_on,
};

use crate::support::{Folder, SMALL, contents, head_of, open, read_all, records};

const KEPT_FROM: u64 = 40;

/// A journal of several segments, and its records.
fn written() -> (SimDisk, Vec<Vec<u8>>) {
    let disk = SimDisk::new();
    let all = records(1, 60, 4_000);
    let (mut journal, _) = open(&disk).unwrap();
    for group in all.chunks(2) {
        journal.append(group).unwrap();
    }
    (disk, all)
}

fn release(disk: &SimDisk, through: u64) -> Result<Option<Head>, JournalError> {
    let (mut journal, _) = open(disk)?;
    let Some(before) = journal.releasable(through)? else { return Ok(None) };
    journal.release(&Base { before, note: b"kept elsewhere".to_vec() })?;
    Ok(Some(before))
}

fn bring_back(disk: &SimDisk, all: &[Vec<u8>]) -> Result<(), JournalError> {
    let (journal, _) = open(disk)?;
    let Some(mut back) = journal.begin_return(&SMALL)? else { return Ok(()) };
    let end = usize::try_from(back.base().before.seq).unwrap();
    for group in all[..end].chunks(3) {
        back.append(group)?;
    }
    back.finish()
}

/// The journal begins where its base says, has everything from there on, and takes more.
fn check(disk: &SimDisk, all: &[Vec<u8>]) -> u64 {
    let before = base_on(disk).unwrap().map_or(0, |base| base.before.seq);
    let kept = usize::try_from(before).unwrap();
    let verified = verify_on(disk.clone()).unwrap();
    assert_eq!((verified.head, verified.before), (head_of(all), head_of(&all[..kept])));
    assert_eq!(verified.records, u64::try_from(all.len() - kept).unwrap());
    assert_eq!(contents(&read_all(disk.clone(), before + 1)), all[kept..]);
    if before > 0 {
        let first = before + 1;
        for asked in [1, before] {
            let refused = Reader::open_on(disk.clone(), asked).unwrap_err();
            assert_eq!(refused, JournalError::Released { asked, first });
        }
    }
    let (mut journal, opened) = open(disk).unwrap();
    assert_eq!(opened.head, head_of(all));
    let names = disk.segments().unwrap();
    assert!(names.iter().all(|name| name.0 > before), "the opening removed what was left: {names:?}");
    journal.append(&records(1_000, 1, 10)).unwrap();
    before
}

#[test]
fn segments_are_released_and_come_back() {
    let (disk, all) = written();
    let many = disk.segments().unwrap().len();
    assert_eq!(release(&disk, 1), Ok(None), "a segment is not cut");
    let before = release(&disk, KEPT_FROM).unwrap().unwrap();
    assert!(
        before.seq <= KEPT_FROM
            && before.seq > KEPT_FROM - 10
            && before == head_of(&all[..before.seq as usize])
    );
    assert!(disk.segments().unwrap().len() < many / 2);
    assert_eq!(release(&disk, KEPT_FROM), Ok(None), "nothing more");
    // Further on, but never the segment that is written to.
    let last = release(&disk, u64::MAX).unwrap().unwrap();
    assert!(last.seq > before.seq && last.seq < 60);
    assert_eq!(disk.segments().unwrap().len(), 1);
    bring_back(&disk, &all).unwrap();
    assert_eq!(base_on(&disk).unwrap(), None);
    assert_eq!(check(&disk, &all), 0);
}

#[test]
fn other_records_do_not_come_back() {
    let (disk, all) = written();
    release(&disk, KEPT_FROM).unwrap().unwrap();
    let mut other = all.clone();
    other[3][0] ^= 1;
    assert!(matches!(bring_back(&disk, &other), Err(JournalError::NoReturn { .. })));
    let (journal, _) = open(&disk).unwrap();
    let mut back = journal.begin_return(&SMALL).unwrap().unwrap();
    assert!(matches!(back.append(&all), Err(JournalError::NoReturn { .. })), "more than were released");
    back.append(&all[..5]).unwrap();
    assert!(matches!(back.finish(), Err(JournalError::NoReturn { .. })), "fewer");
    assert!(check(&disk, &all) > 0);
}

#[test]
fn a_base_that_does_not_fit_is_refused() {
    let (disk, _) = written();
    let (mut journal, _) = open(&disk).unwrap();
    let good = journal.releasable(KEPT_FROM).unwrap().unwrap();
    for before in
        [Head { seq: good.seq + 1, ..good }, Head { hash: journal.head().hash, ..good }, journal.head()]
    {
        let refused = journal.release(&Base { before, note: Vec::new() }).unwrap_err();
        assert_eq!(refused, JournalError::NoBase(before.seq));
    }
    drop(journal);
    release(&disk, KEPT_FROM).unwrap().unwrap();
    // The first segment kept is gone, and then all of them.
    let names = disk.segments().unwrap();
    let bytes = disk.bytes(names[0]);
    disk.replace(names[0], None);
    assert!(matches!(open(&disk).unwrap_err(), JournalError::Damaged(_)));
    for name in &names {
        disk.replace(*name, None);
    }
    let error = open(&disk).unwrap_err().to_string();
    assert!(error.contains(&format!("begins with record {}", good.seq + 1)), "{error}");
    disk.replace(SegmentName(names[0].0), Some(bytes));
    open(&disk).unwrap();
}

#[test]
fn power_lost_at_every_operation_of_a_release() {
    let operations = {
        let (disk, _) = written();
        let before = disk.operations();
        release(&disk, KEPT_FROM).unwrap();
        disk.operations() - before
    };
    assert!(operations > 5);
    let mut outcomes = [0_u32; 2];
    for operation in 0..operations {
        for survives in [false, true] {
            let (disk, all) = written();
            disk.lose_power_after(operation);
            release(&disk, KEPT_FROM).unwrap_err();
            disk.restore_power(|_| survives);
            let before = check(&disk, &all);
            outcomes[usize::from(before > 0)] += 1;
        }
    }
    assert!(outcomes[0] == 1 && outcomes[1] > 10, "{outcomes:?}");
}

#[test]
fn power_lost_at_every_operation_of_a_return() {
    let released = || {
        let (disk, all) = written();
        release(&disk, KEPT_FROM).unwrap().unwrap();
        (disk, all)
    };
    let operations = {
        let (disk, all) = released();
        let before = disk.operations();
        bring_back(&disk, &all).unwrap();
        disk.operations() - before
    };
    let mut outcomes = [0_u32; 2];
    for operation in 0..operations {
        for survives in [false, true] {
            let (disk, all) = released();
            disk.lose_power_after(operation);
            bring_back(&disk, &all).unwrap_err();
            disk.restore_power(|_| survives);
            let before = check(&disk, &all);
            outcomes[usize::from(before > 0)] += 1;
        }
    }
    assert!(outcomes[0] == 1 && outcomes[1] > 20, "{outcomes:?}");
}

#[test]
fn in_files() {
    let folder = Folder::new();
    let options = Options { direct: false, ..SMALL };
    let all = records(1, 60, 4_000);
    let (mut journal, _) = Journal::open(folder.path(), &options).unwrap();
    for group in all.chunks(2) {
        journal.append(group).unwrap();
    }
    let before = journal.releasable(KEPT_FROM).unwrap().unwrap();
    let base = Base { before, note: b"note".to_vec() };
    let copy = std::fs::read(folder.path().join(SegmentName(1).to_string())).unwrap();
    assert!(journal.release(&base).unwrap() > 3);
    drop(journal);
    assert_eq!(journal::base(folder.path()).unwrap(), Some(base.clone()));
    // What a kill may leave: an old segment, a base half written.
    std::fs::write(folder.path().join(SegmentName(1).to_string()), copy).unwrap();
    std::fs::write(folder.path().join("base.tmp"), b"half").unwrap();
    assert_eq!(journal::verify(folder.path()).unwrap().before, before);
    let (journal, opened) = Journal::open(folder.path(), &options).unwrap();
    assert_eq!(opened.head, head_of(&all));
    assert!(
        !folder.path().join(SegmentName(1).to_string()).exists() && !folder.path().join("base.tmp").exists()
    );
    let mut back = journal.begin_return(&options).unwrap().unwrap();
    for group in all[..usize::try_from(before.seq).unwrap()].chunks(3) {
        back.append(group).unwrap();
    }
    back.finish().unwrap();
    let verified = journal::verify(folder.path()).unwrap();
    assert_eq!((verified.head, verified.records), (head_of(&all), 60));
    let path = folder.path().join("base");
    std::fs::write(&path, b"JKBASE01 and nothing else").unwrap();
    assert!(matches!(journal::base(folder.path()), Err(JournalError::Damaged(_))));
    assert!(journal::verify(folder.path()).is_err());
}
