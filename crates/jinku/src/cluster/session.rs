//! A bulk client of a bank with several nodes: what one node does not answer is sent again to the next, with the same id.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use ledger::Batch;
use money::CommandId;

use crate::bulk::{Answer, Client};

/// Longest wait for one answer: longer than a healthy node ever takes, shorter than anybody would wait for a dead one.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between one node and the next, when none answers.
const PAUSE: Duration = Duration::from_millis(20);

/// An answer, and how it came about.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) answer: Answer,
    /// Which of the nodes gave it.
    pub(super) node: usize,
    /// How often the request was sent.
    pub(super) attempts: u32,
}

#[derive(Debug)]
pub(super) struct Session {
    nodes: Vec<SocketAddr>,
    token: [u8; 32],
    /// The node that is asked now.
    at: usize,
    client: Option<Client>,
}

impl Session {
    pub(super) fn new(nodes: Vec<SocketAddr>, token: [u8; 32]) -> Self {
        Self { nodes, token, at: 0, client: None }
    }

    /// Sends a request until a node has taken all of it, for `longest` at most.
    pub(super) fn send(&mut self, id: CommandId, rows: &Batch, longest: Duration) -> anyhow::Result<Sent> {
        let begun = Instant::now();
        for attempts in 1_u32.. {
            let answer = self.try_send(id, rows);
            match answer {
                Ok(answer) if answer.problem.is_none() => {
                    return Ok(Sent { answer, node: self.at, attempts });
                }
                Ok(answer) => self.turn_to(answer.leader.as_deref()),
                Err(error) => {
                    tracing::debug!(%error, node = self.at, "no answer");
                    self.turn_to(None);
                }
            }
            ensure!(begun.elapsed() < longest, "no node has taken a request within {} s", longest.as_secs());
            std::thread::sleep(PAUSE);
        }
        bail!("no node was asked")
    }

    fn try_send(&mut self, id: CommandId, rows: &Batch) -> anyhow::Result<Answer> {
        let Some(address) = self.nodes.get(self.at) else { bail!("there are no nodes") };
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect_within(*address, &self.token, PATIENCE)?,
        };
        let answer = client.send(id, rows)?;
        self.client = Some(client);
        Ok(answer)
    }

    /// Goes to the leader that was named, or to the next node.
    fn turn_to(&mut self, leader: Option<&str>) {
        let named = leader.and_then(|leader| leader.parse().ok());
        let named = named.and_then(|leader: SocketAddr| self.nodes.iter().position(|node| *node == leader));
        let next = self.at.saturating_add(1).checked_rem(self.nodes.len()).unwrap_or(0);
        self.at = named.unwrap_or(next);
        self.client = None;
    }
}
