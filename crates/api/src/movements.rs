//! Movements: searched, paged, one by one.

use axum::Json;
use axum::extract::State;
use bank::Bank;
use payments::{Payment, PaymentState};
use projections::{Direction, MovementKind, MovementQuery, MovementRow};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::accounts::own_account;
use crate::app::App;
use crate::extract::{Asked, Segment};
use crate::session::Caller;
use crate::track::is_settled;
use crate::wire::{self, ProblemBody, instant};
use crate::{Problem, parse};

/// Rows of a page where the client does not say.
const LIMIT_USUAL: i64 = 20;
/// Most rows of a page.
const LIMIT_MAX: i64 = 200;
/// Longest text that is searched for.
const SEARCH_CHARS_MAX: usize = 100;

/// Which movements are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MovementsQuery {
    /// Only of this account.
    account: Option<String>,
    /// Only those with this text in name, account number, note or amount.
    q: Option<String>,
    /// Only this way.
    #[param(inline)]
    direction: Option<wire::Direction>,
    /// From this instant or day on.
    from: Option<String>,
    /// Up to and including this instant or day.
    to: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// Most rows, 1 to 200.
    limit: Option<i64>,
}

/// A movement as it travels.
pub(crate) fn movement(app: &App, bank: &Bank, row: &MovementRow) -> wire::Movement {
    let payment = row.payment.and_then(|id| bank.payments().payment(id));
    // Who is paid from inside the bank cannot look at the payer's payment.
    let own = payment.filter(|payment| payment.customer == Some(row.customer));
    let has_party = !(row.counterparty.name.is_empty() && row.counterparty.account_number.is_empty());
    wire::Movement {
        id: row.id.to_string(),
        seq: row.seq,
        account_id: row.account.to_string(),
        payment_id: own.map(|payment| payment.id.to_string()),
        kind: match row.kind {
            MovementKind::Deposit => wire::MovementKind::Deposit,
            MovementKind::TransferIn => wire::MovementKind::TransferIn,
            MovementKind::TransferOut => wire::MovementKind::TransferOut,
            MovementKind::Withdrawal => wire::MovementKind::Withdrawal,
            MovementKind::Return => wire::MovementKind::Return,
            MovementKind::Adjustment => wire::MovementKind::Adjustment,
            MovementKind::Trade => wire::MovementKind::Trade,
            MovementKind::Convert => wire::MovementKind::Convert,
            MovementKind::Pool => wire::MovementKind::Pool,
        },
        direction: match row.direction {
            Direction::In => wire::Direction::In,
            Direction::Out => wire::Direction::Out,
        },
        amount: row.amount.into(),
        balance_after: row.balance_after.into(),
        counterparty: has_party.then(|| app.directory.counterparty(bank, &row.counterparty)),
        note: row.note.clone(),
        recorded_at: instant(row.recorded_at),
        effective_at: instant(row.effective_at),
        state: if row.kind == MovementKind::Withdrawal
            && own.is_some_and(|payment| is_in_transit(bank, payment))
        {
            wire::MovementState::InTransit
        } else {
            wire::MovementState::Settled
        },
        // A movement is shown with the checkpoint that covers it.
        receipt_ready: true,
    }
}

fn is_in_transit(bank: &Bank, payment: &Payment) -> bool {
    match payment.state {
        PaymentState::Confirmed { settlement, .. } => !is_settled(bank, payment.rail, settlement),
        _ => false,
    }
}

fn limit(asked: Option<i64>) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(LIMIT_USUAL);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: 1 to {LIMIT_MAX}")));
    }
    usize::try_from(limit).map_err(|_| Problem::internal())
}

/// Movements, newest first, in pages.
#[utoipa::path(get, path = "/api/v1/movements", params(MovementsQuery), responses(
    (status = 200, description = "The answer.", body = wire::MovementPage),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn movements(
    State(app): State<App>,
    caller: Caller,
    Asked(asked): Asked<MovementsQuery>,
) -> Result<Json<wire::MovementPage>, Problem> {
    let limit = limit(asked.limit)?;
    if asked.q.as_ref().is_some_and(|text| text.chars().count() > SEARCH_CHARS_MAX) {
        return Err(Problem::bad_request(format!("q: at most {SEARCH_CHARS_MAX} characters")));
    }
    app.caught_up(&caller).await?;
    let (customer, query) = app
        .ask(&caller, move |bank, who| {
            let account = asked.account.as_deref().map(|id| own_account(bank, who, id)).transpose()?;
            let query = MovementQuery {
                account,
                text: asked.q.clone(),
                direction: asked.direction.map(|way| match way {
                    wire::Direction::In => Direction::In,
                    wire::Direction::Out => Direction::Out,
                }),
                from: parse::from(bank, asked.from.as_deref())?,
                until: parse::until(bank, asked.to.as_deref())?,
                cursor: asked.cursor.clone(),
                limit,
            };
            Ok((who.customer, query))
        })
        .await?;
    // Read before the rows, so that it never says more than they do.
    let seq = app.reads().status().seq;
    let page = app.rows(move |reads| reads.movements(customer, &query)).await?;
    let next_cursor = page.next_cursor;
    let shared = app.clone();
    let items =
        app.look(move |bank| page.rows.iter().map(|row| movement(&shared, bank, row)).collect()).await?;
    Ok(Json(wire::MovementPage { items, next_cursor, seq }))
}

/// One movement of the customer.
#[utoipa::path(get, path = "/api/v1/movements/{id}", operation_id = "movement", params(("id" = String, Path)), responses(
    (status = 200, description = "The answer.", body = wire::Movement),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn movement_one(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
) -> Result<Json<wire::Movement>, Problem> {
    let id = id.parse().map_err(|_| Problem::from(projections::ProjectionError::MovementUnknown))?;
    app.caught_up(&caller).await?;
    let customer = app.ask(&caller, |_, who| Ok(who.customer)).await?;
    let row = app.rows(move |reads| reads.movement(customer, id)).await?;
    let shared = app.clone();
    app.look(move |bank| movement(&shared, bank, &row)).await.map(Json)
}
