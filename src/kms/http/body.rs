//! The body of a request.

use super::refusal::Refusal;
use crate::kms_protocol::ErrorCode;
use axum::body::Body;
use axum::http::HeaderValue;
use core::pin::Pin;
use hyper::body::Body as _;
use std::future::poll_fn;

/// Whether a media type carries XML; another one shows a client that speaks something else.
pub(super) fn is_xml(content_type: &HeaderValue) -> bool {
    let Ok(content_type) = content_type.to_str() else { return false };
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(media_type.as_str(), "application/xml" | "text/xml")
        || (media_type.starts_with("application/") && media_type.ends_with("+xml"))
}

/// All of it, at most `max` octets.
pub(super) async fn read(mut body: Body, max: usize) -> Result<Vec<u8>, Refusal> {
    let too_large = || Refusal::new(ErrorCode::TooLarge, format!("a request has at most {max} octets"));
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut octets = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Refusal::new(ErrorCode::MalformedDocument, "the body ended early"))?;
        if let Ok(data) = frame.into_data() {
            if octets.len() + data.len() > max {
                return Err(too_large());
            }
            octets.extend_from_slice(&data);
        }
    }
    Ok(octets)
}
