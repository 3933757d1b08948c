//! `KmsRequest` (TS 33.180 D.2.2).

use super::document::{Document, Fields, signature_status};
use super::writer::{CipherValueForm, DocumentWriter};
use super::{ClientError, Error, KeyIds, Limits, Received, RedirectDocument, redirect};
use time::OffsetDateTime;

pub(super) const NAME: &str = "KmsRequest";
pub(super) const WRAPPER: &str = "SignedKmsRequest";
pub(super) const ROOTS: &str = "KmsRequest or SignedKmsRequest";

/// A client's request. The resource that it is POSTed to selects the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsRequest {
    /// `UserUri`: the identity in whose name the client asks.
    pub user_uri: String,
    /// `KmsUri`: the KMS that it means to ask.
    pub kms_uri: String,
    /// `Time` of the request, UTC.
    pub time: OffsetDateTime,
    /// `ClientId`, if given.
    pub client_id: Option<String>,
    /// `DeviceId`, if given.
    pub device_id: Option<String>,
    /// `ClientReqUrl`: the URL that the client POSTs to; see [`resource::compare_request_url`](super::resource::compare_request_url).
    pub client_req_url: String,
    /// `ClientError`: an error that the client reports.
    pub client_error: Option<ClientError>,
    /// `KrrList`: redirect responses that are handed to the KMS, for the resource `redirect` alone.
    pub krr_list: Vec<RedirectDocument>,
    /// `TrK-ID` and `Signature-ID`.
    pub key_ids: KeyIds,
}

impl KmsRequest {
    /// The `Version` that the schema gives requests.
    pub const VERSION: &str = "1.1.0";

    /// Reads a `KmsRequest`, alone or in a `SignedKmsRequest`.
    pub fn from_xml(body: &[u8], limits: &Limits) -> Result<Received<Self>, Error> {
        let text = limits.admit(body)?;
        let document = Document::parse(text, limits)?;
        let (request, signature) = document.unwrap_root(NAME, WRAPPER, ROOTS)?;
        Ok(Received::new(Self::read(&request.fields()?)?, signature_status(signature)?, request))
    }

    /// Reads the body of a POST. A body of nothing but white space is no request document, which clients are known to send
    /// where the resource says all: `None`.
    pub fn from_body(body: &[u8], limits: &Limits) -> Result<Option<Received<Self>>, Error> {
        if is_blank(body, limits) {
            return Ok(None);
        }
        Self::from_xml(body, limits).map(Some)
    }

    /// The document, valid against the schema.
    pub fn to_xml(&self) -> String {
        let mut w = DocumentWriter::new(0, CipherValueForm::default());
        w.root(NAME, Self::VERSION);
        self.write_fields(&mut w);
        w.close(NAME);
        w.finish().to_string()
    }

    pub(super) fn write_fields(&self, w: &mut DocumentWriter) {
        w.leaf("UserUri", &self.user_uri);
        w.leaf("KmsUri", &self.kms_uri);
        w.time("Time", self.time);
        w.optional_leaf("ClientId", self.client_id.as_deref());
        w.optional_leaf("DeviceId", self.device_id.as_deref());
        w.leaf("ClientReqUrl", &self.client_req_url);
        redirect::write_list(w, &self.krr_list);
        if let Some(error) = &self.client_error {
            w.error("ClientError", error);
        }
        self.key_ids.write(w);
    }

    pub(super) fn read(fields: &Fields<'_, '_>) -> Result<Self, Error> {
        Ok(KmsRequest {
            user_uri: fields.uri("UserUri")?,
            kms_uri: fields.uri("KmsUri")?,
            time: fields.time("Time")?,
            client_id: fields.optional_string("ClientId")?,
            device_id: fields.optional_string("DeviceId")?,
            client_req_url: fields.uri("ClientReqUrl")?,
            client_error: fields.optional("ClientError")?.map(|node| node.kms_error()).transpose()?,
            krr_list: redirect::read_list(fields)?,
            key_ids: KeyIds::read(fields)?,
        })
    }
}

/// Whether a body is no document at all.
pub(super) fn is_blank(body: &[u8], limits: &Limits) -> bool {
    body.len() <= limits.max_bytes && body.iter().all(u8::is_ascii_whitespace)
}
