//! The business application header (head.001).

use super::common::{Agent, ViewError, need, optional};
use crate::tree::{Document, Element};

/// A business application header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppHeader {
    /// Who sends; empty where the sender is no financial institution.
    pub from: Agent,
    /// Who receives.
    pub to: Agent,
    /// Identifier of the message.
    pub message_id: String,
    /// Name of the message, such as `pacs.008.001.08`.
    pub message_name: String,
    /// Service the message belongs to.
    pub service: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// Whether the sender says it may be a duplicate.
    pub possible_duplicate: Option<bool>,
}

impl AppHeader {
    /// Reads the header.
    ///
    /// # Errors
    /// Another message.
    pub fn from_document(document: &Document) -> Result<Self, ViewError> {
        let e = &document.root;
        if e.name != "AppHdr" || !document.namespace.contains(":head.001.001.") {
            let found = document.namespace.clone();
            return Err(ViewError::WrongMessage { expected: "head.001", found });
        }
        Ok(Self {
            from: e.find("Fr/FIId").map(Agent::read).unwrap_or_default(),
            to: e.find("To/FIId").map(Agent::read).unwrap_or_default(),
            message_id: need(e, "BizMsgIdr")?,
            message_name: need(e, "MsgDefIdr")?,
            service: optional(e, "BizSvc"),
            created_at: need(e, "CreDt")?,
            possible_duplicate: optional(e, "PssblDplct").map(|text| matches!(text.as_str(), "true" | "1")),
        })
    }

    /// Makes a header of one version, such as `head.001.001.02`.
    #[must_use]
    pub fn to_document(&self, version: &str) -> Document {
        let duplicate = self.possible_duplicate.map(|d| d.to_string());
        let root = Element::new("AppHdr")
            .with(Element::new("Fr").with(self.from.write("FIId")))
            .with(Element::new("To").with(self.to.write("FIId")))
            .with(Element::leaf("BizMsgIdr", &self.message_id))
            .with(Element::leaf("MsgDefIdr", &self.message_name))
            .with_text("BizSvc", self.service.as_deref())
            .with(Element::leaf("CreDt", &self.created_at))
            .with_text("PssblDplct", duplicate.as_deref());
        Document::new(format!("urn:iso:std:iso:20022:tech:xsd:{version}"), root)
    }
}
