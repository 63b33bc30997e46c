//! The outside proof vectors: inclusion and consistency of trees and of subtrees.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use receipts::{Leaf, Subtree, TreeHash, TreeHead};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The folder of vectors, or nothing where it is absent (never in continuous integration).
fn folder() -> Option<PathBuf> {
    let data = std::env::var_os("JINKU_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let folder = data.join("rails/tlog/testdata");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the proof vectors must be there in continuous integration");
    println!("skipped: vectors absent (proofs of tlog)");
    None
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// How often each reading of a vector was needed.
#[derive(Default)]
struct Readings {
    exact: usize,
    /// Roots that are words and not hashes, in vectors that must pass because nothing is computed from them.
    stand_in: usize,
    /// Something of another length than a hash in a vector that must be refused: already our reader refuses it.
    not_a_hash: usize,
}

struct Vector(Value);

impl Vector {
    fn number(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        STANDARD.decode(value.as_str().unwrap()).unwrap()
    }

    fn hash(&self, name: &str) -> TreeHash {
        Self::to_hash(name, &self.0[name])
    }

    fn proof(&self) -> Vec<TreeHash> {
        let list = self.0["proof"].as_array().cloned().unwrap_or_default();
        list.iter().enumerate().map(|(place, hash)| Self::to_hash(&format!("proof {place}"), hash)).collect()
    }

    /// The hash, or a stand-in for what our reader refuses as a hash: a word is equal to the same word and to nothing
    /// else; nothing at all (a proof without a root) is equal to nothing, also not to another nothing elsewhere.
    fn to_hash(place: &str, value: &Value) -> TreeHash {
        let bytes = Self::bytes(value);
        let read = TreeHash::parse(value.as_str().unwrap());
        assert_eq!(read.is_ok(), bytes.len() == 32, "{value}");
        let label = if bytes.is_empty() { place } else { "word" };
        read.unwrap_or_else(|_| TreeHash::new(Sha256::digest([label.as_bytes(), &bytes].concat()).into()))
    }

    fn has_only_hashes(&self) -> bool {
        let names = ["root", "leafHash", "root1", "root2"];
        let named = names.iter().map(|name| &self.0[*name]).filter(|value| !value.is_null());
        let list = self.0["proof"].as_array().cloned().unwrap_or_default();
        named.chain(&list).all(|value| Self::bytes(value).len() == 32)
    }

    fn leaf(&self) -> Leaf {
        Leaf { index: self.number("leafIdx"), hash: self.hash("leafHash") }
    }

    fn subtree(&self, root: &str) -> Subtree {
        Subtree { start: self.number("start"), end: self.number("end"), root: self.hash(root) }
    }

    fn passes(&self, kind: &str) -> bool {
        let proof = self.proof();
        let head = |size: &str, root: &str| TreeHead { size: self.number(size), root: self.hash(root) };
        match kind {
            "inclusion" => head("treeSize", "root").verify_inclusion(&self.leaf(), &proof).is_ok(),
            "consistency" => head("size2", "root2").verify_extends(&head("size1", "root1"), &proof).is_ok(),
            "subtreeinclusion" => self.subtree("root").verify_inclusion(&self.leaf(), &proof).is_ok(),
            "subtreeconsistency" => {
                head("size", "root2").verify_subtree(&self.subtree("root1"), &proof).is_ok()
            }
            other => panic!("unknown kind {other}"),
        }
    }
}

#[test]
fn every_proof_vector() {
    let Some(folder) = folder() else { return };
    let (mut count, mut accepted, mut readings) = (0, 0, Readings::default());
    for kind in ["inclusion", "consistency", "subtreeinclusion", "subtreeconsistency"] {
        let mut found = Vec::new();
        files(&folder.join(kind), &mut found);
        for path in found {
            let vector = Vector(serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap());
            let must_fail = vector.0["wantErr"].as_bool().unwrap();
            // Also a vector with something that is no hash is put through the check, with a stand-in: the verdict must hold.
            assert_eq!(vector.passes(kind), !must_fail, "{}: {}", path.display(), vector.0["desc"]);
            match (vector.has_only_hashes(), must_fail) {
                (true, _) => readings.exact += 1,
                (false, false) => readings.stand_in += 1,
                (false, true) => readings.not_a_hash += 1,
            }
            count += 1;
            accepted += usize::from(!must_fail);
        }
    }
    println!(
        "proof vectors: {count}, {accepted} accepted; {} with hashes only, {} with something that is no hash and refused, \
         {} with words for roots and accepted",
        readings.exact, readings.not_a_hash, readings.stand_in
    );
    assert_eq!(count, 518);
    assert_eq!(readings.stand_in, 4);
}
