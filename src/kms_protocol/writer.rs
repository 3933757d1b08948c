//! Writing documents that are valid against the schema.

use super::value::{LOWER_CASE, UPPER_CASE, format_base64, format_hex, format_time};
use super::{KmsError, NAMESPACE, XMLDSIG_NAMESPACE, XMLENC_NAMESPACE};
use time::OffsetDateTime;
use uppsala::XmlWriter;
use zeroize::Zeroizing;

/// How a response is written where the specification leaves a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// The form of `UserID`.
    pub user_id_form: UserIdForm,
    /// Put the `KmsResponse` into a `SignedKmsResponse`, unsigned (the schema allows that), for clients that want one.
    pub signed_wrapper: bool,
    /// The form of `CipherValue`.
    pub cipher_value_form: CipherValueForm,
}

/// The text form of `CipherValue`, a wrapped key. Readers accept both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CipherValueForm {
    /// Base64, as XML encryption has it.
    #[default]
    Base64,
    /// Lower-case hex, as Kapsch writes it. It is not valid against the schema unless it happens to be base64 as well.
    Hex,
}

/// The text form of `UserID`. Readers accept both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UserIdForm {
    /// 64 lower-case hex digits, as deployed systems write it.
    #[default]
    Hex,
    /// 44 characters of base64, as later releases are said to want it.
    Base64,
}

/// `Id` of the element that a signature refers to.
pub(super) const DOCUMENT_ID: &str = "xmldoc";
const SCHEMA_INSTANCE_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Room for a response without key sets, and for each key set: the text holds keys, so it must not be moved as it grows.
const BASE_CAPACITY: usize = 8 * 1024;
const KEY_SET_CAPACITY: usize = 4 * 1024;

/// An XML text in the making.
pub(super) struct DocumentWriter {
    xml: XmlWriter,
    cipher_value_form: CipherValueForm,
}

/// Which element of a wrapped document has the `Id` that a signature refers to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IdPlace {
    #[cfg(feature = "xml-security")]
    Wrapper,
    Document,
}

impl DocumentWriter {
    pub(super) fn new(key_sets: usize, cipher_value_form: CipherValueForm) -> Self {
        let mut xml = XmlWriter::with_capacity(BASE_CAPACITY.saturating_add(key_sets.saturating_mul(KEY_SET_CAPACITY)));
        xml.write_declaration();
        DocumentWriter { xml, cipher_value_form }
    }

    /// The text.
    pub(super) fn finish(self) -> Zeroizing<String> {
        Zeroizing::new(self.xml.into_string())
    }

    /// Opens the root element, with the namespaces and the `Id` that a signature would refer to.
    pub(super) fn root(&mut self, name: &str, version: &str) {
        self.open(
            name,
            &[
                ("xmlns", NAMESPACE),
                ("xmlns:xsi", SCHEMA_INSTANCE_NAMESPACE),
                ("Id", DOCUMENT_ID),
                ("Version", version),
            ],
        );
    }

    /// Opens the root element of a document that nothing refers to, with further attributes.
    pub(super) fn plain_root(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.open(name, &[&[("xmlns", NAMESPACE)][..], attributes].concat());
    }

    /// Opens a root element that only wraps another, and that other.
    pub(super) fn wrapped_root(&mut self, wrapper: &str, name: &str, version: &str, id: IdPlace) {
        let namespaces = [("xmlns", NAMESPACE), ("xmlns:xsi", SCHEMA_INSTANCE_NAMESPACE)];
        let id_attribute = ("Id", DOCUMENT_ID);
        match id {
            #[cfg(feature = "xml-security")]
            IdPlace::Wrapper => {
                let [default, schema_instance] = namespaces;
                self.open(wrapper, &[default, schema_instance, id_attribute]);
                self.open(name, &[("Version", version)]);
            }
            IdPlace::Document => {
                self.open(wrapper, &namespaces);
                self.open(name, &[id_attribute, ("Version", version)]);
            }
        }
    }

    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.xml.start_element(name, attributes);
    }

    pub(super) fn close(&mut self, name: &str) {
        self.xml.end_element(name);
    }

    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.leaf_with(name, &[], text);
    }

    /// A leaf of another namespace than the document's.
    pub(super) fn foreign_leaf(&mut self, name: &str, namespace: &str, text: &str) {
        self.leaf_with(name, &[("xmlns", namespace)], text);
    }

    /// An element that was written before, or elsewhere.
    pub(super) fn verbatim(&mut self, element: &str) {
        self.xml.raw(element);
    }

    pub(super) fn optional_leaf(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(name, text);
        }
    }

    pub(super) fn number(&mut self, name: &str, number: u64) {
        self.leaf(name, &number.to_string());
    }

    pub(super) fn time(&mut self, name: &str, time: OffsetDateTime) {
        self.leaf(name, &format_time(time));
    }

    pub(super) fn optional_time(&mut self, name: &str, time: Option<OffsetDateTime>) {
        if let Some(time) = time {
            self.time(name, time);
        }
    }

    /// A boolean element that is left out when false.
    pub(super) fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.leaf(name, "true");
        }
    }

    /// Octets as hexBinary in its canonical, upper-case form.
    pub(super) fn hex(&mut self, name: &str, attributes: &[(&str, &str)], octets: &[u8]) {
        self.leaf_with(name, attributes, &format_hex(octets, UPPER_CASE));
    }

    pub(super) fn user_id(&mut self, name: &str, user_id: &[u8; 32], form: UserIdForm) {
        match form {
            UserIdForm::Hex => self.leaf(name, &format_hex(user_id, LOWER_CASE)),
            UserIdForm::Base64 => self.leaf(name, &format_base64(user_id)),
        }
    }

    /// An element of type `ErrorType`.
    pub(super) fn error(&mut self, name: &str, error: &KmsError) {
        self.open(name, &[]);
        self.leaf("ErrorCode", &error.code.to_string());
        self.leaf("ErrorMsg", &error.message);
        self.close(name);
    }

    /// An `EncryptedKey` of XML encryption.
    pub(super) fn encrypted_key(
        &mut self,
        algorithm: &str,
        key_name: Option<&str>,
        cipher_value: &[u8],
        carried_key_name: Option<&str>,
    ) {
        self.open(
            "EncryptedKey",
            &[("xmlns", XMLENC_NAMESPACE), ("Type", "http://www.w3.org/2001/04/xmlenc#EncryptedKey")],
        );
        self.open("EncryptionMethod", &[("Algorithm", algorithm)]);
        self.close("EncryptionMethod");
        if let Some(key_name) = key_name {
            self.open("ds:KeyInfo", &[("xmlns:ds", XMLDSIG_NAMESPACE)]);
            self.leaf("ds:KeyName", key_name);
            self.close("ds:KeyInfo");
        }
        self.open("CipherData", &[]);
        match self.cipher_value_form {
            CipherValueForm::Base64 => self.leaf("CipherValue", &format_base64(cipher_value)),
            CipherValueForm::Hex => self.leaf("CipherValue", &format_hex(cipher_value, LOWER_CASE)),
        }
        self.close("CipherData");
        self.optional_leaf("CarriedKeyName", carried_key_name);
        self.close("EncryptedKey");
    }

    fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        if text.contains(is_not_xml) {
            self.xml.text(&text.replace(is_not_xml, "\u{fffd}"));
        } else {
            self.xml.text(text);
        }
        self.close(name);
    }
}

/// Characters that no XML document can hold, such as a NUL in somebody's URI that an error message quotes.
fn is_not_xml(c: char) -> bool {
    !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
