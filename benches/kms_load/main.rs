//! How many requests a KMS answers, and how fast: the program serves in a process of its own, this one asks. And how fast it
//! issues keys to files.
//!
//! ```text
//! cargo bench --bench kms_load                                  # every scenario
//! cargo bench --bench kms_load -- keyprov --seconds 30
//! cargo bench --bench kms_load -- crowd --identities 1000000
//! cargo bench --bench kms_load -- files --users 100000
//! ```
//!
//! Each scenario with a server first asks as fast as answers come (throughput), then at a fixed rate, where the time of an answer counts
//! from the moment at which the request was due, so that a server that stalls is not asked less. Every answer must have
//! status 200, and one in a hundred is read and its keys are counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that cannot run stops at once")]

mod bulk;
mod load;
mod report;
mod scenarios;
mod world;

use clap::{Parser, ValueEnum};
use std::time::Duration;

/// What is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// keyprov on kept connections.
    Keyprov,
    /// keyprov signed under InK, keys wrapped under TrK.
    Protected,
    /// keyprov, each on a new TLS connection with a full handshake.
    Handshakes,
    /// keyprov beside 2,000 idle connections and slow senders.
    Idle,
    /// keyprov beside a great number of identities.
    Crowd,
    /// Key sets on one thread, without a server.
    KeySets,
    /// Key sets of many users to files, without a server.
    Files,
}

#[derive(Parser)]
struct Arguments {
    /// What to measure; everything if none is given.
    scenarios: Vec<Scenario>,
    /// How long each part takes.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Connections that ask at the same time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Requests a second of the part with a fixed rate; by default the goal of each scenario.
    #[arg(long)]
    rate: Option<u32>,
    /// Idle connections.
    #[arg(long, default_value_t = 2000)]
    idle: usize,
    /// Identities in the database for `crowd`.
    #[arg(long, default_value_t = 1_000_000)]
    identities: u64,
    /// Users whose keys go to `files`.
    #[arg(long, default_value_t = 100_000)]
    users: u64,
    /// cargo gives this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let mut arguments = Arguments::parse();
    if arguments.scenarios.is_empty() {
        arguments.scenarios = Scenario::value_variants().to_vec();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let duration = Duration::from_secs(arguments.seconds);
    report::head();
    for scenario in &arguments.scenarios {
        runtime.block_on(scenarios::run(*scenario, &arguments, duration));
    }
}
