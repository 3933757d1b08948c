use super::Arguments;
use crate::cli::failure::{Context, Failure};
use crate::cli::kms::operator;
use crate::cli::output::Output;
use crate::cli::progress::Meter;
use crate::cli::{input, runtime};
use mikey_sakke::kms::bulk::{self, Issued, Order, WithoutKeys};
use mikey_sakke::kms::users::{self, BadLine};
use mikey_sakke::kms::{Error, State, admin};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const GO_ON: &str = "Run the same command again: it goes on where it was.";
const ON_THE_WAY: &str = "What is in the folder by now is whole. When the cause is gone, run the same command again: it goes on where it was.";

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    if arguments.keys.are_given() {
        return Err(Failure::new("--trk and --ink are the files of one user")
            .advise("For many users the KMS takes the keys from its database: leave both options out."));
    }
    let listed = match &arguments.users {
        Some(path) => {
            let file = input::open(path)?;
            Some(users::read_uris(file).context(format_args!("cannot read {}", path.display()))?)
        }
        None => None,
    };
    let passphrase = arguments.passphrase.read(&arguments.folder.secrets())?;
    runtime::start()?.block_on(async {
        let state = State::open(&arguments.folder.dir, &passphrase).await.context(arguments.folder.cannot_open())?;
        drop(passphrase);
        let (uris, bad) = match listed {
            Some(listed) => listed,
            None => (state.store.active_uris().await.context("cannot list the users")?, Vec::new()),
        };
        let order = order(arguments);
        let stop = stop_on_signal();
        let begun = Instant::now();
        let mut meter = Meter::new(output);
        let issued =
            bulk::issue(&state, uris, &order, &operator::act(), &stop, |progress| meter.show(progress)).await;
        drop(meter);
        let issued = issued.map_err(|error| {
            let failure = Failure::new(format!("cannot issue to {}", arguments.out.display())).because(&error);
            // The others say themselves what to do, and came before anything was begun.
            let is_on_the_way = matches!(error, Error::File { .. } | Error::Store(_) | Error::Sealing(_) | Error::Interrupted);
            if is_on_the_way { failure.advise(ON_THE_WAY) } else { failure }
        })?;
        note_other_periods(&state, &issued, arguments, output);
        if issued.has_further_certificates {
            output.message(
                "note: the KMS has rolled over, and these keys need further certificates: give certcache.xml, or NAME.certcache.xml \
                 with NAME.init.xml, to client import with --certcache",
            );
        }
        report(&issued, &bad, begun.elapsed().as_secs_f64(), arguments, output)
    })
}

fn order(arguments: &Arguments) -> Order {
    let without_keys = match (&arguments.new_trk, arguments.clear) {
        (Some(folder), _) => WithoutKeys::Make(folder.clone()),
        (None, true) => WithoutKeys::Clear,
        (None, false) => WithoutKeys::Refuse,
    };
    Order { out: arguments.out.clone(), period_no: arguments.period_no, without_keys }
}

/// Is set by Ctrl-C or SIGTERM, once; the second one ends the program at once, which costs nothing but the batch in progress.
fn stop_on_signal() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    tokio::spawn(async move {
        while runtime::told_to_stop().await.is_ok() {
            if told.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            Output::new(false).message("\nEnding after the batch in progress. Once more ends at once.");
        }
    });
    stop
}

/// A folder that was begun in an earlier period goes on with that one's keys.
fn note_other_periods(state: &State, issued: &Issued, arguments: &Arguments, output: &Output) {
    if arguments.period_no.is_none()
        && let Ok(now) = admin::current_periods(state, operator::act().at)
        && issued.periods != now
    {
        output.message(format_args!(
            "note: {} was begun for the key periods {}; a new folder gets those of now, {}",
            arguments.out.display(),
            listed(&issued.periods),
            listed(&now)
        ));
    }
}

fn report(
    issued: &Issued,
    bad: &[BadLine],
    seconds: f64,
    arguments: &Arguments,
    output: &Output,
) -> Result<(), Failure> {
    let per_second = if seconds > 0.0 { issued.key_sets as f64 / seconds } else { 0.0 };
    let mut object = output.stream();
    for (field, value) in [
        ("issued", json!(issued.key_sets)),
        ("per_second", json!(per_second.round())),
        ("seconds", json!(seconds)),
        ("uris", json!(issued.uris)),
        ("already", json!(issued.already)),
        ("left", json!(issued.left)),
        ("new_trk", json!(issued.new_keys)),
        ("further_certificates", json!(issued.has_further_certificates)),
        ("periods", json!(issued.periods)),
        ("out", json!(arguments.out)),
    ] {
        object.field(field, &value);
    }
    object.begin_list("removed");
    for bulk::Removed { file, reason } in &issued.removed {
        output.line(format_args!("{} was removed: {reason}", file.display()));
        object.item(&json!({ "file": file, "reason": reason.to_string() }));
    }
    object.end_list();
    object.begin_list("refused");
    for bulk::Refused { uri, reason } in &issued.refused {
        output.line(format_args!("{uri}: {reason}"));
        object.item(&json!({ "uri": uri, "reason": reason.to_string() }));
    }
    object.end_list();
    object.begin_list("bad");
    for BadLine { line, fault } in bad {
        output.line(format_args!("line {line}: {fault}"));
        object.item(&json!({ "line": line, "reason": fault.to_string() }));
    }
    object.end_list();
    object.end();
    output.line(format_args!(
        "{} key sets of {} URIs in {} (periods {}), {per_second:.0} a second; {} were there already",
        issued.key_sets,
        issued.uris,
        arguments.out.display(),
        listed(&issued.periods),
        issued.already
    ));
    if !issued.removed.is_empty() {
        output.message(format_args!(
            "note: files of earlier runs that are good no more and were removed: {}. If they were handed over already, take them back.",
            issued.removed.len()
        ));
    }
    let refused = issued.refused.len() + bad.len();
    if issued.left > 0 {
        let failure = Failure::new(format!("stopped: {} URIs are left, {refused} were refused", issued.left));
        return Err(failure.advise(GO_ON).once_reported());
    }
    if refused > 0 {
        let failure = Failure::new(format!("{refused} URIs or lines were refused, the others have their files"));
        return Err(failure.advise("Set them right or leave them out, and run the command again.").once_reported());
    }
    Ok(())
}

fn listed(periods: &[u64]) -> String {
    periods.iter().map(u64::to_string).collect::<Vec<_>>().join(" and ")
}
