//! Typed views: what the rails need from a message, and messages made from it.
//!
//! A view is read from a validated document; fields it does not name stay in the document only. Reading is
//! tolerant of versions in which the named fields are the same (older ones write `BIC` for `BICFI`). Writing makes the
//! shape of the versions from 2019 on; [`Schema::emit`](crate::Schema::emit) then checks it against the version asked for. Times are the
//! message's own text, checked by the schema; amounts are integers.

mod cancellation;
mod common;
mod header;
mod payment;
mod report;
mod status;

pub use cancellation::{Cancellation, CancellationAnswer, CancellationRequest, CancellationStatus};
pub use common::{Account, Agent, OriginalGroup, Party, PaymentIds, Reason, ViewError};
pub use header::AppHeader;
pub use payment::{
    CreditTransfer, CreditTransfers, InitiatedTransfer, PaymentBatch, PaymentInitiation, PaymentReturn,
    PaymentReturns,
};
pub use report::{AccountReport, Balance, Entry, EntryDetail, ReportKind, Statement};
pub use status::{CustomerStatusReport, PaymentStatusReport, TransactionStatus};
