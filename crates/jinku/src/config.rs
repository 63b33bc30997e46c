//! What an installation is: its configuration file and its keys, in the data folder.
//!
//! `bank.json` says who the bank is and whom it talks to. `keys/` has one file for each secret, 64 hexadecimal digits, readable by the owner
//! alone; none of them is ever in the journal or a log.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};

/// A bank of the directory, which customers choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedBank {
    /// Clearing number.
    pub number: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
}

/// The clearing centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CentreConfig {
    /// Its clearing number.
    pub number: String,
    /// Its Ed25519 public key, 64 hexadecimal digits.
    pub public_key: String,
    /// Where frames of the instant rail are posted.
    pub instant_url: String,
    /// Where frames of the high-value rail are posted.
    pub high_value_url: String,
}

/// This node's place among several that share one journal. Without it the bank is one node with its journal in files, and needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// Name of this node, no other's.
    pub node: String,
    /// Name of the shared journal, the same on every node.
    pub stream: String,
    /// The PostgreSQL servers, `host:port` each; the one that may be written to is found by asking all.
    pub postgres: Vec<String>,
    /// Name of the database.
    pub database: String,
    /// Role to log in as. Its password, where one is needed, is in `keys/postgres.password`.
    pub user: String,
    /// A commit must be on a second server before it counts. Only a trial goes without.
    #[serde(default = "yes")]
    pub quorum: bool,
    /// How long a leader leads without renewing it, in milliseconds: how long nobody may lead after it died.
    #[serde(default = "lease_ms")]
    pub lease_ms: u64,
    /// Longest wait for an answer of the database, in milliseconds, before another server is looked for.
    #[serde(default = "patience_ms")]
    pub patience_ms: u64,
    /// Where clients reach this node, for those who asked another: `http://host:port`.
    pub api_url: String,
    /// Where its bulk interface is reached, `host:port`, if it has one.
    #[serde(default)]
    pub bulk_address: String,
}

const fn yes() -> bool {
    true
}

/// With a look every 50 ms another node leads after two seconds and a little, below the three that a payment may wait.
const fn lease_ms() -> u64 {
    2_000
}

/// A commit with a slow disk on the way takes a second or two; a server that is silent for longer is taken for gone.
const fn patience_ms() -> u64 {
    4_000
}

/// The configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankConfig {
    /// The bank's clearing number.
    pub number: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// The bank's day: minutes east of Greenwich.
    pub utc_offset_minutes: i32,
    /// Relying party id of passkeys, a domain.
    pub relying_party: String,
    /// Origins that pages are served from.
    pub origins: Vec<String>,
    /// Origin of the Merkle log and name of its key, without scheme, such as `bank.example/log`.
    pub log_origin: String,
    /// The other banks that can be paid.
    pub banks: Vec<ListedBank>,
    /// The clearing centre; without one the bank pays inside only.
    pub centre: Option<CentreConfig>,
    /// The other nodes; without it this is the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterConfig>,
    /// The other cells; without it the bank is one stream alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<CellConfig>,
    /// Where notices of monitors over the bank's own accounts are posted; without it they are only listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notices_url: Option<String>,
    /// About how many entries of the ledger stay in memory; the rest is found in files. All of them without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_in_memory: Option<u32>,
    /// Where prices come from, for the convert desk; without any it offers nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub price_sources: Vec<PriceSourceConfig>,
    /// Clients with books of their own, by their numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tenants: BTreeMap<u32, TenantConfig>,
}

/// A source of prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSourceConfig {
    /// Its name, up to 32 characters; readings carry it.
    pub name: String,
    /// Where it is, such as `ws://127.0.0.1:7461/market/sandbox-a`.
    pub url: String,
}

/// A client with books of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// Where notices of monitors over its accounts are posted; without it they are only listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notices_url: Option<String>,
}

/// The bank as one cell of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellConfig {
    /// Number of this cell; it never changes.
    pub number: u32,
    /// The cells that money goes to and comes from.
    pub peers: Vec<CellPeerConfig>,
}

/// Another cell. The token that both share is in `keys/cell-<number>.token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellPeerConfig {
    /// Its number.
    pub number: u32,
    /// Where its nodes listen for cells: `http://host:port` each.
    pub urls: Vec<String>,
}

impl BankConfig {
    /// A bank for a first look on one machine, whose wallet is at `http://localhost:<port>`.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self {
            number: "313100000015".to_owned(),
            name_zh: "金库银行".to_owned(),
            name_en: "Jinku Bank".to_owned(),
            utc_offset_minutes: 480,
            relying_party: "localhost".to_owned(),
            origins: vec![format!("http://localhost:{port}")],
            log_origin: "localhost/jinku-log".to_owned(),
            banks: Vec::new(),
            centre: None,
            cluster: None,
            cell: None,
            history_in_memory: None,
            notices_url: None,
            price_sources: Vec::new(),
            tenants: BTreeMap::new(),
        }
    }
}

/// A data folder.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The folder.
    pub folder: PathBuf,
    /// Its configuration.
    pub config: BankConfig,
}

/// The secrets of an installation, by the name of their file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Seed of the key that signs checkpoints.
    Log,
    /// Seed of the key that signs messages to the centre.
    Rail,
    /// Key that seals one-time-code seeds.
    Seal,
    /// What an operator's command line shows to the node.
    Operator,
}

impl Key {
    const ALL: [Self; 4] = [Self::Log, Self::Rail, Self::Seal, Self::Operator];

    const fn file(self) -> &'static str {
        match self {
            Self::Log => "log.seed",
            Self::Rail => "rail.seed",
            Self::Seal => "seal.key",
            Self::Operator => "operator.token",
        }
    }

    /// Where the keys lie within a data folder.
    #[must_use]
    pub fn files() -> Vec<String> {
        Self::ALL.iter().map(|key| format!("keys/{}", key.file())).collect()
    }
}

impl Installation {
    /// Makes a data folder with a configuration and new keys.
    ///
    /// # Errors
    /// The folder has an installation already, or cannot be written.
    pub fn create(folder: &Path, config: BankConfig) -> anyhow::Result<Self> {
        let file = folder.join("bank.json");
        ensure!(!file.exists(), "{} exists: this folder has a bank already", file.display());
        fs::create_dir_all(folder.join("keys")).with_context(|| format!("make {}", folder.display()))?;
        for key in Key::ALL {
            write_secret(&folder.join("keys").join(key.file()), &new_secret()?)?;
        }
        let installation = Self { folder: folder.to_owned(), config };
        installation.save()?;
        Ok(installation)
    }

    /// Opens a data folder.
    ///
    /// # Errors
    /// No configuration there, or one that cannot be read, with the line.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("bank.json");
        let text = fs::read_to_string(&file).with_context(|| {
            format!("read {}: `jinku init --data {}` makes a new bank", file.display(), folder.display())
        })?;
        let config = serde_json::from_str(&text).with_context(|| format!("read {}", file.display()))?;
        Ok(Self { folder: folder.to_owned(), config })
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> anyhow::Result<()> {
        let file = self.folder.join("bank.json");
        let text = serde_json::to_string_pretty(&self.config)?;
        fs::write(&file, format!("{text}\n")).with_context(|| format!("write {}", file.display()))
    }

    /// Reads the database's password, where there is one.
    ///
    /// # Errors
    /// The file cannot be read, or can be read by others.
    pub fn database_password(&self) -> anyhow::Result<Option<String>> {
        let path = self.folder.join("keys").join("postgres.password");
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(read_secret(&path)?.trim_end().to_owned()))
    }

    /// Reads a secret.
    ///
    /// # Errors
    /// The file is missing, is not 64 hexadecimal digits, or can be read by others.
    pub fn key(&self, key: Key) -> anyhow::Result<[u8; 32]> {
        read_token(&self.folder.join("keys").join(key.file()))
    }
}

/// A secret that nobody knows yet.
pub(crate) fn new_secret() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

/// Writes a secret durably to a new file that only its owner may read, as [`read_token`] reads it.
pub(crate) fn write_secret(path: &Path, secret: &[u8; 32]) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    let mut out = made.with_context(|| format!("make {}", path.display()))?;
    let written = writeln!(out, "{}", hex::encode(secret)).and_then(|()| out.sync_all());
    if written.is_err() {
        // Half a secret is none, and would be in the way of the next try.
        let _ = fs::remove_file(path);
    }
    written.with_context(|| format!("write {}", path.display()))
}

/// Reads a secret of 64 hexadecimal digits from its file.
pub(crate) fn read_token(path: &Path) -> anyhow::Result<[u8; 32]> {
    let text = read_secret(path)?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.trim(), &mut bytes)
        .with_context(|| format!("{} is not 64 hexadecimal digits", path.display()))?;
    Ok(bytes)
}

/// Reads a file that only its owner may read.
fn read_secret(path: &Path) -> anyhow::Result<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).with_context(|| format!("read {}", path.display()))?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("{} can be read by others: run `chmod 600 {}`", path.display(), path.display());
    }
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}
