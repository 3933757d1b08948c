//! What commands that were killed have left in the folder of a KMS: files under hidden names, with what was to take the place of a file.

use super::{Error, config, init, secrets};
use crate::sealing::file::sweep as sweep_files;
use std::path::{Path, PathBuf};

/// Files of a KMS that are written under a hidden name first.
const WRITTEN: [&str; 6] =
    [config::FILE, secrets::FILE, secrets::OLD_FILE, init::CERTIFICATE_FILE, init::KEY_FILE, init::JWKS_FILE];

/// Removes it, and tells what it was. What a command that still runs works on stays.
pub(super) fn sweep(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let swept = sweep_files(folder, &WRITTEN, |_| Ok(())).map_err(|source| Error::file(folder, source))?;
    for path in &swept {
        tracing::info!(path = %path.display(), "removed what an interrupted command had left");
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_was_to_be_a_file_of_the_kms_goes_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (left, kept) = (".secrets.sealed.00112233aabbccdd.tmp", ".notes.00112233aabbccdd.tmp");
        for name in [left, kept, "secrets.sealed"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(sweep(folder.path()).unwrap(), [folder.path().join(left)]);
        assert_eq!(sweep(folder.path()).unwrap(), [""; 0].map(PathBuf::from));
        assert!(folder.path().join(kept).exists() && folder.path().join("secrets.sealed").exists());
    }
}
