//! SQLite read models, rebuilt from the journal.
