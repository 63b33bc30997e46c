//! What a case prints.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

/// A measured case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    /// What was done in each run.
    pub(super) items: u64,
    /// How long each run took.
    pub(super) runs: Vec<Duration>,
    /// Time of single commands, in nanoseconds, where it was measured.
    pub(super) latencies: Option<Histogram<u64>>,
    /// What the case needs besides.
    pub(super) more: Vec<(&'static str, Value)>,
}

/// An empty histogram of nanoseconds, exact to three digits.
///
/// # Errors
/// Never for these bounds.
pub(super) fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new(3)?)
}

/// How many in a second.
pub(super) fn per_second(items: u64, elapsed: Duration) -> u64 {
    let nanos = elapsed.as_nanos().max(1);
    let rate = u128::from(items).saturating_mul(1_000_000_000).checked_div(nanos).unwrap_or(0);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// A quotient with six decimals.
pub(super) fn ratio(part: u64, whole: u64) -> Value {
    let millionths = part.saturating_mul(1_000_000).checked_div(whole.max(1)).unwrap_or(0);
    let text = format!("{}.{:06}", millionths.div_euclid(1_000_000), millionths.rem_euclid(1_000_000));
    text.parse::<f64>().map_or(Value::Null, |value| json!(value))
}

impl Case {
    fn object(&self) -> Map<String, Value> {
        let mut runs = self.runs.clone();
        runs.sort();
        let median = runs.get(runs.len() / 2).copied().unwrap_or_default();
        let rate = |run: Option<&Duration>| per_second(self.items, run.copied().unwrap_or_default());
        let mut object = Map::new();
        object.insert("name".to_owned(), json!(self.name));
        object.insert("items".to_owned(), json!(self.items));
        object.insert("per_second".to_owned(), json!(per_second(self.items, median)));
        if runs.len() > 1 {
            object.insert("per_second_slowest".to_owned(), json!(rate(runs.last())));
            object.insert("per_second_fastest".to_owned(), json!(rate(runs.first())));
        }
        if let Some(latencies) = &self.latencies {
            for (name, quantile) in [("p50_ns", 0.5), ("p99_ns", 0.99), ("p99_9_ns", 0.999), ("p100_ns", 1.0)]
            {
                object.insert(name.to_owned(), json!(latencies.value_at_quantile(quantile)));
            }
        }
        for (name, value) in &self.more {
            object.insert((*name).to_owned(), value.clone());
        }
        object
    }
}

/// Prints all cases.
pub(super) fn print(cases: &[Case], as_json: bool) {
    let objects: Vec<Map<String, Value>> = cases.iter().map(Case::object).collect();
    if as_json {
        println!("{}", Value::from(objects));
        return;
    }
    for object in objects {
        let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
        println!("{name}");
        for (name, value) in object.iter().filter(|(name, _)| *name != "name") {
            println!("  {name}: {value}");
        }
    }
}
