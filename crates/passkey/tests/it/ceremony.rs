//! The software authenticator against the library that runs registrations, and its assertions against our own check.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passkey::software::{Attestation, Profile, SoftwareAuthenticator, SoftwareError};
use passkey::{Algorithm, Assertion, Expected, PublicKey, Registration, verify_assertion};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use webauthn_rs::prelude::{
    PasskeyRegistration, RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnError,
};
use webauthn_rs::{WebauthnBuilder, prelude::CreationChallengeResponse};

const ORIGIN: &str = "http://localhost:8080";
const USER: Uuid = Uuid::from_u128(7);

fn webauthn() -> Webauthn {
    let origin = Url::parse(ORIGIN).unwrap();
    WebauthnBuilder::new("localhost", &origin).unwrap().rp_name("Jinku").build().unwrap()
}

fn begin(webauthn: &Webauthn) -> (Value, PasskeyRegistration) {
    let (options, state): (CreationChallengeResponse, _) =
        webauthn.start_passkey_registration(USER, "lin", "Lin", None).unwrap();
    (serde_json::to_value(options).unwrap(), state)
}

/// Options as the library makes them, with EdDSA offered in place of its own algorithms.
fn offer_eddsa(mut options: Value) -> Value {
    options["publicKey"]["pubKeyCredParams"] = json!([{ "type": "public-key", "alg": -8 }]);
    options
}

fn register(profile: Profile) -> (SoftwareAuthenticator, Registration) {
    let webauthn = webauthn();
    let (options, state) = begin(&webauthn);
    let mut device = SoftwareAuthenticator::new([9; 32], ORIGIN.to_owned(), profile);
    if profile.algorithm == Algorithm::EdDsa {
        let answer = device.create(&offer_eddsa(options)).unwrap();
        return (device, Registration::from_json(&answer).unwrap());
    }
    let answer = device.create(&options).unwrap();
    let credential: RegisterPublicKeyCredential = serde_json::from_value(answer.clone()).unwrap();
    let passkey = webauthn.finish_passkey_registration(&credential, &state).unwrap();
    let registration = Registration::from_json(&answer).unwrap();
    assert_eq!(passkey.cred_id().as_slice(), registration.credential.credential_id);
    (device, registration)
}

fn sign(device: &mut SoftwareAuthenticator, challenge: &[u8], allowed: &[&[u8]]) -> Assertion {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let allowed: Vec<Value> =
        allowed.iter().map(|id| json!({ "type": "public-key", "id": encode(id) })).collect();
    let options = json!({
        "challenge": encode(challenge), "rpId": "localhost", "allowCredentials": allowed, "userVerification": "required",
    });
    Assertion::from_json(&device.get(&options).unwrap()).unwrap()
}

fn accepts(profile: Profile) {
    let (mut device, registration) = register(profile);
    let key = PublicKey::from_bytes(&registration.credential.public_key.to_bytes()).unwrap();
    assert_eq!(key.algorithm(), profile.algorithm);
    assert_eq!(registration.flags.backed_up(), profile.synchronised);
    let mut previous_sign_count = registration.sign_count;
    for challenge in [b"first intent".as_slice(), b"second intent", &[0xff; 32]] {
        let id = registration.credential.credential_id.as_slice();
        let assertion = sign(&mut device, challenge, &[b"somebody else's", id]);
        assert_eq!(assertion.credential_id, id);
        let expected = Expected {
            rp_id: "localhost",
            origins: &["https://bank.example", ORIGIN],
            challenge,
            public_key: &key,
            require_user_verification: true,
            previous_sign_count,
            user_handle: Some(USER.as_bytes()),
        };
        let verified = verify_assertion(&assertion, &expected).unwrap();
        // A synchronised credential has no counter: it says 0 for ever.
        assert_eq!(verified.sign_count, previous_sign_count + u32::from(!profile.synchronised));
        assert!(verified.user_verified);
        assert_eq!(verified.backed_up, profile.synchronised);
        previous_sign_count = verified.sign_count;
    }
}

#[test]
fn the_library_registers_it_and_we_accept_what_it_signs() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        for attestation in [Attestation::None, Attestation::PackedSelf] {
            for synchronised in [false, true] {
                accepts(Profile { algorithm, attestation, synchronised, verifies_user: true });
            }
        }
    }
}

/// Version 0.6.2 of the library refuses every EdDSA key, so a server that runs registrations with it must not offer EdDSA.
/// When this test fails, the library has learnt it: then register EdDSA through it in the test above.
#[test]
fn the_library_knows_no_eddsa() {
    let webauthn = webauthn();
    let (options, state) = begin(&webauthn);
    let profile = Profile { algorithm: Algorithm::EdDsa, ..Profile::default() };
    let mut device = SoftwareAuthenticator::new([9; 32], ORIGIN.to_owned(), profile);
    let answer = serde_json::from_value(device.create(&offer_eddsa(options)).unwrap()).unwrap();
    let fault = webauthn.finish_passkey_registration(&answer, &state).unwrap_err();
    assert!(matches!(fault, WebauthnError::SshPublicKeyEDUnsupported), "{fault:?}");
}

/// The statement of a `packed` self attestation is the credential's own signature (WebAuthn §8.2), for both algorithms.
#[test]
fn self_attestation_is_signed_by_the_credential() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let (options, _) = begin(&webauthn());
        let options = if algorithm == Algorithm::EdDsa { offer_eddsa(options) } else { options };
        let profile = Profile { algorithm, attestation: Attestation::PackedSelf, ..Profile::default() };
        let answer =
            SoftwareAuthenticator::new([9; 32], ORIGIN.to_owned(), profile).create(&options).unwrap();
        let decode = |name: &str| URL_SAFE_NO_PAD.decode(answer["response"][name].as_str().unwrap()).unwrap();
        let object: ciborium::Value = ciborium::from_reader(decode("attestationObject").as_slice()).unwrap();
        let find = |map: &ciborium::Value, name: &str| {
            let pairs = map.as_map().unwrap();
            pairs.iter().find(|(key, _)| key.as_text() == Some(name)).unwrap().1.clone()
        };
        let statement = find(&object, "attStmt");
        assert_eq!(find(&object, "fmt").as_text(), Some("packed"));
        assert_eq!(find(&statement, "alg").as_integer(), Some(algorithm.cose().into()));
        let data = find(&object, "authData").into_bytes().unwrap();
        let signed = [data.as_slice(), &Sha256::digest(decode("clientDataJSON"))].concat();
        let key = Registration::from_json(&answer).unwrap().credential.public_key;
        assert!(key.verify(&signed, find(&statement, "sig").as_bytes().unwrap()));
        assert!(!key.verify(&signed[1..], find(&statement, "sig").as_bytes().unwrap()));
    }
}

#[test]
fn the_library_accepts_its_assertions_too() {
    let webauthn = webauthn();
    let (options, state) = begin(&webauthn);
    let mut device = SoftwareAuthenticator::new([3; 32], ORIGIN.to_owned(), Profile::default());
    let answer = serde_json::from_value(device.create(&options).unwrap()).unwrap();
    let passkey = webauthn.finish_passkey_registration(&answer, &state).unwrap();
    let (options, state) = webauthn.start_passkey_authentication(&[passkey]).unwrap();
    let answer = device.get(&serde_json::to_value(options).unwrap()).unwrap();
    let result = webauthn.finish_passkey_authentication(&serde_json::from_value(answer).unwrap(), &state);
    assert_eq!(result.unwrap().counter(), 1);
}

#[test]
fn a_changed_registration_is_refused_by_the_library() {
    let webauthn = webauthn();
    let (options, state) = begin(&webauthn);
    let profile = Profile { attestation: Attestation::PackedSelf, ..Profile::default() };
    let mut device = SoftwareAuthenticator::new([9; 32], "http://evil.example".to_owned(), profile);
    let answer = serde_json::from_value(device.create(&options).unwrap()).unwrap();
    assert!(webauthn.finish_passkey_registration(&answer, &state).is_err());
}

#[test]
fn same_seed_and_calls_same_bytes() {
    let (options, _) = begin(&webauthn());
    let run = |seed| {
        let mut device = SoftwareAuthenticator::new(seed, ORIGIN.to_owned(), Profile::default());
        let made = device.create(&options).unwrap();
        (made, sign(&mut device, b"intent", &[]))
    };
    assert_eq!(run([1; 32]), run([1; 32]));
    assert_ne!(run([1; 32]), run([2; 32]));
}

#[test]
fn discoverable_sign_in_takes_the_newest_credential() {
    let mut device = SoftwareAuthenticator::new([5; 32], ORIGIN.to_owned(), Profile::default());
    let options = |user: &str| {
        json!({
            "rp": { "id": "localhost", "name": "Jinku" }, "user": { "id": user, "name": "a", "displayName": "a" },
            "challenge": "AAAA", "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
        })
    };
    device.create(&options("AQ")).unwrap();
    let second = Registration::from_json(&device.create(&options("Ag")).unwrap()).unwrap();
    let assertion = sign(&mut device, b"x", &[]);
    assert_eq!(assertion.credential_id, second.credential.credential_id);
    assert_eq!(assertion.user_handle, Some(vec![2]));
}

#[test]
fn the_authenticator_refuses_what_a_real_one_refuses() {
    let (options, _) = begin(&webauthn());
    let new = |profile| SoftwareAuthenticator::new([5; 32], ORIGIN.to_owned(), profile);
    let check = |profile, options: &Value, expect: SoftwareError| {
        assert_eq!(new(profile).create(options).unwrap_err(), expect);
    };
    let eddsa = Profile { algorithm: Algorithm::EdDsa, ..Profile::default() };
    check(eddsa, &options, SoftwareError::NoCommonAlgorithm);
    let rsa = Profile { algorithm: Algorithm::Rs256, ..Profile::default() };
    check(rsa, &options, SoftwareError::NoCommonAlgorithm);
    let no_verification = Profile { verifies_user: false, ..Profile::default() };
    check(no_verification, &options, SoftwareError::CannotVerifyUser);
    check(Profile::default(), &json!({}), SoftwareError::Options("creation"));

    let mut device = new(Profile::default());
    let made = device.create(&options).unwrap();
    let mut again = options;
    again["publicKey"]["excludeCredentials"] = json!([{ "type": "public-key", "id": made["id"] }]);
    assert_eq!(device.create(&again).unwrap_err(), SoftwareError::Excluded);
    let elsewhere = json!({ "challenge": "AAAA", "rpId": "bank.example" });
    assert_eq!(device.get(&elsewhere).unwrap_err(), SoftwareError::NoCredential("bank.example".into()));
}
