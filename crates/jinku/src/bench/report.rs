//! What a case prints.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

/// A measured run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) name: &'static str,
    pub(super) items: u64,
    pub(super) elapsed: Duration,
    /// Latencies of requests, in microseconds.
    pub(super) latencies: Histogram<u64>,
    /// Bytes of the journal for each item.
    pub(super) journal_bytes: u64,
    /// Highest resident memory of the bank.
    pub(super) peak_bytes: u64,
    /// What the case needs besides.
    pub(super) more: Vec<(&'static str, Value)>,
}

/// An empty histogram of microseconds, exact to three digits.
///
/// # Errors
/// Never for these bounds.
pub(super) fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new(3)?)
}

/// A duration in whole microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Report {
    pub(super) fn per_second(&self) -> u64 {
        let micros = u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
        self.items.saturating_mul(1_000_000).checked_div(micros).unwrap_or(0)
    }

    pub(super) fn print(&self, as_json: bool) {
        let per_second = self.per_second();
        let per_item = self.journal_bytes.checked_div(self.items.max(1)).unwrap_or(0);
        let peak_mib = self.peak_bytes >> 20;
        let ms = |quantile: f64| milliseconds(self.latencies.value_at_quantile(quantile));
        if !as_json {
            println!("{}: {} items in {} ms", self.name, self.items, self.elapsed.as_millis());
            println!(
                "  {per_second} per second; p50 {} ms, p99 {} ms, p100 {} ms",
                ms(0.5),
                ms(0.99),
                ms(1.0)
            );
            println!("  {per_item} bytes of journal per item, {peak_mib} MiB peak memory of the bank");
            for (name, value) in &self.more {
                println!("  {name}: {value}");
            }
            return;
        }
        let number = |text: String| text.parse::<f64>().map_or(Value::Null, |value| json!(value));
        let mut object = Map::new();
        object.insert("name".to_owned(), json!(self.name));
        object.insert("items".to_owned(), json!(self.items));
        object.insert("per_second".to_owned(), json!(per_second));
        object.insert("p50_ms".to_owned(), number(ms(0.5)));
        object.insert("p99_ms".to_owned(), number(ms(0.99)));
        object.insert("p100_ms".to_owned(), number(ms(1.0)));
        object.insert("bytes_per_item".to_owned(), json!(per_item));
        object.insert("peak_mib".to_owned(), json!(peak_mib));
        for (name, value) in &self.more {
            object.insert((*name).to_owned(), value.clone());
        }
        println!("{}", Value::Object(object));
    }
}

/// Microseconds as milliseconds with three decimals.
fn milliseconds(micros: u64) -> String {
    let (whole, rest) = (micros.div_euclid(1000), micros.rem_euclid(1000));
    format!("{whole}.{rest:03}")
}
