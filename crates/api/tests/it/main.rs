//! The interface from outside: a real node and real read models in a folder of their own, a software authenticator as the customer's phone.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod contract;
