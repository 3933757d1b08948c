//! Welch's t-test on the times of two classes of runs, as dudect applies it (Reparaz, Balasch, Verbauwhede, "Dude, is
//! my code constant time?", 2017): to all times, to the fastest of them, and to their spread.

use std::fmt;

/// The times of each class, in nanoseconds.
#[derive(Default)]
pub struct Samples(pub [Vec<f64>; 2]);

/// How far the classes are apart.
#[derive(Clone, Copy)]
pub struct Comparison {
    pub part: Part,
    /// The second mean less the first one, in standard errors.
    pub t: f64,
    /// The standard error of the difference.
    pub error: f64,
}

/// Which times are compared.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Part {
    All,
    /// This share of all times: the slow ones are often the operating system's, and hide differences.
    Fastest(f64),
    /// The squares of the distances from the mean, to tell classes whose means are equal.
    Spread,
}

/// dudect's croppings leave a share of 1 - 0.5^(k / 10), for k from 1 to this number.
const CROPPINGS: u32 = 100;
/// Times of either class that a comparison needs.
const FEWEST: usize = 50;

impl Samples {
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub fn median(&self) -> f64 {
        let mut times = self.0.concat();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or_default()
    }

    /// All comparisons that there are enough times for.
    pub fn compare(&self) -> Vec<Comparison> {
        let mut sorted = self.0.concat();
        sorted.sort_by(f64::total_cmp);
        let all = self.0.each_ref().map(|times| Summary::of(times.iter().copied()));
        let spread = [0, 1].map(|i| Summary::of(self.0[i].iter().map(|time| (time - all[i].mean).powi(2))));
        let croppings = (1..=CROPPINGS).map(|k| {
            let share = 1.0 - 0.5f64.powf(f64::from(k) / 10.0);
            let limit = sorted.get((share * sorted.len() as f64) as usize).copied().unwrap_or_default();
            let cropped =
                self.0.each_ref().map(|times| Summary::of(times.iter().copied().filter(|&time| time < limit)));
            (Part::Fastest(share), cropped)
        });
        [(Part::All, all), (Part::Spread, spread)]
            .into_iter()
            .chain(croppings)
            .filter(|(_, classes)| classes.iter().all(|class| class.count >= FEWEST))
            .map(|(part, classes)| Comparison::new(part, &classes))
            .collect()
    }
}

impl Comparison {
    fn new(part: Part, [first, second]: &[Summary; 2]) -> Comparison {
        let error = (first.squared_error() + second.squared_error()).sqrt();
        let difference = second.mean - first.mean;
        // Times without any spread differ for certain, or not at all.
        let t = if difference == 0.0 { 0.0 } else { difference / error };
        Comparison { part, t, error }
    }
}

struct Summary {
    count: usize,
    mean: f64,
    /// The sum of the squares of the distances from the mean.
    squares: f64,
}

impl Summary {
    fn of(values: impl Iterator<Item = f64>) -> Summary {
        values.fold(Summary { count: 0, mean: 0.0, squares: 0.0 }, |summary, value| {
            let count = summary.count + 1;
            let distance = value - summary.mean;
            let mean = summary.mean + distance / count as f64;
            Summary { count, mean, squares: summary.squares + distance * (value - mean) }
        })
    }

    /// The variance of the mean.
    fn squared_error(&self) -> f64 {
        self.squares / (self.count - 1) as f64 / self.count as f64
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::All => f.pad("all"),
            Part::Fastest(share) => f.pad(&format!("fastest {:.1} %", 100.0 * share)),
            Part::Spread => f.pad("spread"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Welch's t of these two, by hand: means 3 and 7, variances 2.5 and 10, five values each.
    #[test]
    fn t_is_the_difference_in_standard_errors() {
        let classes =
            [[1.0, 2.0, 3.0, 4.0, 5.0], [3.0, 5.0, 7.0, 9.0, 11.0]].map(|times| Summary::of(times.into_iter()));
        let comparison = Comparison::new(Part::All, &classes);
        assert!((comparison.error - 2.5f64.sqrt()).abs() < 1e-12);
        assert!((comparison.t - 4.0 / 2.5f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn equal_classes_are_not_told_apart() {
        assert!(largest_t(&samples(|_, noise| noise)) < 4.5);
    }

    #[test]
    fn a_small_difference_is_found() {
        assert!(largest_t(&samples(|class, noise| noise + 5.0 * class as f64)) > 10.0);
    }

    #[test]
    fn a_difference_is_found_under_rare_delays() {
        let delayed = samples(|class, noise| noise + 5.0 * class as f64 + if noise > 98.0 { 1e6 } else { 0.0 });
        let (all, cropped): (Vec<_>, Vec<_>) = delayed.compare().into_iter().partition(|of| of.part == Part::All);
        assert!(all[0].t.abs() < 4.5);
        assert!(cropped.iter().any(|of| of.t > 10.0));
    }

    #[test]
    fn different_spreads_are_found() {
        let samples = samples(|class, noise| if class == 0 { noise } else { 50.0 + (noise - 50.0) * 1.3 });
        assert!(samples.compare().iter().any(|of| of.part == Part::Spread && of.t > 10.0));
    }

    #[test]
    fn few_times_say_nothing() {
        assert!(Samples([vec![1.0; 49], vec![2.0; 1000]]).compare().is_empty());
    }

    fn largest_t(samples: &Samples) -> f64 {
        samples.compare().iter().map(|comparison| comparison.t.abs()).fold(0.0, f64::max)
    }

    /// 10000 times of each class, made of noise that is uniform between 0 and 100.
    fn samples(time: impl Fn(usize, f64) -> f64) -> Samples {
        let mut random = Random::new(1);
        let mut noise = || (random.word() >> 11) as f64 / (1u64 << 53) as f64 * 100.0;
        Samples([0, 1].map(|class| (0..10_000).map(|_| time(class, noise())).collect()))
    }
}
