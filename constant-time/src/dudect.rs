//! The statistical check: whether the time that an operation takes tells secrets apart. It takes every backend as it
//! is.

use crate::operation::Operation;
use crate::planted::PLANTED;
use crate::random::{Class, Random};
use crate::welch::{Comparison, Part, Samples};
use mikey_sakke::arith::backend::Backend;
use std::time::Instant;

pub struct Options {
    pub operations: Vec<&'static Operation>,
    /// The most runs of one operation.
    pub samples: usize,
    /// The longest time that one operation is measured, preparations included.
    pub seconds: f64,
}

/// |t| up to here is chance, by dudect's measure. What lies above is measured anew, and is a leak if it does so twice.
const CHANCE: f64 = 4.5;
/// Runs that are prepared together.
const ROUND: usize = 32;

/// Whether all is as it must be. Everything is printed.
pub fn check(options: &Options) -> Result<bool, String> {
    println!("backend {}", Backend::active().name());
    println!("{:<26} {:>7} {:>10} {:>7}  {:<14} {:>9}", "operation", "runs", "median", "t", "found in", "would see");
    let mut random = Random::new(1);
    let mut passed = true;
    for planted in PLANTED {
        let found = leaks(&planted.operation, options, &mut random)?;
        println!("{}", if found { "found, as it must be" } else { "NOT FOUND" });
        passed &= found;
    }
    for operation in &options.operations {
        let found = leaks(operation, options, &mut random)?;
        println!("{}", if found { "FAILED" } else { "passed" });
        if found {
            println!("  the classes differ: {}", operation.classes.join(" | "));
        }
        passed &= !found;
    }
    Ok(passed)
}

/// Whether times tell the classes apart, twice: the processor's clock may change in step with the classes by accident,
/// however far that takes the times apart. Leaves the printed line open.
fn leaks(operation: &Operation, options: &Options, random: &mut Random) -> Result<bool, String> {
    let is_apart = |comparison: Comparison| comparison.t.abs() >= CHANCE;
    if !is_apart(measure(operation, options, random)?) {
        return Ok(false);
    }
    println!("suspicious, measured anew");
    Ok(is_apart(measure(operation, options, random)?))
}

fn measure(operation: &Operation, options: &Options, random: &mut Random) -> Result<Comparison, String> {
    let samples = sample(operation, options, random);
    let comparisons = samples.compare();
    let Some(strongest) = comparisons.iter().copied().max_by(|a, b| a.t.abs().total_cmp(&b.t.abs())) else {
        return Err(format!("{}: {} runs are too few; give it more --seconds", operation.name, samples.len()));
    };
    // The difference of means that would have been suspicious, in the sharpest comparison of most of the times.
    let of_most = |part| part == Part::All || matches!(part, Part::Fastest(share) if share > 0.5);
    let visible =
        comparisons.iter().filter(|of| of_most(of.part)).map(|of| CHANCE * of.error).fold(f64::INFINITY, f64::min);
    print!(
        "{:<26} {:>7} {:>10} {:>7.1}  {:<14} {:>9}  ",
        operation.name,
        samples.len(),
        duration(samples.median()),
        strongest.t,
        strongest.part,
        duration(visible),
    );
    Ok(strongest)
}

/// Runs in rounds: inputs of classes in random order are prepared together, and then each is run once.
fn sample(operation: &Operation, options: &Options, random: &mut Random) -> Samples {
    let began = Instant::now();
    let mut prepare = (operation.set_up)(random);
    let mut samples = Samples::default();
    while samples.len() < options.samples && began.elapsed().as_secs_f64() < options.seconds {
        let classes = [(); ROUND].map(|()| Class::random(random));
        let mut runs = classes.map(|class| prepare(class, random));
        for (run, class) in runs.iter_mut().zip(classes) {
            let start = Instant::now();
            run();
            let time = start.elapsed();
            samples.0[class as usize].push(time.as_secs_f64() * 1e9);
        }
    }
    samples
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.1} ns"),
        1e3..1e6 => format!("{:.2} us", nanoseconds / 1e3),
        _ => format!("{:.3} ms", nanoseconds / 1e6),
    }
}
