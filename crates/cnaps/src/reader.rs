//! Reading values out of a validated tree, and the parts every message writes.

use iso20022::Element;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::ids::{BankNumber, MessageId, Money};
use crate::message::MessageError;

/// An element with its place, so that a wrong value can be named.
pub(crate) struct Reader<'a> {
    element: &'a Element,
    path: String,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(element: &'a Element, path: String) -> Self {
        Self { element, path }
    }

    pub(crate) fn wrong(&self, at: &str, problem: impl ToString) -> MessageError {
        MessageError::Value { path: format!("{}/{at}", self.path), problem: problem.to_string() }
    }

    fn raw(&self, at: &str) -> Result<&'a str, MessageError> {
        self.element.text_at(at).ok_or_else(|| self.wrong(at, "missing"))
    }

    pub(crate) fn child(&self, name: &str) -> Result<Self, MessageError> {
        let element = self.element.find(name).ok_or_else(|| self.wrong(name, "missing"))?;
        Ok(Self { element, path: format!("{}/{name}", self.path) })
    }

    pub(crate) fn children(&self, name: &str) -> Vec<Self> {
        let all = self.element.children.iter().filter(|c| c.name == name);
        let numbered = (1_usize..).zip(all);
        numbered.map(|(n, element)| Self { element, path: format!("{}/{name}[{n}]", self.path) }).collect()
    }

    pub(crate) fn text(&self, at: &str) -> Result<String, MessageError> {
        self.raw(at).map(str::to_owned)
    }

    pub(crate) fn optional_text(&self, at: &str) -> Option<String> {
        self.element.text_at(at).map(str::to_owned)
    }

    pub(crate) fn optional<T>(
        &self,
        at: &str,
        read: impl FnOnce(&Self, &str) -> Result<T, MessageError>,
    ) -> Result<Option<T>, MessageError> {
        self.element.find(at).map(|_| read(self, at)).transpose()
    }

    pub(crate) fn code<T>(&self, at: &str, from_code: fn(&str) -> Option<T>) -> Result<T, MessageError> {
        from_code(self.raw(at)?).ok_or_else(|| self.wrong(at, "unknown code"))
    }

    pub(crate) fn message_id(&self, at: &str) -> Result<MessageId, MessageError> {
        MessageId::parse(self.raw(at)?).map_err(|e| self.wrong(at, e))
    }

    pub(crate) fn bank(&self, at: &str) -> Result<BankNumber, MessageError> {
        BankNumber::parse(self.raw(at)?).map_err(|e| self.wrong(at, e))
    }

    pub(crate) fn money(&self, at: &str) -> Result<Money, MessageError> {
        let element = self.element.find(at).ok_or_else(|| self.wrong(at, "missing"))?;
        let currency = element.attribute("Ccy").unwrap_or("");
        Money::parse(&element.text, currency).map_err(|e| self.wrong(at, e))
    }

    pub(crate) fn date(&self, at: &str) -> Result<Date, MessageError> {
        let text = self.raw(at)?;
        // A zone on a business day has no meaning; the plain form only.
        let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        text.parse().ok().filter(|_| plain).ok_or_else(|| self.wrong(at, "not a plain date"))
    }

    pub(crate) fn timestamp(&self, at: &str) -> Result<Timestamp, MessageError> {
        self.raw(at)?.parse().map_err(|_| self.wrong(at, "not a time with its zone"))
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, at: &str) -> Result<T, MessageError> {
        self.raw(at)?.parse().map_err(|_| self.wrong(at, "number too large"))
    }

    pub(crate) fn boolean(&self, at: &str) -> Result<bool, MessageError> {
        self.raw(at).map(|text| matches!(text, "true" | "1"))
    }
}

/// The header of a message that is no payment.
pub(crate) fn group_header(message_id: &MessageId, created_at: Timestamp) -> Element {
    Element::new("GrpHdr")
        .with(Element::leaf("MsgId", message_id.to_string()))
        .with(Element::leaf("CreDtTm", created_at.to_string()))
}

/// The header of a payment: one per message, settled through clearing.
pub(crate) fn payment_header(message_id: &MessageId, created_at: Timestamp) -> Element {
    group_header(message_id, created_at)
        .with(Element::leaf("NbOfTxs", "1"))
        .with(Element::new("SttlmInf").with(Element::leaf("SttlmMtd", "CLRG")))
}

/// An amount with its currency.
pub(crate) fn money(name: &str, amount: &Money) -> Element {
    Element::leaf(name, amount.decimal()).with_attribute("Ccy", &amount.currency)
}
