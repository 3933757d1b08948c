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

/// Whether all is as it must be. Everything is printed.
pub fn check() -> Result<bool, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the tool lies outside the repository")?;
    let mut verdicts = Verdicts::read(root)?;
    let covered = memcheck::backends()?;
    let mut passed = true;
    for backend in &covered {
        println!("backend {backend}");
        passed &= check_backend(root, backend, &mut verdicts)?;
    }
    for backend in Backend::available().map(Backend::name).filter(|&name| covered.iter().all(|other| other != name)) {
        println!("backend {backend} is not covered: valgrind's processor lacks its instructions (see dudect)");
    }
    for verdict in verdicts.unmet() {
        println!("listed, but nothing was reported of it: {}: {}", verdict.file, verdict.code);
    }
    Ok(passed)
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

fn check_backend(root: &Path, backend: &str, verdicts: &mut Verdicts) -> Result<bool, String> {
    let planted: Vec<_> = PLANTED.iter().map(|planted| planted.operation.name).collect();
    let operations: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
    let mut passed = true;
    for (planted, reports) in PLANTED.iter().zip(memcheck::watch(root, backend, &planted)?) {
        let found = reports.iter().any(|report| match verdicts.judge(report) {
            Judgement::Leak(Some(place)) => report.kind == planted.kind && place.file == planted.file,
            _ => false,
        });
        println!("  {:<26} {}", planted.operation.name, if found { "found, as it must be" } else { "NOT FOUND" });
        passed &= found;
    }
    for (operation, reports) in operations.iter().zip(memcheck::watch(root, backend, &operations)?) {
        let is_leak = |report: &&Report| matches!(verdicts.judge(report), Judgement::Leak(_));
        let leaks: Vec<_> = reports.iter().filter(is_leak).collect();
        match leaks.as_slice() {
            [] => println!("  {operation:<26} passed ({} verdicts)", reports.len()),
            leaks => {
                println!("  {operation:<26} FAILED");
                print(leaks);
            }
        }
        passed &= leaks.is_empty();
    }
    Ok(passed)
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
