//! Defects to plant, each a mistake that a shell or a machine could have. A simulator that finds none of them proves nothing.
//!
//! They live here only: the miniature shell makes the mistake, or tampers with what passes between the real components.

/// A deliberate mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// A client is answered although the journal's write failed.
    AckBeforeDurable,
    /// A rail's message is acknowledged before what it says is durable.
    AcknowledgeBeforeDurable,
    /// An entry is applied and never written.
    ApplyWithoutJournal,
    /// What a refused command would have used stays used.
    RefusalLeavesTrace,
    /// Repeats of a command are not recognised.
    ForgetCommandIds,
    /// After a restart nothing of what was outstanding is sent.
    LoseEffectsOnRestart,
    /// An effect is reported done before its message is acknowledged.
    ReportBeforeAcknowledged,
    /// A rejected payment keeps its hold.
    SkipHoldRelease,
    /// A payment that was given back is posted all the same.
    ReleaseAndSettle,
    /// A credit that comes twice is credited twice.
    CreditTwice,
    /// The fee is not posted.
    IgnoreFee,
    /// An incoming amount loses its last hundredth.
    RoundAway,
    /// Totals that differ are taken for equal.
    AcceptWrongTotal,
    /// The clock's time is taken as it is, also when it goes back.
    ClockGoesBack,
    /// A restart replays from one entry too far behind its snapshot.
    SnapshotOfWrongSeq,
    /// A snapshot holds what is not yet durable, and is believed.
    SnapshotAheadOfJournal,
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::AckBeforeDurable,
        Self::AcknowledgeBeforeDurable,
        Self::ApplyWithoutJournal,
        Self::RefusalLeavesTrace,
        Self::ForgetCommandIds,
        Self::LoseEffectsOnRestart,
        Self::ReportBeforeAcknowledged,
        Self::SkipHoldRelease,
        Self::ReleaseAndSettle,
        Self::CreditTwice,
        Self::IgnoreFee,
        Self::RoundAway,
        Self::AcceptWrongTotal,
        Self::ClockGoesBack,
        Self::SnapshotOfWrongSeq,
        Self::SnapshotAheadOfJournal,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AckBeforeDurable => "ack-before-durable",
            Self::AcknowledgeBeforeDurable => "acknowledge-before-durable",
            Self::ApplyWithoutJournal => "apply-without-journal",
            Self::RefusalLeavesTrace => "refusal-leaves-trace",
            Self::ForgetCommandIds => "forget-command-ids",
            Self::LoseEffectsOnRestart => "lose-effects-on-restart",
            Self::ReportBeforeAcknowledged => "report-before-acknowledged",
            Self::SkipHoldRelease => "skip-hold-release",
            Self::ReleaseAndSettle => "release-and-settle",
            Self::CreditTwice => "credit-twice",
            Self::IgnoreFee => "ignore-fee",
            Self::RoundAway => "round-away",
            Self::AcceptWrongTotal => "accept-wrong-total",
            Self::ClockGoesBack => "clock-goes-back",
            Self::SnapshotOfWrongSeq => "snapshot-of-wrong-seq",
            Self::SnapshotAheadOfJournal => "snapshot-ahead-of-journal",
        }
    }

    /// The defect of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|defect| defect.name() == name)
    }
}
