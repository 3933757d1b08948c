//! What a backup holds.

use crate::kms::config::{Config, KeySource};
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
    let mut paths = vec![&config.server.tls_certificate, &config.server.tls_key];
    match &config.auth.keys {
        KeySource::File(file) => paths.push(file),
        KeySource::Url { ca, .. } => paths.extend(ca),
    }
    paths.extend(config.auth.certificates.iter().filter_map(|certificates| certificates.ca.as_ref()));
    let (mut files, mut left_out) = (Vec::new(), Vec::new());
    for path in paths {
        let mut leave = |reason: &str| left_out.push(LeftOut { file: path.clone(), reason: reason.to_owned() });
        match name_within(&config.folder, path) {
            None => leave("it does not lie in the folder of the KMS"),
            Some(_) if !path.is_file() => leave("there is no such file"),
            Some(name) if files.contains(&name) => {}
            Some(name) => files.push(name),
        }
    }
    (files, left_out)
}

/// Whether a name in an archive leads nowhere but into the folder.
pub(super) fn is_within(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|component| matches!(component, Component::Normal(_)))
}

fn name_within(folder: &Path, path: &Path) -> Option<String> {
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
        for (name, expected) in
            [("a", true), ("a/b", true), ("", false), ("/a", false), ("../a", false), ("a/../b", false)]
        {
            assert_eq!(is_within(name), expected, "{name}");
        }
    }
}
