//! The outside world for demo and tests: clearing centres, other banks, faults on demand.
