//! A KMS in a few lines, and stores to provision from it.

use mikey_sakke::client::{self, ImportReport, Store, StoreOptions};
use mikey_sakke::kms_protocol::{
    KeyContent, KeyIds, KmsCertificate, KmsInit, KmsKeyProv, KmsKeySet, KmsMessage, KmsResponse, Role, WriteOptions,
};
use mikey_sakke::mc::{IdentityForm, KeyPeriods, PeriodEpoch, Uid};
use mikey_sakke::mikey::NtpTime;
use mikey_sakke::sealing::{KdfParameters, Passphrase};
use mikey_sakke::{eccsi, sakke};
use rand_core::UnwrapErr;
use tempfile::TempDir;
use time::OffsetDateTime;

pub const ALICE: &str = "sip:alice@example.org";
pub const BOB: &str = "sip:bob@example.org";
pub const PERIOD: u64 = 2_592_000;

/// 2026-03-01T08:00:00Z.
pub const NOW_UNIX: u64 = 1_772_352_000;

pub fn now() -> NtpTime {
    NtpTime::from_unix(NOW_UNIX)
}

/// `seconds` after [`now`].
pub fn later(seconds: i64) -> NtpTime {
    NtpTime::from_unix(NOW_UNIX.checked_add_signed(seconds).unwrap())
}

pub fn rng() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

pub struct TestKms {
    pub uri: &'static str,
    pub domains: Vec<String>,
    pub form: IdentityForm,
    pub epoch: PeriodEpoch,
    sakke: sakke::MasterSecret,
    eccsi: eccsi::MasterSecret,
}

impl TestKms {
    pub fn new(uri: &'static str) -> Self {
        Self {
            uri,
            domains: Vec::new(),
            form: IdentityForm::Raw,
            epoch: PeriodEpoch::Ntp,
            sakke: sakke::MasterSecret::generate(&mut rng()).unwrap(),
            eccsi: eccsi::MasterSecret::generate(&mut rng()).unwrap(),
        }
    }

    /// Its certificate lists these domains.
    pub fn serving(mut self, domains: &[&str]) -> Self {
        self.domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
        self
    }

    pub fn with_convention(mut self, form: IdentityForm, epoch: PeriodEpoch) -> Self {
        (self.form, self.epoch) = (form, epoch);
        self
    }

    pub fn periods(&self) -> KeyPeriods {
        KeyPeriods::new(PERIOD, 0, self.epoch).unwrap()
    }

    pub fn period_now(&self) -> u64 {
        self.periods().number_at(now()).unwrap()
    }

    /// As [`Self::certificate`], claiming these domains.
    pub fn certificate_for(&self, domains: &[&str]) -> KmsCertificate {
        let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
        KmsCertificate { domains, ..self.certificate() }
    }

    pub fn certificate(&self) -> KmsCertificate {
        let (pub_enc_key, pub_auth_key) = (self.sakke.public_key().to_bytes(), self.eccsi.public_key().to_bytes());
        let domains = self.domains.clone();
        KmsCertificate { domains, ..KmsCertificate::new(Role::Root, self.uri, PERIOD, 0, &pub_enc_key, &pub_auth_key) }
    }

    /// Keys of a user for a period.
    pub fn key_set(&self, user_uri: &str, period_no: u64) -> KmsKeySet {
        let uid = Uid::new(user_uri, self.uri, &self.periods(), period_no).unwrap();
        let identity = self.form.identity(&uid);
        let rsk = self.sakke.extract(identity.as_bytes()).unwrap();
        let pair = self.eccsi.extract_random(identity.as_bytes(), &mut rng()).unwrap();
        KmsKeySet {
            kms_uri: self.uri.into(),
            cert_uri: None,
            issuer: None,
            user_uri: user_uri.into(),
            user_id: *uid.as_bytes(),
            valid_from: None,
            valid_to: None,
            key_period_no: period_no,
            revoked: false,
            user_decrypt_key: KeyContent::clear(&*rsk.to_bytes()),
            user_signing_key_ssk: KeyContent::clear(&*pair.ssk_bytes()),
            user_pub_token_pvt: KeyContent::clear(&pair.pvt_bytes()),
        }
    }

    /// A message of a user's that was altered, with the user's signature over what it is now.
    pub fn signed_again(&self, message: &[u8], user_uri: &str) -> Vec<u8> {
        let uid = Uid::new(user_uri, self.uri, &self.periods(), self.period_now()).unwrap();
        let identity = self.form.identity(&uid);
        let pair = self.eccsi.extract_random(identity.as_bytes(), &mut rng()).unwrap();
        let tables = eccsi::KmsTables::new(&self.eccsi.public_key());
        let key = pair.validate(identity.as_bytes(), &tables).unwrap();
        let (signed, _) = message.split_at(message.len() - eccsi::SIGNATURE_LEN);
        [signed, &key.sign(signed, &mut rng()).unwrap().to_bytes()].concat()
    }

    pub fn response(&self, user_uri: &str, message: KmsMessage) -> KmsResponse {
        KmsResponse {
            user_uri: user_uri.into(),
            kms_uri: self.uri.into(),
            time: OffsetDateTime::from_unix_timestamp(NOW_UNIX.try_into().unwrap()).unwrap(),
            kms_id: None,
            client_req_url: format!("https://{}/keymanagement/identity/v1/init", self.uri),
            message: Some(message),
            error: None,
            key_ids: KeyIds::default(),
        }
    }

    pub fn init(&self, certificate: KmsCertificate) -> Vec<u8> {
        let message = KmsInit { certificate, new_transport_keys: Vec::new(), new_integrity_keys: Vec::new() };
        xml(&self.response(ALICE, KmsMessage::Init(message)))
    }

    pub fn key_prov(&self, key_sets: Vec<KmsKeySet>) -> Vec<u8> {
        let user_uri = key_sets.first().map_or(ALICE.to_owned(), |set| set.user_uri.clone());
        xml(&self.response(&user_uri, KmsMessage::KeyProv(KmsKeyProv { key_sets, ..KmsKeyProv::default() })))
    }
}

pub fn xml(response: &KmsResponse) -> Vec<u8> {
    response.to_xml(&WriteOptions::default()).as_bytes().to_vec()
}

/// A store in a folder that goes away with it.
pub struct TestStore {
    pub store: Store,
    pub folder: TempDir,
}

pub fn options() -> StoreOptions {
    StoreOptions { kdf: KdfParameters::cheap_for_tests(), lock_wait: std::time::Duration::ZERO }
}

pub fn passphrase() -> Passphrase {
    Passphrase::new("correct horse".into()).unwrap()
}

impl TestStore {
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path(), &passphrase(), &options()).unwrap();
        Self { store, folder }
    }

    /// With the keys of a user for the present period.
    pub fn of(kms: &TestKms, user_uri: &str) -> Self {
        let mut made = Self::empty();
        made.import(kms, user_uri, kms.period_now());
        made
    }

    pub fn import(&mut self, kms: &TestKms, user_uri: &str, period_no: u64) -> ImportReport {
        let (init, keyprov) = (kms.init(kms.certificate()), kms.key_prov(vec![kms.key_set(user_uri, period_no)]));
        client::import(&mut self.store, &init, &keyprov, now()).unwrap()
    }

    pub fn reopen(self) -> Self {
        let Self { store, folder } = self;
        drop(store);
        let store = Store::open(folder.path(), &passphrase(), &options()).unwrap();
        Self { store, folder }
    }
}
