//! What the outside world is made of: members, customers, keys, dated tables and timings.
//!
//! One type serves as configuration file (JSON, every field optional) and as the first line of the input log. The
//! default is a complete world for a demo on one machine. Its keys are made from texts printed in this file: they
//! protect nothing and must never be used outside a sandbox.

use std::fmt;

use cnaps::BankNumber;
use ed25519_dalek::SigningKey;
use jiff::civil::{Date, Time, date, time};
use serde::{Deserialize, Serialize};

use crate::market::MarketConfig;
use crate::text;

mod demo;

/// Seed of the centre's signing key in the default world. Public on purpose.
pub const DEMO_CENTRE_SEED: [u8; 32] = *b"jinku sandbox demo centre seed 1";

/// Seed of our bank's signing key that the default world expects. Public on purpose.
pub const DEMO_BANK_SEED: [u8; 32] = *b"jinku sandbox demo member seed 1";

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Our bank's public key is not a point of the curve.
    #[error("bank_public_key is not an ed25519 public key")]
    BankKey,
    /// Two members have one number.
    #[error("member {0} is listed twice")]
    MemberTwice(String),
    /// There is nobody to send or receive.
    #[error("other_banks needs at least one bank with a customer")]
    NoOtherBank,
    /// A time span that would stall the world.
    #[error("{0} must be between 1 and 86400000 ms")]
    Span(&'static str),
    /// The market cannot be as it is configured.
    #[error("market: {0}")]
    Market(String),
}

/// One of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rail {
    /// Instant payments (IBPS): round the clock, netted in rounds, with a ceiling.
    #[serde(rename = "instant", alias = "IBPS", alias = "ibps")]
    Instant,
    /// High-value payments (HVPS): gross, in operating hours, without a ceiling.
    #[serde(rename = "high_value", alias = "HVPS", alias = "hvps")]
    HighValue,
}

impl Rail {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Instant, Self::HighValue];

    /// Its system in message headers.
    #[must_use]
    pub fn system(self) -> cnaps::System {
        match self {
            Self::Instant => cnaps::System::Ibps,
            Self::HighValue => cnaps::System::Hvps,
        }
    }

    /// Its name in texts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::HighValue => "high_value",
        }
    }
}

/// Seed of a signing key; prints nothing of itself in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(#[serde(with = "text::key")] [u8; 32]);

impl Seed {
    /// A seed from its bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.0)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// Whether an account takes money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Yes.
    Open,
    /// Closed for good: RJ11.
    Closed,
    /// Frozen: RJ11.
    Frozen,
}

/// What another bank does with a payment to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Answers promptly.
    Normal,
    /// Confirms, and returns the money (112, RJ93) after `return_ms`.
    Returns,
    /// Answers after `slow_ms`.
    Slow,
    /// Never answers.
    Silent,
}

/// A customer of another bank; money is not counted there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Account number, up to 34 characters.
    pub account: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name; either name is accepted.
    pub name_en: String,
    /// Whether the account takes money.
    pub state: AccountState,
    /// What happens to payments to it.
    pub behaviour: Behaviour,
}

/// Another bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherBank {
    /// Member number.
    #[serde(with = "text::bank")]
    pub number: BankNumber,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Its customers; the first one is the payer where a control request names none.
    pub customers: Vec<Customer>,
}

/// Operating hours, in China's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Hours {
    /// Always open; on working days the business date moves on at `day_switch`.
    RoundTheClock {
        /// Time of the switch.
        #[serde(with = "text::plain")]
        day_switch: Time,
    },
    /// Open from the evening of the previous natural day until the clearing window.
    Daily {
        /// Opening time on the previous natural day.
        #[serde(with = "text::plain")]
        opens_previous_day: Time,
        /// Start of the clearing window.
        #[serde(with = "text::plain")]
        closes: Time,
        /// End of the clearing window: the business day is over.
        #[serde(with = "text::plain")]
        clearing_until: Time,
    },
}

/// Operating hours of a system from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursRow {
    /// Which system.
    pub rail: Rail,
    /// First day on which the row counts.
    #[serde(with = "text::plain")]
    pub from: Date,
    /// The hours.
    pub hours: Hours,
}

/// Ceiling of a system from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeilingRow {
    /// Which system.
    pub rail: Rail,
    /// First day on which the row counts.
    #[serde(with = "text::plain")]
    pub from: Date,
    /// Most in one payment, in hundredths of a yuan; none for no ceiling.
    pub minor_units: Option<u64>,
}

/// Days that break the rhythm of the week.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calendar {
    /// Weekdays without business.
    #[serde(with = "text::dates")]
    pub holidays: Vec<Date>,
    /// Saturdays and Sundays with business.
    #[serde(with = "text::dates")]
    pub working_days: Vec<Date>,
}

/// The whole configuration of a world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorldConfig {
    /// Number of the centre.
    #[serde(with = "text::bank")]
    pub centre: BankNumber,
    /// Seed of the key that signs every frame to our bank.
    pub centre_seed: Seed,
    /// Member number of our bank.
    #[serde(with = "text::bank")]
    pub bank: BankNumber,
    /// Name of our bank, for people.
    pub bank_name: String,
    /// Public key that our bank's frames are verified with.
    #[serde(with = "text::key")]
    pub bank_public_key: [u8; 32],
    /// The other banks.
    pub other_banks: Vec<OtherBank>,
    /// Dated operating hours; a system without a row in force is closed.
    pub hours: Vec<HoursRow>,
    /// Dated ceilings; a system without a row in force has none.
    pub ceilings: Vec<CeilingRow>,
    /// Holidays and working weekends.
    pub calendar: Calendar,
    /// How far our bank's open instant payments may pass what it is owed, in hundredths; none for no cap.
    pub net_debit_cap_minor: Option<u64>,
    /// A netting round closes this long after its first payment, in milliseconds.
    pub round_ms: u64,
    /// From the end of a round to the settlement of its net, in milliseconds; 0 for at once.
    pub settle_ms: u64,
    /// How long another bank takes to answer, in milliseconds.
    pub answer_ms: u64,
    /// How long a slow account takes to answer, in milliseconds.
    pub slow_ms: u64,
    /// How long a returning account keeps the money, in milliseconds.
    pub return_ms: u64,
    /// How long our bank may take to answer a credit, in milliseconds; then the payer gets the money back.
    pub answer_timeout_ms: u64,
    /// The market of prices; left out of the written form where it is the default one.
    #[serde(skip_serializing_if = "MarketConfig::is_default")]
    pub market: MarketConfig,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            centre: text::known_bank("000000000001"),
            centre_seed: Seed::new(DEMO_CENTRE_SEED),
            bank: text::known_bank("313100000015"),
            bank_name: "金库银行 Jinku Bank".to_owned(),
            bank_public_key: Seed::new(DEMO_BANK_SEED).signing_key().verifying_key().to_bytes(),
            other_banks: vec![demo::jiangnan(), demo::haihe()],
            hours: default_hours(),
            ceilings: default_ceilings(),
            calendar: Calendar::default(),
            net_debit_cap_minor: Some(10_000_000_000),
            round_ms: 2_000,
            settle_ms: 0,
            answer_ms: 20,
            slow_ms: 5_000,
            return_ms: 5_000,
            answer_timeout_ms: 20_000,
            market: MarketConfig::default(),
        }
    }
}

impl WorldConfig {
    /// The same world with both systems open round the clock: for demos in the evening and at weekends.
    #[must_use]
    pub fn always_open(mut self) -> Self {
        let day_switch = time(17, 30, 0, 0);
        self.hours = Rail::ALL
            .map(|rail| HoursRow { rail, from: date(2010, 1, 1), hours: Hours::RoundTheClock { day_switch } })
            .to_vec();
        self
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The first thing wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        cnaps::Ed25519Profile::new(&self.bank_public_key).map_err(|_| ConfigError::BankKey)?;
        let mut members = vec![&self.centre, &self.bank];
        members.extend(self.other_banks.iter().map(|bank| &bank.number));
        members.sort();
        if let Some(twice) = members.iter().zip(members.iter().skip(1)).find(|(a, b)| a == b) {
            return Err(ConfigError::MemberTwice(twice.0.to_string()));
        }
        if self.other_banks.iter().all(|bank| bank.customers.is_empty()) {
            return Err(ConfigError::NoOtherBank);
        }
        for (name, ms) in [("round_ms", self.round_ms), ("answer_timeout_ms", self.answer_timeout_ms)] {
            if !(1..=86_400_000).contains(&ms) {
                return Err(ConfigError::Span(name));
            }
        }
        self.market.check().map_err(ConfigError::Market)
    }

    pub(crate) fn other_bank(&self, number: &BankNumber) -> Option<&OtherBank> {
        self.other_banks.iter().find(|bank| bank.number == *number)
    }

    /// The customer of an account, with the bank.
    pub(crate) fn customer(&self, account: &str) -> Option<(&OtherBank, &Customer)> {
        let all = self.other_banks.iter().flat_map(|bank| bank.customers.iter().map(move |c| (bank, c)));
        all.into_iter().find(|(_, customer)| customer.account == account)
    }

    /// The ceiling of a system on a day, in hundredths.
    pub(crate) fn ceiling_minor(&self, rail: Rail, day: Date) -> Option<u64> {
        let rows = self.ceilings.iter().filter(|row| row.rail == rail && row.from <= day);
        rows.max_by_key(|row| row.from)?.minor_units
    }
}

/// High value: the hours since 2 May 2018. Instant: round the clock; the time of the switch is the sandbox's choice.
fn default_hours() -> Vec<HoursRow> {
    vec![
        HoursRow {
            rail: Rail::Instant,
            from: date(2010, 8, 30),
            hours: Hours::RoundTheClock { day_switch: time(17, 30, 0, 0) },
        },
        HoursRow {
            rail: Rail::HighValue,
            from: date(2018, 5, 2),
            hours: Hours::Daily {
                opens_previous_day: time(20, 30, 0, 0),
                closes: time(17, 15, 0, 0),
                clearing_until: time(17, 30, 0, 0),
            },
        },
    ]
}

/// The sandbox's choice: fifty thousand yuan at first, a million since 2020; high value has none.
fn default_ceilings() -> Vec<CeilingRow> {
    let row = |from, minor_units| CeilingRow { rail: Rail::Instant, from, minor_units: Some(minor_units) };
    vec![row(date(2010, 8, 30), 5_000_000), row(date(2020, 1, 1), 100_000_000)]
}
