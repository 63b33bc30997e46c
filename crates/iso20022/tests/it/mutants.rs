//! Valid messages broken in systematic ways; every verdict is compared with libxml2's.

use std::collections::BTreeMap;

use iso20022::{Document, Element};

use crate::{second_opinion, vectors};

/// Values that are wrong for most types, each in its own way.
const VALUES: [&str; 12] = [
    "",
    " ",
    "2023-02-30",
    "2024-02-29",
    "2023-02-29T10:00:00",
    "2024-02-29T24:00:00Z",
    "-1",
    "1.234567",
    "12345678901234567890",
    "true",
    "cny",
    "0",
];

const OPERATIONS: usize = 13 + VALUES.len();

/// Number of elements below and including this one.
fn size(element: &Element) -> usize {
    1 + element.children.iter().map(size).sum::<usize>()
}

/// The parent of the `index`th element in document order (the root has none), and its position there.
fn locate(element: &mut Element, index: usize) -> Option<(&mut Element, usize)> {
    let mut left = index.checked_sub(1)?;
    let mut position = None;
    for (at, child) in element.children.iter().enumerate() {
        let below = size(child);
        if left < below {
            position = Some(at);
            break;
        }
        left -= below;
    }
    let at = position?;
    if left == 0 { Some((element, at)) } else { locate(&mut element.children[at], left) }
}

/// Applies one operation to one element; `false` where it makes no sense there.
fn mutate(root: &mut Element, index: usize, operation: usize) -> bool {
    let Some((parent, at)) = locate(root, index) else { return false };
    let copy = parent.children[at].clone();
    let last = at + 1 == parent.children.len();
    let child = &mut parent.children[at];
    match operation {
        0 => drop(parent.children.remove(at)),
        1 => parent.children.insert(at, copy),
        2 if !last => parent.children.swap(at, at + 1),
        3 => child.name = "Unknwn".to_owned(),
        4 => child.children.push(Element::leaf("Xtra", "1")),
        5 => child.namespace = Some("urn:other".to_owned()),
        6 if child.children.is_empty() => child.text = "X".repeat(3000),
        7 if child.children.is_empty() => child.text.push('~'),
        8 if !child.attributes.is_empty() => child.attributes.clear(),
        9 => *child = copy.with_attribute("Extr", "1"),
        10 if !child.attributes.is_empty() => child.attributes[0].value = "cny".to_owned(),
        11 => parent.children.push(copy),
        12 if !child.children.is_empty() => child.children.clear(),
        n if n >= 13 && child.children.is_empty() => child.text = VALUES[n - 13].to_owned(),
        _ => return false,
    }
    true
}

/// For each kind of message the shortest and the longest valid sample.
fn bases(folder: &std::path::Path, set: &iso20022::SchemaSet) -> Vec<Document> {
    let mut by_namespace: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    for (_, bytes) in vectors::messages(folder) {
        for part in set.validate_parts(&bytes).unwrap_or_default() {
            by_namespace.entry(part.namespace.clone()).or_default().push(part);
        }
    }
    let mut out = Vec::new();
    for (_, mut parts) in by_namespace {
        parts.sort_by_key(|d| size(&d.root));
        parts.dedup();
        out.extend(parts.first().cloned());
        out.extend(parts.last().cloned());
    }
    out
}

#[test]
fn thousands_of_broken_messages_get_the_same_verdict_as_from_libxml2() {
    let Some(folder) = vectors::folder("mutants") else { return };
    let set = vectors::schemas(&folder);
    let mut mutants = Vec::new();
    for (number, base) in bases(&folder, &set).iter().enumerate() {
        let count = size(&base.root);
        // About 300 mutants per base, spread over its elements with a stride that meets every operation.
        for round in 0..300 {
            let (index, operation) = (1 + (round * 7) % count.max(2), round % OPERATIONS);
            let mut mutant = base.clone();
            if mutate(&mut mutant.root, index, operation) {
                let name = format!("{number}-{index}-{operation}-{round}");
                mutants.push((name, mutant.to_xml().into_bytes()));
            }
        }
    }
    let verdicts: Vec<(String, Result<(), String>)> = mutants
        .iter()
        .map(|(name, bytes)| (name.clone(), set.validate_parts(bytes).map(|_| ()).map_err(|e| e.to_string())))
        .collect();
    let refused = verdicts.iter().filter(|(_, v)| v.is_err()).count();
    println!("{} mutants, {refused} refused", mutants.len());
    assert!(mutants.len() > 2000, "only {} mutants", mutants.len());
    assert!(refused * 2 > mutants.len(), "only {refused} refused");
    if let Some(theirs) = second_opinion::of(&folder.join("xsd"), "mutants", &mutants) {
        second_opinion::compare(&verdicts, &theirs);
    }
}
