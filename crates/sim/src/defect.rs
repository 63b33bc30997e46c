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
    /// The journal's writes are not made durable before they are acknowledged.
    ForgetSync,
    /// A start throws away a journal from its first damaged place on, and goes on.
    CutAtDamage,
    /// When the disk is full, what was applied and not written stays applied.
    KeepWhatHadNoRoom,
    /// An id that was used with another body is taken again.
    TakeIdAgain,
    /// Nothing happens by itself: no timer, no end of an undo window.
    NeverTick,
    /// An entry is posted whose debits are not its credits.
    UnbalancedEntry,
    /// An entry takes more from a customer than the customer has.
    OverdrawAccount,
    /// That an effect is done is not kept.
    ForgetEffectEnd,
    /// The shared journal takes writes of a lead that is over.
    IgnoreEpoch,
    /// A node answers although it was told that it leads no more.
    AnswerUnderOldLead,
    /// A write whose answer was lost is taken for done.
    DoubtIsDone,
    /// A write whose answer was lost is taken for not done.
    DoubtIsNotDone,
    /// A write whose answer was lost is sent again behind whatever is there.
    RepeatInDoubt,
    /// A follower copies what the shared journal may still lose.
    CopyUnconfirmed,
    /// A follower goes on behind a gap.
    SkipGap,
    /// A follower takes a row without checking its hash.
    CopyDamaged,
    /// Rows of a chain are taken each for itself.
    UnlinkRows,
    /// A row that takes what is there up to a cap takes all of the cap, or nothing.
    DropCap,
    /// An entry dated back is booked as of now.
    DropValueTime,
    /// A transfer that another cell does not answer is given back.
    GiveBackOnSilence,
    /// A transfer whose answer was lost is handed to the other cell again as a new one.
    ReceiveAsNew,
    /// After a restart nothing is known of what was on its way to another cell.
    ForgetOutgoing,
    /// A cancelled order only becomes smaller.
    CancelIsReduce,
    /// The last row of a batch of orders is lost.
    DropLastRow,
    /// That orders ended is not written: what was set aside for them stays so.
    KeepSetAside,
    /// Which seats must not trade with each other is forgotten, in auctions too.
    ForgetGroup,
    /// A market that is suspended goes on.
    IgnoreSuspension,
    /// A reading of a price is dated when it comes in, however old it is.
    StaleIsFresh,
    /// An offer that is taken a second time is paid out a second time.
    OfferTwice,
    /// Whether an offer is still open goes by an earlier time.
    LateOffer,
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 46] = [
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
        Self::ForgetSync,
        Self::CutAtDamage,
        Self::KeepWhatHadNoRoom,
        Self::TakeIdAgain,
        Self::NeverTick,
        Self::UnbalancedEntry,
        Self::OverdrawAccount,
        Self::ForgetEffectEnd,
        Self::IgnoreEpoch,
        Self::AnswerUnderOldLead,
        Self::DoubtIsDone,
        Self::DoubtIsNotDone,
        Self::RepeatInDoubt,
        Self::CopyUnconfirmed,
        Self::SkipGap,
        Self::CopyDamaged,
        Self::UnlinkRows,
        Self::DropCap,
        Self::DropValueTime,
        Self::GiveBackOnSilence,
        Self::ReceiveAsNew,
        Self::ForgetOutgoing,
        Self::CancelIsReduce,
        Self::DropLastRow,
        Self::KeepSetAside,
        Self::ForgetGroup,
        Self::IgnoreSuspension,
        Self::StaleIsFresh,
        Self::OfferTwice,
        Self::LateOffer,
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
            Self::ForgetSync => "forget-sync",
            Self::CutAtDamage => "cut-at-damage",
            Self::KeepWhatHadNoRoom => "keep-what-had-no-room",
            Self::TakeIdAgain => "take-id-again",
            Self::NeverTick => "never-tick",
            Self::UnbalancedEntry => "unbalanced-entry",
            Self::OverdrawAccount => "overdraw-account",
            Self::ForgetEffectEnd => "forget-effect-end",
            Self::IgnoreEpoch => "ignore-epoch",
            Self::AnswerUnderOldLead => "answer-under-old-lead",
            Self::DoubtIsDone => "doubt-is-done",
            Self::DoubtIsNotDone => "doubt-is-not-done",
            Self::RepeatInDoubt => "repeat-in-doubt",
            Self::CopyUnconfirmed => "copy-unconfirmed",
            Self::SkipGap => "skip-gap",
            Self::CopyDamaged => "copy-damaged",
            Self::UnlinkRows => "unlink-rows",
            Self::DropCap => "drop-cap",
            Self::DropValueTime => "drop-value-time",
            Self::GiveBackOnSilence => "give-back-on-silence",
            Self::ReceiveAsNew => "receive-as-new",
            Self::ForgetOutgoing => "forget-outgoing",
            Self::CancelIsReduce => "cancel-is-reduce",
            Self::DropLastRow => "drop-last-row",
            Self::KeepSetAside => "keep-set-aside",
            Self::ForgetGroup => "forget-group",
            Self::IgnoreSuspension => "ignore-suspension",
            Self::StaleIsFresh => "stale-is-fresh",
            Self::OfferTwice => "offer-twice",
            Self::LateOffer => "late-offer",
        }
    }

    /// Whether it is a mistake with orders and offers, which only the trading floor can make.
    pub(crate) const fn is_of_the_floor(self) -> bool {
        matches!(
            self,
            Self::CancelIsReduce
                | Self::DropLastRow
                | Self::KeepSetAside
                | Self::ForgetGroup
                | Self::IgnoreSuspension
                | Self::StaleIsFresh
                | Self::OfferTwice
                | Self::LateOffer
        )
    }

    /// The defect of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|defect| defect.name() == name)
    }
}
