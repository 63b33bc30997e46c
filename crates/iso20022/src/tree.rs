//! The generic tree of a message: names, values, attributes, children, in order.
//!
//! A [`Document`] that came out of validation holds everything the message said; nothing is dropped. It is also
//! what a sender builds; only `Schema::emit` turns it into bytes for the wire, and that validates again.

use std::fmt::Write;

/// A message (or a part of an envelope).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Namespace of the root element.
    pub namespace: String,
    /// The root element.
    pub root: Element,
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Namespace where it differs from the parent's (below a wildcard); `Some("")` is "no namespace".
    pub namespace: Option<String>,
    /// Attributes in document order.
    pub attributes: Vec<Attribute>,
    /// The value; empty where there are children.
    pub text: String,
    /// Child elements in document order.
    pub children: Vec<Element>,
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Local name.
    pub name: String,
    /// Namespace, where there is one.
    pub namespace: Option<String>,
    /// Value.
    pub value: String,
}

impl Document {
    /// A document with a root element in a namespace.
    #[must_use]
    pub fn new(namespace: impl Into<String>, root: Element) -> Self {
        Self { namespace: namespace.into(), root }
    }

    /// The canonical text: declaration, default namespace, no added white space. It is not validated; use
    /// `Schema::emit` for what leaves the house.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        write_element(&self.root, Some(&self.namespace), &mut out);
        out
    }
}

impl Element {
    /// An empty element.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// An element that holds a value.
    #[must_use]
    pub fn leaf(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), ..Self::default() }
    }

    /// This element with one more child.
    #[must_use]
    pub fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// This element with more children.
    #[must_use]
    pub fn with_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// This element with a child that holds a value, where there is a value.
    #[must_use]
    pub fn with_text(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.with(Self::leaf(name, text)),
            None => self,
        }
    }

    /// This element with an attribute without namespace.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push(Attribute { name: name.to_owned(), namespace: None, value: value.into() });
        self
    }

    /// The first descendant along a path of local names, such as `GrpHdr/MsgId`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |at, name| at.children.iter().find(|c| c.name == name))
    }

    /// The value at a path of local names.
    #[must_use]
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.find(path).map(|e| e.text.as_str())
    }

    /// The children of one name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The value of an attribute without namespace.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.name == name && a.namespace.is_none()).map(|a| a.value.as_str())
    }
}

/// Writes an element; `namespace` is what the default namespace must become here, where it changes.
fn write_element(element: &Element, namespace: Option<&str>, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    if let Some(namespace) = namespace {
        out.push_str(" xmlns=\"");
        escape(namespace, true, out);
        out.push('"');
    }
    for (index, attribute) in element.attributes.iter().enumerate() {
        // Namespaced attributes only occur as schema hints and below wildcards; each declares its own prefix.
        match attribute.namespace.as_deref() {
            None => {
                let _ = write!(out, " {}=\"", attribute.name);
            }
            Some("http://www.w3.org/XML/1998/namespace") => {
                let _ = write!(out, " xml:{}=\"", attribute.name);
            }
            Some(uri) => {
                let _ = write!(out, " xmlns:n{index}=\"");
                escape(uri, true, out);
                let _ = write!(out, "\" n{index}:{}=\"", attribute.name);
            }
        }
        escape(&attribute.value, true, out);
        out.push('"');
    }
    if element.children.is_empty() && element.text.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    escape(&element.text, false, out);
    for child in &element.children {
        write_element(child, child.namespace.as_deref(), out);
    }
    let _ = write!(out, "</{}>", element.name);
}

fn escape(text: &str, in_attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            other => out.push(other),
        }
    }
}
