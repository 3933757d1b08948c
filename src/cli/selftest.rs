use super::failure::Failure;
use super::output::{Output, error_style, good_style, quiet_style};
use mikey_sakke::arith::backend::Backend;
use mikey_sakke::{eccsi, sakke};
use serde_json::{Value, json};

/// Check the arithmetic of this program on this processor against the published vectors of RFC 6507 and RFC 6508.
///
/// Every intermediate value that the RFCs print is computed, on every arithmetic backend that the processor can run.
/// A value that differs makes the command fail.
#[derive(clap::Args)]
pub struct Arguments {}

pub fn run(_: &Arguments, output: &Output) -> Result<(), Failure> {
    let mut backends = Vec::new();
    let mut failed_anywhere = 0;
    for backend in Backend::available() {
        backend.force();
        let checks = checks();
        let failed = checks.iter().filter(|(_, passed)| !passed).count();
        failed_anywhere += failed;
        report(backend, &checks, output);
        backends.push(json!({
            "name": backend.name(),
            "passed": checks.len() - failed,
            "failed": failed,
            "checks": checks.iter().map(|(name, passed)| json!({ "name": name, "passed": passed })).collect::<Value>(),
        }));
    }
    output.object(&json!({ "backends": backends }))?;
    if failed_anywhere > 0 {
        return Err(Failure::new(format!("{failed_anywhere} values differ from the published ones"))
            .advise("Do not use this program on this machine, and report the values above.")
            .once_reported());
    }
    Ok(())
}

/// What was compared, and whether it was equal.
type Check = (&'static str, bool);

fn checks() -> Vec<Check> {
    [sakke::selftest(), eccsi::selftest()].concat()
}

fn report(backend: Backend, checks: &[Check], output: &Output) {
    let (good, bad, quiet) = (good_style(), error_style(), quiet_style());
    output.line(format_args!("backend {}", backend.name()));
    for (name, passed) in checks {
        if *passed {
            output.line(format_args!("  {good}ok{good:#}      {quiet}{name}{quiet:#}"));
        } else {
            output.line(format_args!("  {bad}DIFFERS{bad:#} {name}"));
        }
    }
    let passed = checks.iter().filter(|(_, passed)| *passed).count();
    output.line(format_args!("  {passed} of {} values as published", checks.len()));
}
