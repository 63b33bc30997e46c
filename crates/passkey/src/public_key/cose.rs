//! COSE keys (RFC 9052 §7, RFC 9053) as WebAuthn §5.8.5 restricts them: the algorithm is named, nothing optional is there.

use ciborium::Value;
use rsa::traits::PublicKeyParts as _;

use super::{Algorithm, PublicKey, PublicKeyError, Rs256Key};
use crate::cbor;

const KTY: i128 = 1;
const ALG: i128 = 3;
const KTY_OKP: i128 = 1;
const KTY_EC2: i128 = 2;
const KTY_RSA: i128 = 3;
const CRV_P256: i128 = 1;
const CRV_ED25519: i128 = 6;

impl PublicKey {
    /// Reads a COSE key.
    ///
    /// # Errors
    /// Not strict CBOR, another algorithm, a parameter missing or superfluous, or not a good key.
    pub fn from_cose(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        Self::from_cose_value(&cbor::read_whole(bytes)?)
    }

    pub(crate) fn from_cose_value(value: &Value) -> Result<Self, PublicKeyError> {
        let Value::Map(pairs) = value else {
            return Err(PublicKeyError::Parameter("map"));
        };
        let key = Parameters(pairs);
        let (kty, alg) = (key.integer(KTY, "kty")?, key.integer(ALG, "alg")?);
        match (alg, kty) {
            (-7, KTY_EC2) if key.integer(-1, "crv")? == CRV_P256 => {
                key.count(5)?;
                let (x, y) = (key.bytes(-2, "x")?, key.bytes(-3, "y")?);
                if x.len() != 32 || y.len() != 32 {
                    return Err(PublicKeyError::Point);
                }
                Self::es256(&[&[0x04], x, y].concat())
            }
            (-8, KTY_OKP) if key.integer(-1, "crv")? == CRV_ED25519 => {
                key.count(4)?;
                Self::eddsa(key.bytes(-2, "x")?)
            }
            (-257, KTY_RSA) => {
                key.count(4)?;
                Self::rs256(key.bytes(-1, "n")?, key.bytes(-2, "e")?)
            }
            _ => Err(PublicKeyError::Algorithm(alg)),
        }
    }

    /// The COSE form, with its parameters in CTAP2's canonical order.
    #[must_use]
    pub fn to_cose(&self) -> Vec<u8> {
        // Writing into memory fails only for values that have no CBOR form, and all of these have one.
        cbor::write(&self.to_cose_value()).unwrap_or_default()
    }

    pub(crate) fn to_cose_value(&self) -> Value {
        let raw = self.raw();
        let alg = i128::from(self.algorithm().cose());
        let pairs = match self {
            Self::Es256(_) => {
                let (x, y) = raw.get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
                vec![
                    (KTY, int(KTY_EC2)),
                    (ALG, int(alg)),
                    (-1, int(CRV_P256)),
                    (-2, Value::Bytes(x.to_vec())),
                    (-3, Value::Bytes(y.to_vec())),
                ]
            }
            Self::EdDsa(_) => {
                vec![(KTY, int(KTY_OKP)), (ALG, int(alg)), (-1, int(CRV_ED25519)), (-2, Value::Bytes(raw))]
            }
            Self::Rs256(Rs256Key(key)) => {
                let exponent = key.e().to_be_bytes_trimmed_vartime().to_vec();
                vec![
                    (KTY, int(KTY_RSA)),
                    (ALG, int(alg)),
                    (-1, Value::Bytes(raw)),
                    (-2, Value::Bytes(exponent)),
                ]
            }
        };
        Value::Map(pairs.into_iter().map(|(key, value)| (int(key), value)).collect())
    }
}

impl Algorithm {
    /// The algorithm of a COSE number, if it is one of ours.
    #[must_use]
    pub const fn from_cose(number: i64) -> Option<Self> {
        match number {
            -7 => Some(Self::Es256),
            -8 => Some(Self::EdDsa),
            -257 => Some(Self::Rs256),
            _ => None,
        }
    }
}

fn int(number: i128) -> Value {
    // Every number written here fits in 64 bits.
    Value::Integer(i64::try_from(number).unwrap_or_default().into())
}

struct Parameters<'a>(&'a [(Value, Value)]);

impl Parameters<'_> {
    fn find(&self, label: i128) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key.as_integer().map(i128::from) == Some(label)).map(|(_, value)| value)
    }

    fn integer(&self, label: i128, name: &'static str) -> Result<i128, PublicKeyError> {
        let value = self.find(label).and_then(Value::as_integer);
        value.map(i128::from).ok_or(PublicKeyError::Parameter(name))
    }

    fn bytes(&self, label: i128, name: &'static str) -> Result<&[u8], PublicKeyError> {
        let value = self.find(label).and_then(Value::as_bytes);
        value.map(Vec::as_slice).ok_or(PublicKeyError::Parameter(name))
    }

    fn count(&self, count: usize) -> Result<(), PublicKeyError> {
        if self.0.len() == count { Ok(()) } else { Err(PublicKeyError::Parameter("exact set of parameters")) }
    }
}
