use crate::cli::failure::Failure;
use crate::cli::output::{Output, error_style, good_style, quiet_style, title_style};
use serde::Serialize;
use std::error::Error;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// Columns of a line of the story; the time of a step ends in the last one.
const WIDTH: usize = 96;
const TIME_WIDTH: usize = 11;

/// Tells the story: what is about to happen, what happened, and how long it took.
pub struct Narrator<'a> {
    output: &'a Output,
    act: usize,
    steps: Vec<Step>,
}

/// One thing that happened.
#[derive(Serialize)]
pub struct Step {
    name: String,
    ok: bool,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl<'a> Narrator<'a> {
    pub fn new(output: &'a Output) -> Self {
        Self { output, act: 0, steps: Vec::new() }
    }

    /// Opens a new act of the story.
    pub fn act(&mut self, title: &str) {
        self.act += 1;
        let style = title_style();
        self.output.line(format_args!("\n{style}{}. {title}{style:#}", self.act));
    }

    /// Says something, in lines that fit.
    pub fn say(&self, text: impl Display) {
        for line in wrap(&text.to_string(), WIDTH - 3) {
            self.output.line(format_args!("   {line}"));
        }
    }

    /// Shows a detail, such as what is seen on the wire, in a quiet voice.
    pub fn detail(&self, label: &str, text: impl Display) {
        let quiet = quiet_style();
        for (index, line) in wrap(&text.to_string(), WIDTH - 25).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.output.line(format_args!("     {quiet}{label:<19} {line}{quiet:#}"));
        }
    }

    /// Does one step and notes its time. If it fails, the story ends.
    pub fn step<T, E: Into<Box<dyn Error>>>(
        &mut self,
        name: &str,
        action: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let outcome = action();
        let elapsed = start.elapsed();
        match outcome {
            Ok(value) => {
                self.note(name, elapsed, None);
                Ok(value)
            }
            Err(error) => {
                let failure = Failure::new(name).because(&*error.into());
                self.note(name, elapsed, Some(failure.message()));
                Err(failure)
            }
        }
    }

    /// Lets an attacker try. The step is good only if the attempt fails, and for the reason that `expected` recognises;
    /// the story goes on either way.
    pub fn attack<T, E: Error + 'static>(
        &mut self,
        name: &str,
        attempt: impl FnOnce() -> Result<T, E>,
        expected: impl FnOnce(&E) -> bool,
    ) {
        let start = Instant::now();
        let outcome = attempt();
        let elapsed = start.elapsed();
        match outcome {
            Ok(_) => self.note(name, elapsed, Some("the attack succeeded".to_owned())),
            Err(error) => {
                let refusal = Failure::explain(&error);
                if expected(&error) {
                    self.note(name, elapsed, None);
                    self.detail("refused", &refusal);
                } else {
                    self.note(name, elapsed, Some(format!("it failed for another reason than it should: {refusal}")));
                }
            }
        }
    }

    /// Whether every step was good.
    pub fn all_good(&self) -> bool {
        self.steps.iter().all(|step| step.ok)
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn note(&mut self, name: &str, elapsed: Duration, error: Option<String>) {
        let ms = elapsed.as_secs_f64() * 1e3;
        let time = format!("{ms:.2} ms");
        let (mark, style) = if error.is_none() { ("+", good_style()) } else { ("!", error_style()) };
        let mut lines = wrap(name, WIDTH - 5 - TIME_WIDTH);
        let last = lines.pop().unwrap_or_default();
        let mut mark = format!("{style}{mark}{style:#}");
        for line in lines {
            self.output.line(format_args!("   {mark} {line}"));
            mark = " ".to_owned();
        }
        let width = WIDTH - 5 - TIME_WIDTH;
        self.output.line(format_args!("   {mark} {last:<width$}{time:>TIME_WIDTH$}"));
        if let Some(error) = &error {
            self.output.line(format_args!("     {style}FAILED{style:#} {error}"));
        }
        self.steps.push(Step { name: name.to_owned(), ok: error.is_none(), ms, error });
    }
}

/// Breaks `text` at its spaces into lines of at most `width` characters, if its words allow it.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_they_may_be() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
    }

    #[test]
    fn an_attack_that_succeeds_is_a_failed_step() {
        let output = Output::new(true);
        let mut narrator = Narrator::new(&output);
        narrator.attack("refused as it should be", || "x".parse::<u8>(), |_| true);
        assert!(narrator.all_good());
        narrator.attack("refused for another reason", || "x".parse::<u8>(), |_| false);
        assert!(!narrator.all_good());

        let mut narrator = Narrator::new(&output);
        narrator.attack("not refused", || "1".parse::<u8>(), |_| true);
        assert!(!narrator.all_good());
    }

    #[test]
    fn a_failed_step_says_what_it_was_about() {
        let output = Output::new(true);
        let mut narrator = Narrator::new(&output);
        let failure = narrator.step("reading a number", || "x".parse::<u8>()).unwrap_err();
        assert_eq!(failure.message(), "reading a number: invalid digit found in string");
        assert!(!narrator.all_good());
    }
}
