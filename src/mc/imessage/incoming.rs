//! Step 1: the shape of a message, before anything of it is trusted.
use super::Deviation;
use crate::mc::{Error, KeyId, KeyType, Uid};
use crate::mikey::NtpTime;
use alloc::string::String;
use core::fmt;

/// How a message names one of its ends.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum CarriedIdentity {
    /// By UID.
    Uid(Uid),
    /// By URI.
    Uri(String),
}

impl fmt::Display for CarriedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => uid.fmt(f),
            Self::Uri(uri) => uri.fmt(f),
        }
    }
}

/// One end of a message as the message names it: nothing proves it yet.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct CarriedParty {
    /// The user.
    pub identity: CarriedIdentity,
    /// The user's KMS.
    pub kms_uri: String,
}

/// A message of the right shape. Nothing in it is authenticated.
#[derive(Clone, Debug)]
pub struct Incoming {
    time: NtpTime,
    csb_id: KeyId,
    rand: [u8; 16],
    initiator: CarriedParty,
    recipient: CarriedParty,
    deviations: alloc::vec::Vec<Deviation>,
}

impl Incoming {
    /// T: when the message was made, and which key periods it belongs to.
    pub const fn time(&self) -> NtpTime {
        self.time
    }

    /// The CSB-ID: the key's identifier, or for a GMK the recipient's GUK-ID.
    pub const fn csb_id(&self) -> KeyId {
        self.csb_id
    }

    /// What the key is for, by the purpose tag of the CSB-ID.
    pub const fn key_type(&self) -> KeyType {
        self.csb_id.key_type()
    }

    /// RAND.
    pub const fn rand(&self) -> &[u8; 16] {
        &self.rand
    }

    /// Who sends, by the message's own account.
    pub const fn initiator(&self) -> &CarriedParty {
        &self.initiator
    }

    /// Whom the message is for.
    pub const fn recipient(&self) -> &CarriedParty {
        &self.recipient
    }

    /// What the message does that only a [`Compatibility`](super::Compatibility) setting excuses.
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }
}
