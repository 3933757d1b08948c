use super::failure::{Advise, Context, Failure};
use mikey_sakke::kms_protocol::ClientKeys;
use mikey_sakke::sealing::file::read_private;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The files of the keys that a client shares with its KMS.
#[derive(clap::Args)]
pub struct KeyFiles {
    /// File of the transport key (TrK) from mikey-sakke kms trk new.
    #[arg(long, value_name = "FILE", requires = "ink")]
    trk: Option<PathBuf>,
    /// File of the integrity key (InK) that belongs to it.
    #[arg(long, value_name = "FILE", requires = "trk")]
    ink: Option<PathBuf>,
}

impl KeyFiles {
    /// Whether files are named.
    pub fn are_given(&self) -> bool {
        self.trk.is_some() || self.ink.is_some()
    }

    /// The keys, if files are named.
    pub fn read(&self) -> Result<Option<ClientKeys>, Failure> {
        let Some(trk) = &self.trk else { return Ok(None) };
        let transport = read(trk)?;
        let integrity = self.ink.as_deref().map(read).transpose()?;
        ClientKeys::from_files(&transport, integrity.as_deref().map(Vec::as_slice))
            .map(Some)
            .context("cannot use the transport and integrity keys")
            .advise("Give the files that mikey-sakke kms trk new wrote: the one with --trk, the other with --ink.")
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    read_private(path).context(format_args!("cannot read {}", path.display()))
}
