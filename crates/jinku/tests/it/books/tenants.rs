//! Tenants and tokens: nobody sees or touches another's books, by any way.

use std::process::Command;

use jinku::bulk::Client;
use ledger::{Batch, Row};
use money::Asset;

use super::*;

#[test]
fn a_tenant_cannot_see_anothers_books() {
    let bank = Served::new("books-see");
    bank.furnish();
    bank.take(
        8,
        40,
        &[format!(r#"{{"row":"hold","id":"{}","account":"{}","asset":"CNY","amount":"1"}}"#, hld(1), acc(3))],
    );
    let watch =
        format!(r#"{{"monitor":"{}","account":"{}","asset":"CNY","at_least":"1.00"}}"#, mon(1), acc(3));
    assert_eq!(bank.post(8, &format!("/monitors?id={}", cmd(41)), &watch).status, 200);
    let own = bank.get(7, &format!("/accounts/{}", acc(1))).json();
    assert_eq!((&own["tenant"], &own["balance"]["posted"]), (&7.into(), &"100.00".into()));
    for ways in ["", "/entries", "/holds", "?recorded_at=2026-11-01T00:00:00Z"] {
        let path = |account| format!("/accounts/{}{ways}", acc(account));
        let foreign = bank.get(7, &path(3));
        // The very same answer, so that nobody learns what there is.
        let absent = bank.get(7, &path(99));
        foreign.refused(404, "account_unknown");
        assert_eq!((foreign.status, foreign.text), (absent.status, absent.text));
        assert_eq!(bank.get(8, &path(3)).status, 200);
    }
    // An entry with the bank's reserve in it is not the tenant's alone; in its list the other leg is not shown.
    let foreign = bank.get(7, &format!("/entries/{}", ent(1)));
    let absent = bank.get(7, &format!("/entries/{}", ent(99)));
    foreign.refused(404, "entry_unknown");
    assert_eq!(foreign.text, absent.text);
    let listed = &bank.get(7, &format!("/accounts/{}/entries", acc(1))).json()["entries"][0];
    assert_eq!((listed["legs"].as_array().unwrap().len(), &listed["other_legs"]), (1, &1.into()), "{listed}");
    assert!(listed["reference"].is_null());
    let whole = bank.get(0, &format!("/entries/{}", ent(1))).json();
    assert_eq!((whole["legs"].as_array().unwrap().len(), &whole["reference"]), (2, &"5".into()), "{whole}");
    bank.take(7, 42, &[pay(41, 1, 2, "1.00")]);
    assert_eq!(bank.get(7, &format!("/entries/{}", ent(41))).json()["legs"].as_array().unwrap().len(), 2);
    bank.get(8, &format!("/entries/{}", ent(41))).refused(404, "entry_unknown");
    for list in ["monitors", "notices"] {
        let count = |tenant| bank.get(tenant, &format!("/{list}")).json()[list].as_array().unwrap().len();
        assert_eq!((count(0), count(7), count(8)), (1, 0, 1), "{list}");
    }
    bank.get(7, &format!("/monitors?account={}", acc(3))).refused(404, "account_unknown");
    let total = |tenant: u32| bank.get(tenant, "/trial-balance").json()["totals"][0].clone();
    assert_eq!((&total(7)["debits"], &total(7)["credits"]), (&"1.00".into(), &"101.00".into()));
    assert_eq!(total(8)["credits"], "50.00");
    assert_eq!(total(0)["debits"], total(0)["credits"]);
}

#[test]
fn a_tenant_cannot_touch_anothers_books() {
    let bank = Served::new("books-touch");
    bank.furnish();
    bank.take(
        8,
        50,
        &[format!(r#"{{"row":"hold","id":"{}","account":"{}","asset":"CNY","amount":"1"}}"#, hld(1), acc(3))],
    );
    let watch = |tenant: u32, id: u128, monitor: u128, account: u128| {
        let body = format!(
            r#"{{"monitor":"{}","account":"{}","asset":"CNY","below":"1.00"}}"#,
            mon(monitor),
            acc(account)
        );
        bank.post(tenant, &format!("/monitors?id={}", cmd(id)), &body)
    };
    assert_eq!(watch(8, 51, 1, 3).status, 200);
    let reserve = opening::books().reserve.to_string();
    let rows = [
        pay(51, 1, 3, "1.00"),
        pay(52, 3, 1, "1.00"),
        pay(53, 1, 1, "1.00")
            .replace(&format!(r#""credit":"{}""#, acc(1)), &format!(r#""credit":"{reserve}""#)),
        format!(r#"{{"row":"close","account":"{}"}}"#, acc(3)),
        format!(r#"{{"row":"release","hold":"{}"}}"#, hld(1)),
        format!(r#"{{"row":"hold","id":"{}","account":"{}","asset":"CNY","amount":"1"}}"#, hld(2), acc(3)),
        format!(r#"{{"row":"reverse","id":"{}","of":"{}"}}"#, ent(54), ent(2)),
        format!(r#"{{"row":"reverse","id":"{}","of":"{}"}}"#, ent(55), ent(1)),
        open_for(5, 8),
        open_for(6, 0),
    ];
    let lines = bank.rows(7, 52, &rows).lines();
    for line in &lines[..rows.len()] {
        assert_eq!((&line["code"], &line["reason"]), (&30.into(), &"not_permitted".into()), "{line}");
    }
    assert_eq!(lines[rows.len()]["taken"], 0);
    let foreign = watch(7, 53, 2, 3);
    foreign.refused(404, "account_unknown");
    assert_eq!(foreign.text, watch(7, 54, 2, 99).text);
    let foreign = bank.delete(7, &format!("/monitors/{}?id={}", mon(1), cmd(55)));
    foreign.refused(404, "monitor_unknown");
    assert_eq!(foreign.text, bank.delete(7, &format!("/monitors/{}?id={}", mon(9), cmd(56))).text);
    bank.post(7, "/seal", r#"{"date":"2026-01-01"}"#).refused(403, "not_allowed");
    assert_eq!((bank.available(1), bank.available(3)), ("100.00".to_owned(), "49.00".to_owned()));
    assert_eq!(bank.delete(8, &format!("/monitors/{}?id={}", mon(1), cmd(57))).status, 200);
    // An account that a tenant opens without saying whose is its own.
    let open = open_for(9, 7).replace(r#""tenant":7,"#, "");
    bank.take(7, 58, &[open]);
    assert_eq!(bank.get(7, &format!("/accounts/{}", acc(9))).json()["tenant"], 7);
}

#[test]
fn a_backup_with_keys_has_the_tenants_tokens() {
    let mut bank = Served::new("books-backup");
    bank.furnish();
    bank.stop();
    let (copy, target) = (bank.scratch.path().join("copy"), bank.scratch.path().join("restored"));
    jinku::backup::make(&bank.installation.folder, &copy, true).unwrap();
    jinku::restore::restore(&copy, &target, None, jinku::restore::Until::End).unwrap();
    for tenant in [7, 8] {
        let restored = target.join(format!("keys/tenant-{tenant}.token"));
        assert_eq!(std::fs::read_to_string(&restored).unwrap().trim(), bank.token(tenant));
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&restored).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn the_bulk_interface_knows_tenants_too() {
    let bank = Served::new("books-bulk");
    bank.furnish();
    let token = |tenant: u32| -> [u8; 32] {
        let mut bytes = [0; 32];
        hex::decode_to_slice(bank.token(tenant), &mut bytes).unwrap();
        bytes
    };
    let mut rows = Batch::default();
    let number = |number: u128| AccountId::new((1 << 84) | number);
    for (entry, to) in [(61, 2), (62, 3)] {
        let transfer = ledger::Transfer {
            id: EntryId::new(entry),
            debit: number(1),
            credit: number(to),
            sizing: ledger::Sizing::Exact(money::Amount::new(Asset::CNY, 100)),
            ..ledger::Transfer::default()
        };
        rows.push(&Row { is_linked: false, command: ledger::Command::Transfer(transfer) }).unwrap();
    }
    let mut client = Client::connect(bank.bulk, &token(7)).unwrap();
    let answer = client.send(CommandId::new(1 << 91), &rows).unwrap();
    assert_eq!(answer.refused.iter().map(|row| (row.row, row.code)).collect::<Vec<_>>(), [(1, 30)]);
    assert_eq!(client.send(CommandId::new(1 << 91), &rows).unwrap().refused[0].code, 30);
    // Another sender's repeat is not told what became of it.
    let mut other = Client::connect(bank.bulk, &token(8)).unwrap();
    let answer = other.send(CommandId::new(1 << 91), &rows).unwrap();
    assert_eq!((answer.seq, answer.refused.len(), answer.refused[0].code), (0, 2, 0));
    let mut nobody = Client::connect(bank.bulk, &[9; 32]).unwrap();
    assert!(nobody.send(CommandId::new(1 << 92), &rows).is_err());
    // Who is shut out is out at the next request.
    std::fs::remove_file(bank.installation.folder.join("keys/tenant-7.token")).unwrap();
    assert!(client.send(CommandId::new(1 << 93), &rows).is_err());
}

#[test]
fn a_tenant_is_added_and_shut_out_while_the_bank_runs() {
    let bank = Served::new("books-tokens");
    bank.furnish();
    let data = bank.installation.folder.display().to_string();
    let jinku = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_jinku")).args(arguments).output().unwrap();
        let words =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), words)
    };
    let add = |number: &str| jinku(&["tenant", "add", "--data", &data, "--number", number]);
    let (made, words) = add("9");
    assert!(
        made && words.contains("Authorization: Bearer") && words.contains("keys/tenant-9.token"),
        "{words}"
    );
    let file = bank.installation.folder.join("keys/tenant-9.token");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(bank.token(9).len(), 64);
    bank.take(9, 70, &[open_for(20, 9)]);
    let before = bank.token(9);
    let (again, words) = add("9");
    assert!(!again && words.contains("has a token already"), "{words}");
    assert_eq!(bank.token(9), before);
    assert!(!add("0").0);
    let (_, words) = jinku(&["tenant", "list", "--data", &data]);
    assert!(words.contains("tenant 9") && words.contains("3 tenants"), "{words}");
    for token in ["", "x", &"0".repeat(64), &before[..63], &format!("{before}0")] {
        bank.request("GET", "/trial-balance", token, "").refused(401, "token_unknown");
    }
    std::fs::remove_file(&file).unwrap();
    bank.request("GET", "/trial-balance", &before, "").refused(401, "token_unknown");
    assert!(add("9").0);
    assert_ne!(bank.token(9), before);
    assert_eq!(bank.get(9, &format!("/accounts/{}", acc(20))).status, 200);
    // A token that others can read is not used.
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(bank.installation.folder.join("keys/other"), "").unwrap();
    bank.get(9, "/trial-balance").refused(401, "token_unknown");
}
