//! Cancellations: camt.056 (request) and camt.029 (answer).

use super::common::{
    Agent, OriginalGroup, PaymentIds, Reason, ViewError, child, content, document, need, optional,
    optional_amount, write_amount,
};
use crate::amount::Amount;
use crate::tree::{Document, Element};

/// A request to cancel payments (camt.056).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancellationRequest {
    /// Identifier of the assignment.
    pub assignment_id: String,
    /// When it was made.
    pub created_at: String,
    /// Who asks.
    pub assigner: Agent,
    /// Who is asked.
    pub assignee: Agent,
    /// The payments.
    pub transactions: Vec<Cancellation>,
}

/// One payment to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// Identifier of the cancellation.
    pub cancellation_id: Option<String>,
    /// The message the payment was in.
    pub original: Option<OriginalGroup>,
    /// References of the payment.
    pub original_ids: PaymentIds,
    /// Its amount.
    pub original_amount: Option<Amount>,
    /// Its settlement date.
    pub original_settlement_date: Option<String>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// The answer to a request to cancel (camt.029).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancellationAnswer {
    /// Identifier of the assignment.
    pub assignment_id: String,
    /// When it was made.
    pub created_at: String,
    /// Who answers.
    pub assigner: Agent,
    /// Who had asked.
    pub assignee: Agent,
    /// Status of the case, such as `CNCL`, `RJCR` or `PDCR`.
    pub status: Option<String>,
    /// Status by payment.
    pub transactions: Vec<CancellationStatus>,
}

/// The answer for one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancellationStatus {
    /// Identifier of the status.
    pub status_id: Option<String>,
    /// The message the payment was in.
    pub original: Option<OriginalGroup>,
    /// References of the payment.
    pub original_ids: PaymentIds,
    /// Status, such as `ACCR` or `RJCR`.
    pub status: Option<String>,
    /// Why.
    pub reasons: Vec<Reason>,
}

fn agent(e: &Element, path: &str) -> Agent {
    e.find(path).map(Agent::read).unwrap_or_default()
}

fn assignment(id: &str, from: &Agent, to: &Agent, created_at: &str) -> Element {
    Element::new("Assgnmt")
        .with(Element::leaf("Id", id))
        .with(Element::new("Assgnr").with(from.write("Agt")))
        .with(Element::new("Assgne").with(to.write("Agt")))
        .with(Element::leaf("CreDtTm", created_at))
}

impl CancellationRequest {
    /// Reads a camt.056.
    ///
    /// # Errors
    /// Another message, or an amount the bank cannot hold.
    pub fn from_document(document: &Document) -> Result<Self, ViewError> {
        let e = content(document, "camt.056", "FIToFIPmtCxlReq")?;
        let header = child(e, "Assgnmt")?;
        let read = |t: &Element| {
            Ok(Cancellation {
                cancellation_id: optional(t, "CxlId"),
                original: OriginalGroup::read_at(t, "OrgnlGrpInf")?,
                original_ids: PaymentIds::read(t, "Orgnl"),
                original_amount: optional_amount(t, "OrgnlIntrBkSttlmAmt")?,
                original_settlement_date: optional(t, "OrgnlIntrBkSttlmDt"),
                reasons: Reason::read_all(t, "CxlRsnInf"),
            })
        };
        let transactions = e.all("Undrlyg").flat_map(|u| u.all("TxInf")).map(read);
        Ok(Self {
            assignment_id: need(header, "Id")?,
            created_at: need(header, "CreDtTm")?,
            assigner: agent(header, "Assgnr/Agt"),
            assignee: agent(header, "Assgne/Agt"),
            transactions: transactions.collect::<Result<_, ViewError>>()?,
        })
    }

    /// Makes a camt.056 of one version, such as `camt.056.001.09`.
    #[must_use]
    pub fn to_document(&self, version: &str) -> Document {
        let write = |t: &Cancellation| {
            let e = Element::new("TxInf")
                .with_text("CxlId", t.cancellation_id.as_deref())
                .with_all(t.original.as_ref().map(|o| o.write("OrgnlGrpInf")));
            t.original_ids
                .write(e, "Orgnl")
                .with_all(t.original_amount.as_ref().map(|a| write_amount("OrgnlIntrBkSttlmAmt", a)))
                .with_text("OrgnlIntrBkSttlmDt", t.original_settlement_date.as_deref())
                .with_all(Reason::write_all(&t.reasons, "CxlRsnInf"))
        };
        let count = Element::leaf("NbOfTxs", self.transactions.len().to_string());
        let body = Element::new("FIToFIPmtCxlReq")
            .with(assignment(&self.assignment_id, &self.assigner, &self.assignee, &self.created_at))
            .with(Element::new("CtrlData").with(count))
            .with(Element::new("Undrlyg").with_all(self.transactions.iter().map(write)));
        document(version, body)
    }
}

impl CancellationAnswer {
    /// Reads a camt.029.
    ///
    /// # Errors
    /// Another message.
    pub fn from_document(document: &Document) -> Result<Self, ViewError> {
        let e = content(document, "camt.029", "RsltnOfInvstgtn")?;
        let header = child(e, "Assgnmt")?;
        let read = |t: &Element| {
            Ok(CancellationStatus {
                status_id: optional(t, "CxlStsId"),
                original: OriginalGroup::read_at(t, "OrgnlGrpInf")?,
                original_ids: PaymentIds::read(t, "Orgnl"),
                status: optional(t, "TxCxlSts"),
                reasons: Reason::read_all(t, "CxlStsRsnInf"),
            })
        };
        let transactions = e.all("CxlDtls").flat_map(|c| c.all("TxInfAndSts")).map(read);
        Ok(Self {
            assignment_id: need(header, "Id")?,
            created_at: need(header, "CreDtTm")?,
            assigner: agent(header, "Assgnr/Agt"),
            assignee: agent(header, "Assgne/Agt"),
            status: optional(e, "Sts/Conf"),
            transactions: transactions.collect::<Result<_, ViewError>>()?,
        })
    }

    /// Makes a camt.029 of one version, such as `camt.029.001.10`.
    #[must_use]
    pub fn to_document(&self, version: &str) -> Document {
        let write = |t: &CancellationStatus| {
            let e = Element::new("TxInfAndSts")
                .with_text("CxlStsId", t.status_id.as_deref())
                .with_all(t.original.as_ref().map(|o| o.write("OrgnlGrpInf")));
            t.original_ids
                .write(e, "Orgnl")
                .with_text("TxCxlSts", t.status.as_deref())
                .with_all(Reason::write_all(&t.reasons, "CxlStsRsnInf"))
        };
        let details = Element::new("CxlDtls").with_all(self.transactions.iter().map(write));
        let body = Element::new("RsltnOfInvstgtn")
            .with(assignment(&self.assignment_id, &self.assigner, &self.assignee, &self.created_at))
            .with(Element::new("Sts").with_text("Conf", self.status.as_deref()))
            .with_all((!self.transactions.is_empty()).then_some(details));
        document(version, body)
    }
}
