//! What sorts of clients a KMS has.

use core::fmt;
use serde::{Deserialize, Serialize};

/// What a client of the KMS is (TS 23.179, TS 33.180 5.3.1). It decides what the client may ask for: the section
/// `[clients.KIND]` of `kms.toml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKind {
    /// The key management client of a person's radio (reference point CSC-8).
    #[default]
    User,
    /// An MCPTT, MCVideo or MCData server (CSC-9).
    McxServer,
    /// A group management server (CSC-10).
    Gms,
    /// A proxy that protects signalling between networks.
    SignallingProxy,
    /// A gateway that joins systems whose keys come from different KMSs.
    SecurityGateway,
}

impl ClientKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Self; 5] = [Self::User, Self::McxServer, Self::Gms, Self::SignallingProxy, Self::SecurityGateway];

    /// As it is written on the command line, in `kms.toml` and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::McxServer => "mcx-server",
            Self::Gms => "gms",
            Self::SignallingProxy => "signalling-proxy",
            Self::SecurityGateway => "security-gateway",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Something of each kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OfEachKind<T> {
    user: T,
    mcx_server: T,
    gms: T,
    signalling_proxy: T,
    security_gateway: T,
}

impl<T> OfEachKind<T> {
    pub(super) fn new(mut of: impl FnMut(ClientKind) -> T) -> Self {
        Self {
            user: of(ClientKind::User),
            mcx_server: of(ClientKind::McxServer),
            gms: of(ClientKind::Gms),
            signalling_proxy: of(ClientKind::SignallingProxy),
            security_gateway: of(ClientKind::SecurityGateway),
        }
    }

    pub(super) fn of(&self, kind: ClientKind) -> &T {
        match kind {
            ClientKind::User => &self.user,
            ClientKind::McxServer => &self.mcx_server,
            ClientKind::Gms => &self.gms,
            ClientKind::SignallingProxy => &self.signalling_proxy,
            ClientKind::SecurityGateway => &self.security_gateway,
        }
    }

    pub(super) fn set(&mut self, kind: ClientKind, value: T) {
        match kind {
            ClientKind::User => self.user = value,
            ClientKind::McxServer => self.mcx_server = value,
            ClientKind::Gms => self.gms = value,
            ClientKind::SignallingProxy => self.signalling_proxy = value,
            ClientKind::SecurityGateway => self.security_gateway = value,
        }
    }
}

impl fmt::Display for ClientKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
