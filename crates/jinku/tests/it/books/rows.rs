//! Rows as NDJSON: what is taken, what is refused and why, chains, repeats, and requests that are refused as a whole.

use super::*;

#[test]
fn rows_are_answered_one_by_one_and_a_repeat_is_answered_the_same() {
    let bank = Served::new("books-rows");
    bank.furnish();
    let capped = pay(11, 1, 2, "1").replace(r#""amount":"1""#, r#""up_to":"500""#);
    let hold =
        format!(r#"{{"row":"hold","id":"{}","account":"{}","asset":"CNY","amount":"5.00"}}"#, hld(1), acc(2));
    let settle = format!(
        r#"{{"row":"settle","hold":"{}","id":"{}","debit":"{}","credit":"{}","asset":"CNY","amount":"5.00"}}"#,
        hld(1),
        ent(12),
        acc(2),
        acc(1)
    );
    let entry = format!(
        r#"{{"row":"entry","id":"{}","legs":[{{"account":"{}","side":"debit","asset":"CNY","amount":"3"}},{{"account":"{}","side":"credit","asset":"CNY","amount":"2"}},{{"account":"{}","side":"credit","asset":"CNY","amount":"1"}}],"memo":"split"}}"#,
        ent(13),
        acc(2),
        acc(1),
        acc(4)
    );
    let rows = [
        open_for(4, 7),
        capped,
        pay(14, 1, 2, "0.01"),
        hold,
        settle,
        entry,
        format!(r#"{{"row":"reverse","id":"{}","of":"{}"}}"#, ent(15), ent(13)),
        format!(r#"{{"row":"close","account":"{}"}}"#, acc(4)),
    ];
    let said = bank.rows(7, 10, &rows);
    let lines = said.lines();
    assert_eq!(lines.len(), 9);
    for row in [0, 1, 3, 4, 5, 6, 7] {
        assert_eq!(
            (&lines[row]["row"], &lines[row]["result"]),
            (&row.into(), &"taken".into()),
            "{}",
            lines[row]
        );
    }
    assert_eq!(lines[1]["amount"], "100.00");
    let refused = &lines[2];
    assert_eq!((&refused["code"], &refused["reason"]), (&18.into(), &"insufficient_funds".into()));
    assert!(refused["words"].as_str().unwrap().contains("0.00 CNY available"), "{refused}");
    assert_eq!((&lines[8]["taken"], &lines[8]["refused"]), (&7.into(), &1.into()));
    assert!(lines[8]["seq"].as_u64().unwrap() > 0);
    assert_eq!((bank.available(1), bank.available(2)), ("5.00".to_owned(), "95.00".to_owned()));

    // The same again, words apart, which have the figures of then; and nothing happened twice.
    let wordless = |lines: Vec<Value>| -> Vec<Value> {
        let without = lines.into_iter().map(|mut line| {
            line.as_object_mut().unwrap().remove("words");
            line
        });
        without.collect()
    };
    assert_eq!(wordless(bank.rows(7, 10, &rows).lines()), wordless(lines.clone()));
    assert_eq!((bank.available(1), bank.available(2)), ("5.00".to_owned(), "95.00".to_owned()));
    // Another body under the id is none; and the results are the sender's alone.
    bank.rows(7, 10, &rows[1..]).refused(422, "idempotency_mismatch");
    bank.rows(0, 10, &rows).refused(422, "idempotency_mismatch");
}

#[test]
fn linked_rows_are_taken_together_or_not_at_all() {
    let bank = Served::new("books-linked");
    bank.furnish();
    let linked = |row: String| with(&row, r#""linked":true"#);
    let rows = [
        linked(pay(21, 1, 2, "40.00")),
        linked(pay(22, 2, 1, "10.00")),
        pay(23, 2, 1, "31.00"),
        linked(pay(24, 1, 2, "60.00")),
        pay(25, 2, 1, "60.00"),
    ];
    let lines = bank.rows(7, 20, &rows).lines();
    let codes: Vec<_> = lines[..5].iter().map(|line| line["code"].as_u64()).collect();
    assert_eq!(codes, [Some(31), Some(31), Some(18), None, None]);
    assert_eq!(lines[0]["reason"], "chain_broken");
    assert_eq!((bank.available(1), bank.available(2)), ("100.00".to_owned(), "0.00".to_owned()));
}

#[test]
fn a_bad_line_is_named_and_nothing_is_taken() {
    let bank = Served::new("books-bad");
    bank.furnish();
    let check = |lines: &[String], expect: &str| {
        let detail = bank.rows(7, 30, lines).refused(400, "bad_request");
        assert!(detail.contains(expect), "{detail}");
        assert_eq!(bank.available(2), "0.00");
    };
    let good = pay(31, 1, 2, "1.00");
    check(&[good.clone(), good.replace("1.00", "1.001")], "line 2: amount: ");
    check(&[good.clone(), String::new(), with(&good, r#""why":1"#)], "line 3: unknown field `why`");
    check(&[with(&good, r#""linked":true"#)], "line 1: it is linked");
    check(&[], "there are no rows");
    let many: Vec<String> = (0..8_193).map(|number| pay(1_000 + number, 1, 2, "0.01")).collect();
    check(&many, "at most 8192 rows");
    bank.post(7, "/rows", &good).refused(400, "bad_request");
    bank.post(7, "/rows?id=ent_1", &good).refused(400, "bad_request");
    bank.post(7, &format!("/rows?id={}&at=1", cmd(30)), &good).refused(400, "bad_request");
    bank.post(7, &format!("/rows?id={}", cmd(30)), &" ".repeat(17 << 20)).refused(413, "body_too_large");
    // The id was not used by any of this. More rows than one batch holds have one answer.
    let lines = bank.rows(7, 30, &many[..8_192]).lines();
    assert_eq!(lines.len(), 8_193);
    assert_eq!(lines[8_191]["row"], 8_191);
    assert_eq!((&lines[8_192]["taken"], bank.available(2)), (&8_192.into(), "81.92".to_owned()));
    assert_eq!(bank.rows(7, 30, &many[..8_192]).lines(), lines);
}

#[test]
fn every_reason_of_a_refused_row_is_in_the_documents() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/REFUSALS.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    for reason in ledger::Reason::ALL {
        let later = if reason.is_transient { "yes" } else { "no" };
        let row = format!("| {} | `{}` | {later} |", reason.code, reason.name);
        assert_eq!(rows.iter().filter(|line| line.starts_with(&row)).count(), 1, "{row}");
    }
}
