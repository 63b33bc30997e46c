//! One refusal for each check of an assertion, and the order of the checks.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use passkey::{
    Assertion, AssertionError, AuthenticatorDataError, ClientDataError, Expected, PublicKey, Verified,
    verify_assertion,
};
use sha2::{Digest as _, Sha256};

/// An assertion with every part open to change; signed last, so that only the check in question can fail.
struct Case {
    client_data: String,
    rp_id: &'static str,
    flags: u8,
    sign_count: u32,
    more: Vec<u8>,
    user_handle: Option<Vec<u8>>,
    previous_sign_count: u32,
    require_user_verification: bool,
    signer: u8,
}

const CHALLENGE: &[u8] = b"the hash of an intent";

fn client_data(kind: &str, challenge: &[u8], origin: &str, end: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{end}}}"#)
}

impl Default for Case {
    fn default() -> Self {
        Self {
            client_data: client_data(
                "webauthn.get",
                CHALLENGE,
                "https://bank.example",
                r#","crossOrigin":false"#,
            ),
            rp_id: "bank.example",
            flags: 0x05,
            sign_count: 7,
            more: Vec::new(),
            user_handle: None,
            previous_sign_count: 6,
            require_user_verification: true,
            signer: 1,
        }
    }
}

impl Case {
    fn key(seed: u8) -> SigningKey {
        SigningKey::from_slice(&[seed; 32]).unwrap()
    }

    fn assertion(&self) -> Assertion {
        let mut data = Sha256::digest(self.rp_id).to_vec();
        data.push(self.flags);
        data.extend(self.sign_count.to_be_bytes());
        data.extend(&self.more);
        let signed = [data.as_slice(), &Sha256::digest(&self.client_data)].concat();
        let signature: DerSignature = Self::key(self.signer).sign(&signed);
        Assertion {
            credential_id: vec![1],
            authenticator_data: data,
            client_data_json: self.client_data.clone().into_bytes(),
            signature: signature.as_bytes().to_vec(),
            user_handle: self.user_handle.clone(),
        }
    }

    fn verify(&self, assertion: &Assertion) -> Result<Verified, AssertionError> {
        let sec1 = Self::key(1).verifying_key().to_sec1_point(false);
        let expected = Expected {
            rp_id: "bank.example",
            origins: &["https://bank.example", "https://m.bank.example"],
            challenge: CHALLENGE,
            public_key: &PublicKey::es256(sec1.as_bytes()).unwrap(),
            require_user_verification: self.require_user_verification,
            previous_sign_count: self.previous_sign_count,
            user_handle: Some(b"lin"),
        };
        verify_assertion(assertion, &expected)
    }
}

fn accepted(case: Case) -> Verified {
    case.verify(&case.assertion()).unwrap()
}

fn refused(case: Case, expect: AssertionError) {
    assert_eq!(case.verify(&case.assertion()).unwrap_err(), expect);
}

#[test]
fn good_assertions() {
    let plain = Verified { sign_count: 7, user_verified: true, backed_up: false };
    assert_eq!(accepted(Case::default()), plain);
    assert_eq!(accepted(Case { user_handle: Some(b"lin".to_vec()), ..Case::default() }), plain);
    let other_page =
        client_data("webauthn.get", CHALLENGE, "https://m.bank.example", r#","new_key":[{"a":1.5}]"#);
    assert_eq!(accepted(Case { client_data: other_page, ..Case::default() }), plain);
    let backed_up = Case { flags: 0x1d, ..Case::default() };
    assert_eq!(accepted(backed_up), Verified { backed_up: true, ..plain });
    let eligible_only = Case { flags: 0x0d, ..Case::default() };
    assert_eq!(accepted(eligible_only), plain);
    let unverified = Case { flags: 0x01, require_user_verification: false, ..Case::default() };
    assert_eq!(accepted(unverified), Verified { user_verified: false, ..plain });
    // An authenticator without a counter says zero for ever.
    let no_counter = Case { sign_count: 0, previous_sign_count: 0, ..Case::default() };
    assert_eq!(accepted(no_counter), Verified { sign_count: 0, ..plain });
    // Extension outputs: a map with one text key.
    let extensions =
        Case { flags: 0x85, more: b"\xa1\x63uvm\x81\x83\x02\x04\x02".to_vec(), ..Case::default() };
    assert_eq!(accepted(extensions), plain);
}

#[test]
fn client_data_checks() {
    let with = |text: String| Case { client_data: text, ..Case::default() };
    let origin = "https://bank.example";
    let get = "webauthn.get";
    refused(
        with(client_data("webauthn.create", CHALLENGE, origin, "")),
        AssertionError::Type("webauthn.create".into()),
    );
    refused(with(client_data(get, b"the hash of another", origin, "")), AssertionError::Challenge);
    refused(with(client_data(get, b"", origin, "")), AssertionError::Challenge);
    for other in ["http://bank.example", "https://bank.example:444", "https://bank.example.evil", "null"] {
        refused(with(client_data(get, CHALLENGE, other, "")), AssertionError::Origin(other.into()));
    }
    refused(with(client_data(get, CHALLENGE, origin, r#","crossOrigin":true"#)), AssertionError::CrossOrigin);
    refused(
        with(client_data(get, CHALLENGE, origin, r#","topOrigin":"https://other.example""#)),
        AssertionError::CrossOrigin,
    );
    refused(Case { user_handle: Some(b"wang".to_vec()), ..Case::default() }, AssertionError::UserHandle);
}

#[test]
fn a_second_spelling_of_the_challenge_is_refused() {
    let good = Case::default().client_data;
    let challenge = URL_SAFE_NO_PAD.encode(CHALLENGE);
    let padded = good.replace(&challenge, &format!("{challenge}="));
    refused(Case { client_data: padded, ..Case::default() }, AssertionError::Challenge);
}

#[test]
fn client_data_that_is_not_strict() {
    let json = |text: String| {
        let case = Case { client_data: text, ..Case::default() };
        let fault = case.verify(&case.assertion()).unwrap_err();
        assert!(matches!(fault, AssertionError::ClientData(ClientDataError::Json { .. })), "{fault:?}");
    };
    let good = Case::default().client_data;
    json(format!("{good} x"));
    json(format!("{good}{good}"));
    json(format!("\u{feff}{good}"));
    json(good.replace(r#""crossOrigin":false"#, r#""type":"webauthn.get""#));
    json(good.replace(r#""crossOrigin":false"#, r#""a":{"b":1,"b":2}"#));
    json(good.replace(r#""crossOrigin":false"#, r#""a":1,"a":1"#));
    json("[]".into());
    json(String::new());
    json(good.replace(r#""crossOrigin":false"#, &format!(r#""a":{}"#, "[".repeat(600))));

    let field = |text: String, name: &'static str| {
        refused(
            Case { client_data: text, ..Case::default() },
            AssertionError::ClientData(ClientDataError::Field(name)),
        );
    };
    field(good.replace("\"type\"", "\"tipe\""), "type");
    field(good.replace("\"challenge\"", "\"chal\""), "challenge");
    field(good.replace("\"origin\"", "\"orig\""), "origin");
    field(good.replace("false", "\"false\""), "crossOrigin");
    field(good.replace("\"crossOrigin\"", "\"topOrigin\""), "topOrigin");
    let long = good.replace("false", &format!("false,\"pad\":\"{}\"", "x".repeat(4096)));
    let bytes = long.len();
    refused(
        Case { client_data: long, ..Case::default() },
        AssertionError::ClientData(ClientDataError::TooLong { bytes, max: 4096 }),
    );
    let mut not_utf8 = Case::default().assertion();
    not_utf8.client_data_json[10] = 0xff;
    assert!(matches!(
        Case::default().verify(&not_utf8).unwrap_err(),
        AssertionError::ClientData(ClientDataError::Json { .. })
    ));
}

#[test]
fn authenticator_data_checks() {
    refused(Case { rp_id: "other.example", ..Case::default() }, AssertionError::RpId);
    refused(Case { flags: 0x04, ..Case::default() }, AssertionError::UserNotPresent);
    refused(Case { flags: 0x01, ..Case::default() }, AssertionError::UserNotVerified);
    refused(Case { flags: 0x15, ..Case::default() }, AssertionError::BackupFlags);
    refused(Case { signer: 2, ..Case::default() }, AssertionError::Signature);
    let counter = |previous, given| {
        refused(
            Case { previous_sign_count: previous, sign_count: given, ..Case::default() },
            AssertionError::SignCount { previous, given },
        );
    };
    counter(7, 7);
    counter(8, 7);
    counter(8, 0);
    counter(u32::MAX, u32::MAX);
}

#[test]
fn authenticator_data_that_is_not_strict() {
    let data = |flags: u8, more: &[u8], expect: AuthenticatorDataError| {
        let case = Case { flags, more: more.to_vec(), ..Case::default() };
        refused(case, AssertionError::AuthenticatorData(expect));
    };
    data(0x05, &[0], AuthenticatorDataError::TrailingBytes(1));
    data(0x85, &[], AuthenticatorDataError::TooShort { bytes: 37, part: "extension outputs" });
    data(0x85, &[0x80], AuthenticatorDataError::Extensions);
    data(0x85, &[0xa1, 0x01, 0x02], AuthenticatorDataError::Extensions);
    data(0x85, &[0xa0, 0xa0], AuthenticatorDataError::TrailingBytes(1));
    data(0x85, &[0xbf, 0xff], AuthenticatorDataError::Cbor(cbor_fault(&[0xbf, 0xff])));
    data(0x45, &[0; 15], AuthenticatorDataError::TooShort { bytes: 52, part: "aaguid" });
    data(0x45, &[0; 18], AuthenticatorDataError::CredentialIdLength(0));
    data(0x45, &[&[0; 16][..], &[4, 0]].concat(), AuthenticatorDataError::CredentialIdLength(1024));
    data(0x05, &[0; 4096], AuthenticatorDataError::TooLong { bytes: 4133, max: 4096 });
    for (length, part) in
        [(0, "relying party hash"), (31, "relying party hash"), (32, "flags"), (36, "counter")]
    {
        let mut cut = Case::default().assertion();
        cut.authenticator_data.truncate(length);
        let expect = AuthenticatorDataError::TooShort { bytes: length, part };
        assert_eq!(Case::default().verify(&cut).unwrap_err(), AssertionError::AuthenticatorData(expect));
    }
    // A whole credential is well-formed, but does not belong here.
    let sec1 = Case::key(1).verifying_key().to_sec1_point(false);
    let key = PublicKey::es256(sec1.as_bytes()).unwrap().to_cose();
    let credential = [&[0; 16][..], &[0, 1, 9], &key].concat();
    refused(Case { flags: 0x45, more: credential, ..Case::default() }, AssertionError::CredentialAttached);
}

fn cbor_fault(bytes: &[u8]) -> passkey::CborError {
    match PublicKey::from_cose(bytes).unwrap_err() {
        passkey::PublicKeyError::Cbor(fault) => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn the_signature_covers_every_byte() {
    let case = Case::default();
    let good = case.assertion();
    for at in 0..good.authenticator_data.len() {
        let mut changed = good.clone();
        changed.authenticator_data[at] ^= 0x40;
        assert!(case.verify(&changed).is_err(), "authenticator data {at}");
    }
    for at in 0..good.client_data_json.len() {
        let mut changed = good.clone();
        changed.client_data_json[at] ^= 0x01;
        assert!(case.verify(&changed).is_err(), "client data {at}");
    }
    for at in 0..good.signature.len() {
        let mut changed = good.clone();
        changed.signature[at] ^= 0x01;
        assert_eq!(case.verify(&changed).unwrap_err(), AssertionError::Signature, "signature {at}");
    }
    // White space that changes no meaning still changes what was signed.
    let mut spaced = good;
    spaced.client_data_json.push(b' ');
    assert_eq!(case.verify(&spaced).unwrap_err(), AssertionError::Signature);
}

#[test]
fn the_counter_is_judged_after_the_signature() {
    refused(Case { signer: 2, previous_sign_count: 99, ..Case::default() }, AssertionError::Signature);
}
