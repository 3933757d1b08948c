//! Runs this program under valgrind's memcheck and reads the reports.

use mikey_sakke::arith::backend::Backend;
use roxmltree::{Document, Node};
use std::env;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Something that valgrind saw depend on a secret.
pub struct Report {
    /// In valgrind's words.
    pub what: String,
    /// [`BRANCH`], [`ADDRESS`], or one of those that secrets have nothing to do with.
    pub kind: String,
    /// Where it happened, the innermost call first; of the calls only those in the sources of this repository.
    pub places: Vec<Place>,
}

/// The kind of a branch that depends on a secret.
pub const BRANCH: &str = "UninitCondition";
/// The kind of an address that depends on a secret.
pub const ADDRESS: &str = "UninitValue";

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Relative to the repository.
    pub file: String,
    pub line: usize,
    pub code: String,
}

/// Calls from here on are of no interest.
const MAIN: &str = "constant-time/src/main.rs";

/// What is reported of each operation, in the same order. Several are watched at a time.
pub fn watch(root: &Path, backend: Backend, operations: &[&str]) -> Result<Vec<Vec<Report>>, String> {
    let next = AtomicUsize::new(0);
    let results: Vec<_> = operations.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        while let Some(i) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&i| i < operations.len()) {
            results[i].get_or_init(|| watch_one(root, backend, operations[i]));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    results.into_iter().filter_map(OnceLock::into_inner).collect()
}

/// Each operation has a process of its own, since valgrind tells a place only once.
fn watch_one(root: &Path, backend: Backend, operation: &str) -> Result<Vec<Report>, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let file = program.with_file_name(format!("{operation}-{}.xml", backend.name()));
    let xml_file = format!("--xml-file={}", file.display());
    let status = Command::new("valgrind")
        .args(["--tool=memcheck", "--leak-check=no", "--xml=yes", &xml_file])
        .args(["--expensive-definedness-checks=yes", "--num-callers=100", "--error-limit=no"])
        .arg(program)
        .args(["watched", backend.name(), operation])
        .status()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    if !status.success() {
        return Err(format!("{operation} on backend {} under valgrind: {status}", backend.name()));
    }
    let xml = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let document = Document::parse(&xml).map_err(|error| format!("{}: {error}", file.display()))?;
    let errors = document.descendants().filter(|node| node.has_tag_name("error"));
    Ok(errors.map(|error| Report::read(root, error)).collect())
}

impl Report {
    fn read(root: &Path, error: Node) -> Report {
        let text = |tag| child_text(error, tag).unwrap_or_default().to_string();
        let stack = error.children().find(|node| node.has_tag_name("stack"));
        let frames = stack.into_iter().flat_map(|stack| stack.children().filter(|node| node.has_tag_name("frame")));
        Report {
            what: text("what"),
            kind: text("kind"),
            places: frames.filter_map(|frame| Place::read(root, frame)).collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind.as_str() {
            BRANCH => "a branch depends on a secret",
            ADDRESS => "an address depends on a secret",
            _ => &self.what,
        };
        writeln!(f, "    {what}:")?;
        let mut places = self.places.iter().take_while(|place| place.file != MAIN);
        places.try_for_each(|Place { file, line, code }| writeln!(f, "      {file}:{line}: {code}"))
    }
}

impl Place {
    fn read(root: &Path, frame: Node) -> Option<Place> {
        let path = Path::new(child_text(frame, "dir")?).join(child_text(frame, "file")?);
        Place::new(root, &path, child_text(frame, "line")?.parse().ok()?)
    }

    /// `None` for code from elsewhere.
    pub fn new(root: &Path, path: &Path, line: usize) -> Option<Place> {
        let file = path.strip_prefix(root).ok()?.to_str()?.to_string();
        let source = fs::read_to_string(path).ok()?;
        let code = source.lines().nth(line.checked_sub(1)?)?.trim().to_string();
        Some(Place { file, line, code })
    }
}

fn child_text<'a>(node: Node<'a, '_>, tag: &str) -> Option<&'a str> {
    node.children().find(|child| child.has_tag_name(tag))?.text()
}
