//! Views: written ones are valid in the published versions and read back the same; samples can be read.

use iso20022::view::*;
use iso20022::{Amount, Document, SchemaSet};

use crate::vectors;

fn agent(bic: &str) -> Agent {
    Agent { bic: Some(bic.to_owned()), ..Agent::default() }
}

fn member(number: &str) -> Agent {
    Agent {
        clearing_system: Some("CNAPS".to_owned()),
        member_id: Some(number.to_owned()),
        name: Some("Bank & Co".to_owned()),
        bic: None,
    }
}

fn party(name: &str, account: Account, agent: Agent) -> Party {
    Party { name: Some(name.to_owned()), account: Some(account), agent: Some(agent) }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn ids() -> PaymentIds {
    PaymentIds {
        instruction_id: some("I-1"),
        end_to_end_id: some("E-1"),
        transaction_id: some("T-1"),
        uetr: some("00000000-0000-4000-8000-000000000001"),
    }
}

fn cny(text: &str) -> Amount {
    Amount::parse(text, "CNY").unwrap()
}

fn original() -> Option<OriginalGroup> {
    Some(OriginalGroup {
        message_id: "M-0".to_owned(),
        message_name: "pacs.008.001.08".to_owned(),
        created_at: some("2026-11-24T09:00:00Z"),
    })
}

fn reasons() -> Vec<Reason> {
    vec![
        Reason { code: some("AC04"), proprietary: None, information: vec!["closed".to_owned()] },
        Reason { code: None, proprietary: some("RJ11"), information: vec![] },
    ]
}

fn debtor() -> Party {
    party("王芳", Account::Other("6222000000000001".to_owned()), member("313100000015"))
}

fn creditor() -> Party {
    party("Müller <GmbH>", Account::Iban("DE89370400440532013000".to_owned()), agent("DEUTDEFF"))
}

const AT: &str = "2026-11-24T09:30:00+08:00";

/// The document is valid in this set, and the view read from what was emitted is the one written.
fn check<V: PartialEq + std::fmt::Debug>(
    set: &SchemaSet,
    view: &V,
    document: Document,
    read: impl Fn(&Document) -> Result<V, ViewError>,
) {
    let name = document.namespace.clone();
    let bytes = set.emit(&document).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(&read(&set.validate(&bytes).unwrap()).unwrap(), view, "{name}");
}

#[test]
fn payments_are_valid_in_the_published_versions() {
    let Some(folder) = vectors::folder("views of payments") else { return };
    let set = vectors::schemas(&folder);
    let transfer = CreditTransfer {
        ids: ids(),
        amount: cny("8.88"),
        settlement_date: some("2026-11-24"),
        charge_bearer: some("SLEV"),
        debtor: debtor(),
        creditor: creditor(),
        remittance: vec!["房租".to_owned()],
    };
    let view = CreditTransfers {
        message_id: "M-1".to_owned(),
        created_at: AT.to_owned(),
        settlement_method: "CLRG".to_owned(),
        transactions: vec![transfer.clone(), transfer],
    };
    for version in ["08", "09", "10", "11", "12", "13"] {
        check(
            &set,
            &view,
            view.to_document(&format!("pacs.008.001.{version}")),
            CreditTransfers::from_document,
        );
    }
    let view = PaymentReturns {
        message_id: "M-2".to_owned(),
        created_at: AT.to_owned(),
        settlement_method: "CLRG".to_owned(),
        original: original(),
        transactions: vec![PaymentReturn {
            return_id: some("R-1"),
            original: None,
            original_ids: ids(),
            original_amount: Some(cny("8.88")),
            amount: cny("8.00"),
            settlement_date: some("2026-11-25"),
            reasons: reasons(),
        }],
    };
    for version in ["09", "11"] {
        check(
            &set,
            &view,
            view.to_document(&format!("pacs.004.001.{version}")),
            PaymentReturns::from_document,
        );
    }
    let view = PaymentInitiation {
        message_id: "M-3".to_owned(),
        created_at: AT.to_owned(),
        initiating_party: some("Shop"),
        batches: vec![PaymentBatch {
            id: "B-1".to_owned(),
            method: "TRF".to_owned(),
            execution_date: "2026-11-24".to_owned(),
            debtor: debtor(),
            transfers: vec![InitiatedTransfer {
                ids: PaymentIds { transaction_id: None, ..ids() },
                amount: cny("1"),
                creditor: creditor(),
                remittance: vec![],
            }],
        }],
    };
    for version in ["09", "11", "13"] {
        check(
            &set,
            &view,
            view.to_document(&format!("pain.001.001.{version}")),
            PaymentInitiation::from_document,
        );
    }
}

#[test]
fn answers_are_valid_in_the_published_versions() {
    let Some(folder) = vectors::folder("views of answers") else { return };
    let set = vectors::schemas(&folder);
    let status = TransactionStatus {
        status_id: some("S-1"),
        original: None,
        original_ids: ids(),
        status: some("RJCT"),
        reasons: reasons(),
    };
    let view = PaymentStatusReport {
        message_id: "M-4".to_owned(),
        created_at: AT.to_owned(),
        original: original(),
        group_status: some("PART"),
        group_reasons: reasons(),
        transactions: vec![status.clone()],
    };
    for version in ["10", "12"] {
        let document = view.to_document(&format!("pacs.002.001.{version}"));
        check(&set, &view, document, PaymentStatusReport::from_document);
    }
    let ids_of_customer = PaymentIds { transaction_id: None, ..ids() };
    let view = CustomerStatusReport {
        message_id: "M-5".to_owned(),
        created_at: AT.to_owned(),
        original: original().unwrap(),
        group_status: some("PART"),
        group_reasons: vec![],
        batches: vec![(
            "B-1".to_owned(),
            vec![TransactionStatus { original_ids: ids_of_customer, ..status }],
        )],
    };
    for version in ["10", "12"] {
        let document = view.to_document(&format!("pain.002.001.{version}"));
        check(&set, &view, document, CustomerStatusReport::from_document);
    }
    let view = CancellationRequest {
        assignment_id: "A-1".to_owned(),
        created_at: AT.to_owned(),
        assigner: agent("BKCHCNBJ"),
        assignee: agent("DEUTDEFF"),
        transactions: vec![Cancellation {
            cancellation_id: some("C-1"),
            original: original(),
            original_ids: ids(),
            original_amount: Some(cny("8.88")),
            original_settlement_date: some("2026-11-24"),
            reasons: reasons()[..1].to_vec(),
        }],
    };
    for version in ["09", "10", "12"] {
        let document = view.to_document(&format!("camt.056.001.{version}"));
        check(&set, &view, document, CancellationRequest::from_document);
    }
    let view = CancellationAnswer {
        assignment_id: "A-2".to_owned(),
        created_at: AT.to_owned(),
        assigner: agent("DEUTDEFF"),
        assignee: agent("BKCHCNBJ"),
        status: some("RJCR"),
        transactions: vec![CancellationStatus {
            status_id: some("S-2"),
            original: original(),
            original_ids: ids(),
            status: some("RJCR"),
            reasons: reasons(),
        }],
    };
    for version in ["10", "11", "14"] {
        let document = view.to_document(&format!("camt.029.001.{version}"));
        check(&set, &view, document, CancellationAnswer::from_document);
    }
    let view = AppHeader {
        from: agent("BKCHCNBJ"),
        to: member("313100000015"),
        message_id: "M-1".to_owned(),
        message_name: "pacs.008.001.08".to_owned(),
        service: some("sandbox"),
        created_at: "2026-11-24T09:30:00Z".to_owned(),
        possible_duplicate: Some(true),
    };
    for version in ["02", "04"] {
        check(&set, &view, view.to_document(&format!("head.001.001.{version}")), AppHeader::from_document);
    }
}

#[test]
fn reports_are_valid_in_the_published_versions() {
    let Some(folder) = vectors::folder("views of reports") else { return };
    let set = vectors::schemas(&folder);
    let kinds = [ReportKind::Intraday, ReportKind::Statement, ReportKind::Notification];
    for (kind, number) in kinds.into_iter().zip(["052", "053", "054"]) {
        let balance = Balance {
            kind: "CLBD".to_owned(),
            amount: cny("100.05"),
            credit: true,
            date: "2026-11-24".to_owned(),
        };
        let view = AccountReport {
            kind,
            message_id: "M-6".to_owned(),
            created_at: AT.to_owned(),
            statements: vec![Statement {
                id: "S-1".to_owned(),
                account: Account::Other("6222000000000001".to_owned()),
                balances: if number == "054" { vec![] } else { vec![balance] },
                entries: vec![Entry {
                    reference: some("N-1"),
                    amount: cny("8.88"),
                    credit: false,
                    reversal: true,
                    status: "BOOK".to_owned(),
                    booking_date: some("2026-11-24"),
                    value_date: some("2026-11-24T10:00:00Z"),
                    servicer_reference: some("SV-1"),
                    transaction_code: some("PR04"),
                    details: vec![EntryDetail {
                        ids: ids(),
                        amount: Some(cny("8.88")),
                        debtor: debtor(),
                        creditor: creditor(),
                        remittance: vec!["房租".to_owned()],
                    }],
                }],
            }],
        };
        for version in ["08", "09", "10", "13"] {
            let document = view.to_document(&format!("camt.{number}.001.{version}"));
            check(&set, &view, document, |d| AccountReport::from_document(kind, d));
        }
    }
}

/// Reads the view that belongs to the document; the answer names the message.
fn read_any(d: &Document) -> Option<Result<&'static str, ViewError>> {
    let is = |name: &str| d.namespace.contains(&format!(":{name}."));
    let report = |kind| AccountReport::from_document(kind, d).map(|_| "camt.05x");
    Some(match () {
        () if is("pacs.008") => CreditTransfers::from_document(d).map(|_| "pacs.008"),
        () if is("pacs.004") => PaymentReturns::from_document(d).map(|_| "pacs.004"),
        () if is("pacs.002") => PaymentStatusReport::from_document(d).map(|_| "pacs.002"),
        () if is("pain.001") => PaymentInitiation::from_document(d).map(|_| "pain.001"),
        () if is("camt.056") => CancellationRequest::from_document(d).map(|_| "camt.056"),
        () if is("camt.052") => report(ReportKind::Intraday),
        () if is("camt.053") => report(ReportKind::Statement),
        () if is("camt.054") => report(ReportKind::Notification),
        () if is("head.001") => AppHeader::from_document(d).map(|_| "head.001"),
        () => return None,
    })
}

#[test]
fn samples_of_others_can_be_read() {
    let Some(folder) = vectors::folder("views of samples") else { return };
    let set = vectors::schemas(&folder);
    let mut read = std::collections::BTreeMap::<&str, usize>::new();
    for (name, bytes) in vectors::messages(&folder) {
        for part in set.validate_parts(&bytes).unwrap_or_default() {
            match read_any(&part) {
                Some(Ok(kind)) => *read.entry(kind).or_default() += 1,
                // A commodity code, more decimals than the currency has, or a wrong count: refused, not guessed.
                Some(Err(ViewError::Amount { .. } | ViewError::Count { .. })) | None => {}
                // An amount to be converted (`EqvtAmt`) is no amount the bank was told to pay.
                Some(Err(ViewError::Missing(path))) if path == "CdtTrfTxInf/Amt/InstdAmt" => {}
                Some(Err(other)) => panic!("{name}: {other}"),
            }
        }
    }
    println!("{read:?}");
    for kind in ["pacs.008", "pacs.004", "pacs.002", "pain.001", "camt.05x", "head.001"] {
        assert!(read.contains_key(kind), "no {kind} read: {read:?}");
    }
}
