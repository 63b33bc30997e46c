//! The running bank: one sequencer that decides, one writer that makes durable, timers, snapshots and recovery.
//!
//! Commands of all connections meet in one queue. The sequencer takes what is there as a group, decides and applies each, and hands
//! the entries to the writer, which appends the group to the journal with one synchronous write while the sequencer goes on
//! with the next. A reply leaves only when its entry is durable, and [`Handle::read`] waits until what it saw is.
//!
//! Several nodes may share one journal (`cluster.rs`): one leads and decides, the others copy what is durable, apply it, and are ready to lead.
//!
//! **Invariants.** Nothing is acknowledged, shown or done in the world before it is durable. The state is exactly what the
//! journal says: where the journal cannot be written, the state goes back to what is durable (full disk) or the node halts
//! (any other fault). Time never goes back: an entry is recorded no earlier than the one before it.

mod clock;
mod cluster;
mod handle;
mod history;
mod recover;
mod sequencer;
mod snapshots;
mod tail;
mod writer;

pub use clock::{Clock, ManualClock, SystemClock};
pub use cluster::{Cluster, NotLeader, Role, has_copy};
pub use handle::{Halted, Handle, Replies, Status, SubmitError, Taken};
pub use history::HistoryFiles;
pub use recover::{RecoverError, Recovered, recover};
pub use sequencer::{Config, Node, StartError};
pub use snapshots::{
    GoodSnapshot, SNAPSHOT_HEADER_BYTES, SnapshotFileError, good_snapshots, newest_snapshot, write_snapshot,
};
pub use tail::{DurableGroup, Tail};
