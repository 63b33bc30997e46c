//! Every outside sample: accepted and re-emitted unchanged, or refused with a place; libxml2 must agree.

use iso20022::Rule;

use crate::{second_opinion, vectors};

#[test]
fn all_published_schemas_are_understood() {
    let Some(folder) = vectors::folder("schemas") else { return };
    assert_eq!(vectors::schemas(&folder).namespaces().count(), 123);
}

#[test]
fn every_sample_is_accepted_and_given_back_or_refused_with_its_place() {
    let Some(folder) = vectors::folder("sample messages") else { return };
    let set = vectors::schemas(&folder);
    let mut messages = vectors::messages(&folder);
    let mut verdicts = Vec::new();
    let mut accepted = 0;
    for (name, bytes) in &mut messages {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            let refused = set.validate_parts(bytes).unwrap_err();
            assert_eq!(refused.first().unwrap().rule, Rule::ByteOrderMark, "{name}");
            // The rest is compared without the mark, which libxml2 would accept.
            bytes.drain(..3);
        }
        let verdict = set.validate_parts(bytes);
        match &verdict {
            Ok(parts) => {
                accepted += 1;
                for part in parts {
                    let emitted = set.emit(part).unwrap_or_else(|e| panic!("{name}: {e}"));
                    assert_eq!(&set.validate(&emitted).unwrap(), part, "{name}");
                }
            }
            Err(invalid) => {
                assert!(!invalid.faults.is_empty(), "{name}");
                assert!(invalid.faults.iter().all(|f| f.path.starts_with('/')), "{name}: {invalid}");
            }
        }
        verdicts.push((name.clone(), verdict.map(|_| ()).map_err(|e| e.to_string())));
    }
    println!("{} messages, {accepted} accepted", messages.len());
    assert!(accepted >= 100, "only {accepted} of {} accepted", messages.len());
    if let Some(theirs) = second_opinion::of(&folder.join("xsd"), "samples", &messages) {
        second_opinion::compare(&verdicts, &theirs);
    }
}
