//! Converting: pairs, firm prices and what was taken.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Amount;

/// A pair that the bank converts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConvertPair {
    /// What is priced.
    pub base: String,
    /// What it is priced in.
    pub quote: String,
    /// The last price that was accepted, without spread.
    pub mid: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// The least that is converted, in quote.
    pub min: String,
    /// The most at once, in quote.
    pub max: String,
}

/// The pairs that the bank converts and has a price for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConvertPairList {
    /// By base and quote.
    pub pairs: Vec<ConvertPair>,
}

/// Which of the two amounts is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConvertExact {
    /// What is paid.
    In,
    /// What is taken.
    Out,
}

/// A price that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvertRequest {
    /// The asset that is paid.
    pub from: String,
    /// The asset that is taken.
    pub to: String,
    /// Which amount is given.
    pub exact: ConvertExact,
    /// That amount.
    pub amount: String,
}

/// Where the bank means to get an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConvertVenue {
    /// From what it has.
    Inventory,
    /// In the book of a market.
    Book,
    /// In a pool.
    Pool,
}

/// A part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConvertRoute {
    /// Where.
    #[schema(inline)]
    pub venue: ConvertVenue,
    /// How much of what is taken, in basis points.
    pub share_bps: u32,
}

/// A firm price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConvertOffer {
    /// Its id.
    pub id: String,
    /// What is paid in all.
    pub pays: Amount,
    /// What is taken in all.
    pub takes: Amount,
    /// The middle of the market.
    pub mid: String,
    /// What a unit of base costs, the fee included.
    pub price: String,
    /// How far the price is from the middle, before the fee; rounded up.
    pub spread_bps: u32,
    /// The fee within the amounts.
    pub fee: Amount,
    /// Where the bank means to get it.
    pub route: Vec<ConvertRoute>,
    /// The SHA-256 of all of it, in hexadecimal digits.
    pub terms_hash: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub made_at: String,
    /// The first moment at which it can no longer be taken.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

/// An offer that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConvertOffered {
    /// The offer.
    pub offer: ConvertOffer,
}

/// Taking an offer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvertAccept {
    /// The hash of the terms that were seen.
    pub terms_hash: String,
}

/// An offer that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Conversion {
    /// The offer's id.
    pub id: String,
    /// What was paid.
    pub pays: Amount,
    /// What was taken.
    pub takes: Amount,
    /// The fee within the amounts.
    pub fee: Amount,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// The ledger's entry.
    pub entry: String,
}

/// A conversion that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Converted {
    /// The conversion.
    pub conversion: Conversion,
}

/// A page of conversions, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConversionPage {
    /// The conversions.
    pub conversions: Vec<Conversion>,
    /// Where the next page begins.
    #[schema(required = true)]
    pub next: Option<String>,
}
