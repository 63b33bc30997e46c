//! Seeded simulator of bank, journal and rails with crashes and planted faults.
