//! Netting rounds, business dates, end-of-day totals, reconciliation, cases.
