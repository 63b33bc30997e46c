//! Status and reject codes, systems and sides, with their texts.

/// An enum whose values travel as fixed text, with an explanation each.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal, $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[doc = $text] $variant,)+ }

        impl $name {
            /// Every value, in the order of the codes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The code on the wire.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// What the code means.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value of a code; `None` for an unknown one.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

codes! {
    /// State of a payment at the centre.
    Status {
        Forwarded = "PR00", "forwarded";
        Paid = "PR02", "paid";
        Netted = "PR03", "netted";
        Settled = "PR04", "settled";
        Ok = "PR05", "ok";
        Processed = "PR07", "processed";
        Cancelled = "PR08", "cancelled";
        Rejected = "PR09", "rejected";
        Confirmed = "PR10", "confirmed";
    }
}

codes! {
    /// Why a payment or message was refused or returned.
    RejectCode {
        NoAccount = "RJ01", "account does not exist";
        NameMismatch = "RJ02", "account and name do not match";
        InsufficientFunds = "RJ03", "insufficient funds";
        DayLimit = "RJ04", "day limit exceeded";
        AccountState = "RJ11", "account state does not allow it";
        CancelledPayment = "RJ20", "payment cancelled";
        Signature = "RJ35", "signature does not verify";
        CentreCheck = "RJ91", "refused by the checks at the centre";
        PayerCheck = "RJ92", "refused by the checks at the payer's bank";
        PayeeCheck = "RJ93", "refused by the checks at the payee's bank";
        NetDebitCap = "RJ94", "net debit cap exceeded";
        CentreSchema = "RJ95", "message form refused at the centre";
        CentreDuplicate = "RJ96", "duplicate with other content";
        CentreClosed = "RJ97", "system not open";
        CentreCeiling = "RJ98", "amount above the ceiling of the system";
        EndOfDay = "RJ99", "returned at end of day";
    }
}

codes! {
    /// The systems of the rail.
    System {
        Ibps = "IBPS", "internet payment";
        Hvps = "HVPS", "high value";
        Beps = "BEPS", "bulk";
        Saps = "SAPS", "settlement";
        Ccms = "CCMS", "common control";
    }
}

codes! {
    /// Seen from the bank that a figure is for.
    Side {
        Credit = "CRDT", "the bank receives";
        Debit = "DBIT", "the bank pays";
    }
}

codes! {
    /// Whether a system takes payments.
    CentreState {
        Open = "OPEN", "open";
        Clearing = "CLRG", "in the clearing window";
        Closed = "CLSD", "closed";
    }
}
