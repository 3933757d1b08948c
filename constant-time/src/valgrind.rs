//! The check under valgrind: every branch that depends on a secret is one that the list allows, no address does, and
//! leaks made on purpose are found.

use crate::memcheck;
use crate::operations::OPERATIONS;
use crate::planted::PLANTED;
use crate::secrecy;
use crate::verdicts::Verdicts;
use mikey_sakke::arith::backend::Backend;
use std::collections::BTreeSet;
use std::path::Path;

/// The backends of whose instructions valgrind knows all.
const WATCHABLE: [Backend; 2] = [Backend::Bmi2, Backend::Portable];

/// Whether all is as it must be. Everything is printed.
pub fn check(root: &Path) -> Result<bool, String> {
    let mut verdicts = Verdicts::read(root)?;
    let mut passed = true;
    for backend in WATCHABLE {
        if Backend::available().any(|available| available == backend) {
            println!("backend {}", backend.name());
            passed &= check_backend(root, backend, &mut verdicts)?;
        } else {
            println!("backend {} is not covered: this processor lacks its instructions", backend.name());
        }
    }
    for backend in Backend::available().filter(|backend| !WATCHABLE.contains(backend)) {
        println!("backend {} is not covered: valgrind does not know its instructions (see trace)", backend.name());
    }
    for fault in verdicts.faults(root) {
        println!("verdicts.txt: {fault}");
        passed = false;
    }
    for verdict in verdicts.unmet() {
        println!("verdicts.txt: nothing was reported of this line of {}: {}", verdict.file, verdict.code);
    }
    Ok(passed)
}

/// Makes a backend the active one of this process, which valgrind runs.
#[allow(unsafe_code)]
pub fn force(name: &str) -> Result<(), String> {
    if !secrecy::is_watched() {
        return Err("this is for valgrind to run".into());
    }
    let backend =
        WATCHABLE.into_iter().find(|backend| backend.name() == name).ok_or("valgrind cannot run this backend")?;
    // SAFETY: valgrind runs BMI2, as it claims, and ADX, which it does not.
    unsafe { backend.force_unchecked() };
    Ok(())
}

fn check_backend(root: &Path, backend: Backend, verdicts: &mut Verdicts) -> Result<bool, String> {
    let planted: Vec<_> = PLANTED.iter().map(|planted| planted.operation.name).collect();
    let operations: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
    let mut passed = true;
    for (planted, reports) in PLANTED.iter().zip(memcheck::watch(root, backend, &planted)?) {
        let found = reports.iter().any(|report| verdicts.is_leak(report) && planted.is_in(report));
        println!("  {:<26} {}", planted.operation.name, if found { "found, as it must be" } else { "NOT FOUND" });
        passed &= found;
    }
    let mut told = BTreeSet::new();
    for (operation, reports) in operations.iter().zip(memcheck::watch(root, backend, &operations)?) {
        let leaks: Vec<_> = reports.iter().filter(|report| verdicts.is_leak(report)).collect();
        if leaks.is_empty() {
            println!("  {operation:<26} passed ({} verdicts)", reports.len());
            continue;
        }
        passed = false;
        // What leaks at one place is told once, with the calls that first led there.
        let new: Vec<_> = leaks.iter().filter(|leak| told.insert(leak.places.first().cloned())).collect();
        println!("  {operation:<26} FAILED{}", if new.is_empty() { ", as above" } else { "" });
        new.iter().for_each(|leak| print!("{leak}"));
    }
    Ok(passed)
}
