//! Bytes nobody sane would send: readers answer with an error and never panic; what they accept, they wrote themselves.

use passkey::{Assertion, AuthenticatorData, ClientData, JsonError, PublicKey, Registration};
use proptest::prelude::*;
use serde_json::{Value, json};

/// CBOR-like noise: short items with plausible first bytes get further than plain noise.
fn cbor_noise() -> impl Strategy<Value = Vec<u8>> {
    let item = prop_oneof![
        Just(vec![0xa4]),
        Just(vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]),
        Just(vec![0xbf]),
        Just(vec![0xff]),
        Just(vec![0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Just(vec![0x81; 300]),
        proptest::collection::vec(any::<u8>(), 1..40),
    ];
    proptest::collection::vec(item, 0..6).prop_map(|items| items.concat())
}

proptest! {
    #[test]
    fn keys(bytes in cbor_noise()) {
        if let Ok(key) = PublicKey::from_cose(&bytes) {
            prop_assert_eq!(PublicKey::from_cose(&key.to_cose()).ok(), Some(key));
        }
        if let Ok(key) = PublicKey::from_bytes(&bytes) {
            prop_assert_eq!(key.to_bytes(), bytes);
        }
    }

    #[test]
    fn authenticator_data(flags in any::<u8>(), end in cbor_noise(), cut in 0_usize..80) {
        let mut data = [vec![7; 32], vec![flags], vec![0; 4], end].concat();
        let _ = AuthenticatorData::parse(&data);
        data.truncate(cut);
        let _ = AuthenticatorData::parse(&data);
    }

    #[test]
    fn client_data(text in r#"[{}\[\]",:a-z0-9\\ ]{0,60}"#, bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = ClientData::parse(text.as_bytes());
        let _ = ClientData::parse(&bytes);
    }

    #[test]
    fn signatures(bytes in proptest::collection::vec(any::<u8>(), 0..520)) {
        let mut modulus = vec![0xff; 256];
        modulus[0] = 0x80;
        let rsa = PublicKey::rs256(&modulus, &[1, 0, 1]).unwrap();
        prop_assert!(!rsa.verify(b"message", &bytes));
    }
}

#[test]
fn a_deep_nest_is_refused_quickly() {
    assert!(PublicKey::from_cose(&[0x81; 4000]).is_err());
    let text = format!("{}1{}", "[".repeat(2000), "]".repeat(2000));
    assert!(ClientData::parse(text.as_bytes()).is_err());
}

fn good() -> Value {
    json!({
        "id": "AQ", "rawId": "AQ", "type": "public-key",
        "response": { "clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": null },
        "clientExtensionResults": {}, "authenticatorAttachment": "platform",
    })
}

#[test]
fn json_of_an_assertion() {
    let read = Assertion::from_json(&good()).unwrap();
    assert_eq!(
        (read.credential_id, read.client_data_json, read.user_handle),
        (vec![1], b"{}".to_vec(), None)
    );
    let check = |pointer: &str, value: Value, expect: JsonError| {
        let mut json = good();
        *json.pointer_mut(pointer).unwrap() = value;
        assert_eq!(Assertion::from_json(&json).unwrap_err(), expect, "{pointer}");
    };
    check("/type", json!("password"), JsonError::Type("password".into()));
    check("/id", json!("Ag"), JsonError::Id);
    check("/response", json!(null), JsonError::Shape);
    check("/response/signature", json!(5), JsonError::Shape);
    check("/response/signature", json!("AA=="), JsonError::Base64("signature"));
    check("/response/signature", json!("A+"), JsonError::Base64("signature"));
    // Bits left over after the last byte: a second spelling of the same bytes.
    check("/response/authenticatorData", json!("AB"), JsonError::Base64("authenticatorData"));
    check("/response/userHandle", json!("~"), JsonError::Base64("userHandle"));
    assert_eq!(Assertion::from_json(&json!([1])).unwrap_err(), JsonError::Shape);
}

#[test]
fn json_of_a_registration() {
    let with = |object: &[u8]| {
        use base64::Engine as _;
        let object = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(object);
        let response = json!({ "attestationObject": object });
        Registration::from_json(
            &json!({ "id": "AQ", "rawId": "AQ", "type": "public-key", "response": response }),
        )
        .unwrap_err()
    };
    assert_eq!(with(b"\x80"), JsonError::AttestationObject);
    assert_eq!(with(b"\xa0"), JsonError::AttestationObject);
    assert_eq!(with(b"\xa1\x68authData\x01"), JsonError::AttestationObject);
    assert_eq!(with(&[&b"\xa1\x68authData\x58\x25"[..], &[0; 37]].concat()), JsonError::NoCredential);
    assert!(matches!(with(b"\xa1\x68authData\x41\x01"), JsonError::AuthenticatorData(_)));
}
