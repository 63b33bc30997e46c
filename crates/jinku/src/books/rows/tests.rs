#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
use super::*;

fn acc(number: u128) -> String {
    AccountId::new(number).to_string()
}

fn ent(number: u128) -> String {
    EntryId::new(number).to_string()
}

fn check_refused(line: &str, expect: &str) {
    let error = read(line.as_bytes(), None).unwrap_err();
    assert!(error.contains(expect), "{line}: {error}");
}

fn one(line: &str) -> Row {
    let rows = read(line.as_bytes(), None).unwrap();
    let [Part::Rows(batch)] = rows.parts.as_slice() else { panic!("{rows:?}") };
    assert_eq!(batch.len(), 1);
    batch.rows().next().unwrap()
}

#[test]
fn every_kind_of_row_has_a_line() {
    let (a, b, e) = (acc(1), acc(2), ent(3));
    let hold = HoldId::new(4).to_string();
    let transfer = one(&format!(
        r#"{{"row":"transfer","id":"{e}","debit":"{a}","credit":"{b}","amount":"1.05","asset":"CNY","reference":"18446744073709551615","effective_at":"2026-11-24T09:30:00.001+08:00","memo":"租金","linked":false}}"#
    ));
    let Command::Transfer(transfer) = transfer.command else { unreachable!() };
    assert_eq!(transfer.sizing, Sizing::Exact(Amount::new(Asset::CNY, 105)));
    assert_eq!((transfer.reference, transfer.memo.as_str()), (Some(u64::MAX), "租金"));
    assert_eq!(transfer.effective_at.unwrap().to_string(), "2026-11-24T01:30:00.001Z");
    let open = one(&format!(r#"{{"row":"open","account":"{a}","kind":"vostro","asset":"ETH:18"}}"#)).command;
    assert!(
        matches!(open, Command::OpenAccount { kind: AccountKind::Vostro, asset, .. } if asset.scale() == 18)
    );
    let line = format!(r#"{{"row":"open","account":"{a}","kind":"customer","asset":"CNY"}}"#);
    let rows = read(line.as_bytes(), Some(Tenant::new(7))).unwrap();
    let [Part::Rows(batch)] = rows.parts.as_slice() else { panic!("{rows:?}") };
    let open = batch.rows().next().unwrap().command;
    assert!(matches!(open, Command::OpenAccount { tenant: Some(tenant), .. } if tenant == Tenant::new(7)));
    let entry = one(&format!(
        r#"{{"row":"entry","id":"{e}","legs":[{{"account":"{a}","side":"debit","asset":"CNY","amount":"1"}},{{"account":"{b}","side":"credit","asset":"CNY","amount":"1"}}],"settle":["{hold}"],"holds":[{{"id":"{hold}","account":"{a}","asset":"CNY","amount":"2","expires_at":"2026-11-24T09:30:00Z"}}]}}"#
    ));
    let Command::Change(change) = entry.command else { unreachable!() };
    assert_eq!((change.ends.len(), change.entry.unwrap().legs.len(), change.places.len()), (1, 2, 1));
    let hold_row = format!(r#"{{"row":"hold","id":"{hold}","account":"{a}","asset":"CNY","amount":"2"}}"#);
    let settle = format!(
        r#"{{"row":"settle","hold":"{hold}","id":"{e}","debit":"{a}","credit":"{b}","asset":"CNY","amount":"2"}}"#
    );
    for line in [
        hold_row,
        settle,
        format!(r#"{{"row":"release","hold":"{hold}"}}"#),
        format!(r#"{{"row":"reverse","id":"{e}","of":"{}","memo":"wrong"}}"#, ent(9)),
        format!(r#"{{"row":"close","account":"{a}"}}"#),
    ] {
        one(&line);
    }
    let capped =
        format!(r#"{{"row":"transfer","id":"{e}","debit":"{a}","credit":"{b}","up_to":"5","asset":"CNY"}}"#);
    let all =
        format!(r#"{{"row":"transfer","id":"{e}","debit":"{a}","credit":"{b}","all":true,"asset":"USD"}}"#);
    let rows = read(format!("{capped}\n\n{all}\n").as_bytes(), None).unwrap();
    assert_eq!(rows.found_in, [Some(Asset::CNY), Some(Asset::USD)]);
}

#[test]
fn the_first_bad_line_is_named_with_what_is_wrong() {
    let (a, b, e) = (acc(1), acc(2), ent(3));
    check_refused("", "there are no rows");
    check_refused("{", "line 1: EOF");
    check_refused(r#"{"row":"burn"}"#, "unknown variant `burn`");
    let close = format!(r#"{{"row":"close","account":"{a}"}}"#);
    check_refused(&format!("{close}\n\n{close}x"), "line 3: ");
    check_refused(&close.replace('}', r#","why":1}"#), "unknown field `why`");
    check_refused(&close.replace('}', &format!(r#","account":"{a}"}}"#)), "duplicate field");
    check_refused(&close.replace("acc_", "ent_"), "line 1: account: ");
    check_refused(&close.replace('}', r#","linked":true}"#), "linked with the next row");
    let transfer = |what: &str| {
        format!(r#"{{"row":"transfer","id":"{e}","debit":"{a}","credit":"{b}","asset":"CNY"{what}}}"#)
    };
    check_refused(&transfer(""), "either amount, up_to, or all");
    check_refused(&transfer(r#","amount":"1","all":true"#), "either amount, up_to, or all");
    check_refused(&transfer(r#","amount":"1.005""#), "amount: ");
    check_refused(&transfer(r#","amount":"-1""#), "amount: ");
    check_refused(&transfer(r#","amount":1"#), "invalid type");
    check_refused(&transfer(r#","amount":"1","memo":" a""#), "memo: it begins");
    check_refused(&transfer(r#","amount":"1","reference":"01""#), "reference: ");
    for time in ["2026-11-24", "1969-12-31T23:59:59Z", "2026-11-24T09:30:00.0001Z", "soon"] {
        check_refused(&transfer(&format!(r#","amount":"1","effective_at":"{time}""#)), "effective_at: ");
    }
    for asset in ["cny", "EUR", "EUR:", "EUR:19", "EUR:02", "CNY:2", ":2"] {
        check_refused(&transfer(r#","amount":"1""#).replace("CNY", asset), "asset: ");
    }
    let open = format!(r#"{{"row":"open","account":"{a}","kind":"till","asset":"CNY"}}"#);
    check_refused(&open, "is none of customer, nostro");
    let entry = format!(r#"{{"row":"entry","id":"{e}","legs":[]}}"#);
    check_refused(&entry, "at least two");
}

#[test]
fn a_damaged_line_is_a_line_or_named_and_never_more() {
    let (a, b, e) = (acc(1), acc(2), ent(3));
    let lines = [
        format!(
            r#"{{"row":"transfer","id":"{e}","debit":"{a}","credit":"{b}","amount":"340282366920938463463374607431768211.45","asset":"CNY","effective_at":"2026-11-24T09:30:00Z","memo":"租金"}}"#
        ),
        format!(
            r#"{{"row":"entry","id":"{e}","legs":[{{"account":"{a}","side":"debit","asset":"ETH:18","amount":"1"}}],"settle":["hld_0"]}}"#
        ),
        format!(r#"{{"row":"open","account":"{a}","kind":"fee","asset":"CNY","tenant":4294967295}}"#),
    ];
    let mut whole = 0;
    for line in lines {
        for at in 0..line.len() {
            for flip in [1, 4, 0x20, 0x80] {
                let mut bytes = line.clone().into_bytes();
                bytes[at] ^= flip;
                match read(&bytes, None) {
                    // A line break in the middle makes two lines of it.
                    Err(problem) => assert!(
                        problem.starts_with("line 1: ") || problem.starts_with("line 2: "),
                        "{problem}"
                    ),
                    Ok(rows) => {
                        // What was taken for a row is the same row again in its bytes.
                        for part in rows.parts {
                            let Part::Rows(batch) = part else { continue };
                            assert_eq!(Batch::parse(batch.as_bytes().to_vec()).unwrap(), batch);
                        }
                        whole += 1;
                    }
                }
            }
            assert!(read(&line.as_bytes()[..at], None).is_err(), "{line} cut to {at}");
        }
    }
    assert!(whole > 50, "{whole}");
}

#[test]
fn a_transfer_to_another_cell_stands_between_the_rows() {
    let (a, b) = (acc(1), acc(2));
    let transfer = |number: u128| {
        format!(
            r#"{{"row":"transfer","id":"{}","debit":"{a}","credit":"{b}","asset":"CNY","amount":"1"}}"#,
            ent(number)
        )
    };
    let send = format!(
        r#"{{"row":"send","id":"{}","from":"{a}","cell":2,"to":"{b}","asset":"CNY","amount":"30.01","memo":"rent"}}"#,
        money::TransferId::new(9)
    );
    let body = [transfer(1), transfer(2), send.clone(), send.clone(), transfer(3)].join("\n");
    let rows = read(body.as_bytes(), None).unwrap();
    let [Part::Rows(two), Part::Send(sent), Part::Send(_), Part::Rows(one)] = rows.parts.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!((two.len(), one.len(), rows.found_in.len()), (2, 1, 5));
    assert_eq!((sent.amount, sent.to.cell.number()), (Amount::new(Asset::CNY, 3_001), 2));
    let linked = transfer(1).replace("\"amount\"", "\"linked\":true,\"amount\"");
    check_refused(
        &format!("{linked}\n{send}"),
        "line 1: a row cannot be linked with a transfer to another cell",
    );
    check_refused(&send.replace("\"memo\"", "\"linked\":true,\"memo\""), "unknown field `linked`");
    check_refused(&send.replace("30.01", "30.001"), "amount:");
}
