//! Which faults a run has. Each run draws its own kinds, so that some runs are calm in one way and wild in another.

use crate::rng::Chance;

/// What the network between bank and centre does to messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) loses: bool,
    pub(crate) repeats: bool,
    pub(crate) reorders: bool,
    /// Now and then nothing passes for a while.
    pub(crate) parts: bool,
    /// Messages arrive long after nobody waits for their answer.
    pub(crate) delays: bool,
}

impl Network {
    pub(crate) const CALM: Self =
        Self { loses: false, repeats: false, reorders: false, parts: false, delays: false };
}

/// The kinds of faults of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) network: Network,
    /// Power lost at any operation of the disk, processes killed.
    pub(crate) crashes: bool,
    /// The disk fills up, fails once, stalls, or has bytes that nobody wrote there.
    pub(crate) disk: bool,
    /// The machine's clock jumps or stands still.
    pub(crate) clock: bool,
    /// There are two nodes with one shared journal, which fails too, and the lead changes.
    pub(crate) cluster: bool,
    /// Clients do not get their answer.
    pub(crate) lost_replies: bool,
    /// The centre's own faults: late, missing and contradicting answers, rejections, being down.
    pub(crate) centre: bool,
    /// The centre's totals and nets are wrong.
    pub(crate) wrong_figures: bool,
    /// Frames that are none, are altered or signed wrongly.
    pub(crate) bad_frames: bool,
}

impl Faults {
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let mut often = || chance.percent(65);
        Self {
            network: Network {
                loses: often(),
                repeats: often(),
                reorders: often() && often(),
                parts: often(),
                delays: often(),
            },
            crashes: often(),
            disk: often() && often(),
            clock: often(),
            cluster: often(),
            lost_replies: often(),
            centre: often(),
            wrong_figures: often(),
            bad_frames: often(),
        }
    }
}
