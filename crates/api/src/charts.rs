//! Balance over time and spending by weeks, exact, in the bank's own days.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use money::{AccountId, Amount, Asset, CustomerId, Date, Timestamp};
use projections::{Direction, MovementQuery, MovementRow, ProjectionError, ReadModel};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Problem;
use crate::accounts::own_account;
use crate::app::App;
use crate::extract::{Asked, Segment};
use crate::parse::{account_unknown, utc_offset};
use crate::session::Caller;
use crate::wire::{self, ProblemBody, instant};

/// Most days of a balance curve.
const DAYS_MAX: i64 = 366;
/// Most weeks of spending.
const WEEKS_MAX: i64 = 53;
/// Rows that are read at a time.
const ROWS: usize = 500;
const DAYS_PER_WEEK: i32 = 7;

/// How many days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DaysQuery {
    /// 1 to 366, 30 where the client does not say.
    days: Option<i64>,
}

/// How many weeks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WeeksQuery {
    /// 1 to 53, 8 where the client does not say.
    weeks: Option<i64>,
}

/// An account over some days that end with today.
#[derive(Clone, Copy)]
struct Window {
    customer: CustomerId,
    account: AccountId,
    asset: Asset,
    posted: Amount,
    first: Date,
    today: Date,
    now: Timestamp,
    utc_offset: i32,
}

impl Window {
    /// The last day, today.
    fn days(&self) -> impl Iterator<Item = Date> + use<> {
        (self.first.days()..=self.today.days()).map(Date::from_days)
    }

    fn from(&self) -> Timestamp {
        self.first.midnight_at(self.utc_offset)
    }
}

fn within(name: &str, asked: Option<i64>, usual: i64, most: i64) -> Result<i32, Problem> {
    let number = asked.unwrap_or(usual);
    let fits = (1..=most).contains(&number).then(|| i32::try_from(number).ok()).flatten();
    fits.ok_or_else(|| Problem::bad_request(format!("{name}: 1 to {most}")))
}

async fn window(app: &App, caller: &Caller, id: String, days: i32) -> Result<Window, Problem> {
    app.caught_up(caller).await?;
    app.ask(caller, move |bank, who| {
        let account = own_account(bank, who, &id)?;
        let known = bank.ledger().account(account).ok_or_else(account_unknown)?;
        let utc_offset = utc_offset(bank);
        let today = who.now.date_at(utc_offset);
        Ok(Window {
            customer: who.customer,
            account,
            asset: known.asset(),
            posted: known.balance().posted,
            first: today.plus_days(1_i32.saturating_sub(days)),
            today,
            now: who.now,
            utc_offset,
        })
    })
    .await
}

/// Calls `see` for every movement of the window, newest first; answers with the balance before the first of them, where it is known.
fn each(
    reads: &ReadModel,
    window: &Window,
    mut see: impl FnMut(&MovementRow) -> Result<(), ProjectionError>,
) -> Result<Option<Amount>, ProjectionError> {
    let of_account = MovementQuery { account: Some(window.account), limit: ROWS, ..MovementQuery::default() };
    let mut query = MovementQuery { from: Some(window.from()), ..of_account.clone() };
    loop {
        let page = reads.movements(window.customer, &query)?;
        page.rows.iter().try_for_each(&mut see)?;
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => break,
        }
    }
    let before = MovementQuery { until: Some(window.from()), limit: 1, ..of_account };
    let page = reads.movements(window.customer, &before)?;
    Ok(page.rows.first().map(|row| row.balance_after))
}

/// The balance at the end of each day, oldest first; today's is that of now.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/history", params(("id" = String, Path), DaysQuery), responses(
    (status = 200, description = "The answer.", body = wire::History),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn account_history(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    Asked(asked): Asked<DaysQuery>,
) -> Result<Json<wire::History>, Problem> {
    let days = within("days", asked.days, 30, DAYS_MAX)?;
    let window = window(&app, &caller, id, days).await?;
    let points = app.rows(move |reads| history(reads, &window)).await?;
    Ok(Json(wire::History { points }))
}

fn history(reads: &ReadModel, window: &Window) -> Result<Vec<wire::HistoryPoint>, ProjectionError> {
    // Rows come newest first, so the first of a day is its last.
    let mut closing: BTreeMap<Date, Amount> = BTreeMap::new();
    let before = each(reads, window, |row| {
        closing.entry(row.recorded_at.date_at(window.utc_offset)).or_insert(row.balance_after);
        Ok(())
    })?;
    if before.is_none() && closing.is_empty() {
        return Ok(Vec::new());
    }
    let mut posted = before.unwrap_or(Amount::zero(window.asset));
    let mut points = Vec::new();
    for day in window.days() {
        posted = closing.get(&day).copied().unwrap_or(posted);
        let is_today = day == window.today;
        let end = day.plus_days(1).midnight_at(window.utc_offset).minus_ms(1);
        let (at, posted) = if is_today { (window.now, window.posted) } else { (end, posted) };
        points.push(wire::HistoryPoint { at: instant(at), posted: posted.into() });
    }
    Ok(points)
}

/// What came in and went out in each seven days, oldest first; the last seven end with today.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/spending", params(("id" = String, Path), WeeksQuery), responses(
    (status = 200, description = "The answer.", body = wire::Spending),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn account_spending(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    Asked(asked): Asked<WeeksQuery>,
) -> Result<Json<wire::Spending>, Problem> {
    let weeks = within("weeks", asked.weeks, 8, WEEKS_MAX)?;
    let window = window(&app, &caller, id, weeks.saturating_mul(DAYS_PER_WEEK)).await?;
    let weeks = app.rows(move |reads| spending(reads, &window)).await?;
    Ok(Json(wire::Spending { weeks }))
}

fn spending(reads: &ReadModel, window: &Window) -> Result<Vec<wire::SpendingWeek>, ProjectionError> {
    let zero = Amount::zero(window.asset);
    let mut sums: BTreeMap<i32, (Amount, Amount)> = BTreeMap::new();
    let before = each(reads, window, |row| {
        let days = row.recorded_at.date_at(window.utc_offset).days().saturating_sub(window.first.days());
        let (incoming, out) = sums.entry(days.div_euclid(DAYS_PER_WEEK)).or_insert((zero, zero));
        let sum = match row.direction {
            Direction::In => incoming,
            Direction::Out => out,
        };
        *sum = sum.plus(row.amount).map_err(|error| ProjectionError::Log(error.to_string()))?;
        Ok(())
    })?;
    if before.is_none() && sums.is_empty() {
        return Ok(Vec::new());
    }
    let weeks = window.today.days().saturating_sub(window.first.days()).div_euclid(DAYS_PER_WEEK);
    let week = |number: i32| {
        let from = window.first.plus_days(number.saturating_mul(DAYS_PER_WEEK));
        let (incoming, out) = sums.get(&number).copied().unwrap_or((zero, zero));
        let to = from.plus_days(DAYS_PER_WEEK.saturating_sub(1));
        wire::SpendingWeek {
            from: from.to_string(),
            to: to.to_string(),
            out: out.into(),
            incoming: incoming.into(),
        }
    };
    Ok((0..=weeks).map(week).collect())
}
