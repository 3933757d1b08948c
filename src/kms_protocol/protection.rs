//! The security extension (TS 33.180 5.3.3, 9.3, D.3.4): documents signed, and keys wrapped.

use super::document::{Document, verified_status};
use super::key_set::{KeyKind, POINT_PREFIX};
use super::value::excerpt;
use super::writer::{CipherValueForm, DOCUMENT_ID, DocumentWriter, IdPlace, WriteOptions};
use super::{
    ClientKeys, EncryptedKey, Error, KeyContent, KmsKeySet, KmsMessage, KmsRequest, KmsResponse, Limits, Received,
    redirect, request, response,
};
use crate::xml_security::{Form, KW_AES256, KW_AES256_PAD, KeyWrapping, NamedKey, SigningOptions, sign, unwrap, wrap};
use zeroize::Zeroizing;

impl KmsRequest {
    /// The document in a `SignedKmsRequest`, signed and valid against the schema.
    ///
    /// # Errors
    /// [`Error::Signature`].
    pub fn to_signed_xml(&self, key: &NamedKey, signing: &SigningOptions) -> Result<Zeroizing<String>, Error> {
        let mut w = DocumentWriter::new(0, CipherValueForm::default());
        w.wrapped_root(request::WRAPPER, request::NAME, KmsRequest::VERSION, id_place(signing));
        self.write_fields(&mut w);
        w.close(request::NAME);
        w.close(request::WRAPPER);
        Ok(sign(&w.finish(), DOCUMENT_ID, key, signing)?)
    }

    /// As [`KmsRequest::from_body`], and verifies the signature, if there is one, under one of `keys`.
    ///
    /// # Errors
    /// [`Error::Signature`] for a signature that does not hold; the others as there.
    pub fn from_body_with_keys(
        body: &[u8],
        limits: &Limits,
        keys: &[&NamedKey],
    ) -> Result<Option<Received<Self>>, Error> {
        if request::is_blank(body, limits) {
            return Ok(None);
        }
        let document = Document::parse(limits.admit(body)?, limits)?;
        let (node, signature) = document.unwrap_root(request::NAME, request::WRAPPER, request::ROOTS)?;
        let fields = node.fields()?;
        let status = verified_status(node, signature, &redirect::lists(&fields), keys)?;
        Ok(Some(Received::new(Self::read(&fields)?, status, node)))
    }
}

impl KmsResponse {
    /// The document in a `SignedKmsResponse`, signed and valid against the schema. It may hold keys, so the text is wiped when
    /// dropped.
    ///
    /// # Errors
    /// [`Error::Signature`].
    pub fn to_signed_xml(
        &self,
        options: &WriteOptions,
        key: &NamedKey,
        signing: &SigningOptions,
    ) -> Result<Zeroizing<String>, Error> {
        Ok(sign(&self.to_wrapped_xml(options, id_place(signing)), DOCUMENT_ID, key, signing)?)
    }

    /// As [`KmsResponse::from_xml`], and verifies the signature, if there is one, under one of `keys`. What is read is the very
    /// element that is signed.
    ///
    /// # Errors
    /// [`Error::Signature`] for a signature that does not hold; the others as there.
    pub fn from_xml_with_keys(body: &[u8], limits: &Limits, keys: &[&NamedKey]) -> Result<Received<Self>, Error> {
        let document = Document::parse(limits.admit(body)?, limits)?;
        let (node, signature) = document.unwrap_root(response::NAME, response::WRAPPER, response::ROOTS)?;
        let status = verified_status(node, signature, &[], keys)?;
        Ok(Received::new(Self::read(node)?, status, node))
    }

    /// Wraps every key of every key set that is in clear under a TrK.
    ///
    /// # Errors
    /// [`Error::KeyWrap`].
    pub fn wrap_keys(&mut self, trk: &NamedKey, wrapping: KeyWrapping) -> Result<(), Error> {
        self.key_sets_mut().iter_mut().try_for_each(|key_set| key_set.wrap(trk, wrapping))
    }

    /// Unwraps every key of every key set; none may be in clear. Where the response names a TrK, it must be this one.
    ///
    /// # Errors
    /// [`Error::OtherTransportKey`], [`Error::ClearKey`], [`Error::KeyWrap`], [`Error::WrappedLength`].
    pub fn unwrap_keys(&mut self, trk: &NamedKey) -> Result<(), Error> {
        if let Some(found) = &self.key_ids.trk_id {
            require_trk("TrK-ID", found, trk)?;
        }
        self.key_sets_mut().iter_mut().try_for_each(|key_set| key_set.unwrap(trk))
    }

    /// The keys that the client shall use from the next time on, if the response brings new ones: the last of each kind. They
    /// are wrapped under the TrK of `keys`, or under one that stands before them.
    ///
    /// # Errors
    /// [`Error::OtherTransportKey`], [`Error::KeyWrapAlgorithm`], [`Error::KeyWrap`], [`Error::WrappedLength`],
    /// [`Error::NoCarriedKeyName`].
    pub fn new_keys(&self, keys: &ClientKeys) -> Result<Option<ClientKeys>, Error> {
        let (transport, integrity) = match &self.message {
            Some(KmsMessage::Init(init)) => (&init.new_transport_keys, &init.new_integrity_keys),
            Some(KmsMessage::KeyProv(keys)) => (&keys.new_transport_keys, &keys.new_integrity_keys),
            _ => return Ok(None),
        };
        if transport.is_empty() && integrity.is_empty() {
            return Ok(None);
        }
        let mut new = keys.clone();
        let mut trks = vec![keys.transport.clone()];
        for key in transport {
            new.transport = key.unwrap_shared(SharedKey::Transport, named(&trks, key).unwrap_or(&keys.transport))?;
            trks.push(new.transport.clone());
        }
        for key in integrity {
            let trk = named(&trks, key).unwrap_or(&keys.transport);
            new.integrity = Some(key.unwrap_shared(SharedKey::Integrity, trk)?);
        }
        Ok(Some(new))
    }

    fn key_sets_mut(&mut self) -> &mut [KmsKeySet] {
        match &mut self.message {
            Some(KmsMessage::KeyProv(keys)) => &mut keys.key_sets,
            _ => &mut [],
        }
    }
}

impl KmsKeySet {
    /// Wraps every key that is in clear under a TrK.
    ///
    /// # Errors
    /// [`Error::KeyWrap`].
    pub fn wrap(&mut self, trk: &NamedKey, wrapping: KeyWrapping) -> Result<(), Error> {
        for (content, kind) in self.keys_mut() {
            if let KeyContent::Clear(octets) = content {
                *content = KeyContent::Encrypted(EncryptedKey::wrap(octets, kind, trk, wrapping)?);
            }
        }
        Ok(())
    }

    /// Unwraps every key. None may be in clear.
    ///
    /// # Errors
    /// [`Error::ClearKey`], [`Error::OtherTransportKey`], [`Error::KeyWrapAlgorithm`], [`Error::KeyWrap`],
    /// [`Error::WrappedLength`].
    pub fn unwrap(&mut self, trk: &NamedKey) -> Result<(), Error> {
        for (content, kind) in self.keys_mut() {
            match content {
                KeyContent::Encrypted(key) => *content = KeyContent::Clear(key.unwrap(kind, trk)?),
                KeyContent::Clear(_) => return Err(Error::ClearKey { field: kind.field() }),
            }
        }
        Ok(())
    }

    fn keys_mut(&mut self) -> [(&mut KeyContent, KeyKind); 3] {
        [
            (&mut self.user_decrypt_key, KeyKind::Rsk),
            (&mut self.user_signing_key_ssk, KeyKind::Ssk),
            (&mut self.user_pub_token_pvt, KeyKind::Pvt),
        ]
    }
}

/// Which key a `NewTransportKey` or a `NewIntegrityKey` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedKey {
    /// A TrK.
    Transport,
    /// An InK.
    Integrity,
}

impl SharedKey {
    fn field(self) -> &'static str {
        match self {
            SharedKey::Transport => "NewTransportKey",
            SharedKey::Integrity => "NewIntegrityKey",
        }
    }
}

impl EncryptedKey {
    /// A TrK or InK, wrapped under the TrK that the client has, with its identifier as `CarriedKeyName`.
    ///
    /// # Errors
    /// [`Error::KeyWrap`].
    pub fn wrap_shared(new: &NamedKey, kind: SharedKey, trk: &NamedKey, wrapping: KeyWrapping) -> Result<Self, Error> {
        let cipher_value =
            wrap(trk, new.octets(), wrapping).map_err(|source| Error::KeyWrap { field: kind.field(), source })?;
        Ok(Self { carried_key_name: Some(new.name().to_owned()), ..Self::new(trk, cipher_value) })
    }

    /// The TrK or InK that is wrapped here.
    ///
    /// # Errors
    /// [`Error::OtherTransportKey`], [`Error::KeyWrapAlgorithm`], [`Error::KeyWrap`], [`Error::WrappedLength`],
    /// [`Error::NoCarriedKeyName`].
    pub fn unwrap_shared(&self, kind: SharedKey, trk: &NamedKey) -> Result<NamedKey, Error> {
        let field = kind.field();
        let octets = self.open(field, trk)?;
        if octets.len() != crate::xml_security::KEY_LEN {
            return Err(Error::WrappedLength { field, found: octets.len(), expected: "32 octets" });
        }
        let name = self.carried_key_name.as_deref().unwrap_or_default();
        NamedKey::new(name, &octets).map_err(|_| Error::NoCarriedKeyName { field })
    }

    fn new(trk: &NamedKey, cipher_value: Vec<u8>) -> Self {
        Self {
            algorithm: KW_AES256.to_owned(),
            key_name: Some(trk.name().to_owned()),
            carried_key_name: None,
            cipher_value,
        }
    }

    fn wrap(octets: &[u8], kind: KeyKind, trk: &NamedKey, wrapping: KeyWrapping) -> Result<Self, Error> {
        // RFC 3394 takes multiples of 8 alone: a point goes without the octet that says that it is one.
        let octets = match (wrapping, octets.strip_prefix(&[POINT_PREFIX])) {
            (KeyWrapping::Plain, Some(coordinates)) if kind.is_point() => coordinates,
            _ => octets,
        };
        let cipher_value =
            wrap(trk, octets, wrapping).map_err(|source| Error::KeyWrap { field: kind.field(), source })?;
        Ok(Self::new(trk, cipher_value))
    }

    fn unwrap(&self, kind: KeyKind, trk: &NamedKey) -> Result<Zeroizing<Vec<u8>>, Error> {
        let octets = self.open(kind.field(), trk)?;
        let found = octets.len();
        if kind.len().contains(&found) {
            return Ok(octets);
        }
        if kind.is_point() && found + 1 == *kind.len().start() {
            let mut point = Zeroizing::new(Vec::with_capacity(found + 1));
            point.push(POINT_PREFIX);
            point.extend_from_slice(&octets);
            return Ok(point);
        }
        Err(Error::WrappedLength { field: kind.field(), found, expected: kind.expected() })
    }

    /// `KeyName` may be missing; another one than the TrK's is refused. Which of the two algorithms is named does not tell how it was
    /// wrapped: see [`unwrap`].
    fn open(&self, field: &'static str, trk: &NamedKey) -> Result<Zeroizing<Vec<u8>>, Error> {
        if let Some(found) = &self.key_name {
            require_trk(field, found, trk)?;
        }
        if ![KW_AES256, KW_AES256_PAD].contains(&self.algorithm.as_str()) {
            return Err(Error::KeyWrapAlgorithm { field, found: excerpt(&self.algorithm) });
        }
        unwrap(trk, &self.cipher_value).map_err(|source| Error::KeyWrap { field, source })
    }
}

fn named<'k>(trks: &'k [NamedKey], key: &EncryptedKey) -> Option<&'k NamedKey> {
    trks.iter().find(|trk| key.key_name.as_deref() == Some(trk.name()))
}

fn require_trk(field: &'static str, found: &str, trk: &NamedKey) -> Result<(), Error> {
    if found == trk.name() {
        return Ok(());
    }
    Err(Error::OtherTransportKey { field, found: excerpt(found), expected: trk.name().to_owned() })
}

fn id_place(signing: &SigningOptions) -> IdPlace {
    match signing.form {
        Form::Sibling => IdPlace::Document,
        Form::Enveloped => IdPlace::Wrapper,
    }
}
