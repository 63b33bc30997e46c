//! Bytes that nobody meant as a message: refused, never a panic, never a deep stack.

use iso20022::{Rule, Schema, SchemaSet};
use proptest::prelude::*;

use crate::small::{XSD, message};

#[test]
fn deep_nesting_is_refused_before_a_tree_is_built() {
    let schema = Schema::parse(XSD).unwrap();
    let deep = "<a>".repeat(300_000);
    let refused = schema.validate(deep.as_bytes()).unwrap_err();
    assert!(matches!(refused.first().unwrap().rule, Rule::TooDeep { .. }), "{refused}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut set = SchemaSet::new();
        set.add(XSD).unwrap();
        let _ = set.validate(&bytes);
        let _ = set.validate_parts(&bytes);
        let _ = Schema::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn damaged_messages_never_panic(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
        let schema = Schema::parse(XSD).unwrap();
        let mut bytes = message("1.50").into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = schema.validate(&bytes);
        bytes.truncate(cut);
        let _ = schema.validate(&bytes);
    }

    #[test]
    fn damaged_schemas_never_panic(at in 0usize..3000, byte in 32u8..127) {
        let mut bytes = XSD.as_bytes().to_vec();
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = Schema::parse(&String::from_utf8_lossy(&bytes));
    }
}
