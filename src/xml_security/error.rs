use alloc::string::String;

/// Why a document could not be signed, a signature does not hold, or a key could not be wrapped or unwrapped. No variant
/// carries key octets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key is not 32 octets long, or its name is empty, too long, or has characters that no identifier has.
    #[error("{0}")]
    BadKey(&'static str),
    /// The document cannot be signed.
    #[error("the document cannot be signed: {0}")]
    Unsignable(&'static str),
    /// The signature element is not built as XML Signature has it.
    #[error("the signature is malformed: {problem}")]
    Malformed {
        /// What is wrong with it.
        problem: String,
    },
    /// The signature asks for an algorithm or a transform that is not on the list.
    #[error("the signature names {found:?} as {role}, which is not accepted")]
    Algorithm {
        /// What for, such as `SignatureMethod`.
        role: &'static str,
        /// The URI.
        found: String,
    },
    /// The signature has several References, or none: there must be one.
    #[error("the signature has {found} References, expected one")]
    References {
        /// How many.
        found: usize,
    },
    /// The MAC is truncated to fewer than 128 bits.
    #[error("the signature is truncated to {bits} bits, at least 128 are needed")]
    Truncated {
        /// HMACOutputLength.
        bits: u64,
    },
    /// The Reference is not to an `Id` of the same document.
    #[error("the signature refers to {found:?}, expected the Id of an element of this document")]
    ExternalReference {
        /// Its URI.
        found: String,
    },
    /// No `KeyName` tells under which key the signature is.
    #[error("the signature names no key")]
    NoKeyName,
    /// The signature is under a key that is not at hand.
    #[error("the signature is under key {name:?}, which is not known here")]
    UnknownKey {
        /// KeyName.
        name: String,
    },
    /// The MAC is not that of the key over `SignedInfo`.
    #[error("the signature is not that of key {name:?}: the document was altered, or the key is another")]
    WrongMac {
        /// KeyName.
        name: String,
    },
    /// KeyInfo has no certificate, or something beside it.
    #[error("the signature's KeyInfo must have one X509Data with one X509Certificate, and nothing else")]
    NoCertificate,
    /// An X.509 certificate cannot be read.
    #[error("the X.509 certificate cannot be used: {problem}")]
    BadCertificate {
        /// Why.
        problem: String,
    },
    /// A private key is none of P-256 in PKCS #8, or not that of the certificate.
    #[error("the private key cannot be used: {0}")]
    BadPrivateKey(&'static str),
    /// The signer's certificate is none that is trusted, and none that a trusted one issued and that is valid now.
    #[error("the signer's certificate is not trusted: {problem}")]
    UntrustedCertificate {
        /// Why.
        problem: String,
    },
    /// The signature is not that of the certificate's key over `SignedInfo`.
    #[error("the signature is not that of the key in its certificate: the document was altered, or the key is another")]
    WrongSignature,
    /// Two elements have the same `Id`.
    #[error("two elements have the Id {id:?}")]
    DuplicateId {
        /// The Id.
        id: String,
    },
    /// The signed element is not the one that is read: another one has that `Id`, or none.
    #[error("the signature is about the Id {id:?}, which is not that of the document's content")]
    OtherElement {
        /// The Id.
        id: String,
    },
    /// The signed element was altered.
    #[error("the content of Id {id:?} is not what was signed")]
    WrongDigest {
        /// The Id.
        id: String,
    },
    /// The element could not be brought into canonical form.
    #[error("the document has no canonical form: {0}")]
    NotCanonical(String),
    /// A key of this length cannot be wrapped.
    #[error("a key of {0} octets cannot be wrapped in this form")]
    NotWrappable(usize),
    /// The wrapping key is another, or the wrapped octets were altered.
    #[error("the key does not unwrap under {name:?}: it was altered, or the wrapping key is another")]
    NotUnwrapped {
        /// The name of the wrapping key.
        name: String,
    },
}

impl Error {
    pub(super) fn malformed(problem: impl Into<String>) -> Self {
        Error::Malformed { problem: problem.into() }
    }
}
