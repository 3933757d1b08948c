//! The heart of a KMS: its master secrets, and the key sets that follow from them.

mod batch;

use super::config::Config;
use super::hash::Hash;
use super::secrets::{GenerationSecrets, MasterSecrets};
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
/// every user, KMS and key period. Each generation of master secrets has such a secret of its own.
pub struct Authority {
    secrets: MasterSecrets,
    kms_uri: String,
    domains: Vec<String>,
    periods: KeyPeriods,
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

    /// The last change of the generations of its master secrets, counted from 1: the number of the newest one, or the one after it if
    /// that was withdrawn.
    pub fn newest_generation(&self) -> u64 {
        self.secrets.generations().last().map_or(1, |(number, last)| number.saturating_add(last.withdrawn.into()))
    }

    /// The KMS's own certificate (TS 33.180 D.3.2.2, role Root) for a time.
    pub fn certificate_at(&self, time: NtpTime) -> KmsCertificate {
        self.certificate(&self.serving_at(time))
    }

    /// All that clients need at a time: those of generations that were withdrawn, as revoked ones; then the certificate for the time,
    /// and where there are others the one before and the one to come, ordered by time.
    pub fn certificates_around(&self, time: NtpTime) -> Vec<KmsCertificate> {
        let number = self.serving_at(time).number;
        let before = self.all_serving().filter(|serving| serving.number < number).last();
        let from_now = self.all_serving().filter(|serving| serving.number >= number).take(2);
        let near = before.into_iter().chain(from_now).map(|serving| self.certificate(&serving));
        self.withdrawn().chain(near).collect()
    }

    fn withdrawn(&self) -> impl Iterator<Item = KmsCertificate> {
        let withdrawn = self.secrets.generations().filter(|(_, generation)| generation.withdrawn);
        withdrawn.map(|(number, secrets)| {
            let certificate = self.certificate(&Serving { number, secrets, end: None });
            KmsCertificate { revoked: true, ..certificate }
        })
    }

    /// The certificates that the keys of some key periods are checked against, each once, ordered by time.
    pub fn certificates_of(&self, periods: &[u64]) -> Vec<KmsCertificate> {
        let numbers: Vec<u64> = periods.iter().map(|period_no| self.serving(*period_no).number).collect();
        let serves = |serving: &Serving<'_>| numbers.contains(&serving.number);
        self.all_serving().filter(serves).map(|serving| self.certificate(&serving)).collect()
    }

    /// SHA-256 of Z and KPAK of the generation that serves a key period.
    pub(super) fn fingerprint(&self, period_no: u64) -> Hash {
        self.serving(period_no).secrets.fingerprint()
    }

    /// The certificate of the newest generation.
    pub(super) fn newest_certificate(&self) -> KmsCertificate {
        self.certificate(&self.serving(u64::MAX))
    }

    fn certificate(&self, serving: &Serving<'_>) -> KmsCertificate {
        let (period, offset) = (self.periods.period(), self.periods.offset());
        let secrets = serving.secrets;
        let (z, kpak) = (secrets.sakke.public_key().to_bytes(), secrets.eccsi.public_key().to_bytes());
        let mut certificate = KmsCertificate::new(Role::Root, &self.kms_uri, period, offset, &z, &kpak);
        certificate.domains.clone_from(&self.domains);
        let beginning = |period_no| calendar::date_of_ntp_seconds(self.periods.bounds(period_no).0);
        certificate.cert_uri = self.cert_uri(serving);
        certificate.valid_from = Some(serving.secrets.first_period).filter(|first| *first > 0).and_then(beginning);
        certificate.valid_to = serving.end.and_then(beginning);
        certificate
    }

    /// Names the certificates of a KMS that has several.
    fn cert_uri(&self, serving: &Serving<'_>) -> Option<String> {
        let is_one = serving.number == 1 && serving.end.is_none();
        (!is_one).then(|| format!("{}#generation-{}", self.kms_uri, serving.number))
    }

    /// Before the first key period, that of the first.
    fn serving_at(&self, time: NtpTime) -> Serving<'_> {
        self.serving(self.periods.number_at(time).unwrap_or(0))
    }

    /// The generation that serves a key period.
    fn serving(&self, period_no: u64) -> Serving<'_> {
        let first = Serving { number: 1, secrets: self.secrets.first(), end: None };
        let serves = |serving: &Serving<'_>| serving.secrets.first_period <= period_no;
        self.all_serving().take_while(serves).last().unwrap_or(first)
    }

    fn all_serving(&self) -> impl Iterator<Item = Serving<'_>> {
        let serving = || self.secrets.generations().filter(|(_, generation)| !generation.withdrawn);
        let ends = serving().skip(1).map(|(_, next)| Some(next.first_period)).chain([None]);
        serving().zip(ends).map(|((number, secrets), end)| Serving { number, secrets, end })
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
        let serving = self.serving(period_no);
        let rsk = serving.secrets.sakke.extract(identity.as_bytes())?;
        let pair = serving.secrets.signing_pair(identity.as_bytes())?;
        let validity = (valid_from, valid_to);
        Ok(self.issued(&serving, Issued { user_uri, period_no, uid: &uid, validity, rsk: &rsk, pair: &pair }))
    }

    /// What seals the transport and integrity keys of the users. Its key follows from the first generation, which stays when
    /// others come.
    pub(super) fn vault(&self) -> Vault {
        let key = self.secrets.first().derive(&[VAULT_LABEL, b"\0", self.kms_uri.as_bytes()]);
        Vault::new(key, self.kms_uri.clone())
    }

    fn issued(&self, serving: &Serving<'_>, issued: Issued<'_>) -> KmsKeySet {
        let Issued { user_uri, period_no, uid, validity: (valid_from, valid_to), rsk, pair } = issued;
        KmsKeySet {
            kms_uri: self.kms_uri.clone(),
            cert_uri: self.cert_uri(serving),
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
}

/// A generation of master secrets, and the key periods that it serves.
struct Serving<'a> {
    /// Counted from 1.
    number: u64,
    secrets: &'a GenerationSecrets,
    /// The first period that it serves no more.
    end: Option<u64>,
}

/// What goes into a key set.
struct Issued<'a> {
    user_uri: &'a str,
    period_no: u64,
    uid: &'a Uid,
    validity: (OffsetDateTime, OffsetDateTime),
    rsk: &'a sakke::ReceiverSecretKey,
    pair: &'a eccsi::KeyPair,
}

impl GenerationSecrets {
    fn signing_pair(&self, identity: &[u8]) -> Result<eccsi::KeyPair, Error> {
        let kpak = self.eccsi.public_key().to_bytes();
        let mut attempt = 0;
        loop {
            let v = self.nonce(&kpak, attempt, identity);
            match self.eccsi.extract(identity, &v) {
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
        key.iter_mut().zip(self.nonce_secret.iter()).for_each(|(to, from)| *to = *from);
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
    use crate::mc::PeriodEpoch;
    use crate::sakke;
    use std::path::Path;

    const ALICE: &str = "sip:alice@example.org";

    fn secrets(nonce_secret: u8) -> MasterSecrets {
        let mut z = [0; sakke::MASTER_SECRET_LEN];
        z[100..].fill(0x5a);
        MasterSecrets::of_first(GenerationSecrets {
            first_period: 0,
            sakke: sakke::MasterSecret::from_bytes(&z).unwrap(),
            eccsi: eccsi::MasterSecret::from_bytes(&[0x3c; 32]).unwrap(),
            nonce_secret: Zeroizing::new([nonce_secret; 32]),
            withdrawn: false,
        })
    }

    fn authority(kms_uri: &str, nonce_secret: u8) -> Authority {
        let options = InitOptions::new(kms_uri, "example.org");
        Authority::new(&options.config(Path::new("")).unwrap(), secrets(nonce_secret)).unwrap()
    }

    #[test]
    fn every_key_set_validates_against_the_certificate() {
        let authority = authority("kms.example.org", 1);
        let certificate = authority.certificate_at(NtpTime::from_unix(0));
        for (uri, period) in [(ALICE, 1529), (ALICE, 1530), ("tel:+1555", 0x1_0000)] {
            let keys = authority.key_set(uri, period).unwrap();
            assert!(is_valid(&keys, &certificate));
            assert_eq!(keys.cert_uri, None);
        }
    }

    /// Whether both keys are valid under the public keys of a certificate.
    fn is_valid(keys: &KmsKeySet, certificate: &KmsCertificate) -> bool {
        let kms = mc::Kms::new(
            &*certificate.kms_uri,
            &sakke::PublicKey::from_bytes(&certificate.pub_enc_key).unwrap(),
            &eccsi::PublicKey::from_bytes(&certificate.pub_auth_key).unwrap(),
            KeyPeriods::new(certificate.user_key_period, certificate.user_key_offset, PeriodEpoch::Ntp).unwrap(),
            mc::IdentityForm::Raw,
        );
        let identity = kms.identity(&Uid::from_bytes(keys.user_id));
        let rsk = sakke::ReceiverSecretKey::from_bytes(keys.user_decrypt_key.as_clear().unwrap()).unwrap();
        let pvt = keys.user_pub_token_pvt.as_clear().unwrap();
        let pair = eccsi::KeyPair::from_bytes(keys.user_signing_key_ssk.as_clear().unwrap(), pvt).unwrap();
        let validity = [
            rsk.validate(identity.as_bytes(), kms.rsk_validator()).is_ok(),
            pair.validate(identity.as_bytes(), kms.eccsi()).is_ok(),
        ];
        assert_eq!(validity[0], validity[1], "SAKKE and ECCSI change together");
        validity[0]
    }

    #[test]
    fn every_key_set_validates_under_the_certificate_of_its_period_alone() {
        let mut secrets = secrets(1);
        for first_period in [1530, 1531, 1540] {
            secrets.add(GenerationSecrets::generate(first_period).unwrap());
        }
        let options = InitOptions::new("kms.example.org", "example.org");
        let authority = Authority::new(&options.config(Path::new("")).unwrap(), secrets).unwrap();
        assert_eq!(authority.newest_generation(), 4);
        let at = |period_no| NtpTime::from_seconds(authority.periods().bounds(period_no).0);
        let certificates: Vec<_> = [1529, 1530, 1531, 1540].map(|first| authority.certificate_at(at(first))).into();
        assert_eq!(certificates.last(), Some(&authority.newest_certificate()));
        for (index, certificate) in certificates.iter().enumerate() {
            assert_eq!(certificate.cert_uri, Some(format!("kms.example.org#generation-{}", index + 1)));
            assert_eq!(certificate.valid_from, (index > 0).then(|| certificates[index - 1].valid_to.unwrap()));
        }
        assert_eq!(certificates[3].valid_to, None);
        assert_eq!(authority.certificates_around(at(1529)), certificates[..2]);
        assert_eq!(authority.certificates_around(at(1530)), certificates[..3]);
        assert_eq!(authority.certificates_around(at(1531)), certificates[1..]);
        assert_eq!(authority.certificates_around(at(9999)), certificates[2..]);
        assert_eq!(authority.certificates_of(&[1540, 1529, 9999]), [certificates[0].clone(), certificates[3].clone()]);
        assert_eq!(authority.certificates_of(&[]), []);

        let mut pvts = Vec::new();
        for period_no in [1000, 1528, 1529, 1530, 1531, 1532, 1539, 1540, 1541, 5000] {
            for uri in [ALICE, "sip:bob@example.org"] {
                let keys = authority.key_set(uri, period_no).unwrap();
                for certificate in &certificates {
                    let holds = certificate.valid_from.is_none_or(|from| from <= keys.valid_from.unwrap())
                        && certificate.valid_to.is_none_or(|to| keys.valid_to.unwrap() <= to);
                    assert_eq!(is_valid(&keys, certificate), holds, "{period_no} {:?}", certificate.cert_uri);
                    assert_eq!(keys.cert_uri == certificate.cert_uri, holds);
                }
                pvts.push(keys.user_pub_token_pvt.as_clear().unwrap().to_vec());
            }
        }
        // PVT is [v]G: no v serves twice.
        let count = pvts.len();
        pvts.sort();
        pvts.dedup();
        assert_eq!(pvts.len(), count);
        assert_eq!(authority.key_set(ALICE, 1529).unwrap().user_pub_token_pvt, {
            let before = self::authority("kms.example.org", 1).key_set(ALICE, 1529).unwrap();
            before.user_pub_token_pvt
        });
    }

    #[test]
    fn a_generation_that_was_withdrawn_serves_nothing_and_is_revoked() {
        let mut secrets = secrets(1);
        for first_period in [1540, 1535] {
            secrets.add(GenerationSecrets::generate(first_period).unwrap());
        }
        let mut known = secrets.public();
        known[1].withdrawn = true;
        secrets.mark_withdrawn(&known);
        let config = InitOptions::new("kms.example.org", "example.org").config(Path::new("")).unwrap();
        let authority = Authority::new(&config, secrets).unwrap();
        assert_eq!(authority.newest_generation(), 4);
        let at = |period_no| NtpTime::from_seconds(authority.periods().bounds(period_no).0);
        let around = authority.certificates_around(at(1534));
        let summary: Vec<_> =
            around.iter().map(|one| (one.cert_uri.as_deref(), one.revoked, one.valid_to.is_some())).collect();
        let [first, second, fourth] = [1, 2, 4].map(|number| format!("kms.example.org#generation-{number}"));
        assert_eq!(
            summary,
            [(Some(&*second), true, false), (Some(&*first), false, true), (Some(&*fourth), false, false)]
        );
        assert_eq!(authority.certificates_around(at(1540)), around);
        for (period_no, certificate) in [(1534, &around[1]), (1535, &around[2]), (1540, &around[2])] {
            let keys = authority.key_set(ALICE, period_no).unwrap();
            assert!(is_valid(&keys, certificate), "{period_no}");
            assert_eq!(keys.cert_uri, certificate.cert_uri);
        }
        // Without another one all is as it was, but for the number.
        let mut secrets = self::secrets(1);
        secrets.add(GenerationSecrets::generate(1540).unwrap());
        let mut known = secrets.public();
        known[1].withdrawn = true;
        secrets.mark_withdrawn(&known);
        let withdrawn = Authority::new(&config, secrets).unwrap();
        let before = self::authority("kms.example.org", 1);
        assert_eq!(withdrawn.certificate_at(at(1541)), before.certificate_at(at(1541)));
        assert_eq!(withdrawn.key_set(ALICE, 1541).unwrap(), before.key_set(ALICE, 1541).unwrap());
        assert_eq!((before.newest_generation(), withdrawn.newest_generation()), (1, 3));
    }

    #[test]
    fn what_seals_client_keys_outlives_a_roll_over() {
        let of = |secrets| {
            let options = InitOptions::new("kms.example.org", "example.org");
            Authority::new(&options.config(Path::new("")).unwrap(), secrets).unwrap().vault()
        };
        let (_, row) = of(secrets(1)).make("alice", ALICE, 1, 1000).unwrap();
        let mut rolled_over = secrets(1);
        rolled_over.add(GenerationSecrets::generate(1530).unwrap());
        of(rolled_over).open(&row, ALICE).unwrap();
        assert!(of(secrets(2)).open(&row, ALICE).is_err());
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
        let v = |kpak: &[u8], attempt, identity: &[u8]| authority.secrets.first().nonce(kpak, attempt, identity);
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
    }
}
