//! The part of the FIX 4.4 dictionary that is used here: tags, message types, reasons of a reject.
//!
//! Numbers and meanings are those of the public dictionary. Tags from 20000 on are ours. What is not in this table is either passed over or refused by
//! whoever reads the message; the table itself says nothing about it.

use std::fmt;

/// The version that is spoken.
pub const BEGIN_STRING: &str = "FIX.4.4";

/// The number of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u32);

impl Tag {
    /// The field with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

macro_rules! tags {
    ($($name:ident = $number:literal,)*) => {
        /// The fields by name.
        pub mod tag {
            use super::Tag;
            $(
                #[doc = concat!("Field ", $number, ".")]
                pub const $name: Tag = Tag($number);
            )*
        }
    };
}

tags! {
    // header and trailer
    BEGIN_STRING = 8, BODY_LENGTH = 9, MSG_TYPE = 35, SENDER_COMP_ID = 49, TARGET_COMP_ID = 56, MSG_SEQ_NUM = 34,
    SENDING_TIME = 52, POSS_DUP_FLAG = 43, POSS_RESEND = 97, ORIG_SENDING_TIME = 122, CHECK_SUM = 10,
    // session
    ENCRYPT_METHOD = 98, HEART_BT_INT = 108, RESET_SEQ_NUM_FLAG = 141, USERNAME = 553, PASSWORD = 554,
    TEST_REQ_ID = 112, BEGIN_SEQ_NO = 7, END_SEQ_NO = 16, NEW_SEQ_NO = 36, GAP_FILL_FLAG = 123, REF_SEQ_NUM = 45,
    REF_TAG_ID = 371, REF_MSG_TYPE = 372, SESSION_REJECT_REASON = 373, BUSINESS_REJECT_REF_ID = 379,
    BUSINESS_REJECT_REASON = 380, TEXT = 58,
    // orders
    ACCOUNT = 1, AVG_PX = 6, CL_ORD_ID = 11, CUM_QTY = 14, EXEC_ID = 17, EXEC_INST = 18, HANDL_INST = 21, LAST_PX = 31, LAST_QTY = 32,
    ORDER_ID = 37, ORDER_QTY = 38, ORD_STATUS = 39, ORD_TYPE = 40, ORIG_CL_ORD_ID = 41, PRICE = 44, SIDE = 54, SYMBOL = 55,
    TIME_IN_FORCE = 59, TRANSACT_TIME = 60, STOP_PX = 99, CXL_REJ_REASON = 102, ORD_REJ_REASON = 103, MAX_FLOOR = 111,
    EXPIRE_TIME = 126, NO_MISC_FEES = 136, MISC_FEE_AMT = 137, MISC_FEE_CURR = 138, MISC_FEE_TYPE = 139, EXEC_TYPE = 150,
    LEAVES_QTY = 151, EXEC_RESTATEMENT_REASON = 378, EXPIRE_DATE = 432, CXL_REJ_RESPONSE_TO = 434,
    MASS_CANCEL_REQUEST_TYPE = 530, MASS_CANCEL_RESPONSE = 531, MASS_CANCEL_REJECT_REASON = 532, TOTAL_AFFECTED_ORDERS = 533,
    MASS_STATUS_REQ_ID = 584, MASS_STATUS_REQ_TYPE = 585, WORKING_INDICATOR = 636, ORD_STATUS_REQ_ID = 790,
    LAST_LIQUIDITY_IND = 851, TOT_NUM_REPORTS = 911, LAST_RPT_REQUESTED = 912,
    // market data
    MD_REQ_ID = 262, SUBSCRIPTION_REQUEST_TYPE = 263, MARKET_DEPTH = 264, MD_UPDATE_TYPE = 265, AGGREGATED_BOOK = 266,
    NO_MD_ENTRY_TYPES = 267, NO_MD_ENTRIES = 268, MD_ENTRY_TYPE = 269, MD_ENTRY_PX = 270, MD_ENTRY_SIZE = 271, MD_ENTRY_DATE = 272,
    MD_ENTRY_TIME = 273, MD_ENTRY_ID = 278, MD_UPDATE_ACTION = 279, MD_REQ_REJ_REASON = 281, NO_RELATED_SYM = 146,
    SECURITY_REQ_ID = 320, SECURITY_RESPONSE_ID = 322, SECURITY_STATUS_REQ_ID = 324, UNSOLICITED_INDICATOR = 325,
    SECURITY_TRADING_STATUS = 326, TOT_NO_RELATED_SYM = 393, SECURITY_LIST_REQUEST_TYPE = 559, SECURITY_REQUEST_RESULT = 560,
    ROUND_LOT = 561, MIN_TRADE_VOL = 562, NO_INSTR_ATTRIB = 870, INSTR_ATTRIB_TYPE = 871, INSTR_ATTRIB_VALUE = 872, CURRENCY = 15,
    // ours
    SELF_TRADE = 20001,
}

/// Fields of the header beyond those that are read: legal before the body, and passed over.
const HEADER_MORE: [u32; 17] =
    [90, 91, 115, 128, 129, 145, 50, 57, 116, 142, 143, 144, 212, 213, 347, 369, 627];
/// Members of the header's group of hops.
const HOPS: [u32; 3] = [628, 629, 630];

/// Whether a field belongs to the header.
#[must_use]
pub fn is_header(tag: Tag) -> bool {
    use tag::{
        BEGIN_STRING, BODY_LENGTH, MSG_SEQ_NUM, MSG_TYPE, ORIG_SENDING_TIME, POSS_DUP_FLAG, POSS_RESEND,
        SENDER_COMP_ID, SENDING_TIME, TARGET_COMP_ID,
    };
    let read = [
        BEGIN_STRING,
        BODY_LENGTH,
        MSG_TYPE,
        SENDER_COMP_ID,
        TARGET_COMP_ID,
        MSG_SEQ_NUM,
        SENDING_TIME,
        POSS_DUP_FLAG,
        POSS_RESEND,
        ORIG_SENDING_TIME,
    ];
    read.contains(&tag) || HEADER_MORE.contains(&tag.0) || HOPS.contains(&tag.0)
}

/// Fields that say how many bytes the next field has, whose value may hold any byte.
const DATA: [(u32, u32); 9] =
    [(90, 91), (93, 89), (95, 96), (212, 213), (348, 349), (350, 351), (352, 353), (354, 355), (364, 365)];

/// The field of bytes whose length this field says.
pub(crate) fn data_after(length: Tag) -> Option<Tag> {
    DATA.iter().find(|(tag, _)| *tag == length.0).map(|(_, data)| Tag(*data))
}

macro_rules! message_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a message is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MsgType {
            $($(#[$doc])* $name,)*
        }

        impl MsgType {
            /// The type with this text.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Its text on the wire.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

message_types! {
    /// Nothing to say.
    Heartbeat = "0",
    /// Asks for a heartbeat.
    TestRequest = "1",
    /// Asks for messages again.
    ResendRequest = "2",
    /// A message that breaks the session's rules.
    Reject = "3",
    /// Moves the next sequence number on.
    SequenceReset = "4",
    /// Ends the session.
    Logout = "5",
    /// Begins the session.
    Logon = "A",
    /// A message that is sound and not served.
    BusinessMessageReject = "j",
    /// Places an order.
    NewOrderSingle = "D",
    /// Cancels an order.
    OrderCancelRequest = "F",
    /// Reduces or moves an order.
    OrderCancelReplaceRequest = "G",
    /// Asks for an order's state.
    OrderStatusRequest = "H",
    /// Cancels many orders.
    OrderMassCancelRequest = "q",
    /// Asks for the state of many orders.
    OrderMassStatusRequest = "AF",
    /// What happened to an order.
    ExecutionReport = "8",
    /// A cancel or change that was refused.
    OrderCancelReject = "9",
    /// What a mass cancel did.
    OrderMassCancelReport = "r",
    /// Asks for the instruments.
    SecurityListRequest = "x",
    /// The instruments.
    SecurityList = "y",
    /// Asks for market data.
    MarketDataRequest = "V",
    /// The whole of what was asked for.
    MarketDataSnapshot = "W",
    /// What has changed.
    MarketDataIncremental = "X",
    /// Market data that is not given.
    MarketDataRequestReject = "Y",
    /// Asks for a market's state.
    SecurityStatusRequest = "e",
    /// A market's state.
    SecurityStatus = "f",
}

impl MsgType {
    /// Whether FIX 4.4 has a type with this text, served here or not.
    #[must_use]
    pub fn is_published(text: &str) -> bool {
        match text.as_bytes() {
            [only] => only.is_ascii_alphanumeric(),
            [b'A', second] => second.is_ascii_uppercase(),
            [b'B', second] => (b'A'..=b'H').contains(second),
            _ => false,
        }
    }

    /// Whether it belongs to the session rather than to what is traded.
    #[must_use]
    pub const fn is_session(self) -> bool {
        matches!(
            self,
            Self::Heartbeat
                | Self::TestRequest
                | Self::ResendRequest
                | Self::Reject
                | Self::SequenceReset
                | Self::Logout
                | Self::Logon
        )
    }

    /// Whether it is sent again as it was when the peer asks for it. Market data is not: what was true then is of no use now.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        matches!(
            self,
            Self::Reject
                | Self::BusinessMessageReject
                | Self::ExecutionReport
                | Self::OrderCancelReject
                | Self::OrderMassCancelReport
        )
    }
}

/// Why a message breaks the rules (SessionRejectReason).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectReason {
    /// No number of a field.
    InvalidTagNumber,
    /// A field that must be there is not.
    RequiredTagMissing,
    /// A field that this message cannot have.
    TagNotDefinedForMessage,
    /// A field without a value.
    TagWithoutValue,
    /// A value that the field cannot have.
    ValueIncorrect,
    /// A value of another form.
    IncorrectFormat,
    /// Other parties than the session's.
    CompIdProblem,
    /// A time of sending too far from ours.
    SendingTimeAccuracy,
    /// A type of message that there is not.
    InvalidMsgType,
    /// A field twice.
    TagRepeated,
    /// A field of the header within the body.
    TagOutOfOrder,
    /// A group that does not begin with its first field.
    GroupOutOfOrder,
    /// A group with another number of entries than it says.
    GroupCount,
    /// A field that is cut by the delimiter.
    DelimiterInValue,
}

impl RejectReason {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::InvalidTagNumber => 0,
            Self::RequiredTagMissing => 1,
            Self::TagNotDefinedForMessage => 2,
            Self::TagWithoutValue => 4,
            Self::ValueIncorrect => 5,
            Self::IncorrectFormat => 6,
            Self::CompIdProblem => 9,
            Self::SendingTimeAccuracy => 10,
            Self::InvalidMsgType => 11,
            Self::TagRepeated => 13,
            Self::TagOutOfOrder => 14,
            Self::GroupOutOfOrder => 15,
            Self::GroupCount => 16,
            Self::DelimiterInValue => 17,
        }
    }

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::InvalidTagNumber => "invalid tag number",
            Self::RequiredTagMissing => "required tag missing",
            Self::TagNotDefinedForMessage => "tag not defined for this message",
            Self::TagWithoutValue => "tag without a value",
            Self::ValueIncorrect => "value is incorrect for this tag",
            Self::IncorrectFormat => "incorrect format of the value",
            Self::CompIdProblem => "comp id problem",
            Self::SendingTimeAccuracy => "sending time is too far from ours",
            Self::InvalidMsgType => "invalid message type",
            Self::TagRepeated => "tag appears more than once",
            Self::TagOutOfOrder => "header tag within the body",
            Self::GroupOutOfOrder => "group does not begin with its first tag",
            Self::GroupCount => "group has another number of entries",
            Self::DelimiterInValue => "field without a tag",
        }
    }
}

/// What is wrong with a message, and in which field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", reason.words(), tag.map(|tag| format!(" ({tag})")).unwrap_or_default())]
pub struct Fault {
    /// Why.
    pub reason: RejectReason,
    /// The field.
    pub tag: Option<Tag>,
}

impl Fault {
    /// A fault of one field.
    #[must_use]
    pub const fn of(reason: RejectReason, tag: Tag) -> Self {
        Self { reason, tag: Some(tag) }
    }
}
