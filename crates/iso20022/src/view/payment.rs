//! Payments: pacs.008 (between banks), pain.001 (from a customer), pacs.004 (returns).

use super::common::{
    OriginalGroup, Party, PaymentIds, Reason, ViewError, amount, check_count, child, content, document, need,
    optional, optional_amount, texts, write_amount, write_remittance,
};
use crate::amount::Amount;
use crate::tree::{Document, Element};

/// A customer credit transfer between banks (pacs.008).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditTransfers {
    /// Identifier of the message.
    pub message_id: String,
    /// When it was made.
    pub created_at: String,
    /// Settlement method, such as `CLRG`.
    pub settlement_method: String,
    /// The transfers; their number is checked against the one announced.
    pub transactions: Vec<CreditTransfer>,
}

/// One credit transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditTransfer {
    /// References.
    pub ids: PaymentIds,
    /// Amount settled between the banks.
    pub amount: Amount,
    /// Settlement date, of the transaction or of the whole message.
    pub settlement_date: Option<String>,
    /// Who bears charges, such as `SLEV`.
    pub charge_bearer: Option<String>,
    /// Who pays.
    pub debtor: Party,
    /// Who is paid.
    pub creditor: Party,
    /// What it is for.
    pub remittance: Vec<String>,
}

fn count(found: usize) -> Element {
    Element::leaf("NbOfTxs", found.to_string())
}

fn settlement(method: &str) -> Element {
    Element::new("SttlmInf").with(Element::leaf("SttlmMtd", method))
}

impl CreditTransfers {
    /// Reads a pacs.008.
    ///
    /// # Errors
    /// Another message, an amount the bank cannot hold, or a wrong number of transactions.
    pub fn from_document(document: &Document) -> Result<Self, ViewError> {
        let e = content(document, "pacs.008", "FIToFICstmrCdtTrf")?;
        let header = child(e, "GrpHdr")?;
        let group_date = optional(header, "IntrBkSttlmDt");
        let read = |t: &Element| {
            Ok(CreditTransfer {
                ids: PaymentIds::read(child(t, "PmtId")?, ""),
                amount: amount(t, "IntrBkSttlmAmt")?,
                settlement_date: optional(t, "IntrBkSttlmDt").or_else(|| group_date.clone()),
                charge_bearer: optional(t, "ChrgBr"),
                debtor: Party::read(t, "Dbtr"),
                creditor: Party::read(t, "Cdtr"),
                remittance: texts(t, "RmtInf", "Ustrd"),
            })
        };
        let transactions: Vec<_> = e.all("CdtTrfTxInf").map(read).collect::<Result<_, ViewError>>()?;
        check_count(header, "NbOfTxs", transactions.len())?;
        Ok(Self {
            message_id: need(header, "MsgId")?,
            created_at: need(header, "CreDtTm")?,
            settlement_method: need(header, "SttlmInf/SttlmMtd")?,
            transactions,
        })
    }

    /// Makes a pacs.008 of one version, such as `pacs.008.001.08`.
    #[must_use]
    pub fn to_document(&self, version: &str) -> Document {
        let header = Element::new("GrpHdr")
            .with(Element::leaf("MsgId", &self.message_id))
            .with(Element::leaf("CreDtTm", &self.created_at))
            .with(count(self.transactions.len()))
            .with(settlement(&self.settlement_method));
        let write = |t: &CreditTransfer| {
            Element::new("CdtTrfTxInf")
                .with(t.ids.write(Element::new("PmtId"), ""))
                .with(write_amount("IntrBkSttlmAmt", &t.amount))
                .with_text("IntrBkSttlmDt", t.settlement_date.as_deref())
                .with_text("ChrgBr", t.charge_bearer.as_deref())
                .with(t.debtor.write_name("Dbtr"))
                .with_all(t.debtor.write_account("Dbtr"))
                .with_all(t.debtor.write_agent("Dbtr"))
                .with_all(t.creditor.write_agent("Cdtr"))
                .with(t.creditor.write_name("Cdtr"))
                .with_all(t.creditor.write_account("Cdtr"))
                .with_all(write_remittance(&t.remittance))
        };
        let body = Element::new("FIToFICstmrCdtTrf").with(header);
        document(version, body.with_all(self.transactions.iter().map(write)))
    }
}

/// A payment return between banks (pacs.004).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentReturns {
    /// Identifier of the message.
    pub message_id: String,
    /// When it was made.
    pub created_at: String,
    /// Settlement method.
    pub settlement_method: String,
    /// The message all transactions are of, where it is named once.
    pub original: Option<OriginalGroup>,
    /// The returns.
    pub transactions: Vec<PaymentReturn>,
}

/// One returned payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentReturn {
    /// Identifier of the return.
    pub return_id: Option<String>,
    /// The message the payment was in.
    pub original: Option<OriginalGroup>,
    /// References of the payment.
    pub original_ids: PaymentIds,
    /// Its amount.
    pub original_amount: Option<Amount>,
    /// Amount returned.
    pub amount: Amount,
    /// Settlement date.
    pub settlement_date: Option<String>,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl PaymentReturns {
    /// Reads a pacs.004.
    ///
    /// # Errors
    /// Another message, an amount the bank cannot hold, or a wrong number of transactions.
    pub fn from_document(document: &Document) -> Result<Self, ViewError> {
        let e = content(document, "pacs.004", "PmtRtr")?;
        let header = child(e, "GrpHdr")?;
        let group_date = optional(header, "IntrBkSttlmDt");
        let read = |t: &Element| {
            Ok(PaymentReturn {
                return_id: optional(t, "RtrId"),
                original: OriginalGroup::read_at(t, "OrgnlGrpInf")?,
                original_ids: PaymentIds::read(t, "Orgnl"),
                original_amount: optional_amount(t, "OrgnlIntrBkSttlmAmt")?,
                amount: amount(t, "RtrdIntrBkSttlmAmt")?,
                settlement_date: optional(t, "IntrBkSttlmDt").or_else(|| group_date.clone()),
                reasons: Reason::read_all(t, "RtrRsnInf"),
            })
        };
        let transactions: Vec<_> = e.all("TxInf").map(read).collect::<Result<_, ViewError>>()?;
        check_count(header, "NbOfTxs", transactions.len())?;
        Ok(Self {
            message_id: need(header, "MsgId")?,
            created_at: need(header, "CreDtTm")?,
            settlement_method: need(header, "SttlmInf/SttlmMtd")?,
            original: OriginalGroup::read_at(e, "OrgnlGrpInf")?,
            transactions,
        })
    }

    /// Makes a pacs.004 of one version, such as `pacs.004.001.09`.
    #[must_use]
    pub fn to_document(&self, version: &str) -> Document {
        let header = Element::new("GrpHdr")
            .with(Element::leaf("MsgId", &self.message_id))
            .with(Element::leaf("CreDtTm", &self.created_at))
            .with(count(self.transactions.len()))
            .with(settlement(&self.settlement_method));
        let write = |t: &PaymentReturn| {
            let e = Element::new("TxInf")
                .with_text("RtrId", t.return_id.as_deref())
                .with_all(t.original.as_ref().map(|o| o.write("OrgnlGrpInf")));
            t.original_ids
                .write(e, "Orgnl")
                .with_all(t.original_amount.as_ref().map(|a| write_amount("OrgnlIntrBkSttlmAmt", a)))
                .with(write_amount("RtrdIntrBkSttlmAmt", &t.amount))
                .with_text("IntrBkSttlmDt", t.settlement_date.as_deref())
                .with_all(Reason::write_all(&t.reasons, "RtrRsnInf"))
        };
        let original = self.original.as_ref().map(|o| o.write("OrgnlGrpInf"));
        let body = Element::new("PmtRtr").with(header).with_all(original);
        document(version, body.with_all(self.transactions.iter().map(write)))
    }
}

/// A customer's payment initiation (pain.001).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentInitiation {
    /// Identifier of the message.
    pub message_id: String,
    /// When it was made.
    pub created_at: String,
    /// Name of who sends it.
    pub initiating_party: Option<String>,
    /// Payments by debtor account and day.
    pub batches: Vec<PaymentBatch>,
}

/// Payments from one account on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentBatch {
    /// Identifier.
    pub id: String,
    /// Payment method, such as `TRF`.
    pub method: String,
    /// Requested execution date.
    pub execution_date: String,
    /// Who pays.
    pub debtor: Party,
    /// The payments.
    pub transfers: Vec<InitiatedTransfer>,
}

/// One payment of an initiation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitiatedTransfer {
    /// References.
    pub ids: PaymentIds,
    /// Instructed amount.
    pub amount: Amount,
    /// Who is paid.
    pub creditor: Party,
    /// What it is for.
    pub remittance: Vec<String>,
}

impl PaymentInitiation {
    /// Reads a pain.001.
    ///
    /// # Errors
    /// Another message, an amount the bank cannot hold (or an equivalent one), or a wrong number of transactions.
    pub fn from_document(document: &Document) -> Result<Self, ViewError> {
        let e = content(document, "pain.001", "CstmrCdtTrfInitn")?;
        let header = child(e, "GrpHdr")?;
        let transfer = |t: &Element| {
            Ok(InitiatedTransfer {
                ids: PaymentIds::read(child(t, "PmtId")?, ""),
                amount: amount(t, "Amt/InstdAmt")?,
                creditor: Party::read(t, "Cdtr"),
                remittance: texts(t, "RmtInf", "Ustrd"),
            })
        };
        let batch = |b: &Element| {
            let nested = optional(b, "ReqdExctnDt/Dt").or_else(|| optional(b, "ReqdExctnDt/DtTm"));
            let transfers: Vec<_> = b.all("CdtTrfTxInf").map(transfer).collect::<Result<_, ViewError>>()?;
            check_count(b, "NbOfTxs", transfers.len())?;
            Ok(PaymentBatch {
                id: need(b, "PmtInfId")?,
                method: need(b, "PmtMtd")?,
                execution_date: nested.map_or_else(|| need(b, "ReqdExctnDt"), Ok)?,
                debtor: Party::read(b, "Dbtr"),
                transfers,
            })
        };
        let batches: Vec<_> = e.all("PmtInf").map(batch).collect::<Result<_, ViewError>>()?;
        let found = batches.iter().map(|b: &PaymentBatch| b.transfers.len()).sum();
        check_count(header, "NbOfTxs", found)?;
        Ok(Self {
            message_id: need(header, "MsgId")?,
            created_at: need(header, "CreDtTm")?,
            initiating_party: optional(header, "InitgPty/Nm"),
            batches,
        })
    }

    /// Makes a pain.001 of one version, such as `pain.001.001.09`.
    #[must_use]
    pub fn to_document(&self, version: &str) -> Document {
        let found = self.batches.iter().map(|b| b.transfers.len()).sum();
        let header = Element::new("GrpHdr")
            .with(Element::leaf("MsgId", &self.message_id))
            .with(Element::leaf("CreDtTm", &self.created_at))
            .with(count(found))
            .with(Element::new("InitgPty").with_text("Nm", self.initiating_party.as_deref()));
        let transfer = |t: &InitiatedTransfer| {
            // A pain.001 has no transaction id: that one is made between banks.
            let ids = PaymentIds { transaction_id: None, ..t.ids.clone() };
            Element::new("CdtTrfTxInf")
                .with(ids.write(Element::new("PmtId"), ""))
                .with(Element::new("Amt").with(write_amount("InstdAmt", &t.amount)))
                .with_all(t.creditor.write_agent("Cdtr"))
                .with(t.creditor.write_name("Cdtr"))
                .with_all(t.creditor.write_account("Cdtr"))
                .with_all(write_remittance(&t.remittance))
        };
        let batch = |b: &PaymentBatch| {
            let kind = if b.execution_date.contains('T') { "DtTm" } else { "Dt" };
            Element::new("PmtInf")
                .with(Element::leaf("PmtInfId", &b.id))
                .with(Element::leaf("PmtMtd", &b.method))
                .with(count(b.transfers.len()))
                .with(Element::new("ReqdExctnDt").with(Element::leaf(kind, &b.execution_date)))
                .with(b.debtor.write_name("Dbtr"))
                .with_all(b.debtor.write_account("Dbtr"))
                .with_all(b.debtor.write_agent("Dbtr"))
                .with_all(b.transfers.iter().map(transfer))
        };
        let body = Element::new("CstmrCdtTrfInitn").with(header);
        document(version, body.with_all(self.batches.iter().map(batch)))
    }
}
