//! Our side of the rails against the sandbox's centre, in one process: every message through the real frames of both.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test stops at the first surprise"
)]

mod support;

use cnaps::Frame;
use money::{EffectId, Timestamp};
use payments::{Answer, Effect, Rail, RailNotice, Settlement};
use rails::{SendError, Sent};
use support::{Centre, NOW, answer_effect, credit_effect, notices};

#[test]
fn a_credit_goes_out_and_its_answer_comes_back() {
    let mut centre = Centre::new();
    let outgoing = centre
        .translator
        .outgoing(EffectId::new(1), &credit_effect("6210990000000001", "陈静"), NOW)
        .unwrap();
    assert_eq!(centre.post(&outgoing), Sent::Acknowledged);
    let said = centre.until_said(1_000);
    let answers: Vec<_> =
        notices(&said).filter(|notice| matches!(notice, RailNotice::Answer { .. })).collect();
    let [RailNotice::Answer { original, answer: Answer::Confirmed(Settlement::Netted { round, .. }) }] =
        answers.as_slice()
    else {
        panic!("{said:?}");
    };
    assert_eq!((original.as_str(), *round), ("3131000000152026112400000001", 1));
}

#[test]
fn the_same_effect_gives_the_same_bytes_and_is_known_as_a_repeat() {
    let mut centre = Centre::new();
    let effect = credit_effect("6210990000000001", "陈静");
    let first = centre.translator.outgoing(EffectId::new(1), &effect, NOW).unwrap();
    let again = centre.translator.outgoing(EffectId::new(1), &effect, NOW).unwrap();
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(centre.post(&first), Sent::Acknowledged);
    assert_eq!(centre.post(&again), Sent::Acknowledged);
    assert_eq!(centre.payments(), 1);
}

#[test]
fn what_the_other_bank_does_not_take_comes_back_with_its_code() {
    for (account, name, code) in [
        ("6210990000000011", "孙丽", "RJ11"),
        ("6210990000000001", "别人", "RJ02"),
        ("6210990000009999", "陈静", "RJ01"),
    ] {
        let mut centre = Centre::new();
        let outgoing =
            centre.translator.outgoing(EffectId::new(1), &credit_effect(account, name), NOW).unwrap();
        assert_eq!(centre.post(&outgoing), Sent::Acknowledged);
        let said = centre.until_said(1_000);
        let rejected = notices(&said).any(|notice| {
            matches!(notice, RailNotice::Answer { answer: Answer::Rejected { code: found }, .. } if found.as_str() == code)
        });
        assert!(rejected, "{account}: {said:?}");
    }
}

#[test]
fn an_inbound_credit_is_read_and_answered_and_comes_in_a_round() {
    let mut centre = Centre::new();
    centre.send_credit("62178800000000017", "林晓雯", "1234.56");
    let said = centre.until_said(100);
    let credit = notices(&said).find_map(|notice| match notice {
        RailNotice::Credit { key, to, amount, settlement, .. } => Some((key, to, amount, settlement)),
        _ => None,
    });
    let (key, to, amount, settlement) = credit.unwrap();
    assert_eq!((to.account.as_str(), amount.to_string().as_str()), ("62178800000000017", "1234.56 CNY"));
    assert_eq!(*settlement, None);
    let answer = answer_effect(key, *amount);
    let outgoing = centre.translator.outgoing(EffectId::new(9), &answer, NOW).unwrap();
    assert_eq!(centre.post(&outgoing), Sent::Acknowledged);
    let said = centre.until_said(5_000);
    let netted =
        notices(&said).any(|notice| matches!(notice, RailNotice::Netted { original, .. } if original == key));
    assert!(netted, "{said:?}");
}

#[test]
fn a_changed_byte_is_refused_and_says_nothing() {
    let mut centre = Centre::new();
    centre.send_credit("62178800000000017", "林晓雯", "1234.56");
    let frame = centre.next_frame();
    let text = String::from_utf8(frame.clone()).unwrap();
    let forged = text.replace("1234.56", "9234.56");
    assert_ne!(text, forged);
    let forged = Frame::decode(forged.as_bytes()).unwrap();
    let rejection = centre.translator.accept(&forged, |_| None).unwrap_err();
    assert_eq!(rejection.code, cnaps::RejectCode::Signature);
    // Another receiver, another form: each with its own code and words.
    let mut astray = Frame::decode(&frame).unwrap();
    astray.header.receiver = cnaps::BankNumber::parse("102100000099").unwrap();
    let rejection = centre.translator.accept(&astray, |_| None).unwrap_err();
    assert!(rejection.information.contains("another bank"), "{}", rejection.information);
    let malformed = text.replace("<NbOfTxs>1</NbOfTxs>", "<NbOfTxs>2</NbOfTxs>");
    let malformed = Frame::decode(malformed.as_bytes()).unwrap();
    let rejection = centre.translator.accept(&malformed, |_| None).unwrap_err();
    assert_eq!(rejection.code, cnaps::RejectCode::CentreSchema);
    assert!(rejection.information.contains("/Document/"), "{}", rejection.information);
}

#[test]
fn an_acknowledgement_of_another_frame_is_none() {
    let mut centre = Centre::new();
    let one = centre
        .translator
        .outgoing(EffectId::new(1), &credit_effect("6210990000000001", "陈静"), NOW)
        .unwrap();
    let later = NOW.plus_ms(1_000);
    let effect = answer_effect(&support::key(), support::fen(100));
    let other = centre.translator.outgoing(EffectId::new(2), &effect, later).unwrap();
    let ack = centre.raw(&one);
    assert!(matches!(centre.translator.sent(&other, &ack), Sent::Unclear(_)));
    assert!(matches!(centre.translator.sent(&one, b"nonsense"), Sent::Unclear(_)));
}

#[test]
fn the_centre_says_why_it_refuses() {
    let mut centre = Centre::new();
    let effect = credit_effect("6210990000000001", "陈静");
    let Effect::SendCredit { payment, message, from, to, note, .. } = effect else { panic!() };
    let amount = support::fen(100_000_001);
    let above = Effect::SendCredit { payment, rail: Rail::Instant, message, from, to, amount, note };
    let outgoing = centre.translator.outgoing(EffectId::new(1), &above, NOW).unwrap();
    assert_eq!(centre.post(&outgoing), Sent::Refused(cnaps::RejectCode::CentreCeiling));
}

#[test]
fn what_a_rail_cannot_carry_is_told_before_it_is_sent() {
    let centre = Centre::new();
    let mut effect = answer_effect(&support::key(), support::fen(1));
    if let Effect::SendAnswer { reject, .. } = &mut effect {
        *reject = Some(money::Text::clip("XX99"));
    }
    let refused = centre.translator.outgoing(EffectId::new(1), &effect, NOW);
    assert!(matches!(refused, Err(SendError::Code(_))), "{refused:?}");
    let late = Timestamp::from_ms(u64::MAX);
    assert!(centre.translator.outgoing(EffectId::new(1), &effect, late).is_err());
}
