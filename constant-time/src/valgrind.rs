//! The check under valgrind: every branch that depends on a secret is one that the list allows, no address does, and
//! leaks made on purpose are found.

use crate::memcheck::{self, ADDRESS, BRANCH, Report};
use crate::operation::Operation;
use crate::operations::OPERATIONS;
use crate::planted;
use crate::verdicts::{Judgement, Verdicts};
use mikey_sakke::arith::backend::Backend;
use std::collections::BTreeSet;
use std::path::Path;

/// Whether all is as it must be. What is not is printed.
pub fn check() -> Result<bool, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the tool lies outside the repository")?;
    let verdicts = Verdicts::read(root)?;
    let mut check = Check { root, verdicts, passed: true };
    let backends = memcheck::backends()?;
    for backend in &backends {
        println!("backend {backend}");
        for planted in PLANTED {
            check.finds(planted, backend)?;
        }
        for operation in OPERATIONS {
            check.finds_nothing(operation, backend)?;
        }
    }
    for backend in
        Backend::available().map(Backend::name).filter(|name| !backends.iter().any(|backend| backend == name))
    {
        println!("backend {backend} is not covered: valgrind's processor lacks its instructions (see `dudect`)");
    }
    for verdict in check.verdicts.unmet() {
        println!("listed, but nothing was reported of it: {}: {}", verdict.file, verdict.code);
    }
    Ok(check.passed)
}

/// A leak made on purpose, and what must be reported of it.
struct Planted {
    operation: Operation,
    kind: &'static str,
    file: &'static str,
}

const PLANTED: &[Planted] = &[
    Planted { operation: planted::BRANCH, kind: BRANCH, file: "constant-time/src/planted.rs" },
    Planted { operation: planted::INDEX, kind: ADDRESS, file: "constant-time/src/planted.rs" },
    Planted { operation: planted::VARTIME, kind: BRANCH, file: "src/arith/p256/multi_scalar.rs" },
];

struct Check<'a> {
    root: &'a Path,
    verdicts: Verdicts,
    passed: bool,
}

impl Check<'_> {
    fn finds(&mut self, planted: &Planted, backend: &str) -> Result<(), String> {
        let reports = memcheck::watch(self.root, backend, planted.operation.name)?;
        let found = reports.iter().any(|report| match self.verdicts.judge(report) {
            Judgement::Leak(Some(place)) => report.kind == planted.kind && place.file == planted.file,
            _ => false,
        });
        println!("  {:<26} {}", planted.operation.name, if found { "found, as it must be" } else { "NOT FOUND" });
        self.passed &= found;
        Ok(())
    }

    fn finds_nothing(&mut self, operation: &Operation, backend: &str) -> Result<(), String> {
        let reports = memcheck::watch(self.root, backend, operation.name)?;
        let is_leak = |report: &&Report| matches!(self.verdicts.judge(report), Judgement::Leak(_));
        let leaks: Vec<_> = reports.iter().filter(is_leak).collect();
        if leaks.is_empty() {
            println!("  {:<26} passed ({} verdicts)", operation.name, reports.len());
        } else {
            println!("  {:<26} FAILED", operation.name);
            print(&leaks);
            self.passed = false;
        }
        Ok(())
    }
}

/// What leaks at one place is told once, with the calls that led there first.
fn print(leaks: &[&Report]) {
    let mut told = BTreeSet::new();
    for leak in leaks {
        if told.insert(leak.places.first().map(|place| (&place.file, place.line))) {
            match leak.kind.as_str() {
                BRANCH => println!("    a branch depends on a secret:"),
                ADDRESS => println!("    an address depends on a secret:"),
                _ => println!("    {}:", leak.what),
            }
            for place in leak.places.iter().take_while(|place| place.file != MAIN) {
                println!("      {}:{}: {}", place.file, place.line, place.code);
            }
        }
    }
}

/// Calls from here on are of no interest.
const MAIN: &str = "constant-time/src/main.rs";
