//! The lines of the library that may reveal something of a secret: the list in `verdicts.txt`.

use crate::memcheck::{BRANCH, Report};
use std::fs;
use std::path::Path;

pub struct Verdicts(Vec<Verdict>);

pub struct Verdict {
    permission: Permission,
    pub file: String,
    pub code: String,
    has_reason: bool,
    /// Whether something was reported of this line.
    is_met: bool,
}

/// What a line may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Permission {
    /// Reveal what the reason in the list says.
    Reveal,
    /// Reveal what the line that called it may: it compares on behalf of others.
    AskCaller,
}

impl Verdicts {
    pub fn read(root: &Path) -> Result<Verdicts, String> {
        let list = root.join("constant-time/verdicts.txt");
        let text = fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
        Verdicts::parse(&text)
    }

    /// What is wrong with the list: a line that the sources lack, that is not the only one of its kind, or that has no
    /// reason.
    pub fn faults(&self, root: &Path) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|verdict| verdict.fault(root))
    }

    fn parse(text: &str) -> Result<Verdicts, String> {
        let mut verdicts: Vec<Verdict> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if line.starts_with(' ') {
                verdicts.last_mut().ok_or("verdicts.txt starts with a reason")?.has_reason = true;
                continue;
            }
            let mut words = line.splitn(3, ' ');
            let (Some(word), Some(file), Some(code)) = (words.next(), words.next(), words.next()) else {
                return Err(format!("verdicts.txt: expected a permission, a file and code, found: {line}"));
            };
            let permission = match word {
                "reveal" => Permission::Reveal,
                "ask-caller" => Permission::AskCaller,
                _ => return Err(format!("verdicts.txt: the permissions are reveal and ask-caller, found: {word}")),
            };
            let (file, code) = (file.to_string(), code.to_string());
            verdicts.push(Verdict { permission, file, code, has_reason: false, is_met: false });
        }
        Ok(Verdicts(verdicts))
    }

    /// Whether a report is about anything but a branch on a line that may reveal something.
    pub fn is_leak(&mut self, report: &Report) -> bool {
        if report.kind != BRANCH {
            return true;
        }
        for place in &report.places {
            let verdict = self.0.iter_mut().find(|verdict| verdict.file == place.file && verdict.code == place.code);
            let Some(verdict) = verdict else { return true };
            verdict.is_met = true;
            if verdict.permission == Permission::Reveal {
                return false;
            }
        }
        true
    }

    /// Lines that may reveal something, and of which nothing was reported.
    pub fn unmet(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter().filter(|verdict| verdict.permission == Permission::Reveal && !verdict.is_met)
    }
}

impl Verdict {
    fn fault(&self, root: &Path) -> Option<String> {
        let Verdict { file, code, .. } = self;
        let source = fs::read_to_string(root.join(file)).unwrap_or_default();
        match source.lines().filter(|line| line.trim() == code).count() {
            0 => Some(format!("{file} has no such line: {code}")),
            2.. if self.permission == Permission::Reveal => {
                Some(format!("{file} has this line more than once: {code}"))
            }
            _ if !self.has_reason => Some(format!("this line of {file} has no reason: {code}")),
            _ => None,
        }
    }
}
