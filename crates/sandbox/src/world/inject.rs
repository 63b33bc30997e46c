//! Bad frames on demand. Any refusal of our bank ends them.

use cnaps::{Credit, Frame, Message, MessageError, MessageId, Money};
use jiff::Timestamp;

use super::World;
use super::compose::Letter;
use super::controls::{bank_letter, not_now, sent};
use super::payment::Way;
use crate::config::Rail;
use crate::control::{ControlAnswer, ControlError, Fault};
use crate::text;

impl World {
    /// Sends a bad frame to our bank.
    pub(crate) fn inject(&mut self, fault: &Fault, at: Timestamp) -> Result<ControlAnswer, ControlError> {
        let made = self.bad_frame(fault, at);
        let (letter, id, bytes) = made.or_else(not_now)?;
        self.queue(&letter, id.clone(), bytes, true);
        sent(&id, "the bad frame is in the queue")
    }

    /// A credit of one yuan to nobody, spoiled.
    fn bad_frame(
        &mut self,
        fault: &Fault,
        at: Timestamp,
    ) -> Result<(Letter, MessageId, Vec<u8>), MessageError> {
        let all = self.config.other_banks.iter().filter_map(|at| at.customers.first().map(|c| (at, c)));
        let payer = all.map(|(at, c)| (at.number.clone(), c.name_zh.clone(), c.account.clone())).next();
        let nobody = || MessageError::Value { path: "payer".to_owned(), problem: "none".to_owned() };
        let (debtor_bank, debtor_name, debtor_account) = payer.ok_or_else(nobody)?;
        let message_id = self.next_id(&debtor_bank, at)?;
        let letter = bank_letter(Rail::Instant, &debtor_bank);
        let mut credit = Credit {
            message_id: message_id.clone(),
            created_at: at,
            end_to_end_id: format!("E{}", message_id.transport_id()),
            amount: Money::cny(100),
            settlement_date: self.centre(Rail::Instant).business_date,
            debtor_name,
            debtor_account,
            debtor_bank,
            creditor_bank: self.config.bank.clone(),
            creditor_name: "nobody".to_owned(),
            creditor_account: "0".to_owned(),
            remittance: None,
        };
        let frame = self.signed(&letter, &Message::Credit(credit.clone()), at)?;
        let bytes = match fault {
            Fault::BadSchema => {
                let body = frame.body.replace("<NbOfTxs>1</NbOfTxs>", "<NbOfTxs>2</NbOfTxs>");
                Frame { body, ..frame }.encode()?
            }
            Fault::BadSignature => {
                credit.amount = Money::cny(99);
                let other = self.signed(&letter, &Message::Credit(credit), at)?;
                Frame { signature: other.signature, ..frame }.encode()?
            }
            Fault::Truncated => {
                let mut bytes = frame.encode()?;
                bytes.truncate(100);
                bytes
            }
            Fault::Oversized => {
                let mut bytes = frame.encode()?;
                bytes.resize(cnaps::FRAME_SIZE_BYTES_LIMIT.saturating_add(1), b' ');
                bytes
            }
            _ => {
                let mut bytes = b"\xef\xbb\xbf".to_vec();
                bytes.extend(frame.encode()?);
                bytes
            }
        };
        Ok((letter, message_id, bytes))
    }

    /// Sends a credit that was sent before under the same id with another amount.
    pub(crate) fn inject_other_body(
        &mut self,
        id: Option<&str>,
        at: Timestamp,
    ) -> Result<ControlAnswer, ControlError> {
        let mut credits = self.payments.values().filter(|payment| payment.way == Way::In);
        let known = match id {
            Some(text) => {
                let id = text::message_id(text);
                credits.find(|payment| Some(&payment.credit.message_id) == id.as_ref())
            }
            None => credits.max_by_key(|p| (p.credit.created_at, p.credit.message_id.clone())),
        };
        let Some(payment) = known else {
            return not_now("no such credit was sent to our bank");
        };
        let (rail, mut credit) = (payment.rail, payment.credit.clone());
        credit.amount.minor_units = credit.amount.minor_units.saturating_add(1);
        let (letter, id) = (bank_letter(rail, &credit.debtor_bank), credit.message_id.clone());
        let frame = self.sealed(&letter, &Message::Credit(credit), at).or_else(not_now)?;
        self.queue(&letter, id.clone(), frame, true);
        sent(&id, "another body under the same id")
    }
}
