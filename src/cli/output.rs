use super::failure::Failure;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::rc::Rc;

/// Where a command's results go: as text line by line, or as one JSON object at its end.
pub struct Output {
    json: bool,
    unwritten: Unwritten,
}

/// The first error of writing results. That nobody reads them any more is none: a closed pipe ends the output, not the work.
#[derive(Clone, Default)]
struct Unwritten(Rc<RefCell<Option<io::Error>>>);

impl Unwritten {
    fn note(&self, written: io::Result<()>) {
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.0.borrow_mut().get_or_insert(error);
        }
    }
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json, unwritten: Unwritten::default() }
    }

    /// Fails if results could not be written.
    pub fn finish(&self) -> Result<(), Failure> {
        self.unwritten.note(io::stdout().flush());
        match self.unwritten.0.borrow_mut().take() {
            Some(error) => Err(Failure::new("cannot write the results to standard output").because(&error)),
            None => Ok(()),
        }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a line of text for people. Colours in it are dropped where standard output is no terminal.
    pub fn line(&self, line: impl Display) {
        if !self.json {
            self.unwritten.note(put(anstream::stdout(), line));
        }
    }

    /// Prints the JSON object for scripts, once, at the end of the command.
    pub fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string(object)
                .map_err(|error| Failure::new("cannot write the result as JSON").because(&error))?;
            self.unwritten.note(put(anstream::stdout(), text));
        }
        Ok(())
    }

    /// Begins the JSON object of results that are too many to be held at once.
    pub fn stream(&self) -> ObjectStream {
        ObjectStream {
            out: self.json.then(|| BufWriter::new(io::stdout())),
            state: State::Empty,
            unwritten: self.unwritten.clone(),
        }
    }

    /// Prints a message to standard error.
    pub fn message(&self, message: impl Display) {
        // That messages have nowhere to go is nothing that could be told.
        let _ = put(anstream::stderr(), message);
    }

    /// Shows how far long work has come, if somebody is watching.
    pub fn progress(&self, message: impl Display) {
        if !self.json && io::stderr().is_terminal() {
            let mut stderr = anstream::stderr();
            let _ = write!(stderr, "\r\x1b[2K{message}");
            let _ = stderr.flush();
        }
    }

    /// Removes what [`progress`](Self::progress) shows.
    pub fn end_progress(&self) {
        self.progress("");
    }

    /// Reports a failed command.
    pub fn failure(&self, failure: &Failure) {
        if failure.is_reported() && self.json {
            return;
        }
        self.message(format_args!("{}error:{} {}", error_style(), error_style().render_reset(), failure.message()));
        if let Some(advice) = failure.advice() {
            self.message(advice);
        }
        if self.json {
            let object = json!({ "error": failure.message(), "advice": failure.advice() });
            // The exit code tells of the failure, whether this does or not.
            let _ = put(anstream::stdout(), object);
        }
    }
}

/// A JSON object for scripts that is written field by field, and its lists item by item. Without `--json` it is nothing.
pub struct ObjectStream {
    out: Option<BufWriter<io::Stdout>>,
    state: State,
    unwritten: Unwritten,
}

enum State {
    Empty,
    Fields,
    EmptyList,
    List,
}

impl ObjectStream {
    /// Adds a field.
    pub fn field(&mut self, name: &str, value: &Value) {
        self.begin_field(name);
        self.put(value);
        self.state = State::Fields;
    }

    /// Begins a list as the next field.
    pub fn begin_list(&mut self, name: &str) {
        self.begin_field(name);
        self.put_text("[");
        self.state = State::EmptyList;
    }

    /// Adds to the list that was begun.
    pub fn item(&mut self, value: &Value) {
        if matches!(self.state, State::List) {
            self.put_text(",");
        }
        self.put(value);
        self.state = State::List;
    }

    /// Ends the list.
    pub fn end_list(&mut self) {
        self.put_text("]");
        self.state = State::Fields;
    }

    /// Ends the object.
    pub fn end(mut self) {
        self.put_text(if matches!(self.state, State::Empty) { "{}\n" } else { "}\n" });
        if let Some(out) = &mut self.out {
            self.unwritten.note(out.flush());
        }
    }

    fn begin_field(&mut self, name: &str) {
        self.put_text(if matches!(self.state, State::Empty) { "{" } else { "," });
        self.put(&name.into());
        self.put_text(":");
    }

    fn put(&mut self, value: &Value) {
        if let Some(out) = &mut self.out {
            self.unwritten.note(serde_json::to_writer(out, value).map_err(io::Error::from));
        }
    }

    fn put_text(&mut self, text: &str) {
        if let Some(out) = &mut self.out {
            self.unwritten.note(out.write_all(text.as_bytes()));
        }
    }
}

fn put(mut stream: impl Write, line: impl Display) -> io::Result<()> {
    writeln!(stream, "{line}")
}

pub const fn error_style() -> Style {
    AnsiColor::Red.on_default().bold()
}

pub const fn good_style() -> Style {
    AnsiColor::Green.on_default()
}

pub const fn field_style() -> Style {
    AnsiColor::Cyan.on_default()
}

pub const fn title_style() -> Style {
    Style::new().bold()
}

pub const fn quiet_style() -> Style {
    Style::new().dimmed()
}

/// Lower-case hexadecimal digits of `octets`.
pub fn hex(octets: impl AsRef<[u8]>) -> String {
    octets.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn hex_is_lower_case_and_padded() {
        assert_eq!(super::hex([0x0a, 0xff]), "0aff");
    }
}
