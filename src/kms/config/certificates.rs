//! Who may show a TLS certificate in place of an access token.

use super::{ConfigError, quoted};
use crate::kms::hash::Hash;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The `[auth.certificates]` section: clients that authenticate by mutual TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificates {
    /// PEM file of the authorities whose certificates are taken. The URIs of their subject alternative names are the
    /// holder's.
    pub ca: Option<PathBuf>,
    /// Certificates that are taken whoever issued them, until they are removed here.
    pub pinned: Vec<PinnedCertificate>,
}

/// A certificate that is known octet for octet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedCertificate {
    /// SHA-256 of the certificate in DER.
    pub sha256: [u8; 32],
    /// The URIs of its holder, whatever the certificate says.
    pub uris: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CertificatesSection {
    ca: Option<PathBuf>,
    #[serde(default)]
    pinned: Vec<PinnedSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PinnedSection {
    sha256: String,
    uris: Vec<String>,
}

impl CertificatesSection {
    pub(super) fn check(self, folder: &Path) -> Result<ClientCertificates, ConfigError> {
        if self.ca.is_none() && self.pinned.is_empty() {
            return Err(ConfigError::Value {
                key: "auth.certificates.ca".into(),
                value: "(absent)".to_owned(),
                remedy: "name the PEM file of an authority, or pin certificates, or remove the section",
            });
        }
        let pinned = self.pinned.into_iter().map(PinnedSection::check).collect::<Result<Vec<_>, _>>()?;
        let again = |index: usize| pinned.iter().take(index).any(|other| other.sha256 == pinned[index].sha256);
        if let Some(index) = (0..pinned.len()).find(|index| again(*index)) {
            return Err(ConfigError::Value {
                key: "auth.certificates.pinned.sha256".into(),
                value: quoted(&Hash(pinned[index].sha256).to_string()),
                remedy: "pin each certificate once, with all URIs of its holder",
            });
        }
        Ok(ClientCertificates { ca: self.ca.map(|ca| folder.join(ca)), pinned })
    }
}

impl PinnedSection {
    fn check(self) -> Result<PinnedCertificate, ConfigError> {
        let Hash(sha256) = Hash::from_fingerprint(&self.sha256).ok_or_else(|| ConfigError::Value {
            key: "auth.certificates.pinned.sha256".into(),
            value: quoted(&self.sha256),
            remedy: "write the 64 hex digits of the SHA-256 of the certificate in DER, with or without colons",
        })?;
        if self.uris.is_empty() {
            return Err(ConfigError::Value {
                key: "auth.certificates.pinned.uris".into(),
                value: "[]".to_owned(),
                remedy: "list the URIs that the holder may have keys for",
            });
        }
        Ok(PinnedCertificate { sha256, uris: self.uris })
    }
}

impl ClientCertificates {
    pub(super) fn to_toml(&self) -> String {
        let mut text = "[auth.certificates]\n".to_owned();
        if let Some(ca) = &self.ca {
            text.push_str(&format!("ca = {}\n", quoted(&ca.to_string_lossy())));
        }
        for PinnedCertificate { sha256, uris } in &self.pinned {
            let uris: Vec<_> = uris.iter().map(|uri| quoted(uri)).collect();
            let sha256 = quoted(&Hash(*sha256).to_string());
            text.push_str(&format!("[[auth.certificates.pinned]]\nsha256 = {sha256}\nuris = [{}]\n", uris.join(", ")));
        }
        text
    }
}

/// What stands in a new `kms.toml`.
pub(super) const COMMENT: &str = "\
# Clients that show a TLS certificate (mutual TLS) in place of a token: of these authorities, by the URIs of its subject
# alternative names; or pinned, by its SHA-256.
# [auth.certificates]
# ca = \"clients-ca.pem\"
# [[auth.certificates.pinned]]
# sha256 = \"...\"
# uris = [\"sip:mcptt-server@example.org\"]
";
