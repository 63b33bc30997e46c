//! The outside world for demo and tests: two clearing centres, two other banks with customers, a market of prices, faults on demand.
//!
//! **What it is not.** This is a sandbox of our own making. It is not connected to CNAPS or to any other clearing system,
//! it is no implementation of their standards, and its banks, customers and keys are invented. It follows public facts
//! about such rails in the message forms of the crate `cnaps`.
//!
//! # Parts
//! [`World`] is a pure state machine: frames, control requests, time and delivery outcomes in; replies and a queue of
//! frames out. The simulator runs it as it is. [`Store`] is a world whose inputs are kept in a log and replayed.
//! [`start`] and [`serve`] put a listener, a clock and a postman around it; the binary `sandbox` is that and a command
//! line (`sandbox serve --listen 127.0.0.1:7070 --bank-url http://127.0.0.1:8080 --data DIR`, with `--config FILE`,
//! `--bank-key HEX`, `--always-open`; `sandbox config` prints the configuration, see [`WorldConfig`]).
//!
//! # Members
//! | number | who |
//! |---|---|
//! | 000000000001 | the centre of both systems |
//! | 313100000015 | our bank, 金库银行 Jinku Bank |
//! | 102100000099 | 江南商业银行 Jiangnan Commercial Bank |
//! | 103100000026 | 海河银行 Haihe Bank |
//!
//! | Jiangnan | Haihe | what happens |
//! |---|---|---|
//! | 6210990000000001 陈静 Chen Jing | 6210260000000001 赵雷 Zhao Lei | confirmed |
//! | 6210990000000002 刘洋 Liu Yang | 6210260000000002 黄敏 Huang Min | confirmed |
//! | 6210990000000003 江南茶业有限公司 Jiangnan Tea Ltd | 6210260000000003 海河机械有限公司 Haihe Machinery Ltd | confirmed |
//! | 6210990000000011 孙丽 Sun Li | 6210260000000011 马超 Ma Chao | closed: rejected RJ11 |
//! | 6210990000000012 郑强 Zheng Qiang | 6210260000000012 胡雪 Hu Xue | frozen: rejected RJ11 |
//! | 6210990000000021 周婷 Zhou Ting | 6210260000000021 林峰 Lin Feng | confirmed, returned (112, RJ93) after 5 s |
//! | 6210990000000022 吴磊 Wu Lei | 6210260000000022 郭涛 Guo Tao | answered after 5 s |
//! | 6210990000000023 徐敏 Xu Min | 6210260000000023 何倩 He Qian | never answered |
//!
//! Either name is accepted, spaces and case aside. Another account is rejected RJ01, another name RJ02. Money is not
//! counted at the other banks: their customers can always pay.
//!
//! # Messages
//! Frames are version 02 and signed with Ed25519 in both directions, acknowledgements too. The centre signs everything
//! it sends with its own key, also what it forwards for another bank; the header then names that bank as the sender.
//!
//! * **Instant payment out**: ibps.101 → 990 → the payee's bank answers → ibps.102 `PR10` with the information
//!   `round=2026-11-24/3`, or `PR09` with a code. The round is the one open at the confirmation, and the payment is in
//!   exactly that one. A refusal by the checks at the centre is a 900 at once: RJ91 parties, RJ94 net debit cap, RJ95
//!   form, RJ96 id used for another message, RJ97 not open, RJ98 above the ceiling, RJ35 signature.
//! * **Instant payment in**: ibps.101 → our 990 → our ibps.102. Confirmed, it joins the open round, and the saps.601 of
//!   that round says which. A 900 instead rejects it. After `answer_timeout_ms` without an answer the payer has the
//!   money back: a confirmation then gets 900 RJ20, and what was not delivered is delivered no more.
//! * **Rounds**: a round closes `round_ms` after its first payment (saps.601 with every entry, then saps.603 with the
//!   net, `settle_ms` later). Rounds without payments do not exist. Numbers begin at 1 each business day.
//! * **High value out**: hvps.111 → 990 → hvps.102 `PR04` with `settled=2026-11-24`, or `PR09`. **In**: hvps.111, settled
//!   already on its settlement date; no answer is taken. A 900 undoes it.
//! * **Returns**: ibps.112 and hvps.112 both ways; final when acknowledged. Ours gets a 990 and nothing else. Theirs
//!   carries `round=…` or `settled=…` in its information; in a round the entry names the 112.
//! * **Cancellation**: 307 → 990 and 308: `PR08` while there is no answer (or the payment never came; it is then refused
//!   RJ20 if it still does), else `PR09` with RJ91, or with the code of an earlier rejection.
//! * **End of the day**: unanswered payments of ours are rejected RJ99; the open round closes and settles; 701 with a line
//!   per status, side and round (compare those of `PR04`; rejected and cancelled ones have round 0, gross ones too);
//!   ccms.801. A day with more than 3,000 lines is told in several 701, numbered in `PgNb` of `PgCnt`. 703 is answered by
//!   704, in parts likewise.
//! * **Broadcasts**: ccms.801 and ccms.803 of both systems at the start and on request, and ccms.803 on every change.
//!
//! Frames to our bank go out in their order. Without an answer of our bank all of them wait (up to half a second between
//! attempts); one that gets anything but 990 or 900 waits alone (up to five seconds).
//!
//! # Control
//! JSON over HTTP; a mistake gets 400, a request that does not fit the moment 409, both with `{"error": …}`. Systems are
//! `instant` (or `IBPS`) and `high_value` (or `HVPS`); amounts are decimal texts.
//!
//! | request | body |
//! |---|---|
//! | `POST /control/send-credit` | `to_account`, `to_name`, `amount`; optional `from_account`, `from_bank`, `rail`, `note`, `asset`, `message_id` (again: the same frame, or another body under that id) → `{message_id, done}` |
//! | `POST /control/fault` | `kind` and its fields, see [`Fault`] |
//! | `DELETE /control/faults` | forget waiting faults, bring systems up |
//! | `POST /control/return` | `message_id` of a confirmed payment of ours, optional `code` |
//! | `POST /control/end-of-day` | optional `system` |
//! | `POST /control/end-round` | nothing |
//! | `POST /control/hours` | `system`, `state`: `open`, `clearing`, `closed`, `table` |
//! | `POST /control/announce` | nothing |
//! | `POST /control/advance` | `ms`: moves the world's clock forward |
//! | `POST /control/market`, `DELETE /control/market`, `GET /control/market` | faults of the market of prices, see [`market`] |
//! | `GET /control/state`, `GET /control/customers` | |
//! | `GET /health` | `?system=` asks for one system: 503 where it is down |
//!
//! A system that is down answers 503, delivers nothing and stands still; its planned events happen when it comes up.
//! Common control tells of it while the other system is up; with both down nobody tells, as in life.

mod calendar;
mod config;
mod control;
mod delivery;
mod http;
pub mod market;
mod server;
mod store;
mod text;
mod world;

pub use config::{
    AccountState, Behaviour, Calendar, CeilingRow, ConfigError, Customer, DEMO_BANK_SEED, DEMO_CENTRE_SEED,
    Hours, HoursRow, OtherBank, Rail, Seed, WorldConfig,
};
pub use control::{
    Advance, Control, ControlAnswer, ControlError, Fault, HeldState, RejectAt, ReturnPayment, SendCredit,
    SetHours, Which,
};
pub use server::{Handle, ServeConfig, ServeError, serve, start};
pub use store::{Store, StoreError};
pub use world::{Delivery, DeliveryOutcome, NotAFrame, Reply, World};
