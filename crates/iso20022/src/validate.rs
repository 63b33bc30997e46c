//! Validation: bytes in, a tree out, or the faults with their places.
//!
//! Invariants: an accepted message is in the schema's language in full, and the tree holds all of it (comments and
//! processing instructions are no content). Content under a wildcard is kept as it is, bounded in depth; where it
//! mixes text with elements it is refused, since the tree could not give it back unchanged. `xsi:type` and
//! `xsi:nil` are refused: no ISO 20022 schema derives or nils. `xsi:schemaLocation` is kept and never followed.

use roxmltree::{Node, ParsingOptions};

use crate::content::{self, Child, Mismatch};
use crate::fault::{FAULTS_MAX, Fault, Invalid, Rule, shorten};
use crate::schema::{ComplexType, Content, Process, Schema, TypeDef, TypeId};
use crate::simple::SimpleType;
use crate::tree::{Attribute, Document, Element};

/// Largest message accepted unless the caller says otherwise: the bound clearing centres set for one message.
pub const MESSAGE_SIZE_BYTES_MAX: usize = 1_000_000;

/// Deepest nesting accepted: the deepest ISO 20022 message in use stays below 30.
pub const DEPTH_MAX: usize = 64;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

impl Schema {
    /// Checks a message of at most [`MESSAGE_SIZE_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// The faults found, with their places.
    pub fn validate(&self, xml: &[u8]) -> Result<Document, Invalid> {
        self.validate_sized(xml, MESSAGE_SIZE_BYTES_MAX)
    }

    /// Checks a message of at most `size_bytes_max` bytes.
    ///
    /// # Errors
    /// The faults found, with their places.
    pub fn validate_sized(&self, xml: &[u8], size_bytes_max: usize) -> Result<Document, Invalid> {
        let text = check_bytes(xml, size_bytes_max)?;
        let parsed = parse(text)?;
        self.validate_node(parsed.root_element())
    }

    /// Turns a document into bytes for the wire, and proves that they read back as the same valid document.
    ///
    /// # Errors
    /// The faults of the document, or `NotFaithful` where reading it back would change it.
    pub fn emit(&self, document: &Document) -> Result<Vec<u8>, Invalid> {
        let bytes = document.to_xml().into_bytes();
        let back = self.validate(&bytes)?;
        if back == *document {
            Ok(bytes)
        } else {
            Err(Invalid::one(format!("/{}", document.root.name), Rule::NotFaithful, ""))
        }
    }

    /// Checks a parsed (sub)tree as a message of its own.
    pub(crate) fn validate_node(&self, node: Node<'_, '_>) -> Result<Document, Invalid> {
        let name = node.tag_name().name();
        let namespace = node.tag_name().namespace().unwrap_or("");
        let path = format!("/{}", shorten(name));
        if namespace != self.target_namespace {
            let expected = self.target_namespace.clone();
            return Err(Invalid::one(path, Rule::WrongNamespace { expected }, namespace));
        }
        let Some(id) = self.roots.get(name) else {
            return Err(Invalid::one(path, Rule::UnknownRoot, name));
        };
        let mut run = Run { schema: self, faults: Vec::new(), truncated: false, path: vec![shorten(name)] };
        let root = run.element(node, *id, None);
        if run.faults.is_empty() {
            Ok(Document { namespace: namespace.to_owned(), root })
        } else {
            Err(Invalid { faults: run.faults, truncated: run.truncated })
        }
    }
}

/// The checks that need no parser.
pub(crate) fn check_bytes(xml: &[u8], size_bytes_max: usize) -> Result<&str, Invalid> {
    if xml.len() > size_bytes_max {
        let rule = Rule::TooLarge { size_bytes: xml.len(), limit_bytes: size_bytes_max };
        return Err(Invalid::one("/", rule, ""));
    }
    if xml.starts_with(b"\xef\xbb\xbf") || xml.starts_with(b"\xff\xfe") || xml.starts_with(b"\xfe\xff") {
        return Err(Invalid::one("/", Rule::ByteOrderMark, ""));
    }
    let text = std::str::from_utf8(xml)
        .map_err(|e| Invalid::one("/", Rule::NotUtf8 { offset_bytes: e.valid_up_to() }, ""))?;
    if let Some(declaration) = text.strip_prefix("<?xml").and_then(|rest| rest.split("?>").next()) {
        let utf8 = pseudo_attribute(declaration, "encoding").is_none_or(|v| v.eq_ignore_ascii_case("utf-8"));
        let first = pseudo_attribute(declaration, "version").is_none_or(|v| v == "1.0");
        if !utf8 || !first {
            return Err(Invalid::one("/", Rule::Declaration, declaration.trim()));
        }
    }
    // The parser is recursive in nothing but our own walk; still, depth is bounded before a tree is built.
    let depth = nesting_depth(text);
    if depth > DEPTH_MAX {
        return Err(Invalid::one("/", Rule::TooDeep { depth_max: DEPTH_MAX }, ""));
    }
    Ok(text)
}

/// Value of `name="value"` in an XML declaration.
fn pseudo_attribute<'a>(declaration: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = declaration.split_once(name)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest.get(1..)?.split(quote).next()
}

/// An upper bound on element nesting, exact for well-formed text without tags inside comments or CDATA.
fn nesting_depth(text: &str) -> usize {
    let mut depth: usize = 0;
    let mut deepest: usize = 0;
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if let Some(inside) = after.strip_prefix("!--") {
            rest = inside.split_once("-->").map_or("", |(_, tail)| tail);
        } else if let Some(inside) = after.strip_prefix("![CDATA[") {
            rest = inside.split_once("]]>").map_or("", |(_, tail)| tail);
        } else if after.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !after.starts_with(['?', '!']) {
            let tag_end = tag_end(after);
            rest = tag_end.1;
            if !tag_end.0 {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
            }
        }
    }
    deepest
}

/// Whether the tag closes itself, and what follows it. Quoted text may hold any bracket.
fn tag_end(tag: &str) -> (bool, &str) {
    let mut quote = None;
    let mut previous = ' ';
    for (offset, c) in tag.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return (previous == '/', tag.get(offset..).unwrap_or("")),
            (None, _) => {}
        }
        previous = c;
    }
    (false, "")
}

pub(crate) fn parse(text: &str) -> Result<roxmltree::Document<'_>, Invalid> {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    roxmltree::Document::parse_with_options(text, options).map_err(|e| match e {
        roxmltree::Error::DtdDetected => Invalid::one("/", Rule::Doctype, ""),
        other => Invalid::one("/", Rule::NotWellFormed(other.to_string()), ""),
    })
}

struct Run<'s> {
    schema: &'s Schema,
    faults: Vec<Fault>,
    truncated: bool,
    path: Vec<String>,
}

impl Run<'_> {
    fn fault(&mut self, step: Option<&str>, rule: Rule, value: &str) {
        if self.faults.len() >= FAULTS_MAX {
            self.truncated = true;
            return;
        }
        let mut path = String::new();
        for part in self.path.iter().map(String::as_str).chain(step) {
            path.push('/');
            path.push_str(part);
        }
        self.faults.push(Fault { path, rule, value: shorten(value) });
    }

    fn element(&mut self, node: Node<'_, '_>, id: TypeId, namespace: Option<String>) -> Element {
        let mut out = Element { name: node.tag_name().name().to_owned(), namespace, ..Element::default() };
        let schema = self.schema;
        match schema.types.get(id) {
            Some(TypeDef::Simple(simple)) => {
                out.attributes = self.attributes(node, &[]);
                out.text = self.value(node, simple);
            }
            Some(TypeDef::Complex(complex)) => self.complex(node, complex, &mut out),
            // An index that does not exist cannot be made by the compiler; refuse rather than accept unchecked.
            None => self.fault(None, Rule::UnknownElement, ""),
        }
        out
    }

    fn complex(&mut self, node: Node<'_, '_>, complex: &ComplexType, out: &mut Element) {
        out.attributes = self.attributes(node, &complex.attributes);
        match &complex.content {
            Content::Value(simple) => out.text = self.value(node, simple),
            Content::Empty => {
                if node.children().any(|c| c.is_element()) {
                    self.fault(None, Rule::ChildrenNotAllowed, "");
                } else if node.children().any(|c| c.is_text()) {
                    self.fault(None, Rule::TextNotAllowed, &own_text(node));
                }
            }
            Content::Elements { particle, children: declared, wildcard } => {
                if node.children().any(|c| c.is_text() && !is_blank(c.text().unwrap_or(""))) {
                    self.fault(None, Rule::TextNotAllowed, own_text(node).trim());
                }
                let nodes: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
                let names: Vec<Child<'_>> = nodes.iter().map(|n| child_of(*n)).collect();
                if let Err(mismatch) = content::check(particle, &self.schema.target_namespace, &names) {
                    self.mismatch(&mismatch, &names, |name| declared.contains_key(name));
                }
                for (index, child) in nodes.iter().enumerate() {
                    self.path.push(step(&names, index));
                    let own = child.tag_name().namespace() == Some(&self.schema.target_namespace);
                    match (declared.get(child.tag_name().name()).filter(|_| own), wildcard) {
                        (Some(id), _) => {
                            let element = self.element(*child, *id, None);
                            out.children.push(element);
                        }
                        (None, Some(process)) => {
                            let element = self.wild(*child, *process, node.tag_name().namespace());
                            out.children.push(element);
                        }
                        // Already a mismatch of the content model.
                        (None, None) => {}
                    }
                    self.path.pop();
                    if self.truncated {
                        return;
                    }
                }
            }
        }
    }

    fn mismatch(&mut self, mismatch: &Mismatch, names: &[Child<'_>], declared: impl Fn(&str) -> bool) {
        let target = self.schema.target_namespace.clone();
        let known = |child: &Child<'_>| child.namespace == target && declared(child.name);
        match mismatch {
            Mismatch::Unexpected { at } => {
                let Some(child) = names.get(*at) else { return };
                let before = at.checked_sub(1).and_then(|i| names.get(i));
                let rule = if !known(child) {
                    Rule::UnknownElement
                } else if before.is_some_and(|b| b.name == child.name) {
                    Rule::TooMany
                } else {
                    Rule::OutOfOrder
                };
                self.fault(Some(&step(names, *at)), rule, "");
            }
            Mismatch::Missing { at, expected } => {
                let found = names.get(*at);
                if let Some(child) = found.filter(|c| !known(c)) {
                    let value = if child.namespace == target { "" } else { child.namespace };
                    self.fault(Some(&step(names, *at)), Rule::UnknownElement, value);
                    return;
                }
                let later = names.iter().skip(*at).any(|c| expected.iter().any(|e| e == c.name));
                if later {
                    self.fault(Some(&step(names, *at)), Rule::OutOfOrder, "");
                    return;
                }
                let rule = Rule::Missing { expected: expected.clone() };
                match expected.as_slice() {
                    [one] => self.fault(Some(one), rule, ""),
                    _ => self.fault(None, rule, ""),
                }
            }
        }
    }

    fn value(&mut self, node: Node<'_, '_>, simple: &SimpleType) -> String {
        if node.children().any(|c| c.is_element()) {
            self.fault(None, Rule::ChildrenNotAllowed, "");
            return String::new();
        }
        let raw = own_text(node);
        match simple.check(&raw) {
            Ok(value) => value,
            Err(rule) => {
                self.fault(None, rule, &raw);
                String::new()
            }
        }
    }

    fn attributes(
        &mut self,
        node: Node<'_, '_>,
        declared: &[crate::schema::AttributeDecl],
    ) -> Vec<Attribute> {
        let mut out = Vec::new();
        for attribute in node.attributes() {
            let name = attribute.name();
            let declaration = declared.iter().find(|d| d.name == name && attribute.namespace().is_none());
            let hint = attribute.namespace() == Some(XSI)
                && matches!(name, "schemaLocation" | "noNamespaceSchemaLocation");
            match declaration {
                Some(declaration) => match declaration.value.check(attribute.value()) {
                    Ok(value) => out.push(Attribute { name: name.to_owned(), namespace: None, value }),
                    Err(rule) => self.fault(Some(&format!("@{name}")), rule, attribute.value()),
                },
                None if hint => out.push(plain_attribute(attribute)),
                None => {
                    let shown = shorten(name);
                    let rule = Rule::UnknownAttribute(shown.clone());
                    self.fault(Some(&format!("@{shown}")), rule, attribute.value());
                }
            }
        }
        for declaration in declared.iter().filter(|d| d.required) {
            if !node.attributes().any(|a| a.name() == declaration.name && a.namespace().is_none()) {
                let rule = Rule::MissingAttribute(declaration.name.clone());
                self.fault(Some(&format!("@{}", declaration.name)), rule, "");
            }
        }
        out
    }

    /// Content under a wildcard; `parent` is the namespace the element would inherit.
    fn wild(&mut self, node: Node<'_, '_>, process: Process, parent: Option<&str>) -> Element {
        let own = node.tag_name().namespace();
        let namespace = (own != parent).then(|| own.unwrap_or("").to_owned());
        let declared = self.schema.roots.get(node.tag_name().name());
        if let Some(id) =
            declared.filter(|_| process != Process::Skip && own == Some(&self.schema.target_namespace))
        {
            return self.element(node, *id, namespace);
        }
        if process == Process::Strict {
            self.fault(None, Rule::UnknownElement, own.unwrap_or(""));
        }
        let mut out = Element { name: node.tag_name().name().to_owned(), namespace, ..Element::default() };
        for attribute in node.attributes() {
            let typed = attribute.namespace() == Some(XSI) && matches!(attribute.name(), "type" | "nil");
            if typed || attribute.namespace() == Some(XMLNS) {
                let rule = Rule::UnknownAttribute(attribute.name().to_owned());
                self.fault(Some(&format!("@{}", attribute.name())), rule, attribute.value());
            } else {
                out.attributes.push(plain_attribute(attribute));
            }
        }
        let nodes: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
        if nodes.is_empty() {
            out.text = own_text(node);
            return out;
        }
        if node.children().any(|c| c.is_text() && !is_blank(c.text().unwrap_or(""))) {
            self.fault(None, Rule::TextNotAllowed, own_text(node).trim());
        }
        let names: Vec<Child<'_>> = nodes.iter().map(|n| child_of(*n)).collect();
        for (index, child) in nodes.iter().enumerate() {
            self.path.push(step(&names, index));
            // Below an element without declaration everything is assessed as far as it is known.
            let inner = if process == Process::Strict { Process::Lax } else { process };
            let element = self.wild(*child, inner, own);
            out.children.push(element);
            self.path.pop();
        }
        out
    }
}

fn child_of<'a>(node: Node<'a, '_>) -> Child<'a> {
    Child { namespace: node.tag_name().namespace().unwrap_or(""), name: node.tag_name().name() }
}

fn plain_attribute(attribute: roxmltree::Attribute<'_, '_>) -> Attribute {
    Attribute {
        name: attribute.name().to_owned(),
        namespace: attribute.namespace().map(str::to_owned),
        value: attribute.value().to_owned(),
    }
}

fn own_text(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|c| c.text()).collect()
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t' | '\n' | '\r'))
}

/// One step of a path: the name, with its number where siblings share it.
fn step(names: &[Child<'_>], index: usize) -> String {
    let Some(this) = names.get(index) else { return String::new() };
    let shown = shorten(this.name);
    let same = |c: &&Child<'_>| c.name == this.name;
    if names.iter().filter(same).nth(1).is_none() {
        return shown;
    }
    let number = names.iter().take(index).filter(same).count().saturating_add(1);
    format!("{shown}[{number}]")
}
