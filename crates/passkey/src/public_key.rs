//! Public keys of credentials, the three algorithms the bank accepts, and the check of one signature.
//!
//! A key that exists here is a good key: on the curve, not of small order, not a weak or absurd RSA modulus. It has one COSE form
//! (RFC 9053, WebAuthn §5.8.5) and one storage form ([`PublicKey::to_bytes`]), and both read back to the same key.

mod cose;

use ed25519_dalek::VerifyingKey as EdVerifyingKey;
use p256::ecdsa::VerifyingKey as EcVerifyingKey;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rsa::pkcs1v15;
use rsa::signature::Verifier as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, RsaPublicKey};
use sha2::Sha256;
use thiserror::Error;

use crate::cbor::CborError;

/// Smallest RSA modulus accepted, in bits (NIST SP 800-131A).
pub const RSA_MODULUS_BITS_MIN: u32 = 2048;
/// Largest RSA modulus accepted, in bits: no authenticator makes larger ones, and checking them costs time.
pub const RSA_MODULUS_BITS_MAX: u32 = 4096;
/// Smallest RSA exponent accepted.
const RSA_EXPONENT_MIN: u64 = 3;

/// Why a public key is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// Not strict CBOR.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// Not a map, or a key parameter missing, superfluous or of another type.
    #[error("cose key has no usable {0}")]
    Parameter(&'static str),
    /// An algorithm other than ES256, EdDSA and RS256, or a key type or curve that does not fit it.
    #[error("cose algorithm {0} is not accepted")]
    Algorithm(i128),
    /// Not a point of the curve, or one of small order.
    #[error("public key is not a good point of its curve")]
    Point,
    /// An RSA modulus outside 2048 to 4096 bits, or even.
    #[error("rsa modulus of {0} bits is not accepted")]
    RsaModulus(u32),
    /// An RSA exponent that is even, too small or too large.
    #[error("rsa exponent is not accepted")]
    RsaExponent,
    /// Stored bytes that no version of this crate wrote.
    #[error("stored public key of {0} bytes cannot be read")]
    Stored(usize),
}

/// Signature algorithms, with their COSE numbers (IANA COSE registry).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256, −7.
    Es256,
    /// Ed25519, −8.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256, −257.
    Rs256,
}

impl Algorithm {
    /// The COSE number.
    #[must_use]
    pub const fn cose(self) -> i32 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Rs256 => -257,
        }
    }
}

/// A P-256 key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Es256Key(EcVerifyingKey);

/// An Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ed25519Key(EdVerifyingKey);

/// An RSA key of 2048 to 4096 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rs256Key(RsaPublicKey);

/// The public key of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA on P-256 with SHA-256; signatures in DER.
    Es256(Es256Key),
    /// Ed25519, verified strictly (RFC 8032 §5.1.7 without cofactor; no small orders, no second encodings).
    EdDsa(Ed25519Key),
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256(Rs256Key),
}

/// First byte of the storage form. Numbers are never used again for another meaning.
const STORED_ES256: u8 = 1;
const STORED_EDDSA: u8 = 2;
const STORED_RS256: u8 = 3;

impl PublicKey {
    /// A P-256 key from its SEC1 form without compression (65 bytes: `04`, x, y).
    ///
    /// # Errors
    /// Another length or form, or not on the curve.
    pub fn es256(sec1: &[u8]) -> Result<Self, PublicKeyError> {
        if sec1.len() != 65 || sec1.first() != Some(&0x04) {
            return Err(PublicKeyError::Point);
        }
        let key = EcVerifyingKey::from_sec1_bytes(sec1).map_err(|_| PublicKeyError::Point)?;
        Ok(Self::Es256(Es256Key(key)))
    }

    /// An Ed25519 key from its 32 bytes.
    ///
    /// # Errors
    /// Not on the curve, of small order, or a second encoding of a point.
    pub fn eddsa(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| PublicKeyError::Point)?;
        let key = EdVerifyingKey::from_bytes(bytes).map_err(|_| PublicKeyError::Point)?;
        if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
            return Err(PublicKeyError::Point);
        }
        Ok(Self::EdDsa(Ed25519Key(key)))
    }

    /// An RSA key from modulus and exponent, big-endian without leading zeros.
    ///
    /// # Errors
    /// A modulus outside 2048 to 4096 bits or even; an exponent that is even, below 3 or above 33 bits.
    pub fn rs256(modulus: &[u8], exponent: &[u8]) -> Result<Self, PublicKeyError> {
        // Bounded before any arithmetic, so that the size of the input bounds the work.
        if modulus.len() > 1024 || modulus.first().is_none_or(|top| *top == 0) {
            return Err(PublicKeyError::Parameter("n"));
        }
        if exponent.len() > 8 || exponent.first().is_none_or(|top| *top == 0) {
            return Err(PublicKeyError::RsaExponent);
        }
        let e = exponent.iter().fold(0_u64, |e, byte| (e << 8) | u64::from(*byte));
        if e < RSA_EXPONENT_MIN || e % 2 == 0 || e > RsaPublicKey::MAX_PUB_EXPONENT {
            return Err(PublicKeyError::RsaExponent);
        }
        let n = BoxedUint::from_be_slice_vartime(modulus);
        let bits = n.bit_width_vartime();
        if !(RSA_MODULUS_BITS_MIN..=RSA_MODULUS_BITS_MAX).contains(&bits) {
            return Err(PublicKeyError::RsaModulus(bits));
        }
        let key = RsaPublicKey::new(n, BoxedUint::from(e)).map_err(|_| PublicKeyError::RsaModulus(bits))?;
        Ok(Self::Rs256(Rs256Key(key)))
    }

    /// Which algorithm the key is for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
            Self::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// Whether `signature` is this key's over `message`: DER for ES256, 64 bytes for EdDSA, as long as the modulus for RS256.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            // p256 made the key, so it is a point of the curve; ring checks the signature in a fifth of the time (ADR 0016).
            Self::Es256(Es256Key(key)) => {
                let point = key.to_sec1_point(false);
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point.as_bytes())
                    .verify(message, signature)
                    .is_ok()
            }
            Self::EdDsa(Ed25519Key(key)) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::Rs256(Rs256Key(key)) => {
                // RFC 8017 §8.2.2 step 1: the length is checked here, since the library reads the signature as a number.
                signature.len() == key.size()
                    && pkcs1v15::Signature::try_from(signature).is_ok_and(|signature| {
                        pkcs1v15::VerifyingKey::<Sha256>::new(key.clone()).verify(message, &signature).is_ok()
                    })
            }
        }
    }

    /// The storage form: a tag byte, then 65 bytes SEC1, or 32 bytes, or the exponent's length in one byte, exponent and modulus.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Es256(_) => [&[STORED_ES256], self.raw().as_slice()].concat(),
            Self::EdDsa(_) => [&[STORED_EDDSA], self.raw().as_slice()].concat(),
            Self::Rs256(Rs256Key(key)) => {
                let exponent = key.e().to_be_bytes_trimmed_vartime();
                // At most five bytes: the exponent is bounded when a key is made.
                let length = u8::try_from(exponent.len()).unwrap_or(u8::MAX);
                [&[STORED_RS256, length], &*exponent, self.raw().as_slice()].concat()
            }
        }
    }

    /// Reads the storage form.
    ///
    /// # Errors
    /// Not written by [`PublicKey::to_bytes`], or not a good key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let unreadable = PublicKeyError::Stored(bytes.len());
        match bytes.split_first() {
            Some((&STORED_ES256, sec1)) => Self::es256(sec1),
            Some((&STORED_EDDSA, point)) => Self::eddsa(point),
            Some((&STORED_RS256, rest)) => {
                let (length, rest) = rest.split_first().ok_or(unreadable.clone())?;
                let (exponent, modulus) = rest.split_at_checked(usize::from(*length)).ok_or(unreadable)?;
                Self::rs256(modulus, exponent)
            }
            _ => Err(unreadable),
        }
    }

    /// SEC1 without compression, or the Ed25519 point, or the modulus.
    fn raw(&self) -> Vec<u8> {
        match self {
            Self::Es256(Es256Key(key)) => key.to_sec1_point(false).as_bytes().to_vec(),
            Self::EdDsa(Ed25519Key(key)) => key.as_bytes().to_vec(),
            Self::Rs256(Rs256Key(key)) => key.n().to_be_bytes_trimmed_vartime().to_vec(),
        }
    }
}
