//! What can be wrong with a document.

use super::{ErrorCode, KmsError};
use crate::mc::printable;
#[cfg(feature = "xml-security")]
use crate::xml_security;

/// Why a document was not read. `path` is the place in the document (`/KmsResponse/KmsMessage/...`, with `[n]` where an
/// element repeats). No variant carries the text of a key element.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The body is longer than [`Limits::max_bytes`](super::Limits::max_bytes).
    #[error("the document has {found} octets, more than the {limit} that are accepted")]
    TooLarge {
        /// Octets of the body.
        found: usize,
        /// Octets that are accepted.
        limit: usize,
    },
    /// The body is not UTF-8 text.
    #[error("the document is not UTF-8 text: octet {offset} does not belong there")]
    NotUtf8 {
        /// Octet offset of the first bad sequence.
        offset: usize,
    },
    /// The XML declaration names an encoding other than UTF-8, and the text is more than ASCII.
    #[error("the document declares the encoding {found:?}, expected UTF-8")]
    Encoding {
        /// The declared encoding.
        found: String,
    },
    /// The document has a document type declaration; these are refused whatever they contain.
    #[error("document type declaration at octet {offset}: refused, a KMS document has none")]
    Doctype {
        /// Octet offset just behind the declaration.
        offset: u64,
    },
    /// The text refers to an entity other than the five of XML itself.
    #[error(
        "reference to the entity {name:?} at octet {offset}: only lt, gt, amp, apos, quot and characters are known"
    )]
    Entity {
        /// The entity's name.
        name: String,
        /// Octet offset just behind the reference.
        offset: u64,
    },
    /// Elements are nested deeper than [`Limits::max_depth`](super::Limits::max_depth).
    #[error("elements nested more than {limit} deep at octet {offset}")]
    TooDeep {
        /// Levels that are accepted.
        limit: u32,
        /// Octet offset just behind the element's start.
        offset: u64,
    },
    /// One element has more attributes than [`Limits::max_attributes`](super::Limits::max_attributes).
    #[error("an element before octet {offset} has more than {limit} attributes")]
    TooManyAttributes {
        /// Attributes of one element that are accepted, namespace declarations included.
        limit: usize,
        /// Octet offset just behind the element's start.
        offset: u64,
    },
    /// More namespace declarations are in force at one element than [`Limits::max_namespaces`](super::Limits::max_namespaces).
    #[error("more than {limit} namespace declarations in force before octet {offset}")]
    TooManyNamespaces {
        /// Namespace declarations, of the element and those around it, that are accepted.
        limit: usize,
        /// Octet offset just behind the element's start.
        offset: u64,
    },
    /// The document has more elements than [`Limits::max_elements`](super::Limits::max_elements).
    #[error("more than {limit} elements before octet {offset}")]
    TooManyElements {
        /// Elements that are accepted.
        limit: usize,
        /// Octet offset just behind the element's start.
        offset: u64,
    },
    /// The body is not an XML document: empty, or text outside the root element (JSON, HTML without root, ...).
    #[error("not an XML document: found {found}, expected an element such as KmsResponse")]
    NotXml {
        /// What stands where the root element belongs.
        found: String,
    },
    /// The document has a second root element.
    #[error("a second root element before octet {offset}, expected one")]
    SecondRoot {
        /// Octet offset just behind the second root's start.
        offset: u64,
    },
    /// The XML is not well formed.
    #[error("the XML is not well formed: {}", printable(reason))]
    NotWellFormed {
        /// What and where, in the XML parser's words.
        reason: String,
    },
    /// The root element is another than the one asked for.
    #[error("the root element is {found:?}, expected {expected}")]
    Root {
        /// Local name of the root element.
        found: String,
        /// Local names that are accepted.
        expected: &'static str,
    },
    /// The `Version` attribute names another major version.
    #[error("{path}: version {found:?}, expected 1.x")]
    Version {
        /// The element with the attribute.
        path: String,
        /// The attribute's value.
        found: String,
    },
    /// A required element is missing.
    #[error("{path} is missing")]
    Missing {
        /// Where the element belongs.
        path: String,
    },
    /// An element has nothing in it, but needs a value.
    #[error("{path} is empty, expected {expected}")]
    Empty {
        /// The empty element.
        path: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// An element that may appear once appears again.
    #[error("{path} appears {count} times, expected once")]
    Duplicate {
        /// The element.
        path: String,
        /// How often it appears.
        count: usize,
    },
    /// Text or an element stands where it does not belong.
    #[error("{path} contains {found}, expected {expected}")]
    Unexpected {
        /// The element that contains it.
        path: String,
        /// What was found, by its kind or name.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A value does not parse.
    #[error("{path} is {found:?}, expected {expected}")]
    Value {
        /// The element, or the element and `@attribute`.
        path: String,
        /// The value, cut to 64 characters.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// Octets (a key, an identifier) are neither hex nor base64, or have the wrong length. The text is not shown.
    #[error("{path} is {found}, expected {expected}")]
    Octets {
        /// The element.
        path: String,
        /// The kind of fault, or the length.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// The KMS answered with a `KmsError`.
    #[error("the KMS refused the request: {0}")]
    Refused(KmsError),
    /// The response has neither a `KmsMessage` nor a `KmsError`.
    #[error("the response has neither a KmsMessage nor a KmsError")]
    NoMessage,
    /// The response's message is of another kind than the request asked for.
    #[error("the response carries {found}, expected {expected}")]
    WrongMessage {
        /// Element name of the message that came.
        found: &'static str,
        /// Element name of the message that was asked for.
        expected: &'static str,
    },
    /// A redirect response proposes a KMS that the one in it does not.
    #[error("the redirect response proposes {kms_uri:?}, which the one that it embeds does not")]
    RedirectWidened {
        /// The KMS.
        kms_uri: String,
    },
    /// Too many redirect responses in each other, or in a list.
    #[error("there are more than {limit} redirect responses in one document")]
    TooManyRedirects {
        /// How many are accepted.
        limit: usize,
    },
    /// The document could not be signed, or its signature does not hold.
    #[cfg(feature = "xml-security")]
    #[error(transparent)]
    Signature(#[from] xml_security::Error),
    /// A key is wrapped under another TrK than the one at hand.
    #[cfg(feature = "xml-security")]
    #[error("{field} is wrapped under transport key {found:?}, the one at hand is {expected:?}")]
    OtherTransportKey {
        /// Which element.
        field: &'static str,
        /// The TrK-ID that the document names.
        found: String,
        /// The TrK-ID of the key at hand.
        expected: String,
    },
    /// A key is wrapped by an algorithm that is no AES-256 key wrap.
    #[cfg(feature = "xml-security")]
    #[error("{field} is wrapped by {found:?}, expected AES-256 key wrap")]
    KeyWrapAlgorithm {
        /// Which element.
        field: &'static str,
        /// The algorithm's URI.
        found: String,
    },
    /// A key is in clear that should be wrapped.
    #[cfg(feature = "xml-security")]
    #[error("{field} is in clear, though there is a transport key to wrap it")]
    ClearKey {
        /// Which element.
        field: &'static str,
    },
    /// A wrapped key does not unwrap, or a key cannot be wrapped.
    #[cfg(feature = "xml-security")]
    #[error("{field}: {source}")]
    KeyWrap {
        /// Which element.
        field: &'static str,
        /// Why.
        source: xml_security::Error,
    },
    /// What was wrapped is not as long as the key that it should be.
    #[cfg(feature = "xml-security")]
    #[error("{field} was wrapped with {found} octets, expected {expected}")]
    WrappedLength {
        /// Which element.
        field: &'static str,
        /// Octets of what was wrapped.
        found: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// A wrapped TrK or InK has no `CarriedKeyName`, or one that is no name.
    #[cfg(feature = "xml-security")]
    #[error("{field} has no CarriedKeyName that could be its identifier")]
    NoCarriedKeyName {
        /// Which element.
        field: &'static str,
    },
}

impl Error {
    /// The code with which a KMS answers a request document that has this fault.
    pub fn code(&self) -> ErrorCode {
        match self {
            Error::TooLarge { .. } => ErrorCode::TooLarge,
            #[cfg(feature = "xml-security")]
            Error::Signature(_) => ErrorCode::InvalidSignature,
            _ => ErrorCode::MalformedDocument,
        }
    }
}
