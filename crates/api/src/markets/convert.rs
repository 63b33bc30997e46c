//! Converting one asset into another: a firm price, and taking it.

use axum::Json;
use axum::extract::State;
use bank::{Bank, Command};
use exchange::quote::{Offer, OfferId, QuoteChange, QuoteRefusal, TermsHash};
use exchange::route::{Exact, VenueId};
use exchange::{Event, PriceRequest, Side};
use identity::Actor;
use money::{Amount, Asset};
use node::Taken;
use projections::ConversionRow;
use serde::Deserialize;
use utoipa::IntoParams;

use super::change::{cursor, limit, next};
use super::{account_in, refused};
use crate::Problem;
use crate::app::{App, Who};
use crate::extract::{Asked, Body, Segment};
use crate::guard::Written;
use crate::idempotency::Key;
use crate::session::Caller;
use crate::wire::{self, ProblemBody, instant};

/// Most rows of a page.
const LIMIT_MAX: u32 = 200;
/// Decimals of an offer's price.
const PRICE_DECIMALS: u8 = 8;
const BPS_WHOLE: u128 = 10_000;

/// The pairs that the bank converts.
#[utoipa::path(get, path = "/api/v1/convert/pairs", operation_id = "convert_pairs", responses(
    (status = 200, description = "The answer.", body = wire::ConvertPairList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn convert_pairs(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<wire::ConvertPairList>, Problem> {
    let pairs = app.ask(&caller, |bank, who| {
        let dealing = bank.exchange().dealing();
        let shown = dealing.desk().pairs().filter_map(|(pair, _)| {
            let terms = dealing.desk().terms(*pair, who.now)?;
            let accepted = dealing.prices().feed(*pair)?.accepted()?;
            let most = terms.bands.last()?.up_to;
            Some(wire::ConvertPair {
                base: pair.base.code().to_owned(),
                quote: pair.quote.code().to_owned(),
                mid: accepted.rate.to_string(),
                at: instant(accepted.at),
                min: terms.least.decimal(),
                max: most.decimal(),
            })
        });
        Ok(shown.collect())
    });
    Ok(Json(wire::ConvertPairList { pairs: pairs.await? }))
}

fn asset(bank: &Bank, code: &str) -> Result<Asset, Problem> {
    let books = bank.payments().all_books().find(|books| books.asset.code() == code);
    let unknown = || Problem::unprocessable("asset_unknown", "The bank has no accounts in this asset.");
    books.map(|books| books.asset).ok_or_else(unknown)
}

fn exact(bank: &Bank, asked: &wire::ConvertRequest) -> Result<Exact, Problem> {
    let (from, to) = (asset(bank, &asked.from)?, asset(bank, &asked.to)?);
    let amount = |asset| {
        Amount::parse(asset, &asked.amount).map_err(|_| {
            Problem::bad_request(format!("amount: digits and at most {} decimals", asset.scale()))
        })
    };
    Ok(match asked.exact {
        wire::ConvertExact::In => Exact::Pays { amount: amount(from)?, takes: to },
        wire::ConvertExact::Out => Exact::Takes { amount: amount(to)?, pays: from },
    })
}

fn request(
    bank: &Bank,
    who: &Who,
    id: OfferId,
    asked: &wire::ConvertRequest,
) -> Result<PriceRequest, Problem> {
    let exact = exact(bank, asked)?;
    let (pays, takes) = exact.assets();
    let account = |asset: Asset| {
        let missing = || refused(exchange::Refusal::DealingAccounts).with("missing", asset.code());
        account_in(bank, who, asset).ok_or_else(missing)
    };
    Ok(PriceRequest { id, from: account(pays)?, to: account(takes)?, exact })
}

/// A firm price for an amount, for a short time.
#[utoipa::path(post, path = "/api/v1/convert/quotes", operation_id = "convert_quote", request_body = wire::ConvertRequest, responses(
    (status = 200, description = "The answer.", body = wire::ConvertOffered),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn convert_quote(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
    Body(asked): Body<wire::ConvertRequest>,
) -> Result<Written<Json<wire::ConvertOffered>>, Problem> {
    // The same key gives the same offer, also after a restart.
    let id = OfferId::new(key.value());
    let request = app.ask(&caller, move |bank, who| request(bank, who, id, &asked)).await?;
    let command = Command::Exchange(exchange::Command::RequestQuote(request));
    let look = move |bank: &Bank, taken: &Taken| {
        let made = taken.markets.as_ref().and_then(|markets| {
            markets.outcome.events.iter().find_map(|event| match event {
                Event::Quote(QuoteChange::Offered(offer)) => Some(offer.clone()),
                _ => None,
            })
        });
        made.or_else(|| bank.exchange().dealing().desk().offer(id).cloned())
    };
    let (taken, made) = app.submit_looking(key, Actor::Session(caller.session), command, look).await?;
    // Of a repeat that came late there is nothing left to take.
    let made = made.ok_or_else(|| refused(QuoteRefusal::OfferUnknown { id }.into()))?;
    Ok(Written(taken.seq, Json(wire::ConvertOffered { offer: offer(&made) })))
}

fn offer(offer: &Offer) -> wire::ConvertOffer {
    wire::ConvertOffer {
        id: offer.id().to_string(),
        pays: offer.pays.into(),
        takes: offer.takes.into(),
        mid: offer.mid.to_string(),
        price: price(offer).unwrap_or_else(|| offer.mid.to_string()),
        spread_bps: offer.spread.total_ppm.div_ceil(100),
        fee: offer.fee.into(),
        route: route(offer),
        terms_hash: hex::encode(offer.terms_hash().bytes()),
        made_at: instant(offer.made_at),
        expires_at: instant(offer.expires_at),
    }
}

/// What a unit of base costs: all of quote over all of base, rounded down.
fn price(offer: &Offer) -> Option<String> {
    let (base, quote) = match offer.side {
        Side::Bid => (offer.takes, offer.pays),
        Side::Ask => (offer.pays, offer.takes),
    };
    let places = u32::from(base.asset().scale()).saturating_add(u32::from(PRICE_DECIMALS));
    let power = 10_u128.checked_pow(places.checked_sub(u32::from(quote.asset().scale()))?)?;
    let units = quote.minor().checked_mul(power)?.checked_div(base.minor())?;
    let written = Asset::new("X", PRICE_DECIMALS).ok()?;
    let text = Amount::new(written, units).decimal();
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// Shares of the venues; what rounding leaves goes to the first.
fn route(offer: &Offer) -> Vec<wire::ConvertRoute> {
    let all = offer.route.iter().fold(0_u128, |sum, leg| sum.saturating_add(leg.takes.minor()));
    let mut parts: Vec<wire::ConvertRoute> = offer
        .route
        .iter()
        .map(|leg| {
            let share = leg.takes.minor().saturating_mul(BPS_WHOLE).checked_div(all).unwrap_or(0);
            wire::ConvertRoute {
                venue: match leg.venue {
                    VenueId::Inventory => wire::ConvertVenue::Inventory,
                    VenueId::Book(_) => wire::ConvertVenue::Book,
                    VenueId::Pool(_) => wire::ConvertVenue::Pool,
                },
                share_bps: u32::try_from(share).unwrap_or(0),
            }
        })
        .collect();
    let given = parts.iter().fold(0_u32, |sum, part| sum.saturating_add(part.share_bps));
    if let Some(first) = parts.first_mut() {
        first.share_bps = first.share_bps.saturating_add(10_000_u32.saturating_sub(given));
    }
    parts
}

/// Takes an offer.
#[utoipa::path(post, path = "/api/v1/convert/quotes/{id}/accept", operation_id = "convert_accept", params(("id" = String, Path)),
    request_body = wire::ConvertAccept, responses(
    (status = 200, description = "The answer.", body = wire::Converted),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn convert_accept(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    Key(key): Key,
    Body(asked): Body<wire::ConvertAccept>,
) -> Result<Written<Json<wire::Converted>>, Problem> {
    let unknown = || refused(QuoteRefusal::OfferUnknown { id: OfferId::new(0) }.into());
    let id: OfferId = id.parse().map_err(|_| unknown())?;
    let hash = hex::decode(&asked.terms_hash).ok().and_then(|bytes| bytes.try_into().ok());
    let hash = hash.ok_or_else(|| Problem::bad_request("terms_hash: 64 hexadecimal digits"))?;
    let command = exchange::Command::AcceptQuote { offer: id, terms_hash: TermsHash::new(hash) };
    let taken = app.submit(key, Actor::Session(caller.session), Command::Exchange(command)).await?;
    // The row says it also where the command is a repeat.
    app.reached(taken.seq).await?;
    let customer = app.ask(&caller, |_, who| Ok(who.customer)).await?;
    let rows = app.rows(move |reads| reads.conversions(customer, Some(id), None, 1)).await?;
    let conversion = rows.first().map(conversion).ok_or_else(Problem::internal)?;
    Ok(Written(taken.seq, Json(wire::Converted { conversion })))
}

fn conversion(row: &ConversionRow) -> wire::Conversion {
    wire::Conversion {
        id: row.offer.id().to_string(),
        pays: row.offer.pays.into(),
        takes: row.offer.takes.into(),
        fee: row.offer.fee.into(),
        at: instant(row.at),
        entry: row.entry.to_string(),
    }
}

/// Which conversions are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Where the page before ended.
    cursor: Option<String>,
    /// Most rows, 1 to 200.
    limit: Option<u32>,
}

/// The customer's conversions, newest first.
#[utoipa::path(get, path = "/api/v1/convert/history", operation_id = "convert_history", params(HistoryQuery), responses(
    (status = 200, description = "The answer.", body = wire::ConversionPage),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn convert_history(
    State(app): State<App>,
    caller: Caller,
    Asked(asked): Asked<HistoryQuery>,
) -> Result<Json<wire::ConversionPage>, Problem> {
    let (before, most) = (cursor(asked.cursor.as_deref())?, limit(asked.limit, LIMIT_MAX)?);
    app.caught_up(&caller).await?;
    let customer = app.ask(&caller, |_, who| Ok(who.customer)).await?;
    let rows = app.rows(move |reads| reads.conversions(customer, None, before, most)).await?;
    let next = next(rows.last().map(|row| row.rank), rows.len(), most);
    Ok(Json(wire::ConversionPage { conversions: rows.iter().map(conversion).collect(), next }))
}
