//! Which requests and answers are signed, and keys wrapped.

use super::{ConfigError, quoted};
use ipnet::IpNet;
use serde::Deserialize;
use std::net::IpAddr;

/// The `[security_extension]` section: which requests and answers are signed, and keys wrapped (TS 33.180 5.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityExtension {
    /// For requests that come straight from clients.
    pub direct: Policy,
    /// For requests that come through a proxy: from one of [`Self::proxies`], or with a header that a proxy adds.
    pub proxied: Policy,
    /// Addresses of the proxies that end TLS, and networks of such.
    pub proxies: Vec<IpNet>,
}

impl Default for SecurityExtension {
    /// Optional for direct requests, required through a proxy, and no address of one.
    fn default() -> Self {
        Self { direct: Policy::Optional, proxied: Policy::Required, proxies: Vec::new() }
    }
}

/// Whether the security extension is used; from the laxest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Never.
    Off,
    /// For users who have a TrK.
    Optional,
    /// For everyone: whoever has no TrK is refused.
    Required,
}

impl Policy {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

impl SecurityExtension {
    /// Whether a proxy that ends TLS has this address.
    pub fn is_proxy(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.proxies.iter().any(|network| network.contains(&address))
    }

    pub(super) fn to_toml(&self) -> String {
        let proxies: Vec<String> = self.proxies.iter().map(network_to_toml).collect();
        format!(
            "\
# Whether requests and answers are signed and keys wrapped, for users who were given a transport key (kms trk new):
# off, optional (for those who have one) or required.
[security_extension]
direct = \"{direct}\"
proxied = \"{proxied}\"  # requests from one of the proxies, or with a header that proxies add, such as Via
proxies = [{proxies}]  # addresses of proxies that end TLS, or networks such as 192.0.2.0/24
",
            direct = self.direct.as_str(),
            proxied = self.proxied.as_str(),
            proxies = proxies.join(", "),
        )
    }
}

/// The section as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecurityExtensionSection {
    direct: Option<Policy>,
    proxied: Option<Policy>,
    #[serde(default)]
    proxies: Vec<String>,
}

impl SecurityExtensionSection {
    pub(super) fn check(self) -> Result<SecurityExtension, ConfigError> {
        let default = SecurityExtension::default();
        let network = |text: &String| {
            let network = text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse());
            network.map_err(|_| ConfigError::Value {
                key: "security_extension.proxies".into(),
                value: quoted(text),
                remedy: "write IP addresses, such as \"192.0.2.7\", or networks, such as \"192.0.2.0/24\"",
            })
        };
        Ok(SecurityExtension {
            direct: self.direct.unwrap_or(default.direct),
            proxied: self.proxied.unwrap_or(default.proxied),
            proxies: self.proxies.iter().map(network).collect::<Result<_, _>>()?,
        })
    }
}

/// A network of one address is that address.
fn network_to_toml(network: &IpNet) -> String {
    match network.prefix_len() == network.max_prefix_len() {
        true => quoted(&network.addr().to_string()),
        false => quoted(&network.to_string()),
    }
}
