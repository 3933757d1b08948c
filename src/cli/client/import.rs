use super::{fill, print_report};
use crate::cli::failure::{Advise, Context, Failure};
use crate::cli::output::Output;
use crate::cli::{key_files, passphrase};
use mikey_sakke::client::{self, ImportFiles, now};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Load keys from files that came out of band (pre-provisioning): what a KMS answers to init and to keyprov.
///
/// Every key is checked against the KMS's certificate, by the rules of TS 33.180 and by those of older KMSs; the answer
/// says which held. Keys that are valid under none are refused, and nothing is stored.
///
/// With the transport and integrity key that the KMS's operator handed over, both answers must be signed and the keys wrapped.
/// They are kept in the store and used from then on.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke client import --store alice --init init.xml --keyprov keyprov.xml")]
pub struct Arguments {
    /// Folder of the client store; made if need be.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The KMS's answer to init: its certificate.
    #[arg(long, value_name = "FILE")]
    init: PathBuf,
    /// The KMS's answer to keyprov: the keys.
    #[arg(long, value_name = "FILE")]
    keyprov: PathBuf,
    /// The KMS's answer to certcache, where the keys belong to further certificates of the KMS: kms issue writes one then.
    #[arg(long, value_name = "FILE")]
    certcache: Option<PathBuf>,
    #[command(flatten)]
    keys: key_files::KeyFiles,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let (init, keyprov) = (read(&arguments.init)?, read(&arguments.keyprov)?);
    let certcache = arguments.certcache.as_deref().map(read).transpose()?;
    let keys = arguments.keys.read()?;
    let files = ImportFiles {
        init: &init,
        keyprov: &keyprov,
        certcache: certcache.as_deref().map(Vec::as_slice),
        keys: keys.as_ref(),
    };
    let report = fill(&arguments.store, &arguments.passphrase, |store| {
        client::import_files(store, &files, now()).context("nothing was imported")
    })?;
    print_report(&report, output)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    std::fs::read(path)
        .map(Zeroizing::new)
        .context(format_args!("cannot read {}", path.display()))
        .advise("Give the XML files that the KMS's operator sent, for example from mikey-sakke kms issue.")
}
