//! Every message type: written, framed, read back; wrong content refused with its place; signatures.

use cnaps::*;
use jiff::civil::date;

use crate::frames::header;

fn id(sequence: u32) -> MessageId {
    MessageId::new(BankNumber::parse("313100000015").unwrap(), date(2026, 11, 24), sequence).unwrap()
}

fn bank(last: &str) -> BankNumber {
    BankNumber::parse(&format!("31310000000{last}")).unwrap()
}

fn original() -> OriginalRef {
    OriginalRef { message_id: id(1), message_type: MessageType::Ibps101 }
}

fn credit() -> Message {
    Message::Credit(Credit {
        message_id: id(7),
        created_at: "2026-11-24T01:30:05Z".parse().unwrap(),
        end_to_end_id: "E2E-1".to_owned(),
        amount: Money::cny(888),
        settlement_date: date(2026, 11, 24),
        debtor_name: "王芳".to_owned(),
        debtor_account: "6222000000000001".to_owned(),
        debtor_bank: bank("5"),
        creditor_bank: bank("6"),
        creditor_name: "李 & Sons <Ltd>".to_owned(),
        creditor_account: "6222000000000002".to_owned(),
        remittance: Some("房租 11月".to_owned()),
    })
}

/// One message of each form, optional fields present.
fn sample(form: Form) -> Message {
    let (message_id, day) = (id(9), date(2026, 11, 24));
    let created_at = "2026-11-24T01:30:05.25Z".parse().unwrap();
    let information = Some("text".to_owned());
    let net = || Net { side: Side::Debit, amount: Money::cny(100) };
    match form {
        Form::Credit => credit(),
        Form::Answer => Message::Answer(Answer {
            message_id,
            created_at,
            original: original(),
            status: Status::Rejected,
            reject: Some(RejectCode::NameMismatch),
            information,
        }),
        Form::Return => Message::Return(Return {
            message_id,
            created_at,
            original: original(),
            amount: Money::cny(888),
            settlement_date: day,
            from_bank: bank("6"),
            to_bank: bank("5"),
            reason: RejectCode::NoAccount,
            information,
        }),
        Form::CancelRequest => Message::CancelRequest(CancelRequest {
            message_id,
            created_at,
            original: original(),
            amount: Money::cny(888),
            reason: information,
        }),
        Form::CancelAnswer => Message::CancelAnswer(CancelAnswer {
            message_id,
            created_at,
            request_id: id(2),
            original_id: id(1),
            status: Status::Cancelled,
            reject: None,
            information,
        }),
        Form::NegativeAck => Message::NegativeAck(NegativeAck {
            message_id,
            created_at,
            original_sender: bank("5"),
            original_transport_id: "x".to_owned(),
            original_type: "nope.1".to_owned(),
            reject: RejectCode::CentreSchema,
            information,
        }),
        Form::TransportAck => Message::TransportAck(TransportAck {
            message_id,
            created_at,
            original_sender: bank("5"),
            original_transport_id: "x".to_owned(),
            original_type: "ibps.101".to_owned(),
            duplicate: true,
        }),
        Form::NettingNotice => Message::NettingNotice(NettingNotice {
            message_id,
            created_at,
            bank: bank("5"),
            business_date: day,
            round: 4,
            net: net(),
            entries: vec![
                NettingEntry { original: original(), side: Side::Debit, amount: Money::cny(300) },
                NettingEntry { original: original(), side: Side::Credit, amount: Money::cny(200) },
            ],
        }),
        Form::SettlementNotice => Message::SettlementNotice(SettlementNotice {
            message_id,
            created_at,
            bank: bank("5"),
            business_date: day,
            round: 4,
            net: net(),
            status: Status::Settled,
            settled_at: created_at,
        }),
        Form::Totals => Message::Totals(Totals {
            message_id,
            created_at,
            bank: bank("5"),
            business_date: day,
            page: 2,
            pages: 3,
            lines: vec![TotalLine {
                status: Status::Settled,
                side: Side::Credit,
                round: 0,
                count: 9_999_999_999,
                amount: Money::cny(Money::MINOR_UNITS_MAX),
            }],
        }),
        Form::DetailRequest => Message::DetailRequest(DetailRequest {
            message_id,
            created_at,
            bank: bank("5"),
            business_date: day,
            status: Some(Status::Netted),
            round: Some(u32::MAX),
        }),
        Form::DetailAnswer => Message::DetailAnswer(DetailAnswer {
            message_id,
            created_at,
            request_id: id(3),
            bank: bank("5"),
            business_date: day,
            details: vec![DetailLine {
                original: original(),
                status: Status::Settled,
                side: Side::Debit,
                round: 1,
                amount: Money::cny(1),
            }],
        }),
        Form::BusinessDateChange => Message::BusinessDateChange(BusinessDateChange {
            message_id,
            created_at,
            system: System::Hvps,
            previous_date: day,
            new_date: date(2026, 11, 25),
            effective_at: created_at,
        }),
        Form::CentreStatus => Message::CentreStatus(CentreStatus {
            message_id,
            created_at,
            system: System::Ibps,
            state: CentreState::Clearing,
            business_date: day,
            effective_at: created_at,
            information,
        }),
    }
}

#[test]
fn every_type_goes_out_and_comes_back_the_same() {
    for message_type in MessageType::ALL {
        message_type.schema().unwrap_or_else(|e| panic!("{}: {e}", message_type.code()));
        assert_eq!(MessageType::from_code(message_type.code()), Some(*message_type));
        assert_eq!(MessageType::of(message_type.system(), message_type.form()), Some(*message_type));
        let message = sample(message_type.form());
        let frame = message.to_frame(*message_type, header(Version::V01)).unwrap();
        let bytes = frame.encode().unwrap();
        let back = Message::parse(&Frame::decode(&bytes).unwrap()).unwrap();
        assert_eq!(back, (*message_type, message));
    }
}

#[test]
fn codes_travel_as_their_text() {
    for status in Status::ALL {
        assert_eq!(Status::from_code(status.code()), Some(*status));
        let Message::Answer(answer) = sample(Form::Answer) else { panic!("not an answer") };
        let message = Message::Answer(Answer { status: *status, ..answer });
        assert!(message.to_frame(MessageType::Ibps102, header(Version::V01)).is_ok(), "{status:?}");
    }
    for reject in RejectCode::ALL {
        assert_eq!(RejectCode::from_code(reject.code()), Some(*reject));
        let Message::Answer(answer) = sample(Form::Answer) else { panic!("not an answer") };
        let message = Message::Answer(Answer { reject: Some(*reject), ..answer });
        assert!(message.to_frame(MessageType::Hvps102, header(Version::V01)).is_ok(), "{reject:?}");
    }
    assert_eq!(Status::from_code("PR99"), None);
    assert_eq!(RejectCode::NameMismatch.text(), "account and name do not match");
}

/// The credit's body with one change is refused with this text.
fn check(from: &str, to: &str, expected: &str) {
    let mut frame = credit().to_frame(MessageType::Ibps101, header(Version::V01)).unwrap();
    assert!(frame.body.contains(from), "{from} not in {}", frame.body);
    frame.body = frame.body.replace(from, to);
    let refused = Message::parse(&frame).unwrap_err().to_string();
    assert!(refused.starts_with(expected), "{refused}");
}

#[test]
fn wrong_content_is_refused_with_its_place() {
    let transfer = "/Document/FIToFICstmrCdtTrf";
    let transaction = format!("{transfer}/CdtTrfTxInf");
    let amount = format!("{transaction}/IntrBkSttlmAmt");
    check("8.88", "8.888", &format!("{amount}: 3 fraction digits, at most 2 allowed"));
    check("8.88", "-8.88", &format!("{amount}: number out of range"));
    check("CNY", "cny", &format!("{amount}/@Ccy: does not match pattern"));
    check("<NbOfTxs>1<", "<NbOfTxs>2<", &format!("{transfer}/GrpHdr/NbOfTxs: not one of"));
    check("<Nm>王芳</Nm>", "<Nm></Nm>", &format!("{transaction}/Dbtr/Nm: "));
    check("房租", "房|租", &format!("{transaction}/RmtInf/Ustrd: does not match pattern"));
    check("<Cdtr>", "<Cdtr><Age>3</Age>", &format!("{transaction}/Cdtr/Age: element not declared"));
    check("urn:jinku:sandbox:xsd:ibps.101", "urn:jinku:sandbox:xsd:hvps.111", "/Document: namespace is not");
    check("2026-11-24</", "2026-11-31</", &format!("{transaction}/IntrBkSttlmDt: not a valid date"));
    check("2026-11-24</", "2026-11-24Z</", &format!("{transaction}/IntrBkSttlmDt: not a plain date"));
    check("05Z</", "05</", &format!("{transfer}/GrpHdr/CreDtTm: not a time with its zone"));
    check("2026112400000007<", "2026113100000007<", &format!("{transfer}/GrpHdr/MsgId: "));
    check(
        "000007</TxId>",
        "000008</TxId>",
        &format!("{transaction}/PmtId/TxId: differs from the message id"),
    );
    check("<Document", "\u{feff}<Document", "/: ");
}

#[test]
fn type_and_form_must_agree() {
    let wrong = credit().to_frame(MessageType::Ibps102, header(Version::V01));
    assert_eq!(wrong, Err(MessageError::WrongForm("ibps.102")));
    let mut frame = credit().to_frame(MessageType::Ibps101, header(Version::V01)).unwrap();
    frame.header.message_type = "beps.121".to_owned();
    assert_eq!(Message::parse(&frame), Err(MessageError::UnknownType("beps.121".to_owned())));
    let Message::Credit(mut long) = credit() else { panic!("not a credit") };
    long.creditor_name = "x".repeat(141);
    let refused = Message::Credit(long).to_frame(MessageType::Ibps101, header(Version::V01)).unwrap_err();
    assert!(refused.to_string().contains("/Cdtr/Nm: length 141 above 140"), "{refused}");
}

#[test]
fn signatures_cover_every_field() {
    assert_eq!(signature_text([" a ", "", "CNY8.88"]), "a|CNY8.88|");
    let text = message_text(MessageType::Ibps101, &credit());
    assert!(
        text.starts_with("ibps.101|3131000000152026112400000007|2026-11-24T01:30:05Z|1|CLRG|E2E-1|"),
        "{text}"
    );
    assert!(text.contains("|CNY8.88|2026-11-24|王芳|"), "{text}");
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let profile = Ed25519Profile::new(key.verifying_key().as_bytes()).unwrap();
    let signature = Ed25519Profile::sign(&key, &text);
    // Signed, framed, read back, verified.
    let mut frame = credit().to_frame(MessageType::Ibps101, header(Version::V02)).unwrap();
    frame.signature = Some(signature.clone());
    let back = Frame::decode(&frame.encode().unwrap()).unwrap();
    let (message_type, message) = Message::parse(&back).unwrap();
    profile.verify(&message_text(message_type, &message), &back.signature.unwrap()).unwrap();
    // Altered content, an altered signature, another key.
    let Message::Credit(mut altered) = credit() else { panic!("not a credit") };
    altered.amount = Money::cny(889);
    let mismatch = Err(SignatureError::Mismatch { algorithm: "ed25519" });
    assert_eq!(
        profile.verify(&message_text(MessageType::Ibps101, &Message::Credit(altered)), &signature),
        mismatch
    );
    assert_eq!(profile.verify(&message_text(MessageType::Hvps111, &credit()), &signature), mismatch);
    let mut flipped = signature.clone();
    flipped[0] ^= 1;
    assert_eq!(profile.verify(&text, &flipped), mismatch);
    assert_eq!(profile.verify(&text, &signature[..63]), mismatch);
    let other = ed25519_dalek::SigningKey::from_bytes(&[8; 32]);
    let other = Ed25519Profile::new(other.verifying_key().as_bytes()).unwrap();
    assert_eq!(other.verify(&text, &signature), mismatch);
    assert!(Ed25519Profile::new(&[0; 32]).is_err());
}
