//! One-time codes: the RFCs' tables, the window, replay, base32, the address.

use std::path::PathBuf;

use passkey::secret::Secret;
use passkey::totp::{
    Base32Error, Hash, Parameters, TotpError, base32_decode, base32_encode, code_at, counter_at, otpauth_uri,
    verify, verify_with,
};
use proptest::prelude::*;

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.as_bytes().to_vec())
}

/// The seed of the RFCs' tables.
fn seed() -> Secret<Vec<u8>> {
    secret("12345678901234567890")
}

/// The outside vectors, or nothing where they are absent (never in continuous integration).
fn table(name: &str) -> Option<serde_json::Value> {
    let folder = std::env::var_os("JINKU_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(folder.join("custody/otp").join(name)) else {
        assert!(std::env::var_os("CI").is_none(), "{name} must be there in continuous integration");
        println!("skipped: vectors absent ({name})");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn rfc_6238_table() {
    let Some(table) = table("rfc6238-totp.json") else { return };
    let mut count = 0;
    for row in table["rows"].as_array().unwrap() {
        for (name, hash) in [("SHA1", Hash::Sha1), ("SHA256", Hash::Sha256), ("SHA512", Hash::Sha512)] {
            let parameters = Parameters { hash, digits: 8, step_s: 30 };
            let seed = secret(table["keys_ascii"][name].as_str().unwrap());
            let now_ms = row["time"].as_u64().unwrap() * 1000;
            let code = row[name].as_str().unwrap();
            let counter = counter_at(parameters, now_ms).unwrap();
            assert_eq!(code_at(parameters, &seed, counter).unwrap(), code);
            assert_eq!(verify_with(parameters, &seed, code, now_ms, None), Ok(counter));
            count += 1;
        }
    }
    assert_eq!(count, 18);
}

#[test]
fn rfc_4226_table() {
    let Some(table) = table("rfc4226-hotp.json") else { return };
    let seed = secret(table["key_ascii"].as_str().unwrap());
    let values = table["values"].as_array().unwrap();
    for (counter, code) in (0..).zip(values) {
        assert_eq!(code_at(Parameters::WALLET, &seed, counter).unwrap(), code.as_str().unwrap());
    }
    assert_eq!(values.len(), 10);
}

#[test]
fn window_and_replay() {
    // Step 4 begins at 120 s.
    let now_ms = 125_000;
    let code = |counter| code_at(Parameters::WALLET, &seed(), counter).unwrap();
    let check = |counter: u64, last: Option<u64>, expect| {
        assert_eq!(verify(&seed(), &code(counter), now_ms, last), expect, "{counter} after {last:?}");
    };
    check(4, None, Ok(4));
    check(3, None, Ok(3));
    check(5, None, Ok(5));
    check(2, None, Err(TotpError::Wrong));
    check(6, None, Err(TotpError::Wrong));
    check(4, Some(3), Ok(4));
    check(4, Some(4), Err(TotpError::Replayed));
    check(3, Some(4), Err(TotpError::Replayed));
    check(5, Some(4), Ok(5));
    check(4, Some(9), Err(TotpError::Replayed));
    // The edges of time.
    assert_eq!(verify(&seed(), &code(0), 0, None), Ok(0));
    assert_eq!(verify(&seed(), &code(0), u64::MAX, None), Err(TotpError::Wrong));
}

#[test]
fn codes_that_are_not_codes() {
    for code in ["", "12345", "1234567", "12345a", " 12345", "１２", "-12345", "+12345"] {
        assert_eq!(verify(&seed(), code, 0, None), Err(TotpError::Malformed(6)), "{code:?}");
    }
    assert_eq!(verify(&secret("short"), "123456", 0, None), Err(TotpError::SeedTooShort(5)));
    let with = |digits, step_s| Parameters { digits, step_s, ..Parameters::WALLET };
    assert_eq!(code_at(with(0, 30), &seed(), 0), Err(TotpError::Parameters));
    assert_eq!(code_at(with(10, 30), &seed(), 0), Err(TotpError::Parameters));
    assert_eq!(counter_at(with(6, 0), 0), Err(TotpError::Parameters));
}

#[test]
fn base32_table() {
    // RFC 4648 §10, without padding.
    let table = [
        ("", ""),
        ("f", "MY"),
        ("fo", "MZXQ"),
        ("foo", "MZXW6"),
        ("foob", "MZXW6YQ"),
        ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ];
    for (plain, text) in table {
        assert_eq!(base32_encode(plain.as_bytes()), text);
        assert_eq!(base32_decode(text).unwrap_or_else(|e| panic!("{e}")).expose(), plain.as_bytes());
    }
    assert_eq!(base32_decode("mzxw 6ytb oi").unwrap_or_else(|e| panic!("{e}")).expose(), b"foobar");
    let fault = |text| base32_decode(text).err().unwrap();
    assert_eq!(fault("MZ1Q"), Base32Error::Character(2));
    assert_eq!(fault("MY======"), Base32Error::Character(2));
    assert_eq!(fault("MZ"), Base32Error::Incomplete);
    assert_eq!(fault("M"), Base32Error::Incomplete);
    assert_eq!(fault("MZXW6Y"), Base32Error::Incomplete);
}

#[test]
fn the_address_an_app_reads() {
    let uri = otpauth_uri(Parameters::WALLET, &seed(), "Jinku 金库", "lin:1");
    assert_eq!(
        uri,
        "otpauth://totp/Jinku%20%E9%87%91%E5%BA%93:lin%3A1?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
         &issuer=Jinku%20%E9%87%91%E5%BA%93&algorithm=SHA1&digits=6&period=30"
    );
}

proptest! {
    #[test]
    fn base32_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let decoded = base32_decode(&base32_encode(&bytes));
        prop_assert_eq!(decoded.ok().map(|d| d.expose().clone()), Some(bytes));
    }

    #[test]
    fn base32_has_one_spelling(text in "[A-Z2-7]{0,40}") {
        if let Ok(bytes) = base32_decode(&text) {
            prop_assert_eq!(base32_encode(bytes.expose()), text);
        }
    }

    #[test]
    fn a_step_is_accepted_once(now_ms in 0_u64..4_000_000_000_000, back in 0_u64..2) {
        let present = counter_at(Parameters::WALLET, now_ms).unwrap();
        let counter = present.saturating_sub(back);
        let code = code_at(Parameters::WALLET, &seed(), counter).unwrap();
        let used = verify(&seed(), &code, now_ms, None).unwrap();
        prop_assert!(used.abs_diff(present) <= 1);
        prop_assert_ne!(verify(&seed(), &code, now_ms, Some(present + 1)), Ok(used));
    }
}
