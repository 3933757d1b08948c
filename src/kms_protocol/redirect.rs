//! KMS redirect responses (KRR, TS 33.180 5.2.8 and D.4).

#[cfg(feature = "xml-security")]
use super::document::verified_certificate;
use super::document::{Document, Fields, Node, signature_status};
use super::value::{LOWER_CASE, format_hex};
use super::writer::{CipherValueForm, DocumentWriter};
use super::{Error, Limits, REDIRECT_NAMESPACE, SignatureStatus};
#[cfg(feature = "xml-security")]
use crate::xml_security::{Form, SigningOptions, X509Signer, X509Trust, sign_x509};
#[cfg(feature = "xml-security")]
use core::time::Duration;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

/// The media type of a redirect response in the body of a SIP response 488 (D.4.1).
pub const REDIRECT_MEDIA_TYPE: &str = "application/vnd.3gpp.kmsredirectresponse+xml";

/// The most redirect responses in each other, and in one `KrrList`.
pub const MAX_REDIRECTS: usize = 8;

/// The names of the elements. The schema of D.4.4 is not public but for the root and its namespace: these names are this
/// project's own, and nothing but this table depends on them.
mod names {
    pub(super) const ROOT: &str = "KmsRedirectResponse";
    pub(super) const PROCESSOR_URI: &str = "ProcessorUri";
    pub(super) const TIME: &str = "Time";
    pub(super) const INITIATOR_URI: &str = "InitiatorUri";
    pub(super) const RECEIVER_URI: &str = "ReceiverUri";
    pub(super) const REJECTED_KMS_URI: &str = "RejectedKmsUri";
    pub(super) const INITIATOR_KMS_URIS: &str = "InitiatorKmsUriList";
    pub(super) const RECEIVER_KMS_URIS: &str = "ReceiverKmsUriList";
    pub(super) const KMS_URI: &str = "KmsUri";
    pub(super) const PREVIOUS: &str = "PreviousKrr";
    pub(super) const LIST: &str = "KrrList";
}

const VERSION: &str = "1.0.0";

/// What a redirect response says: some entity on the way of an I_MESSAGE does not accept a KMS that the message names, and
/// proposes others.
///
/// Every part may be missing in what others write: the names of the elements are not public, and unknown ones are passed
/// over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KmsRedirectResponse {
    /// The entity that made it.
    pub processor_uri: Option<String>,
    /// When it was made, UTC.
    pub time: Option<OffsetDateTime>,
    /// The sender of the I_MESSAGE.
    pub initiator_uri: Option<String>,
    /// Its receiver.
    pub receiver_uri: Option<String>,
    /// The KMS that is not accepted (IDRkmsi or IDRkmsr).
    pub rejected_kms_uri: Option<String>,
    /// KMSs that would be accepted as the initiator's.
    pub initiator_kms_uris: Vec<String>,
    /// KMSs that would be accepted as the receiver's.
    pub receiver_kms_uris: Vec<String>,
    /// The redirect response that the entity received, and narrowed.
    pub previous: Option<Box<RedirectDocument>>,
}

impl KmsRedirectResponse {
    /// What an entity makes of a redirect response that it received: the same, with fewer KMSs for the receiver.
    ///
    /// # Errors
    /// [`Error::RedirectWidened`] for a KMS that `previous` does not propose; [`Error::TooManyRedirects`].
    pub fn narrowed(
        previous: RedirectDocument,
        processor_uri: impl Into<String>,
        time: OffsetDateTime,
        receiver_kms_uris: Vec<String>,
    ) -> Result<Self, Error> {
        let narrowed = Self {
            processor_uri: Some(processor_uri.into()),
            time: Some(time),
            receiver_kms_uris,
            previous: None,
            ..previous.content.clone()
        };
        let narrowed = Self { previous: Some(Box::new(previous)), ..narrowed };
        narrowed.check_chain()?;
        Ok(narrowed)
    }

    /// The document, unsigned.
    pub fn to_xml(&self) -> String {
        self.to_xml_with_id(&self.id())
    }

    fn to_xml_with_id(&self, id: &str) -> String {
        let mut w = DocumentWriter::new(0, CipherValueForm::default());
        let attributes = [("xmlns", REDIRECT_NAMESPACE), ("Id", id), ("Version", VERSION)];
        w.open(names::ROOT, &attributes);
        w.optional_leaf(names::PROCESSOR_URI, self.processor_uri.as_deref());
        w.optional_time(names::TIME, self.time);
        w.optional_leaf(names::INITIATOR_URI, self.initiator_uri.as_deref());
        w.optional_leaf(names::RECEIVER_URI, self.receiver_uri.as_deref());
        w.optional_leaf(names::REJECTED_KMS_URI, self.rejected_kms_uri.as_deref());
        write_uris(&mut w, names::INITIATOR_KMS_URIS, &self.initiator_kms_uris);
        write_uris(&mut w, names::RECEIVER_KMS_URIS, &self.receiver_kms_uris);
        if let Some(previous) = &self.previous {
            w.open(names::PREVIOUS, &[]);
            w.verbatim(&previous.xml);
            w.close(names::PREVIOUS);
        }
        w.close(names::ROOT);
        w.finish().to_string()
    }

    /// The document, signed by the profile of D.4.2 with a signature inside of it.
    ///
    /// # Errors
    /// [`Error::Signature`].
    #[cfg(feature = "xml-security")]
    pub fn to_signed_xml(&self, signer: &X509Signer) -> Result<String, Error> {
        let options = SigningOptions { form: Form::Enveloped, ..SigningOptions::default() };
        Ok(sign_x509(&self.to_xml(), &self.id(), signer, &options)?.to_string())
    }

    /// How many redirect responses this is, with all that are in each other.
    pub fn chain_len(&self) -> usize {
        1 + self.previous.as_ref().map_or(0, |previous| previous.content.chain_len())
    }

    /// Another one than that of any document within this one or beside it, for a reader may look signed elements up by it: it follows
    /// from all that the document says.
    fn id(&self) -> String {
        let hash = Sha256::digest(self.to_xml_with_id(""));
        format!("krr.{}", &*format_hex(hash.first_chunk::<16>().map_or(&[][..], |start| start), LOWER_CASE))
    }

    fn read(node: Node<'_, '_>) -> Result<Self, Error> {
        node.check_version()?;
        let fields = node.fields()?;
        let response = Self {
            processor_uri: fields.optional_uri(names::PROCESSOR_URI)?,
            time: fields.optional_time(names::TIME)?,
            initiator_uri: fields.optional_uri(names::INITIATOR_URI)?,
            receiver_uri: fields.optional_uri(names::RECEIVER_URI)?,
            rejected_kms_uri: fields.optional_uri(names::REJECTED_KMS_URI)?,
            initiator_kms_uris: read_uris(&fields, names::INITIATOR_KMS_URIS)?,
            receiver_kms_uris: read_uris(&fields, names::RECEIVER_KMS_URIS)?,
            previous: read_previous(node)?.map(Box::new),
        };
        response.check_chain()?;
        Ok(response)
    }

    /// A list may only lose KMSs on the way; one that the previous document does not have is free.
    fn check_chain(&self) -> Result<(), Error> {
        let Some(previous) = self.previous.as_ref().map(|previous| &previous.content) else { return Ok(()) };
        if self.chain_len() > MAX_REDIRECTS {
            return Err(Error::TooManyRedirects { limit: MAX_REDIRECTS });
        }
        for (now, before) in [
            (&self.initiator_kms_uris, &previous.initiator_kms_uris),
            (&self.receiver_kms_uris, &previous.receiver_kms_uris),
        ] {
            if let Some(added) = now.iter().find(|uri| !before.is_empty() && !before.contains(uri)) {
                return Err(Error::RedirectWidened { kms_uri: super::value::excerpt(added) });
            }
        }
        Ok(())
    }
}

/// A redirect response as it came, octet by octet, and what it says: whoever hands it on must not change what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectDocument {
    xml: String,
    content: KmsRedirectResponse,
    signature: SignatureStatus,
    /// It is the `KrrList` of a request, which the published schema gives the type of one redirect response.
    is_list: bool,
}

impl RedirectDocument {
    /// Reads the body of a SIP response.
    ///
    /// # Errors
    /// [`Error`], naming the element; [`Error::RedirectWidened`], [`Error::TooManyRedirects`].
    pub fn from_xml(body: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::from_text(limits.admit(body)?, limits, names::ROOT)
    }

    /// Reads a redirect response as it was in a request, [`xml`](Self::xml) of what was read then: it may also be the request's
    /// `KrrList`.
    ///
    /// # Errors
    /// As [`from_xml`](Self::from_xml).
    pub fn from_handed_in(document: &str, limits: &Limits) -> Result<Self, Error> {
        match Self::from_text(limits.admit(document.as_bytes())?, limits, names::LIST) {
            Err(Error::Root { .. }) => Self::from_xml(document.as_bytes(), limits),
            other => other,
        }
    }

    /// Verifies the signatures of the document and of those in it. One without a signature stays what it was,
    /// [`SignatureStatus::Absent`]: the caller decides what it is worth. `since_1970` is the present time.
    ///
    /// # Errors
    /// [`Error::Signature`] if one does not hold.
    #[cfg(feature = "xml-security")]
    pub fn verified(mut self, trust: &X509Trust, since_1970: Duration) -> Result<Self, Error> {
        let limits = Limits::with_max_bytes(self.xml.len());
        let document = Document::parse(&self.xml, &limits)?;
        let root = document.root()?;
        if let Some(signature) = root.fields()?.optional("Signature")? {
            let certificate = verified_certificate(root, signature, &embedded(root), trust, since_1970)?;
            let key_name = format_hex(&Sha256::digest(certificate), LOWER_CASE).to_string();
            self.signature = SignatureStatus::Verified { key_name };
        }
        if let Some(previous) = self.content.previous.take() {
            self.content.previous = Some(Box::new(previous.verified(trust, since_1970)?));
        }
        Ok(self)
    }

    /// The element as it came.
    pub fn xml(&self) -> &str {
        &self.xml
    }

    /// What it says.
    pub fn content(&self) -> &KmsRedirectResponse {
        &self.content
    }

    /// What is known of its signature.
    pub fn signature(&self) -> &SignatureStatus {
        &self.signature
    }

    /// Reads an element of a greater document by itself, as it would be verified: with the namespaces that it declares.
    fn within(node: Node<'_, '_>, name: &'static str) -> Result<Self, Error> {
        let limits = Limits::default();
        Self::from_text(limits.admit(node.source().as_bytes())?, &limits, name)
    }

    fn from_text(text: &str, limits: &Limits, name: &'static str) -> Result<Self, Error> {
        let document = Document::parse(text, limits)?;
        let root = document.root()?;
        if root.name() != name {
            return Err(Error::Root { found: super::value::excerpt(root.name()), expected: name });
        }
        Ok(Self {
            xml: root.source().to_owned(),
            content: KmsRedirectResponse::read(root)?,
            signature: signature_status(root.fields()?.optional("Signature")?)?,
            is_list: name == names::LIST,
        })
    }
}

/// The redirect responses of a request: the children of its `KrrList`, or that element itself.
pub(super) fn read_list(fields: &Fields<'_, '_>) -> Result<Vec<RedirectDocument>, Error> {
    let Some(list) = fields.optional(names::LIST)? else { return Ok(Vec::new()) };
    let documents: Vec<Node<'_, '_>> = list.elements().filter(|node| node.name() == names::ROOT).collect();
    match documents.len() {
        0 if list.has_elements() => Ok(vec![RedirectDocument::within(list, names::LIST)?]),
        0..=MAX_REDIRECTS => documents.into_iter().map(|node| RedirectDocument::within(node, names::ROOT)).collect(),
        _ => Err(Error::TooManyRedirects { limit: MAX_REDIRECTS }),
    }
}

/// The element of a request that holds redirect responses, or is one: these are documents of their own.
#[cfg(feature = "xml-security")]
pub(super) fn lists<'d, 'x>(fields: &Fields<'d, 'x>) -> Vec<Node<'d, 'x>> {
    fields.many(names::LIST)
}

pub(super) fn write_list(w: &mut DocumentWriter, list: &[RedirectDocument]) {
    match list {
        [] => {}
        [RedirectDocument { xml, is_list: true, .. }] => w.verbatim(xml),
        documents => {
            w.open(names::LIST, &[]);
            for document in documents {
                w.verbatim(&document.xml);
            }
            w.close(names::LIST);
        }
    }
}

/// The embedded redirect response: a child, or the child of a child, for how it is embedded is not public.
fn read_previous(node: Node<'_, '_>) -> Result<Option<RedirectDocument>, Error> {
    match embedded(node).as_slice() {
        [] => Ok(None),
        // At most as many as the levels of elements that were admitted.
        [previous] => RedirectDocument::within(*previous, names::ROOT).map(Some),
        more => Err(Error::Duplicate { path: node.child_path(names::ROOT), count: more.len() }),
    }
}

fn embedded<'d, 'x>(node: Node<'d, 'x>) -> Vec<Node<'d, 'x>> {
    let grandchildren = node.elements().flat_map(|child| child.elements());
    node.elements().chain(grandchildren).filter(|element| element.name() == names::ROOT).collect()
}

fn read_uris(fields: &Fields<'_, '_>, name: &str) -> Result<Vec<String>, Error> {
    let Some(list) = fields.optional(name)? else { return Ok(Vec::new()) };
    list.fields()?.many(names::KMS_URI).iter().map(Node::uri).collect()
}

fn write_uris(w: &mut DocumentWriter, name: &str, uris: &[String]) {
    if uris.is_empty() {
        return;
    }
    w.open(name, &[]);
    for uri in uris {
        w.leaf(names::KMS_URI, uri);
    }
    w.close(name);
}
