use std::error::Error;
use std::fmt::Display;

/// Why a command did not do what it was asked for, in words for the person who asked.
#[derive(Debug)]
pub struct Failure {
    what: String,
    causes: Vec<String>,
    advice: Option<String>,
    reported: bool,
}

impl Failure {
    /// The command failed: `what` happened.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), causes: Vec::new(), advice: None, reported: false }
    }

    /// The same failure, after the command's JSON object has told of it.
    pub fn once_reported(self) -> Self {
        Self { reported: true, ..self }
    }

    /// An error and the errors behind it, in one line.
    pub fn explain(error: &(dyn Error + 'static)) -> String {
        causes(error).join(": ")
    }

    /// Adds the error behind it, and the errors behind that one.
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        self.causes.extend(causes(error));
        self
    }

    /// Adds what to do next.
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    pub fn is_reported(&self) -> bool {
        self.reported
    }

    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// What happened and why, in one line.
    pub fn message(&self) -> String {
        let mut message = self.what.clone();
        for cause in &self.causes {
            message.push_str(": ");
            message.push_str(cause);
        }
        message
    }
}

fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        // Many an error repeats its cause in its own words.
        if !causes.last().is_some_and(|previous| previous.contains(&text)) {
            causes.push(text);
        }
        next = error.source();
    }
    causes
}

/// Turns the errors of the library into failures that say what the command was doing.
pub trait Context<T> {
    /// `what` names what could not be done, for example `cannot open the store alice`.
    fn context(self, what: impl Display) -> Result<T, Failure>;
}

impl<T, E: Error + 'static> Context<T> for Result<T, E> {
    fn context(self, what: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(what.to_string()).because(&error))
    }
}

/// Adds advice to whatever failed.
pub trait Advise<T> {
    /// `advice` is a whole sentence that says what to do next.
    fn advise(self, advice: impl Display) -> Result<T, Failure>;
}

impl<T> Advise<T> for Result<T, Failure> {
    fn advise(self, advice: impl Display) -> Result<T, Failure> {
        self.map_err(|failure| failure.advise(advice.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("outer: {0}")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_are_named_once() {
        let error = Outer(io::Error::new(io::ErrorKind::NotFound, "inner"));
        let failure = Failure::new("cannot read").because(&error);
        assert_eq!(failure.message(), "cannot read: outer: inner");
    }
}
