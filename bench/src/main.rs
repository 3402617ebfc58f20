//! The benchmarks: what the platform costs, each number beside a baseline that is measured in the same run.
//!
//! People read stderr, programs stdout: one line of JSON per number. A benchmark drives the release binary as
//! its users do, through processes and the gateway; it must never reach into the services, nor switch off what
//! makes them durable.

mod gateway;
mod latency;
mod load;
mod logins;
mod memory;
mod pgbench;
mod report;
mod returns;
mod samples;
mod startup;
mod throughput;
mod tokens;

#[expect(
    dead_code,
    unused_imports,
    clippy::expect_used,
    clippy::panic,
    reason = "shared with the journeys, which use all of it and are tests"
)]
#[path = "../../tests/journeys/harness/mod.rs"]
mod harness;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tokio::runtime::Builder;

#[derive(Parser)]
#[command(name = "bench", about = "Measures the platform against baselines of the same run")]
struct Arguments {
    /// Only this benchmark
    #[arg(long, value_name = "NAME", value_enum)]
    only: Option<Benchmark>,
    /// Fewer and shorter rounds: whether it runs, not how fast
    #[arg(long)]
    quick: bool,
    /// Be a proxy from a port to another, as a benchmark of the gateway starts it
    #[arg(long, num_args = 2, value_names = ["PORT", "UPSTREAM"], hide = true)]
    forward: Option<Vec<u16>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Benchmark {
    Startup,
    Memory,
    Tokens,
    Logins,
    Gateway,
    Throughput,
    Returns,
    LatencyLocal,
    LatencyRabbitmq,
}

const ALL: [Benchmark; 9] = [
    Benchmark::Startup,
    Benchmark::Memory,
    Benchmark::Tokens,
    Benchmark::Logins,
    Benchmark::Gateway,
    Benchmark::Throughput,
    Benchmark::Returns,
    Benchmark::LatencyLocal,
    Benchmark::LatencyRabbitmq,
];

/// How much patience a run has.
#[derive(Debug, Clone, Copy)]
struct Effort {
    quick: bool,
}

impl Effort {
    fn of<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.forward.as_deref() {
        // As the gateway with one core.
        Some(&[port, upstream]) => block_on(Builder::new_current_thread(), gateway::forward(port, upstream)),
        _ => block_on(Builder::new_multi_thread(), run_all(&arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn block_on(mut builder: Builder, work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    builder.enable_all().build()?.block_on(work)
}

async fn run_all(arguments: &Arguments) -> anyhow::Result<()> {
    let effort = Effort { quick: arguments.quick };
    for benchmark in ALL.into_iter().filter(|each| arguments.only.is_none_or(|only| only == *each)) {
        eprintln!("{benchmark:?}");
        run(benchmark, effort).await.with_context(|| format!("{benchmark:?}"))?;
    }
    Ok(())
}

async fn run(benchmark: Benchmark, effort: Effort) -> anyhow::Result<()> {
    match benchmark {
        Benchmark::Startup => startup::measure(effort).await,
        Benchmark::Memory => memory::measure(effort).await,
        Benchmark::Tokens => tokens::measure(effort).await,
        Benchmark::Logins => logins::measure(effort).await,
        Benchmark::Gateway => gateway::measure(effort).await,
        Benchmark::Throughput => throughput::measure(effort).await,
        Benchmark::Returns => returns::measure(effort).await,
        Benchmark::LatencyLocal => latency::local(effort).await,
        Benchmark::LatencyRabbitmq => latency::rabbitmq(effort).await,
    }
}
