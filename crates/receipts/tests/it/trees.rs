//! The log against a tree written straight from the definitions of RFC 6962, and proofs of every place in small trees.

use proptest::prelude::*;
use receipts::{Frontier, Leaf, MerkleLog, ProofError, Subtree, TreeHash, TreeHead, leaf_hash, node_hash};

fn leaves(count: u64) -> Vec<TreeHash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

/// MTH of RFC 6962 §2.1, by the letter.
fn naive_root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => TreeHash::empty_root(),
        [leaf] => *leaf,
        _ => {
            let mut middle = 1;
            while middle * 2 < leaves.len() {
                middle *= 2;
            }
            node_hash(&naive_root(&leaves[..middle]), &naive_root(&leaves[middle..]))
        }
    }
}

fn naive_head(leaves: &[TreeHash], size: u64) -> TreeHead {
    TreeHead { size, root: naive_root(&leaves[..usize::try_from(size).unwrap()]) }
}

const COUNT: u64 = 40;

#[test]
fn known_hashes() {
    // RFC 6962 with SHA-256: the empty tree, and the leaf without bytes.
    assert_eq!(TreeHash::empty_root().to_string(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(leaf_hash(b"").to_string(), "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=");
}

#[test]
fn every_root_and_frontier() {
    let all = leaves(COUNT);
    let (mut log, mut frontier) = (MerkleLog::new(), Frontier::new());
    assert_eq!(log.head(), naive_head(&all, 0));
    for (index, leaf) in (0..).zip(&all) {
        assert_eq!(frontier.head(), log.head());
        assert_eq!(log.frontier(), frontier);
        assert_eq!(Frontier::from_bytes(&frontier.to_bytes()), Ok(frontier.clone()));
        assert_eq!(log.append_hash(*leaf), index);
        assert_eq!(frontier.append_hash(*leaf), index);
        assert_eq!(log.leaf(index), Some(*leaf));
        assert_eq!(log.head(), naive_head(&all, index + 1));
    }
    for size in 0..=COUNT {
        assert_eq!(log.head_at(size).unwrap(), naive_head(&all, size));
    }
    assert!(log.head_at(COUNT + 1).is_err());
    assert_eq!(all.into_iter().collect::<MerkleLog>(), log);
}

#[test]
fn every_inclusion_and_consistency_proof() {
    let all = leaves(COUNT);
    let log: MerkleLog = all.iter().copied().collect();
    for size in 1..=COUNT {
        let head = naive_head(&all, size);
        for index in 0..size {
            let leaf = Leaf { index, hash: log.leaf(index).unwrap() };
            let proof = log.inclusion_proof(index, size).unwrap();
            assert_eq!(head.verify_inclusion(&leaf, &proof), Ok(()), "{index} in {size}");
            // A proof of one place is good for no other place.
            for other in (0..size).filter(|other| *other != index) {
                assert!(head.verify_inclusion(&Leaf { index: other, ..leaf }, &proof).is_err());
            }
        }
        for older in 1..=size {
            let proof = log.consistency_proof(older, size).unwrap();
            assert_eq!(head.verify_extends(&naive_head(&all, older), &proof), Ok(()), "{older} to {size}");
            for other in (1..=size).filter(|other| *other != older) {
                assert!(
                    head.verify_extends(&TreeHead { size: other, ..naive_head(&all, older) }, &proof)
                        .is_err()
                );
            }
        }
    }
}

#[test]
fn every_subtree_proof() {
    let all = leaves(24);
    let log: MerkleLog = all.iter().copied().collect();
    let head = naive_head(&all, 24);
    for start in 0..24_u64 {
        for end in start + 1..=24 {
            let aligned = start.is_multiple_of((end - start).next_power_of_two());
            let root = naive_root(&all[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()]);
            let subtree = Subtree { start, end, root };
            let proof = log.subtree_proof(start, end, 24);
            assert_eq!(proof.is_ok(), aligned, "{start} to {end}");
            let Ok(proof) = proof else {
                assert_eq!(head.verify_subtree(&subtree, &[]), Err(ProofError::NotASubtree { start, end }));
                continue;
            };
            assert_eq!(head.verify_subtree(&subtree, &proof), Ok(()), "{start} to {end}");
            for index in start..end {
                let inner: MerkleLog = all[usize::try_from(start).unwrap()..].iter().copied().collect();
                let proof = inner.inclusion_proof(index - start, end - start).unwrap();
                let leaf = Leaf { index, hash: log.leaf(index).unwrap() };
                assert_eq!(subtree.verify_inclusion(&leaf, &proof), Ok(()));
            }
        }
    }
}

#[test]
fn questions_the_log_cannot_answer() {
    let log: MerkleLog = leaves(5).into_iter().collect();
    for (index, size) in [(5, 5), (0, 0), (3, 3), (0, 6), (u64::MAX, u64::MAX)] {
        assert!(log.inclusion_proof(index, size).is_err(), "{index} in {size}");
    }
    for (older, size) in [(0, 5), (6, 5), (5, 6), (1, u64::MAX)] {
        assert!(log.consistency_proof(older, size).is_err(), "{older} to {size}");
    }
    let empty = TreeHead { size: 0, root: TreeHash::empty_root() };
    assert_eq!(log.head().verify_extends(&empty, &[]), Err(ProofError::Empty));
}

#[test]
fn stored_frontiers_that_are_none() {
    for bytes in [&[][..], &[0; 7], &[0; 9], &[0; 40], &[1; 8], &[0, 0, 0, 0, 0, 0, 0, 1]] {
        assert!(Frontier::from_bytes(bytes).is_err(), "{bytes:?}");
    }
    assert_eq!(Frontier::from_bytes(&[0; 8]), Ok(Frontier::new()));
}

#[test]
fn proofs_are_short_in_a_large_log() {
    let log: MerkleLog = leaves(100_000).into_iter().collect();
    let head = log.head();
    for index in [0, 1, 65_535, 65_536, 99_998, 99_999] {
        let proof = log.inclusion_proof(index, 100_000).unwrap();
        assert!(proof.len() <= 17);
        assert_eq!(head.verify_inclusion(&Leaf { index, hash: log.leaf(index).unwrap() }, &proof), Ok(()));
    }
    let proof = log.consistency_proof(77_777, 100_000).unwrap();
    assert!(proof.len() <= 18);
    assert_eq!(head.verify_extends(&log.head_at(77_777).unwrap(), &proof), Ok(()));
}

/// The hash with one bit turned.
fn flip(hash: TreeHash, bit: usize) -> TreeHash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8 % 32] ^= 1 << (bit % 8);
    TreeHash::new(bytes)
}

proptest! {
    #[test]
    fn random_trees(size in 1_u64..300, at in any::<u64>(), older in any::<u64>(), bit in 0_usize..256, place in any::<usize>()) {
        let all = leaves(size);
        let log: MerkleLog = all.iter().copied().collect();
        let head = log.head();
        prop_assert_eq!(head, naive_head(&all, size));

        let leaf = Leaf { index: at % size, hash: log.leaf(at % size).unwrap() };
        let proof = log.inclusion_proof(leaf.index, size).unwrap();
        prop_assert_eq!(head.verify_inclusion(&leaf, &proof), Ok(()));
        let wrong_leaf = Leaf { hash: flip(leaf.hash, bit), ..leaf };
        prop_assert!(head.verify_inclusion(&wrong_leaf, &proof).is_err());
        let wrong_head = TreeHead { root: flip(head.root, bit), ..head };
        prop_assert!(wrong_head.verify_inclusion(&leaf, &proof).is_err());
        prop_assert!(head.verify_inclusion(&leaf, &[proof.as_slice(), &[leaf.hash]].concat()).is_err());
        if !proof.is_empty() {
            let mut wrong = proof.clone();
            let place = place % wrong.len();
            wrong[place] = flip(wrong[place], bit);
            prop_assert!(head.verify_inclusion(&leaf, &wrong).is_err());
            wrong.clone_from(&proof);
            wrong.remove(place);
            prop_assert!(head.verify_inclusion(&leaf, &wrong).is_err());
        }

        let older = log.head_at(older % size + 1).unwrap();
        let proof = log.consistency_proof(older.size, size).unwrap();
        prop_assert_eq!(head.verify_extends(&older, &proof), Ok(()));
        let wrong_older = TreeHead { root: flip(older.root, bit), ..older };
        prop_assert!(head.verify_extends(&wrong_older, &proof).is_err());
        if !proof.is_empty() {
            let mut wrong = proof;
            let place = place % wrong.len();
            wrong[place] = flip(wrong[place], bit);
            prop_assert!(head.verify_extends(&older, &wrong).is_err());
        }
    }

    #[test]
    fn wild_numbers_never_panic(a in any::<u64>(), b in any::<u64>(), size in any::<u64>(), length in 0_usize..70) {
        let hash = leaf_hash(b"x");
        let proof = vec![hash; length];
        let head = TreeHead { size, root: hash };
        let _ = head.verify_inclusion(&Leaf { index: a, hash }, &proof);
        let _ = head.verify_extends(&TreeHead { size: a, root: hash }, &proof);
        let subtree = Subtree { start: a, end: b, root: hash };
        let _ = head.verify_subtree(&subtree, &proof);
        let _ = subtree.verify_inclusion(&Leaf { index: size, hash }, &proof);
        let log: MerkleLog = leaves(9).into_iter().collect();
        let _ = (log.subtree_proof(a, b, size), log.subtree_proof(a % 12, b % 12, size % 12));
    }
}
