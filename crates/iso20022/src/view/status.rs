//! Status reports: pacs.002 (between banks) and pain.002 (to a customer).

use super::common::{OriginalGroup, PaymentIds, Reason, ViewError, child, content, document, need, optional};
use crate::tree::{Document, Element};

/// The status of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionStatus {
    /// Identifier of the status.
    pub status_id: Option<String>,
    /// The message the payment was in, where it is named here.
    pub original: Option<OriginalGroup>,
    /// References of the payment.
    pub original_ids: PaymentIds,
    /// Status code, such as `ACSC` or `RJCT`.
    pub status: Option<String>,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl TransactionStatus {
    fn read(e: &Element) -> Result<Self, ViewError> {
        Ok(Self {
            status_id: optional(e, "StsId"),
            original: OriginalGroup::read_at(e, "OrgnlGrpInf")?,
            original_ids: PaymentIds::read(e, "Orgnl"),
            status: optional(e, "TxSts"),
            reasons: Reason::read_all(e, "StsRsnInf"),
        })
    }

    fn write(&self) -> Element {
        let e = Element::new("TxInfAndSts")
            .with_text("StsId", self.status_id.as_deref())
            .with_all(self.original.as_ref().map(|o| o.write("OrgnlGrpInf")));
        self.original_ids
            .write(e, "Orgnl")
            .with_text("TxSts", self.status.as_deref())
            .with_all(Reason::write_all(&self.reasons, "StsRsnInf"))
    }
}

/// A status report between banks (pacs.002).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentStatusReport {
    /// Identifier of the message.
    pub message_id: String,
    /// When it was made.
    pub created_at: String,
    /// The message it is about (the first, where there are several).
    pub original: Option<OriginalGroup>,
    /// Status of that message as a whole.
    pub group_status: Option<String>,
    /// Why.
    pub group_reasons: Vec<Reason>,
    /// Status of its payments.
    pub transactions: Vec<TransactionStatus>,
}

/// A status report to a customer (pain.002).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerStatusReport {
    /// Identifier of the message.
    pub message_id: String,
    /// When it was made.
    pub created_at: String,
    /// The message it is about.
    pub original: OriginalGroup,
    /// Status of that message as a whole.
    pub group_status: Option<String>,
    /// Why.
    pub group_reasons: Vec<Reason>,
    /// Status of its payments, by the identifier of their batch.
    pub batches: Vec<(String, Vec<TransactionStatus>)>,
}

fn header(message_id: &str, created_at: &str) -> Element {
    Element::new("GrpHdr").with(Element::leaf("MsgId", message_id)).with(Element::leaf("CreDtTm", created_at))
}

fn group(original: &OriginalGroup, status: Option<&str>, reasons: &[Reason]) -> Element {
    original
        .write("OrgnlGrpInfAndSts")
        .with_text("GrpSts", status)
        .with_all(Reason::write_all(reasons, "StsRsnInf"))
}

impl PaymentStatusReport {
    /// Reads a pacs.002.
    ///
    /// # Errors
    /// Another message.
    pub fn from_document(document: &Document) -> Result<Self, ViewError> {
        let e = content(document, "pacs.002", "FIToFIPmtStsRpt")?;
        let header = child(e, "GrpHdr")?;
        let group = e.find("OrgnlGrpInfAndSts");
        Ok(Self {
            message_id: need(header, "MsgId")?,
            created_at: need(header, "CreDtTm")?,
            original: group.map(OriginalGroup::read).transpose()?,
            group_status: group.and_then(|g| optional(g, "GrpSts")),
            group_reasons: group.map(|g| Reason::read_all(g, "StsRsnInf")).unwrap_or_default(),
            transactions: e.all("TxInfAndSts").map(TransactionStatus::read).collect::<Result<_, _>>()?,
        })
    }

    /// Makes a pacs.002 of one version, such as `pacs.002.001.10`.
    #[must_use]
    pub fn to_document(&self, version: &str) -> Document {
        let original = self.original.as_ref();
        let group = original.map(|o| group(o, self.group_status.as_deref(), &self.group_reasons));
        let body = Element::new("FIToFIPmtStsRpt")
            .with(header(&self.message_id, &self.created_at))
            .with_all(group)
            .with_all(self.transactions.iter().map(TransactionStatus::write));
        document(version, body)
    }
}

impl CustomerStatusReport {
    /// Reads a pain.002.
    ///
    /// # Errors
    /// Another message.
    pub fn from_document(document: &Document) -> Result<Self, ViewError> {
        let e = content(document, "pain.002", "CstmrPmtStsRpt")?;
        let header = child(e, "GrpHdr")?;
        let group = child(e, "OrgnlGrpInfAndSts")?;
        let batch = |b: &Element| {
            let transactions = b.all("TxInfAndSts").map(TransactionStatus::read);
            Ok((need(b, "OrgnlPmtInfId")?, transactions.collect::<Result<_, _>>()?))
        };
        Ok(Self {
            message_id: need(header, "MsgId")?,
            created_at: need(header, "CreDtTm")?,
            original: OriginalGroup::read(group)?,
            group_status: optional(group, "GrpSts"),
            group_reasons: Reason::read_all(group, "StsRsnInf"),
            batches: e.all("OrgnlPmtInfAndSts").map(batch).collect::<Result<_, ViewError>>()?,
        })
    }

    /// Makes a pain.002 of one version, such as `pain.002.001.10`.
    #[must_use]
    pub fn to_document(&self, version: &str) -> Document {
        let batch = |(id, transactions): &(String, Vec<TransactionStatus>)| {
            Element::new("OrgnlPmtInfAndSts")
                .with(Element::leaf("OrgnlPmtInfId", id))
                .with_all(transactions.iter().map(TransactionStatus::write))
        };
        let body = Element::new("CstmrPmtStsRpt")
            .with(header(&self.message_id, &self.created_at))
            .with(group(&self.original, self.group_status.as_deref(), &self.group_reasons))
            .with_all(self.batches.iter().map(batch));
        document(version, body)
    }
}
