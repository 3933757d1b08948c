//! The `mikey-sakke` program: MIKEY-SAKKE for people at a terminal and for scripts.
//!
//! The library does the work; each file under `cli` is one command that parses its arguments, calls the library and
//! prints. Results go to standard output, messages to standard error; the exit code is 0 for success, 1 for failure and
//! 2 for wrong usage. With `--json` a command prints exactly one JSON object.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
