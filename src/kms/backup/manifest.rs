//! What a backup holds.

use crate::kms::config::Config;
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};

/// The name of the manifest in the archive.
pub(super) const FILE: &str = "manifest.json";

pub(super) const FORM: u64 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) form: u64,
    /// The version of the program that made it.
    pub(super) program: String,
    pub(super) kms_uri: String,
    /// RFC 3339.
    pub(super) made: String,
    /// Number and hash of the last entry of the audit log.
    pub(super) audit_entries: u64,
    pub(super) audit_hash: String,
    /// Relative to the folder, with slashes, in the order of the archive.
    pub(super) files: Vec<String>,
    pub(super) left_out: Vec<LeftOut>,
}

/// A file that `kms.toml` names and that a backup does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

/// The files that a configuration names: those to be saved, by their names in the archive, and those that cannot be.
pub(super) fn named_files(config: &Config) -> (Vec<String>, Vec<LeftOut>) {
    let (mut files, mut left_out) = (Vec::new(), Vec::new());
    for (_, path) in config.named_files() {
        let mut leave = |reason| left_out.push(LeftOut::new(path, reason));
        match name_within(&config.folder, path) {
            None => leave("it does not lie in the folder of the KMS"),
            Some(_) if !path.is_file() => leave("there is no such file"),
            Some(name) if files.contains(&name) => {}
            Some(name) => files.push(name),
        }
    }
    (files, left_out)
}

/// The files that a configuration names and that are not in its folder, beside those that were known to be left out: a KMS that names
/// its files by whole paths was restored to another folder.
pub(super) fn named_elsewhere(config: &Config, known: &[LeftOut]) -> Vec<LeftOut> {
    let is_known = |path: &Path| known.iter().any(|known| known.file == path);
    let paths = config.named_files().into_iter().map(|(_, path)| path);
    paths
        .filter(|path| name_within(&config.folder, path).is_none() && !is_known(path))
        .map(|path| {
            LeftOut::new(path, "it was restored to this folder, and kms.toml names the place where it was: change that")
        })
        .collect()
}

/// Whether the file of this name has a secret in clear.
pub(super) fn is_private(config: &Config, name: &str) -> bool {
    name_within(&config.folder, &config.server.tls_key).is_some_and(|private| private == name)
}

impl LeftOut {
    fn new(file: &Path, reason: &str) -> Self {
        Self { file: file.to_owned(), reason: reason.to_owned() }
    }
}

/// Whether a name in an archive leads nowhere but into the folder.
pub(super) fn is_within(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|component| matches!(component, Component::Normal(_)))
}

/// Also where one of both is a whole path and the other is not, or leads there through links.
fn name_within(folder: &Path, path: &Path) -> Option<String> {
    name_below(folder, path).or_else(|| {
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        name_below(&folder.canonicalize().ok()?, &above.canonicalize().ok()?.join(path.file_name()?))
    })
}

fn name_below(folder: &Path, path: &Path) -> Option<String> {
    let components = path.strip_prefix(folder).ok()?.components();
    let names: Option<Vec<&str>> = components
        .map(|component| match component {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    names.map(|names| names.join("/")).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lead_out_of_the_folder() {
        let name = |path: &str| name_within(Path::new("kms"), Path::new(path));
        assert_eq!(name("kms/tls/cert.pem").as_deref(), Some("tls/cert.pem"));
        for outside in ["/etc/cert.pem", "kms/../cert.pem", "kms", "other/cert.pem"] {
            assert_eq!(name(outside), None, "{outside}");
        }
        // Tests run in the folder of the package.
        let here = std::env::current_dir().unwrap();
        let whole = |path: &str| name_within(Path::new("src"), &here.join(path));
        assert_eq!(whole("src/kms/mod.rs").as_deref(), Some("kms/mod.rs"));
        assert_eq!(whole("src/../src/main.rs").as_deref(), Some("main.rs"));
        for outside in ["Cargo.toml", "src", "src/../Cargo.toml", "src/absent/mod.rs"] {
            assert_eq!(whole(outside), None, "{outside}");
        }
        assert_eq!(name_within(&here.join("src"), Path::new("src/main.rs")).as_deref(), Some("main.rs"));
        for (name, expected) in
            [("a", true), ("a/b", true), ("", false), ("/a", false), ("../a", false), ("a/../b", false)]
        {
            assert_eq!(is_within(name), expected, "{name}");
        }
    }
}
