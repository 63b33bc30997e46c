//! From XSD text to the model. Whatever is outside the supported subset is an error that names the line: a
//! construct silently ignored would be a check silently not made.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::lexical::Decimal;
use crate::pattern::Pattern;
use crate::schema::{
    AnyNamespace, AttributeDecl, ComplexType, Content, Particle, Process, Schema, SchemaError, Term, TypeDef,
    TypeId,
};
use crate::simple::{Facet, Primitive, SimpleType};

const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// Derivation steps followed before a type counts as defined by itself.
const DERIVATION_DEPTH_MAX: u32 = 16;

/// Nesting of groups and local types within one type.
const GROUP_DEPTH_MAX: u32 = 32;

impl Schema {
    /// Reads a schema from XSD text.
    ///
    /// # Errors
    /// Text that is not XML, a construct outside the supported subset, or a name that is not declared.
    pub fn parse(xsd: &str) -> Result<Self, SchemaError> {
        let text = xsd.strip_prefix('\u{feff}').unwrap_or(xsd);
        let document = Document::parse(text).map_err(|e| SchemaError::NotWellFormed(e.to_string()))?;
        Compiler::new(&document)?.run()
    }
}

struct Compiler<'a, 'i> {
    document: &'a Document<'i>,
    root: Node<'a, 'i>,
    target: String,
    /// Global types in declaration order, after the primitives.
    named: BTreeMap<&'a str, (TypeId, Node<'a, 'i>)>,
    types: Vec<TypeDef>,
}

type Out<T> = Result<T, SchemaError>;

impl<'a, 'i> Compiler<'a, 'i> {
    fn new(document: &'a Document<'i>) -> Out<Self> {
        let root = document.root_element();
        let mut compiler =
            Self { document, root, target: String::new(), named: BTreeMap::new(), types: Vec::new() };
        if kind(root) != Some("schema") {
            return Err(compiler.broken(root, "root is not xs:schema"));
        }
        compiler.check_attributes(
            root,
            &["targetNamespace", "elementFormDefault", "attributeFormDefault", "version", "id"],
        )?;
        if root.attribute("elementFormDefault") != Some("qualified") {
            return Err(compiler.unsupported(root, "elementFormDefault other than qualified"));
        }
        let target = root.attribute("targetNamespace");
        compiler.target = target.ok_or_else(|| compiler.broken(root, "no targetNamespace"))?.to_owned();
        Ok(compiler)
    }

    fn run(mut self) -> Out<Schema> {
        for primitive in Primitive::ALL {
            self.types.push(TypeDef::Simple(SimpleType { primitive, facets: Vec::new() }));
        }
        let mut globals = Vec::new();
        for node in elements(self.root) {
            match kind(node) {
                Some("simpleType" | "complexType") => {
                    let name = self.required(node, "name")?;
                    let id = Primitive::ALL.len().saturating_add(self.named.len());
                    if self.named.insert(name, (id, node)).is_some() {
                        return Err(self.broken(node, &format!("type {name} declared twice")));
                    }
                    globals.push(node);
                    // A placeholder keeps the index; it is replaced below before anybody can see it.
                    self.types.push(TypeDef::Complex(ComplexType {
                        attributes: Vec::new(),
                        content: Content::Empty,
                    }));
                }
                Some("element" | "annotation") => {}
                other => return Err(self.unsupported(node, &describe(other))),
            }
        }
        for (offset, node) in globals.into_iter().enumerate() {
            let definition = self.definition(node, 0)?;
            if let Some(slot) = self.types.get_mut(Primitive::ALL.len().saturating_add(offset)) {
                *slot = definition;
            }
        }
        let mut roots = BTreeMap::new();
        for node in elements(self.root).filter(|n| kind(*n) == Some("element")) {
            self.check_attributes(node, &["name", "type", "id"])?;
            let name = self.required(node, "name")?.to_owned();
            let id = self.element_type(node, 0)?;
            if roots.insert(name, id).is_some() {
                return Err(self.broken(node, "element declared twice"));
            }
        }
        Ok(Schema { target_namespace: self.target, roots, types: self.types })
    }

    fn definition(&mut self, node: Node<'a, 'i>, depth: u32) -> Out<TypeDef> {
        if kind(node) == Some("simpleType") {
            return Ok(TypeDef::Simple(self.simple_type(node, 0)?));
        }
        self.check_attributes(node, &["name", "id"])?;
        Ok(TypeDef::Complex(self.complex_type(node, depth)?))
    }

    fn complex_type(&mut self, node: Node<'a, 'i>, depth: u32) -> Out<ComplexType> {
        let mut attributes = Vec::new();
        let mut content = Content::Empty;
        for child in elements(node) {
            match kind(child) {
                Some("annotation") => {}
                Some("attribute") => attributes.push(self.attribute(child)?),
                Some("sequence" | "choice") if matches!(content, Content::Empty) => {
                    let mut children = BTreeMap::new();
                    let mut wildcard = None;
                    let particle = self.particle(child, &mut children, &mut wildcard, depth)?;
                    content = Content::Elements { particle, children, wildcard };
                }
                Some("simpleContent") if matches!(content, Content::Empty) => {
                    content = self.simple_content(child, &mut attributes)?;
                }
                other => return Err(self.unsupported(child, &describe(other))),
            }
        }
        Ok(ComplexType { attributes, content })
    }

    fn simple_content(&self, node: Node<'a, 'i>, attributes: &mut Vec<AttributeDecl>) -> Out<Content> {
        let mut value = None;
        for child in elements(node) {
            match kind(child) {
                Some("annotation") => {}
                Some("extension") if value.is_none() => {
                    self.check_attributes(child, &["base", "id"])?;
                    value = Some(self.simple_by_name(child, self.required(child, "base")?, 0)?);
                    for attribute in elements(child) {
                        match kind(attribute) {
                            Some("annotation") => {}
                            Some("attribute") => attributes.push(self.attribute(attribute)?),
                            other => return Err(self.unsupported(attribute, &describe(other))),
                        }
                    }
                }
                other => return Err(self.unsupported(child, &describe(other))),
            }
        }
        value.map(Content::Value).ok_or_else(|| self.broken(node, "simpleContent without extension"))
    }

    fn attribute(&self, node: Node<'a, 'i>) -> Out<AttributeDecl> {
        self.check_attributes(node, &["name", "type", "use", "id"])?;
        let required = match node.attribute("use") {
            Some("required") => true,
            None | Some("optional") => false,
            Some(other) => return Err(self.unsupported(node, &format!("attribute use {other}"))),
        };
        let value = match (node.attribute("type"), elements(node).find(|n| kind(*n) == Some("simpleType"))) {
            (Some(name), None) => self.simple_by_name(node, name, 0)?,
            (None, Some(local)) => self.simple_type(local, 0)?,
            _ => return Err(self.broken(node, "attribute needs exactly one type")),
        };
        Ok(AttributeDecl { name: self.required(node, "name")?.to_owned(), value, required })
    }

    fn particle(
        &mut self,
        node: Node<'a, 'i>,
        children: &mut BTreeMap<String, TypeId>,
        wildcard: &mut Option<Process>,
        depth: u32,
    ) -> Out<Particle> {
        if depth > GROUP_DEPTH_MAX {
            return Err(self.unsupported(node, "deeper nesting of groups"));
        }
        let (min, max) = self.occurrence(node)?;
        let term = match kind(node) {
            Some("element") => {
                self.check_attributes(node, &["name", "type", "minOccurs", "maxOccurs", "id"])?;
                let name = self.required(node, "name")?.to_owned();
                let id = self.element_type(node, depth)?;
                if children.insert(name.clone(), id).is_some_and(|other| other != id) {
                    return Err(self.broken(node, &format!("element {name} with two types")));
                }
                Term::Element(name)
            }
            Some("any") => self.any(node, wildcard)?,
            Some(group @ ("sequence" | "choice")) => {
                self.check_attributes(node, &["minOccurs", "maxOccurs", "id"])?;
                let mut parts = Vec::new();
                for child in elements(node).filter(|n| kind(*n) != Some("annotation")) {
                    parts.push(self.particle(child, children, wildcard, depth.saturating_add(1))?);
                }
                if group == "sequence" { Term::Sequence(parts) } else { Term::Choice(parts) }
            }
            other => return Err(self.unsupported(node, &describe(other))),
        };
        Ok(Particle { min, max, term })
    }

    fn any(&self, node: Node<'a, 'i>, wildcard: &mut Option<Process>) -> Out<Term> {
        self.check_attributes(node, &["namespace", "processContents", "minOccurs", "maxOccurs", "id"])?;
        let process = match node.attribute("processContents") {
            Some("skip") => Process::Skip,
            Some("lax") => Process::Lax,
            None | Some("strict") => Process::Strict,
            Some(other) => return Err(self.unsupported(node, &format!("processContents {other}"))),
        };
        if wildcard.replace(process).is_some_and(|earlier| earlier != process) {
            return Err(self.unsupported(node, "wildcards of different processing in one type"));
        }
        Ok(Term::Any(match node.attribute("namespace").unwrap_or("##any") {
            "##any" => AnyNamespace::Any,
            "##other" => AnyNamespace::Other,
            list => AnyNamespace::Listed(
                list.split_whitespace()
                    .map(|name| match name {
                        "##targetNamespace" => self.target.clone(),
                        "##local" => String::new(),
                        uri => uri.to_owned(),
                    })
                    .collect(),
            ),
        }))
    }

    fn occurrence(&self, node: Node<'a, 'i>) -> Out<(u64, Option<u64>)> {
        let min = self.number(node, node.attribute("minOccurs").unwrap_or("1"))?;
        let max = match node.attribute("maxOccurs").unwrap_or("1") {
            "unbounded" => None,
            text => Some(self.number(node, text)?),
        };
        if max.is_some_and(|max| max < min || max == 0) {
            return Err(self.broken(node, "maxOccurs below minOccurs or zero"));
        }
        Ok((min, max))
    }

    fn element_type(&mut self, node: Node<'a, 'i>, depth: u32) -> Out<TypeId> {
        let local = elements(node).find(|n| matches!(kind(*n), Some("simpleType" | "complexType")));
        match (node.attribute("type"), local) {
            (Some(name), None) => match self.resolve(node, name)? {
                Resolved::Builtin(primitive) => Primitive::ALL
                    .iter()
                    .position(|p| *p == primitive)
                    .ok_or_else(|| self.broken(node, "primitive without index")),
                Resolved::Named(id, _) => Ok(id),
            },
            (None, Some(local)) => {
                let definition = self.definition(local, depth.saturating_add(1))?;
                self.types.push(definition);
                Ok(self.types.len().saturating_sub(1))
            }
            _ => Err(self.broken(node, "element needs exactly one type")),
        }
    }

    fn simple_by_name(&self, at: Node<'a, 'i>, name: &str, depth: u32) -> Out<SimpleType> {
        match self.resolve(at, name)? {
            Resolved::Builtin(primitive) => Ok(SimpleType { primitive, facets: Vec::new() }),
            Resolved::Named(_, node) if kind(node) == Some("simpleType") => {
                self.simple_type(node, depth.saturating_add(1))
            }
            Resolved::Named(..) => Err(self.unsupported(at, "a complex type as base of a value")),
        }
    }

    fn simple_type(&self, node: Node<'a, 'i>, depth: u32) -> Out<SimpleType> {
        if depth > DERIVATION_DEPTH_MAX {
            return Err(self.broken(node, "type derived from itself"));
        }
        self.check_attributes(node, &["name", "id"])?;
        let mut restriction = None;
        for child in elements(node).filter(|n| kind(*n) != Some("annotation")) {
            match kind(child) {
                Some("restriction") if restriction.is_none() => restriction = Some(child),
                other => return Err(self.unsupported(child, &describe(other))),
            }
        }
        let restriction = restriction.ok_or_else(|| self.broken(node, "simpleType without restriction"))?;
        self.check_attributes(restriction, &["base", "id"])?;
        let mut simple = self.simple_by_name(restriction, self.required(restriction, "base")?, depth)?;
        self.facets(restriction, &mut simple)?;
        Ok(simple)
    }

    fn facets(&self, restriction: Node<'a, 'i>, simple: &mut SimpleType) -> Out<()> {
        let mut enumeration = Vec::new();
        let mut patterns = Vec::new();
        for node in elements(restriction).filter(|n| kind(*n) != Some("annotation")) {
            self.check_attributes(node, &["value", "fixed", "id"])?;
            let value = self.required(node, "value")?;
            let numeric = simple.primitive.is_numeric();
            let facet = match kind(node) {
                Some("enumeration") if simple.primitive.is_textual() => {
                    enumeration.push(value.to_owned());
                    continue;
                }
                Some("pattern") => {
                    patterns.push(
                        Pattern::compile(value)
                            .map_err(|e| self.unsupported(node, &format!("pattern {value:?} ({e})")))?,
                    );
                    continue;
                }
                Some("length") if !numeric => Facet::Length(self.number(node, value)?),
                Some("minLength") if !numeric => Facet::MinLength(self.number(node, value)?),
                Some("maxLength") if !numeric => Facet::MaxLength(self.number(node, value)?),
                Some("totalDigits") if numeric => Facet::TotalDigits(self.number(node, value)?),
                Some("fractionDigits") if numeric => Facet::FractionDigits(self.number(node, value)?),
                Some(bound @ ("minInclusive" | "maxInclusive" | "minExclusive" | "maxExclusive"))
                    if numeric =>
                {
                    let number =
                        Decimal::parse(value).ok_or_else(|| self.broken(node, "bound not a number"))?;
                    let text = value.to_owned();
                    match bound {
                        "minInclusive" => Facet::MinInclusive(number, text),
                        "maxInclusive" => Facet::MaxInclusive(number, text),
                        "minExclusive" => Facet::MinExclusive(number, text),
                        _ => Facet::MaxExclusive(number, text),
                    }
                }
                other => {
                    let on = simple.primitive.name();
                    return Err(self.unsupported(node, &format!("{} on {on}", describe(other))));
                }
            };
            simple.facets.push(facet);
        }
        if !enumeration.is_empty() {
            simple.facets.push(Facet::Enumeration(enumeration));
        }
        if !patterns.is_empty() {
            simple.facets.push(Facet::Patterns(patterns));
        }
        Ok(())
    }

    fn resolve(&self, at: Node<'a, 'i>, qname: &str) -> Out<Resolved<'a, 'i>> {
        let (prefix, local) = match qname.split_once(':') {
            Some((prefix, local)) => (Some(prefix), local),
            None => (None, qname),
        };
        let namespace = at.lookup_namespace_uri(prefix);
        if namespace == Some(XSD) {
            let primitive = Primitive::ALL.into_iter().find(|p| p.name() == local);
            return primitive
                .map(Resolved::Builtin)
                .ok_or_else(|| self.unsupported(at, &format!("built-in type {qname}")));
        }
        match self.named.get(local) {
            Some((id, node)) if namespace == Some(self.target.as_str()) => Ok(Resolved::Named(*id, *node)),
            _ => Err(self.broken(at, &format!("type {qname} not declared"))),
        }
    }

    fn check_attributes(&self, node: Node<'_, '_>, known: &[&str]) -> Out<()> {
        match node.attributes().find(|a| a.namespace().is_some() || !known.contains(&a.name())) {
            Some(other) => Err(self.unsupported(node, &format!("attribute {}", other.name()))),
            None => Ok(()),
        }
    }

    fn required(&self, node: Node<'a, 'i>, name: &str) -> Out<&'a str> {
        node.attribute(name).ok_or_else(|| self.broken(node, &format!("attribute {name} missing")))
    }

    fn number(&self, node: Node<'_, '_>, text: &str) -> Out<u64> {
        text.parse().map_err(|_| self.broken(node, &format!("{text:?} is not a count")))
    }

    fn line(&self, node: Node<'_, '_>) -> u32 {
        self.document.text_pos_at(node.range().start).row
    }

    fn unsupported(&self, node: Node<'_, '_>, construct: &str) -> SchemaError {
        SchemaError::Unsupported { line: self.line(node), construct: construct.to_owned() }
    }

    fn broken(&self, node: Node<'_, '_>, problem: &str) -> SchemaError {
        SchemaError::Broken { line: self.line(node), problem: problem.to_owned() }
    }
}

enum Resolved<'a, 'i> {
    Builtin(Primitive),
    Named(TypeId, Node<'a, 'i>),
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// The local name of an element in the XML Schema namespace.
fn kind<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    (node.tag_name().namespace() == Some(XSD)).then(|| node.tag_name().name())
}

fn describe(kind: Option<&str>) -> String {
    kind.map_or_else(|| "a foreign element".to_owned(), |name| format!("xs:{name}"))
}
