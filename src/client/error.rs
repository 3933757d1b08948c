use super::convention::Attempt;
use super::held_key::is_kept;
use super::refusal::remedy;
use crate::mc::{KeyId, KeyType};
use crate::mikey::Utc;
use crate::{kms_protocol, mc, sealing};
use core::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a client could not do what it was asked to, and what to do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    // The store.
    /// There is no store in the folder.
    #[error("there is no client store in {}: import or provision keys first", path.display())]
    StoreMissing {
        /// The folder.
        path: PathBuf,
    },
    /// There is a store in the folder already.
    #[error("there is a client store in {} already: open it, or choose another folder", path.display())]
    StoreExists {
        /// The folder.
        path: PathBuf,
    },
    /// Another process has the store open.
    #[error("another process has the store open (it holds {}): let it finish, then try again", path.display())]
    StoreInUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The passphrase is not the store's.
    #[error("wrong passphrase for {}", path.display())]
    WrongPassphrase {
        /// The sealed file.
        path: PathBuf,
    },
    /// A file of the store is missing, or not what was written.
    #[error("{} is damaged ({problem}): restore the folder from a copy, or provision into a new one", path.display())]
    StoreDamaged {
        /// The sealed file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The store was written by a newer version of this program.
    #[error("{} has layout {found}, this program reads {supported}: use a newer version of it", path.display())]
    StoreVersion {
        /// The sealed file.
        path: PathBuf,
        /// Its layout.
        found: u32,
        /// The layout that this program writes.
        supported: u32,
    },
    /// The file system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried: a verb, and an object if it is not the path alone.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The store could not be sealed.
    #[error("the store cannot be sealed: {0}")]
    Sealing(#[from] sealing::Error),

    // What a KMS said.
    /// An answer is not a KMS response that can be read.
    #[error("the KMS's answer to {request} cannot be used: {source}")]
    Response {
        /// Which request: `init`, `keyprov` or `certcache`.
        request: &'static str,
        /// What is wrong with the document.
        source: kms_protocol::Error,
    },
    /// The KMS answered with an error. Nobody has signed that it did.
    #[error("the KMS refused {request} with error {code}: {text}{}", remedy(*code, *retry_after))]
    Refused {
        /// Which request: `init`, `keyprov` or `certcache`.
        request: &'static str,
        /// ErrorCode.
        code: i64,
        /// ErrorMsg, as [`printable`](crate::mc::printable) shows it.
        text: String,
        /// How long the KMS wants to be left alone, in seconds, if it says so.
        retry_after: Option<u64>,
    },
    /// The answer is for another user.
    #[error("the KMS's answer to {request} is for user {found:?}, expected {expected:?}")]
    OtherUser {
        /// Which request.
        request: &'static str,
        /// UserUri of the answer.
        found: String,
        /// The user that was asked for.
        expected: String,
    },
    /// Two places that should name the same KMS do not.
    #[error("{place} names KMS {found:?}, expected {expected:?}: the documents do not belong together")]
    OtherKms {
        /// Where the other name stands.
        place: &'static str,
        /// The name there.
        found: String,
        /// The name elsewhere.
        expected: String,
    },
    /// The answer is to another request.
    #[error("the KMS answered a request to {found:?}, but {expected:?} was asked")]
    OtherRequest {
        /// ClientReqUrl of the answer.
        found: String,
        /// The URL that was posted to.
        expected: String,
    },
    /// The answer's time is too far from this machine's.
    #[error("the KMS's answer is dated {found}, here it is {now}: set the clock, or tell the KMS's operator")]
    ResponseTime {
        /// Time of the answer.
        found: String,
        /// The time here.
        now: String,
    },

    /// The answer is older than one that came before it: somebody has kept it and gives it again.
    #[error(
        "the KMS's answer is dated {found}, but {newest} was its time before: it is an old answer given again, or the KMS's clock was set back; try again, straight to the KMS if you can"
    )]
    OldAnswer {
        /// Time of the answer.
        found: String,
        /// Time of the newest answer before it.
        newest: String,
    },

    /// The client's own TLS certificate cannot be used.
    #[error("the client certificate and its key cannot be used: {0}; both are needed, in PEM")]
    ClientCertificate(String),

    // KMS certificates.
    /// The certificate was revoked.
    #[error("the certificate of KMS {kms_uri} is revoked: ask its operator for a new one")]
    CertificateRevoked {
        /// Its KmsUri.
        kms_uri: String,
    },
    /// The certificate is not valid yet, or no longer.
    #[error(
        "the certificate of KMS {kms_uri} is valid from {from} to {to}, and it is {now}: provision again or set the clock"
    )]
    CertificateDates {
        /// Its KmsUri.
        kms_uri: String,
        /// ValidFrom.
        from: String,
        /// ValidTo.
        to: String,
        /// The time here.
        now: String,
    },
    /// The certificate says something that this client does not support.
    #[error("the certificate of KMS {kms_uri} has {field} {found:?}, only {expected} is supported")]
    CertificateUnsupported {
        /// Its KmsUri.
        kms_uri: String,
        /// Which element or attribute.
        field: &'static str,
        /// Its value.
        found: String,
        /// The values that would do.
        expected: &'static str,
    },
    /// A public key of the certificate is not a point of its curve.
    #[error("the certificate of KMS {kms_uri}: {field} is not a public key: {problem}")]
    CertificateKey {
        /// Its KmsUri.
        kms_uri: String,
        /// `PubEncKey` or `PubAuthKey`.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The KMS is known with other public keys for the same time, or for periods that there are keys of.
    #[error(
        "KMS {kms_uri} is in the store with other public keys for the same time: if its operator confirms the change, use a new store"
    )]
    KmsKeysChanged {
        /// Its KmsUri.
        kms_uri: String,
    },
    /// The KMS is in the store with other key periods, or with keys of another convention.
    #[error(
        "KMS {kms_uri} is in the store with {known}, its answer has {found}: if its operator confirms the change, use a new store"
    )]
    KmsConventionChanged {
        /// Its KmsUri.
        kms_uri: String,
        /// What the store has.
        known: String,
        /// What the answer has.
        found: String,
    },

    /// The certificate claims users that another KMS of the store serves.
    #[error(
        "the certificate of KMS {kms_uri} claims the domain {domain:?}, which KMS {holder} in the store serves: ask both operators; nothing of it is taken"
    )]
    DomainTaken {
        /// KmsUri of the certificate.
        kms_uri: String,
        /// The domain.
        domain: String,
        /// KmsUri of the KMS that serves it.
        holder: String,
    },

    // Key sets.
    /// The answer brings no keys.
    #[error("the KMS's answer holds no key set: ask for one for this user")]
    NoKeySets,
    /// The key set was revoked.
    #[error("the keys of {user_uri} for period {period_no} are revoked: ask the KMS for new ones")]
    KeySetRevoked {
        /// Whose keys.
        user_uri: String,
        /// KeyPeriodNo.
        period_no: u64,
    },
    /// The key set's own dates do not include the time.
    #[error(
        "the keys of {user_uri} for period {period_no} are valid from {from} to {to}, not at {at}: ask the KMS for new ones"
    )]
    KeySetDates {
        /// Whose keys.
        user_uri: String,
        /// KeyPeriodNo.
        period_no: u64,
        /// ValidFrom.
        from: String,
        /// ValidTo.
        to: String,
        /// Now on import, otherwise the time of the message.
        at: String,
    },
    /// The answer names a user whom it brings no keys for.
    #[error("the KMS's answer is for user {user_uri:?}, but its keys are those of {}: nothing was stored", users.join(", "))]
    KeysOfOtherUsers {
        /// UserUri of the answer.
        user_uri: String,
        /// UserUri of its key sets.
        users: Vec<String>,
    },
    /// Two key sets claim the same user and period.
    #[error("the KMS's answer holds two key sets of {user_uri} for period {period_no}: none is taken")]
    KeySetTwice {
        /// Whose keys.
        user_uri: String,
        /// KeyPeriodNo.
        period_no: u64,
    },
    /// The keys are encrypted under a transport key (TrK).
    #[error(
        "{field} of {user_uri} is encrypted under transport key {trk_id:?}: give the files of that TrK and of its InK, which the KMS's operator made (--trk and --ink)"
    )]
    TransportKeyNeeded {
        /// Whose keys.
        user_uri: String,
        /// Which element.
        field: &'static str,
        /// The TrK-ID that the KMS names.
        trk_id: String,
    },
    /// The answer is signed with an integrity key (InK) or a TrK, which is needed to check it.
    #[error(
        "{document} is signed with {key_id:?}: give the files of that InK and of its TrK, which the KMS's operator made (--trk and --ink)"
    )]
    IntegrityKeyNeeded {
        /// What is signed.
        document: String,
        /// The Signature-ID that the KMS names.
        key_id: String,
    },
    /// The answer is not signed, though this client shares keys with the KMS.
    #[error(
        "the KMS's answer to {request} is not signed, and this client shares {key_id:?} with the KMS: it was altered on the way, or the KMS does not use the security extension for this client; ask its operator"
    )]
    SignatureMissing {
        /// Which request.
        request: &'static str,
        /// The Signature-ID that was expected.
        key_id: String,
    },
    /// A file that nobody signed says something new of a KMS that signs its answers to others of the store.
    #[error(
        "the files are not signed, and say something new of KMS {kms_uri} or of others, which would hold for all users of this store; it shares a transport key with the KMS for another user: provision that user first (client provision), or get files under a transport key for this one (--trk and --ink)"
    )]
    UnsignedChange {
        /// The KMS that issued the files.
        kms_uri: String,
    },
    /// A key of the set is not even a key.
    #[error("{field} of {user_uri} for period {period_no} is not a key: {problem}")]
    KeyMalformed {
        /// Whose keys.
        user_uri: String,
        /// KeyPeriodNo.
        period_no: u64,
        /// Which element.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The KMS has rolled over to new master secrets, and the certificate for these keys is not here.
    #[error(
        "the keys of {user_uri} for period {period_no} belong to a certificate of the KMS that is not here{}: provision over HTTPS, which brings it, or import the certificates that the KMS issued with the keys as well (a file certcache.xml, beside init.xml)",
        named(cert_uri)
    )]
    CertificateMissing {
        /// Whose keys.
        user_uri: String,
        /// KeyPeriodNo.
        period_no: u64,
        /// CertUri of the key set.
        cert_uri: Option<String>,
    },
    /// The keys belong to no identity that this user could have at this KMS.
    #[error(
        "the keys of {user_uri} for period {period_no} are not valid under this KMS certificate, nothing was stored; tried {}",
        list(tried)
    )]
    KeysInvalid {
        /// Whose keys.
        user_uri: String,
        /// KeyPeriodNo.
        period_no: u64,
        /// The identities tried, with what fitted.
        tried: Vec<Attempt>,
    },
    /// The keys are valid for the UserID in the key set, which is not this user's UID.
    #[error(
        "the keys of {user_uri} for period {period_no} belong to UserID {user_id}, but this user's UID is {uid}: nobody could reach them; check UserUri, KmsUri, period and offset"
    )]
    KeysOfOtherIdentity {
        /// Whose keys they should be.
        user_uri: String,
        /// KeyPeriodNo.
        period_no: u64,
        /// UserID of the key set.
        user_id: String,
        /// The UID by TS 33.180 F.2.1.
        uid: String,
    },
    /// The keys are valid for this user's UID, but the key set's UserID is another.
    #[error(
        "the keys of {user_uri} for period {period_no} are valid for this user's UID {uid}, but the key set says UserID {user_id}: have it issued again"
    )]
    UserIdWrong {
        /// Whose keys.
        user_uri: String,
        /// KeyPeriodNo.
        period_no: u64,
        /// UserID of the key set.
        user_id: String,
        /// The UID by TS 33.180 F.2.1.
        uid: String,
    },
    /// The key sets of one answer follow different conventions.
    #[error("the key sets of KMS {kms_uri} follow different conventions: {first}, and {second}")]
    MixedConventions {
        /// Which KMS.
        kms_uri: String,
        /// Convention of the first key set.
        first: String,
        /// Convention of another one.
        second: String,
    },

    // Reaching a KMS.
    /// The URL of the KMS or of the proxy cannot be used.
    #[error("{url:?} is not a URL that can be used: {problem}")]
    Url {
        /// As given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The access token cannot stand in an HTTP header.
    #[error("the access token is empty or has characters that no token has: check the file that it came from")]
    Token,
    /// The trust anchors cannot be read.
    #[error("no certificate can be read from the trust anchors: {0}; a PEM file is expected")]
    TrustAnchors(String),
    /// No answer in time.
    #[error("no answer from {url} within {seconds} s: check the address, the proxy and the network")]
    Timeout {
        /// The URL that was posted to.
        url: String,
        /// How long it may take.
        seconds: u64,
    },
    /// The proxy could not be reached, or makes no tunnel.
    #[error("cannot get through the proxy {proxy}: {problem}; check its URL, and whether it runs")]
    Proxy {
        /// Its URL, without name and password.
        proxy: String,
        /// The whole chain of causes.
        problem: String,
    },
    /// The server hung up on a client that had shown a certificate: in TLS 1.3 that is all that a client learns.
    #[error(
        "{url} closed the connection after this client had shown its certificate ({problem}): check that the certificate has not \
         expired, and that it comes from an authority that the KMS trusts"
    )]
    CertificateUnwanted {
        /// The URL that was posted to.
        url: String,
        /// The whole chain of causes.
        problem: String,
    },
    /// The connection failed: name, network or TLS.
    #[error("cannot reach {url}: {problem}")]
    Connection {
        /// The URL that was posted to.
        url: String,
        /// The whole chain of causes.
        problem: String,
    },
    /// The proxy makes no tunnel for this client (407), or the login for it has no colon.
    #[error("the proxy wants to know who asks (407): give it the name and password that it knows, as name:password")]
    ProxyLogin,
    /// The proxy makes no tunnel to the KMS.
    #[error("the proxy refuses to connect to {url}: check the URL, and ask the proxy's operator to let it through")]
    ProxyRefuses {
        /// The URL that was to be posted to.
        url: String,
    },
    /// The server answered with an HTTP error and no KMS response.
    #[error("{url} answered {status}: {advice}")]
    Http {
        /// The URL that was posted to.
        url: String,
        /// Status code.
        status: u16,
        /// What to do about it.
        advice: &'static str,
    },
    /// The answer is longer than an answer may be.
    #[error("the answer from {url} is longer than {limit} octets: this is no KMS response")]
    ResponseTooLarge {
        /// The URL that was posted to.
        url: String,
        /// The limit.
        limit: usize,
    },

    // Messages.
    /// The store has no keys of this user.
    #[error("the store has no keys of {user_uri}{}: provision it first", known(users))]
    UnknownUser {
        /// The user.
        user_uri: String,
        /// The users that it has keys of.
        users: Vec<String>,
    },
    /// The store has keys of this user, but not for the period.
    #[error("the store has no keys of {user_uri} at KMS {kms_uri} for period {period_no}: provision again")]
    NoKeysForPeriod {
        /// The user.
        user_uri: String,
        /// The KMS.
        kms_uri: String,
        /// The key period.
        period_no: u64,
    },
    /// The message is for keys that another KMS issued.
    #[error("the store has no keys of {user_uri} from KMS {kms_uri}, which the message is for: provision there first")]
    NoKeysOfKms {
        /// The user.
        user_uri: String,
        /// The KMS.
        kms_uri: String,
    },
    /// The store does not know this KMS.
    #[error(
        "KMS {kms_uri:?} is not known here: provision again, so that its certificate comes with the certificate cache"
    )]
    UnknownKms {
        /// The KMS.
        kms_uri: String,
    },
    /// The recipient is not named by a URI.
    #[error("{uri:?} is no recipient: {problem}")]
    RecipientUri {
        /// As given.
        uri: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It cannot be told which KMS the recipient is a user of.
    #[error("{}: name the recipient's KMS (--to-kms)", no_single_kms(domain, candidates))]
    AmbiguousKms {
        /// Domain of the recipient's URI.
        domain: String,
        /// The KMSs that could be meant.
        candidates: Vec<String>,
    },
    /// The purpose tag of the key identifier is that of another type.
    #[error("key identifier {key_id} is that of a {}, not of a {key_type}: leave it out, or choose the other type", key_id.key_type())]
    KeyIdType {
        /// The identifier.
        key_id: KeyId,
        /// The type asked for.
        key_type: KeyType,
    },
    /// Another key went out under this identifier before.
    #[error(
        "another key was sent as {key_id} before: choose another identifier, or leave the key out to send that one again"
    )]
    OtherKeyHeld {
        /// The identifier.
        key_id: KeyId,
    },
    /// There is no key to take back.
    #[error("{}", nothing_to_revoke(*key_type, *key_id))]
    NothingToRevoke {
        /// What the key is for.
        key_type: KeyType,
        /// The identifier, if one was named.
        key_id: Option<KeyId>,
    },
    /// The key was taken back by its sender, and is not sent as a live one again.
    #[error("key {key_id} was taken back: send a new one, without an identifier")]
    KeyTakenBack {
        /// The identifier.
        key_id: KeyId,
    },
    /// A revocation would end the key's life only later, and until then some take its status for that of a live key.
    #[error("the key is taken back, but its life is to end only at {}: name a time that is past, or none", Utc::from_unix(*expiry))]
    RevocationAhead {
        /// Unix seconds.
        expiry: u64,
    },
    /// A revocation is said in the key parameters, which shall be left out.
    #[error("only the key parameters can take a key back: they cannot be left out")]
    RevocationUnsaid,
    /// The message is older than one that took its key back.
    #[error("key {key_id} was taken back at {revoked}, after this message was made: it must not be used")]
    RevokedSince {
        /// The identifier.
        key_id: KeyId,
        /// When the message was made that took it back.
        revoked: String,
    },
    /// The message takes back a key that was held. It is no longer.
    #[error(
        "the message takes back key {key_id}, which was held: it is dropped from the store and must not be used any more"
    )]
    HeldKeyRevoked {
        /// The identifier.
        key_id: KeyId,
    },
    /// The user took the key back with another device. This one can tell others, and does not send it as a live key again.
    #[error(
        "this is your own message that takes back key {key_id}: it is not sent from here again, but to take it back from others"
    )]
    TakenBackElsewhere {
        /// The identifier.
        key_id: KeyId,
    },
    /// The message takes back a key that is held, but from whom that one came cannot be told.
    #[error(
        "the message revokes key {key_id}, which is held, but its hidden initiator cannot be tied to whoever sent that one: name the initiator (--from)"
    )]
    InitiatorUntied {
        /// Identifier of the key.
        key_id: KeyId,
    },
    /// The message was accepted before.
    #[error("this message was accepted before: a replay, or sent twice; ask the sender for a new one")]
    Replayed,
    /// The message is so old that it can no longer be told from a replay.
    #[error(
        "the message is dated {dated}, older than the accepted messages that are still remembered: ask the sender for a new one"
    )]
    Forgotten {
        /// T of the message.
        dated: String,
    },
    /// The message, or a key in it, is not what it should be.
    #[error(transparent)]
    Message(#[from] mc::Error),
}

impl Error {
    pub(super) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, problem: &str) -> Self {
        Self::StoreDamaged { path: path.to_owned(), problem: problem.to_owned() }
    }
}

fn nothing_to_revoke(key_type: KeyType, key_id: Option<KeyId>) -> String {
    let named = key_id.map_or_else(|| "without an identifier".to_owned(), |key_id| format!("under {key_id}"));
    let why = match is_kept(key_type) {
        true => "name the identifier of a key that was sent, or give both the key and its identifier",
        false => "such a key is not held, for it dies with its call",
    };
    format!("this user sent no {key_type} {named} that could be taken back: {why}")
}

fn named(cert_uri: &Option<String>) -> String {
    cert_uri.as_ref().map(|cert_uri| format!(" ({cert_uri})")).unwrap_or_default()
}

fn list(attempts: &[Attempt]) -> String {
    let mut text = String::new();
    for (index, attempt) in attempts.iter().enumerate() {
        let _ = write!(text, "{}({}) {attempt}", if index == 0 { "" } else { "; " }, index + 1);
    }
    text
}

fn known(users: &[String]) -> String {
    if users.is_empty() { String::new() } else { format!(", only of {}", users.join(", ")) }
}

fn no_single_kms(domain: &str, candidates: &[String]) -> String {
    if candidates.is_empty() {
        format!("no KMS that is known here serves the domain {domain:?}")
    } else {
        format!("users of the domain {domain:?} may belong to any of the KMSs {}", candidates.join(", "))
    }
}
