//! What travels: the shapes of the interface, as JSON and as OpenAPI schemas.
//!
//! **Invariants.** No type of the bank is written to the wire as it is; each is turned into one of these by hand, so a change inside the
//! bank cannot change the interface. Unknown fields are refused. Every field is always there; what is absent is `null`.
//!
//! What it does not do: it decides nothing and reads no state.

mod account;
mod convert;
mod health;
mod identity;
mod market;
mod money_text;
mod movement;
mod payment;
mod problem;

pub use account::{Account, Bank, BankList, History, HistoryPoint, ParsedQr, Spending, SpendingWeek};
pub use account::{
    AccountList, Hold, HoldList, HoldReason, LimitRow, Limits, Period, QrPayload, ReceiveDetails,
};
pub use convert::{
    Conversion, ConversionPage, ConvertAccept, ConvertExact, ConvertOffer, ConvertOffered, ConvertPair,
    ConvertPairList, ConvertRequest, ConvertRoute, ConvertVenue, Converted,
};
pub use health::{Health, RailHealth, RailState};
pub use identity::{
    CreationCeremony, CustomerStatus, Device, DeviceList, DeviceStatus, Enrolment, EnrolmentFinish,
    EnrolmentRequest, Grade, Locale, LocaleChoice, Me, Passkey, PasskeyFinish, RequestCeremony, Session,
    TotpCode, TotpSecret, UnlockBegin, UnlockRequest, Via,
};
pub use market::{
    AccountRequest, AssetInfo, AssetList, CallReason, Candle, CandleList, Depth, Fill, FillPage, FillRole,
    FillsNow, InForce, Level, Market, MarketFees, MarketHours, MarketList, MarketPhase, OcoRequest,
    OfferedAsset, Order, OrderMove, OrderPage, OrderPlaced, OrderPlan, OrderPlanList, OrderPreview,
    OrderReduce, OrderRefusal, OrderRequest, OrderSide, OrderState, OrderType, OrdersEnded, PriceBand,
    RestsThen, SelfTrade, StreamDelta, StreamMessage, StreamSnapshot, TakerSide, Trade, TradePage,
    TwapRequest,
};
pub use money_text::{Amount, instant, labelled, parse_asset, parse_instant};
pub use movement::{Direction, LogKey, Movement, MovementKind, MovementPage, MovementState};
pub use payment::{
    Arrival, ArrivalKind, Counterparty, Intent, Payee, PayeeCheck, PayeeList, PayeeRef, Payment, PaymentKind,
    PaymentList, PaymentReason, PaymentRequest, PaymentState, PaymentStep, Preview, PreviewRequest, Rail,
    Route, RouteReason, StepName,
};
pub use problem::ProblemBody;

use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, SchemaType, Type};

/// A JSON object whose inside belongs to a standard of its own (WebAuthn options and answers).
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

/// The schema of a [`JsonObject`].
pub(crate) fn json_object() -> utoipa::openapi::schema::Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .build()
}

/// The schema of a [`JsonObject`] that may be `null`.
pub(crate) fn json_object_or_null() -> utoipa::openapi::schema::Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .build()
}

/// The schema of a receipt file; what is inside is the business of its verifier.
pub(crate) struct ReceiptFile;

impl utoipa::PartialSchema for ReceiptFile {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        json_object().into()
    }
}

impl utoipa::ToSchema for ReceiptFile {}

/// The schema of texts by name.
pub(crate) fn texts() -> utoipa::openapi::schema::Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// Reads a field that may be `null` and must be there.
pub(crate) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    json: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(json)
}
