//! What is wrong with a message: the place, the rule and the value.
//!
//! A refused message carries up to [`FAULTS_MAX`] faults so that a counterparty can mend them in one go. The
//! value shown is shortened; the full text never enters an error.

use std::fmt;

/// Faults collected before validation stops: enough to be useful, bounded because the input is not ours.
pub const FAULTS_MAX: usize = 20;

/// Characters of an offending value that an error shows.
pub const VALUE_SHOWN_CHARS_MAX: usize = 40;

/// The rule a message broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// The message is longer than the caller allows.
    #[error("message of {size_bytes} bytes exceeds the limit of {limit_bytes}")]
    TooLarge {
        /// Size received, in bytes.
        size_bytes: usize,
        /// Size allowed, in bytes.
        limit_bytes: usize,
    },
    /// The message starts with a byte-order mark.
    #[error("byte-order mark present")]
    ByteOrderMark,
    /// The bytes are not UTF-8.
    #[error("not utf-8 at byte {offset_bytes}")]
    NotUtf8 {
        /// Offset of the first bad byte.
        offset_bytes: usize,
    },
    /// The XML declaration names another encoding or XML version.
    #[error("xml declaration is not version 1.0 in utf-8")]
    Declaration,
    /// A document type declaration (and with it entities) is present.
    #[error("document type declaration present")]
    Doctype,
    /// The text is not well-formed XML.
    #[error("not well formed: {0}")]
    NotWellFormed(String),
    /// Elements are nested deeper than any schema of the set needs.
    #[error("nested deeper than {depth_max} elements")]
    TooDeep {
        /// Depth allowed.
        depth_max: usize,
    },
    /// No schema is known for the namespace of the root element.
    #[error("no schema for namespace {0:?}")]
    UnknownNamespace(String),
    /// The root element is in another namespace than the schema's.
    #[error("namespace is not {expected}")]
    WrongNamespace {
        /// Target namespace of the schema.
        expected: String,
    },
    /// The root element is not declared by the schema.
    #[error("root element not declared by the schema")]
    UnknownRoot,
    /// An envelope holds no part that a schema is known for.
    #[error("no message part found")]
    NoPart,
    /// The element is not declared at this place, in any order.
    #[error("element not declared here")]
    UnknownElement,
    /// The element is declared for this parent, but not at this position.
    #[error("element out of order or choice already made")]
    OutOfOrder,
    /// The element occurs more often than allowed.
    #[error("element occurs too often")]
    TooMany,
    /// A required element is absent; one of the names is expected.
    #[error("required element missing, expected {}", .expected.join(" or "))]
    Missing {
        /// Names that could stand here.
        expected: Vec<String>,
    },
    /// The attribute is not declared.
    #[error("attribute {0} not declared here")]
    UnknownAttribute(String),
    /// A required attribute is absent.
    #[error("required attribute {0} missing")]
    MissingAttribute(String),
    /// Text stands between child elements.
    #[error("text not allowed between elements")]
    TextNotAllowed,
    /// Child elements stand in an element that holds a plain value.
    #[error("child elements not allowed in a value")]
    ChildrenNotAllowed,
    /// The value is not of the lexical form of its primitive type, or names a day or time that does not exist.
    #[error("not a valid {0}")]
    NotA(&'static str),
    /// The value is none of the enumerated ones.
    #[error("not one of the enumerated values")]
    Enumeration,
    /// The value does not match the pattern.
    #[error("does not match pattern {0}")]
    Pattern(String),
    /// The length is not the required one (characters; octets for binary values).
    #[error("length {found}, required {required}")]
    Length {
        /// Length found.
        found: u64,
        /// Length required.
        required: u64,
    },
    /// The value is too short.
    #[error("length {found} below {min}")]
    MinLength {
        /// Length found.
        found: u64,
        /// Shortest allowed.
        min: u64,
    },
    /// The value is too long.
    #[error("length {found} above {max}")]
    MaxLength {
        /// Length found.
        found: u64,
        /// Longest allowed.
        max: u64,
    },
    /// The number has too many significant digits.
    #[error("{found} digits, at most {max} allowed")]
    TotalDigits {
        /// Digits found.
        found: u64,
        /// Digits allowed.
        max: u64,
    },
    /// The number has too many digits after the point.
    #[error("{found} fraction digits, at most {max} allowed")]
    FractionDigits {
        /// Digits found.
        found: u64,
        /// Digits allowed.
        max: u64,
    },
    /// The number is outside its bounds.
    #[error("number out of range, {0}")]
    Range(String),
    /// What would be sent does not read back as what was meant.
    #[error("emitted text does not read back as the same document")]
    NotFaithful,
}

/// One broken rule at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// XPath-like place, for example `/Document/FIToFICstmrCdtTrf/CdtTrfTxInf[2]/IntrBkSttlmAmt`.
    pub path: String,
    /// The rule broken.
    pub rule: Rule,
    /// The offending value, shortened; empty where there is none.
    pub value: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.rule)?;
        if self.value.is_empty() { Ok(()) } else { write!(f, " (found {:?})", self.value) }
    }
}

/// A refused message with the faults found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The faults in document order; never empty.
    pub faults: Vec<Fault>,
    /// Whether validation stopped at [`FAULTS_MAX`] and more may be wrong.
    pub truncated: bool,
}

impl Invalid {
    /// A refusal for one reason.
    #[must_use]
    pub fn one(path: impl Into<String>, rule: Rule, value: &str) -> Self {
        Self { faults: vec![Fault { path: path.into(), rule, value: shorten(value) }], truncated: false }
    }

    /// The first fault, which a short answer to the sender names.
    #[must_use]
    pub fn first(&self) -> Option<&Fault> {
        self.faults.first()
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for fault in &self.faults {
            write!(f, "{separator}{fault}")?;
            separator = "; ";
        }
        if self.truncated { f.write_str("; more not shown") } else { Ok(()) }
    }
}

impl std::error::Error for Invalid {}

/// The value as an error may show it.
pub(crate) fn shorten(value: &str) -> String {
    let mut shown: String = value.chars().take(VALUE_SHOWN_CHARS_MAX).collect();
    if value.chars().nth(VALUE_SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}
