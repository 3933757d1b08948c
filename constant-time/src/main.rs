//! Shows that operations on secrets take no branch, index or time from them. See docs/constant-time.md.

mod dudect;
mod memcheck;
mod operation;
mod operations;
mod planted;
mod random;
mod registers;
mod secrecy;
mod stepper;
mod trace;
mod valgrind;
mod verdicts;
mod welch;

use lexopt::{Arg, Parser, ValueExt};
use mikey_sakke::arith::backend::Backend;
use operation::Operation;
use operations::OPERATIONS;
use random::{Class, Random};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
Usage:
  constant-time/run valgrind
      watch every operation under valgrind: no branch and no address may depend on a secret
  constant-time/run dudect [--backend NAME] [--operation NAME] [--samples N] [--seconds S]
      compare the times of every operation with different secrets, at most N runs (100000) or S seconds (5) each
  constant-time/run trace [--backend NAME] [--operation NAME]
      step through every operation with different secrets: all must take the same instructions and addresses";

/// Exit codes: 0 if nothing was found, 1 for a leak (or a planted one that was not found), 2 if the check cannot run.
fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let mut arguments = Parser::from_env();
    let command = match arguments.next().map_err(text)? {
        Some(Arg::Value(command)) => command.string().map_err(text)?,
        Some(Arg::Long("help") | Arg::Short('h')) => {
            println!("{USAGE}");
            return Ok(true);
        }
        _ => return Err(USAGE.into()),
    };
    match command.as_str() {
        "valgrind" => no_more(arguments).and_then(|()| valgrind::check(root()?)),
        "dudect" => dudect::check(&dudect_options(arguments)?),
        "trace" => trace::check(root()?, &trace_options(arguments)?),
        // What `valgrind` starts under valgrind.
        "watched" => watched(arguments),
        // What `trace` starts and steps through.
        "traced" => traced(arguments),
        _ => Err(USAGE.into()),
    }
}

/// Runs an operation once for each class.
fn watched(mut arguments: Parser) -> Result<bool, String> {
    let mut value = || arguments.value().and_then(ValueExt::string).map_err(text);
    let (backend, name) = (value()?, value()?);
    valgrind::force(&backend)?;
    let operation = find(&name)?;
    let mut random = Random::new(1);
    let mut prepare = (operation.set_up)(&mut random);
    for class in Class::BOTH {
        prepare(class, &mut random)();
    }
    Ok(true)
}

/// Runs an operation once, for a process that steps through it.
fn traced(mut arguments: Parser) -> Result<bool, String> {
    let mut value = || arguments.value().and_then(ValueExt::string).map_err(text);
    let (backend, name, run) = (value()?, value()?, value()?);
    force(&backend)?;
    trace::run_once(find(&name)?, &run)?;
    Ok(true)
}

fn trace_options(arguments: Parser) -> Result<trace::Options, String> {
    Ok(trace::Options { operations: operations(arguments, |_, _| Ok(false))? })
}

fn dudect_options(arguments: Parser) -> Result<dudect::Options, String> {
    let (mut samples, mut seconds) = (100_000, 5.0);
    let operations = operations(arguments, |name, value| {
        match name {
            "samples" => samples = value.parse().map_err(text)?,
            "seconds" => seconds = value.parse().map_err(text)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(dudect::Options { operations, samples, seconds })
}

/// The operations that the options name, or all; forces the backend that they name. `other` takes an option that is the
/// check's own, or says that it is none.
fn operations(
    mut arguments: Parser,
    mut other: impl FnMut(&str, &OsString) -> Result<bool, String>,
) -> Result<Vec<&'static Operation>, String> {
    let mut operations = OPERATIONS.iter().collect();
    while let Some(argument) = arguments.next().map_err(text)? {
        let Arg::Long(name) = argument else { return Err(USAGE.into()) };
        let name = name.to_string();
        let value = arguments.value().map_err(text)?;
        match name.as_str() {
            "backend" => force(&value.string().map_err(text)?)?,
            "operation" => operations = vec![find(&value.string().map_err(text)?)?],
            name if other(name, &value)? => {}
            _ => return Err(USAGE.into()),
        }
    }
    Ok(operations)
}

/// Before anything is computed, since tables keep the backend that they were built for.
fn force(backend: &str) -> Result<(), String> {
    match Backend::from_name(backend) {
        Some(backend) if backend.force() => Ok(()),
        _ => {
            let names: Vec<_> = Backend::available().map(Backend::name).collect();
            Err(format!("the backends of this processor are: {}", names.join(", ")))
        }
    }
}

/// Of the repository.
fn root() -> Result<&'static Path, String> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the tool lies outside the repository".into())
}

fn find(name: &str) -> Result<&'static Operation, String> {
    let planted = planted::PLANTED.iter().map(|planted| &planted.operation);
    OPERATIONS.iter().chain(planted).find(|operation| operation.name == name).ok_or_else(|| {
        let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        format!("the operations are: {}", names.join(", "))
    })
}

fn no_more(mut arguments: Parser) -> Result<(), String> {
    match arguments.next() {
        Ok(None) => Ok(()),
        _ => Err(USAGE.into()),
    }
}

fn text(error: lexopt::Error) -> String {
    error.to_string()
}
