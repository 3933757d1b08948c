mod bench;
mod eccsi;
mod measure;
mod operations;
mod sakke;
mod system;

use super::backend;
use super::failure::Failure;
use super::output::{Output, quiet_style, title_style};
use bench::Bench;
use measure::Figure;
use mikey_sakke::arith::backend::Backend;
use operations::{OPERATIONS, Operation, names_and_meanings};
use serde_json::json;
use std::time::Duration;

/// Measure the operations of the library on one thread: the median of many runs of each.
#[derive(clap::Args)]
#[command(after_help = operations_and_examples())]
pub struct Arguments {
    /// Operation to measure; may be given several times. Without it, all are.
    #[arg(long = "op", value_name = "NAME", value_parser = Operation::parse)]
    operations: Vec<&'static Operation>,
    /// Seconds to spend on each operation.
    #[arg(long, value_name = "S", default_value = "1", allow_negative_numbers = true, value_parser = parse_seconds)]
    seconds: Duration,
    /// Arithmetic backend; without it, that of the environment variable MIKEY_SAKKE_BACKEND, or the
    /// fastest of this processor.
    #[arg(long, value_name = "NAME", value_parser = backend::parse)]
    backend: Option<Backend>,
}

fn operations_and_examples() -> String {
    format!(
        "Operations:\n{}\nExamples:\n  mikey-sakke speed\n  mikey-sakke speed --op sakke_encapsulate --op \
         sakke_decapsulate --seconds 5 --json",
        names_and_meanings()
    )
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) if seconds > 0.0 => {
            Duration::try_from_secs_f64(seconds).map_err(|_| "so many seconds never end".to_owned())
        }
        _ => Err("a positive number of seconds is needed".to_owned()),
    }
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    if let Some(backend) = arguments.backend {
        backend.force();
    }
    let backend = Backend::active();
    let cpu = cpu_name();
    let operations =
        if arguments.operations.is_empty() { OPERATIONS.iter().collect() } else { arguments.operations.clone() };

    let (title, quiet) = (title_style(), quiet_style());
    output.line(format_args!("backend {} on {cpu}, one thread", backend.name()));
    output.line(format_args!("{title}{:<24} {:>12} {:>14}{title:#}", "operation", "time", "per second"));

    let mut bench =
        Bench::new().map_err(|error| Failure::new("cannot make the keys to measure with").because(&*error))?;
    let mut figures = Vec::new();
    for operation in operations {
        output.progress(format_args!("measuring {}", operation.name()));
        let figure = operation.measure(&mut bench, arguments.seconds).map_err(|error| {
            Failure::new(format!("{} failed while it was measured", operation.name())).because(&*error)
        })?;
        output.end_progress();
        output.line(format_args!(
            "{:<24} {:>12} {:>14.0} {quiet}{}{quiet:#}",
            operation.name(),
            duration(figure),
            figure.per_second(),
            operation.explanation()
        ));
        figures.push(json!({
            "name": operation.name(),
            "ns_per_op": figure.nanoseconds,
            "ops_per_s": figure.per_second(),
        }));
    }
    output.object(&json!({ "backend": backend.name(), "cpu": cpu, "ops": figures }))
}

fn duration(figure: Figure) -> String {
    let ns = figure.nanoseconds;
    if ns < 1e6 { format!("{:.2} us", ns / 1e3) } else { format!("{:.3} ms", ns / 1e6) }
}

/// What the processor calls itself.
fn cpu_name() -> String {
    std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .as_deref()
        .and_then(|text| text.lines().find(|line| line.starts_with("model name")))
        .and_then(|line| line.split_once(':'))
        .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}
