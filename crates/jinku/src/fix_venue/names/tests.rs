#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::process::Scratch;

fn name(client: u32, text: &str, kind: NameKind) -> Name {
    Name { client: ClientNumber::new(client, "S"), kind, text: ClOrdId::new(text).unwrap() }
}

#[test]
fn names_and_what_was_taken_are_there_again() {
    let scratch = Scratch::new(None, "fix-names").unwrap();
    let path = scratch.path().join("names.log");
    let mut names = Names::open(&path).unwrap();
    let placed = name(7, "a~1", NameKind::Place(Pricing::Protected, Stay::Whole));
    let changed = name(7, "b", NameKind::Change);
    let ids = [&placed, &changed].map(|name| names.command(name.client, &name.text));
    names.add(vec![(ids[0], placed.clone()), (ids[1], changed.clone())]).unwrap();
    assert_eq!(names.taken(ids[0], 7), Some(placed.clone()));
    assert_eq!(names.taken(ids[1], 8), None, "another tenant's command is not ours");
    assert_eq!(names.taken(CommandId::new(5), 7), None);
    names.sync().unwrap();
    drop(names);
    let mut names = Names::open(&path).unwrap();
    assert!(names.is_taken(ids[0]) && !names.is_taken(ids[1]));
    // The same client and text give the same command for ever, another client another.
    assert_eq!(names.command(placed.client, &placed.text), ids[0]);
    assert_ne!(names.command(ClientNumber::new(8, "S"), &placed.text), ids[0]);
    assert_eq!(names.taken(ids[1], 7), Some(changed));
    assert_eq!(placed.client.tenant(), 7);
}

#[test]
fn what_was_not_written_whole_is_cut_off() {
    let scratch = Scratch::new(None, "fix-names-torn").unwrap();
    let path = scratch.path().join("names.log");
    let mut names = Names::open(&path).unwrap();
    let known = name(7, "a", NameKind::Cancel);
    let id = names.command(known.client, &known.text);
    names.add(vec![(id, known.clone())]).unwrap();
    drop(names);
    let whole = std::fs::read(&path).unwrap();
    for torn in [&b"N 12 "[..], b"N 12 34 C b", b"N 12 34 Z b\n", b"\0\0\0\0", b"\xff\xfe\n"] {
        std::fs::write(&path, [&whole, torn].concat()).unwrap();
        let mut names = Names::open(&path).unwrap();
        assert_eq!(names.taken(id, 7), Some(known.clone()), "{torn:?}");
        assert_eq!(names.known.len(), 1, "{torn:?}");
        assert!(!names.is_taken(CommandId::new(0x12)));
    }
}

#[test]
fn every_kind_has_a_code_of_its_own() {
    let pricing = [Pricing::Limit, Pricing::Protected, Pricing::Market];
    let stay = [Stay::UntilCancelled, Stay::Immediate, Stay::Whole, Stay::UntilDate];
    let places = pricing.iter().flat_map(|p| stay.iter().map(|s| NameKind::Place(*p, *s)));
    for kind in places.chain([NameKind::Cancel, NameKind::Change, NameKind::CancelAll]) {
        assert_eq!(NameKind::read(kind.code()), Some(kind));
    }
}
