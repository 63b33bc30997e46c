//! Receipts, checkpoints and what authenticators say.

use passkey::{AuthenticatorData, ClientData};
use receipts::{Checkpoint, Receipt, VerifierKey, verify_receipt};

use super::{Answer, Target, no_mending};

const RECEIPT: &[u8] = include_bytes!("../../../receipts/tests/golden/receipt.json");
const KEY: &str = include_str!("../../../receipts/tests/golden/vkey.txt");

fn key() -> Result<VerifierKey, String> {
    VerifierKey::parse(KEY.trim()).map_err(|error| error.to_string())
}

/// A receipt file. What verifies says what was signed.
pub(super) fn receipt() -> Target {
    Target {
        name: "receipt",
        what: "receipts",
        seeds: || {
            let small = Receipt::parse(RECEIPT).ok().and_then(|receipt| receipt.to_json().ok());
            [Some(RECEIPT.to_vec()), small.map(String::into_bytes)].into_iter().flatten().collect()
        },
        mend: no_mending,
        check: |input| {
            let receipt = match Receipt::parse(input) {
                Ok(receipt) => receipt,
                Err(error) => return Ok(Answer::refused(error)),
            };
            if let Err(error) = verify_receipt(&receipt, &key()?) {
                return Ok(Answer::refused(error));
            }
            let known = Receipt::parse(RECEIPT).map_err(|error| error.to_string())?;
            if receipt.entry.canonical_bytes().ok() == known.entry.canonical_bytes().ok() {
                Ok(Answer::taken("as it was signed"))
            } else {
                Err("a receipt verifies that says something else".to_owned())
            }
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 256,
    }
}

fn note() -> Result<String, String> {
    Receipt::parse(RECEIPT).map(|receipt| receipt.checkpoint).map_err(|error| error.to_string())
}

/// A signed checkpoint. What opens says what was signed.
pub(super) fn checkpoint() -> Target {
    Target {
        name: "checkpoint",
        what: "signed checkpoints",
        seeds: || note().map(String::into_bytes).into_iter().collect(),
        mend: no_mending,
        check: |input| {
            let Ok(text) = std::str::from_utf8(input) else { return Ok(Answer::refused("not UTF-8")) };
            let opened = match Checkpoint::open(text, &key()?) {
                Ok(opened) => opened,
                Err(error) => return Ok(Answer::refused(error)),
            };
            let known = Checkpoint::open(&note()?, &key()?).map_err(|error| error.to_string())?;
            if opened == known {
                Ok(Answer::taken("as it was signed"))
            } else {
                Err("a changed checkpoint opens".to_owned())
            }
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 256,
    }
}

/// Authenticator data, and client data behind a first byte `{`.
pub(super) fn authenticator() -> Target {
    Target {
        name: "authenticator",
        what: "what authenticators say: their data, and the client's",
        seeds: || {
            let mut data = vec![7; 32];
            data.extend([0x05, 0, 0, 0, 9]);
            let client = br#"{"type":"webauthn.get","challenge":"AAAA","origin":"http://localhost:7460","crossOrigin":false}"#;
            vec![data, client.to_vec()]
        },
        mend: no_mending,
        check: |input| {
            if input.first() == Some(&b'{') {
                return Ok(match ClientData::parse(input) {
                    Ok(_) => Answer::taken("client data"),
                    Err(error) => Answer::refused(error),
                });
            }
            Ok(match AuthenticatorData::parse(input) {
                Ok(data) => Answer::taken(format!("credential {}", data.credential.is_some())),
                Err(error) => Answer::refused(error),
            })
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 256,
    }
}
