//! Forms of public keys: what reads back, what is refused.

use ciborium::Value;
use passkey::{PublicKey, PublicKeyError};

fn es256() -> PublicKey {
    // The base point of P-256 (FIPS 186-4 D.1.2.3), as a key.
    let point = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                 4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    PublicKey::es256(&hex::decode(point.replace(' ', "")).unwrap()).unwrap()
}

fn eddsa() -> PublicKey {
    // RFC 8032 §7.1, test 1.
    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    PublicKey::eddsa(&hex::decode(key).unwrap()).unwrap()
}

fn modulus(bits: usize) -> Vec<u8> {
    let mut n = vec![0xff; bits / 8];
    n[0] = 0x80;
    n
}

fn rs256() -> PublicKey {
    PublicKey::rs256(&modulus(2048), &[1, 0, 1]).unwrap()
}

#[test]
fn every_form_reads_back() {
    for key in [es256(), eddsa(), rs256()] {
        assert_eq!(PublicKey::from_cose(&key.to_cose()).unwrap(), key);
        assert_eq!(PublicKey::from_bytes(&key.to_bytes()).unwrap(), key);
    }
}

#[test]
fn stored_forms_never_change() {
    let check = |key: PublicKey, start: &str, bytes: usize| {
        let stored = key.to_bytes();
        assert_eq!((hex::encode(&stored[..6]).as_str(), stored.len()), (start, bytes));
    };
    check(es256(), "01046b17d1f2", 66);
    check(eddsa(), "02d75a980182", 33);
    check(rs256(), "030301000180", 261);
    for bytes in [&[][..], &[0], &[4, 1, 2], &[3], &[3, 9, 1], &[1, 4, 5], &[2; 32], &[2; 34]] {
        assert!(PublicKey::from_bytes(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn cose_forms_are_the_canonical_ones() {
    let starts = |key: PublicKey, start: &str| {
        let cose = hex::encode(key.to_cose());
        assert!(cose.starts_with(start), "{cose}");
    };
    starts(es256(), "a50102032620012158206b17d1f2");
    starts(eddsa(), "a4010103272006215820d75a9801");
    starts(rs256(), "a40103033901002059010080ff");
}

/// Changes the map of a key and reads it again.
fn changed(
    key: &PublicKey,
    change: impl FnOnce(&mut Vec<(Value, Value)>),
) -> Result<PublicKey, PublicKeyError> {
    let Value::Map(mut pairs) = ciborium::from_reader(key.to_cose().as_slice()).unwrap() else { panic!() };
    change(&mut pairs);
    let mut bytes = Vec::new();
    ciborium::into_writer(&Value::Map(pairs), &mut bytes).unwrap();
    PublicKey::from_cose(&bytes)
}

#[test]
fn cose_keys_that_are_not_as_they_should_be() {
    let int = |number: i64| Value::Integer(number.into());
    let check = |got: Result<PublicKey, PublicKeyError>, expect: PublicKeyError| {
        assert_eq!(got.unwrap_err(), expect);
    };
    let extra = PublicKeyError::Parameter("exact set of parameters");
    check(changed(&es256(), |p| p.push((int(4), int(1)))), extra.clone());
    check(changed(&rs256(), |p| p.push((int(2), int(1)))), extra);
    check(changed(&es256(), |p| p[1].1 = int(-35)), PublicKeyError::Algorithm(-35));
    check(changed(&es256(), |p| p[2].1 = int(2)), PublicKeyError::Algorithm(-7));
    check(changed(&eddsa(), |p| p[0].1 = int(2)), PublicKeyError::Algorithm(-8));
    check(changed(&es256(), |p| drop(p.remove(3))), PublicKeyError::Parameter("exact set of parameters"));
    check(changed(&es256(), |p| p[3].1 = int(3)), PublicKeyError::Parameter("x"));
    // A compressed point says so by a truth value in place of y.
    check(changed(&es256(), |p| p[4].1 = Value::Bool(true)), PublicKeyError::Parameter("y"));
    check(changed(&es256(), |p| p[4].1 = Value::Bytes(vec![1; 32])), PublicKeyError::Point);
    check(changed(&es256(), |p| p[4].1 = Value::Bytes(vec![1; 33])), PublicKeyError::Point);
    check(changed(&rs256(), |p| p[2].1 = Value::Bytes(modulus(1024))), PublicKeyError::RsaModulus(1024));
    let twice = changed(&eddsa(), |p| p[3] = p[2].clone()).unwrap_err();
    assert_eq!(twice.to_string(), "cbor map has a key twice");
    let mut trailing = eddsa().to_cose();
    trailing.push(0);
    assert_eq!(PublicKey::from_cose(&trailing).unwrap_err().to_string(), "1 bytes follow the cbor value");
    // The same map with an indefinite length.
    let mut indefinite = eddsa().to_cose();
    indefinite[0] = 0xbf;
    indefinite.push(0xff);
    assert_eq!(
        PublicKey::from_cose(&indefinite).unwrap_err().to_string(),
        "cbor is not in its shortest, definite form"
    );
}

#[test]
fn points_that_are_not_good() {
    let check = |key: &str| {
        assert_eq!(PublicKey::eddsa(&hex::decode(key).unwrap()).unwrap_err(), PublicKeyError::Point, "{key}");
    };
    // Small orders: 1, 4 and 8.
    check("0100000000000000000000000000000000000000000000000000000000000000");
    check("0000000000000000000000000000000000000000000000000000000000000000");
    check("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
    // y = p + 3, a second encoding of y = 3; and a y that is on no point.
    check("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    check("0200000000000000000000000000000000000000000000000000000000000000");
    let Ok(sec1) = hex::decode("03".to_owned() + &"6b".repeat(32)) else { panic!() };
    assert_eq!(PublicKey::es256(&sec1).unwrap_err(), PublicKeyError::Point);
}

#[test]
fn rsa_keys_outside_the_bounds() {
    let check = |n: &[u8], e: &[u8], expect: PublicKeyError| {
        assert_eq!(PublicKey::rs256(n, e).unwrap_err(), expect);
    };
    let mut short = modulus(2048);
    short[0] = 0x7f;
    check(&short, &[1, 0, 1], PublicKeyError::RsaModulus(2047));
    let long = [vec![1], modulus(4096)].concat();
    check(&long, &[1, 0, 1], PublicKeyError::RsaModulus(4097));
    assert!(PublicKey::rs256(&modulus(4096), &[1, 0, 1]).is_ok());
    check(&[0xff; 2000], &[1, 0, 1], PublicKeyError::Parameter("n"));
    check(&[vec![0], modulus(2048)].concat(), &[1, 0, 1], PublicKeyError::Parameter("n"));
    for exponent in [&[][..], &[1], &[2], &[4], &[0, 3], &[0xff; 8], &[0xff; 9]] {
        check(&modulus(2048), exponent, PublicKeyError::RsaExponent);
    }
    let mut even = modulus(2048);
    even[255] = 0xfe;
    check(&even, &[1, 0, 1], PublicKeyError::RsaModulus(2048));
}
