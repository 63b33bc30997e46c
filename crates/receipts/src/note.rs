//! Signed notes (C2SP signed-note): a text, a blank line, and lines of signatures, each by a named Ed25519 key.
//!
//! A note is worth reading only after [`Note::verify`]. Signatures by keys we do not know are ignored, as the specification demands, so
//! that witnesses can add theirs; a false signature by the key we do know, or two by it, refuse the note.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Longest note we read, in bytes; a checkpoint with a few witnesses has one thousand.
pub const NOTE_BYTES_MAX: usize = 16 * 1024;
/// Most signatures we read on one note.
pub const SIGNATURES_MAX: usize = 16;
/// The signature type for Ed25519.
const ED25519: u8 = 1;

/// Why a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A name that is empty or has spaces, control characters or a plus sign.
    #[error("key name is empty or has spaces, control characters or a plus sign")]
    Name,
    /// Not `<name>+<8 hex digits>+<base64>`.
    #[error("verifier key is not of the form name+id+key")]
    Form,
    /// A signature type other than Ed25519.
    #[error("verifier key is not an ed25519 key")]
    Type,
    /// Not a good point of the curve.
    #[error("verifier key is not a good ed25519 point")]
    Point,
    /// The id written is not the one the name and the key give.
    #[error("verifier key id is {written:08x}, expected {computed:08x}")]
    Id {
        /// The id in the text.
        written: u32,
        /// The id of this name and key.
        computed: u32,
    },
}

/// Why a note is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("note has {0} bytes, too many to read")]
    TooLong(usize),
    /// A control character other than the end of a line.
    #[error("note has a control character")]
    Control,
    /// No blank line between text and signatures, or no end of the last line.
    #[error("note is not a text, a blank line and signatures")]
    Shape,
    /// A signature line that is not well formed, by its number from 1.
    #[error("signature line {0} is malformed")]
    SignatureLine(usize),
    /// More signatures than [`SIGNATURES_MAX`].
    #[error("note has more than {SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// No signature by the key.
    #[error("note is not signed by {0}")]
    NotSigned(String),
    /// More than one signature by the key.
    #[error("note is signed twice by {0}")]
    SignedTwice(String),
    /// A signature that claims to be by the key and is not.
    #[error("signature by {0} does not verify")]
    Signature(String),
}

/// The public half of a note key, written `<name>+<id>+<base64>` (a vkey).
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A key by its name and its 32 bytes.
    ///
    /// # Errors
    /// A name that the format does not allow, or not a good point.
    pub fn new(name: &str, public_key: &[u8; 32]) -> Result<Self, KeyError> {
        let allowed = |c: char| !(c.is_whitespace() || c.is_control() || c == '+');
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(KeyError::Name);
        }
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| KeyError::Point)?;
        if key.is_weak() || key.to_edwards().compress().as_bytes() != public_key {
            return Err(KeyError::Point);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, public_key), key })
    }

    /// Reads a vkey.
    ///
    /// # Errors
    /// Another form, a type other than Ed25519, not a good point, or an id that does not fit.
    pub fn parse(vkey: &str) -> Result<Self, KeyError> {
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if id.len() != 8 || !id.bytes().all(lower_hex) {
            return Err(KeyError::Form);
        }
        let written = u32::from_str_radix(id, 16).map_err(|_| KeyError::Form)?;
        let key = STANDARD.decode(key).map_err(|_| KeyError::Form)?;
        let Some((&ED25519, key)) = key.split_first() else { return Err(KeyError::Type) };
        let key: &[u8; 32] = key.try_into().map_err(|_| KeyError::Form)?;
        let parsed = Self::new(name, key)?;
        if parsed.id != written {
            return Err(KeyError::Id { written, computed: parsed.id });
        }
        Ok(parsed)
    }

    /// The key's name, which is the origin of the log it signs for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a signature of [`NoteSigner::sign_message`] over exactly these bytes is the key's (strict Ed25519).
    #[must_use]
    pub fn is_of(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }

    /// The key's id, the first 32 bits of a hash over name and key.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn key_id(name: &str, public_key: &[u8; 32]) -> u32 {
    let hash =
        Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(public_key).finalize();
    hash.first_chunk::<4>().map_or(0, |id| u32::from_be_bytes(*id))
}

/// The secret half of a note key. It has no `Debug` form and is overwritten when dropped.
pub struct NoteSigner {
    key: SigningKey,
    verifier: VerifierKey,
}

impl NoteSigner {
    /// The key of a 32-byte seed. The seed is the secret: the caller keeps it sealed and overwrites its copy.
    ///
    /// # Errors
    /// A name that the format does not allow.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The bare signature over a message that is no note: one that does not begin with the origin of a log, such as a JSON object. The same
    /// message gives the same signature.
    #[must_use]
    pub fn sign_message(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The note of a text: the text, which must end its last line, a blank line and the signature. The same text gives the same note.
    ///
    /// # Errors
    /// A text that a note cannot carry.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        check_text(text)?;
        let mut signature = self.verifier.id.to_be_bytes().to_vec();
        signature.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        let note = format!("{text}\n\u{2014} {} {}\n", self.verifier.name, STANDARD.encode(signature));
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong(note.len()));
        }
        Ok(note)
    }
}

/// One line of signature, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: u32,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A note, read but not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<NoteSignature>,
}

impl<'a> Note<'a> {
    /// Reads a note.
    ///
    /// # Errors
    /// Too long, control characters, no blank line before the signatures, or a malformed signature line.
    pub fn parse(note: &'a str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong(note.len()));
        }
        // The last blank line parts text and signatures; the text keeps the end of its own last line.
        let at = note.rfind("\n\n").ok_or(NoteError::Shape)?;
        let (text, lines) = note.split_at_checked(at.saturating_add(1)).ok_or(NoteError::Shape)?;
        check_text(text)?;
        let lines = lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
        let lines = lines.ok_or(NoteError::Shape)?;
        let mut signatures = Vec::new();
        for (number, line) in (1_usize..).zip(lines.split('\n')) {
            if number > SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(parse_signature(line).ok_or(NoteError::SignatureLine(number))?);
        }
        Ok(Self { text, signatures })
    }

    /// The text, which nothing vouches for until [`Note::verify`] has passed.
    #[must_use]
    pub const fn text_unverified(&self) -> &'a str {
        self.text
    }

    /// The signatures, in their order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The text, once the key's signature over it has been checked (strict Ed25519).
    ///
    /// # Errors
    /// Not signed by the key, signed twice, or a false signature.
    pub fn verify(&self, key: &VerifierKey) -> Result<&'a str, NoteError> {
        let mut by_key = self.signatures.iter().filter(|line| line.name == key.name && line.id == key.id);
        let line = by_key.next().ok_or_else(|| NoteError::NotSigned(key.name.clone()))?;
        if by_key.next().is_some() {
            return Err(NoteError::SignedTwice(key.name.clone()));
        }
        let good = Signature::from_slice(&line.signature)
            .is_ok_and(|signature| key.key.verify_strict(self.text.as_bytes(), &signature).is_ok());
        if good { Ok(self.text) } else { Err(NoteError::Signature(key.name.clone())) }
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Control);
    }
    if text.ends_with('\n') { Ok(()) } else { Err(NoteError::Shape) }
}

fn parse_signature(line: &str) -> Option<NoteSignature> {
    let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let allowed = |c: char| !(c.is_whitespace() || c.is_control() || c == '+');
    if name.is_empty() || !name.chars().all(allowed) {
        return None;
    }
    let bytes = STANDARD.decode(signature).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    if signature.is_empty() {
        return None;
    }
    Some(NoteSignature { name: name.to_owned(), id: u32::from_be_bytes(*id), signature: signature.to_vec() })
}
