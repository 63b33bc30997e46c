//! The model of a schema: types by index, particles of content models, attributes.
//!
//! A [`Schema`] is read once from XSD text (`compile`) and then only looked at. XML Schema's "unique particle
//! attribution" rule lets content be matched with one element of look-ahead (`validate`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::simple::SimpleType;

/// Index of a type within its schema.
pub(crate) type TypeId = usize;

/// A schema that messages are checked against.
#[derive(Debug, Clone)]
pub struct Schema {
    pub(crate) target_namespace: String,
    pub(crate) roots: BTreeMap<String, TypeId>,
    pub(crate) types: Vec<TypeDef>,
}

impl Schema {
    /// The namespace of the messages this schema describes.
    #[must_use]
    pub fn target_namespace(&self) -> &str {
        &self.target_namespace
    }
}

#[derive(Debug, Clone)]
pub(crate) enum TypeDef {
    Simple(SimpleType),
    Complex(ComplexType),
}

#[derive(Debug, Clone)]
pub(crate) struct ComplexType {
    pub(crate) attributes: Vec<AttributeDecl>,
    pub(crate) content: Content,
}

#[derive(Debug, Clone)]
pub(crate) struct AttributeDecl {
    pub(crate) name: String,
    pub(crate) value: SimpleType,
    pub(crate) required: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Empty,
    Value(SimpleType),
    Elements {
        particle: Particle,
        /// Type of each declared child; XSD guarantees one type per name within a parent.
        children: BTreeMap<String, TypeId>,
        /// How wildcard content is treated, where the model has a wildcard.
        wildcard: Option<Process>,
    },
}

/// How far wildcard content is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// Not at all.
    Skip,
    /// Where a declaration is known.
    Lax,
    /// A declaration must be known.
    Strict,
}

#[derive(Debug, Clone)]
pub(crate) struct Particle {
    pub(crate) min: u64,
    /// `None` is unbounded.
    pub(crate) max: Option<u64>,
    pub(crate) term: Term,
}

#[derive(Debug, Clone)]
pub(crate) enum Term {
    Element(String),
    Sequence(Vec<Particle>),
    Choice(Vec<Particle>),
    Any(AnyNamespace),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnyNamespace {
    Any,
    Other,
    /// Listed names; the empty text stands for "no namespace".
    Listed(Vec<String>),
}

/// Why a schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The text is not well-formed XML or has a document type declaration.
    #[error("schema is not well formed: {0}")]
    NotWellFormed(String),
    /// A construct outside the subset that ISO 20022 schemas use.
    #[error("line {line}: {construct} is not supported")]
    Unsupported {
        /// Line of the construct, from 1.
        line: u32,
        /// The construct.
        construct: String,
    },
    /// A name is used but not declared, or declared twice.
    #[error("line {line}: {problem}")]
    Broken {
        /// Line of the problem, from 1.
        line: u32,
        /// What is wrong.
        problem: String,
    },
    /// Two schemas describe the same namespace.
    #[error("two schemas for namespace {0}")]
    Duplicate(String),
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file of a folder is not usable.
    #[error("{path}: {source}")]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<SchemaError>,
    },
}
