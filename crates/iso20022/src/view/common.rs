//! Parts that several messages share.

use crate::amount::{Amount, AmountError};
use crate::tree::{Document, Element};

const PREFIX: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// Why a document has no such view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The document is another message.
    #[error("{found} is not {expected}")]
    WrongMessage {
        /// The message expected, such as `pacs.008`.
        expected: &'static str,
        /// The namespace found.
        found: String,
    },
    /// A field the view needs is absent (the schema leaves it optional).
    #[error("{0} missing")]
    Missing(String),
    /// An amount the bank cannot hold exactly.
    #[error("{path}: {source}")]
    Amount {
        /// Place of the amount.
        path: String,
        /// What is wrong.
        source: AmountError,
    },
    /// The number of transactions differs from the one announced.
    #[error("{announced} transactions announced, {found} found")]
    Count {
        /// The number announced.
        announced: String,
        /// The number found.
        found: usize,
    },
}

/// The content below `Document` of one message definition, and its name.
pub(super) fn content<'a>(
    document: &'a Document,
    expected: &'static str,
    name: &str,
) -> Result<&'a Element, ViewError> {
    let wrong = || ViewError::WrongMessage { expected, found: document.namespace.clone() };
    let short = document.namespace.strip_prefix(PREFIX).ok_or_else(wrong)?;
    let ours = short.strip_prefix(expected).is_some_and(|rest| rest.starts_with('.'));
    document.root.find(name).filter(|_| ours).ok_or_else(wrong)
}

/// A document of one version, such as `pacs.008.001.08`.
pub(super) fn document(version: &str, content: Element) -> Document {
    Document::new(format!("{PREFIX}{version}"), Element::new("Document").with(content))
}

pub(super) fn need(element: &Element, path: &str) -> Result<String, ViewError> {
    optional(element, path).ok_or_else(|| ViewError::Missing(format!("{}/{path}", element.name)))
}

pub(super) fn child<'a>(element: &'a Element, path: &str) -> Result<&'a Element, ViewError> {
    element.find(path).ok_or_else(|| ViewError::Missing(format!("{}/{path}", element.name)))
}

pub(super) fn optional(element: &Element, path: &str) -> Option<String> {
    element.text_at(path).map(str::to_owned)
}

pub(super) fn amount(element: &Element, path: &str) -> Result<Amount, ViewError> {
    optional_amount(element, path)?.ok_or_else(|| ViewError::Missing(format!("{}/{path}", element.name)))
}

pub(super) fn optional_amount(element: &Element, path: &str) -> Result<Option<Amount>, ViewError> {
    let Some(found) = element.find(path) else { return Ok(None) };
    Amount::parse(&found.text, found.attribute("Ccy").unwrap_or(""))
        .map(Some)
        .map_err(|source| ViewError::Amount { path: format!("{}/{path}", element.name), source })
}

pub(super) fn write_amount(name: &str, amount: &Amount) -> Element {
    Element::leaf(name, amount.decimal()).with_attribute("Ccy", amount.currency.code())
}

pub(super) fn texts(element: &Element, path: &str, name: &str) -> Vec<String> {
    element.find(path).map(|e| e.all(name).map(|t| t.text.clone()).collect()).unwrap_or_default()
}

pub(super) fn check_count(header: &Element, path: &str, found: usize) -> Result<(), ViewError> {
    match optional(header, path) {
        // The field is a text of digits and may have leading zeros.
        Some(announced) if announced.parse() != Ok(found) => Err(ViewError::Count { announced, found }),
        _ => Ok(()),
    }
}

pub(super) fn write_remittance(remittance: &[String]) -> Option<Element> {
    let lines = remittance.iter().map(|line| Element::leaf("Ustrd", line));
    (!remittance.is_empty()).then(|| Element::new("RmtInf").with_all(lines))
}

/// A financial institution.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agent {
    /// Business identifier code.
    pub bic: Option<String>,
    /// Code of the clearing system the member id belongs to.
    pub clearing_system: Option<String>,
    /// Number within a clearing system.
    pub member_id: Option<String>,
    /// Name.
    pub name: Option<String>,
}

impl Agent {
    pub(super) fn read(element: &Element) -> Self {
        let of = |path: &str| optional(element, &format!("FinInstnId/{path}"));
        Self {
            bic: of("BICFI").or_else(|| of("BIC")),
            clearing_system: of("ClrSysMmbId/ClrSysId/Cd").or_else(|| of("ClrSysMmbId/ClrSysId/Prtry")),
            member_id: of("ClrSysMmbId/MmbId"),
            name: of("Nm"),
        }
    }

    pub(super) fn write(&self, name: &str) -> Element {
        let mut institution = Element::new("FinInstnId").with_text("BICFI", self.bic.as_deref());
        if let Some(member_id) = &self.member_id {
            let mut member = Element::new("ClrSysMmbId");
            if let Some(system) = &self.clearing_system {
                member = member.with(Element::new("ClrSysId").with(Element::leaf("Cd", system)));
            }
            institution = institution.with(member.with(Element::leaf("MmbId", member_id)));
        }
        Element::new(name).with(institution.with_text("Nm", self.name.as_deref()))
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// International bank account number.
    Iban(String),
    /// A number of another scheme.
    Other(String),
}

impl Account {
    pub(super) fn read(element: &Element) -> Option<Self> {
        let iban = optional(element, "Id/IBAN").map(Self::Iban);
        iban.or_else(|| optional(element, "Id/Othr/Id").map(Self::Other))
    }

    pub(super) fn write(&self, name: &str) -> Element {
        let id = match self {
            Self::Iban(iban) => Element::leaf("IBAN", iban),
            Self::Other(number) => Element::new("Othr").with(Element::leaf("Id", number)),
        };
        Element::new(name).with(Element::new("Id").with(id))
    }
}

/// A debtor or creditor with account and agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Name.
    pub name: Option<String>,
    /// Account.
    pub account: Option<Account>,
    /// The bank that holds the account.
    pub agent: Option<Agent>,
}

impl Party {
    /// Reads `Dbtr`, `DbtrAcct` and `DbtrAgt` (or the creditor's); newer statements wrap the party in `Pty`.
    pub(super) fn read(element: &Element, role: &str) -> Self {
        let name = optional(element, &format!("{role}/Nm"));
        Self {
            name: name.or_else(|| optional(element, &format!("{role}/Pty/Nm"))),
            account: element.find(&format!("{role}Acct")).and_then(Account::read),
            agent: element.find(&format!("{role}Agt")).map(Agent::read),
        }
    }

    pub(super) fn write_name(&self, role: &str) -> Element {
        Element::new(role).with_text("Nm", self.name.as_deref())
    }

    pub(super) fn write_account(&self, role: &str) -> Option<Element> {
        self.account.as_ref().map(|account| account.write(&format!("{role}Acct")))
    }

    pub(super) fn write_agent(&self, role: &str) -> Option<Element> {
        self.agent.as_ref().map(|agent| agent.write(&format!("{role}Agt")))
    }
}

/// The references of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaymentIds {
    /// Instruction id, between two banks.
    pub instruction_id: Option<String>,
    /// End-to-end id, from the payer to the payee.
    pub end_to_end_id: Option<String>,
    /// Transaction id, between the first and the last bank.
    pub transaction_id: Option<String>,
    /// Unique end-to-end transaction reference.
    pub uetr: Option<String>,
}

impl PaymentIds {
    /// Reads names with a prefix (`Orgnl` in messages about another one).
    pub(super) fn read(element: &Element, prefix: &str) -> Self {
        let of = |name: &str| optional(element, &format!("{prefix}{name}"));
        Self {
            instruction_id: of("InstrId"),
            end_to_end_id: of("EndToEndId"),
            transaction_id: of("TxId"),
            uetr: of("UETR"),
        }
    }

    pub(super) fn write(&self, element: Element, prefix: &str) -> Element {
        let text = |e: Element, name: &str, value: &Option<String>| {
            e.with_text(&format!("{prefix}{name}"), value.as_deref())
        };
        let e = text(element, "InstrId", &self.instruction_id);
        let e = text(e, "EndToEndId", &self.end_to_end_id);
        let e = text(e, "TxId", &self.transaction_id);
        text(e, "UETR", &self.uetr)
    }
}

/// The message that another one is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalGroup {
    /// Its identifier.
    pub message_id: String,
    /// Its name, such as `pacs.008.001.08`.
    pub message_name: String,
    /// When it was made.
    pub created_at: Option<String>,
}

impl OriginalGroup {
    pub(super) fn read(element: &Element) -> Result<Self, ViewError> {
        Ok(Self {
            message_id: need(element, "OrgnlMsgId")?,
            message_name: need(element, "OrgnlMsgNmId")?,
            created_at: optional(element, "OrgnlCreDtTm"),
        })
    }

    pub(super) fn read_at(element: &Element, path: &str) -> Result<Option<Self>, ViewError> {
        element.find(path).map(Self::read).transpose()
    }

    pub(super) fn write(&self, name: &str) -> Element {
        Element::new(name)
            .with(Element::leaf("OrgnlMsgId", &self.message_id))
            .with(Element::leaf("OrgnlMsgNmId", &self.message_name))
            .with_text("OrgnlCreDtTm", self.created_at.as_deref())
    }
}

/// A reason of a status, return or cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reason {
    /// Code of the external code list.
    pub code: Option<String>,
    /// Code of a rail's own list.
    pub proprietary: Option<String>,
    /// Text for people.
    pub information: Vec<String>,
}

impl Reason {
    pub(super) fn read_all(element: &Element, name: &str) -> Vec<Self> {
        let read = |e: &Element| Self {
            code: optional(e, "Rsn/Cd"),
            proprietary: optional(e, "Rsn/Prtry"),
            information: e.all("AddtlInf").map(|t| t.text.clone()).collect(),
        };
        element.all(name).map(read).collect()
    }

    pub(super) fn write_all(reasons: &[Self], name: &str) -> Vec<Element> {
        let write = |reason: &Self| {
            let mut out = Element::new(name);
            let code = reason.code.as_ref().map(|code| Element::leaf("Cd", code));
            let chosen = code.or_else(|| reason.proprietary.as_ref().map(|own| Element::leaf("Prtry", own)));
            if let Some(chosen) = chosen {
                out = out.with(Element::new("Rsn").with(chosen));
            }
            out.with_all(reason.information.iter().map(|line| Element::leaf("AddtlInf", line)))
        };
        reasons.iter().map(write).collect()
    }
}
