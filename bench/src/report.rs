//! How a number is told: to people on stderr, to programs as one line of JSON on stdout.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::samples::Samples;

#[derive(Serialize)]
struct Measurement<'a> {
    name: &'a str,
    value: f64,
    unit: &'a str,
    baseline: f64,
    /// What later work is held against; absent when there is nothing to divide by.
    ratio: Option<f64>,
}

/// Tells a number and its baseline, both in `unit`.
pub fn tell(name: &str, unit: &str, value: f64, baseline: f64) -> Result<()> {
    let ratio = (baseline > 0.0).then(|| rounded(value / baseline));
    let measured = Measurement { name, value: rounded(value), unit, baseline: rounded(baseline), ratio };
    eprintln!("  {name}: {value:.2} {unit}, baseline {baseline:.2}");
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

/// The median and the slow end of a latency.
pub fn tell_latency(name: &str, measured: &Samples, baseline: &Samples) -> Result<()> {
    for percent in [50, 99] {
        let value = measured.percentile(percent).with_context(|| format!("{name} was never measured"))?;
        let baseline = baseline.percentile(percent).with_context(|| format!("{name} has no baseline"))?;
        tell(&format!("{name}_p{percent}"), "ms", value, baseline)?;
    }
    Ok(())
}

/// To three decimals: more would be noise.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
