//! Floor 7, the command line: one file a command.

mod backend;
mod client;
mod clock;
mod demo;
mod failure;
mod input;
mod inspect;
mod key_files;
mod key_view;
mod kms;
mod message_input;
mod output;
mod passphrase;
mod progress;
mod rng;
mod runtime;
mod selftest;
mod speed;
mod uid;

use clap::{Parser, Subcommand};
use failure::Failure;
use output::Output;
use std::ffi::OsString;
use std::process::ExitCode;

const SUCCESS: u8 = 0;
const FAILURE: u8 = 1;
const USAGE: u8 = 2;

/// MIKEY-SAKKE for 3GPP mission critical services: a key management server, its clients, and tools to look at keys and
/// messages.
///
/// Start with `mikey-sakke demo`: it runs the whole system on this machine and tells what happens.
#[derive(Parser)]
#[command(name = "mikey-sakke", version, about, long_about, propagate_version = true, max_term_width = 100)]
struct Arguments {
    /// Print the result as one JSON object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Selftest(selftest::Arguments),
    Speed(speed::Arguments),
    Uid(uid::Arguments),
    Inspect(inspect::Arguments),
    #[command(subcommand)]
    Client(client::Command),
    #[command(subcommand)]
    Kms(kms::Command),
}

/// Runs the command that `arguments` (the program's name first) ask for and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors. That standard output is gone is nothing to report to.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { SUCCESS });
        }
    };
    let output = Output::new(arguments.json);
    if let Err(failure) = backend::force_from_environment() {
        output.failure(&failure);
        return ExitCode::from(USAGE);
    }
    match dispatch(&arguments.command, &output).and_then(|()| output.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(FAILURE)
        }
    }
}

fn dispatch(command: &Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Demo(arguments) => demo::run(arguments, output),
        Command::Selftest(arguments) => selftest::run(arguments, output),
        Command::Speed(arguments) => speed::run(arguments, output),
        Command::Uid(arguments) => uid::run(arguments, output),
        Command::Inspect(arguments) => inspect::run(arguments, output),
        Command::Client(command) => client::run(command, output),
        Command::Kms(command) => kms::run(command, output),
    }
}
