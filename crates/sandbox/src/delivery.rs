//! The clock, which lets the world's time pass, and the postman, who brings frames to our bank.
//!
//! The postman goes one frame after the other, so that they arrive in their order; what our bank does not take waits
//! its own time and lets the others pass. Both wake on every change and at least every tenth of a second.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::server::{ServeError, Shared};
use crate::store::Store;
use crate::world::{Delivery, DeliveryOutcome};

/// Longest sleep of either.
const SLEEP_MAX: Duration = Duration::from_millis(100);
/// Shortest sleep between two looks at the same plan: no busy loop over a plan that is held up.
const SLEEP_MIN: Duration = Duration::from_millis(1);
/// How long our bank may take to acknowledge a frame.
const POST_TIMEOUT: Duration = Duration::from_secs(5);

/// Ticks the world until the end.
pub(crate) async fn keep_time(
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    while !*stopped.borrow() {
        let next = shared
            .with_quietly(|store, now| {
                let changed = store.tick(now)?;
                Ok((changed, store.world().next_due()))
            })
            .await?;
        if next.0 {
            shared.post.notify_one();
        }
        sleep(next.1, &shared.plans, &mut stopped).await;
    }
    Ok(())
}

/// Posts frames to our bank until the end.
pub(crate) async fn deliver(
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
    bank_url: String,
) -> Result<(), ServeError> {
    let url = format!("{}{}", bank_url.trim_end_matches('/'), cnaps::FRAMES_PATH);
    let config = ureq::Agent::config_builder().timeout_global(Some(POST_TIMEOUT)).http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    while !*stopped.borrow() {
        let outgoing = shared.with_quietly(Store::outgoing).await?;
        let is_idle = outgoing.is_empty();
        for delivery in outgoing {
            let (id, message_type) = (delivery.id, delivery.message_type);
            let (agent, url) = (agent.clone(), url.clone());
            let posted = tokio::task::spawn_blocking(move || post(&agent, &url, &delivery));
            let outcome = tokio::select! {
                outcome = posted => outcome.unwrap_or(DeliveryOutcome::NoAnswer),
                _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
            };
            let unreachable = outcome == DeliveryOutcome::NoAnswer;
            tracing::debug!(id, message_type, unreachable, "posted a frame");
            shared.with_quietly(move |store, now| store.delivered(id, outcome, now)).await?;
            shared.plans.notify_one();
            if unreachable {
                break;
            }
        }
        if is_idle {
            let next = shared.with_quietly(|store, _| Ok(store.world().next_outgoing())).await?;
            sleep(next, &shared.post, &mut stopped).await;
        }
    }
    Ok(())
}

fn post(agent: &ureq::Agent, url: &str, delivery: &Delivery) -> DeliveryOutcome {
    let request = agent.post(url).header("content-type", cnaps::FRAME_CONTENT_TYPE);
    let Ok(mut response) = request.send(delivery.frame_bytes.as_slice()) else {
        return DeliveryOutcome::NoAnswer;
    };
    if response.status().as_u16() != 200 {
        return DeliveryOutcome::Status(response.status().as_u16());
    }
    let limit = u64::try_from(cnaps::FRAME_SIZE_BYTES_LIMIT).unwrap_or(u64::MAX);
    match response.body_mut().with_config().limit(limit).read_to_vec() {
        Ok(bytes) => DeliveryOutcome::Reply(bytes),
        Err(_) => DeliveryOutcome::NoAnswer,
    }
}

/// Sleeps until something is due, something changed, or the end.
async fn sleep(next: Option<Timestamp>, changed: &Notify, stopped: &mut watch::Receiver<bool>) {
    // What lies in the past is a negative span, and takes the shortest sleep.
    let until =
        next.map(|next| Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or_default());
    let nap = until.unwrap_or(SLEEP_MAX).clamp(SLEEP_MIN, SLEEP_MAX);
    tokio::select! {
        () = tokio::time::sleep(nap) => {}
        () = changed.notified() => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}
