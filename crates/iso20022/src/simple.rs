//! Simple types: a primitive and the facets that narrow it.

use crate::fault::Rule;
use crate::lexical::{self, Decimal};
use crate::pattern::Pattern;

/// The built-in types ISO 20022 schemas derive from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Primitive {
    String,
    NormalizedString,
    Token,
    AnyUri,
    Decimal,
    Integer,
    Boolean,
    Date,
    DateTime,
    Time,
    GYear,
    GYearMonth,
    Base64Binary,
}

impl Primitive {
    pub(crate) const ALL: [Self; 13] = [
        Self::String,
        Self::NormalizedString,
        Self::Token,
        Self::AnyUri,
        Self::Decimal,
        Self::Integer,
        Self::Boolean,
        Self::Date,
        Self::DateTime,
        Self::Time,
        Self::GYear,
        Self::GYearMonth,
        Self::Base64Binary,
    ];

    /// The name in the XML Schema namespace.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::NormalizedString => "normalizedString",
            Self::Token => "token",
            Self::AnyUri => "anyURI",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Time => "time",
            Self::GYear => "gYear",
            Self::GYearMonth => "gYearMonth",
            Self::Base64Binary => "base64Binary",
        }
    }

    /// Whether values compare as text, so that enumerations may be text.
    pub(crate) fn is_textual(self) -> bool {
        matches!(self, Self::String | Self::NormalizedString | Self::Token | Self::AnyUri)
    }

    pub(crate) fn is_numeric(self) -> bool {
        matches!(self, Self::Decimal | Self::Integer)
    }

    fn accepts(self, value: &str) -> bool {
        match self {
            Self::String | Self::NormalizedString | Self::Token => true,
            // Whatever is not a URI after escaping is exotic; libxml2 and the standard accept nearly all text.
            Self::AnyUri => !value.contains(['<', '>', '"', '{', '}', '|', '\\', '^', '`']),
            Self::Decimal => Decimal::parse(value).is_some(),
            Self::Integer => !value.contains('.') && Decimal::parse(value).is_some_and(|d| d.is_integer()),
            Self::Boolean => lexical::is_boolean(value),
            Self::Date => lexical::is_date(value),
            Self::DateTime => lexical::is_date_time(value),
            Self::Time => lexical::is_time(value),
            Self::GYear => lexical::is_year(value),
            Self::GYearMonth => lexical::is_year_month(value),
            Self::Base64Binary => lexical::base64_octets(value).is_some(),
        }
    }

    /// The value after the white-space rule of the type.
    fn normalise(self, value: &str) -> String {
        match self {
            Self::String => value.to_owned(),
            Self::NormalizedString => value.replace(['\t', '\n', '\r'], " "),
            _ => value.split([' ', '\t', '\n', '\r']).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" "),
        }
    }
}

/// One facet. Patterns of one derivation step are alternatives of each other.
#[derive(Debug, Clone)]
pub(crate) enum Facet {
    Enumeration(Vec<String>),
    Patterns(Vec<Pattern>),
    Length(u64),
    MinLength(u64),
    MaxLength(u64),
    TotalDigits(u64),
    FractionDigits(u64),
    MinInclusive(Decimal, String),
    MaxInclusive(Decimal, String),
    MinExclusive(Decimal, String),
    MaxExclusive(Decimal, String),
}

/// A primitive narrowed by every facet of every derivation step.
#[derive(Debug, Clone)]
pub(crate) struct SimpleType {
    pub(crate) primitive: Primitive,
    pub(crate) facets: Vec<Facet>,
}

impl SimpleType {
    /// The normalised value, or the first rule it breaks.
    pub(crate) fn check(&self, raw: &str) -> Result<String, Rule> {
        let value = self.primitive.normalise(raw);
        if !self.primitive.accepts(&value) {
            return Err(Rule::NotA(self.primitive.name()));
        }
        for facet in &self.facets {
            self.check_facet(facet, &value)?;
        }
        Ok(value)
    }

    fn length(&self, value: &str) -> u64 {
        match self.primitive {
            Primitive::Base64Binary => lexical::base64_octets(value).unwrap_or(0),
            _ => u64::try_from(value.chars().count()).unwrap_or(u64::MAX),
        }
    }

    fn check_facet(&self, facet: &Facet, value: &str) -> Result<(), Rule> {
        let number = || Decimal::parse(value).ok_or(Rule::NotA(self.primitive.name()));
        let range = |ok: bool, text: String| if ok { Ok(()) } else { Err(Rule::Range(text)) };
        match facet {
            Facet::Enumeration(values) if values.iter().any(|v| v == value) => Ok(()),
            Facet::Enumeration(_) => Err(Rule::Enumeration),
            Facet::Patterns(patterns) if patterns.iter().any(|p| p.matches(value)) => Ok(()),
            Facet::Patterns(patterns) => {
                let sources: Vec<&str> = patterns.iter().map(|p| p.source.as_str()).collect();
                Err(Rule::Pattern(sources.join(" or ")))
            }
            Facet::Length(required) => match self.length(value) {
                found if found == *required => Ok(()),
                found => Err(Rule::Length { found, required: *required }),
            },
            Facet::MinLength(min) => match self.length(value) {
                found if found >= *min => Ok(()),
                found => Err(Rule::MinLength { found, min: *min }),
            },
            Facet::MaxLength(max) => match self.length(value) {
                found if found <= *max => Ok(()),
                found => Err(Rule::MaxLength { found, max: *max }),
            },
            Facet::TotalDigits(max) => match number()?.total_digits() {
                found if found <= *max => Ok(()),
                found => Err(Rule::TotalDigits { found, max: *max }),
            },
            Facet::FractionDigits(max) => match number()?.fraction_digits() {
                found if found <= *max => Ok(()),
                found => Err(Rule::FractionDigits { found, max: *max }),
            },
            Facet::MinInclusive(bound, text) => range(number()? >= *bound, format!("at least {text}")),
            Facet::MaxInclusive(bound, text) => range(number()? <= *bound, format!("at most {text}")),
            Facet::MinExclusive(bound, text) => range(number()? > *bound, format!("more than {text}")),
            Facet::MaxExclusive(bound, text) => range(number()? < *bound, format!("less than {text}")),
        }
    }
}
