//! The state of settlement.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use money::{Amount, CaseId, Date, Text, Timestamp};

use crate::{Break, Flow, NetPosition, NewCase, RailName, TotalRow};

/// A round of a rail on a business date; round 0 stands for what was settled gross.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct RoundKey {
    /// Which rail.
    #[n(0)]
    pub rail: RailName,
    /// Which business date.
    #[n(1)]
    pub date: Date,
    /// Which round of it.
    #[n(2)]
    pub round: u32,
}

/// A round as we know it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Round {
    /// What we counted out.
    #[n(0)]
    pub sent: Flow,
    /// What we counted in.
    #[n(1)]
    pub received: Flow,
    /// What the centre closed it with.
    #[n(2)]
    pub closed: Option<(Flow, Flow)>,
    /// What was settled.
    #[n(3)]
    pub settled: Option<NetPosition>,
}

/// The comparison of a day.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DayResult {
    /// How many rounds were compared.
    #[n(0)]
    pub rounds: u32,
    /// What differs.
    #[n(1)]
    pub breaks: Vec<Break>,
    /// When it was compared.
    #[n(2)]
    pub at: Timestamp,
}

/// Something an operator has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Case {
    /// What about.
    #[n(0)]
    pub new: NewCase,
    /// Since when.
    #[n(1)]
    pub opened_at: Timestamp,
    /// What was done, and when.
    #[n(2)]
    pub resolved: Option<(Text<280>, Timestamp)>,
}

/// All rounds, days and cases.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub struct SettlementBook {
    #[n(0)]
    pub(crate) rounds: BTreeMap<RoundKey, Round>,
    #[n(1)]
    pub(crate) days: BTreeMap<(RailName, Date), DayResult>,
    #[n(2)]
    pub(crate) cases: BTreeMap<CaseId, Case>,
    #[n(3)]
    pub(crate) next_serial: u64,
    /// Parts of a day's totals, until all are there.
    #[n(4)]
    pub(crate) pages: BTreeMap<(RailName, Date), BTreeMap<u32, Vec<TotalRow>>>,
}

impl SettlementBook {
    /// A round.
    #[must_use]
    pub fn round(&self, key: &RoundKey) -> Option<&Round> {
        self.rounds.get(key)
    }

    /// All rounds, in the order of rail, date and number.
    pub fn rounds(&self) -> impl Iterator<Item = (&RoundKey, &Round)> {
        self.rounds.iter()
    }

    /// The comparison of a day.
    #[must_use]
    pub fn day(&self, rail: &RailName, date: Date) -> Option<&DayResult> {
        self.days.get(&(rail.clone(), date))
    }

    /// All comparisons, in the order of rail and date.
    pub fn days(&self) -> impl Iterator<Item = (&RailName, Date, &DayResult)> {
        self.days.iter().map(|((rail, date), result)| (rail, *date, result))
    }

    /// A case.
    #[must_use]
    pub fn case(&self, id: CaseId) -> Option<&Case> {
        self.cases.get(&id)
    }

    /// Cases that nobody has closed, oldest first.
    pub fn open_cases(&self) -> impl Iterator<Item = (CaseId, &Case)> {
        self.cases.iter().filter(|(_, case)| case.resolved.is_none()).map(|(id, case)| (*id, case))
    }
}

impl Flow {
    /// Nothing.
    #[must_use]
    pub const fn none(asset: money::Asset) -> Self {
        Self { count: 0, sum: Amount::zero(asset) }
    }

    /// Adds what another part says of the same round.
    pub(crate) fn join(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.plus(other.sum).unwrap_or(self.sum);
    }

    pub(crate) fn add(&mut self, amount: Amount) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.plus(amount).unwrap_or(self.sum);
    }
}
