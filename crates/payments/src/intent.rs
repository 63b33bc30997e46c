//! What a customer signs.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use money::{AccountId, Amount, PaymentId, Timestamp};

use crate::{Counterparty, Note, Rail};

/// A payment as its payer wants it. Its canonical text is what a passkey signs (by its SHA-256), what every later signer
/// compares with, and what an auditor reads.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Intent {
    /// Made by the client; never used twice, which also makes a second use of the signature a repeat.
    #[n(0)]
    pub payment: PaymentId,
    /// The payer's account.
    #[n(1)]
    pub from: AccountId,
    /// Who gets it.
    #[n(2)]
    pub payee: Counterparty,
    /// How much arrives.
    #[n(3)]
    pub amount: Amount,
    /// The highest fee the payer accepts.
    #[n(4)]
    pub fee_cap: Amount,
    /// By which way.
    #[n(5)]
    pub rail: Rail,
    /// After this it is not to be executed.
    #[n(6)]
    pub expires_at: Timestamp,
    /// 16 random bytes, so that the text cannot be guessed.
    #[n(7)]
    pub nonce: ByteVec,
    /// Words for the payee.
    #[n(8)]
    pub note: Note,
}

impl Intent {
    /// The canonical text, version 1: one `name: value` per line, in this order, UTF-8. No value can hold a line break.
    #[must_use]
    pub fn canonical(&self) -> String {
        let nonce: String = self.nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "jinku-intent-v1\npayment: {}\nfrom: {}\npayee-name: {}\npayee-account: {}\npayee-bank: {}\namount: {}\nfee-cap: {}\nrail: {}\nexpires: {}\nnonce: {nonce}\nnote: {}\n",
            self.payment,
            self.from,
            self.payee.name,
            self.payee.account,
            self.payee.bank,
            self.amount,
            self.fee_cap,
            self.rail.name(),
            self.expires_at,
            self.note,
        )
    }
}
