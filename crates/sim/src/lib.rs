//! The seeded simulator: bank, a miniature shell, the real rails translator and the real sandbox world in one thread, with every fault that the
//! design speaks of.
//!
//! A run is a number of steps, drawn from a seed: customers pay, undo and ask for what is wrong; the other banks pay in; the centre is late,
//! silent, contradicts itself and is down; messages are lost, repeated and reordered; the disk loses power at any operation, fills up and
//! fails; the clock jumps. Then all faults end, time passes, and everything must come to rest.
//!
//! Beside it run two cells of a bank, each on a disk of its own: their clients hand in batches with chains, capped rows and rows dated back, and money goes
//! between them while requests and answers are lost and either dies at any step.
//!
//! And beside both a trading floor: customers, a tenant and the desk give orders and convert on a node that dies at any point; the market is halted and suspended,
//! its sources of prices are late, silent or far off, offers are taken at their last moment and after it.
//!
//! **Checked after every command**: the bank's invariants, the state against the replay of the durable records, that a refusal left
//! nothing. **After every restart**: that what was acknowledged is there byte for byte, and snapshot and tail give the state of a full
//! replay. **At rest**: every payment ended or has a case, nothing is outstanding, the books are what the payments amount to, the outside world
//! tells the same of every payment, round and day, and an audit decides every command as it was decided. The cells' books are what a naive list of movements
//! comes to, now and by value time, and both cells say the same of each transfer. What traders have is what a naive account of the fills and offers comes to.
//!
//! The seed reproduces a run: nothing here reads a clock or another source of chance. [`Defect`] lists the mistakes that can be planted
//! to see that they are found; they are mistakes of this crate's shell, the real crates have no switch for them.

mod actions;
mod agreement;
mod books;
mod cluster;
mod defect;
mod disk;
mod engine;
mod faults;
mod floor;
mod naive;
mod observer;
mod opening;
mod outside;
mod pair;
mod people;
mod rng;
mod run;
mod shell;
mod shorten;
mod tamper;
mod troubles;

pub use defect::Defect;
pub use run::{Failure, Options, STEPS_DEFAULT, Summary, floor_records, records, run};
pub use shorten::shorten;
