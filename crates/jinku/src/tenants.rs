//! Tenants' tokens: who stands behind a token that is shown, and `jinku tenant`, which makes them.
//!
//! A tenant's token is a file `keys/tenant-<number>.token` like the operator's: 64 hexadecimal digits, readable by the owner alone. The folder is looked at
//! when a token is shown, so a tenant that was added while the bank runs is known at once, and one whose file was removed is not known any more.
//!
//! It does not say what a tenant may do: that is the bank's to decide for every command (`Actor::Tenant`).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use identity::Actor;
use ledger::Tenant;
use money::Text;

use crate::config::{Installation, Key, new_secret, read_token, write_secret};

/// A folder that changed so shortly before it was read may change again without showing it: times of files are that coarse.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// What to do about tenants.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make a token for a client that keeps its books with this bank. The bank may be running.
    Add {
        /// Data folder of the bank.
        #[arg(long)]
        data: PathBuf,
        /// The tenant's number, from 1.
        #[arg(long)]
        number: u32,
    },
    /// List the tenants that have a token.
    List {
        /// Data folder of the bank.
        #[arg(long)]
        data: PathBuf,
    },
}

/// Does what the command line says.
///
/// # Errors
/// The folder is no bank's, the tenant has a token, or the file cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.act {
        Act::Add { data, number } => {
            let path = add(&Installation::open(data)?, *number)?;
            println!("made {}", path.display());
            println!(
                "Give the token in it to tenant {number} in a safe way: whoever shows it keeps that tenant's books, over --books-listen \
                 (`Authorization: Bearer TOKEN`) and --bulk-listen. Remove the file to shut the tenant out; no restart is needed."
            );
        }
        Act::List { data } => {
            let tenants = numbers(&Installation::open(data)?.folder)?;
            for number in &tenants {
                println!("tenant {number}  {}", file(*number));
            }
            println!("{} tenants", tenants.len());
        }
    }
    Ok(())
}

fn file(number: u32) -> String {
    format!("keys/tenant-{number}.token")
}

/// Makes a tenant's token; answers with its file.
///
/// # Errors
/// The number is the bank's own, the tenant has a token, or the file cannot be written.
pub fn add(installation: &Installation, number: u32) -> anyhow::Result<PathBuf> {
    ensure!(number != Tenant::BANK.number(), "0 is the bank itself: tenants are numbered from 1");
    let path = installation.folder.join(file(number));
    // A token is never seen half written: it gets its name when it is whole.
    let begun = path.with_extension(format!("{}.partial", std::process::id()));
    write_secret(&begun, &new_secret()?)?;
    let named = fs::hard_link(&begun, &path);
    fs::remove_file(&begun).with_context(|| format!("remove {}", begun.display()))?;
    match named {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            anyhow::bail!(
                "{} exists: tenant {number} has a token already. To give it another one, remove the file and add the tenant again",
                path.display()
            )
        }
        named => named.with_context(|| format!("make {}", path.display()))?,
    }
    Ok(path)
}

/// Numbers of the tenants that have a token, in order.
///
/// # Errors
/// The folder of keys cannot be read.
pub fn numbers(folder: &Path) -> anyhow::Result<Vec<u32>> {
    let keys = folder.join("keys");
    let mut numbers = Vec::new();
    for file in fs::read_dir(&keys).with_context(|| format!("list {}", keys.display()))? {
        let name = file?.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix("tenant-").and_then(|rest| rest.strip_suffix(".token"));
        let number = number.and_then(|digits| digits.parse::<u32>().ok().filter(|n| n.to_string() == digits));
        numbers.extend(number.filter(|number| *number != Tenant::BANK.number()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Where tenants' tokens lie within a data folder.
///
/// # Errors
/// The folder of keys cannot be read.
pub fn files(folder: &Path) -> anyhow::Result<Vec<String>> {
    Ok(numbers(folder)?.into_iter().map(file).collect())
}

/// Who has shown a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Staff.
    Operator,
    /// A client, for its own books.
    Tenant(Tenant),
}

impl Caller {
    /// The caller as the journal names it; `staff` is what stands for an operator there.
    #[must_use]
    pub fn actor(self, staff: &str) -> Actor {
        match self {
            Self::Operator => Actor::Operator(Text::clip(staff)),
            Self::Tenant(tenant) => Actor::Tenant(tenant.number()),
        }
    }

    /// Whether an account of this tenant may be shown.
    #[must_use]
    pub fn may_see(self, of: Tenant) -> bool {
        match self {
            Self::Operator => true,
            Self::Tenant(tenant) => tenant == of,
        }
    }
}

/// The tokens of an installation: the operator's, and those of the tenants as they are now.
#[derive(Debug, Clone)]
pub struct Tokens {
    keys: PathBuf,
    operator: [u8; 32],
    tenants: Arc<Mutex<Known>>,
}

/// Tenants' tokens as they were read.
#[derive(Default)]
struct Known {
    /// When the folder had last changed; absent while that cannot be relied on.
    changed: Option<SystemTime>,
    tokens: Vec<(Tenant, [u8; 32])>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("tenants", &self.tokens.len()).finish_non_exhaustive()
    }
}

impl Tokens {
    /// The tokens of an installation.
    ///
    /// # Errors
    /// The operator's token cannot be read, or can be read by others.
    pub fn open(installation: &Installation) -> anyhow::Result<Self> {
        let keys = installation.folder.join("keys");
        Ok(Self { keys, operator: installation.key(Key::Operator)?, tenants: Arc::default() })
    }

    /// Whose token this is. Every byte of every token is compared, so that time tells nothing.
    #[must_use]
    pub fn caller(&self, shown: &[u8; 32]) -> Option<Caller> {
        let mut known = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut known);
        let mut found = None;
        for (tenant, token) in &known.tokens {
            if is_same(shown, token) {
                found = Some(Caller::Tenant(*tenant));
            }
        }
        if is_same(shown, &self.operator) { Some(Caller::Operator) } else { found }
    }

    /// Whose token this is, written in hexadecimal digits.
    #[must_use]
    pub fn caller_in_hex(&self, shown: &str) -> Option<Caller> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(shown, &mut bytes).ok()?;
        self.caller(&bytes)
    }

    fn refresh(&self, known: &mut Known) {
        let changed = fs::metadata(&self.keys).and_then(|keys| keys.modified()).ok();
        if changed.is_some() && changed == known.changed {
            return;
        }
        known.tokens.clear();
        let folder = self.keys.parent().unwrap_or(&self.keys);
        for number in numbers(folder).unwrap_or_default() {
            match read_token(&folder.join(file(number))) {
                Ok(token) => known.tokens.push((Tenant::new(number), token)),
                Err(error) => tracing::error!("the token of tenant {number} is not used: {error:#}"),
            }
        }
        let age = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
        known.changed = changed.filter(|_| age.is_some_and(|age| age >= SETTLED_AFTER));
    }
}

/// Whether two tokens are the same; every byte is compared, so that time tells nothing.
pub(crate) fn is_same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
