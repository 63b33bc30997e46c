//! Composes the machines: one command, one decision, one journal entry.
