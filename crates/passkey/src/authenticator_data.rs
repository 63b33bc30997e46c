//! Authenticator data (WebAuthn Level 3 §6.1): a hash of the relying party, flags, the signature counter, and, when a credential
//! is made, the credential itself. Every byte must be accounted for.

use ciborium::Value;
use thiserror::Error;

use crate::cbor::{self, CborError};
use crate::public_key::{PublicKey, PublicKeyError};

/// Longest authenticator data we read: 37 bytes, a credential with a 4096-bit RSA key, and extension outputs.
pub(crate) const AUTHENTICATOR_DATA_BYTES_MAX: usize = 4096;
/// Longest credential id the standard allows (§5.8.3).
pub const CREDENTIAL_ID_BYTES_MAX: usize = 1023;

/// Why authenticator data cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthenticatorDataError {
    /// Fewer bytes than the flags announce.
    #[error("authenticator data ends after {bytes} bytes, inside its {part}")]
    TooShort {
        /// Bytes given.
        bytes: usize,
        /// The part that is cut.
        part: &'static str,
    },
    /// More bytes than any authenticator writes.
    #[error("authenticator data has {bytes} bytes, at most {max} are read")]
    TooLong {
        /// Bytes given.
        bytes: usize,
        /// Bytes read at most.
        max: usize,
    },
    /// Bytes that no flag announces.
    #[error("{0} unannounced bytes follow the authenticator data")]
    TrailingBytes(usize),
    /// A credential id of no bytes or more than [`CREDENTIAL_ID_BYTES_MAX`].
    #[error("credential id has {0} bytes")]
    CredentialIdLength(usize),
    /// Extension outputs that are not a strict CBOR map.
    #[error("extension outputs are not a cbor map with text keys")]
    Extensions,
    /// The CBOR of a key or of extension outputs.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The credential's public key.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
}

/// The flags byte (§6.1). Bits reserved for future use are ignored, as the standard asks of readers; the signature covers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    pub(crate) const UP: u8 = 0x01;
    pub(crate) const UV: u8 = 0x04;
    pub(crate) const BE: u8 = 0x08;
    pub(crate) const BS: u8 = 0x10;
    pub(crate) const AT: u8 = 0x40;
    pub(crate) const ED: u8 = 0x80;

    const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// UP: somebody touched the authenticator.
    #[must_use]
    pub const fn user_present(self) -> bool {
        self.has(Self::UP)
    }

    /// UV: the authenticator knows it was its owner (PIN, finger, face).
    #[must_use]
    pub const fn user_verified(self) -> bool {
        self.has(Self::UV)
    }

    /// BE: the credential may be copied to the owner's other devices.
    #[must_use]
    pub const fn backup_eligible(self) -> bool {
        self.has(Self::BE)
    }

    /// BS: the credential is copied now.
    #[must_use]
    pub const fn backed_up(self) -> bool {
        self.has(Self::BS)
    }

    /// AT: a credential is attached.
    #[must_use]
    pub const fn credential_attached(self) -> bool {
        self.has(Self::AT)
    }

    /// ED: extension outputs are attached.
    #[must_use]
    pub const fn extensions_attached(self) -> bool {
        self.has(Self::ED)
    }
}

/// The credential attached to authenticator data when it was made (§6.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedCredential {
    /// Model of the authenticator; all zero where it does not say.
    pub aaguid: [u8; 16],
    /// The credential's id.
    pub credential_id: Vec<u8>,
    /// The credential's public key.
    pub public_key: PublicKey,
}

/// Authenticator data, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorData {
    /// SHA-256 of the relying party's id.
    pub rp_id_hash: [u8; 32],
    /// The flags.
    pub flags: Flags,
    /// The signature counter; 0 where the authenticator keeps none.
    pub sign_count: u32,
    /// The credential, present when one was made.
    pub credential: Option<AttestedCredential>,
    /// Names of the extensions that have an output.
    pub extensions: Vec<String>,
}

impl AuthenticatorData {
    /// Reads authenticator data; every byte belongs to a part that a flag announces.
    ///
    /// # Errors
    /// A part is cut, unannounced bytes follow, or the key or the extension outputs are not strict CBOR.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuthenticatorDataError> {
        if bytes.len() > AUTHENTICATOR_DATA_BYTES_MAX {
            return Err(AuthenticatorDataError::TooLong {
                bytes: bytes.len(),
                max: AUTHENTICATOR_DATA_BYTES_MAX,
            });
        }
        let cut = |part| AuthenticatorDataError::TooShort { bytes: bytes.len(), part };
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(cut("relying party hash"))?;
        let (flags, rest) = rest.split_first().ok_or(cut("flags"))?;
        let (sign_count, mut rest) = rest.split_first_chunk::<4>().ok_or(cut("counter"))?;
        let flags = Flags(*flags);
        let mut credential = None;
        if flags.credential_attached() {
            let (attested, after) = read_credential(rest, bytes.len())?;
            (credential, rest) = (Some(attested), after);
        }
        let mut extensions = Vec::new();
        if flags.extensions_attached() {
            if rest.is_empty() {
                return Err(cut("extension outputs"));
            }
            (extensions, rest) = read_extensions(rest)?;
        }
        if !rest.is_empty() {
            return Err(AuthenticatorDataError::TrailingBytes(rest.len()));
        }
        let sign_count = u32::from_be_bytes(*sign_count);
        Ok(Self { rp_id_hash: *rp_id_hash, flags, sign_count, credential, extensions })
    }
}

fn read_credential(
    bytes: &[u8],
    bytes_total: usize,
) -> Result<(AttestedCredential, &[u8]), AuthenticatorDataError> {
    let cut = |part| AuthenticatorDataError::TooShort { bytes: bytes_total, part };
    let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(cut("aaguid"))?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(cut("credential id length"))?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > CREDENTIAL_ID_BYTES_MAX {
        return Err(AuthenticatorDataError::CredentialIdLength(length));
    }
    let (credential_id, rest) = rest.split_at_checked(length).ok_or(cut("credential id"))?;
    let (key, rest) = cbor::read_prefix(rest)?;
    let public_key = PublicKey::from_cose_value(&key)?;
    let credential =
        AttestedCredential { aaguid: *aaguid, credential_id: credential_id.to_vec(), public_key };
    Ok((credential, rest))
}

fn read_extensions(bytes: &[u8]) -> Result<(Vec<String>, &[u8]), AuthenticatorDataError> {
    let (value, rest) = cbor::read_prefix(bytes)?;
    let Value::Map(pairs) = value else {
        return Err(AuthenticatorDataError::Extensions);
    };
    let names = pairs.into_iter().map(|(key, _)| match key {
        Value::Text(name) => Ok(name),
        _ => Err(AuthenticatorDataError::Extensions),
    });
    Ok((names.collect::<Result<_, _>>()?, rest))
}
