use std::error::Error;
use std::time::{Duration, Instant};

/// A sample takes at least this long, so that reading the clock does not count.
const SHORTEST_SAMPLE: Duration = Duration::from_micros(200);
/// A median of fewer samples says little, however slow the operation is.
const FEWEST_SAMPLES: usize = 5;

/// The time of one run of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub nanoseconds: f64,
}

impl Figure {
    pub fn per_second(self) -> f64 {
        1e9 / self.nanoseconds
    }
}

/// The time of one item of `operation`, which is a batch of so many.
pub fn measure_batch(
    budget: Duration,
    items: usize,
    operation: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<Figure, Box<dyn Error>> {
    let batch = measure(budget, operation)?;
    Ok(Figure { nanoseconds: batch.nanoseconds / items as f64 })
}

/// Runs `operation` again and again for `budget` and takes the median time of a run.
pub fn measure(
    budget: Duration,
    mut operation: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<Figure, Box<dyn Error>> {
    let runs = runs_in_a_sample(&mut operation)?;
    let mut samples = Vec::new();
    let start = Instant::now();
    while samples.len() < FEWEST_SAMPLES || start.elapsed() < budget {
        samples.push(sample(runs, &mut operation)?.as_secs_f64() * 1e9 / f64::from(runs));
    }
    samples.sort_by(f64::total_cmp);
    let nanoseconds = samples.get(samples.len() / 2).copied().ok_or("nothing was measured")?;
    Ok(Figure { nanoseconds })
}

fn runs_in_a_sample(operation: &mut impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<u32, Box<dyn Error>> {
    let mut runs = 1;
    while sample(runs, operation)? < SHORTEST_SAMPLE {
        runs *= 2;
    }
    Ok(runs)
}

fn sample(runs: u32, operation: &mut impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let start = processor_time();
    for _ in 0..runs {
        operation()?;
    }
    Ok(processor_time().saturating_sub(start))
}

/// How long this thread has run. Unlike the time of day it stands still while another program has the processor.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}

/// Where the system does not tell, the time since the first call.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    static FIRST: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    FIRST.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work_for_a_millisecond() -> Result<(), Box<dyn Error>> {
        let start = processor_time();
        while processor_time() - start < Duration::from_millis(1) {}
        Ok(())
    }

    #[test]
    fn work_takes_its_time() {
        let figure = measure(Duration::from_millis(10), work_for_a_millisecond).unwrap();
        assert!(figure.nanoseconds >= 1e6);
    }

    #[test]
    fn waiting_takes_none() {
        let figure = measure(Duration::from_millis(10), || {
            std::thread::sleep(Duration::from_millis(20));
            work_for_a_millisecond()
        });
        assert!((1e6..10e6).contains(&figure.unwrap().nanoseconds));
    }

    #[test]
    fn an_item_of_a_batch_takes_its_share() {
        let item = measure_batch(Duration::from_millis(10), 1000, work_for_a_millisecond).unwrap();
        assert!((1e3..1e5).contains(&item.nanoseconds));
    }

    #[test]
    fn a_failing_operation_is_not_measured() {
        assert!(measure(Duration::from_millis(1), || Err("broken".into())).is_err());
    }
}
