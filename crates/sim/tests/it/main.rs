//! The simulator is clean without a defect, red with every one of them, and the same for the same seed.
#![allow(clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

use sim::{Defect, Failure, Options, STEPS_DEFAULT, Summary, run, shorten};

/// Seeds of the batch that must be clean.
const CLEAN_SEEDS: u64 = 20;
/// Seeds within which every defect must be found.
const FOUND_WITHIN: u64 = 200;

fn of(seed: u64, defect: Option<Defect>) -> Result<Summary, Failure> {
    run(&Options { seed, steps: STEPS_DEFAULT, defect, only: None })
}

#[test]
fn a_batch_of_seeds_is_clean() {
    let (mut restarts, mut cases) = (0_u64, 0_u64);
    let (mut fills, mut conversions) = (0_u64, 0_u64);
    for seed in 0..CLEAN_SEEDS {
        let summary = of(seed, None).unwrap_or_else(|failure| panic!("{failure}"));
        restarts = restarts.saturating_add(summary.restarts);
        cases = cases.saturating_add(summary.cases);
        fills = fills.saturating_add(summary.fills);
        conversions = conversions.saturating_add(summary.conversions);
    }
    assert!(
        fills > 20 * CLEAN_SEEDS && conversions > CLEAN_SEEDS,
        "{fills} fills, {conversions} conversions: too calm"
    );
    assert!(restarts > CLEAN_SEEDS && cases > CLEAN_SEEDS, "{restarts} restarts, {cases} cases: too calm");
}

#[test]
fn the_same_seed_is_the_same_run() {
    let once = of(64, None).expect("seed 64 is clean");
    assert_eq!(once, of(64, None).expect("seed 64 is clean"));
    assert_ne!(once.state, of(65, None).expect("seed 65 is clean").state);
}

/// Where the search begins: the seed that found it when this was written. Another history of the same seeds only takes longer.
const fn begin(defect: Defect) -> u64 {
    match defect {
        Defect::AcceptWrongTotal | Defect::CopyUnconfirmed => 22,
        Defect::KeepWhatHadNoRoom => 10,
        Defect::DoubtIsDone => 8,
        Defect::CopyDamaged => 6,
        Defect::DoubtIsNotDone | Defect::RepeatInDoubt | Defect::ClockGoesBack => 5,
        Defect::IgnoreFee => 4,
        Defect::LateOffer => 7,
        Defect::SkipGap | Defect::StaleIsFresh => 3,
        Defect::AcknowledgeBeforeDurable | Defect::SnapshotAheadOfJournal => 2,
        Defect::AckBeforeDurable | Defect::ReportBeforeAcknowledged => 1,
        _ => 0,
    }
}

/// The planted defect is found, by one of the checks it was planted for.
fn check(defect: Defect, what: &[&str]) {
    let found = (0..FOUND_WITHIN)
        .find_map(|n| of(begin(defect).saturating_add(n) % FOUND_WITHIN, Some(defect)).err());
    let Some(found) = found else { panic!("{} is not found in {FOUND_WITHIN} seeds", defect.name()) };
    assert!(
        what.iter().any(|what| found.what.contains(what)),
        "{} is found, but as: {}",
        defect.name(),
        found.what
    );
}

#[test]
fn every_planted_defect_is_found() {
    for defect in Defect::ALL {
        match defect {
            Defect::AckBeforeDurable => check(defect, &["was acknowledged and is lost"]),
            Defect::AcknowledgeBeforeDurable => {
                check(defect, &["has not ended", "the world", "never settled"])
            }
            Defect::ApplyWithoutJournal => check(defect, &["the live state is at entry"]),
            Defect::RefusalLeavesTrace => check(defect, &["changed the state", "the live state is at entry"]),
            Defect::ForgetCommandIds => check(defect, &["came again and was answered"]),
            Defect::LoseEffectsOnRestart => check(defect, &["is still outstanding"]),
            Defect::ReportBeforeAcknowledged => check(defect, &["has not ended", "the world"]),
            Defect::SkipHoldRelease => check(defect, &["holds of payments are open"]),
            Defect::ReleaseAndSettle => check(defect, &["its payments amount to"]),
            Defect::CreditTwice => check(defect, &["its payments amount to"]),
            Defect::IgnoreFee => check(defect, &["its payments amount to"]),
            Defect::RoundAway => check(defect, &["the world says"]),
            Defect::AcceptWrongTotal => check(defect, &["were not seen"]),
            Defect::ClockGoesBack => check(defect, &["recorded at"]),
            Defect::SnapshotOfWrongSeq => check(defect, &["applied after"]),
            Defect::SnapshotAheadOfJournal => check(defect, &["is not what replay gives", "applied after"]),
            Defect::ForgetSync => check(defect, &["was acknowledged and is lost", "is damaged"]),
            Defect::CutAtDamage => check(defect, &["the journal was opened"]),
            Defect::KeepWhatHadNoRoom => check(defect, &["the live state is at entry"]),
            Defect::TakeIdAgain => check(defect, &["was used with another body"]),
            Defect::NeverTick => check(defect, &["has not ended"]),
            Defect::UnbalancedEntry => check(defect, &["are not credits"]),
            Defect::OverdrawAccount => check(defect, &["is below held"]),
            Defect::ForgetEffectEnd => check(defect, &["is still outstanding"]),
            Defect::IgnoreEpoch => {
                check(defect, &["leads no more answered", "with another state than the leader"])
            }
            Defect::AnswerUnderOldLead => {
                check(defect, &["leads no more answered", "the live state is at entry"])
            }
            Defect::DoubtIsDone => {
                check(defect, &["lost what it had confirmed", "is lost", "differ at record"])
            }
            Defect::DoubtIsNotDone => check(defect, &["differ at record"]),
            Defect::RepeatInDoubt => check(defect, &["differ at record"]),
            Defect::CopyUnconfirmed => check(defect, &["lost what it had confirmed", "differ at record"]),
            Defect::SkipGap => check(defect, &["differ at record"]),
            Defect::CopyDamaged => check(defect, &["differ at record"]),
            Defect::UnlinkRows => check(defect, &["of a chain of"]),
            Defect::DropCap => check(defect, &["UpTo", "was there"]),
            Defect::DropValueTime => check(defect, &["its movements come to", "below zero", "was there"]),
            Defect::GiveBackOnSilence => {
                check(defect, &["the other cell answered", "the other received", "ended, and cell"])
            }
            Defect::ReceiveAsNew => check(defect, &["the other cell answered", "the other received"]),
            Defect::ForgetOutgoing => check(defect, &["is still on its way"]),
            Defect::CancelIsReduce => check(defect, &["was cancelled and trades"]),
            Defect::DropLastRow => check(defect, &["orders were to be placed"]),
            Defect::KeepSetAside => check(defect, &["the book gave it", "is not what replay gives"]),
            Defect::ForgetGroup => check(defect, &["are of one group and trade"]),
            Defect::IgnoreSuspension => check(defect, &["trade while the market is suspended"]),
            Defect::StaleIsFresh => check(defect, &["fresh sources"]),
            Defect::OfferTwice => check(defect, &["its trades come to", "came again and was answered"]),
            Defect::LateOffer => check(defect, &["open until"]),
        }
    }
}

#[test]
fn a_defect_has_one_name() {
    for defect in Defect::ALL {
        assert_eq!(Defect::from_name(defect.name()), Some(defect));
    }
    assert_eq!(Defect::from_name("none"), None);
}

/// A failing run is made short, repeats from its own words, and still fails in the same way.
#[test]
fn a_failing_run_is_made_short() {
    let defect = Some(Defect::AckBeforeDurable);
    let options = |seed| Options { seed, steps: STEPS_DEFAULT, defect, only: None };
    let found = (0..FOUND_WITHIN).find_map(|seed| run(&options(seed)).err());
    let found = found.expect("the defect is found");
    let (short, failure) = shorten(&options(found.seed), &found, 120);
    let only = short.only.clone().expect("steps are chosen");
    assert!(only.len() < 20, "{} steps are left", only.len());
    assert!(failure.what.contains("was acknowledged and is lost"), "{failure}");
    let again = run(&short).expect_err("it fails again");
    assert_eq!((again.what, again.step), (failure.what, failure.step));
}
