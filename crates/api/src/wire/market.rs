//! Markets, orders and fills. Prices and quantities are decimal text in the market's steps, sums in the scale of their asset.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Amount;

/// An asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AssetInfo {
    /// Code, such as `BTC`.
    pub code: String,
    /// Decimals of its minor unit.
    pub scale: u8,
}

/// An asset that the bank keeps books in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfferedAsset {
    /// Code, such as `BTC`.
    pub code: String,
    /// Decimals of its minor unit.
    pub scale: u8,
    /// Whether the customer has an account in it.
    pub opened: bool,
}

/// The assets that the bank keeps books in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AssetList {
    /// By code.
    pub assets: Vec<OfferedAsset>,
}

/// Which asset to open an account in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRequest {
    /// Its code.
    pub asset: String,
}

/// Fees in millionths of what changes hands in quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct MarketFees {
    /// Of the order that rested; below zero it gets them.
    pub maker_ppm: i64,
    /// Of the order that came in.
    pub taker_ppm: u32,
}

/// Prices from one to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriceBand {
    /// The lowest.
    pub low: String,
    /// The highest.
    pub high: String,
}

/// What a market does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarketPhase {
    /// Outside its hours.
    Closed,
    /// Orders are collected for an auction.
    Call,
    /// Orders trade as they come.
    Open,
    /// Stopped by the bank.
    Suspended,
}

/// What an auction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallReason {
    /// The market opens.
    Opening,
    /// The market closes.
    Closing,
    /// The price moved too far too fast.
    Halt,
    /// The market was suspended and goes on.
    Resumption,
}

/// When a market trades, by the clock of its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MarketHours {
    /// Minutes that the clock is ahead of UTC.
    pub utc_offset_minutes: i32,
    /// Days of the week, 1 for Monday to 7.
    pub days: Vec<u8>,
    /// Minute of the day at which orders are collected for the opening auction.
    pub call_at: u32,
    /// Minute of the opening auction.
    pub open_at: u32,
    /// Minute at which orders are collected for the closing auction.
    pub closing_call_at: u32,
    /// Minute of the closing auction.
    pub close_at: u32,
    /// Days on which it stays closed.
    pub holidays: Vec<String>,
}

/// A market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Market {
    /// Its number.
    pub number: u32,
    /// What is bought and sold.
    pub base: AssetInfo,
    /// What it is paid with.
    pub quote: AssetInfo,
    /// Step of quantities.
    pub lot: String,
    /// Step of prices.
    pub tick: String,
    /// Least that an order is worth, in quote.
    pub min_notional: String,
    /// Most of one order.
    pub quantity_max: String,
    /// Fees.
    pub fees: MarketFees,
    /// The prices that an order may name now.
    pub band: PriceBand,
    /// What it does now.
    #[schema(inline)]
    pub phase: MarketPhase,
    /// When that changes by itself.
    #[schema(required = true, format = DateTime)]
    pub phase_until: Option<String>,
    /// What orders are collected for.
    #[schema(required = true)]
    pub phase_why: Option<CallReason>,
    /// The price around which the band lies.
    pub reference: String,
    /// Price of the last trade.
    #[schema(required = true)]
    pub last: Option<String>,
    /// How far that is from the price a day ago, in basis points.
    #[schema(required = true)]
    pub change_24h_bps: Option<i64>,
    /// Highest price of the last day.
    #[schema(required = true)]
    pub high_24h: Option<String>,
    /// Lowest price of the last day.
    #[schema(required = true)]
    pub low_24h: Option<String>,
    /// How much base traded in the last day.
    pub volume_24h_base: String,
    /// For how much quote.
    pub volume_24h_quote: String,
    /// Highest price that somebody pays.
    #[schema(required = true)]
    pub best_bid: Option<String>,
    /// Lowest price that somebody takes.
    #[schema(required = true)]
    pub best_ask: Option<String>,
    /// When it trades; `null` is always.
    #[schema(required = true)]
    pub hours: Option<MarketHours>,
    /// The customer's seat.
    #[schema(required = true)]
    pub seat: Option<u32>,
    /// Whether the customer's orders are stopped.
    pub stopped: bool,
}

/// All markets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MarketList {
    /// By number.
    pub markets: Vec<Market>,
}

/// A price, how much rests there, and how many orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Level(pub String, pub String, pub u32);

/// What rests in a book, best prices first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Depth {
    /// The journal entry for which this is true.
    #[schema(format = Int64, value_type = i64)]
    pub sequence: u64,
    /// CRC-32C of the best 25 levels of each side, `price:quantity|` each, bids first.
    pub checksum: u32,
    /// Who buys.
    pub bids: Vec<Level>,
    /// Who sells.
    pub asks: Vec<Level>,
}

/// Who came to whom in a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TakerSide {
    /// A buyer took what rested.
    Buy,
    /// A seller did.
    Sell,
    /// Both rested, and an auction matched them.
    Auction,
}

/// A trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trade {
    /// Its number in the market, from 1.
    #[schema(format = Int64, value_type = i64)]
    pub number: u64,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// At which price.
    pub price: String,
    /// How much.
    pub quantity: String,
    /// Who came to whom.
    #[schema(inline)]
    pub taker: TakerSide,
}

/// A page of trades, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TradePage {
    /// The trades.
    pub trades: Vec<Trade>,
    /// Where the next page begins.
    #[schema(required = true)]
    pub next: Option<String>,
}

/// The trades of a span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Candle {
    /// When the span begins, in milliseconds since 1970.
    #[schema(format = Int64, value_type = i64)]
    pub start_ms: u64,
    /// First price.
    pub open: String,
    /// Highest.
    pub high: String,
    /// Lowest.
    pub low: String,
    /// Last.
    pub close: String,
    /// How much base traded.
    pub volume_base: String,
    /// For how much quote.
    pub volume_quote: String,
    /// In how many trades.
    #[schema(format = Int64, value_type = i64)]
    pub trades: u64,
}

/// Candles, oldest first; a span without a trade has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CandleList {
    /// The candles.
    pub candles: Vec<Candle>,
}

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderSide {
    /// Buys base.
    Buy,
    /// Sells base.
    Sell,
}

/// What kind of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderType {
    /// At this price or better.
    Limit,
    /// At once, at the best prices up to a worst one; also what a limit order that fills at once is shown as.
    Market,
    /// At once, as much as a sum buys.
    Budget,
    /// Waits for a trigger, then trades at once.
    Stop,
    /// Waits for a trigger, then is a limit order.
    StopLimit,
    /// A limit order and a stop, of which one ends the other.
    Oco,
    /// Equal pieces at equal distances.
    Twap,
}

/// How long an order stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InForce {
    /// Until it is filled or ended.
    Gtc,
    /// What does not fill at once ends.
    Ioc,
    /// All at once or nothing.
    Fok,
    /// Until a time.
    Gtd,
    /// Rests, or is refused.
    PostOnly,
}

/// What happens where an order would trade with another of the same owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelfTrade {
    /// The one that comes in ends.
    Taker,
    /// The one that rests ends.
    Maker,
    /// Both end.
    Both,
    /// Both become smaller.
    Decrement,
}

/// The stop of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OcoRequest {
    /// The price that ends the limit order.
    pub stop_trigger: String,
    /// The worst price of what follows it.
    pub stop_limit: String,
}

/// How an order is spread over time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TwapRequest {
    /// How many pieces.
    pub pieces: u32,
    /// Seconds between two.
    pub every_seconds: u32,
}

/// An order to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// Buy or sell.
    pub side: OrderSide,
    /// What kind.
    #[serde(rename = "type")]
    pub kind: OrderType,
    /// Limit price of `limit`, `stop_limit`, `oco` and `twap`.
    #[serde(default)]
    pub price: Option<String>,
    /// How much; of every kind but `budget`.
    #[serde(default)]
    pub quantity: Option<String>,
    /// What a `budget` may cost in quote, fees not counted.
    #[serde(default)]
    pub budget: Option<String>,
    /// Price that brings a `stop` or `stop_limit` in.
    #[serde(default)]
    pub trigger: Option<String>,
    /// Worst price of `market`, `budget` and `stop`; by default the price at which trading would halt.
    #[serde(default)]
    pub worst: Option<String>,
    /// How much of it is shown at a time.
    #[serde(default)]
    pub shown: Option<String>,
    /// How long it stays; `gtc` where nothing is said.
    #[serde(default)]
    pub in_force: Option<InForce>,
    /// When a `gtd` order ends.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// What happens against one's own orders; `taker` where nothing is said.
    #[serde(default)]
    pub self_trade: Option<SelfTrade>,
    /// The owner's own number for it, new among open orders.
    #[serde(default)]
    #[schema(format = Int64, value_type = Option<i64>, minimum = 1)]
    pub client: Option<u64>,
    /// The stop of an `oco`.
    #[serde(default)]
    pub oco: Option<OcoRequest>,
    /// The pieces of a `twap`.
    #[serde(default)]
    pub twap: Option<TwapRequest>,
}

/// What would fill at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FillsNow {
    /// How much.
    pub quantity: String,
    /// At which price on average.
    #[schema(required = true)]
    pub average: Option<String>,
    /// At which price at worst.
    #[schema(required = true)]
    pub worst: Option<String>,
    /// For how much quote, fees not counted.
    pub cost: String,
}

/// What would stay in the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RestsThen {
    /// How much.
    pub quantity: String,
    /// At which price.
    #[schema(required = true)]
    pub price: Option<String>,
}

/// Why an order would be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderRefusal {
    /// The stable word, as in a problem.
    pub code: String,
    /// What to do.
    pub detail: String,
    /// The figures that belong to it.
    pub params: std::collections::BTreeMap<String, String>,
}

/// What would become of an order if it came in now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderPreview {
    /// What would fill at once.
    pub fills_now: FillsNow,
    /// What would rest.
    pub rests: RestsThen,
    /// Most that it can cost in fees, in quote.
    pub fee_max: String,
    /// What the fills at once cost in fees, in quote.
    pub fee_expected: String,
    /// What would be set aside; `null` where it would be refused.
    #[schema(required = true)]
    pub reserved: Option<Amount>,
    /// Why it would be refused.
    #[schema(required = true)]
    pub refusal: Option<OrderRefusal>,
}

/// Where an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// In the book.
    Open,
    /// Waits for its trigger.
    Waiting,
    /// All of it traded.
    Filled,
    /// Ended by its owner or by the market.
    Cancelled,
    /// Its time was over.
    Expired,
    /// What could not fill at once, or would have traded with its owner, ended.
    Killed,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// The market's number.
    pub market: u32,
    /// Buy or sell.
    pub side: OrderSide,
    /// What kind.
    #[serde(rename = "type")]
    #[schema(inline)]
    pub kind: OrderType,
    /// Limit or worst price.
    #[schema(required = true)]
    pub price: Option<String>,
    /// What it waits or waited for.
    #[schema(required = true)]
    pub trigger: Option<String>,
    /// How much it was when it came in; of a `budget` what it bought.
    pub quantity: String,
    /// How much has traded.
    pub filled: String,
    /// How much is left of it in the book.
    pub left: String,
    /// At which price it traded on average.
    #[schema(required = true)]
    pub average: Option<String>,
    /// Fees paid in quote; below zero where it got more back.
    pub fee_paid: String,
    /// What is set aside for it.
    #[schema(required = true)]
    pub reserved: Option<Amount>,
    /// How long it stays.
    #[schema(inline)]
    pub in_force: InForce,
    /// When it ends by itself.
    #[schema(required = true, format = DateTime)]
    pub until: Option<String>,
    /// How much it shows at a time.
    #[schema(required = true)]
    pub shown: Option<String>,
    /// Where it is.
    #[schema(inline)]
    pub state: OrderState,
    /// When it came in.
    #[schema(format = DateTime)]
    pub placed_at: String,
    /// When it was filled or ended.
    #[schema(required = true, format = DateTime)]
    pub ended_at: Option<String>,
    /// The plan that it is a piece of.
    #[schema(required = true)]
    pub plan: Option<u32>,
    /// The owner's own number for it.
    #[schema(required = true, format = Int64, value_type = Option<i64>)]
    pub client: Option<u64>,
}

/// A page of orders, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderPage {
    /// The orders.
    pub orders: Vec<Order>,
    /// Where the next page begins.
    #[schema(required = true)]
    pub next: Option<String>,
}

/// Which part an order had in a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FillRole {
    /// It rested.
    Maker,
    /// It came in.
    Taker,
    /// An auction matched it.
    Auction,
}

/// A fill of one of the customer's orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fill {
    /// Number of the trade.
    #[schema(format = Int64, value_type = i64)]
    pub trade: u64,
    /// The order.
    pub order: String,
    /// The market's number.
    pub market: u32,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Bought or sold.
    pub side: OrderSide,
    /// Which part it had.
    #[schema(inline)]
    pub role: FillRole,
    /// At which price.
    pub price: String,
    /// How much.
    pub quantity: String,
    /// The fee in quote; below zero where something was given back.
    pub fee: String,
    /// The movements of base and of quote.
    pub movements: Vec<String>,
}

/// A page of fills, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FillPage {
    /// The fills.
    pub fills: Vec<Fill>,
    /// Where the next page begins.
    #[schema(required = true)]
    pub next: Option<String>,
}

/// What became of a request for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderPlaced {
    /// The order; `null` for a plan.
    #[schema(required = true)]
    pub order: Option<Order>,
    /// What filled at once.
    pub fills: Vec<Fill>,
    /// The plan, for `oco` and `twap`.
    #[schema(required = true)]
    pub plan: Option<OrderPlan>,
}

/// An order of orders that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderPlan {
    /// Its number in the market.
    pub number: u32,
    /// The market's number.
    pub market: u32,
    /// Buy or sell.
    pub side: OrderSide,
    /// `oco` or `twap`.
    #[serde(rename = "type")]
    #[schema(inline)]
    pub kind: OrderType,
    /// How much in all.
    pub quantity: String,
    /// How much of it is left.
    pub left: String,
    /// The limit price.
    pub price: String,
    /// Of a pair, the price that ends the limit order.
    #[schema(required = true)]
    pub stop_trigger: Option<String>,
    /// Of a pair, the worst price of what follows.
    #[schema(required = true)]
    pub stop_limit: Option<String>,
    /// Of a spread order, how many pieces.
    #[schema(required = true)]
    pub pieces: Option<u32>,
    /// How many orders it has placed.
    pub placed: u32,
    /// Its order in the book.
    #[schema(required = true)]
    pub order: Option<String>,
    /// When the next piece is due.
    #[schema(required = true, format = DateTime)]
    pub next_at: Option<String>,
    /// When it was taken.
    #[schema(format = DateTime)]
    pub placed_at: String,
}

/// Orders of orders that have not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderPlanList {
    /// Oldest first.
    pub plans: Vec<OrderPlan>,
}

/// By how much an order becomes smaller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderReduce {
    /// By how much.
    pub by: String,
}

/// Where an order moves to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderMove {
    /// The new price.
    pub price: String,
}

/// What ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrdersEnded {
    /// How many orders and plans.
    pub ended: u32,
}

/// What a market's stream sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamMessage {
    /// All of it: first, and wherever a reader was too slow for what came between.
    Snapshot(StreamSnapshot),
    /// What changed since the message before it.
    Delta(StreamDelta),
}

/// A market as it is: the best 200 prices of each side, and the newest trades.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StreamSnapshot {
    /// The journal entry for which this is true.
    #[schema(format = Int64, value_type = i64)]
    pub sequence: u64,
    /// As in [`Depth`].
    pub checksum: u32,
    /// Who buys.
    pub bids: Vec<Level>,
    /// Who sells.
    pub asks: Vec<Level>,
    /// What the market does.
    #[schema(inline)]
    pub phase: MarketPhase,
    /// Price of the last trade.
    #[schema(required = true)]
    pub last: Option<String>,
    /// The newest trades, newest first.
    pub trades: Vec<Trade>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StreamDelta {
    /// The journal entry for which the depth is true after this.
    #[schema(format = Int64, value_type = i64)]
    pub sequence: u64,
    /// The sequence of the message before: whoever has another missed one.
    #[schema(format = Int64, value_type = i64)]
    pub previous: u64,
    /// Of the depth after this.
    pub checksum: u32,
    /// Prices that changed; a quantity of nothing means that the price is gone, or no longer among the best.
    pub bids: Vec<Level>,
    /// Prices that changed.
    pub asks: Vec<Level>,
    /// New trades, newest first.
    pub trades: Vec<Trade>,
    /// The phase, where it changed.
    #[schema(required = true)]
    pub phase: Option<MarketPhase>,
    /// The candle of the minute, where there are new trades.
    #[schema(required = true)]
    pub candle: Option<Candle>,
}
