//! `jinku iso`: ISO 20022 messages against the schemas of a folder, the bank's own or those that `cargo xtask setup` installs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use bank::Bank;
use iso20022::SchemaSet;
use iso20022::view::{
    Account, AccountReport, Balance, Entry, EntryDetail, Party, PaymentIds, ReportKind, Statement,
};
use ledger::{PostedEntry, Side};
use money::{AccountId, Amount, Date, Timestamp};
use payments::{AccountNumber, Kind, Payment};

use crate::config::Installation;

/// The message a statement is written as.
const STATEMENT: &str = "camt.053.001.08";
/// Credit balances of customers are what the bank owes them.
const OPENING: &str = "OPBD";
const CLOSING: &str = "CLBD";

/// What is wanted of a message.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of XSD files.
    #[arg(long, global = true, default_value = "data/schemas/iso20022")]
    schemas: PathBuf,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Say whether messages keep their schemas, and where they do not.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the statement of an account as camt.053, checked against its schema.
    Statement {
        /// Data folder of the bank; it may be running.
        #[arg(long)]
        data: PathBuf,
        /// Account number.
        #[arg(long)]
        account: String,
        /// First day, such as 2026-11-01.
        #[arg(long)]
        from: Date,
        /// Last day.
        #[arg(long)]
        to: Date,
    },
}

/// Does what is wanted; exit code 1 when a message is refused.
///
/// # Errors
/// Schemas, files or a bank that cannot be read.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let folder = &arguments.schemas;
    let schemas = SchemaSet::load_dir(folder).with_context(|| {
        format!(
            "read schemas in {}: `cargo xtask setup` installs ISO's, or name the bank's own",
            folder.display()
        )
    })?;
    match &arguments.act {
        Act::Check { files } => check(&schemas, files),
        Act::Statement { data, account, from, to } => {
            let document = statement(data, account, *from, *to)?.to_document(STATEMENT);
            let bytes =
                schemas.emit(&document).map_err(|invalid| anyhow::anyhow!("{STATEMENT}: {invalid}"))?;
            println!("{}", String::from_utf8(bytes)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(schemas: &SchemaSet, files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let mut refused = 0_usize;
    for file in files {
        let bytes = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
        match schemas.validate_parts(&bytes) {
            Ok(documents) => {
                let kinds: Vec<&str> = documents
                    .iter()
                    .map(|document| document.namespace.rsplit(':').next().unwrap_or(""))
                    .collect();
                println!("ok      {}  {}", file.display(), kinds.join(", "));
            }
            Err(invalid) => {
                refused = refused.saturating_add(1);
                println!("FAILED  {}  {invalid}", file.display());
            }
        }
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The statement of an account from its books: opening and closing balance by booking date, and every entry between.
fn statement(data: &Path, number: &str, from: Date, to: Date) -> anyhow::Result<AccountReport> {
    ensure!(from <= to, "--from {from} is after --to {to}");
    let installation = Installation::open(data)?;
    let offset = installation.config.utc_offset_minutes;
    let bank = node::recover(data)?.bank;
    let account = bank
        .payments()
        .account_by_number(&AccountNumber::new(number)?)
        .with_context(|| format!("no account has the number {number}"))?;
    let start = from.midnight_at(offset);
    let end = Date::from_days(to.days().saturating_add(1)).midnight_at(offset);
    let balance = |at: Timestamp, kind: &str, date: Date| -> anyhow::Result<Balance> {
        let balance =
            bank.ledger().balance_recorded(account, at).context("the account is not in the ledger")?;
        let amount = to_iso(balance.posted)?;
        Ok(Balance { kind: kind.to_owned(), amount, credit: !balance.is_overdrawn, date: date.to_string() })
    };
    let payments = payments_of(&bank, account);
    let mut entries = Vec::new();
    // The ledger gives the newest first; a statement begins with the oldest.
    let newest_first = bank.ledger().history(account).take_while(|posted| posted.recorded_at >= start);
    let posted: Vec<PostedEntry> = newest_first.filter(|posted| posted.recorded_at < end).collect();
    for posted in posted.iter().rev() {
        entries.extend(entry(posted, account, &payments, offset)?);
    }
    Ok(AccountReport {
        kind: ReportKind::Statement,
        message_id: format!("{number}-{from}").chars().take(35).collect(),
        created_at: bank.recorded_at().to_string(),
        statements: vec![Statement {
            id: format!("{from}/{to}"),
            account: Account::Other(number.to_owned()),
            balances: vec![
                balance(start.minus_ms(1), OPENING, from)?,
                balance(end.minus_ms(1), CLOSING, to)?,
            ],
            entries,
        }],
    })
}

/// Payments that touch an account, by the reference that their entries carry.
fn payments_of(bank: &Bank, account: AccountId) -> BTreeMap<u64, &Payment> {
    let touches = |payment: &&Payment| {
        payment.account == Some(account)
            || bank.payments().account_by_number(&payment.counterparty.account) == Some(account)
    };
    let low = |payment: &Payment| u64::try_from(payment.id.value() & u128::from(u64::MAX)).unwrap_or(0);
    bank.payments().payments().filter(touches).map(|payment| (low(payment), payment)).collect()
}

fn entry(
    posted: &PostedEntry,
    account: AccountId,
    payments: &BTreeMap<u64, &Payment>,
    offset: i32,
) -> anyhow::Result<Option<Entry>> {
    let (mut credits, mut debits) = (0_u128, 0_u128);
    let mut asset = None;
    for leg in posted.legs.iter().filter(|leg| leg.account == account) {
        asset = Some(leg.amount.asset());
        let sum = match leg.side {
            Side::Credit => &mut credits,
            Side::Debit => &mut debits,
        };
        *sum = sum.saturating_add(leg.amount.minor());
    }
    let Some(asset) = asset else { return Ok(None) };
    let credit = credits >= debits;
    let amount = to_iso(Amount::new(asset, credits.abs_diff(debits)))?;
    let payment = posted.reference.and_then(|reference| payments.get(&reference)).copied();
    let day = |at: Timestamp| Some(at.date_at(offset).to_string());
    Ok(Some(Entry {
        reference: payment.map(|payment| payment.id.to_string()),
        amount,
        credit,
        reversal: posted.reverses.is_some(),
        status: "BOOK".to_owned(),
        booking_date: day(posted.recorded_at),
        value_date: day(posted.effective_at),
        servicer_reference: None,
        transaction_code: Some(payment.map_or("ADJUSTMENT", code).to_owned()),
        details: payment.map(|payment| detail(payment, account, credit)).into_iter().collect(),
    }))
}

const fn code(payment: &Payment) -> &'static str {
    match payment.kind {
        Kind::Transfer => "TRANSFER",
        Kind::Withdrawal => "WITHDRAWAL",
        Kind::Deposit => "DEPOSIT",
    }
}

fn detail(payment: &Payment, account: AccountId, credit: bool) -> EntryDetail {
    let is_payee = payment.account != Some(account);
    let other = Party {
        name: Some(payment.counterparty.name.to_string()).filter(|name| !name.is_empty()),
        account: Some(Account::Other(payment.counterparty.account.to_string())),
        ..Party::default()
    };
    // The payee of a transfer is the counterparty itself; who paid is the payment's own account, which only its owner sees.
    let other = if is_payee { Party::default() } else { other };
    let (debtor, creditor) = if credit { (other, Party::default()) } else { (Party::default(), other) };
    EntryDetail {
        ids: PaymentIds { transaction_id: Some(payment.id.to_string()), ..PaymentIds::default() },
        amount: None,
        debtor,
        creditor,
        remittance: Some(payment.note.to_string()).filter(|note| !note.is_empty()).into_iter().collect(),
    }
}

fn to_iso(amount: Amount) -> anyhow::Result<iso20022::Amount> {
    iso20022::Amount::parse(&amount.decimal(), amount.asset().code())
        .map_err(|error| anyhow::anyhow!("{amount}: {error}"))
}
