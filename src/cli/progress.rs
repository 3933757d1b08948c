use super::output::Output;
use mikey_sakke::kms::Progress;
use std::time::{Duration, Instant};

const BAR: usize = 24;

/// A bar on the terminal for work that counts what it has done: how much, how fast, how long it will still take.
pub struct Meter<'o> {
    output: &'o Output,
    what: &'static str,
    begun: Instant,
    begun_with: usize,
}

impl<'o> Meter<'o> {
    pub fn new(output: &'o Output) -> Self {
        Self { output, what: "", begun: Instant::now(), begun_with: 0 }
    }

    pub fn show(&mut self, progress: Progress) {
        // Another stage of the work has a speed of its own.
        if self.what != progress.what {
            *self = Self { what: progress.what, begun: Instant::now(), begun_with: progress.done, ..*self };
        }
        self.output.progress(line(progress, progress.done.saturating_sub(self.begun_with), self.begun.elapsed()));
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.output.end_progress();
    }
}

/// `fresh` were done in the `time` that was measured.
fn line(Progress { what, done, of }: Progress, fresh: usize, time: Duration) -> String {
    let filled = (BAR * done.min(of)).checked_div(of).unwrap_or(BAR);
    let bar = format!("{}{}", "#".repeat(filled), "-".repeat(BAR - filled));
    let seconds = time.as_secs_f64();
    if fresh == 0 || seconds < 0.1 {
        return format!("[{bar}] {done} of {of} {what}");
    }
    let rate = fresh as f64 / seconds;
    let left = (of.saturating_sub(done) as f64 / rate).ceil();
    format!("[{bar}] {done} of {of} {what}, {rate:.0} a second, {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_how_much_how_fast_and_how_long() {
        let progress = |done, of| Progress { what: "done", done, of };
        assert_eq!(
            line(progress(150, 400), 100, Duration::from_secs(2)),
            "[#########---------------] 150 of 400 done, 50 a second, 5 s left"
        );
        assert_eq!(line(progress(0, 400), 0, Duration::ZERO), "[------------------------] 0 of 400 done");
        assert_eq!(line(progress(0, 0), 0, Duration::ZERO), "[########################] 0 of 0 done");
    }
}
