//! XML signatures under shared keys and X.509 certificates, and keys wrapped under shared keys: as much of W3C's *XML
//! Signature* and *XML Encryption* as the KMS interface of TS 33.180 (9.3, Annex D) uses, and no more.
//!
//! [`sign`] puts an HMAC-SHA256 signature into a document. [`verify`] takes the one signature element and the elements
//! that it may be about from its caller, who found them where the schema has them, and says which of these it signs:
//! whoever then reads that very element of that very document cannot be given another one (*signature wrapping*). Nothing is
//! fetched, no identifier is looked up, and what the document demands is done only after its author is known:
//!
//! 1. the algorithms are on the list of [`Canonicalization`], HMAC-SHA256 and SHA-256, there is one Reference to `#Id`, and
//!    the transforms are at most *enveloped signature* and a canonicalization;
//! 2. the key is one of the caller's, by `KeyName`;
//! 3. the MAC over `SignedInfo` is right, in constant time;
//! 4. no two elements of the document have the same `Id`, but for documents that are embedded in it, and the Reference is to a candidate;
//! 5. the digest of that element is right.
//!
//! [`sign_x509`] and [`verify_x509`] do the same with ECDSA on P-256 and SHA-256 (D.4.2): in place of 2 and 3, the one certificate
//! in KeyInfo is trusted or refused, and the signature over `SignedInfo` is right under its key. Their Reference may also be
//! to the whole document (`URI=""`).
//!
//! [`wrap`] and [`unwrap`] are AES-256 key wrap (RFC 3394) and key wrap with padding (RFC 5649).
//!
//! Bounds on size and depth are the reader's who makes the DOM: work and memory here are in proportion to the document,
//! and to the namespaces that are in force at each of its elements.
//!
//! ```
//! use mikey_sakke::xml_security::{Form, NamedKey, SigningOptions, sign, verify};
//!
//! let key = NamedKey::new("ink.1.alice@example.org", &[7; 32])?;
//! let document = r#"<Signed><Letter Id="xmldoc">keep this</Letter></Signed>"#;
//! let signed = sign(document, "xmldoc", &key, &SigningOptions::default())?;
//!
//! let dom = uppsala::parse(&signed)?;
//! let root = dom.document_element().ok_or("no element")?;
//! let [letter, signature] = dom.children(root)[..] else { return Err("two children expected".into()) };
//! let verified = verify(&dom, signature, &[letter], &[], &[&key])?;
//! assert_eq!((verified.element, verified.key_name.as_str()), (letter, "ink.1.alice@example.org"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod canonical;
mod error;
mod key_info;
mod key_wrap;
mod named_key;
mod sign;
mod sign_x509;
mod signed_info;
mod verify;
mod verify_x509;
mod x509;

pub use canonical::Canonicalization;
pub use error::Error;
pub use key_wrap::{KW_AES256, KW_AES256_PAD, KeyWrapping, unwrap, wrap};
pub use named_key::{KEY_LEN, MAX_NAME_LEN, NamedKey};
pub use sign::{Form, SigningOptions, sign};
pub use sign_x509::sign_x509;
pub use verify::{Verified, verify};
pub use verify_x509::{VerifiedX509, verify_x509};
pub use x509::{X509Signer, X509Trust};

/// The namespace of XML signatures.
pub const XMLDSIG_NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";

const HMAC_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
