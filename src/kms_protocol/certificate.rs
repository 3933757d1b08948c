//! `KmsCertificate` (TS 33.180 D.3.2.2).

use super::document::{Document, Node, signature_status};
use super::writer::{CipherValueForm, DocumentWriter};
use super::{Error, Limits, SignatureStatus};
use time::OffsetDateTime;

/// `UserIdFormat` of the hashed UIDs of TS 33.180 F.2.1.
pub const USER_ID_FORMAT_HASHED: &str = "2";

const NAME: &str = "KmsCertificate";
const WRAPPER: &str = "SignedKmsCertificate";
const ROOTS: &str = "KmsCertificate or SignedKmsCertificate";
const VERSION: &str = "1.1.0";

/// Octets of `PubEncKey`.
const PUB_ENC_KEY_LEN: usize = 257;
/// Octets of `PubAuthKey`.
const PUB_AUTH_KEY_LEN: usize = 65;

/// A KMS's public keys and the rules by which it makes UIDs and key periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsCertificate {
    /// Whether the KMS is the user's own or another. Absent in some servers' documents.
    pub role: Option<Role>,
    /// `IsSecurityGateway`; absent reads as false.
    pub is_security_gateway: bool,
    /// `CertUri`: names the certificate.
    pub cert_uri: Option<String>,
    /// `KmsUri`: goes into every UID as it stands.
    pub kms_uri: String,
    /// `Issuer`.
    pub issuer: Option<String>,
    /// `ValidFrom`, UTC.
    pub valid_from: Option<OffsetDateTime>,
    /// `ValidTo`, UTC.
    pub valid_to: Option<OffsetDateTime>,
    /// `Revoked`; absent reads as false.
    pub revoked: bool,
    /// `UserIdFormat`, normally [`USER_ID_FORMAT_HASHED`].
    pub user_id_format: String,
    /// `UserKeyPeriod`: length of a key period in seconds.
    pub user_key_period: u64,
    /// `UserKeyOffset`: start of period 0 in seconds after 1900-01-01T00:00:00Z. It should be, but is not always, less
    /// than the period.
    pub user_key_offset: u64,
    /// `PubEncKey`: the SAKKE public key Z_T, 257 octets.
    pub pub_enc_key: Vec<u8>,
    /// `PubAuthKey`: the ECCSI public key KPAK, 65 octets.
    pub pub_auth_key: Vec<u8>,
    /// `ParameterSet`: 1 is that of RFC 6509 Appendix A.
    pub parameter_set: Option<u64>,
    /// `KmsDomainList`: domains whose users the KMS serves.
    pub domains: Vec<String>,
    /// What is known of the signature of the `SignedKmsCertificate` around it. Writing leaves it out.
    pub signature: SignatureStatus,
}

/// Whose KMS a certificate is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The user's own.
    Root,
    /// Another.
    External,
}

impl KmsCertificate {
    /// A certificate with these required values, hashed UIDs and parameter set 1, and nothing else.
    pub fn new(
        role: Role,
        kms_uri: impl Into<String>,
        user_key_period: u64,
        user_key_offset: u64,
        pub_enc_key: &[u8; PUB_ENC_KEY_LEN],
        pub_auth_key: &[u8; PUB_AUTH_KEY_LEN],
    ) -> Self {
        KmsCertificate {
            role: Some(role),
            is_security_gateway: false,
            cert_uri: None,
            kms_uri: kms_uri.into(),
            issuer: None,
            valid_from: None,
            valid_to: None,
            revoked: false,
            user_id_format: USER_ID_FORMAT_HASHED.to_owned(),
            user_key_period,
            user_key_offset,
            pub_enc_key: pub_enc_key.to_vec(),
            pub_auth_key: pub_auth_key.to_vec(),
            parameter_set: Some(1),
            domains: Vec::new(),
            signature: SignatureStatus::Absent,
        }
    }

    /// Reads a `KmsCertificate` that is a document of its own, alone or in a `SignedKmsCertificate`.
    ///
    /// # Errors
    /// [`Error`], naming the element.
    pub fn from_xml(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let document = Document::parse(limits.admit(document)?, limits)?;
        let (certificate, signature) = document.unwrap_root(NAME, WRAPPER, ROOTS)?;
        Self::read(certificate, signature_status(signature)?)
    }

    /// The certificate as a document of its own, valid against the schema.
    pub fn to_xml(&self) -> String {
        let mut w = DocumentWriter::new(0, CipherValueForm::default());
        w.plain_root(NAME, &self.attributes());
        self.write_fields(&mut w);
        w.close(NAME);
        w.finish().to_string()
    }

    pub(super) fn read(node: Node<'_, '_>, signature: SignatureStatus) -> Result<Self, Error> {
        node.check_version()?;
        let fields = node.fields()?;
        let domains = match fields.optional("KmsDomainList")? {
            Some(list) => {
                let domains = list.fields()?.many("KmsDomain");
                domains.iter().map(Node::uri).collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        Ok(KmsCertificate {
            role: node
                .attribute("Role")
                .map(|role| match role {
                    "Root" => Ok(Role::Root),
                    "External" => Ok(Role::External),
                    other => Err(node.bad_attribute("Role", other, "Root or External")),
                })
                .transpose()?,
            is_security_gateway: node.boolean_attribute("IsSecurityGateway")?,
            cert_uri: fields.optional_uri("CertUri")?,
            kms_uri: fields.uri("KmsUri")?,
            issuer: fields.optional_string("Issuer")?,
            valid_from: fields.optional_time("ValidFrom")?,
            valid_to: fields.optional_time("ValidTo")?,
            revoked: fields.boolean("Revoked")?,
            user_id_format: fields.string("UserIdFormat")?,
            user_key_period: fields.number("UserKeyPeriod")?,
            user_key_offset: fields.number("UserKeyOffset")?,
            pub_enc_key: fields.one("PubEncKey")?.octets(PUB_ENC_KEY_LEN..=PUB_ENC_KEY_LEN, "257 octets")?.to_vec(),
            pub_auth_key: fields.one("PubAuthKey")?.octets(PUB_AUTH_KEY_LEN..=PUB_AUTH_KEY_LEN, "65 octets")?.to_vec(),
            parameter_set: fields.optional_number("ParameterSet")?,
            domains,
            signature,
        })
    }

    pub(super) fn write(&self, w: &mut DocumentWriter) {
        w.open(NAME, &self.attributes());
        self.write_fields(w);
        w.close(NAME);
    }

    fn attributes(&self) -> Vec<(&'static str, &'static str)> {
        let mut attributes = vec![("Version", VERSION)];
        match self.role {
            Some(Role::Root) => attributes.push(("Role", "Root")),
            Some(Role::External) => attributes.push(("Role", "External")),
            None => {}
        }
        if self.is_security_gateway {
            attributes.push(("IsSecurityGateway", "true"));
        }
        attributes
    }

    fn write_fields(&self, w: &mut DocumentWriter) {
        w.optional_leaf("CertUri", self.cert_uri.as_deref());
        w.leaf("KmsUri", &self.kms_uri);
        w.optional_leaf("Issuer", self.issuer.as_deref());
        w.optional_time("ValidFrom", self.valid_from);
        w.optional_time("ValidTo", self.valid_to);
        w.flag("Revoked", self.revoked);
        w.leaf("UserIdFormat", &self.user_id_format);
        w.number("UserKeyPeriod", self.user_key_period);
        w.number("UserKeyOffset", self.user_key_offset);
        w.hex("PubEncKey", &[], &self.pub_enc_key);
        w.hex("PubAuthKey", &[], &self.pub_auth_key);
        if let Some(number) = self.parameter_set {
            w.number("ParameterSet", number);
        }
        if !self.domains.is_empty() {
            w.open("KmsDomainList", &[]);
            for domain in &self.domains {
                w.leaf("KmsDomain", domain);
            }
            w.close("KmsDomainList");
        }
    }
}
