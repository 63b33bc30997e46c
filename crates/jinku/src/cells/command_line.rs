//! `jinku cell`: joining another cell, sending to it, and seeing what is on its way.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use cells::CellNumber;
use money::TransferId;
use serde::de::DeserializeOwned;

use super::wire::{NewOrder, ShownCell, ShownTransfer};
use super::{check, token_file};
use crate::config::{CellConfig, CellPeerConfig, Installation, Key, new_secret, read_token, write_secret};
use crate::operate;

/// What to do about other cells.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Join another cell: its address into bank.json, and the token that both share. Restart the bank afterwards.
    Add {
        /// Data folder of the bank.
        #[arg(long)]
        data: PathBuf,
        /// Number of this cell; it never changes.
        #[arg(long)]
        own: u32,
        /// Number of the other cell.
        #[arg(long)]
        number: u32,
        /// Where the other cell listens for cells, `http://host:port`; once for each of its nodes.
        #[arg(long, required = true)]
        url: Vec<String>,
        /// File with the token that the other cell has made for the two. Without it a new token is made here, for the other cell.
        #[arg(long)]
        token: Option<PathBuf>,
    },
    /// Send money to an account of another cell.
    Send {
        #[command(flatten)]
        bank: RunningBank,
        /// The account here, `acc_…`.
        #[arg(long)]
        from: String,
        /// Number of the other cell.
        #[arg(long)]
        cell: u32,
        /// The account there, `acc_…`.
        #[arg(long)]
        to: String,
        /// How much, such as 30.00.
        #[arg(long)]
        amount: String,
        /// Free words.
        #[arg(long, default_value = "")]
        memo: String,
        /// Id of a transfer that was sent before, `trf_…`, to send it again or to see how it stands.
        #[arg(long)]
        id: Option<String>,
    },
    /// List what is on its way, and what there is with each cell.
    List {
        #[command(flatten)]
        bank: RunningBank,
    },
}

#[derive(Debug, clap::Args)]
struct RunningBank {
    /// Data folder of the bank; its operator token is used.
    #[arg(long)]
    data: PathBuf,
    /// Address of the operators' interface.
    #[arg(long, default_value = "127.0.0.1:7463")]
    address: SocketAddr,
}

/// Does what the command line says.
///
/// # Errors
/// The folder is no bank's, or the bank cannot be reached or refuses.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.act {
        Act::Add { data, own, number, url, token } => {
            let path = join(&mut Installation::open(data)?, *own, *number, url, token.as_deref())?;
            println!("cell {own} knows cell {number}; {} is the token that both share", path.display());
            if token.is_none() {
                println!(
                    "In cell {number}: `jinku cell add --own {number} --number {own} --url … --token FILE` with a copy of that file. Serve both with --cells-listen."
                );
            }
        }
        Act::Send { bank, from, cell, to, amount, memo, id } => {
            let fresh = || Ok(TransferId::new(operate::fresh_id()?.value()).to_string());
            let id = id.clone().map_or_else(fresh, anyhow::Ok)?;
            let order = NewOrder {
                id,
                from: from.clone(),
                cell: *cell,
                to: to.clone(),
                amount: amount.clone(),
                memo: memo.clone(),
            };
            print(&bank.ask::<ShownTransfer>("transfers", Some(&order))?);
        }
        Act::List { bank } => {
            for transfer in bank.ask::<Vec<ShownTransfer>>("transfers", None)? {
                print(&transfer);
            }
            for cell in bank.ask::<Vec<ShownCell>>("cells", None)? {
                println!(
                    "cell {}: sent {} in {} transfers, received {} in {}",
                    cell.cell, cell.sent, cell.sent_count, cell.received, cell.received_count
                );
            }
        }
    }
    Ok(())
}

fn print(transfer: &ShownTransfer) {
    let ShownTransfer { id, state, reason, since, cell, amount } = transfer;
    let words = [amount.clone(), cell.map(|cell| format!("to cell {cell}")), reason.clone()];
    let since = since.as_ref().map(|since| format!("since {since}"));
    let words: Vec<String> = words.into_iter().chain([since]).flatten().collect();
    println!("{id}  {state}  {}", words.join("  "));
}

impl RunningBank {
    fn ask<T: DeserializeOwned>(&self, what: &str, order: Option<&NewOrder>) -> anyhow::Result<T> {
        let token = hex::encode(Installation::open(&self.data)?.key(Key::Operator)?);
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let (url, bearer) = (format!("http://{}/{what}", self.address), format!("Bearer {token}"));
        let mut answer = match order {
            Some(order) => agent.post(url).header("authorization", bearer).send_json(order)?,
            None => agent.get(url).header("authorization", bearer).call()?,
        };
        if !answer.status().is_success() {
            bail!("{}", answer.body_mut().read_to_string()?);
        }
        Ok(answer.body_mut().read_json()?)
    }
}

/// Joins another cell: into `bank.json`, and the shared token into its file, with whose path it answers.
///
/// # Errors
/// The bank is another cell already, or knows the other one already, or a file cannot be read or written.
pub fn join(
    installation: &mut Installation,
    own: u32,
    number: u32,
    urls: &[String],
    token: Option<&Path>,
) -> anyhow::Result<PathBuf> {
    let none = CellConfig { number: own, peers: Vec::new() };
    let mut config = installation.config.cell.clone().unwrap_or(none);
    ensure!(config.number == own, "this bank is cell {}", config.number);
    config.peers.push(CellPeerConfig { number, urls: urls.to_vec() });
    check(&config)?;
    let token = match token {
        Some(file) => read_token(file)?,
        None => new_secret()?,
    };
    let path = installation.folder.join(token_file(CellNumber::new(number)));
    write_secret(&path, &token)?;
    installation.config.cell = Some(config);
    installation.save()?;
    Ok(path)
}
