//! Sequencer, group commit, timers, effect outbox.
