//! A set of schemas, one per namespace, and the parts of an envelope.

use std::collections::BTreeMap;
use std::path::Path;

use roxmltree::Node;

use crate::fault::{Invalid, Rule};
use crate::schema::{Schema, SchemaError};
use crate::tree::Document;
use crate::validate::{DEPTH_MAX, MESSAGE_SIZE_BYTES_MAX, check_bytes, parse};

/// Largest schema file read; the largest published one is below 1 MB.
const SCHEMA_SIZE_BYTES_MAX: u64 = 8_000_000;

/// Parts of one envelope: a header and a document, with room for a batch.
const PARTS_MAX: usize = 16;

/// Schemas by target namespace.
#[derive(Debug, Clone, Default)]
pub struct SchemaSet {
    schemas: BTreeMap<String, Schema>,
}

impl SchemaSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a schema given as text.
    ///
    /// # Errors
    /// Text that is not a supported schema, or a namespace that is already there.
    pub fn add(&mut self, xsd: &str) -> Result<(), SchemaError> {
        let schema = Schema::parse(xsd)?;
        if self.schemas.contains_key(schema.target_namespace()) {
            return Err(SchemaError::Duplicate(schema.target_namespace));
        }
        self.schemas.insert(schema.target_namespace.clone(), schema);
        Ok(())
    }

    /// Reads every `*.xsd` file of a folder (not of folders within).
    ///
    /// # Errors
    /// A file that cannot be read or used; the error names it. No file is skipped silently.
    pub fn load_dir(folder: &Path) -> Result<Self, SchemaError> {
        let io = |path: &Path, source| SchemaError::Io { path: path.to_owned(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|e| io(folder, e))? {
            let path = entry.map_err(|e| io(folder, e))?.path();
            if path.extension().is_some_and(|e| e == "xsd") {
                files.push(path);
            }
        }
        files.sort();
        let mut set = Self::new();
        for path in files {
            let size_bytes = std::fs::metadata(&path).map_err(|e| io(&path, e))?.len();
            if size_bytes > SCHEMA_SIZE_BYTES_MAX {
                return Err(io(&path, std::io::Error::other(format!("{size_bytes} bytes is too large"))));
            }
            let text = std::fs::read_to_string(&path).map_err(|e| io(&path, e))?;
            set.add(&text).map_err(|e| SchemaError::InFile { path, source: Box::new(e) })?;
        }
        Ok(set)
    }

    /// The schema of a namespace.
    #[must_use]
    pub fn get(&self, namespace: &str) -> Option<&Schema> {
        self.schemas.get(namespace)
    }

    /// The namespaces known, in order.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.schemas.keys().map(String::as_str)
    }

    /// Checks a message against the schema of its own namespace.
    ///
    /// # Errors
    /// The faults found; `UnknownNamespace` where no schema is known.
    pub fn validate(&self, xml: &[u8]) -> Result<Document, Invalid> {
        let parsed = parse(check_bytes(xml, MESSAGE_SIZE_BYTES_MAX)?)?;
        let root = parsed.root_element();
        let namespace = root.tag_name().namespace().unwrap_or("");
        match self.get(namespace) {
            Some(schema) => schema.validate_node(root),
            None => Err(Invalid::one("/", Rule::UnknownNamespace(namespace.to_owned()), "")),
        }
    }

    /// Checks every message within an envelope whose own elements no schema is known for, in document order.
    ///
    /// A message that stands alone counts as one part. What surrounds the parts is transport and is not returned.
    ///
    /// # Errors
    /// The faults of the first invalid part; `NoPart` where no element is in a known namespace;
    /// `UnknownNamespace` where a `Document` or `AppHdr` has no schema, so that none is passed over.
    pub fn validate_parts(&self, xml: &[u8]) -> Result<Vec<Document>, Invalid> {
        let parsed = parse(check_bytes(xml, MESSAGE_SIZE_BYTES_MAX)?)?;
        let mut parts = Vec::new();
        self.collect(parsed.root_element(), DEPTH_MAX, &mut parts)?;
        if parts.is_empty() { Err(Invalid::one("/", Rule::NoPart, "")) } else { Ok(parts) }
    }

    fn collect(&self, node: Node<'_, '_>, depth: usize, parts: &mut Vec<Document>) -> Result<(), Invalid> {
        let name = node.tag_name().name();
        let namespace = node.tag_name().namespace().unwrap_or("");
        if let Some(schema) = self.get(namespace) {
            if parts.len() >= PARTS_MAX {
                return Err(Invalid::one(format!("/{name}"), Rule::TooMany, ""));
            }
            parts.push(schema.validate_node(node)?);
            return Ok(());
        }
        if matches!(name, "Document" | "AppHdr") {
            let rule = Rule::UnknownNamespace(namespace.to_owned());
            return Err(Invalid::one(format!("/{name}"), rule, ""));
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Invalid::one("/", Rule::TooDeep { depth_max: DEPTH_MAX }, ""));
        };
        node.children().filter(Node::is_element).try_for_each(|child| self.collect(child, depth, parts))
    }

    /// Turns a document into bytes, validated against the schema of its namespace.
    ///
    /// # Errors
    /// As [`Schema::emit`]; `UnknownNamespace` where no schema is known.
    pub fn emit(&self, document: &Document) -> Result<Vec<u8>, Invalid> {
        match self.get(&document.namespace) {
            Some(schema) => schema.emit(document),
            None => Err(Invalid::one("/", Rule::UnknownNamespace(document.namespace.clone()), "")),
        }
    }
}
