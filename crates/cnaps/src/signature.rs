//! What is signed, and by which algorithm.
//!
//! The text is built from listed fields in their order: each trimmed and followed by `|`, empty ones left out, an
//! amount glued to its currency (`CNY8.88`). The algorithm is a parameter, because rails change theirs.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::message::Message;
use crate::message_type::MessageType;

/// Why a signature was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It does not belong to this text and key, or has the wrong form.
    #[error("{algorithm} signature does not verify")]
    Mismatch {
        /// Algorithm used.
        algorithm: &'static str,
    },
    /// The key is not one of the algorithm.
    #[error("not a {algorithm} key")]
    Key {
        /// Algorithm asked for.
        algorithm: &'static str,
    },
}

/// Verifies under one algorithm and one public key.
pub trait SignatureProfile {
    /// Name of the algorithm.
    fn algorithm(&self) -> &'static str;

    /// Checks a signature over a text.
    ///
    /// # Errors
    /// A signature that is not exactly the one of this text under this key.
    fn verify(&self, text: &str, signature: &[u8]) -> Result<(), SignatureError>;
}

/// Ed25519 (RFC 8032), verified strictly: the sandbox's profile.
#[derive(Debug, Clone)]
pub struct Ed25519Profile(VerifyingKey);

const ED25519: &str = "ed25519";

impl Ed25519Profile {
    /// A profile from the 32 bytes of a public key.
    ///
    /// # Errors
    /// Bytes that are no point of the curve, or a weak one.
    pub fn new(public_key: &[u8; 32]) -> Result<Self, SignatureError> {
        let refused = SignatureError::Key { algorithm: ED25519 };
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| refused.clone())?;
        if key.is_weak() { Err(refused) } else { Ok(Self(key)) }
    }

    /// Signs a text; the key is the caller's.
    #[must_use]
    pub fn sign(key: &SigningKey, text: &str) -> Vec<u8> {
        key.sign(text.as_bytes()).to_bytes().to_vec()
    }
}

impl SignatureProfile for Ed25519Profile {
    fn algorithm(&self) -> &'static str {
        ED25519
    }

    fn verify(&self, text: &str, signature: &[u8]) -> Result<(), SignatureError> {
        let signature = Signature::from_slice(signature).ok();
        let verified = signature.is_some_and(|s| self.0.verify_strict(text.as_bytes(), &s).is_ok());
        if verified { Ok(()) } else { Err(SignatureError::Mismatch { algorithm: ED25519 }) }
    }
}

/// Joins fields into the text that is signed.
#[must_use]
pub fn signature_text<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for field in fields.into_iter().map(str::trim).filter(|f| !f.is_empty()) {
        out.push_str(field);
        out.push('|');
    }
    out
}

/// The text that is signed for a message: its type, then every value of its body in document order, amounts with
/// their currency. The message forms allow no `|` within a value, so that fields cannot run into each other.
#[must_use]
pub fn message_text(message_type: MessageType, message: &Message) -> String {
    fn collect(element: &iso20022::Element, out: &mut Vec<String>) {
        if element.children.is_empty() {
            out.push(format!("{}{}", element.attribute("Ccy").unwrap_or(""), element.text.trim()));
        }
        element.children.iter().for_each(|child| collect(child, out));
    }
    let mut fields = vec![message_type.code().to_owned()];
    collect(&message.to_element(), &mut fields);
    signature_text(fields.iter().map(String::as_str))
}
