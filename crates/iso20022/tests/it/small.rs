//! A schema of our own with every construct, and each rule broken once.

use iso20022::{Element, Invalid, Rule, Schema, SchemaError, SchemaSet};

pub(crate) const XSD: &str = r#"<xs:schema xmlns="urn:t" xmlns:xs="http://www.w3.org/2001/XMLSchema"
    targetNamespace="urn:t" elementFormDefault="qualified">
  <xs:element name="Document" type="Doc"/>
  <xs:complexType name="Doc"><xs:sequence>
    <xs:element name="Id" type="Id"/>
    <xs:element name="Tx" type="Tx" minOccurs="1" maxOccurs="3"/>
    <xs:element name="Extra" type="Extra" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:complexType name="Tx"><xs:sequence>
    <xs:element name="Amt" type="Money"/>
    <xs:element name="Dt" type="xs:date" minOccurs="0"/>
    <xs:choice>
      <xs:element name="Iban" type="Iban"/>
      <xs:element name="Other" type="Id"/>
    </xs:choice>
    <xs:element name="Kind" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
      <xs:enumeration value="CRDT"/><xs:enumeration value="DBIT"/>
    </xs:restriction></xs:simpleType></xs:element>
  </xs:sequence></xs:complexType>
  <xs:complexType name="Extra"><xs:sequence>
    <xs:any processContents="lax"/>
  </xs:sequence></xs:complexType>
  <xs:complexType name="Money"><xs:simpleContent><xs:extension base="MoneyValue">
    <xs:attribute name="Ccy" type="Ccy" use="required"/>
  </xs:extension></xs:simpleContent></xs:complexType>
  <xs:simpleType name="MoneyValue"><xs:restriction base="xs:decimal">
    <xs:fractionDigits value="5"/><xs:totalDigits value="18"/><xs:minInclusive value="0"/>
  </xs:restriction></xs:simpleType>
  <xs:simpleType name="Ccy"><xs:restriction base="xs:string"><xs:pattern value="[A-Z]{3,3}"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Id"><xs:restriction base="xs:string">
    <xs:minLength value="1"/><xs:maxLength value="8"/>
  </xs:restriction></xs:simpleType>
  <xs:simpleType name="Iban"><xs:restriction base="Id"><xs:pattern value="[A-Z]{2}[0-9]+"/></xs:restriction></xs:simpleType>
</xs:schema>"#;

pub(crate) fn message(amount: &str) -> String {
    wrap(&format!("<Id>1</Id>{}", tx(amount, "<Iban>DE12</Iban>")))
}

fn tx(amount: &str, rest: &str) -> String {
    format!(r#"<Tx><Amt Ccy="CNY">{amount}</Amt>{rest}</Tx>"#)
}

fn wrap(inner: &str) -> String {
    format!(r#"<Document xmlns="urn:t">{inner}</Document>"#)
}

fn faults(xml: &[u8]) -> Invalid {
    Schema::parse(XSD).unwrap().validate(xml).unwrap_err()
}

/// The first fault of a message with this inside is at this path and has this text.
fn check(inner: &str, path: &str, rule: &str) {
    let refused = faults(wrap(inner).as_bytes());
    let first = refused.first().unwrap();
    assert_eq!((first.path.as_str(), first.rule.to_string().as_str()), (path, rule), "{inner}");
}

#[test]
fn each_rule_names_its_place() {
    let good = tx("1", "<Iban>DE12</Iban>");
    let order = "element out of order or choice already made";
    check(&good, "/Document/Id", "required element missing, expected Id");
    check("<Id>1</Id>", "/Document/Tx", "required element missing, expected Tx");
    check(&format!("{good}<Id>1</Id>"), "/Document/Tx", order);
    check(&format!("<Id>1</Id>{good}{good}{good}{good}"), "/Document/Tx[4]", "element occurs too often");
    check(&format!("<Id>1</Id>{good}<Nope/>"), "/Document/Nope", "element not declared here");
    check(&format!("<Id>1</Id>text{good}"), "/Document", "text not allowed between elements");
    check(&format!("<Id a=\"1\">1</Id>{good}"), "/Document/Id/@a", "attribute a not declared here");
    check(&format!("<Id><b/></Id>{good}"), "/Document/Id", "child elements not allowed in a value");
    check(&format!("<Id></Id>{good}"), "/Document/Id", "length 0 below 1");
    check(&format!("<Id>123456789</Id>{good}"), "/Document/Id", "length 9 above 8");
    let second = |amount: &str, rest: &str| format!("<Id>1</Id>{good}{}", tx(amount, rest));
    let amount = "/Document/Tx[2]/Amt";
    check(&second("-1", "<Iban>DE1</Iban>"), amount, "number out of range, at least 0");
    check(&second("1e3", "<Iban>DE1</Iban>"), amount, "not a valid decimal");
    check(&second("0.000001", "<Iban>DE1</Iban>"), amount, "6 fraction digits, at most 5 allowed");
    check(&second("1234567890123456789", "<Iban>DE1</Iban>"), amount, "19 digits, at most 18 allowed");
    check(&second("1", ""), "/Document/Tx[2]", "required element missing, expected Iban or Other");
    check(&second("1", "<Iban>DE</Iban>"), "/Document/Tx[2]/Iban", "does not match pattern [A-Z]{2}[0-9]+");
    check(&second("1", "<Iban>DE1</Iban><Other>1</Other>"), "/Document/Tx[2]/Other", order);
    check(
        &second("1", "<Iban>DE1</Iban><Kind>X</Kind>"),
        "/Document/Tx[2]/Kind",
        "not one of the enumerated values",
    );
    check(&second("1", "<Dt>2023-02-29</Dt><Iban>DE1</Iban>"), "/Document/Tx[2]/Dt", "not a valid date");
    let bare = "<Id>1</Id><Tx><Amt>1</Amt><Iban>DE1</Iban></Tx>";
    check(bare, "/Document/Tx/Amt/@Ccy", "required attribute Ccy missing");
}

#[test]
fn envelope_rules_come_before_the_schema() {
    let rule = |bytes: &[u8]| faults(bytes).first().unwrap().rule.clone();
    let good = message("1");
    assert_eq!(rule(&[b"\xef\xbb\xbf", good.as_bytes()].concat()), Rule::ByteOrderMark);
    assert_eq!(rule(b"<Document>\xff</Document>"), Rule::NotUtf8 { offset_bytes: 10 });
    assert_eq!(rule(format!("<!DOCTYPE Document>{good}").as_bytes()), Rule::Doctype);
    let entity = format!("<!DOCTYPE d [<!ENTITY e \"x\">]>{}", good.replace("1</Id>", "&e;</Id>"));
    assert_eq!(rule(entity.as_bytes()), Rule::Doctype);
    assert_eq!(rule(format!("<?xml version=\"1.0\" encoding=\"GBK\"?>{good}").as_bytes()), Rule::Declaration);
    assert!(matches!(rule(b"<Document>"), Rule::NotWellFormed(_)));
    assert!(matches!(rule(good.replace("urn:t", "urn:u").as_bytes()), Rule::WrongNamespace { .. }));
    assert_eq!(rule(good.replace("Document", "Dokument").as_bytes()), Rule::UnknownRoot);
    let schema = Schema::parse(XSD).unwrap();
    let limit = good.len();
    assert!(schema.validate_sized(good.as_bytes(), limit).is_ok());
    let refused = schema.validate_sized(good.as_bytes(), limit - 1).unwrap_err();
    assert_eq!(refused.first().unwrap().rule, Rule::TooLarge { size_bytes: limit, limit_bytes: limit - 1 });
}

#[test]
fn several_faults_are_collected_and_bounded() {
    let two = faults(wrap(&format!("<Id></Id>{}", tx("x", "<Iban>DE</Iban>"))).as_bytes());
    let paths: Vec<&str> = two.faults.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["/Document/Id", "/Document/Tx/Amt", "/Document/Tx/Iban"]);
    let many = faults(wrap(&format!("<Id>1</Id>{}", tx("x", "<Iban/>").repeat(30))).as_bytes());
    assert_eq!(many.faults.len(), iso20022::FAULTS_MAX);
    assert!(many.truncated);
    let long = faults(wrap(&format!("<Id>{}</Id>", "9".repeat(500))).as_bytes());
    assert!(long.faults.iter().all(|f| f.value.chars().count() <= 41), "{long}");
}

#[test]
fn what_was_accepted_is_given_back_unchanged() {
    let schema = Schema::parse(XSD).unwrap();
    let inner = "<Id>a&lt;&amp;'\"</Id>".to_owned()
        + &tx(" 1.50\n", "<Other> x </Other><Kind>CRDT</Kind>")
        + "<Extra><p:Own xmlns:p=\"urn:p\" k=\"v\"><p:In>1</p:In><q xmlns=\"\">2</q></p:Own></Extra>";
    let document = schema.validate(wrap(&inner).as_bytes()).unwrap();
    assert_eq!(document.root.text_at("Tx/Amt"), Some("1.50"));
    assert_eq!(document.root.text_at("Tx/Other"), Some(" x "));
    assert_eq!(document.root.text_at("Extra/Own/In"), Some("1"));
    let bytes = schema.emit(&document).unwrap();
    assert_eq!(schema.validate(&bytes).unwrap(), document);
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("<Extra><Own xmlns=\"urn:p\" k=\"v\"><In>1</In><q xmlns=\"\">2</q></Own></Extra>"),
        "{text}"
    );
}

#[test]
fn a_wrong_document_does_not_leave() {
    let schema = Schema::parse(XSD).unwrap();
    let mut document = schema.validate(message("1").as_bytes()).unwrap();
    document.root.children[1].children[0].text = "1.000001".to_owned();
    let refused = schema.emit(&document).unwrap_err();
    assert_eq!(refused.first().unwrap().path, "/Document/Tx/Amt");
    document.root.children[1].children[0].text = " 1".to_owned();
    assert_eq!(schema.emit(&document).unwrap_err().first().unwrap().rule, Rule::NotFaithful);
    document.root.children[1].children[0] = Element::leaf("Amt><Evil", "1");
    assert!(schema.emit(&document).is_err());
}

#[test]
fn parts_of_an_envelope_are_found_and_none_is_passed_over() {
    let mut set = SchemaSet::new();
    set.add(XSD).unwrap();
    let good = message("1");
    let parts =
        set.validate_parts(format!("<Envelope><Body>{good}</Body>{good}</Envelope>").as_bytes()).unwrap();
    assert_eq!(parts.len(), 2);
    let first = |xml: String| set.validate_parts(xml.as_bytes()).unwrap_err().first().unwrap().rule.clone();
    assert_eq!(first("<Envelope/>".to_owned()), Rule::NoPart);
    let foreign = "<Document xmlns=\"urn:x\"/>";
    assert_eq!(first(format!("<E>{good}{foreign}</E>")), Rule::UnknownNamespace("urn:x".to_owned()));
    assert!(matches!(set.add(XSD), Err(SchemaError::Duplicate(_))));
}

#[test]
fn schemas_outside_the_subset_are_refused_with_their_line() {
    let broken = |from: &str, to: &str| Schema::parse(&XSD.replacen(from, to, 1)).unwrap_err().to_string();
    assert_eq!(broken("type=\"Id\"", "type=\"Nope\""), "line 5: type Nope not declared");
    let all = Schema::parse(&XSD.replace("xs:choice", "xs:all")).unwrap_err().to_string();
    assert_eq!(all, "line 12: xs:all is not supported");
    assert_eq!(broken("minOccurs=\"1\"", "nillable=\"true\""), "line 6: attribute nillable is not supported");
    assert_eq!(
        broken("xs:minInclusive", "xs:whiteSpace"),
        "line 27: xs:whiteSpace on decimal is not supported"
    );
    assert_eq!(broken("xs:date", "xs:duration"), "line 11: built-in type xs:duration is not supported");
    assert!(broken("[A-Z]{3,3}", "[A-Z").contains("pattern"));
    assert!(broken("base=\"Id\"", "base=\"Iban\"").contains("derived from itself"));
    assert!(broken("elementFormDefault=\"qualified\"", "").contains("elementFormDefault"));
}
