use super::{Folder, operator};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{clock, passphrase, runtime};
use mikey_sakke::kms::{self, RollOverAt};
use serde_json::json;

/// Make new master secrets, which serve from a later key period on: users, URIs and earlier keys stay as they are.
///
/// Start the server anew afterwards, before the period in front of that one begins; until then it gives no keys for it. Other
/// KMSs need the new certificate (kms cert export). A roll-over that was interrupted is completed by another one. Until it begins it
/// can be withdrawn.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke kms rollover --dir kms
  mikey-sakke kms rollover --dir kms --at-period 1545
  mikey-sakke kms rollover --dir kms --withdraw")]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// First key period of the new secrets [default: the earliest that nobody can have keys of].
    #[arg(long, value_name = "N")]
    at_period: Option<u64>,
    /// Withdraw the roll-over that has not begun yet: the master secrets of before serve on.
    #[arg(long, conflicts_with = "at_period")]
    withdraw: bool,
    /// Make or withdraw it also if keys of its periods were handed out, which are then good no more.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    if arguments.withdraw { withdraw(arguments, output) } else { roll_over(arguments, output) }
}

fn roll_over(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let Folder { dir } = &arguments.folder;
    let passphrase = arguments.passphrase.read(&arguments.folder.secrets())?;
    let at = RollOverAt { first_period: arguments.at_period, force: arguments.force };
    let done = runtime::start()?
        .block_on(kms::roll_over(dir, &passphrase, at, &operator::act()))
        .context(format_args!("cannot roll over the KMS in {}", dir.display()))?;

    let (begins, asked_from) = (clock::display_date(done.begins), clock::display_date(done.asked_from));
    let made = if done.completed { "completed" } else { "made" };
    output.line(format_args!("generation {} of the master secrets of {} {made}", done.generation, done.kms_uri));
    output.line(format_args!("serves from period {}, {begins}", done.first_period));
    say_held(done.held, output);
    output.line(format_args!("PubEncKey  {}", done.pub_enc_key));
    output.line(format_args!("PubAuthKey {}", done.pub_auth_key));
    output.message(format_args!(
        "Make a backup now (mikey-sakke kms backup --dir {}): earlier ones lack the new master secrets. Then start the server anew, before \
         {asked_from}. Other KMSs need the new certificate: mikey-sakke kms cert export.",
        dir.display()
    ));
    output.object(&json!({
        "kms_uri": done.kms_uri,
        "generation": done.generation,
        "first_period": done.first_period,
        "begins": begins,
        "restart_before": asked_from,
        "pub_enc_key": done.pub_enc_key,
        "pub_auth_key": done.pub_auth_key,
        "held": done.held,
        "cache_num": done.cache_num,
        "completed": done.completed,
    }))
}

fn withdraw(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let Folder { dir } = &arguments.folder;
    let passphrase = arguments.passphrase.read(&arguments.folder.secrets())?;
    let withdrawn = runtime::start()?
        .block_on(kms::withdraw(dir, &passphrase, arguments.force, &operator::act()))
        .context(format_args!("cannot withdraw the roll-over of the KMS in {}", dir.display()))?;
    let kms::Withdrawn { kms_uri, generation, first_period, held, cache_num } = withdrawn;
    output.line(format_args!("generation {generation} of the master secrets of {kms_uri} is withdrawn"));
    output.line(format_args!("the one before it serves on, also from period {first_period} on"));
    say_held(held, output);
    output.message(
        "Start the server anew now, so that clients learn of it. Other KMSs that added the certificate of this generation must put the \
         present one in its place: mikey-sakke kms cert export.",
    );
    output.object(&json!({
        "kms_uri": kms_uri,
        "withdrawn": true,
        "generation": generation,
        "first_period": first_period,
        "held": held,
        "cache_num": cache_num,
    }))
}

fn say_held(held: u64, output: &Output) {
    if held > 0 {
        output.line(format_args!("{held} identities hold keys that are good no more"));
    }
}
