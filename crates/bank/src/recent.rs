//! Which commands were taken lately.

use std::collections::VecDeque;

use minicbor::{Decode, Encode};
use money::{CommandId, IdMap};

use crate::BodyHash;

/// How many commands are remembered by their ids. A repeat comes within minutes; what must never happen twice also has an id of its own
/// (payment, entry, hold, message), which is remembered for ever.
pub const RECENT_COMMANDS_MAX: usize = 262_144;

/// Whether a command was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was not.
    New,
    /// The same command was taken as this entry of the journal.
    Repeat {
        /// Sequence number of the entry.
        seq: u64,
    },
    /// Its id was used for another command.
    Conflict,
}

/// The latest commands, oldest first out.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub(crate) struct Recent {
    #[n(0)]
    by_id: IdMap<CommandId, (BodyHash, u64)>,
    #[n(1)]
    order: VecDeque<CommandId>,
}

impl Recent {
    pub(crate) fn seen(&self, id: CommandId, body: BodyHash) -> Seen {
        match self.by_id.get(&id) {
            None => Seen::New,
            Some((known, seq)) if *known == body => Seen::Repeat { seq: *seq },
            Some(_) => Seen::Conflict,
        }
    }

    pub(crate) fn remember(&mut self, id: CommandId, body: BodyHash, seq: u64) {
        if self.by_id.insert(id, (body, seq)).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > RECENT_COMMANDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }
}
