//! Statements as CSV (RFC 4180), for spreadsheets: UTF-8 with a byte-order mark, oldest page last, and no cell that a spreadsheet would run.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bank::Bank;
use futures_util::stream;
use identity::Locale;
use money::CustomerId;
use projections::{Direction, MovementKind, MovementQuery, MovementRow};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::accounts::own_account;
use crate::app::App;
use crate::extract::Asked;
use crate::parse::utc_offset;
use crate::session::Caller;
use crate::wire::ProblemBody;
use crate::{Problem, parse};

/// Rows that are read and sent at a time.
const ROWS: usize = 500;
const BYTE_ORDER_MARK: &str = "\u{FEFF}";

const HEADERS_ZH: [&str; 13] = [
    "记账时间",
    "起息日",
    "账号",
    "类型",
    "收支",
    "金额",
    "其中手续费",
    "币种",
    "余额",
    "对方户名",
    "对方账号",
    "对方银行",
    "附言",
];
const HEADERS_EN: [&str; 13] = [
    "Recorded",
    "Value date",
    "Account",
    "Kind",
    "Direction",
    "Amount",
    "Of which fee",
    "Currency",
    "Balance",
    "Counterparty",
    "Counterparty account",
    "Counterparty bank",
    "Note",
];

/// Which movements are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementQuery {
    /// Only of this account.
    account: Option<String>,
    /// From this instant or day on.
    from: Option<String>,
    /// Up to and including this instant or day.
    to: Option<String>,
}

/// What every row is written with.
#[derive(Clone, Copy)]
struct Style {
    customer: CustomerId,
    locale: Locale,
    utc_offset: i32,
}

/// The customer's movements as a file for spreadsheets.
#[utoipa::path(get, path = "/api/v1/statements.csv", params(StatementQuery), responses(
    (status = 200, description = "The answer.", body = String, content_type = "text/csv"),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn statement(
    State(app): State<App>,
    caller: Caller,
    Asked(asked): Asked<StatementQuery>,
) -> Result<Response, Problem> {
    app.caught_up(&caller).await?;
    let (style, query, day) = app
        .ask(&caller, move |bank, who| {
            let customer = bank.identity().customer(who.customer).ok_or_else(Problem::session_expired)?;
            let style =
                Style { customer: who.customer, locale: customer.locale, utc_offset: utc_offset(bank) };
            let query = MovementQuery {
                account: asked.account.as_deref().map(|id| own_account(bank, who, id)).transpose()?,
                from: parse::from(bank, asked.from.as_deref())?,
                until: parse::until(bank, asked.to.as_deref())?,
                limit: ROWS,
                ..MovementQuery::default()
            };
            Ok((style, query, who.now.date_at(style.utc_offset)))
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"statement-{day}.csv\"")),
    ];
    let pieces = stream::try_unfold(Next::Head(query), move |next| piece(app.clone(), style, next));
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// What comes next in the file.
enum Next {
    Head(MovementQuery),
    Page(MovementQuery),
    End,
}

/// One piece of the file. A fault ends the transfer before its end, so that nobody takes a part for the whole.
async fn piece(app: App, style: Style, next: Next) -> Result<Option<(String, Next)>, std::io::Error> {
    let query = match next {
        Next::Head(query) => {
            let headers = match style.locale {
                Locale::Zh => HEADERS_ZH,
                Locale::En => HEADERS_EN,
            };
            let head = format!("{BYTE_ORDER_MARK}{}", line(&headers.map(str::to_owned)));
            return Ok(Some((head, Next::Page(query))));
        }
        Next::Page(query) => query,
        Next::End => return Ok(None),
    };
    let fault = |problem: Problem| std::io::Error::other(problem.code());
    let asked = query.clone();
    let page = app.rows(move |reads| reads.movements(style.customer, &asked)).await.map_err(fault)?;
    let next = match page.next_cursor {
        Some(cursor) => Next::Page(MovementQuery { cursor: Some(cursor), ..query }),
        None => Next::End,
    };
    let shared = app.clone();
    let text =
        app.look(move |bank| page.rows.iter().map(|row| line(&cells(&shared, bank, style, row))).collect());
    Ok(Some((text.await.map_err(fault)?, next)))
}

fn cells(app: &App, bank: &Bank, style: Style, row: &MovementRow) -> [String; 13] {
    let party = app.directory.counterparty(bank, &row.counterparty);
    let (bank_name, way) = match (style.locale, row.direction) {
        (Locale::Zh, Direction::In) => (party.bank_name_zh, "收入"),
        (Locale::Zh, Direction::Out) => (party.bank_name_zh, "支出"),
        (Locale::En, Direction::In) => (party.bank_name_en, "in"),
        (Locale::En, Direction::Out) => (party.bank_name_en, "out"),
    };
    let kind = match style.locale {
        Locale::Zh => kind_zh(row),
        Locale::En => row.kind.name(),
    };
    [
        local_time(row.recorded_at, style.utc_offset),
        row.effective_at.date_at(style.utc_offset).to_string(),
        row.account_number.clone(),
        kind.to_owned(),
        way.to_owned(),
        row.amount.decimal(),
        row.fee.decimal(),
        row.amount.asset().code().to_owned(),
        row.balance_after.decimal(),
        party.name,
        party.account_number,
        bank_name,
        note(row, style.locale),
    ]
}

/// Words of the payer; of a fill, what was bought or sold and at which price.
fn note(row: &MovementRow, locale: Locale) -> String {
    let parts: Vec<&str> = row.note.split(' ').collect();
    match (row.kind, parts.as_slice(), locale) {
        (MovementKind::Trade, ["BUY", quantity, base, "@", price, quote], Locale::En) => {
            format!("Bought {quantity} {base} at {price} {quote}")
        }
        (MovementKind::Trade, ["SELL", quantity, base, "@", price, quote], Locale::En) => {
            format!("Sold {quantity} {base} at {price} {quote}")
        }
        (MovementKind::Trade, ["BUY", quantity, base, "@", price, quote], Locale::Zh) => {
            format!("以 {price} {quote} 买入 {quantity} {base}")
        }
        (MovementKind::Trade, ["SELL", quantity, base, "@", price, quote], Locale::Zh) => {
            format!("以 {price} {quote} 卖出 {quantity} {base}")
        }
        (MovementKind::Convert, ["CONVERT", pays, from, "->", takes, to], Locale::En) => {
            format!("Converted {pays} {from} to {takes} {to}")
        }
        (MovementKind::Convert, ["CONVERT", pays, from, "->", takes, to], Locale::Zh) => {
            format!("以 {pays} {from} 兑换 {takes} {to}")
        }
        _ => row.note.clone(),
    }
}

const fn kind_zh(row: &MovementRow) -> &'static str {
    use projections::MovementKind as K;
    match row.kind {
        K::Deposit => "入账",
        K::TransferIn => "转入",
        K::TransferOut => "转账",
        K::Withdrawal => "转出",
        K::Return => "退回",
        K::Adjustment => "调整",
        K::Trade => "成交",
        K::Convert => "兑换",
        K::Pool => "资金池",
    }
}

/// The time at the bank: `2026-03-01 16:00:00`.
fn local_time(at: money::Timestamp, utc_offset: i32) -> String {
    let ms = at.time_of_day_ms(utc_offset);
    let part = |of: u64, most: u64| ms.checked_div(of).and_then(|v| v.checked_rem(most)).unwrap_or(0);
    let (hour, minute, second) = (part(3_600_000, 24), part(60_000, 60), part(1_000, 60));
    format!("{} {hour:02}:{minute:02}:{second:02}", at.date_at(utc_offset))
}

fn line(cells: &[String]) -> String {
    let quoted: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    quoted.join(",") + "\r\n"
}

/// A cell that is text to every spreadsheet: what begins like a formula gets an apostrophe before it.
fn cell(text: &str) -> String {
    let runs = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if runs { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_runs() {
        let check = |text: &str, expect: &str| assert_eq!(cell(text), expect);
        check("林晓雯", "林晓雯");
        check("a,\"b\"", "\"a,\"\"b\"\"\"");
        check("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\"");
        for start in ["+1", "-1", "@x", "\t1", "＝1"] {
            assert_eq!(cell(start), format!("'{start}"));
        }
        check(" x", "\" x\"");
    }

    #[test]
    fn times_are_the_banks() {
        let at = money::Timestamp::from_ms(1_764_089_999_123);
        assert_eq!(local_time(at, 0), "2025-11-25 16:59:59");
        assert_eq!(local_time(at, 480), "2025-11-26 00:59:59");
    }
}
