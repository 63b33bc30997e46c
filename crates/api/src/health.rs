//! How the bank is; for everybody.

use axum::Json;
use axum::extract::State;
use money::Timestamp;
use payments::Rail;

use crate::Problem;
use crate::app::App;
use crate::parse::wire_rail;
use crate::wire::{self, ProblemBody, instant};

/// From here on the screens are late enough to say so.
const BEHIND_MS: u64 = 2_000;

/// How the bank is: how far it is, how far the screens are, which rails are open.
#[utoipa::path(get, path = "/api/v1/health", responses(
    (status = 200, description = "The answer.", body = wire::Health),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn health(State(app): State<App>) -> Result<Json<wire::Health>, Problem> {
    let reads = app.reads().status();
    let status = app.handle().status();
    if status.halted.is_some() {
        return Err(Problem::unavailable("The bank has halted; an operator has to look."));
    }
    let rails = app.look(|bank| {
        let today = bank.payments().local_date(bank.recorded_at());
        let inside = rail(Rail::Internal, payments::RailState::Open, today);
        let known = [Rail::Instant, Rail::HighValue]
            .into_iter()
            .filter_map(|rail| bank.payments().rail_status(rail).map(|status| (rail, status)));
        let outside = known.map(|(name, status)| rail(name, status.state, status.business_date));
        std::iter::once(inside).chain(outside).collect()
    });
    let lag = lag(status.durable.seq, status.recorded_at, reads);
    Ok(Json(wire::Health {
        status: if lag > BEHIND_MS { "behind" } else { "ok" }.to_owned(),
        seq: status.seq,
        durable_seq: status.durable.seq,
        projection_seq: reads.seq,
        projection_lag_ms: lag,
        recorded_at: instant(status.recorded_at),
        rails: rails.await?,
    }))
}

/// How much younger the bank's last entry is than the last one on the screens.
fn lag(durable: u64, recorded_at: Timestamp, reads: projections::Status) -> u64 {
    if reads.seq >= durable { 0 } else { recorded_at.since(reads.recorded_at) }
}

fn rail(rail: Rail, state: payments::RailState, business_date: money::Date) -> wire::RailHealth {
    wire::RailHealth {
        rail: wire_rail(rail),
        state: match state {
            payments::RailState::Open => wire::RailState::Open,
            payments::RailState::Closed => wire::RailState::Closed,
            payments::RailState::Down => wire::RailState::Down,
        },
        business_date: business_date.to_string(),
    }
}
