//! `KmsResponse` (TS 33.180 D.2.3, D.3).

use super::document::{Document, Node, signature_status};
use super::writer::{DocumentWriter, IdPlace, WriteOptions};
use super::{
    EncryptedKey, Error, KeyIds, KmsCertificate, KmsError, KmsKeySet, KmsLookup, Limits, Received, SignatureStatus,
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A KMS's answer: a message or an error.
#[derive(Debug, PartialEq, Eq)]
pub struct KmsResponse {
    /// `UserUri`: the identity that the request was made for. Empty only beside an error.
    pub user_uri: String,
    /// `KmsUri`: the KMS that answers. Empty only beside an error.
    pub kms_uri: String,
    /// `Time` of the response, UTC.
    pub time: OffsetDateTime,
    /// `KmsId`, if given.
    pub kms_id: Option<String>,
    /// `ClientReqUrl` of the request. Empty only beside an error.
    pub client_req_url: String,
    /// `KmsMessage`. The answer of `redirect` has none: that it is no error says that the upload was taken. Reading leaves it out where the document has an error, whatever else is in it.
    pub message: Option<KmsMessage>,
    /// `KmsError`.
    pub error: Option<KmsError>,
    /// `TrK-ID` and `Signature-ID`.
    pub key_ids: KeyIds,
}

pub(super) const NAME: &str = "KmsResponse";
pub(super) const WRAPPER: &str = "SignedKmsResponse";
pub(super) const ROOTS: &str = "KmsResponse or SignedKmsResponse";
const VERSION: &str = "1.0.0";

/// What a KMS answers with when all is well.
#[derive(Debug, PartialEq, Eq)]
// A response holds one message, and a program few responses: a box would save nothing.
#[allow(clippy::large_enum_variant)]
pub enum KmsMessage {
    /// The answer of `init`.
    Init(KmsInit),
    /// The answer of `keyprov`.
    KeyProv(KmsKeyProv),
    /// The answer of `certcache` and `cert`.
    CertCache(KmsCertCache),
    /// The answer of a lookup.
    Lookup(KmsLookup),
}

/// `KmsInit`: the KMS's own certificate, and keys for the transport to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsInit {
    /// The KMS's own certificate, with role Root.
    pub certificate: KmsCertificate,
    /// `NewTransportKey`: TrKs, each wrapped by the one before.
    pub new_transport_keys: Vec<EncryptedKey>,
    /// `NewIntegrityKey`: InKs, each wrapped by the TrK.
    pub new_integrity_keys: Vec<EncryptedKey>,
}

/// `KmsKeyProv`: key sets, and keys for the transport to the KMS.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct KmsKeyProv {
    /// All key sets, in the document's order.
    pub key_sets: Vec<KmsKeySet>,
    /// `NewTransportKey`.
    pub new_transport_keys: Vec<EncryptedKey>,
    /// `NewIntegrityKey`.
    pub new_integrity_keys: Vec<EncryptedKey>,
}

/// `KmsCertCache`: certificates of other KMSs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KmsCertCache {
    /// `CacheNum`: the number of this state of the cache.
    pub cache_num: Option<u64>,
    /// All certificates: those that came as `SignedKmsCertificate` first.
    pub certificates: Vec<KmsCertificate>,
}

impl KmsResponse {
    /// Reads a `KmsResponse`, alone or in a `SignedKmsResponse`.
    pub fn from_xml(body: &[u8], limits: &Limits) -> Result<Received<Self>, Error> {
        let text = limits.admit(body)?;
        let document = Document::parse(text, limits)?;
        let (response, signature) = document.unwrap_root(NAME, WRAPPER, ROOTS)?;
        Ok(Received::new(Self::read(response)?, signature_status(signature)?, response))
    }

    /// The message; [`Error::Refused`] where the KMS reports an error, [`Error::NoMessage`] where it says nothing.
    pub fn into_message(self) -> Result<KmsMessage, Error> {
        match (self.error, self.message) {
            (Some(error), _) => Err(Error::Refused(error)),
            (None, Some(message)) => Ok(message),
            (None, None) => Err(Error::NoMessage),
        }
    }

    /// The document, valid against the schema. It may hold keys, so the text is wiped when dropped.
    pub fn to_xml(&self, options: &WriteOptions) -> Zeroizing<String> {
        if options.signed_wrapper {
            return self.to_wrapped_xml(options, IdPlace::Document);
        }
        let mut w = self.writer(options);
        w.root(NAME, VERSION);
        self.write_fields(&mut w, options);
        w.close(NAME);
        w.finish()
    }

    /// The document in a `SignedKmsResponse` without a signature.
    pub(super) fn to_wrapped_xml(&self, options: &WriteOptions, id: IdPlace) -> Zeroizing<String> {
        let mut w = self.writer(options);
        w.wrapped_root(WRAPPER, NAME, VERSION, id);
        self.write_fields(&mut w, options);
        w.close(NAME);
        w.close(WRAPPER);
        w.finish()
    }

    fn writer(&self, options: &WriteOptions) -> DocumentWriter {
        let key_sets = match &self.message {
            Some(KmsMessage::KeyProv(keys)) => keys.key_sets.len(),
            _ => 0,
        };
        DocumentWriter::new(key_sets, options.cipher_value_form)
    }

    fn write_fields(&self, w: &mut DocumentWriter, options: &WriteOptions) {
        w.leaf("UserUri", &self.user_uri);
        w.leaf("KmsUri", &self.kms_uri);
        w.time("Time", self.time);
        w.optional_leaf("KmsId", self.kms_id.as_deref());
        w.leaf("ClientReqUrl", &self.client_req_url);
        if let Some(message) = &self.message {
            w.open("KmsMessage", &[]);
            message.write(w, options);
            w.close("KmsMessage");
        }
        if let Some(error) = &self.error {
            w.error("KmsError", error);
        }
        self.key_ids.write(w);
    }

    pub(super) fn read(node: Node<'_, '_>) -> Result<Self, Error> {
        let fields = node.fields()?;
        let error = fields.optional("KmsError")?.map(|node| node.kms_error()).transpose()?;
        // A refusal must reach the user even where the server left out what it could not know, such as the identity.
        let uri = |name| if error.is_some() { fields.uri_or_empty(name) } else { fields.uri(name) };
        let message = fields.optional("KmsMessage")?.filter(|_| error.is_none());
        Ok(KmsResponse {
            user_uri: uri("UserUri")?,
            kms_uri: uri("KmsUri")?,
            time: fields.time("Time")?,
            kms_id: fields.optional_string("KmsId")?,
            client_req_url: uri("ClientReqUrl")?,
            message: message.map(KmsMessage::read).transpose()?,
            error,
            key_ids: KeyIds::read(&fields)?,
        })
    }
}

impl KmsMessage {
    /// The element's name.
    pub fn name(&self) -> &'static str {
        match self {
            KmsMessage::Init(_) => "KmsInit",
            KmsMessage::KeyProv(_) => "KmsKeyProv",
            KmsMessage::CertCache(_) => "KmsCertCache",
            KmsMessage::Lookup(_) => "KmsLookup",
        }
    }

    /// The answer of `init`; [`Error::WrongMessage`] if it is another.
    pub fn into_init(self) -> Result<KmsInit, Error> {
        match self {
            KmsMessage::Init(init) => Ok(init),
            other => Err(Error::WrongMessage { found: other.name(), expected: "KmsInit" }),
        }
    }

    /// The answer of `keyprov`; [`Error::WrongMessage`] if it is another.
    pub fn into_key_prov(self) -> Result<KmsKeyProv, Error> {
        match self {
            KmsMessage::KeyProv(keys) => Ok(keys),
            other => Err(Error::WrongMessage { found: other.name(), expected: "KmsKeyProv" }),
        }
    }

    /// The answer of `certcache`; [`Error::WrongMessage`] if it is another.
    pub fn into_cert_cache(self) -> Result<KmsCertCache, Error> {
        match self {
            KmsMessage::CertCache(cache) => Ok(cache),
            other => Err(Error::WrongMessage { found: other.name(), expected: "KmsCertCache" }),
        }
    }

    /// The answer of a lookup; [`Error::WrongMessage`] if it is another.
    pub fn into_lookup(self) -> Result<KmsLookup, Error> {
        match self {
            KmsMessage::Lookup(lookup) => Ok(lookup),
            other => Err(Error::WrongMessage { found: other.name(), expected: "KmsLookup" }),
        }
    }

    fn read(node: Node<'_, '_>) -> Result<Self, Error> {
        const EXPECTED: &str = "one of KmsInit, KmsKeyProv, KmsCertCache and KmsLookup";
        let fields = node.fields()?;
        let init = fields.optional("KmsInit")?;
        let key_prov = fields.optional("KmsKeyProv")?;
        let cert_cache = fields.optional("KmsCertCache")?;
        let lookup = fields.optional("KmsLookup")?;
        match (init, key_prov, cert_cache, lookup) {
            (Some(init), None, None, None) => KmsInit::read(init).map(KmsMessage::Init),
            (None, Some(keys), None, None) => KmsKeyProv::read(keys).map(KmsMessage::KeyProv),
            (None, None, Some(cache), None) => KmsCertCache::read(cache).map(KmsMessage::CertCache),
            (None, None, None, Some(lookup)) => KmsLookup::read(lookup).map(KmsMessage::Lookup),
            (None, None, None, None) => match fields.first_name() {
                Some(found) => Err(Error::Unexpected { path: node.path(), found, expected: EXPECTED }),
                None => Err(Error::Empty { path: node.path(), expected: EXPECTED }),
            },
            _ => Err(Error::Unexpected { path: node.path(), found: "several messages".to_owned(), expected: EXPECTED }),
        }
    }

    fn write(&self, w: &mut DocumentWriter, options: &WriteOptions) {
        match self {
            KmsMessage::Init(init) => init.write(w),
            KmsMessage::KeyProv(keys) => keys.write(w, options),
            KmsMessage::CertCache(cache) => cache.write(w),
            KmsMessage::Lookup(lookup) => lookup.write(w),
        }
    }
}

impl KmsInit {
    fn read(node: Node<'_, '_>) -> Result<Self, Error> {
        node.check_version()?;
        let fields = node.fields()?;
        let certificate = match (fields.optional("SignedKmsCertificate")?, fields.optional("KmsCertificate")?) {
            (Some(signed), None) => read_signed_certificate(signed)?,
            (None, Some(plain)) => KmsCertificate::read(plain, SignatureStatus::Absent)?,
            (None, None) => return Err(Error::Missing { path: node.child_path("KmsCertificate") }),
            (Some(_), Some(_)) => {
                return Err(Error::Unexpected {
                    path: node.path(),
                    found: "both SignedKmsCertificate and KmsCertificate".to_owned(),
                    expected: "one of them",
                });
            }
        };
        Ok(KmsInit {
            certificate,
            new_transport_keys: read_new_keys(&fields.many("NewTransportKey"))?,
            new_integrity_keys: read_new_keys(&fields.many("NewIntegrityKey"))?,
        })
    }

    fn write(&self, w: &mut DocumentWriter) {
        w.open("KmsInit", &[("Version", "1.0.0"), ("xsi:type", "KmsInitTkIkType")]);
        self.certificate.write(w);
        write_new_keys(w, &self.new_transport_keys, &self.new_integrity_keys);
        w.close("KmsInit");
    }
}

impl KmsKeyProv {
    fn read(node: Node<'_, '_>) -> Result<Self, Error> {
        node.check_version()?;
        let fields = node.fields()?;
        Ok(KmsKeyProv {
            key_sets: fields.many("KmsKeySet").into_iter().map(KmsKeySet::read).collect::<Result<_, _>>()?,
            new_transport_keys: read_new_keys(&fields.many("NewTransportKey"))?,
            new_integrity_keys: read_new_keys(&fields.many("NewIntegrityKey"))?,
        })
    }

    fn write(&self, w: &mut DocumentWriter, options: &WriteOptions) {
        w.open("KmsKeyProv", &[("Version", "1.0.0"), ("xsi:type", "KmsKeyProvTkIkType")]);
        for key_set in &self.key_sets {
            key_set.write(w, options);
        }
        write_new_keys(w, &self.new_transport_keys, &self.new_integrity_keys);
        w.close("KmsKeyProv");
    }
}

impl KmsCertCache {
    fn read(node: Node<'_, '_>) -> Result<Self, Error> {
        node.check_version()?;
        let fields = node.fields()?;
        let mut certificates = Vec::new();
        for signed in fields.many("SignedKmsCertificate") {
            certificates.push(read_signed_certificate(signed)?);
        }
        for plain in fields.many("KmsCertificate") {
            certificates.push(KmsCertificate::read(plain, SignatureStatus::Absent)?);
        }
        Ok(KmsCertCache { cache_num: node.optional_number_attribute("CacheNum")?, certificates })
    }

    fn write(&self, w: &mut DocumentWriter) {
        let number = self.cache_num.map(|number| number.to_string());
        let mut attributes = vec![("Version", "1.0.0")];
        if let Some(number) = &number {
            attributes.push(("CacheNum", number));
        }
        w.open("KmsCertCache", &attributes);
        for certificate in &self.certificates {
            certificate.write(w);
        }
        w.close("KmsCertCache");
    }
}

fn read_signed_certificate(node: Node<'_, '_>) -> Result<KmsCertificate, Error> {
    let fields = node.fields()?;
    KmsCertificate::read(fields.one("KmsCertificate")?, signature_status(fields.optional("Signature")?)?)
}

fn read_new_keys(nodes: &[Node<'_, '_>]) -> Result<Vec<EncryptedKey>, Error> {
    nodes.iter().map(|node| EncryptedKey::read(node.fields()?.one("EncryptedKey")?)).collect()
}

fn write_new_keys(w: &mut DocumentWriter, transport: &[EncryptedKey], integrity: &[EncryptedKey]) {
    for (name, keys) in [("NewTransportKey", transport), ("NewIntegrityKey", integrity)] {
        for key in keys {
            w.open(name, &[]);
            key.write(w);
            w.close(name);
        }
    }
}
