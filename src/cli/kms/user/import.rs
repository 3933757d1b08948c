use super::Folder;
use crate::cli::failure::Failure;
use crate::cli::input;
use crate::cli::kms::operator;
use crate::cli::output::Output;
use crate::cli::progress::Meter;
use mikey_sakke::kms::{Error, users};
use serde_json::json;
use std::path::PathBuf;

/// Allow many users at once: those of a CSV file.
///
/// The first line names the columns: user (the URI), kind (may be left out), uri (further URIs; as many such columns as need be). If
/// any line is bad, all bad lines are listed and nobody is added.
#[derive(clap::Args)]
#[command(after_help = "\
Example of a file:
  user,kind,uri
  sip:alice@example.org,,sip:alice-video@example.org
  sip:gms@example.org,gms,

  mikey-sakke kms user import --dir kms users.csv")]
pub struct Import {
    #[command(flatten)]
    folder: Folder,
    /// CSV file in UTF-8; - is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Add the users of the good lines although there are bad ones.
    #[arg(long)]
    skip_bad: bool,
}

pub async fn run(arguments: &Import, output: &Output) -> Result<(), Failure> {
    let file = input::open(&arguments.file)?;
    let (_, store) = arguments.folder.open_store().await?;
    let mut meter = Meter::new(output);
    let imported =
        users::import(&*store, file, arguments.skip_bad, &operator::act(), |progress| meter.show(progress)).await;
    drop(meter);
    let import = imported.map_err(|error| {
        let failure = Failure::new(format!("cannot import users from {}", arguments.file.display())).because(&error);
        failure.advise(match error {
            Error::UserFile(_) => "Nobody was added: set it right, and run the command again.",
            _ => "`mikey-sakke kms user list` shows who was added; with --skip-bad the same command adds the rest.",
        })
    })?;

    let bad = import.bad.len();
    let mut object = output.stream();
    for (field, number) in [("lines", import.lines), ("added", import.added)] {
        object.field(field, &json!(number));
    }
    object.begin_list("bad");
    for users::BadLine { line, fault } in &import.bad {
        output.line(format_args!("line {line}: {fault}"));
        object.item(&json!({ "line": line, "reason": fault.to_string() }));
    }
    object.end_list();
    object.end();
    output.line(format_args!("{} users added, {bad} bad lines of {}", import.added, import.lines));
    if bad == 0 {
        return Ok(());
    }
    let failure = Failure::new(format!("{bad} of {} lines are bad, {} users were added", import.lines, import.added));
    let advice = if arguments.skip_bad {
        "Correct the bad lines and import them by themselves."
    } else {
        "Correct them, or give --skip-bad to add the users of the other lines."
    };
    Err(failure.advise(advice).once_reported())
}
