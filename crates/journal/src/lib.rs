//! Append-only, hash-chained log of opaque entries in preallocated segments.
