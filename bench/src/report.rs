//! How a number is told: to people on stderr, to programs as one line of JSON on stdout.

use anyhow::Context;
use serde_json::{Value, json};

use crate::samples::Samples;

/// Where results go.
pub struct Report;

impl Report {
    /// Tells a number and its baseline, both in `unit`; their ratio is what later work is held against.
    #[expect(
        clippy::unused_self,
        reason = "who has no report in hand does not print between the lines of others"
    )]
    pub fn tell(&self, name: &str, unit: &str, value: f64, baseline: f64) {
        let ratio = if baseline > 0.0 { rounded(value / baseline) } else { Value::Null };
        eprintln!("  {name}: {value:.2} {unit} (baseline {baseline:.2}, ratio {ratio})");
        println!(
            "{}",
            json!({"name": name, "value": rounded(value), "unit": unit, "baseline": rounded(baseline), "ratio": ratio})
        );
    }

    /// The median and the slow end of a latency.
    pub fn tell_latency(&self, name: &str, measured: &Samples, baseline: &Samples) -> anyhow::Result<()> {
        for percent in [50, 99] {
            let value = measured.percentile(percent).with_context(|| format!("{name} was never measured"))?;
            let baseline = baseline.percentile(percent).with_context(|| format!("{name} has no baseline"))?;
            self.tell(&format!("{name}_p{percent}"), "ms", value, baseline);
        }
        Ok(())
    }
}

/// To three decimals: more would be noise.
fn rounded(number: f64) -> Value {
    json!((number * 1_000.0).round() / 1_000.0)
}
