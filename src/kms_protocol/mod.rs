//! The documents that a key management server (KMS) and its clients exchange (TS 33.180 Annex D).
//!
//! A client POSTs a [`KmsRequest`] (or nothing at all) to one of the KMS's [resources](resource::Resource), and gets a
//! [`KmsResponse`]: the KMS's own certificate (`init`), key sets for an identity (`keyprov`), the certificates of other
//! KMSs (`certcache`, `cert`), or a [`KmsError`]. A response that is written to a file serves for pre-provisioning.
//! A [`KmsRedirectResponse`] travels in SIP: it says which KMS a message should have been made for.
//!
//! This module turns bytes into typed values and back. It does no input or output: key octets are carried as they came, and
//! the schemes check them. With the feature `xml-security`, documents are signed and keys wrapped under keys that a client
//! shares with its KMS (`ClientKeys`), and the other way round; otherwise signatures and wrapped keys are only reported.
//!
//! - **Writing** follows the published schema (`mcsecKMSInterface-1.0.xsd`) to the letter, on one line without white space
//!   between elements.
//! - **Reading** first bounds the work ([`Limits`]; no document type declaration, no entities), then matches elements by
//!   local name. What is read generously, because real servers and clients differ there:
//!   elements may stand in the namespace of the document's root, in the schema's, or in none; those of other namespaces
//!   and those that the schema does not name are passed over (Annex D.1 lets peers extend documents); the order of
//!   elements is free; `Version` may be missing or any 1.x; a time without zone is UTC; octets are hex in either case, with
//!   or without white space, or base64. What is refused, each with an [`Error`] that names the element: a value twice, a
//!   missing or empty value, text or elements where none belong, and every value that does not parse.
//!
//! ```
//! use mikey_sakke::kms_protocol::{Error, KmsResponse, Limits};
//!
//! let answer = br#"<KmsResponse xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0">
//!   <UserUri>sip:alice@example.org</UserUri><KmsUri>kms.example.org</KmsUri><Time>2026-03-01T08:00:00Z</Time>
//!   <ClientReqUrl>https://kms.example.org/keymanagement/identity/v1/init</ClientReqUrl>
//!   <KmsError><ErrorCode>3001</ErrorCode><ErrorMsg>unknown user</ErrorMsg></KmsError>
//! </KmsResponse>"#;
//! let (response, _signature) = KmsResponse::from_xml(answer, &Limits::default())?.into_parts();
//! match response.into_message() {
//!     Err(Error::Refused(error)) => assert_eq!(error.code, 3001),
//!     other => panic!("an error is never read as success: {other:?}"),
//! }
//! # Ok::<(), Error>(())
//! ```

mod calendar;
mod certificate;
mod document;
mod error;
mod error_code;
#[cfg(feature = "xml-security")]
mod key_file;
mod key_ids;
mod key_set;
mod limits;
mod lookup;
#[cfg(feature = "xml-security")]
mod protection;
mod redirect;
mod request;
pub mod resource;
mod response;
mod signature;
mod value;
mod writer;

pub use calendar::ntp_date;
pub use certificate::{KmsCertificate, Role, USER_ID_FORMAT_HASHED};
pub use error::Error;
pub use error_code::{ClientError, ErrorCode, KmsError};
#[cfg(feature = "xml-security")]
pub use key_file::{ClientKeys, KeyFileError};
pub use key_ids::KeyIds;
pub use key_set::{EncryptedKey, KeyContent, KmsKeySet};
pub use limits::{DEFAULT_MAX_BYTES, Limits};
pub use lookup::KmsLookup;
#[cfg(feature = "xml-security")]
pub use protection::SharedKey;
pub use redirect::{KmsRedirectResponse, MAX_REDIRECTS, REDIRECT_MEDIA_TYPE, RedirectDocument};
pub use request::KmsRequest;
pub use response::{KmsCertCache, KmsInit, KmsKeyProv, KmsMessage, KmsResponse};
pub use signature::{Received, SignatureStatus};
#[cfg(feature = "kms")]
pub(crate) use value::excerpt;
pub use writer::{CipherValueForm, UserIdForm, WriteOptions};

/// The namespace of the KMS interface documents.
pub const NAMESPACE: &str = "urn:3gpp:ns:mcsecKMSInterface:1.0";

/// The media type of the documents in HTTP bodies.
pub const MEDIA_TYPE: &str = "application/xml";

/// The namespace of the identifiers of keys that the schema has no elements for (D.1: extensions have a namespace of their
/// own).
pub const KEY_IDS_NAMESPACE: &str = "urn:mikey-sakke:ns:kms-key-ids:1.0";

/// The namespace of [`KmsLookup`], which the published schema does not have (D.1).
pub const LOOKUP_NAMESPACE: &str = "urn:mikey-sakke:ns:kms-lookup:1.0";

/// The namespace of KMS redirect responses (D.4).
pub const REDIRECT_NAMESPACE: &str = "urn:3gpp:ns:mcsecKMSKRR:1.0";

/// The namespace of XML signatures.
const XMLDSIG_NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// The namespace of XML encryption.
const XMLENC_NAMESPACE: &str = "http://www.w3.org/2001/04/xmlenc#";
