//! Merkle log, signed checkpoints, receipts and their verifier.
