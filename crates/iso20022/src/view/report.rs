//! Account reports: camt.052 (intraday), camt.053 (statement), camt.054 (notification).

use super::common::{
    Account, Agent, Party, PaymentIds, ViewError, amount, child, content, document, need, optional,
    optional_amount, texts, write_amount, write_remittance,
};
use crate::amount::Amount;
use crate::tree::{Document, Element};

/// Which of the three reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// Intraday report (camt.052).
    Intraday,
    /// Statement (camt.053).
    Statement,
    /// Debit and credit notification (camt.054); it has no balances.
    Notification,
}

impl ReportKind {
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Intraday => ("camt.052", "BkToCstmrAcctRpt", "Rpt"),
            Self::Statement => ("camt.053", "BkToCstmrStmt", "Stmt"),
            Self::Notification => ("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn"),
        }
    }
}

/// A report with one or more accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReport {
    /// Which report.
    pub kind: ReportKind,
    /// Identifier of the message.
    pub message_id: String,
    /// When it was made.
    pub created_at: String,
    /// One per account.
    pub statements: Vec<Statement>,
}

/// What is said of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Identifier.
    pub id: String,
    /// The account.
    pub account: Account,
    /// Balances.
    pub balances: Vec<Balance>,
    /// Entries.
    pub entries: Vec<Entry>,
}

/// A balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// Its kind, such as `OPBD` or `CLBD`.
    pub kind: String,
    /// Amount without sign.
    pub amount: Amount,
    /// Whether it is a credit balance.
    pub credit: bool,
    /// Date or time it holds for.
    pub date: String,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Reference of the entry.
    pub reference: Option<String>,
    /// Amount without sign.
    pub amount: Amount,
    /// Whether it credits the account.
    pub credit: bool,
    /// Whether it reverses an earlier entry.
    pub reversal: bool,
    /// Status, such as `BOOK` or `PDNG`.
    pub status: String,
    /// Booking date or time.
    pub booking_date: Option<String>,
    /// Value date or time.
    pub value_date: Option<String>,
    /// Reference of the bank that keeps the account.
    pub servicer_reference: Option<String>,
    /// Transaction code of the rail's own list.
    pub transaction_code: Option<String>,
    /// The payments behind the entry.
    pub details: Vec<EntryDetail>,
}

/// A payment behind an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDetail {
    /// References.
    pub ids: PaymentIds,
    /// Its amount.
    pub amount: Option<Amount>,
    /// Who paid.
    pub debtor: Party,
    /// Who was paid.
    pub creditor: Party,
    /// What it is for.
    pub remittance: Vec<String>,
}

fn day(e: &Element, path: &str) -> Option<String> {
    optional(e, &format!("{path}/Dt")).or_else(|| optional(e, &format!("{path}/DtTm")))
}

fn write_day(name: &str, date: Option<&str>) -> Option<Element> {
    let kind = |date: &str| if date.contains('T') { "DtTm" } else { "Dt" };
    date.map(|date| Element::new(name).with(Element::leaf(kind(date), date)))
}

fn side(credit: bool) -> Element {
    Element::leaf("CdtDbtInd", if credit { "CRDT" } else { "DBIT" })
}

fn is_credit(e: &Element) -> Result<bool, ViewError> {
    need(e, "CdtDbtInd").map(|text| text == "CRDT")
}

impl AccountReport {
    /// Reads a report of one kind.
    ///
    /// # Errors
    /// Another message, or an amount the bank cannot hold.
    pub fn from_document(kind: ReportKind, document: &Document) -> Result<Self, ViewError> {
        let (name, root, part) = kind.names();
        let e = content(document, name, root)?;
        Ok(Self {
            kind,
            message_id: need(e, "GrpHdr/MsgId")?,
            created_at: need(e, "GrpHdr/CreDtTm")?,
            statements: e.all(part).map(Statement::read).collect::<Result<_, _>>()?,
        })
    }

    /// Makes a report of one version, such as `camt.053.001.08`.
    #[must_use]
    pub fn to_document(&self, version: &str) -> Document {
        let (_, root, part) = self.kind.names();
        let header = Element::new("GrpHdr")
            .with(Element::leaf("MsgId", &self.message_id))
            .with(Element::leaf("CreDtTm", &self.created_at));
        let write = |s: &Statement| {
            Element::new(part)
                .with(Element::leaf("Id", &s.id))
                .with(s.account.write("Acct"))
                .with_all(s.balances.iter().map(Balance::write))
                .with_all(s.entries.iter().map(Entry::write))
        };
        document(version, Element::new(root).with(header).with_all(self.statements.iter().map(write)))
    }
}

impl Statement {
    fn read(e: &Element) -> Result<Self, ViewError> {
        let account = Account::read(child(e, "Acct")?);
        Ok(Self {
            id: need(e, "Id")?,
            account: account.ok_or_else(|| ViewError::Missing(format!("{}/Acct/Id", e.name)))?,
            balances: e.all("Bal").map(Balance::read).collect::<Result<_, _>>()?,
            entries: e.all("Ntry").map(Entry::read).collect::<Result<_, _>>()?,
        })
    }
}

impl Balance {
    fn read(e: &Element) -> Result<Self, ViewError> {
        let kind = optional(e, "Tp/CdOrPrtry/Cd").or_else(|| optional(e, "Tp/CdOrPrtry/Prtry"));
        Ok(Self {
            kind: kind.ok_or_else(|| ViewError::Missing("Bal/Tp/CdOrPrtry".to_owned()))?,
            amount: amount(e, "Amt")?,
            credit: is_credit(e)?,
            date: day(e, "Dt").ok_or_else(|| ViewError::Missing("Bal/Dt".to_owned()))?,
        })
    }

    fn write(&self) -> Element {
        let kind = Element::new("CdOrPrtry").with(Element::leaf("Cd", &self.kind));
        Element::new("Bal")
            .with(Element::new("Tp").with(kind))
            .with(write_amount("Amt", &self.amount))
            .with(side(self.credit))
            .with_all(write_day("Dt", Some(&self.date)))
    }
}

impl Entry {
    fn read(e: &Element) -> Result<Self, ViewError> {
        let details = e.all("NtryDtls").flat_map(|d| d.all("TxDtls")).map(EntryDetail::read);
        // The status is a plain code in older versions and a choice in newer ones.
        let status = optional(e, "Sts/Cd").or_else(|| optional(e, "Sts/Prtry"));
        Ok(Self {
            reference: optional(e, "NtryRef"),
            amount: amount(e, "Amt")?,
            credit: is_credit(e)?,
            reversal: optional(e, "RvslInd").is_some_and(|text| matches!(text.as_str(), "true" | "1")),
            status: status.map_or_else(|| need(e, "Sts"), Ok)?,
            booking_date: day(e, "BookgDt"),
            value_date: day(e, "ValDt"),
            servicer_reference: optional(e, "AcctSvcrRef"),
            transaction_code: optional(e, "BkTxCd/Prtry/Cd"),
            details: details.collect::<Result<_, _>>()?,
        })
    }

    fn write(&self) -> Element {
        let code = self.transaction_code.as_deref();
        let own = code.map(|code| Element::new("Prtry").with(Element::leaf("Cd", code)));
        let details = Element::new("NtryDtls").with_all(self.details.iter().map(EntryDetail::write));
        Element::new("Ntry")
            .with_text("NtryRef", self.reference.as_deref())
            .with(write_amount("Amt", &self.amount))
            .with(side(self.credit))
            .with_text("RvslInd", self.reversal.then_some("true"))
            .with(Element::new("Sts").with(Element::leaf("Cd", &self.status)))
            .with_all(write_day("BookgDt", self.booking_date.as_deref()))
            .with_all(write_day("ValDt", self.value_date.as_deref()))
            .with_text("AcctSvcrRef", self.servicer_reference.as_deref())
            .with(Element::new("BkTxCd").with_all(own))
            .with_all((!self.details.is_empty()).then_some(details))
    }
}

impl EntryDetail {
    fn read(e: &Element) -> Result<Self, ViewError> {
        let party = |role: &str| {
            let mut party = e.find("RltdPties").map(|p| Party::read(p, role)).unwrap_or_default();
            party.agent = e.find(&format!("RltdAgts/{role}Agt")).map(Agent::read);
            party
        };
        let amount = optional_amount(e, "Amt")?;
        Ok(Self {
            ids: e.find("Refs").map(|r| PaymentIds::read(r, "")).unwrap_or_default(),
            amount: amount.map_or_else(|| optional_amount(e, "AmtDtls/TxAmt/Amt"), |a| Ok(Some(a)))?,
            debtor: party("Dbtr"),
            creditor: party("Cdtr"),
            remittance: texts(e, "RmtInf", "Ustrd"),
        })
    }

    fn write(&self) -> Element {
        let name = |party: &Party, role: &str| {
            let inner = |name: &String| Element::new("Pty").with(Element::leaf("Nm", name));
            party.name.as_ref().map(|n| Element::new(role).with(inner(n)))
        };
        let parties = Element::new("RltdPties")
            .with_all(name(&self.debtor, "Dbtr"))
            .with_all(self.debtor.write_account("Dbtr"))
            .with_all(name(&self.creditor, "Cdtr"))
            .with_all(self.creditor.write_account("Cdtr"));
        let agents = Element::new("RltdAgts")
            .with_all(self.debtor.write_agent("Dbtr"))
            .with_all(self.creditor.write_agent("Cdtr"));
        // The references of an entry stand in another order than those of a payment.
        let refs = Element::new("Refs")
            .with_text("InstrId", self.ids.instruction_id.as_deref())
            .with_text("EndToEndId", self.ids.end_to_end_id.as_deref())
            .with_text("UETR", self.ids.uetr.as_deref())
            .with_text("TxId", self.ids.transaction_id.as_deref());
        let filled = |e: Element| (!e.children.is_empty()).then_some(e);
        Element::new("TxDtls")
            .with_all(filled(refs))
            .with_all(self.amount.as_ref().map(|a| write_amount("Amt", a)))
            .with_all(filled(parties))
            .with_all(filled(agents))
            .with_all(write_remittance(&self.remittance))
    }
}
