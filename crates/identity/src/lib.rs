//! Customers, devices, credentials, grades, limits, sessions: who may.
