//! A bank of a benchmark's own, with the bulk interface on.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::config::{BankConfig, Installation, Key};
use crate::process::{Process, free_port, loopback};

/// An installation in a scratch folder, and the addresses it will listen on.
pub(super) struct Bank {
    pub(super) installation: Installation,
    pub(super) bulk: SocketAddr,
    wallet: SocketAddr,
    operator: SocketAddr,
}

impl Bank {
    /// Lays the data folder.
    pub(super) fn new(scratch: &Path, history_in_memory: Option<u32>) -> anyhow::Result<Self> {
        let wallet = free_port()?;
        let config = BankConfig { history_in_memory, ..BankConfig::local(wallet) };
        let installation = Installation::create(&scratch.join("bank"), config)?;
        let (operator, bulk) = (loopback(free_port()?), loopback(free_port()?));
        Ok(Self { installation, bulk, wallet: loopback(wallet), operator })
    }

    /// What a connection to the bulk interface shows.
    pub(super) fn token(&self) -> anyhow::Result<[u8; 32]> {
        self.installation.key(Key::Operator)
    }

    /// Starts the bank, and waits until it answers.
    pub(super) fn start(&self) -> anyhow::Result<Process> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg("--data").arg(&self.installation.folder);
        command.args(["--listen", &self.wallet.to_string()]);
        command.args(["--operator-listen", &self.operator.to_string()]);
        command.args(["--bulk-listen", &self.bulk.to_string()]);
        Process::start("the bank", &mut command, self.wallet)
    }
}
