//! Framing, identifiers, status codes and message forms of a CNAPS-type rail (sandbox profile).
