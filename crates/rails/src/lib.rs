//! Our side of the clearing rails: effects become signed messages, messages become commands.
//!
//! [`Translator`] is pure: the same effect always gives the same bytes, so a message that is sent again is recognised as a repeat, and
//! the simulator runs the same code. [`Receiver`] takes what a centre posts and answers with an acknowledgement only when what
//! the message says is durable. [`Driver`] sends what is outstanding until the centre has taken it or refused it.
//!
//! **Invariants.** No effect is reported delivered without the centre's acknowledgement. No message is acknowledged before its commands are
//! durable. A message whose signature, form or sender is wrong changes nothing.

mod acknowledge;
mod convert;
mod driver;
mod inbound;
mod outbound;
mod receiver;

pub use acknowledge::Rejection;
pub use convert::ConvertError;
pub use driver::{Centre, Driver, DriverError};
pub use inbound::{Incoming, Malformed, incoming, settlement_in};
pub use outbound::{Outgoing, SendError, Sent, Translator};
pub use receiver::{Answer, Receiver};
