//! Message types, the form each has, and the schemas of the forms.

use std::sync::OnceLock;

use iso20022::{Schema, SchemaError};

use crate::codes::System;

/// The form of a message: which fields it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Credit transfer.
    Credit,
    /// Answer to a payment.
    Answer,
    /// Return of a settled payment.
    Return,
    /// Request to cancel.
    CancelRequest,
    /// Answer to a cancellation.
    CancelAnswer,
    /// Negative acknowledgement.
    NegativeAck,
    /// Transport acknowledgement.
    TransportAck,
    /// Netting notice.
    NettingNotice,
    /// Settlement notice.
    SettlementNotice,
    /// End-of-day totals.
    Totals,
    /// Request for details.
    DetailRequest,
    /// Details.
    DetailAnswer,
    /// Change of the business date.
    BusinessDateChange,
    /// State of a system.
    CentreStatus,
}

impl Form {
    fn template(self) -> &'static str {
        match self {
            Self::Credit => include_str!("../schemas/credit.xsd"),
            Self::Answer => include_str!("../schemas/answer.xsd"),
            Self::Return => include_str!("../schemas/return.xsd"),
            Self::CancelRequest => include_str!("../schemas/cancel_request.xsd"),
            Self::CancelAnswer => include_str!("../schemas/cancel_answer.xsd"),
            Self::NegativeAck => include_str!("../schemas/negative_ack.xsd"),
            Self::TransportAck => include_str!("../schemas/transport_ack.xsd"),
            Self::NettingNotice => include_str!("../schemas/netting_notice.xsd"),
            Self::SettlementNotice => include_str!("../schemas/settlement_notice.xsd"),
            Self::Totals => include_str!("../schemas/totals.xsd"),
            Self::DetailRequest => include_str!("../schemas/detail_request.xsd"),
            Self::DetailAnswer => include_str!("../schemas/detail_answer.xsd"),
            Self::BusinessDateChange => include_str!("../schemas/business_date_change.xsd"),
            Self::CentreStatus => include_str!("../schemas/centre_status.xsd"),
        }
    }
}

macro_rules! message_types {
    ($($variant:ident = $code:literal, $system:ident, $form:ident;)+) => {
        /// A message type of the sandbox.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MessageType { $(#[doc = $code] $variant,)+ }

        impl MessageType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The code in the header, such as `ibps.101`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The type of a code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The system the type belongs to.
            #[must_use]
            pub fn system(self) -> System {
                match self { $(Self::$variant => System::$system),+ }
            }

            /// The form of its body.
            #[must_use]
            pub fn form(self) -> Form {
                match self { $(Self::$variant => Form::$form),+ }
            }

            /// Its schema, read once.
            ///
            /// # Errors
            /// Never for the schemas of this crate; a test reads all of them.
            pub fn schema(self) -> Result<&'static Schema, &'static SchemaError> {
                match self {
                    $(Self::$variant => {
                        static SCHEMA: OnceLock<Result<Schema, SchemaError>> = OnceLock::new();
                        SCHEMA.get_or_init(|| Schema::parse(&self.xsd())).as_ref()
                    })+
                }
            }
        }
    };
}

message_types! {
    Ibps101 = "ibps.101", Ibps, Credit;
    Ibps102 = "ibps.102", Ibps, Answer;
    Ibps112 = "ibps.112", Ibps, Return;
    Ibps307 = "ibps.307", Ibps, CancelRequest;
    Ibps308 = "ibps.308", Ibps, CancelAnswer;
    Ibps701 = "ibps.701", Ibps, Totals;
    Ibps703 = "ibps.703", Ibps, DetailRequest;
    Ibps704 = "ibps.704", Ibps, DetailAnswer;
    Ibps900 = "ibps.900", Ibps, NegativeAck;
    Ibps990 = "ibps.990", Ibps, TransportAck;
    Hvps111 = "hvps.111", Hvps, Credit;
    Hvps102 = "hvps.102", Hvps, Answer;
    Hvps112 = "hvps.112", Hvps, Return;
    Hvps307 = "hvps.307", Hvps, CancelRequest;
    Hvps308 = "hvps.308", Hvps, CancelAnswer;
    Hvps701 = "hvps.701", Hvps, Totals;
    Hvps703 = "hvps.703", Hvps, DetailRequest;
    Hvps704 = "hvps.704", Hvps, DetailAnswer;
    Hvps900 = "hvps.900", Hvps, NegativeAck;
    Hvps990 = "hvps.990", Hvps, TransportAck;
    Saps601 = "saps.601", Saps, NettingNotice;
    Saps603 = "saps.603", Saps, SettlementNotice;
    Ccms801 = "ccms.801", Ccms, BusinessDateChange;
    Ccms803 = "ccms.803", Ccms, CentreStatus;
}

impl MessageType {
    /// Namespace of its messages.
    #[must_use]
    pub fn namespace(self) -> String {
        format!("urn:jinku:sandbox:xsd:{}", self.code())
    }

    /// Its schema as text.
    #[must_use]
    pub fn xsd(self) -> String {
        self.form().template().replace("@MESSAGE@", self.code())
    }

    /// The type of a form within a system; the common forms exist in both payment systems.
    #[must_use]
    pub fn of(system: System, form: Form) -> Option<Self> {
        Self::ALL.iter().copied().find(|t| t.system() == system && t.form() == form)
    }
}
