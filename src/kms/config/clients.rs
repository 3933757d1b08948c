//! What each kind of client may ask for, and how.

use super::{ConfigError, Policy, SecurityExtension, per_minute, quoted};
use crate::kms::ClientKind;
use crate::kms::kind::OfEachKind;
use crate::kms_protocol::resource::ResourceKind;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// The `[clients.KIND]` sections, one for each [`ClientKind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients(OfEachKind<ClientRules>);

/// What clients of one kind may ask for, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRules {
    /// The resources that they may ask for.
    pub resources: Vec<ResourceKind>,
    /// How they may authenticate.
    pub authentication: Vec<Authentication>,
    /// Whether the security extension is used for requests that come straight from them; where it is absent,
    /// `[security_extension]` says so.
    pub direct: Option<Policy>,
    /// The same for requests that come through a proxy.
    pub proxied: Option<Policy>,
    /// How many requests each of them may send in a minute; so many may also come at once.
    pub requests_per_minute: NonZeroU32,
}

/// How a client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// By an access token (RFC 6750).
    Token,
    /// By the TLS certificate of its connection.
    Certificate,
}

impl Authentication {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Certificate => "certificate",
        }
    }
}

impl Clients {
    /// The rules for clients of a kind.
    pub fn of(&self, kind: ClientKind) -> &ClientRules {
        self.0.of(kind)
    }

    /// Puts others in their place.
    pub fn set(&mut self, kind: ClientKind, rules: ClientRules) {
        self.0.set(kind, rules);
    }
}

impl Default for Clients {
    /// [`ClientRules::of`] each kind.
    fn default() -> Self {
        Self(OfEachKind::new(ClientRules::of))
    }
}

impl ClientRules {
    /// Where the operator says nothing: a signalling proxy and a security gateway have no redirect responses to hand in, and
    /// the former nobody to look up. A person's radio asks a few times a day, a server for many identities at once.
    pub fn of(kind: ClientKind) -> Self {
        use ResourceKind::{Cert, CertCache, Init, KeyProv, Lookup};
        let resources = match kind {
            ClientKind::User | ClientKind::McxServer | ClientKind::Gms => ResourceKind::ALL.to_vec(),
            ClientKind::SignallingProxy => vec![Init, KeyProv, CertCache, Cert],
            ClientKind::SecurityGateway => vec![Init, KeyProv, CertCache, Cert, Lookup],
        };
        let requests_per_minute = match kind {
            ClientKind::User => const { NonZeroU32::new(60).unwrap() },
            _ => const { NonZeroU32::new(600).unwrap() },
        };
        Self {
            resources,
            authentication: vec![Authentication::Token, Authentication::Certificate],
            direct: None,
            proxied: None,
            requests_per_minute,
        }
    }

    /// Whether the security extension is used, for requests that come straight from a client of this kind and for those through a proxy.
    pub fn policies(&self, extension: &SecurityExtension) -> (Policy, Policy) {
        (self.direct.unwrap_or(extension.direct), self.proxied.unwrap_or(extension.proxied))
    }
}

/// The sections as they are written; what is left out stays as [`ClientRules::of`] has it.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(super) struct ClientsSection(BTreeMap<ClientKind, RulesSection>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesSection {
    resources: Option<Vec<String>>,
    authentication: Option<Vec<Authentication>>,
    direct: Option<Policy>,
    proxied: Option<Policy>,
    requests_per_minute: Option<u32>,
}

impl ClientsSection {
    pub(super) fn check(self) -> Result<Clients, ConfigError> {
        let mut clients = Clients::default();
        for (kind, section) in self.0 {
            clients.set(kind, section.check(kind)?);
        }
        Ok(clients)
    }
}

impl RulesSection {
    fn check(self, kind: ClientKind) -> Result<ClientRules, ConfigError> {
        let default = ClientRules::of(kind);
        let resources = match self.resources {
            Some(names) => names.iter().map(|name| resource(kind, name)).collect::<Result<_, _>>()?,
            None => default.resources,
        };
        let authentication = self.authentication.unwrap_or(default.authentication);
        if authentication.is_empty() {
            return Err(ConfigError::Value {
                key: key(kind, "authentication"),
                value: "[]".to_owned(),
                remedy: "list \"token\", \"certificate\" or both; to let no client of the kind in, leave its resources empty",
            });
        }
        let requests_per_minute = match self.requests_per_minute {
            Some(number) => per_minute(key(kind, "requests_per_minute"), number, "give 1 to 1000000 requests")?,
            None => default.requests_per_minute,
        };
        Ok(ClientRules { resources, authentication, direct: self.direct, proxied: self.proxied, requests_per_minute })
    }
}

fn resource(kind: ClientKind, name: &str) -> Result<ResourceKind, ConfigError> {
    ResourceKind::ALL.into_iter().find(|resource| resource.as_str() == name).ok_or_else(|| ConfigError::Value {
        key: key(kind, "resources"),
        value: quoted(name),
        remedy: "name resources: init, keyprov, certcache, cert, lookup, redirect",
    })
}

/// A key of the section of a kind, with the section.
fn key(kind: ClientKind, name: &str) -> Cow<'static, str> {
    format!("clients.{kind}.{name}").into()
}

impl Clients {
    pub(super) fn to_toml(&self) -> String {
        let mut text = "\
# What each kind of client (kms user add --kind) may ask for, how it authenticates (token, certificate), how many requests each
# may send in a minute; and, where direct or proxied are set, whether its requests and answers are signed and keys wrapped.
"
        .to_owned();
        for kind in ClientKind::ALL {
            let rules = self.of(kind);
            let list = |names: Vec<&str>| names.into_iter().map(quoted).collect::<Vec<_>>().join(", ");
            let resources = list(rules.resources.iter().map(|kind| kind.as_str()).collect());
            let authentication = list(rules.authentication.iter().map(|way| way.as_str()).collect());
            text.push_str(&format!(
                "[clients.{kind}]\nresources = [{resources}]\nauthentication = [{authentication}]\n\
                 requests_per_minute = {}\n",
                rules.requests_per_minute
            ));
            for (key, policy) in [("direct", rules.direct), ("proxied", rules.proxied)] {
                if let Some(policy) = policy {
                    text.push_str(&format!("{key} = \"{}\"\n", policy.as_str()));
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Clients, ConfigError> {
        toml::from_str::<ClientsSection>(text).unwrap().check()
    }

    #[test]
    fn what_is_left_out_stays_as_it_is_usual() {
        let clients = parsed("[gms]\nrequests_per_minute = 5\ndirect = 'required'\n").unwrap();
        let gms = clients.of(ClientKind::Gms);
        assert_eq!((gms.requests_per_minute.get(), gms.direct), (5, Some(Policy::Required)));
        assert_eq!(gms.resources, ResourceKind::ALL);
        assert_eq!(*clients.of(ClientKind::User), ClientRules::of(ClientKind::User));
        assert_eq!(parsed("").unwrap(), Clients::default());
    }

    #[test]
    fn text_and_values_agree() {
        let mut clients = Clients::default();
        let rules = ClientRules {
            resources: vec![ResourceKind::KeyProv],
            authentication: vec![Authentication::Certificate],
            direct: Some(Policy::Off),
            proxied: Some(Policy::Required),
            requests_per_minute: const { NonZeroU32::new(7).unwrap() },
        };
        clients.set(ClientKind::McxServer, rules);
        let text = clients.to_toml().replace("[clients.", "[");
        assert_eq!(parsed(&text).unwrap(), clients);
    }

    #[test]
    fn the_policy_of_a_kind_comes_before_that_of_all() {
        let extension = SecurityExtension::default();
        let mut rules = ClientRules::of(ClientKind::Gms);
        assert_eq!(rules.policies(&extension), (Policy::Optional, Policy::Required));
        (rules.direct, rules.proxied) = (Some(Policy::Required), Some(Policy::Off));
        assert_eq!(rules.policies(&extension), (Policy::Required, Policy::Off));
    }
}
