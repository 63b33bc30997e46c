//! Deposits, transfers, withdrawals, undo windows, routing.
