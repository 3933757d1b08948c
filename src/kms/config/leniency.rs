//! What deployed clients do differently from TS 33.180 Annex D.

use serde::Deserialize;

/// The `[leniency]` section: deviations of deployed clients, each forgiven or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Leniency {
    /// `ClientReqUrl` says `http` where the request came over HTTPS, as the specification's own examples do.
    pub http_request_url: bool,
    /// `ClientReqUrl` lacks the URI, time or cache number at the end of the request's URL.
    pub short_request_url: bool,
    /// A URI in the path is not percent-encoded.
    pub unescaped_uris: bool,
    /// A time in the path is in lower-case hex.
    pub lower_case_times: bool,
    /// `Version` of a `KmsRequest` is missing or another 1.x than 1.1.0.
    pub other_versions: bool,
    /// A document comes without `Content-Type`.
    pub missing_content_type: bool,
    /// `Time` of a request has no zone, and is the client's local time, whichever that is. Not forgiven by default: a signed
    /// request that a proxy has kept is then taken again at each quarter of an hour.
    pub local_times: bool,
}

impl Default for Leniency {
    /// All are forgiven that hide neither who asks for what, nor when.
    fn default() -> Self {
        Self {
            http_request_url: true,
            short_request_url: true,
            unescaped_uris: true,
            lower_case_times: true,
            other_versions: true,
            missing_content_type: true,
            local_times: false,
        }
    }
}

impl Leniency {
    /// Nothing is forgiven.
    pub const STRICT: Self = Self {
        http_request_url: false,
        short_request_url: false,
        unescaped_uris: false,
        lower_case_times: false,
        other_versions: false,
        missing_content_type: false,
        local_times: false,
    };

    pub(super) fn to_toml(self) -> String {
        let Self { http_request_url, short_request_url, unescaped_uris, .. } = self;
        let Self { lower_case_times, other_versions, missing_content_type, local_times, .. } = self;
        format!(
            "\
# What deployed clients do differently from the specification: true forgives, false refuses.
[leniency]
http_request_url = {http_request_url}  # ClientReqUrl with http in place of https
short_request_url = {short_request_url}  # ClientReqUrl without the URI, time or number at its end
unescaped_uris = {unescaped_uris}  # URIs in the path that are not percent-encoded
lower_case_times = {lower_case_times}  # times in the path in lower-case hex
other_versions = {other_versions}  # Version of a KmsRequest missing or another 1.x than 1.1.0
missing_content_type = {missing_content_type}  # documents without Content-Type
local_times = {local_times}  # Time of a request without zone in any local time; a proxy can then repeat a request that it has kept
"
        )
    }
}
