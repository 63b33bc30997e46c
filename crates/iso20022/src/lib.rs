//! ISO 20022 messages: schemas interpreted as data, validation both ways, typed views.
//!
//! Schemas are XSD text read at run time; no message type is generated. A message is checked in full on the way in
//! ([`Schema::validate`]) and again on the way out ([`Schema::emit`]), and a refusal names the place, the rule and the
//! value. The crate knows no machine of the bank and does no I/O, except [`SchemaSet::load_dir`].
//!
//! # Example
//! ```no_run
//! use iso20022::{SchemaSet, view::CreditTransfers};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schemas = SchemaSet::load_dir(std::path::Path::new("data/schemas/iso20022"))?;
//! let document = schemas.validate(&std::fs::read("message.xml")?)?; // or Invalid, with the path of each fault
//! let transfers = CreditTransfers::from_document(&document)?;
//! let bytes = schemas.emit(&transfers.to_document("pacs.008.001.08"))?; // validated before it leaves
//! # Ok(())
//! # }
//! ```

mod amount;
mod compile;
mod content;
mod fault;
mod lexical;
mod pattern;
mod schema;
mod set;
mod simple;
mod tree;
mod validate;
pub mod view;

pub use amount::{Amount, AmountError, Currency};
pub use fault::{FAULTS_MAX, Fault, Invalid, Rule, VALUE_SHOWN_CHARS_MAX};
pub use schema::{Schema, SchemaError};
pub use set::SchemaSet;
pub use tree::{Attribute, Document, Element};
pub use validate::{DEPTH_MAX, MESSAGE_SIZE_BYTES_MAX};
