//! What the operator of a KMS does beside running the server. Nothing here needs the server to be stopped.

mod client_keys;
mod documents;
mod files;
mod status;
mod users;

pub use client_keys::{ClientKeyIds, has_client_keys, new_client_keys, rotate_client_keys};
pub(super) use documents::{CERT_CACHE, certificates_message, document, further_certificates, init_message};
pub use files::{Issued, current_periods, further_certificates_document, init_document, issue};
pub use status::{Serving, Status, status};
pub use users::{add_user, check_user, list_users, revoke_user, set_kind};
