//! The banks by their clearing numbers, and what a screen shows of somebody at one of them.

use std::collections::BTreeMap;

use bank::Bank;
use projections::Party;

use crate::{BankInfo, wire};

/// The directory; our own names come from the bank's profile.
#[derive(Debug)]
pub(crate) struct Directory {
    banks: Vec<BankInfo>,
    by_code: BTreeMap<String, usize>,
}

impl Directory {
    pub(crate) fn new(banks: Vec<BankInfo>) -> Self {
        let by_code = banks.iter().enumerate().map(|(at, bank)| (bank.code.clone(), at)).collect();
        Self { banks, by_code }
    }

    /// Whether there is a bank of this clearing number, asking the bank itself only for its own.
    pub(crate) fn knows(&self, code: &str, is_ours: impl FnOnce(&str) -> bool) -> bool {
        self.by_code.contains_key(code) || is_ours(code)
    }

    /// A bank of this clearing number.
    pub(crate) fn bank(&self, bank: &Bank, code: &str) -> Option<wire::Bank> {
        let own = bank.payments().profile().filter(|profile| profile.bank.as_str() == code);
        if let Some(profile) = own {
            return Some(wire::Bank {
                code: code.to_owned(),
                name_zh: profile.name_zh.as_str().to_owned(),
                name_en: profile.name_en.as_str().to_owned(),
                ours: true,
            });
        }
        self.by_code.get(code).and_then(|at| self.banks.get(*at)).map(|info| wire::Bank {
            code: info.code.clone(),
            name_zh: info.name_zh.clone(),
            name_en: info.name_en.clone(),
            ours: false,
        })
    }

    /// All banks, ours first.
    pub(crate) fn list(&self, bank: &Bank) -> Vec<wire::Bank> {
        let own = bank.payments().profile().map(|profile| profile.bank.as_str().to_owned());
        let others =
            self.banks.iter().map(|info| info.code.clone()).filter(|code| Some(code) != own.as_ref());
        own.iter().cloned().chain(others).filter_map(|code| self.bank(bank, &code)).collect()
    }

    /// Somebody at a bank. One that is not in the directory is shown by its number.
    pub(crate) fn counterparty(&self, bank: &Bank, party: &Party) -> wire::Counterparty {
        let known = self.bank(bank, &party.bank);
        let (name_zh, name_en, own_bank) = match known {
            Some(known) => (known.name_zh, known.name_en, known.ours),
            None => (party.bank.clone(), party.bank.clone(), false),
        };
        wire::Counterparty {
            name: party.name.clone(),
            account_number: party.account_number.clone(),
            bank_code: party.bank.clone(),
            bank_name_zh: name_zh,
            bank_name_en: name_en,
            own_bank,
        }
    }

    /// The other side of a payment.
    pub(crate) fn of_payment(&self, bank: &Bank, party: &payments::Counterparty) -> wire::Counterparty {
        let party = Party {
            name: party.name.as_str().to_owned(),
            account_number: party.account.as_str().to_owned(),
            bank: party.bank.as_str().to_owned(),
        };
        self.counterparty(bank, &party)
    }
}
