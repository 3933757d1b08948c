use super::Error;
use super::key_transport::require_known;
use crate::mikey::{EncryptionAlgorithm, MacAlgorithm};

/// What an end of an exchange allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How many seconds T of a message may differ from now, either way (RFC 3830 5.3, 5.4).
    pub clock_skew: u64,
    /// Whether keys may travel without encryption.
    pub keys_in_clear: KeysInClear,
    /// Whether a message need not name the initiator that [`Reception::parties`](super::Reception::parties) expects. Then
    /// only the pre-shared key tells who made it, and the responder takes its own offer for the other's if someone sends
    /// it back: allow it where one end alone makes offers under that key.
    pub unnamed_initiator: bool,
}

/// Whether keys may travel with the NULL encryption, and with the NULL MAC too if there is no pre-shared key.
///
/// "This MUST NOT be used unless the underlying protocols can guarantee security" (RFC 3830 4.2.3, 4.2.4). Cameras and
/// GStreamer do so inside RTSP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeysInClear {
    /// Refused.
    #[default]
    Refused,
    /// Allowed, for the message travels inside TLS, IPsec or the like from one end to the other, and both ends have
    /// authenticated each other there.
    OverProtectedTransport,
}

/// How a message protects its keys (RFC 3830 6.2, RFC 6043 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    /// How the keys are encrypted.
    pub encryption: EncryptionAlgorithm,
    /// How the message is authenticated.
    pub mac: MacAlgorithm,
}

impl Default for Settings {
    /// Ten minutes of clock skew, no keys in clear, and an expected initiator names itself.
    fn default() -> Self {
        Self { clock_skew: 600, keys_in_clear: KeysInClear::Refused, unnamed_initiator: false }
    }
}

impl Protection {
    /// What every implementation knows: AES-CM-128 and HMAC-SHA-1-160 (RFC 3830 4.2.3, 4.2.4).
    pub const MANDATORY: Self = Self { encryption: EncryptionAlgorithm::AES_CM_128, mac: MacAlgorithm::HmacSha1 };
    /// AES-CM-256 and HMAC-SHA-256-256 (RFC 6043 6.2).
    pub const STRONG: Self = Self { encryption: EncryptionAlgorithm::AES_CM_256, mac: MacAlgorithm::HmacSha256 };
    /// None: the transport protects the message, see [`KeysInClear`].
    pub const NONE: Self = Self { encryption: EncryptionAlgorithm::NULL, mac: MacAlgorithm::Null };

    /// Whether it is allowed to make or take a message of this protection, with a pre-shared key or without one.
    ///
    /// # Errors
    /// [`Error::NullMac`], [`Error::NoPreSharedKey`], [`Error::Encryption`], [`Error::KeysInClear`].
    pub(super) fn judge(self, settings: &Settings, has_key: bool) -> Result<(), Error> {
        require_known(self.encryption)?;
        let clear = self.encryption == EncryptionAlgorithm::NULL;
        match (self.mac, has_key) {
            // Where there is a key, nobody may do as if there were none. The NULL MAC goes with the NULL encryption alone.
            (MacAlgorithm::Null, true) => Err(Error::NullMac),
            (MacAlgorithm::Null, false) if !clear => Err(Error::NullMac),
            _ if clear && settings.keys_in_clear == KeysInClear::Refused => Err(Error::KeysInClear),
            (MacAlgorithm::HmacSha1 | MacAlgorithm::HmacSha256, false) => Err(Error::NoPreSharedKey),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_clear_need_their_setting_and_a_key_is_never_ignored() {
        let null = EncryptionAlgorithm::NULL;
        let trusting = Settings { keys_in_clear: KeysInClear::OverProtectedTransport, ..Settings::default() };
        let authenticated = Protection { encryption: null, mac: MacAlgorithm::HmacSha1 };
        let malleable = Protection { encryption: EncryptionAlgorithm::AES_CM_128, mac: MacAlgorithm::Null };
        for (protection, has_key, by_default, trusting_transport) in [
            (Protection::MANDATORY, true, Ok(()), Ok(())),
            (Protection::STRONG, true, Ok(()), Ok(())),
            (Protection::MANDATORY, false, Err(Error::NoPreSharedKey), Err(Error::NoPreSharedKey)),
            (Protection::NONE, false, Err(Error::KeysInClear), Ok(())),
            (Protection::NONE, true, Err(Error::NullMac), Err(Error::NullMac)),
            (authenticated, true, Err(Error::KeysInClear), Ok(())),
            (authenticated, false, Err(Error::KeysInClear), Err(Error::NoPreSharedKey)),
            (malleable, true, Err(Error::NullMac), Err(Error::NullMac)),
            (malleable, false, Err(Error::NullMac), Err(Error::NullMac)),
        ] {
            assert_eq!(protection.judge(&Settings::default(), has_key), by_default, "{protection:?} {has_key}");
            assert_eq!(protection.judge(&trusting, has_key), trusting_transport, "{protection:?} {has_key}");
        }
        let found = EncryptionAlgorithm(4);
        let unknown = Protection { encryption: found, mac: MacAlgorithm::HmacSha1 };
        assert_eq!(unknown.judge(&trusting, true), Err(Error::Encryption { found }));
    }
}
