//! What happened in payments, and what the world must do.

use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, CustomerId, Date, PaymentId, Text};

use crate::{
    AccountNumber, Books, Counterparty, MessageId, MessageKey, Note, Payment, PaymentState, Profile, Rail,
    RailRow, RailStatus,
};

/// A fact; applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// The bank's profile.
    #[n(0)]
    ProfileSet(#[n(0)] Profile),
    /// The bank's own accounts in an asset.
    #[n(1)]
    BooksOpened(#[n(0)] Books),
    /// A row of terms.
    #[n(2)]
    RailSet(#[n(0)] RailRow),
    /// A rail opened, closed, went down, or changed its date.
    #[n(3)]
    RailChanged {
        /// Which.
        #[n(0)]
        rail: Rail,
        /// Its status.
        #[n(1)]
        status: RailStatus,
    },
    /// An account for a customer.
    #[n(4)]
    AccountOpened {
        /// Whose.
        #[n(0)]
        customer: CustomerId,
        /// Its ledger id.
        #[n(1)]
        account: AccountId,
        /// Its number.
        #[n(2)]
        number: AccountNumber,
        /// Its asset.
        #[n(3)]
        asset: Asset,
    },
    /// A payment came to be.
    #[n(5)]
    Created(#[n(0)] Payment),
    /// A payment went on.
    #[n(6)]
    Moved {
        /// Which.
        #[n(0)]
        payment: PaymentId,
        /// To which state.
        #[n(1)]
        to: PaymentState,
    },
    /// A message was taken.
    #[n(7)]
    MessageTaken {
        /// Which.
        #[n(0)]
        key: MessageKey,
        /// Fingerprint of its content.
        #[n(1)]
        fingerprint: u64,
        /// The payment it became or changed.
        #[n(2)]
        payment: PaymentId,
    },
    /// Serial numbers were used.
    #[n(8)]
    SerialsUsed {
        /// Entries, holds and payments of the bank's own: the next free number.
        #[n(0)]
        next: u64,
        /// Messages: day and next free number of that day.
        #[n(1)]
        message: (Date, u32),
    },
    /// A rail confirmed what we had given back: its money is booked against suspense.
    #[n(9)]
    AnswerConflict {
        /// The payment.
        #[n(0)]
        payment: PaymentId,
        /// The amount.
        #[n(1)]
        amount: Amount,
    },
}

/// Something the world must do. Kept until its result is reported; doing it twice is harmless, because the rail knows the
/// message id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Effect {
    /// Send a payment.
    ///
    /// # If it fails
    /// Sent again with the same message id until the rail acknowledges or refuses; refused, the hold is released.
    #[n(0)]
    SendCredit {
        /// The payment.
        #[n(0)]
        payment: PaymentId,
        /// By which rail.
        #[n(1)]
        rail: Rail,
        /// Our message id.
        #[n(2)]
        message: MessageId,
        /// Payer.
        #[n(3)]
        from: Counterparty,
        /// Payee.
        #[n(4)]
        to: Counterparty,
        /// How much.
        #[n(5)]
        amount: Amount,
        /// Words for the payee.
        #[n(6)]
        note: Note,
    },
    /// Answer a credit.
    ///
    /// # If it fails
    /// Sent again until acknowledged; refused (too late), the credit is taken back.
    #[n(1)]
    SendAnswer {
        /// Our payment for it, where one was made.
        #[n(0)]
        payment: PaymentId,
        /// By which rail.
        #[n(1)]
        rail: Rail,
        /// The other bank's message.
        #[n(2)]
        original: MessageKey,
        /// The code of the rejection; none confirms.
        #[n(3)]
        reject: Option<Text<8>>,
        /// The credit's amount.
        #[n(4)]
        amount: Amount,
    },
    /// Ask to cancel a payment that was not answered in time.
    ///
    /// # If it fails
    /// Sent again until acknowledged; without an answer an operator gets a case.
    #[n(2)]
    SendCancel {
        /// The payment.
        #[n(0)]
        payment: PaymentId,
        /// By which rail.
        #[n(1)]
        rail: Rail,
        /// Our message id for the request.
        #[n(2)]
        message: MessageId,
        /// Our payment's message.
        #[n(3)]
        original: MessageId,
        /// Its amount.
        #[n(4)]
        amount: Amount,
    },
    /// Send a deposit back.
    ///
    /// # If it fails
    /// Sent again until acknowledged; refused, it is in suspense again.
    #[n(3)]
    SendReturn {
        /// The deposit.
        #[n(0)]
        payment: PaymentId,
        /// By which rail.
        #[n(1)]
        rail: Rail,
        /// Our message id.
        #[n(2)]
        message: MessageId,
        /// The other bank's message.
        #[n(3)]
        original: MessageKey,
        /// How much.
        #[n(4)]
        amount: Amount,
        /// Why.
        #[n(5)]
        code: Text<8>,
        /// The bank that gets it back.
        #[n(6)]
        to: Counterparty,
    },
}
