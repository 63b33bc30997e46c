//! The shape of a refusal.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// RFC 9457 problem details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A stable name of the kind of problem, as a URN.
    #[serde(rename = "type")]
    pub kind: String,
    /// What was wrong, in short.
    pub title: String,
    /// The status of the answer.
    #[schema(format = Int64)]
    pub status: u16,
    /// What was wrong and what to do, in a sentence.
    pub detail: String,
    /// A stable word for programs; the wallet says it in the customer's language.
    pub code: String,
    /// What to quote to customer service; the bank's log has it too.
    pub reference: String,
    /// The figures that belong to the code, as texts.
    #[schema(schema_with = super::texts)]
    pub params: BTreeMap<String, String>,
}
