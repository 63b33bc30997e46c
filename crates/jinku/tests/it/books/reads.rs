//! Reads: balances as of a time on both axes, pages, sealed days, and addresses that are none.

use super::*;

#[test]
fn a_balance_is_shown_as_known_then_and_as_true_then() {
    let bank = Served::new("books-as-of");
    bank.furnish();
    // It counts from May on, and is known from now on.
    let dated = with(&pay(81, 1, 2, "30.00"), r#""effective_at":"2026-05-01T00:00:00Z""#);
    let early = bank.rows(7, 80, &[dated]).lines();
    assert_eq!(early[0]["reason"], "later_balance", "the money came later: {early:?}");
    let reserve = opening::books().reserve.to_string();
    let fund = format!(
        r#"{{"row":"transfer","id":"{}","debit":"{reserve}","credit":"{}","asset":"CNY","amount":"7.00","effective_at":"2026-05-01T08:00:00.000+08:00"}}"#,
        ent(82),
        acc(2)
    );
    // The opening capital came with the bank's first day, so the reserve had nothing in May; suspense may be short.
    let suspense = opening::books().suspense.to_string();
    bank.take(0, 81, &[fund.replace(&reserve, &suspense)]);
    let as_of = |query: &str| {
        let said = bank.get(7, &format!("/accounts/{}?{query}", acc(2)));
        assert_eq!(said.status, 200, "{}", said.text);
        said.json()["as_of"]["posted"].as_str().unwrap().to_owned()
    };
    assert_eq!(as_of("effective_at=2026-04-30T23:59:59.999Z"), "0.00");
    assert_eq!(as_of("effective_at=2026-05-01T00:00:00Z"), "7.00");
    assert_eq!(as_of("recorded_at=2026-05-01T00:00:00Z"), "0.00");
    let entry = bank.get(0, &format!("/entries/{}", ent(82))).json();
    assert_eq!(entry["effective_at"], "2026-05-01T00:00:00.000Z");
    let recorded = entry["recorded_at"].as_str().unwrap();
    assert_eq!(as_of(&format!("recorded_at={recorded}")), "7.00");
    let now = bank.get(7, &format!("/accounts/{}", acc(2))).json();
    assert_eq!(
        (&now["balance"]["posted"], &now["opened_at"]),
        (&"7.00".into(), &"2026-01-01T00:00:00.000Z".into())
    );
    assert!(now["as_of"].is_null() && now["closed_at"].is_null());
    for query in
        ["recorded_at=May", "recorded_at=2026-05-01T00:00:00Z&effective_at=2026-05-01T00:00:00Z", "at=1"]
    {
        bank.get(7, &format!("/accounts/{}?{query}", acc(2))).refused(400, "bad_request");
    }
}

#[test]
fn lists_are_paged_without_a_gap_or_a_repeat() {
    let bank = Served::new("books-pages");
    bank.furnish();
    let mut rows: Vec<String> = (0..25).map(|number| pay(100 + number, 1, 2, "1.00")).collect();
    rows.extend((0..5).map(|number| {
        format!(
            r#"{{"row":"hold","id":"{}","account":"{}","asset":"CNY","amount":"1"}}"#,
            hld(100 + number),
            acc(2)
        )
    }));
    bank.take(7, 90, &rows);
    let walk = |path: &str, list: &str, cursor: &str| {
        let (mut ids, mut next) = (Vec::new(), String::new());
        loop {
            let page = bank.get(7, &format!("{path}?max=7{next}")).json();
            let items = page[list].as_array().unwrap();
            assert!(items.len() <= 7);
            ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                None => return ids,
                Some(at) => next = format!("&{cursor}={at}"),
            }
        }
    };
    let entries = walk(&format!("/accounts/{}/entries", acc(2)), "entries", "before");
    assert_eq!(entries, (0..25).rev().map(|number| ent(100 + number)).collect::<Vec<_>>());
    let entries = walk(&format!("/accounts/{}/entries", acc(1)), "entries", "before");
    assert_eq!((entries.len(), entries.last()), (26, Some(&ent(1))));
    let holds = walk(&format!("/accounts/{}/holds", acc(2)), "holds", "after");
    assert_eq!(holds, (0..5).map(|number| hld(100 + number)).collect::<Vec<_>>());
    let bad = |query: &str| {
        bank.get(7, &format!("/accounts/{}/entries?{query}", acc(2))).refused(400, "bad_request")
    };
    bad("max=0");
    bad("max=201");
    bad("max=many");
    bad(&format!("before={}", ent(2)));
    bad(&format!("after={}", ent(100)));
    bank.get(7, "/accounts").refused(404, "not_found");
    bank.get(7, "/rows").refused(404, "not_found");
    bank.get(7, "/accounts/acc_1").refused(400, "bad_request");
}

#[test]
fn a_sealed_day_takes_nothing_more() {
    let bank = Served::new("books-seal");
    bank.furnish();
    let sealed = bank.post(0, "/seal", r#"{"date":"2026-05-01"}"#).json();
    assert_eq!(sealed["through"], "2026-05-01T16:00:00.000Z");
    let late = with(&pay(91, 1, 2, "1.00"), r#""effective_at":"2026-05-01T15:59:59.999Z""#);
    assert_eq!(bank.rows(7, 91, &[late]).lines()[0]["reason"], "day_sealed");
    bank.post(0, "/seal", r#"{"date":"2026-05-01"}"#).refused(409, "seal_out_of_order");
    bank.post(0, "/seal", r#"{"date":"2999-05-01"}"#).refused(409, "seal_out_of_order");
    bank.post(0, "/seal", r#"{"date":"1.5."}"#).refused(400, "bad_request");
    let output = Command::new(env!("CARGO_BIN_EXE_jinku"))
        .args(["operate", "--name", "li", "--data"])
        .arg(&bank.installation.folder)
        .args(["--address", &loopback(bank.operator).to_string(), "seal", "2026-05-02"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seals = bank.get(7, "/seals").json();
    let through: Vec<_> = seals["seals"].as_array().unwrap().iter().map(|seal| &seal["through"]).collect();
    assert_eq!(through, ["2026-05-02T16:00:00.000Z", "2026-05-01T16:00:00.000Z"]);
    assert_eq!(seals["seals"][1]["journal_hash"], sealed["journal_hash"]);
    assert!(seals["seals"][0]["entries"].is_null());
    assert!(bank.get(0, "/seals?max=1").json()["next"].is_string());
    assert_eq!(bank.get(0, "/seals?before=2026-05-02T16:00:00Z").json()["seals"][0]["entries"], 3);
}
