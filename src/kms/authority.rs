//! The heart of a KMS: its master secrets, and the key sets that follow from them.

mod batch;

use super::config::Config;
use super::secrets::MasterSecrets;
use super::vault::Vault;
use super::{Error, calendar};
use crate::kms_protocol::{KeyContent, KmsCertificate, KmsKeySet, Role};
use crate::mc::{self, KeyPeriods, PeriodEpoch, Uid};
use crate::mikey::NtpTime;
use crate::{eccsi, sakke};
use core::fmt;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Say what the octets are for that are derived from the nonce secret.
const NONCE_LABEL: &[u8] = b"mikey-sakke ECCSI v";
const VAULT_LABEL: &[u8] = b"mikey-sakke client keys";

/// The unsealed master secrets with the names that they issue keys under.
///
/// Key sets are derived anew each time and are the same each time, so that nothing secret is stored per user and every
/// server with the same sealed file issues the same keys. SAKKE's extraction is deterministic by itself. ECCSI's needs
/// a number v (RFC 6507 5.1.1) that must be unpredictable and must not serve two identities, or both together reveal
/// KSAK: v is HMAC-SHA-256 under a secret of its own over KPAK and the identity, which is the UID and thus different for
/// every user, KMS and key period.
pub struct Authority {
    secrets: MasterSecrets,
    kms_uri: String,
    domains: Vec<String>,
    periods: KeyPeriods,
    pub_enc_key: sakke::PublicKey,
    pub_auth_key: eccsi::PublicKey,
}

impl Authority {
    /// An authority with these secrets, named and timed by `config`.
    ///
    /// # Errors
    /// [`Error::Mc`] for a key period that is no period.
    pub fn new(config: &Config, secrets: MasterSecrets) -> Result<Self, Error> {
        Ok(Self {
            kms_uri: config.kms_uri.clone(),
            domains: config.domains.clone(),
            periods: key_periods(config)?,
            pub_enc_key: secrets.sakke.public_key(),
            pub_auth_key: secrets.eccsi.public_key(),
            secrets,
        })
    }

    /// The URI of the KMS.
    pub fn kms_uri(&self) -> &str {
        &self.kms_uri
    }

    /// The key periods.
    pub fn periods(&self) -> &KeyPeriods {
        &self.periods
    }

    /// Z, the public key of SAKKE.
    pub fn pub_enc_key(&self) -> &sakke::PublicKey {
        &self.pub_enc_key
    }

    /// KPAK, the public key of ECCSI.
    pub fn pub_auth_key(&self) -> &eccsi::PublicKey {
        &self.pub_auth_key
    }

    /// The KMS's own certificate (TS 33.180 D.3.2.2, role Root).
    pub fn certificate(&self) -> KmsCertificate {
        let (period, offset) = (self.periods.period(), self.periods.offset());
        let (z, kpak) = (self.pub_enc_key.to_bytes(), self.pub_auth_key.to_bytes());
        let mut certificate = KmsCertificate::new(Role::Root, &self.kms_uri, period, offset, &z, &kpak);
        certificate.domains.clone_from(&self.domains);
        certificate
    }

    /// The number of the key period at a time.
    ///
    /// # Errors
    /// [`Error::Mc`] for a time before period 0.
    pub fn period_at(&self, time: NtpTime) -> Result<u64, Error> {
        Ok(self.periods.number_at(time)?)
    }

    /// The RSK, SSK and PVT of a URI for a key period: the same at each call. Takes a millisecond or two.
    ///
    /// # Errors
    /// [`Error::Period`] for a period before 1970 or after 9999, [`Error::Mc`] for a URI of more than 65535 octets,
    /// [`Error::Sakke`] and [`Error::Eccsi`] with negligible probability.
    pub fn key_set(&self, user_uri: &str, period_no: u64) -> Result<KmsKeySet, Error> {
        let (valid_from, valid_to) = self.validity(period_no)?;
        let uid = Uid::new(user_uri, &self.kms_uri, &self.periods, period_no)?;
        let identity = mc::IdentityForm::Raw.identity(&uid);
        let rsk = self.secrets.sakke.extract(identity.as_bytes())?;
        let pair = self.signing_pair(identity.as_bytes())?;
        Ok(self.issued(user_uri, period_no, &uid, (valid_from, valid_to), &rsk, &pair))
    }

    /// What seals the transport and integrity keys of the users.
    pub(super) fn vault(&self) -> Vault {
        Vault::new(self.derive(&[VAULT_LABEL, b"\0", self.kms_uri.as_bytes()]), self.kms_uri.clone())
    }

    fn issued(
        &self,
        user_uri: &str,
        period_no: u64,
        uid: &Uid,
        (valid_from, valid_to): (OffsetDateTime, OffsetDateTime),
        rsk: &sakke::ReceiverSecretKey,
        pair: &eccsi::KeyPair,
    ) -> KmsKeySet {
        KmsKeySet {
            kms_uri: self.kms_uri.clone(),
            cert_uri: None,
            issuer: None,
            user_uri: user_uri.to_owned(),
            user_id: *uid.as_bytes(),
            valid_from: Some(valid_from),
            valid_to: Some(valid_to),
            key_period_no: period_no,
            revoked: false,
            user_decrypt_key: KeyContent::Clear(Zeroizing::new(rsk.to_bytes().to_vec())),
            user_signing_key_ssk: KeyContent::Clear(Zeroizing::new(pair.ssk_bytes().to_vec())),
            user_pub_token_pvt: KeyContent::clear(&pair.pvt_bytes()),
        }
    }

    /// When keys of a period are valid; [`Error::Period`] for a period before 1970 or after 9999.
    pub(super) fn validity(&self, period_no: u64) -> Result<(OffsetDateTime, OffsetDateTime), Error> {
        let (from, to) = self.periods.bounds(period_no);
        calendar::date_of_ntp_seconds(from).zip(calendar::date_of_ntp_seconds(to)).ok_or(Error::Period(period_no))
    }

    fn signing_pair(&self, identity: &[u8]) -> Result<eccsi::KeyPair, Error> {
        let kpak = self.pub_auth_key.to_bytes();
        let mut attempt = 0;
        loop {
            let v = self.nonce(&kpak, attempt, identity);
            match self.secrets.eccsi.extract(identity, &v) {
                // RFC 6507 5.1.1 asks for another v then. It happens once in 2^32 times; ten in a row never happen.
                Err(eccsi::Error::NonceRange | eccsi::Error::NonceRefused) if attempt < 9 => attempt += 1,
                result => return Ok(result?),
            }
        }
    }

    fn nonce(&self, kpak: &[u8], attempt: u8, identity: &[u8]) -> Zeroizing<[u8; 32]> {
        self.derive(&[NONCE_LABEL, kpak, &[attempt], identity])
    }

    /// HMAC-SHA-256 under the nonce secret. The first part is a label that no other purpose has.
    fn derive(&self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        // HMAC pads a key with zeros to the 64 octets of a SHA-256 block.
        let mut key = Zeroizing::new([0; 64]);
        key.iter_mut().zip(self.secrets.nonce_secret.iter()).for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new((&*key).into());
        for part in parts {
            mac.update(part);
        }
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").field("kms_uri", &self.kms_uri).finish_non_exhaustive()
    }
}

/// The key periods of a configuration, counted from 1900.
pub(super) fn key_periods(config: &Config) -> Result<KeyPeriods, Error> {
    Ok(KeyPeriods::new(config.key_period, config.key_offset, PeriodEpoch::Ntp)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::InitOptions;
    use std::path::Path;

    const ALICE: &str = "sip:alice@example.org";

    fn secrets(nonce_secret: u8) -> MasterSecrets {
        let mut z = [0; sakke::MASTER_SECRET_LEN];
        z[100..].fill(0x5a);
        MasterSecrets {
            sakke: sakke::MasterSecret::from_bytes(&z).unwrap(),
            eccsi: eccsi::MasterSecret::from_bytes(&[0x3c; 32]).unwrap(),
            nonce_secret: Zeroizing::new([nonce_secret; 32]),
        }
    }

    fn authority(kms_uri: &str, nonce_secret: u8) -> Authority {
        let options = InitOptions::new(kms_uri, "example.org");
        Authority::new(&options.config(Path::new("")).unwrap(), secrets(nonce_secret)).unwrap()
    }

    #[test]
    fn every_key_set_validates_against_the_certificate() {
        let authority = authority("kms.example.org", 1);
        let certificate = authority.certificate();
        let kms = mc::Kms::new(
            &*certificate.kms_uri,
            &sakke::PublicKey::from_bytes(&certificate.pub_enc_key).unwrap(),
            &eccsi::PublicKey::from_bytes(&certificate.pub_auth_key).unwrap(),
            *authority.periods(),
            mc::IdentityForm::Raw,
        );
        for (uri, period) in [(ALICE, 1529), (ALICE, 1530), ("tel:+1555", 0x1_0000)] {
            let keys = authority.key_set(uri, period).unwrap();
            let rsk = sakke::ReceiverSecretKey::from_bytes(keys.user_decrypt_key.as_clear().unwrap()).unwrap();
            let pvt = keys.user_pub_token_pvt.as_clear().unwrap();
            let pair = eccsi::KeyPair::from_bytes(keys.user_signing_key_ssk.as_clear().unwrap(), pvt).unwrap();
            mc::KeySet::validate(&kms, uri, period, rsk, pair).unwrap();
        }
    }

    #[test]
    fn the_same_secrets_issue_the_same_keys() {
        let (one, other) = (authority("kms.example.org", 1), authority("kms.example.org", 1));
        assert_eq!(one.key_set(ALICE, 1529).unwrap(), one.key_set(ALICE, 1529).unwrap());
        assert_eq!(one.key_set(ALICE, 1529).unwrap(), other.key_set(ALICE, 1529).unwrap());
    }

    #[test]
    fn no_two_identities_share_v_and_none_is_known_without_the_nonce_secret() {
        // PVT is [v]G: equal if and only if v is.
        let pvt = |kms_uri, nonce_secret, uri, period| {
            authority(kms_uri, nonce_secret).key_set(uri, period).unwrap().user_pub_token_pvt
        };
        let base = pvt("kms.example.org", 1, ALICE, 1529);
        assert_ne!(base, pvt("kms.example.org", 1, "sip:bob@example.org", 1529));
        assert_ne!(base, pvt("kms.example.org", 1, ALICE, 1530));
        assert_ne!(base, pvt("kms.example.net", 1, ALICE, 1529));
        assert_ne!(base, pvt("kms.example.org", 2, ALICE, 1529));

        let authority = authority("kms.example.org", 1);
        let v = |kpak: &[u8], attempt, identity: &[u8]| authority.nonce(kpak, attempt, identity);
        assert_ne!(v(b"kpak", 0, b"identity"), v(b"kpal", 0, b"identity"));
        assert_ne!(v(b"kpak", 0, b"identity"), v(b"kpak", 1, b"identity"));
    }

    #[test]
    fn a_period_without_dates_is_refused() {
        let authority = authority("kms.example.org", 1);
        for period in [0, 1_000_000, u64::MAX] {
            assert!(matches!(authority.key_set(ALICE, period), Err(Error::Period(refused)) if refused == period));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let authority = authority("kms.example.org", 1);
        assert_eq!(format!("{authority:?}"), "Authority { kms_uri: \"kms.example.org\", .. }");
        assert_eq!(format!("{:?}", secrets(1)), "MasterSecrets(..)");
    }
}
