//! Signed notes and checkpoints: a known note, exact forms, and one refusal for each rule.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use receipts::{
    Checkpoint, CheckpointError, JournalPoint, KeyError, Note, NoteError, NoteSigner, SIGNATURES_MAX,
    TreeHash, TreeHead, VerifierKey,
};

use crate::support::{BANK, key, log, signer};

/// The example of Go's `sumdb/note` package, which the signed-note format comes from: its secret key, text and signature.
#[test]
fn the_known_note() {
    let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let secret = STANDARD.decode(secret.splitn(5, '+').nth(4).unwrap()).unwrap();
    let signer = NoteSigner::from_seed("PeterNeumann", secret[1..].try_into().unwrap()).unwrap();
    assert_eq!(signer.verifier().id(), 0xc74f_20a3);
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(signer.verifier().to_string(), vkey);
    assert_eq!(VerifierKey::parse(vkey).unwrap(), *signer.verifier());
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let note = signer.sign(text).unwrap();
    let signature =
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    assert_eq!(note, format!("{text}\n\u{2014} PeterNeumann {signature}\n"));
    assert_eq!(Note::parse(&note).unwrap().verify(signer.verifier()), Ok(text));
}

#[test]
fn keys_that_are_not() {
    let good = key().to_string();
    let check =
        |vkey: &str, expect: KeyError| assert_eq!(VerifierKey::parse(vkey).unwrap_err(), expect, "{vkey}");
    let id = format!("{:08x}", key().id());
    check("", KeyError::Form);
    check("a+b", KeyError::Form);
    check(&good.replace(&id, &id.to_uppercase().replace(char::is_numeric, "A")), KeyError::Form);
    check(&good.replace(&id, &id[1..]), KeyError::Form);
    check(&good[..good.len() - 1], KeyError::Form);
    check(&good.replacen(BANK, "other", 1), {
        let computed = NoteSigner::from_seed("other", &[7; 32]).unwrap().verifier().id();
        KeyError::Id { written: key().id(), computed }
    });
    check(&good.replacen(BANK, "", 1), KeyError::Name);
    check(&good.replacen(BANK, "a b", 1), KeyError::Name);
    check(&format!("x+00000000+{}", STANDARD.encode([2; 33])), KeyError::Type);
    check("x+00000000+", KeyError::Type);
    check(&format!("x+00000000+{}", STANDARD.encode([1; 32])), KeyError::Form);
    let small_order = [&[1, 1][..], &[0; 31]].concat();
    check(&format!("x+00000000+{}", STANDARD.encode(small_order)), KeyError::Point);
    for name in ["", "a b", "a+b", "a\tb", "a\u{3000}b"] {
        assert_eq!(NoteSigner::from_seed(name, &[7; 32]).err(), Some(KeyError::Name), "{name:?}");
    }
}

#[test]
fn notes_that_are_not() {
    let good = signer().sign("text\n").unwrap();
    let line = good.strip_prefix("text\n\n").unwrap();
    let parse =
        |note: &str, expect: NoteError| assert_eq!(Note::parse(note).unwrap_err(), expect, "{note:?}");
    parse("", NoteError::Shape);
    parse("text\n", NoteError::Shape);
    parse("text\n\n", NoteError::Shape);
    parse(&good.replace("\n\n", "\n"), NoteError::Shape);
    parse(good.trim_end(), NoteError::Shape);
    parse(&format!("te\txt\n\n{line}"), NoteError::Control);
    parse(&format!("te\rxt\n\n{line}"), NoteError::Control);
    parse(&good.replace('\u{2014}', "-"), NoteError::SignatureLine(1));
    parse(&good.replace(&format!("{BANK} "), BANK), NoteError::SignatureLine(1));
    parse(&good.replace("=\n", "\n"), NoteError::SignatureLine(1));
    parse(&good.replace("=\n", "=\r\n"), NoteError::SignatureLine(1));
    parse(&format!("{good}\u{2014} x AAAAAA==\n"), NoteError::SignatureLine(2));
    parse(&format!("{good}{}", "\u{2014} x AAAAAAA=\n".repeat(SIGNATURES_MAX)), NoteError::TooManySignatures);
    parse(&"x".repeat(20_000), NoteError::TooLong(20_000));
    assert_eq!(signer().sign("no end").unwrap_err(), NoteError::Shape);
    assert_eq!(signer().sign("").unwrap_err(), NoteError::Shape);
    assert_eq!(signer().sign("a\u{0}\n").unwrap_err(), NoteError::Control);
    assert!(matches!(signer().sign(&format!("{}\n", "x".repeat(16_384))), Err(NoteError::TooLong(_))));
}

#[test]
fn signatures_that_are_not() {
    let good = signer().sign("text\n").unwrap();
    let line = good.strip_prefix("text\n\n").unwrap();
    let verify = |note: &str| Note::parse(note).unwrap().verify(&key()).map(str::to_owned);
    let by = || BANK.to_owned();
    assert_eq!(verify(&good), Ok("text\n".to_owned()));
    // Others' signatures are ignored, wherever they stand, also one under our name with another id.
    let others = "\u{2014} witness.example AAAAAAECAw==\n";
    let same_name = format!("\u{2014} {BANK} AAAAAAECAw==\n");
    assert_eq!(verify(&format!("text\n\n{others}{line}{same_name}")), Ok("text\n".to_owned()));
    assert_eq!(verify(&format!("text\n\n{others}")), Err(NoteError::NotSigned(by())));
    assert_eq!(verify(&format!("{good}{line}")), Err(NoteError::SignedTwice(by())));
    assert_eq!(verify(&format!("Text\n\n{line}")), Err(NoteError::Signature(by())));
    // A text that holds a blank line keeps it.
    assert_eq!(verify(&signer().sign("a\n\nb\n").unwrap()), Ok("a\n\nb\n".to_owned()));
    let short = STANDARD.encode([key().id().to_be_bytes().as_slice(), &[1; 63]].concat());
    assert_eq!(verify(&format!("text\n\n\u{2014} {BANK} {short}\n")), Err(NoteError::Signature(by())));
}

fn checkpoint() -> Checkpoint {
    let journal = JournalPoint { seq: 112, hash: [0xab; 32] };
    Checkpoint::new(BANK, log(11).head(), Some(journal)).unwrap()
}

#[test]
fn a_checkpoint_reads_back() {
    let text = checkpoint().text();
    let journal = format!("journal 112 {}", "ab".repeat(32));
    assert_eq!(text, format!("{BANK}\n11\n{}\n{journal}\n", log(11).head().root));
    assert_eq!(Checkpoint::parse(&text), Ok(checkpoint()));
    assert_eq!(checkpoint().journal().unwrap().seq, 112);
    let note = checkpoint().sign(&signer()).unwrap();
    assert_eq!(Checkpoint::open(&note, &key()), Ok(checkpoint()));
    let plain = Checkpoint::new(BANK, TreeHead { size: 0, root: TreeHash::empty_root() }, None).unwrap();
    assert_eq!(Checkpoint::parse(&plain.text()), Ok(plain));
    // Extensions of others are kept as they are.
    let more = format!("{text}other extension\n");
    let read = Checkpoint::parse(&more).unwrap();
    assert_eq!((read.text(), read.extensions()), (more, &[journal, "other extension".to_owned()][..]));
}

#[test]
fn checkpoints_that_are_not() {
    let good = checkpoint().text();
    let root = log(11).head().root.to_string();
    let check = |text: &str, expect: CheckpointError| {
        assert_eq!(Checkpoint::parse(text).unwrap_err(), expect, "{text:?}");
    };
    check("", CheckpointError::Ending);
    check(good.trim_end(), CheckpointError::Ending);
    check("\n", CheckpointError::Origin);
    check(&format!("{BANK}\n"), CheckpointError::Size);
    for size in ["", "011", "+11", "-1", "11 ", "0x11", "18446744073709551616"] {
        check(&format!("{BANK}\n{size}\n{root}\n"), CheckpointError::Size);
    }
    check(&format!("{BANK}\n11\n"), CheckpointError::Root);
    check(&format!("{BANK}\n11\n{}\n", &root[..40]), CheckpointError::Root);
    check(&format!("{BANK}\n11\n{root} \n"), CheckpointError::Root);
    check(&format!("{BANK}\n11\n{root}\n\n"), CheckpointError::Extension(1));
    check(&good.replace("journal 112", "journal 0112"), CheckpointError::Extension(1));
    check(&good.replace("abab", "ABAB"), CheckpointError::Extension(1));
    check(&good.replace("journal 112 ab", "journal 112 "), CheckpointError::Extension(1));
    check(&format!("{good}journal 113 {}\n", "cd".repeat(32)), CheckpointError::Extension(2));
    assert_eq!(Checkpoint::new("", log(1).head(), None).unwrap_err(), CheckpointError::Origin);
    assert_eq!(Checkpoint::new("a\nb", log(1).head(), None).unwrap_err(), CheckpointError::Origin);
}

#[test]
fn a_key_signs_for_its_own_log_only() {
    let other = Checkpoint::new("other.example", log(3).head(), None).unwrap();
    let refused = CheckpointError::OtherLog { origin: "other.example".into(), key: BANK.into() };
    assert_eq!(other.sign(&signer()).unwrap_err(), refused);
    let note = signer().sign(&other.text()).unwrap();
    assert_eq!(Checkpoint::open(&note, &key()).unwrap_err(), refused);
}

#[test]
fn a_bare_signature_is_over_every_byte_of_a_message() {
    let message = br#"{"notice":1}"#;
    let signature = signer().sign_message(message);
    assert!(key().is_of(message, &signature));
    for at in 0..message.len() {
        let mut other = message.to_vec();
        other[at] ^= 1;
        assert!(!key().is_of(&other, &signature));
    }
    assert!(!key().is_of(message, &signature[1..]));
    let stranger = NoteSigner::from_seed("stranger", &[9; 32]).unwrap();
    assert!(!stranger.verifier().is_of(message, &signature));
}
