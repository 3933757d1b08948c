//! The whole system on this machine, told as a story in six acts.

mod attacks;
mod group_call;
mod listener;
mod narrator;
mod opening;
mod private_call;
mod provisioning;
mod signalling;
mod thief;
mod voice;
mod world;

use super::failure::{Advise, Failure};
use super::output::{Output, error_style, good_style};
use narrator::Narrator;
use serde_json::json;
use std::time::Instant;
use world::World;

/// See the whole system work, on this machine alone: a key management server, five parties, a private call, a group call,
/// protected signalling, and attacks that fail.
///
/// Everything really happens: a server with TLS and a database in a temporary folder that is deleted at the end, keys
/// fetched over HTTPS, messages encrypted, signed, checked and opened. If any step fails, so does the command.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke demo
  mikey-sakke demo --json | jq '.steps[] | {name, ms}'")]
pub struct Arguments {}

pub fn run(_: &Arguments, output: &Output) -> Result<(), Failure> {
    let start = Instant::now();
    let mut narrator = Narrator::new(output);
    let told = tell(&mut narrator);
    let ok = told.is_ok() && narrator.all_good();

    let (good, bad) = (good_style(), error_style());
    let (count, seconds) = (narrator.steps().len(), start.elapsed().as_secs_f64());
    if ok {
        output.line(format_args!("\n{good}All {count} steps went as they should, in {seconds:.1} s.{good:#}"));
        output.line("Next: mikey-sakke --help, or the tour in README.md.");
    } else {
        output.line(format_args!("\n{bad}Not everything went as it should.{bad:#}"));
    }
    output.object(&json!({ "steps": narrator.steps(), "ok": ok }))?;
    match told {
        Err(failure) => Err(failure.once_reported()),
        Ok(()) if ok => Ok(()),
        Ok(()) => Err(Failure::new("an attack was not refused as it should have been").once_reported()),
    }
    .advise("Please report this, with the output above.")
}

fn tell(narrator: &mut Narrator<'_>) -> Result<(), Failure> {
    narrator.say(
        "Police, fire brigades and railways talk over mobile networks that they do not own. This is how their radios \
         get keys: the public key of a person is the person's name, so that Alice can encrypt to Bob without asking \
         anybody. All parties below live in this process, but they speak HTTPS, and no one reads another's memory.",
    );
    let mut world = World::new()?;
    opening::play(narrator, &mut world)?;
    provisioning::play(narrator, &mut world)?;
    private_call::play(narrator, &mut world)?;
    group_call::play(narrator, &mut world)?;
    signalling::play(narrator, &mut world)?;
    attacks::play(narrator, &mut world)?;
    world.close(narrator)
}
