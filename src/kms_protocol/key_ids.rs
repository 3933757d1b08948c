//! `TrK-ID` and `Signature-ID` (tables D.2.2-1 and D.3.0-1 of release 17).

use super::document::Fields;
use super::writer::DocumentWriter;
use super::{Error, KEY_IDS_NAMESPACE};

/// The keys that a request or a response names.
///
/// The published schema is of an older release and has no elements for them. They are written in a namespace of their own
/// ([`KEY_IDS_NAMESPACE`]), where the schema has room for extensions, and read in that one and in the document's, in four
/// spellings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyIds {
    /// `TrK-ID`: in a request the TrK that the client has, in a response the one that wraps its keys.
    pub trk_id: Option<String>,
    /// `Signature-ID`: the InK-ID or TrK-ID of the signature.
    pub signature_id: Option<String>,
}

const TRK_ID: [&str; 4] = ["TrK-ID", "TrKID", "TrKId", "TrkId"];
const SIGNATURE_ID: [&str; 4] = ["Signature-ID", "SignatureID", "SignatureId", "Signature-Id"];

impl KeyIds {
    pub(super) fn read(fields: &Fields<'_, '_>) -> Result<Self, Error> {
        Ok(KeyIds {
            trk_id: fields.optional_string_of(&TRK_ID)?,
            signature_id: fields.optional_string_of(&SIGNATURE_ID)?,
        })
    }

    pub(super) fn write(&self, w: &mut DocumentWriter) {
        let [trk_id, ..] = TRK_ID;
        let [signature_id, ..] = SIGNATURE_ID;
        for (name, id) in [(trk_id, &self.trk_id), (signature_id, &self.signature_id)] {
            if let Some(id) = id {
                w.foreign_leaf(name, KEY_IDS_NAMESPACE, id);
            }
        }
    }
}
