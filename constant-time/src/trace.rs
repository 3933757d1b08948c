//! The check of traces: whether an operation takes the same instructions and the same addresses for different secrets.
//! It takes every backend as it is, and needs no statistics.
//!
//! Runs that differ in their secrets alone are processes of their own, and all take a step at a time. Where they part,
//! a branch or an address depends on a secret.

use crate::memcheck::{ADDRESS, BRANCH, Place, Report};
use crate::operation::Operation;
use crate::planted::PLANTED;
use crate::random::{Class, Random};
use crate::stepper::{Step, Stepper, mark};
use crate::verdicts::Verdicts;
use addr2line::Loader;
use mikey_sakke::arith::backend::Backend;
use std::env;
use std::ops::Range;
use std::path::Path;

pub struct Options {
    pub operations: Vec<&'static Operation>,
}

/// The runs that are compared: by their numbers, as `traced` takes them.
const RUNS: [(Class, u64); 3] = [(Class::First, 2), (Class::Second, 3), (Class::Second, 4)];
/// What all runs of an operation share comes from this.
const SHARED: u64 = 1;

/// Where the runs of an operation came to.
enum Outcome {
    /// To the end, all alike, after so many instructions.
    End(u64),
    /// To where they part.
    Parting(u64, Report),
}

/// Whether all is as it must be. Everything is printed.
pub fn check(root: &Path, options: &Options) -> Result<bool, String> {
    let mut verdicts = Verdicts::read(root)?;
    let mut passed = true;
    println!("backend {}", Backend::active().name());
    for planted in PLANTED {
        let found = matches!(compare(root, &planted.operation)?, Outcome::Parting(_, leak) if planted.is_in(&leak));
        println!("  {:<26} {}", planted.operation.name, if found { "found, as it must be" } else { "NOT FOUND" });
        passed &= found;
    }
    for operation in &options.operations {
        match compare(root, operation)? {
            Outcome::End(steps) => println!("  {:<26} passed ({steps} instructions)", operation.name),
            Outcome::Parting(steps, report) if !verdicts.is_leak(&report) => {
                println!("  {:<26} passed ({steps} instructions, up to a verdict)", operation.name);
            }
            Outcome::Parting(steps, leak) => {
                println!("  {:<26} FAILED after {steps} instructions", operation.name);
                print!("{leak}");
                passed = false;
            }
        }
    }
    Ok(passed)
}

/// Runs an operation once, with the secrets of a run of [`RUNS`], for a stepping process.
pub fn run_once(operation: &Operation, run: &str) -> Result<(), String> {
    let run: usize = run.parse().map_err(|_| "the runs are numbers")?;
    let &(class, seed) = RUNS.get(run).ok_or("there is no such run")?;
    let mut prepare = (operation.set_up)(&mut Random::new(SHARED));
    let mut run = prepare(class, &mut Random::new(seed));
    mark();
    run();
    mark();
    Ok(())
}

fn compare(root: &Path, operation: &Operation) -> Result<Outcome, String> {
    let start = |run| Stepper::start(&["traced", Backend::active().name(), operation.name, run]);
    let mut runs = [start("0")?, start("1")?, start("2")?];
    let program = runs[0].program()?;
    let mut last = Last { anywhere: program.start, in_program: program.start };
    for steps in 0.. {
        // All at once, as many as there are processors.
        runs.iter().try_for_each(Stepper::step)?;
        runs.iter().try_for_each(Stepper::wait)?;
        let [first, second, third] = &mut runs;
        let next = first.next()?;
        if next != second.next()? || next != third.next()? {
            let report = report(root, &mut runs, &program, last)?;
            return Ok(Outcome::Parting(steps, report));
        }
        match next {
            Step::Instruction { at, .. } => last.note(at, &program),
            Step::End => return Ok(Outcome::End(steps)),
        }
    }
    unreachable!("the operation ends")
}

/// The last instructions that were the same: of all, and of the program, which may have called what came after.
struct Last {
    anywhere: u64,
    in_program: u64,
}

impl Last {
    fn note(&mut self, at: u64, program: &Range<u64>) {
        self.anywhere = at;
        if program.contains(&at) {
            self.in_program = at;
        }
    }
}

/// Why runs part: the same instruction has different addresses, or the last common one has led to different places.
fn report(root: &Path, runs: &mut [Stepper; 3], program: &Range<u64>, last: Last) -> Result<Report, String> {
    let mut here = Vec::new();
    for run in runs.iter_mut() {
        here.push(match run.next()? {
            Step::Instruction { at, .. } => Some(at),
            Step::End => None,
        });
    }
    let same = here.windows(2).all(|two| two[0] == two[1]);
    let (kind, at) = match here[0] {
        Some(at) if same => (ADDRESS, at),
        _ => (BRANCH, last.anywhere),
    };
    // A library of the system has no lines here: what the program called it for has.
    let at = if program.contains(&at) { at } else { last.in_program };
    Ok(Report { what: String::new(), kind: kind.to_string(), places: places(root, at - program.start)? })
}

/// The lines that an instruction comes from, the innermost first.
fn places(root: &Path, address: u64) -> Result<Vec<Place>, String> {
    let program = env::current_exe().map_err(text)?;
    let loader = Loader::new(program).map_err(text)?;
    let mut frames = loader.find_frames(address).map_err(text)?;
    let mut places = Vec::new();
    while let Some(frame) = frames.next().map_err(text)? {
        let location = frame.location.and_then(|location| Some((location.file?, location.line?)));
        places.extend(location.and_then(|(file, line)| Place::new(root, Path::new(file), line as usize)));
    }
    Ok(places)
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
