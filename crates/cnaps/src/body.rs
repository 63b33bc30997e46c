//! The typed bodies: one struct per form, read from and written to the generic tree.
//!
//! Reading happens after the schema check, so a missing or malformed value here is only what a schema cannot say
//! (an identifier whose day does not exist).

use iso20022::Element;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::codes::{CentreState, RejectCode, Side, Status, System};
use crate::ids::{BankNumber, MessageId, Money};
use crate::message::MessageError;
use crate::message_type::MessageType;
use crate::reader::{Reader, group_header, money, payment_header};

/// A reference to an earlier message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalRef {
    /// Its identifier.
    pub message_id: MessageId,
    /// Its type.
    pub message_type: MessageType,
}

impl OriginalRef {
    fn read(r: &Reader<'_>) -> Result<Self, MessageError> {
        let message_type = r.code("OrgnlMsgNmId", MessageType::from_code)?;
        Ok(Self { message_id: r.message_id("OrgnlMsgId")?, message_type })
    }

    fn write(&self, e: Element) -> Element {
        e.with(Element::leaf("OrgnlMsgId", self.message_id.to_string()))
            .with(Element::leaf("OrgnlMsgNmId", self.message_type.code()))
    }
}

/// A payment in a netting round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NettingEntry {
    /// The payment.
    pub original: OriginalRef,
    /// Side of the bank.
    pub side: Side,
    /// Amount.
    pub amount: Money,
}

impl NettingEntry {
    fn read(r: &Reader<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            original: OriginalRef::read(r)?,
            side: r.code("CdtDbtInd", Side::from_code)?,
            amount: r.money("Amt")?,
        })
    }

    fn write(&self, e: Element) -> Element {
        let e = self.original.write(e);
        let e = e.with(Element::leaf("CdtDbtInd", self.side.code()));
        e.with(money("Amt", &self.amount))
    }
}

/// A line of the totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalLine {
    /// State.
    pub status: Status,
    /// Side of the bank.
    pub side: Side,
    /// Round; 0 for none.
    pub round: u32,
    /// Number of payments.
    pub count: u64,
    /// Sum.
    pub amount: Money,
}

impl TotalLine {
    fn read(r: &Reader<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            status: r.code("Sts", Status::from_code)?,
            side: r.code("CdtDbtInd", Side::from_code)?,
            round: r.number("Rnd")?,
            count: r.number("Cnt")?,
            amount: r.money("Amt")?,
        })
    }

    fn write(&self, e: Element) -> Element {
        let e = e.with(Element::leaf("Sts", self.status.code()));
        let e = e.with(Element::leaf("CdtDbtInd", self.side.code()));
        let e = e.with(Element::leaf("Rnd", self.round.to_string()));
        let e = e.with(Element::leaf("Cnt", self.count.to_string()));
        e.with(money("Amt", &self.amount))
    }
}

/// A payment of the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailLine {
    /// The payment.
    pub original: OriginalRef,
    /// State.
    pub status: Status,
    /// Side of the bank.
    pub side: Side,
    /// Round; 0 for none.
    pub round: u32,
    /// Amount.
    pub amount: Money,
}

impl DetailLine {
    fn read(r: &Reader<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            original: OriginalRef::read(r)?,
            status: r.code("Sts", Status::from_code)?,
            side: r.code("CdtDbtInd", Side::from_code)?,
            round: r.number("Rnd")?,
            amount: r.money("Amt")?,
        })
    }

    fn write(&self, e: Element) -> Element {
        let e = self.original.write(e);
        let e = e.with(Element::leaf("Sts", self.status.code()));
        let e = e.with(Element::leaf("CdtDbtInd", self.side.code()));
        let e = e.with(Element::leaf("Rnd", self.round.to_string()));
        e.with(money("Amt", &self.amount))
    }
}

/// A net position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Net {
    /// Side of the bank.
    pub side: Side,
    /// Amount.
    pub amount: Money,
}

impl Net {
    fn read(r: &Reader<'_>) -> Result<Self, MessageError> {
        Ok(Self { side: r.code("CdtDbtInd", Side::from_code)?, amount: r.money("Amt")? })
    }

    fn write(&self, e: Element) -> Element {
        let e = e.with(Element::leaf("CdtDbtInd", self.side.code()));
        e.with(money("Amt", &self.amount))
    }
}

/// A credit transfer (ibps.101, hvps.111).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The payer's reference, passed on unchanged; up to 35 characters.
    pub end_to_end_id: String,
    /// Amount.
    pub amount: Money,
    /// Business day it settles on.
    pub settlement_date: Date,
    /// The payer's name.
    pub debtor_name: String,
    /// The payer's account.
    pub debtor_account: String,
    /// The payer's bank.
    pub debtor_bank: BankNumber,
    /// The payee's bank.
    pub creditor_bank: BankNumber,
    /// The payee's name.
    pub creditor_name: String,
    /// The payee's account.
    pub creditor_account: String,
    /// What the payment is for.
    pub remittance: Option<String>,
}

impl Credit {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = &root.child("CdtTrfTxInf")?;
        if r.message_id("PmtId/TxId")? != message_id {
            return Err(r.wrong("PmtId/TxId", "differs from the message id"));
        }
        Ok(Self {
            message_id,
            created_at,
            end_to_end_id: r.text("PmtId/EndToEndId")?,
            amount: r.money("IntrBkSttlmAmt")?,
            settlement_date: r.date("IntrBkSttlmDt")?,
            debtor_name: r.text("Dbtr/Nm")?,
            debtor_account: r.text("DbtrAcct/Id")?,
            debtor_bank: r.bank("DbtrAgt/MmbId")?,
            creditor_bank: r.bank("CdtrAgt/MmbId")?,
            creditor_name: r.text("Cdtr/Nm")?,
            creditor_account: r.text("CdtrAcct/Id")?,
            remittance: r.optional_text("RmtInf/Ustrd"),
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("CdtTrfTxInf");
        let payment_id = Element::new("PmtId")
            .with(Element::leaf("EndToEndId", &self.end_to_end_id))
            .with(Element::leaf("TxId", self.message_id.to_string()));
        let e = e.with(payment_id);
        let e = e.with(money("IntrBkSttlmAmt", &self.amount));
        let e = e.with(Element::leaf("IntrBkSttlmDt", self.settlement_date.to_string()));
        let e = e.with(Element::new("Dbtr").with(Element::leaf("Nm", &self.debtor_name)));
        let e = e.with(Element::new("DbtrAcct").with(Element::leaf("Id", &self.debtor_account)));
        let e = e.with(Element::new("DbtrAgt").with(Element::leaf("MmbId", self.debtor_bank.as_str())));
        let e = e.with(Element::new("CdtrAgt").with(Element::leaf("MmbId", self.creditor_bank.as_str())));
        let e = e.with(Element::new("Cdtr").with(Element::leaf("Nm", &self.creditor_name)));
        let e = e.with(Element::new("CdtrAcct").with(Element::leaf("Id", &self.creditor_account)));
        let e = match &self.remittance {
            Some(text) => e.with(Element::new("RmtInf").with(Element::leaf("Ustrd", text))),
            None => e,
        };
        Element::new("FIToFICstmrCdtTrf").with(payment_header(&self.message_id, self.created_at)).with(e)
    }
}

/// The answer to a payment (102).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The payment answered.
    pub original: OriginalRef,
    /// Its state.
    pub status: Status,
    /// Why it was refused, where it was.
    pub reject: Option<RejectCode>,
    /// Text for people; of a confirmed payment how it is settled: `round=2026-11-24/3`, or `settled=2026-11-24` where gross.
    pub information: Option<String>,
}

impl Answer {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = &root.child("TxInfAndSts")?;
        Ok(Self {
            message_id,
            created_at,
            original: OriginalRef::read(r)?,
            status: r.code("TxSts", Status::from_code)?,
            reject: r.optional("RjctCd", |r, p| r.code(p, RejectCode::from_code))?,
            information: r.optional_text("AddtlInf"),
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("TxInfAndSts");
        let e = self.original.write(e);
        let e = e.with(Element::leaf("TxSts", self.status.code()));
        let e = e.with_text("RjctCd", self.reject.map(RejectCode::code));
        let e = e.with_text("AddtlInf", self.information.as_deref());
        Element::new("FIToFIPmtStsRpt").with(group_header(&self.message_id, self.created_at)).with(e)
    }
}

/// The return of a settled payment (112): our own number for a form after pacs.004.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The payment returned.
    pub original: OriginalRef,
    /// Amount returned.
    pub amount: Money,
    /// Business day it settles on.
    pub settlement_date: Date,
    /// Bank that returns.
    pub from_bank: BankNumber,
    /// Bank that gets the money back.
    pub to_bank: BankNumber,
    /// Why.
    pub reason: RejectCode,
    /// Text for people; from the centre how it is settled, as in [`Answer`].
    pub information: Option<String>,
}

impl Return {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = &root.child("TxInf")?;
        Ok(Self {
            message_id,
            created_at,
            original: OriginalRef::read(r)?,
            amount: r.money("RtrdIntrBkSttlmAmt")?,
            settlement_date: r.date("IntrBkSttlmDt")?,
            from_bank: r.bank("InstgAgt")?,
            to_bank: r.bank("InstdAgt")?,
            reason: r.code("RtrRsn", RejectCode::from_code)?,
            information: r.optional_text("AddtlInf"),
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("TxInf");
        let e = self.original.write(e);
        let e = e.with(money("RtrdIntrBkSttlmAmt", &self.amount));
        let e = e.with(Element::leaf("IntrBkSttlmDt", self.settlement_date.to_string()));
        let e = e.with(Element::leaf("InstgAgt", self.from_bank.to_string()));
        let e = e.with(Element::leaf("InstdAgt", self.to_bank.to_string()));
        let e = e.with(Element::leaf("RtrRsn", self.reason.code()));
        let e = e.with_text("AddtlInf", self.information.as_deref());
        Element::new("PmtRtr").with(payment_header(&self.message_id, self.created_at)).with(e)
    }
}

/// A request to cancel a payment before netting (307).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelRequest {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The payment to cancel.
    pub original: OriginalRef,
    /// Its amount.
    pub amount: Money,
    /// Text for people.
    pub reason: Option<String>,
}

impl CancelRequest {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = &root.child("TxInf")?;
        Ok(Self {
            message_id,
            created_at,
            original: OriginalRef::read(r)?,
            amount: r.money("OrgnlIntrBkSttlmAmt")?,
            reason: r.optional_text("CxlRsn"),
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("TxInf");
        let e = self.original.write(e);
        let e = e.with(money("OrgnlIntrBkSttlmAmt", &self.amount));
        let e = e.with_text("CxlRsn", self.reason.as_deref());
        Element::new("FIToFIPmtCxlReq").with(group_header(&self.message_id, self.created_at)).with(e)
    }
}

/// The answer to a request to cancel (308).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelAnswer {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The request answered.
    pub request_id: MessageId,
    /// The payment it was about.
    pub original_id: MessageId,
    /// Cancelled, or rejected.
    pub status: Status,
    /// Why not, where it was not.
    pub reject: Option<RejectCode>,
    /// Text for people.
    pub information: Option<String>,
}

impl CancelAnswer {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            request_id: r.message_id("CxlReqMsgId")?,
            original_id: r.message_id("OrgnlMsgId")?,
            status: r.code("Sts", Status::from_code)?,
            reject: r.optional("RjctCd", |r, p| r.code(p, RejectCode::from_code))?,
            information: r.optional_text("AddtlInf"),
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("RsltnOfInvstgtn").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("CxlReqMsgId", self.request_id.to_string()));
        let e = e.with(Element::leaf("OrgnlMsgId", self.original_id.to_string()));
        let e = e.with(Element::leaf("Sts", self.status.code()));
        let e = e.with_text("RjctCd", self.reject.map(RejectCode::code));
        e.with_text("AddtlInf", self.information.as_deref())
    }
}

/// A negative acknowledgement: received and refused (900).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegativeAck {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Sender of the refused frame.
    pub original_sender: BankNumber,
    /// Transport id in its header.
    pub original_transport_id: String,
    /// Message type in its header.
    pub original_type: String,
    /// Why.
    pub reject: RejectCode,
    /// The fault with its path, shortened.
    pub information: Option<String>,
}

impl NegativeAck {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            original_sender: r.bank("OrgnlSndr")?,
            original_transport_id: r.text("OrgnlMsgId")?,
            original_type: r.text("OrgnlMsgNmId")?,
            reject: r.code("RjctCd", RejectCode::from_code)?,
            information: r.optional_text("AddtlInf"),
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("NgtvAck").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("OrgnlSndr", self.original_sender.to_string()));
        let e = e.with(Element::leaf("OrgnlMsgId", &self.original_transport_id));
        let e = e.with(Element::leaf("OrgnlMsgNmId", &self.original_type));
        let e = e.with(Element::leaf("RjctCd", self.reject.code()));
        e.with_text("AddtlInf", self.information.as_deref())
    }
}

/// A transport acknowledgement: received and stored (990).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportAck {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Sender of the frame.
    pub original_sender: BankNumber,
    /// Transport id in its header.
    pub original_transport_id: String,
    /// Message type in its header.
    pub original_type: String,
    /// Whether the frame had been received before.
    pub duplicate: bool,
}

impl TransportAck {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            original_sender: r.bank("OrgnlSndr")?,
            original_transport_id: r.text("OrgnlMsgId")?,
            original_type: r.text("OrgnlMsgNmId")?,
            duplicate: r.boolean("Dplct")?,
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("TrnsprtAck").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("OrgnlSndr", self.original_sender.to_string()));
        let e = e.with(Element::leaf("OrgnlMsgId", &self.original_transport_id));
        let e = e.with(Element::leaf("OrgnlMsgNmId", &self.original_type));
        e.with(Element::leaf("Dplct", self.duplicate.to_string()))
    }
}

/// A netting notice of one round (601).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NettingNotice {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Bank the figures are for.
    pub bank: BankNumber,
    /// Business day.
    pub business_date: Date,
    /// Netting round of the day.
    pub round: u32,
    /// Net position.
    pub net: Net,
    /// The payments netted.
    pub entries: Vec<NettingEntry>,
}

impl NettingNotice {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            bank: r.bank("MmbId")?,
            business_date: r.date("BizDt")?,
            round: r.number("Rnd")?,
            net: Net::read(&r.child("Net")?)?,
            entries: r.children("Ntry").iter().map(NettingEntry::read).collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("NetgNtce").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("MmbId", self.bank.to_string()));
        let e = e.with(Element::leaf("BizDt", self.business_date.to_string()));
        let e = e.with(Element::leaf("Rnd", self.round.to_string()));
        let e = e.with(self.net.write(Element::new("Net")));
        e.with_all(self.entries.iter().map(|x| x.write(Element::new("Ntry"))))
    }
}

/// A settlement notice of one round (603).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementNotice {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Bank the figures are for.
    pub bank: BankNumber,
    /// Business day.
    pub business_date: Date,
    /// Netting round of the day.
    pub round: u32,
    /// Net amount settled.
    pub net: Net,
    /// Settled.
    pub status: Status,
    /// When.
    pub settled_at: Timestamp,
}

impl SettlementNotice {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            bank: r.bank("MmbId")?,
            business_date: r.date("BizDt")?,
            round: r.number("Rnd")?,
            net: Net::read(&r.child("Net")?)?,
            status: r.code("Sts", Status::from_code)?,
            settled_at: r.timestamp("SttldAt")?,
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("SttlmNtce").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("MmbId", self.bank.to_string()));
        let e = e.with(Element::leaf("BizDt", self.business_date.to_string()));
        let e = e.with(Element::leaf("Rnd", self.round.to_string()));
        let e = e.with(self.net.write(Element::new("Net")));
        let e = e.with(Element::leaf("Sts", self.status.code()));
        e.with(Element::leaf("SttldAt", self.settled_at.to_string()))
    }
}

/// End-of-day totals (701).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Bank the figures are for.
    pub bank: BankNumber,
    /// Business day.
    pub business_date: Date,
    /// Number of this message among those that tell the day's totals, from 1.
    pub page: u32,
    /// How many messages tell them.
    pub pages: u32,
    /// One line per status, side and round.
    pub lines: Vec<TotalLine>,
}

impl Totals {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            bank: r.bank("MmbId")?,
            business_date: r.date("BizDt")?,
            page: r.number("PgNb")?,
            pages: r.number("PgCnt")?,
            lines: r.children("Ttl").iter().map(TotalLine::read).collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("DayTtls").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("MmbId", self.bank.to_string()));
        let e = e.with(Element::leaf("BizDt", self.business_date.to_string()));
        let e = e.with(Element::leaf("PgNb", self.page.to_string()));
        let e = e.with(Element::leaf("PgCnt", self.pages.to_string()));
        e.with_all(self.lines.iter().map(|x| x.write(Element::new("Ttl"))))
    }
}

/// A request for the payments behind the totals (703).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailRequest {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Bank that asks.
    pub bank: BankNumber,
    /// Business day.
    pub business_date: Date,
    /// Only this state.
    pub status: Option<Status>,
    /// Only this round.
    pub round: Option<u32>,
}

impl DetailRequest {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            bank: r.bank("MmbId")?,
            business_date: r.date("BizDt")?,
            status: r.optional("Sts", |r, p| r.code(p, Status::from_code))?,
            round: r.optional("Rnd", Reader::number)?,
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("DtlReq").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("MmbId", self.bank.to_string()));
        let e = e.with(Element::leaf("BizDt", self.business_date.to_string()));
        let e = e.with_text("Sts", self.status.map(Status::code));
        e.with_text("Rnd", self.round.map(|n| n.to_string()).as_deref())
    }
}

/// The payments behind the totals (704).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailAnswer {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The request answered.
    pub request_id: MessageId,
    /// Bank the figures are for.
    pub bank: BankNumber,
    /// Business day.
    pub business_date: Date,
    /// The payments.
    pub details: Vec<DetailLine>,
}

impl DetailAnswer {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            request_id: r.message_id("ReqMsgId")?,
            bank: r.bank("MmbId")?,
            business_date: r.date("BizDt")?,
            details: r.children("Dtl").iter().map(DetailLine::read).collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("DtlAnsw").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("ReqMsgId", self.request_id.to_string()));
        let e = e.with(Element::leaf("MmbId", self.bank.to_string()));
        let e = e.with(Element::leaf("BizDt", self.business_date.to_string()));
        e.with_all(self.details.iter().map(|x| x.write(Element::new("Dtl"))))
    }
}

/// A change of the business date (ccms.801).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessDateChange {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// System it holds for.
    pub system: System,
    /// Business day until then.
    pub previous_date: Date,
    /// Business day from then.
    pub new_date: Date,
    /// When.
    pub effective_at: Timestamp,
}

impl BusinessDateChange {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            system: r.code("Sys", System::from_code)?,
            previous_date: r.date("PrvsDt")?,
            new_date: r.date("NewDt")?,
            effective_at: r.timestamp("FctvAt")?,
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("BizDtChng").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("Sys", self.system.code()));
        let e = e.with(Element::leaf("PrvsDt", self.previous_date.to_string()));
        let e = e.with(Element::leaf("NewDt", self.new_date.to_string()));
        e.with(Element::leaf("FctvAt", self.effective_at.to_string()))
    }
}

/// The state of a system (ccms.803).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentreStatus {
    /// Identifier of this message.
    pub message_id: MessageId,
    /// When it was made.
    pub created_at: Timestamp,
    /// System it holds for.
    pub system: System,
    /// Its state.
    pub state: CentreState,
    /// Its business day.
    pub business_date: Date,
    /// Since when.
    pub effective_at: Timestamp,
    /// Text for people.
    pub information: Option<String>,
}

impl CentreStatus {
    pub(crate) fn read(root: &Reader<'_>) -> Result<Self, MessageError> {
        let message_id = root.message_id("GrpHdr/MsgId")?;
        let created_at = root.timestamp("GrpHdr/CreDtTm")?;
        let r = root;
        Ok(Self {
            message_id,
            created_at,
            system: r.code("Sys", System::from_code)?,
            state: r.code("Stt", CentreState::from_code)?,
            business_date: r.date("BizDt")?,
            effective_at: r.timestamp("FctvAt")?,
            information: r.optional_text("AddtlInf"),
        })
    }

    pub(crate) fn write(&self) -> Element {
        let e = Element::new("CntrSts").with(group_header(&self.message_id, self.created_at));
        let e = e.with(Element::leaf("Sys", self.system.code()));
        let e = e.with(Element::leaf("Stt", self.state.code()));
        let e = e.with(Element::leaf("BizDt", self.business_date.to_string()));
        let e = e.with(Element::leaf("FctvAt", self.effective_at.to_string()));
        e.with_text("AddtlInf", self.information.as_deref())
    }
}
