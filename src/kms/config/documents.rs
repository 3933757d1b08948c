//! How answers are written where the specification leaves a choice, or its readers differ.

use super::{ConfigError, quoted};
use crate::kms_protocol::{CipherValueForm, UserIdForm, WriteOptions};
use crate::xml_security::{Form, KeyWrapping, SigningOptions};
use serde::Deserialize;

/// The `[documents]` section. Whoever reads for us reads all of these forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    /// `user_id`: the text form of UserID.
    pub user_id: UserIdForm,
    /// `wrapping`: how a TrK wraps keys whose length is no multiple of 8.
    pub wrapping: KeyWrapping,
    /// `cipher_value`: the text form of a wrapped key.
    pub cipher_value: CipherValueForm,
    /// `signature`: what a signature is about.
    pub signature: Form,
    /// `key_sets`: which key periods an answer has that was not asked for one.
    pub key_sets: KeySets,
}

/// The key periods that `keyprov` answers with, where the request names no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeySets {
    /// The present one and the next, so that nobody is without keys when that begins.
    #[default]
    CurrentAndNext,
    /// The present one alone, for clients that take the last key set of an answer for the only one.
    Current,
}

const USER_ID: [(&str, UserIdForm); 2] = [("hex", UserIdForm::Hex), ("base64", UserIdForm::Base64)];
const WRAPPING: [(&str, KeyWrapping); 2] = [("padded", KeyWrapping::Padded), ("plain", KeyWrapping::Plain)];
const CIPHER_VALUE: [(&str, CipherValueForm); 2] = [("base64", CipherValueForm::Base64), ("hex", CipherValueForm::Hex)];
const KEY_SETS: [(&str, KeySets); 2] = [("current-and-next", KeySets::CurrentAndNext), ("current", KeySets::Current)];
const SIGNATURE: [(&str, Form); 2] = [("sibling", Form::Sibling), ("enveloped", Form::Enveloped)];

impl Documents {
    pub(in crate::kms) fn write_options(self) -> WriteOptions {
        WriteOptions { user_id_form: self.user_id, cipher_value_form: self.cipher_value, ..WriteOptions::default() }
    }

    pub(in crate::kms) fn signing_options(self) -> SigningOptions {
        SigningOptions { form: self.signature, ..SigningOptions::default() }
    }

    pub(super) fn to_toml(self) -> String {
        format!(
            "\
# How answers are written where the specification leaves a choice, or its readers differ.
[documents]
user_id = \"{}\"  # UserID: hex or base64
wrapping = \"{}\"  # under a TrK: padded (RFC 5649) or plain (RFC 3394, points without their first octet)
cipher_value = \"{}\"  # wrapped keys: base64 or hex
signature = \"{}\"  # beside the document (sibling) or in it (enveloped)
key_sets = \"{}\"  # where no time is asked for: current-and-next, or current for clients that read one key set of an answer
",
            name(&USER_ID, self.user_id),
            name(&WRAPPING, self.wrapping),
            name(&CIPHER_VALUE, self.cipher_value),
            name(&SIGNATURE, self.signature),
            name(&KEY_SETS, self.key_sets),
        )
    }
}

/// The section as it is written; what is left out has its default.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentsSection {
    user_id: Option<String>,
    wrapping: Option<String>,
    cipher_value: Option<String>,
    signature: Option<String>,
    key_sets: Option<String>,
}

impl DocumentsSection {
    pub(super) fn check(self) -> Result<Documents, ConfigError> {
        Ok(Documents {
            user_id: choice("documents.user_id", self.user_id, &USER_ID, "write \"hex\" or \"base64\"")?,
            wrapping: choice("documents.wrapping", self.wrapping, &WRAPPING, "write \"padded\" or \"plain\"")?,
            cipher_value: choice(
                "documents.cipher_value",
                self.cipher_value,
                &CIPHER_VALUE,
                "write \"base64\" or \"hex\"",
            )?,
            signature: choice("documents.signature", self.signature, &SIGNATURE, "write \"sibling\" or \"enveloped\"")?,
            key_sets: choice(
                "documents.key_sets",
                self.key_sets,
                &KEY_SETS,
                "write \"current-and-next\" or \"current\"",
            )?,
        })
    }
}

fn choice<T: Copy + Default>(
    key: &'static str,
    text: Option<String>,
    choices: &[(&str, T)],
    remedy: &'static str,
) -> Result<T, ConfigError> {
    let Some(text) = text else { return Ok(T::default()) };
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| ConfigError::Value { key: key.into(), value: quoted(&text), remedy })
}

fn name<T: PartialEq>(choices: &[(&'static str, T)], value: T) -> &'static str {
    choices.iter().find(|(_, choice)| *choice == value).map_or("", |(name, _)| name)
}
