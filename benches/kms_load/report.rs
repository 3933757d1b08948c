//! One line a measurement.

use super::load::Times;
use super::world::Served;

pub fn head() {
    println!(
        "{:<34} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11} {:>9}",
        "", "requests", "a second", "p50 ms", "p99 ms", "max ms", "server CPU", "memory"
    );
}

/// Of `served`, the most memory that it ever had.
pub fn line(name: &str, times: &Times, served: &Served) {
    let mut sorted = times.all.clone();
    sorted.sort_unstable();
    let at = |fraction: f64| {
        let index = (sorted.len() as f64 * fraction) as usize;
        sorted[index.min(sorted.len() - 1)].as_secs_f64() * 1000.0
    };
    println!(
        "{name:<34} {:>9} {:>9.0} {:>9.2} {:>9.2} {:>9.2} {:>8.3} ms {:>6} MB",
        sorted.len(),
        sorted.len() as f64 / times.elapsed.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0),
        times.used.as_secs_f64() * 1000.0 / sorted.len() as f64,
        served.memory() / 1_000_000,
    );
}
