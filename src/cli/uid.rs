use super::clock;
use super::failure::{Context, Failure};
use super::output::Output;
use mikey_sakke::mc::{KeyPeriods, PeriodEpoch, Uid};
use mikey_sakke::mikey::NtpTime;
use serde_json::json;

/// Compute the UID of a user: the 32 octets that messages are encrypted to and signed as (TS 33.180 F.2.1).
///
/// The URIs are hashed exactly as given; `sip:user@example.org` and `user@example.org` are different users.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke uid --user-uri sip:user@example.org --kms-uri kms.example.org \\
      --period 2592000 --offset 0 --period-no 1388
  mikey-sakke uid --user-uri sip:user@example.org --kms-uri kms.example.org \\
      --period 2592000 --offset 0 --at 2026-11-24T16:00:00Z --json")]
pub struct Arguments {
    /// URI of the user, or of the group or server.
    #[arg(long, value_name = "URI")]
    user_uri: String,
    /// URI of the user's KMS, as its certificate names it.
    #[arg(long, value_name = "URI")]
    kms_uri: String,
    /// Length of a key period in seconds (UserKeyPeriod of the KMS certificate).
    #[arg(long, value_name = "SECONDS")]
    period: u64,
    /// Start of period 0 in seconds after the epoch (UserKeyOffset of the KMS certificate).
    #[arg(long, value_name = "SECONDS")]
    offset: u64,
    /// Where period numbers count from: 1900, as the standard says, or 1970, as some old KMSs do.
    #[arg(long, value_enum, default_value_t = Epoch::Ntp)]
    epoch: Epoch,
    #[command(flatten)]
    when: When,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Epoch {
    /// 1 January 1900
    Ntp,
    /// 1 January 1970
    Unix,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct When {
    /// Number of the key period.
    #[arg(long, value_name = "N")]
    period_no: Option<u64>,
    /// A time in the key period, like 2026-11-24T16:00:00Z.
    #[arg(long, value_name = "RFC3339", value_parser = clock::parse)]
    at: Option<NtpTime>,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let epoch = match arguments.epoch {
        Epoch::Ntp => PeriodEpoch::Ntp,
        Epoch::Unix => PeriodEpoch::Unix,
    };
    let periods = KeyPeriods::new(arguments.period, arguments.offset, epoch).context("cannot use this key period")?;
    let period_no = match arguments.when.at {
        Some(time) => periods.number_at(time).context("this time has no key period")?,
        None => arguments.when.period_no.unwrap_or_default(),
    };
    let uid =
        Uid::new(&arguments.user_uri, &arguments.kms_uri, &periods, period_no).context("cannot compute the UID")?;

    let (start, end) = periods.bounds(period_no);
    output.line(uid);
    output.message(format_args!(
        "key period {period_no}, from {} until {}",
        clock::display_ntp(start),
        clock::display_ntp(end)
    ));
    output.object(&json!({ "uid": uid.to_string(), "period_no": period_no }))
}
