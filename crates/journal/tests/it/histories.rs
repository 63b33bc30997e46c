//! Random histories of appends, reopenings and power losses.

use journal::{SimDisk, verify_on};
use proptest::prelude::*;

use crate::support::{contents, head_of, open, read_all};

#[derive(Debug, Clone)]
enum Act {
    /// A group of records of these lengths.
    Append(Vec<usize>),
    Reopen,
    /// Power goes after so many operations, and sectors survive as the bits say.
    LosePower {
        after: u64,
        bits: u64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => prop::collection::vec(0..3000_usize, 0..9).prop_map(Act::Append),
        1 => Just(Act::Reopen),
        2 => (0..4_u64, any::<u64>()).prop_map(|(after, bits)| Act::LosePower { after, bits }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_is_kept(acts in prop::collection::vec(act(), 1..40)) {
        let disk = SimDisk::new();
        let (mut journal, _) = open(&disk).unwrap();
        let (mut all, mut byte, mut bits) = (Vec::<Vec<u8>>::new(), 0_u8, 0);
        for act in acts {
            match act {
                Act::Append(lengths) => {
                    let group: Vec<Vec<u8>> = lengths.iter().map(|len| {
                        byte = byte.wrapping_add(1);
                        vec![byte; *len]
                    }).collect();
                    if journal.append(&group).is_ok() {
                        all.extend(group);
                        prop_assert_eq!(journal.head(), head_of(&all));
                        continue;
                    }
                    drop(journal);
                    let mut left: u64 = bits;
                    disk.restore_power(|_| {
                        left = left.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                        left >> 63 == 1
                    });
                    journal = open(&disk).unwrap().0;
                    // Either all of the group or nothing of it.
                    if journal.head() != head_of(&all) {
                        all.extend(group);
                        prop_assert_eq!(journal.head(), head_of(&all));
                    }
                }
                Act::Reopen if disk.is_off() => {}
                Act::Reopen => {
                    drop(journal);
                    disk.restore_power(|_| true);
                    journal = open(&disk).unwrap().0;
                }
                Act::LosePower { after, bits: kept } => {
                    bits = kept;
                    disk.lose_power_after(after);
                }
            }
        }
        prop_assert_eq!(contents(&read_all(disk.clone(), 1)), all.clone());
        prop_assert_eq!(verify_on(disk).unwrap().head, head_of(&all));
    }
}
