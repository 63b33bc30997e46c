//! What cells say to each other, and what staff and tenants ask and hear, as JSON.

use anyhow::{Context, bail};
use cells::{CellNumber, DeclineReason, Incoming, Outcome, Outgoing};
use ledger::Memo;
use money::{Amount, Asset, TransferId};
use serde::{Deserialize, Serialize};

/// Transfers on their way, for the cell that has to take them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) transfers: Vec<AskedTransfer>,
}

/// One of them. The amount is in minor units, so that nothing has to be known of the asset.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedTransfer {
    id: String,
    account: String,
    asset: String,
    scale: u8,
    minor: String,
    memo: String,
}

impl AskedTransfer {
    pub(super) fn of(outgoing: &Outgoing) -> Self {
        let transfer = &outgoing.transfer;
        Self {
            id: transfer.id.to_string(),
            account: transfer.to.account.to_string(),
            asset: transfer.amount.asset().code().to_owned(),
            scale: transfer.amount.asset().scale(),
            minor: transfer.amount.minor().to_string(),
            memo: transfer.memo.as_str().to_owned(),
        }
    }

    pub(super) fn read(&self, from: CellNumber) -> anyhow::Result<Incoming> {
        let asset = Asset::new(&self.asset, self.scale)?;
        Ok(Incoming {
            from,
            id: self.id.parse()?,
            account: self.account.parse()?,
            amount: Amount::new(asset, self.minor.parse().context("minor")?),
            memo: Memo::new(&self.memo)?,
        })
    }
}

/// Answers to what was asked for, in its order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answers {
    pub(super) answers: Vec<Answer>,
}

/// What became of a transfer: an outcome, which is the same for ever, or a problem, after which it may be asked for again.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Answer {
    Received,
    Declined(String),
    Problem(String),
}

impl Answer {
    pub(super) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Received => Self::Received,
            Outcome::Declined(reason) => Self::Declined(reason.code().to_owned()),
        }
    }

    pub(super) fn outcome(&self) -> anyhow::Result<Outcome> {
        match self {
            Self::Received => Ok(Outcome::Received),
            Self::Declined(code) => {
                let reason = DeclineReason::from_code(code);
                Ok(Outcome::Declined(reason.with_context(|| format!("{code:?} is no reason"))?))
            }
            Self::Problem(problem) => bail!("{problem}"),
        }
    }
}

/// A transfer that somebody asks for. The same again is the same transfer, and says how it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Its id, made by whoever asks.
    pub id: String,
    /// The account here.
    pub from: String,
    /// The other cell.
    pub cell: u32,
    /// The account there.
    pub to: String,
    /// How much, in the asset of the account here.
    pub amount: String,
    /// Free words.
    #[serde(default)]
    pub memo: String,
}

/// How a transfer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownTransfer {
    /// Its id.
    pub id: String,
    /// `on_the_way`, `received` or `declined`.
    pub state: String,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it is on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The other cell, while it is on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<u32>,
    /// How much, while it is on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
}

impl ShownTransfer {
    pub(super) fn on_the_way(id: TransferId, outgoing: &Outgoing) -> Self {
        Self {
            id: id.to_string(),
            state: "on_the_way".to_owned(),
            reason: None,
            since: Some(outgoing.since.to_string()),
            cell: Some(outgoing.transfer.to.cell.number()),
            amount: Some(outgoing.transfer.amount.to_string()),
        }
    }

    pub(super) fn ended(id: TransferId, outcome: Outcome) -> Self {
        let (state, reason) = match outcome {
            Outcome::Received => ("received", None),
            Outcome::Declined(reason) => ("declined", Some(reason.code().to_owned())),
        };
        Self { id: id.to_string(), state: state.to_owned(), reason, since: None, cell: None, amount: None }
    }
}

/// What there is with another cell in an asset. Where nothing is on its way, the other cell shows the same the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownCell {
    /// The other cell.
    pub cell: u32,
    /// The sum that we sent and it received.
    pub sent: String,
    /// How many transfers that was.
    pub sent_count: u64,
    /// The sum that it sent and we received.
    pub received: String,
    /// How many transfers that was.
    pub received_count: u64,
}
