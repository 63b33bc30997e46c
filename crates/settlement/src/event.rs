//! What happened in settlement.

use minicbor::{Decode, Encode};
use money::{Amount, CaseId, Date, Text};

use crate::{Flow, NetPosition, NewCase, RailName, RoundKey, TotalRow};

/// A difference between a centre's totals and our count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Break {
    /// The round.
    #[n(0)]
    pub round: u32,
    /// Whether it concerns what we received.
    #[n(1)]
    pub is_inbound: bool,
    /// What we counted.
    #[n(2)]
    pub counted: Flow,
    /// What the centre says.
    #[n(3)]
    pub told: Flow,
}

/// A fact; applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// A payment was counted.
    #[n(0)]
    Counted {
        /// In which round.
        #[n(0)]
        key: RoundKey,
        /// Whether it came in.
        #[n(1)]
        is_inbound: bool,
        /// How much.
        #[n(2)]
        amount: Amount,
    },
    /// A round was closed by the centre.
    #[n(1)]
    RoundClosed {
        /// Which.
        #[n(0)]
        key: RoundKey,
        /// What the centre says we sent.
        #[n(1)]
        sent: Flow,
        /// What the centre says we received.
        #[n(2)]
        received: Flow,
    },
    /// A round was settled.
    #[n(2)]
    RoundSettled {
        /// Which.
        #[n(0)]
        key: RoundKey,
        /// The net.
        #[n(1)]
        net: NetPosition,
    },
    /// A day was compared.
    #[n(3)]
    DayReconciled {
        /// Which rail.
        #[n(0)]
        rail: RailName,
        /// Which business date.
        #[n(1)]
        date: Date,
        /// How many rounds were compared.
        #[n(2)]
        rounds: u32,
        /// What differs.
        #[n(3)]
        breaks: Vec<Break>,
    },
    /// A part of a day's totals came; others are still to come.
    #[n(6)]
    TotalsPageKept {
        /// Which rail.
        #[n(0)]
        rail: RailName,
        /// Which business date.
        #[n(1)]
        date: Date,
        /// Number of the part.
        #[n(2)]
        number: u32,
        /// Its lines.
        #[n(3)]
        rows: Vec<TotalRow>,
    },
    /// A case was opened.
    #[n(4)]
    CaseOpened {
        /// Its id.
        #[n(0)]
        id: CaseId,
        /// What it is about.
        #[n(1)]
        case: NewCase,
    },
    /// A case was closed.
    #[n(5)]
    CaseResolved {
        /// Which.
        #[n(0)]
        id: CaseId,
        /// What was done.
        #[n(1)]
        resolution: Text<280>,
    },
}
