//! Accounts, balanced entries, holds, as-of on two time axes. The only owner of balances.
