//! The shapes of what is shown.

use ledger::{Account, AccountKind, Balance, Monitor, PostedEntry, Seal, Side, Threshold};
use money::{Amount, Asset, MonitorId, Timestamp};
use serde::Serialize;

/// An asset as text: its code where that says all, and its decimals with it where not.
pub(crate) fn asset_text(asset: Asset) -> String {
    match asset.code().parse::<Asset>() {
        Ok(known) if known == asset => asset.code().to_owned(),
        _ => format!("{}:{}", asset.code(), asset.scale()),
    }
}

/// The asset with this text, which no other text has.
pub(super) fn parse_asset(text: &str) -> Option<Asset> {
    let asset = match text.split_once(':') {
        None => text.parse().ok()?,
        Some((code, scale)) => Asset::new(code, scale.parse().ok()?).ok()?,
    };
    (asset_text(asset) == text).then_some(asset)
}

/// A kind of account as text.
pub(super) const fn kind_of(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Customer => "customer",
        AccountKind::Nostro => "nostro",
        AccountKind::Vostro => "vostro",
        AccountKind::Suspense => "suspense",
        AccountKind::Fee => "fee",
        AccountKind::InTransit => "in_transit",
        AccountKind::Reserve => "reserve",
        AccountKind::Capital => "capital",
    }
}

/// An account.
#[derive(Debug, Serialize)]
pub(super) struct ShownAccount {
    pub(super) account: String,
    pub(super) kind: &'static str,
    pub(super) asset: String,
    /// 0 is the bank.
    pub(super) tenant: u32,
    pub(super) opened_at: String,
    pub(super) closed_at: Option<String>,
    /// How many entries touched it.
    pub(super) entries: u32,
    pub(super) balance: ShownBalance,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) as_of: Option<ShownAsOf>,
    pub(super) monitors: Vec<ShownMonitor>,
}

#[derive(Debug, Serialize)]
pub(super) struct ShownBalance {
    pub(super) posted: String,
    pub(super) held: String,
    pub(super) available: String,
    /// `posted` is on the other side than normal.
    pub(super) overdrawn: bool,
}

/// A balance at a time. Holds have no past.
#[derive(Debug, Serialize)]
pub(super) struct ShownAsOf {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorded_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effective_at: Option<String>,
    pub(super) posted: String,
    pub(super) overdrawn: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct ShownMonitor {
    pub(super) monitor: String,
    pub(super) account: String,
    pub(super) asset: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) below: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at_least: Option<String>,
    /// Whether that is so now.
    pub(super) reached: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct ShownEntry {
    pub(super) id: String,
    pub(super) recorded_at: String,
    pub(super) effective_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) memo: String,
    pub(super) legs: Vec<ShownLeg>,
    /// Legs on accounts that are not the caller's, which are not shown.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) other_legs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reverses: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reversed_by: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ShownLeg {
    pub(super) account: String,
    pub(super) side: &'static str,
    pub(super) asset: String,
    pub(super) amount: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ShownHold {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) asset: String,
    pub(super) amount: String,
    pub(super) placed_at: String,
    pub(super) expires_at: Option<String>,
}

/// Sealed days. How many entries there were in all books is staff's to know.
#[derive(Debug, Serialize)]
pub(super) struct ShownSeal {
    pub(super) through: String,
    pub(super) sealed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entries: Option<u32>,
    pub(super) journal_seq: u64,
    pub(super) journal_hash: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ShownTotal {
    pub(super) asset: String,
    pub(super) debits: String,
    pub(super) credits: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that a serializer asks for")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

pub(super) fn balance(balance: &Balance) -> ShownBalance {
    ShownBalance {
        posted: balance.posted.decimal(),
        held: balance.held.decimal(),
        available: balance.available.decimal(),
        overdrawn: balance.is_overdrawn,
    }
}

pub(super) fn account(id: &str, account: &Account) -> ShownAccount {
    ShownAccount {
        account: id.to_owned(),
        kind: kind_of(account.kind()),
        asset: asset_text(account.asset()),
        tenant: account.tenant().number(),
        opened_at: account.opened_at().to_string(),
        closed_at: account.closed_at().as_ref().map(Timestamp::to_string),
        entries: account.entries_count(),
        balance: balance(&account.balance()),
        as_of: None,
        monitors: Vec::new(),
    }
}

pub(super) fn monitor(id: MonitorId, monitor: &Monitor) -> ShownMonitor {
    let (below, at_least) = threshold(&monitor.threshold);
    ShownMonitor {
        monitor: id.to_string(),
        account: monitor.account.to_string(),
        asset: asset_text(monitor.threshold.mark().asset()),
        below,
        at_least,
        reached: monitor.is_reached,
    }
}

/// A threshold by its two possible fields.
pub(super) fn threshold(threshold: &Threshold) -> (Option<String>, Option<String>) {
    match threshold {
        Threshold::Below(mark) => (Some(mark.decimal()), None),
        Threshold::AtLeast(mark) => (None, Some(mark.decimal())),
    }
}

/// An entry, without the legs that `is_hidden` and without the sender's own reference where there are any.
pub(super) fn entry(entry: &PostedEntry, is_hidden: impl Fn(&ledger::Leg) -> bool) -> ShownEntry {
    let other_legs = entry.legs.iter().filter(|leg| is_hidden(leg)).count();
    let shown = entry.legs.iter().filter(|leg| !is_hidden(leg)).map(|leg| ShownLeg {
        account: leg.account.to_string(),
        side: match leg.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        },
        asset: asset_text(leg.amount.asset()),
        amount: leg.amount.decimal(),
    });
    ShownEntry {
        id: entry.id.to_string(),
        recorded_at: entry.recorded_at.to_string(),
        effective_at: entry.effective_at.to_string(),
        reference: entry.reference.filter(|_| other_legs == 0).map(|reference| reference.to_string()),
        memo: entry.memo.as_str().to_owned(),
        legs: shown.collect(),
        other_legs,
        reverses: entry.reverses.map(|id| id.to_string()),
        reversed_by: entry.reversed_by.map(|id| id.to_string()),
    }
}

pub(super) fn seal(seal: &Seal, is_staff: bool) -> ShownSeal {
    ShownSeal {
        through: seal.through.to_string(),
        sealed_at: seal.sealed_at.to_string(),
        entries: is_staff.then_some(seal.entries),
        journal_seq: seal.mark.seq,
        journal_hash: hex::encode(seal.mark.hash),
    }
}

pub(super) fn total((asset, debits, credits): &(Asset, Amount, Amount)) -> ShownTotal {
    ShownTotal { asset: asset_text(*asset), debits: debits.decimal(), credits: credits.decimal() }
}
