//! Rolling over to new master secrets (docs/roll-over.md): when it can be, what is served then, and what an interruption leaves.

use crate::schema::Schema;
use crate::support;
use crate::support::*;
use mikey_sakke::client::{
    self, AcceptOptions, OfferRequest, ProvisionRequest, Provisioner, StoreOptions, accept, offer,
};
use mikey_sakke::kms::audit::{Act, Fault};
use mikey_sakke::kms::backup;
use mikey_sakke::kms::certificates::{self, CertificateError};
use mikey_sakke::kms::store::{Generation, StoreError};
use mikey_sakke::kms::{
    self, Error, InitOptions, NewUser, RollOverAt, RolledOver, State, Withdrawn, admin, open_store,
};
use mikey_sakke::kms_protocol::{ErrorCode, KmsCertCache, KmsCertificate, Role};
use mikey_sakke::mc::KeyType;
use mikey_sakke::mikey::NtpTime;
use mikey_sakke::sealing::KdfParameters;
use rand_core::UnwrapErr;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// Rolls over as if it were so many key periods earlier, or later.
async fn roll_over(folder: &Path, at_period: Option<u64>, periods_later: i64) -> Result<RolledOver, Error> {
    let shift = Duration::from_secs(PERIOD * periods_later.unsigned_abs());
    let at = if periods_later < 0 { SystemTime::now() - shift } else { SystemTime::now() + shift };
    let first = RollOverAt { first_period: at_period, force: false };
    kms::roll_over(folder, &passphrase(), first, &Act::new("the operator", at)).await
}

async fn cache(world: &World, resource: &str) -> KmsCertCache {
    let (_, message) = answer(world.post(resource, &world.token(ALICE)).await).await;
    message.into_cert_cache().unwrap()
}

async fn init(world: &World) -> KmsCertificate {
    let (_, message) = answer(world.post("init", &world.token(ALICE)).await).await;
    message.into_init().unwrap().certificate
}

fn name(generation: u64) -> Option<String> {
    Some(format!("{KMS_URI}#generation-{generation}"))
}

#[tokio::test]
async fn a_roll_over_is_announced_and_served_once_the_server_has_started_anew() {
    let world = World::new().await;
    let (folder, current) = (world.folder.path(), current_period());
    let before = init(&world).await;
    assert_eq!((&before.cert_uri, before.valid_from, before.valid_to), (&None, None, None));
    let keys_before = key_sets(world.post("keyprov", &world.token(BOB)).await).await;

    let done = roll_over(folder, None, 0).await.unwrap();
    assert_eq!((done.generation, done.first_period, done.completed), (2, current + 2, false));
    assert_eq!(done.begins, keys_before[1].valid_to.unwrap());
    assert_eq!(done.asked_from, keys_before[0].valid_to.unwrap());
    // The server that still runs gives what it gave, and does not say that this is all.
    assert_eq!(init(&world).await, before);
    assert_eq!(cache(&world, "certcache/0").await, KmsCertCache { cache_num: None, certificates: Vec::new() });
    assert_eq!(key_sets(world.post("keyprov", &world.token(BOB)).await).await, keys_before);

    let world = world.restart().await;
    let change = Some(done.begins);
    let first = KmsCertificate { cert_uri: name(1), valid_to: change, ..before };
    assert_eq!(init(&world).await, first);
    let announced = cache(&world, "certcache/0").await;
    assert_eq!(announced.cache_num, Some(1));
    let [present, coming] = &announced.certificates[..] else { panic!("{announced:?}") };
    assert_eq!(*present, first);
    assert_eq!((&coming.cert_uri, coming.role), (&name(2), Some(Role::Root)));
    assert_eq!((coming.valid_from, coming.valid_to), (change, None));
    assert_ne!(coming.pub_enc_key, present.pub_enc_key);
    assert_ne!(coming.pub_auth_key, present.pub_auth_key);
    assert_eq!(cache(&world, "certcache/1").await, KmsCertCache { cache_num: Some(1), certificates: Vec::new() });
    assert_eq!(cache(&world, "cert/kms.example.org").await.certificates, announced.certificates);
    let one = cache(&world, "cert/kms.example.org%23generation-2").await.certificates;
    assert_eq!(one, announced.certificates[1..]);
    let token = world.token(ALICE);
    let unknown = world.post("cert/kms.example.org%23generation-3", &token).await;
    refused(unknown, ErrorCode::UnknownCertificate).await;

    // The keys are what they were, and have the name of their certificate.
    let keys = key_sets(world.post("keyprov", &world.token(BOB)).await).await;
    for (keys, before) in keys.iter().zip(&keys_before) {
        assert_eq!(keys.cert_uri, name(1));
        assert_eq!(keys.user_decrypt_key, before.user_decrypt_key);
        assert_eq!(keys.user_signing_key_ssk, before.user_signing_key_ssk);
        assert_eq!(keys.user_pub_token_pvt, before.user_pub_token_pvt);
    }
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    let log = log(&state).await;
    let event = log.iter().find(|entry| entry["event"] == "rolled_over").unwrap();
    assert_eq!((&event["generation"], &event["first_period"]), (&2.into(), &(current + 2).into()));
    assert_eq!(event["pub_auth_key"], done.pub_auth_key.as_str());
    assert_eq!(event["cache_num"], 1);
    if let Some(schema) = Schema::open() {
        for resource in ["init", "keyprov", "certcache", "cert/kms.example.org"] {
            let document = world.post(resource, &token).await.text().await.unwrap();
            assert_eq!(schema.faults(&document), None, "{document}");
        }
    }
}

#[tokio::test]
async fn in_the_period_before_the_change_clients_get_keys_of_both_and_after_it_the_new_certificate() {
    let world = World::new().await;
    let done = roll_over(world.folder.path(), None, -1).await.unwrap();
    assert_eq!(done.first_period, current_period() + 1);
    let world = world.restart().await;
    let keys = key_sets(world.post("keyprov", &world.token(ALICE)).await).await;
    let names: Vec<_> = keys.iter().map(|keys| keys.cert_uri.clone()).collect();
    assert_eq!(names, [name(1), name(2)]);
    validate(&world.public().await, &keys[0]);

    let world = World::new().await;
    let done = roll_over(world.folder.path(), None, -2).await.unwrap();
    assert_eq!(done.first_period, current_period());
    let world = world.restart().await;
    let certificate = init(&world).await;
    assert_eq!((&certificate.cert_uri, certificate.valid_from), (&name(2), Some(done.begins)));
    let kms = world.public().await;
    for keys in key_sets(world.post("keyprov", &world.token(ALICE)).await).await {
        assert_eq!(keys.cert_uri, name(2));
        validate(&kms, &keys);
    }
    // What was sent before the change is read with the certificate of then.
    let useful = cache(&world, "certcache").await.certificates;
    assert_eq!(useful.iter().map(|own| own.cert_uri.clone()).collect::<Vec<_>>(), [name(1), name(2)]);
}

#[tokio::test]
async fn a_server_with_the_old_secrets_gives_no_keys_of_the_new_periods() {
    let world = World::new().await;
    roll_over(world.folder.path(), None, -1).await.unwrap();
    let given = key_sets(world.post("keyprov", &world.token(ALICE)).await).await;
    assert_eq!(names(&given), [(ALICE, current_period())], "the present one's alone");
    let next = (current_period() + 1) * PERIOD + 11;
    let resource = format!("keyprov/sip%3Aalice%40example.org/{next:08X}00000000");
    refused(world.post(&resource, &world.token(ALICE)).await, ErrorCode::Unavailable).await;
    let (_, store) = open_store(world.folder.path()).await.unwrap();
    assert_eq!(store.counts().await.unwrap().issues, 1, "what was not given is not noted");
    let world = world.restart().await;
    assert_eq!(key_sets(world.post("keyprov", &world.token(BOB)).await).await.len(), 2);
}

#[tokio::test]
async fn new_secrets_begin_where_nobody_can_have_keys() {
    let world = World::new().await;
    let (folder, current) = (world.folder.path(), current_period());
    for too_soon in [0, current, current + 1] {
        let error = roll_over(folder, Some(too_soon), 0).await.unwrap_err();
        let Error::RollOverTooSoon { first_period, earliest, .. } = error else { panic!("{error}") };
        assert_eq!((first_period, earliest), (too_soon, current + 2));
    }
    let state = State::open(folder, &passphrase()).await.unwrap();
    admin::issue(&state, ALICE, Some(current + 7), None, &act()).await.unwrap();
    let error = roll_over(folder, Some(current + 7), 0).await.unwrap_err();
    let Error::RollOverHeld { issue, .. } = &error else { panic!("{error}") };
    assert_eq!((issue.period, issue.uri.as_str()), (current + 7, ALICE));
    assert!(error.to_string().contains(&format!("(entry {} of the audit log)", issue.entry.unwrap())), "{error}");
    // What cannot be withdrawn shall not wait for ever.
    for too_late in [current + 61, u64::MAX] {
        let error = roll_over(folder, Some(too_late), 0).await.unwrap_err();
        assert!(matches!(error, Error::RollOverTooLate { latest, .. } if latest == current + 60), "{error}");
    }
    let (_, store) = open_store(folder).await.unwrap();
    assert_eq!(store.generations().await.unwrap(), []);
    State::open(folder, &passphrase()).await.unwrap();

    assert_eq!(roll_over(folder, None, 0).await.unwrap().first_period, current + 8);
    let error = roll_over(folder, None, 0).await.unwrap_err();
    assert!(matches!(error, Error::RollOverPending { first_period, .. } if first_period == current + 8), "{error}");
    let text = error.to_string();
    assert!(text.contains(":11Z, or withdraw it first") && text.contains('T'), "{text}");
    let error = roll_over(folder, None, 7).await.unwrap_err();
    assert!(matches!(error, Error::RollOverPending { .. }), "{error}");
    // When it has begun, the next may come.
    let third = roll_over(folder, Some(current + 20), 8).await.unwrap();
    assert_eq!((third.generation, third.first_period, third.cache_num), (3, current + 20, 2));
    let state = State::open(folder, &passphrase()).await.unwrap();
    assert_eq!(state.authority.newest_generation(), 3);
    let issued = admin::issue(&state, ALICE, Some(current + 20), None, &act()).await.unwrap();
    assert!(issued.document.contains("#generation-3"));
}

#[tokio::test]
async fn keys_that_were_issued_far_ahead_are_given_up_by_force_alone() {
    let world = World::new().await;
    let (folder, current) = (world.folder.path(), current_period());
    let state = State::open(folder, &passphrase()).await.unwrap();
    let years_ahead = Act::new("a machine", SystemTime::now() + Duration::from_secs(PERIOD * 50));
    admin::issue(&state, ALICE, Some(current + 100), None, &years_ahead).await.unwrap();

    // Unasked, new secrets do not wait for a hundred periods.
    let error = roll_over(folder, None, 0).await.unwrap_err();
    assert!(matches!(&error, Error::RollOverHeld { issue, .. } if issue.period == current + 100), "{error}");
    assert!(error.to_string().contains("--force"), "{error}");
    let forced = |first_period| {
        let at = RollOverAt { first_period, force: true };
        async move { kms::roll_over(folder, &passphrase(), at, &act()).await }
    };
    let error = forced(Some(current + 1)).await.unwrap_err();
    assert!(matches!(error, Error::RollOverTooSoon { .. }), "what clients have in time is never given up: {error}");
    let done = forced(None).await.unwrap();
    assert_eq!((done.first_period, done.held), (current + 2, 1));
    let state = State::open(folder, &passphrase()).await.unwrap();
    assert_eq!(log(&state).await.last().unwrap()["holders"], 1);
    let issued = admin::issue(&state, ALICE, Some(current + 2), None, &act()).await.unwrap();
    assert!(issued.document.contains("#generation-2"));
}

#[tokio::test]
async fn a_wrong_passphrase_changes_nothing() {
    let world = World::new().await;
    let sealed = fs::read(world.folder.path().join("secrets.sealed")).unwrap();
    let wrong = mikey_sakke::sealing::Passphrase::new("another".into()).unwrap();
    let error = kms::roll_over(world.folder.path(), &wrong, RollOverAt::default(), &act()).await.unwrap_err();
    assert!(matches!(error, Error::Sealing(_)), "{error}");
    assert_eq!(fs::read(world.folder.path().join("secrets.sealed")).unwrap(), sealed);
}

/// A KMS without a server: its files can be put back.
struct Folder {
    folder: TempDir,
    saved: TempDir,
}

const DATABASE: [&str; 3] = ["kms.sqlite", "kms.sqlite-wal", "kms.sqlite-shm"];

impl Folder {
    async fn new() -> Self {
        let folder = folder();
        kms::init(folder.path(), options(), &passphrase(), act()).await.unwrap();
        let (_, store) = open_store(folder.path()).await.unwrap();
        admin::add_user(&*store, &NewUser::new("alice", [ALICE]), &act()).await.unwrap();
        store.close().await.unwrap();
        Self { folder, saved: support::folder() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn save(&self, names: &[&str]) {
        for name in names {
            let _ = fs::copy(self.path().join(name), self.saved.path().join(name));
        }
    }

    fn restore(&self, names: &[&str]) {
        for name in names {
            let _ = fs::remove_file(self.path().join(name));
            let _ = fs::copy(self.saved.path().join(name), self.path().join(name));
        }
    }

    async fn open(&self) -> Result<State, Error> {
        State::open(self.path(), &passphrase()).await
    }
}

#[tokio::test]
async fn a_roll_over_that_was_interrupted_is_completed() {
    let kms = Folder::new().await;
    kms.save(&DATABASE);
    let done = roll_over(kms.path(), None, 0).await.unwrap();
    // The file was written, and then the machine stopped.
    kms.restore(&DATABASE);
    let error = kms.open().await.unwrap_err();
    assert!(matches!(error, Error::RollOverUnfinished { first_period, .. } if first_period == done.first_period));
    let other = roll_over(kms.path(), Some(done.first_period + 1), 0).await.unwrap_err();
    assert!(matches!(other, Error::RollOverUnfinished { .. }), "{other}");
    let sealed = fs::read(kms.path().join("secrets.sealed")).unwrap();
    // It may be late: nothing was issued meanwhile.
    let completed = roll_over(kms.path(), None, 5).await.unwrap();
    assert!(completed.completed);
    assert_eq!(
        (completed.first_period, &completed.pub_enc_key, &completed.pub_auth_key),
        (done.first_period, &done.pub_enc_key, &done.pub_auth_key)
    );
    assert_eq!(fs::read(kms.path().join("secrets.sealed")).unwrap(), sealed);
    assert_eq!(kms.open().await.unwrap().authority.newest_generation(), 2);
}

#[tokio::test]
async fn an_interrupted_roll_over_that_is_too_late_can_be_left() {
    let kms = Folder::new().await;
    let mut running = kms.open().await.unwrap();
    running.store.close().await.unwrap();
    kms.save(&DATABASE);
    let done = roll_over(kms.path(), None, 0).await.unwrap();
    kms.restore(&DATABASE);
    // A server that has run since before goes on and issues.
    (_, running.store) = open_store(kms.path()).await.unwrap();
    admin::issue(&running, ALICE, Some(done.first_period), None, &act()).await.unwrap();
    let error = roll_over(kms.path(), None, 0).await.unwrap_err();
    let Error::RollOverOverdue { issued, .. } = &error else { panic!("{error}") };
    assert_eq!(*issued, done.first_period);
    // Nor by force, once clients can have its keys in time.
    let late = Act::new("the operator", SystemTime::now() + Duration::from_secs(PERIOD));
    let forced = RollOverAt { first_period: None, force: true };
    let still = kms::roll_over(kms.path(), &passphrase(), forced, &late).await.unwrap_err();
    assert!(matches!(still, Error::RollOverOverdue { .. }), "{still}");
    assert!(error.to_string().contains("secrets.sealed.old"), "{error}");
    fs::rename(kms.path().join("secrets.sealed.old"), kms.path().join("secrets.sealed")).unwrap();
    kms.open().await.unwrap();
    let again = roll_over(kms.path(), None, 0).await.unwrap();
    assert_eq!(again.first_period, done.first_period + 1);
    assert_ne!(again.pub_enc_key, done.pub_enc_key);
}

#[tokio::test]
async fn secrets_and_a_database_that_do_not_belong_together_are_not_opened() {
    let (kms, other) = (Folder::new().await, Folder::new().await);
    kms.save(&["secrets.sealed"]);
    for name in ["secrets.sealed"].iter().chain(&DATABASE) {
        let _ = fs::copy(kms.path().join(name), other.path().join(name));
    }
    roll_over(kms.path(), None, 0).await.unwrap();
    kms.save(&DATABASE);
    let newer = fs::read(kms.path().join("secrets.sealed")).unwrap();
    kms.restore(&["secrets.sealed"]);
    for error in [kms.open().await.unwrap_err(), roll_over(kms.path(), None, 0).await.unwrap_err()] {
        assert!(matches!(error, Error::SecretsUnrecorded { .. }), "{error}");
    }
    // Another roll-over of the same secrets is another generation.
    roll_over(other.path(), None, 0).await.unwrap();
    fs::copy(other.path().join("secrets.sealed"), kms.path().join("secrets.sealed")).unwrap();
    assert!(matches!(kms.open().await.unwrap_err(), Error::SecretsUnrecorded { .. }));

    fs::write(kms.path().join("secrets.sealed"), &newer).unwrap();
    kms.open().await.unwrap();
    let mut damaged = newer;
    damaged[300] ^= 1;
    fs::write(kms.path().join("secrets.sealed"), damaged).unwrap();
    for error in [kms.open().await.unwrap_err(), roll_over(kms.path(), None, 0).await.unwrap_err()] {
        assert!(matches!(error, Error::SecretsDamaged { .. }), "{error}");
    }
}

#[tokio::test]
async fn the_database_of_another_kms_is_not_opened() {
    let (kms, other) = (Folder::new().await, Folder::new().await);
    for name in DATABASE {
        let _ = fs::copy(other.path().join(name), kms.path().join(name));
    }
    for error in [kms.open().await.unwrap_err(), roll_over(kms.path(), None, 0).await.unwrap_err()] {
        assert!(matches!(error, Error::SecretsUnrecorded { .. }), "{error}");
    }
    // Nor one that does not say which secrets it belongs to.
    let kms = Folder::new().await;
    tamper(
        &kms.path().join("kms.sqlite"),
        "DELETE FROM audit; UPDATE audit_head SET number = 0, hash = zeroblob(32), key_sets = 0",
    )
    .await;
    for error in [kms.open().await.unwrap_err(), roll_over(kms.path(), None, 0).await.unwrap_err()] {
        assert!(matches!(error, Error::Audit(Fault::Beginning)), "{error}");
    }
}

#[tokio::test]
async fn a_file_from_before_there_were_generations_gives_the_keys_that_it_gave() {
    let folder = folder();
    let options =
        InitOptions { kdf: KdfParameters::cheap_for_tests(), ..InitOptions::new("kms.example.org", "example.org") };
    kms::init(folder.path(), options, &passphrase(), act()).await.unwrap();
    fs::write(folder.path().join("secrets.sealed"), before_generations("sealed")).unwrap();
    let document = String::from_utf8(before_generations("certificate")).unwrap();
    let KmsCertificate { pub_enc_key, pub_auth_key, .. } = parse(&document);
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let belongs = format!(
        "UPDATE audit SET entry = json_set(entry, '$.pub_enc_key', '{}', '$.pub_auth_key', '{}') WHERE number = 1",
        hex(&pub_enc_key),
        hex(&pub_auth_key)
    );
    tamper(&folder.path().join("kms.sqlite"), &belongs).await;
    for rolled_over in [false, true] {
        let state = State::open(folder.path(), &passphrase()).await.unwrap();
        let keys = state.authority.key_set(ALICE, 1529).unwrap();
        assert_eq!(keys.user_decrypt_key.as_clear().unwrap(), before_generations("rsk"));
        assert_eq!(keys.user_signing_key_ssk.as_clear().unwrap(), before_generations("ssk"));
        assert_eq!(keys.user_pub_token_pvt.as_clear().unwrap(), before_generations("pvt"));
        let certificate = state.authority.certificate_at(now());
        if !rolled_over {
            assert_eq!(certificate.to_xml(), document);
            roll_over(folder.path(), None, 0).await.unwrap();
        }
        assert_eq!(certificate.cert_uri.is_some(), rolled_over);
    }
}

/// What the program wrote when a KMS had one generation: `secrets.sealed`, and what followed from it.
fn before_generations(name: &str) -> Vec<u8> {
    let text = include_str!("before_generations.txt");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap();
    let digits = line.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[tokio::test]
async fn status_shows_the_generations() {
    let kms = Folder::new().await;
    let status = async || {
        let (config, store) = open_store(kms.path()).await.unwrap();
        admin::status(&config, &*store, SystemTime::now()).await.unwrap().generations
    };
    let only = status().await;
    assert_eq!(only.len(), 1);
    assert_eq!((only[0].generation, only[0].from, only[0].to, only[0].is_present), (1, None, None, true));
    let done = roll_over(kms.path(), None, 0).await.unwrap();
    let both = status().await;
    assert_eq!((both[0].to, both[0].is_present), (Some(done.begins), true));
    assert_eq!((both[1].generation, both[1].first_period), (2, done.first_period));
    assert_eq!((both[1].from, both[1].to, both[1].is_present), (Some(done.begins), None, false));
    let (_, store) = open_store(kms.path()).await.unwrap();
    let known = store.generations().await.unwrap();
    assert!(matches!(&known[..], [Generation { number: 1, .. }, Generation { number: 2, .. }]), "{known:?}");
}

/// A client's store, and the folder that it is in.
struct Client {
    store: client::Store,
    _folder: TempDir,
}

impl Client {
    fn new() -> Self {
        let folder = folder();
        let options = StoreOptions { kdf: KdfParameters::cheap_for_tests(), ..StoreOptions::default() };
        Self { store: client::Store::create(folder.path(), &passphrase(), &options).unwrap(), _folder: folder }
    }

    async fn provision(&mut self, world: &World, user_uri: &str, now: NtpTime) -> client::ImportReport {
        let address = world.server.address();
        let mut request = ProvisionRequest::new(format!("https://{address}"), user_uri);
        request.transport.trust_anchors = Some(fs::read(world.folder.path().join("tls-cert.pem")).unwrap());
        // The server's clock cannot be moved.
        request.time_tolerance = 100 * PERIOD;
        Provisioner::new(request, &world.token(user_uri)).unwrap().provision(&mut self.store, now).await.unwrap()
    }

    fn certificates(&self, kms_uri: &str) -> Vec<Option<String>> {
        let kms = self.store.kms_list().into_iter().find(|kms| kms.kms_uri == kms_uri).unwrap();
        kms.certificates.into_iter().map(|certificate| certificate.cert_uri).collect()
    }
}

fn call(from: &mut Client, from_uri: &str, to: &mut Client, to_uri: &str, at: NtpTime) -> Result<(), client::Error> {
    let mut rng = UnwrapErr(getrandom::SysRng);
    let sent = offer(&mut from.store, &OfferRequest::new(from_uri, to_uri, KeyType::Pck), at, &mut rng)?;
    accept(&mut to.store, to_uri, &sent.message, &AcceptOptions::default(), at).map(|_| ())
}

/// The start of a key period.
fn start(period_no: u64) -> NtpTime {
    NtpTime::from_seconds(period_no * PERIOD + 11)
}

#[tokio::test]
async fn one_provisioning_brings_keys_and_certificates_of_both_generations() {
    let world = World::new().await;
    let current = current_period();
    let (mut alice, mut bob) = (Client::new(), Client::new());
    roll_over(world.folder.path(), None, -1).await.unwrap();
    let world = world.restart().await;
    for (client, user) in [(&mut alice, ALICE), (&mut bob, BOB)] {
        let report = client.provision(&world, user, now()).await;
        assert_eq!(report.periods, [current, current + 1]);
        assert!(report.notes.iter().any(|note| note.contains("new public keys")), "{report}");
        assert_eq!(client.certificates(KMS_URI), [name(1), name(2)]);
    }
    for at in [start(current), now(), start(current + 1)] {
        call(&mut alice, ALICE, &mut bob, BOB, at).unwrap();
        call(&mut bob, BOB, &mut alice, ALICE, at).unwrap();
    }
    // Again, when there is nothing new.
    let report = alice.provision(&world, ALICE, now()).await;
    assert!(report.notes.iter().all(|note| !note.contains("new public keys")), "{report}");
    assert_eq!(alice.certificates(KMS_URI), [name(1), name(2)]);
}

#[tokio::test]
async fn a_client_from_before_the_roll_over_picks_the_certificate_up_with_the_keys() {
    let world = World::new().await;
    let current = current_period();
    let mut alice = Client::new();
    alice.provision(&world, ALICE, now()).await;
    assert_eq!(alice.certificates(KMS_URI), [None]);
    roll_over(world.folder.path(), None, 0).await.unwrap();
    // Nothing changes as long as the server has not started anew, and nothing is missed by asking too early.
    alice.provision(&world, ALICE, now()).await;
    assert_eq!(alice.certificates(KMS_URI), [None]);
    let world = world.restart().await;
    let report = alice.provision(&world, ALICE, now()).await;
    assert_eq!(report.periods, [current, current + 1]);
    assert_eq!(alice.certificates(KMS_URI), [name(1), name(2)]);
}

#[tokio::test]
async fn client_keys_are_good_across_a_roll_over() {
    let world = World::new().await;
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    let keys = admin::new_client_keys(&state, BOB, false, &act()).await.unwrap();
    roll_over(world.folder.path(), None, -1).await.unwrap();
    let world = world.restart().await;
    let mut bob = Client::new();
    let mut request = ProvisionRequest::new(format!("https://{}", world.server.address()), BOB);
    request.transport.trust_anchors = Some(fs::read(world.folder.path().join("tls-cert.pem")).unwrap());
    request.keys = Some(keys);
    let provisioner = Provisioner::new(request, &world.token(BOB)).unwrap();
    let report = provisioner.provision(&mut bob.store, client::now()).await.unwrap();
    assert!(report.signed_with.is_some() && report.wrapped_with.is_some(), "{report}");
    assert_eq!(bob.certificates(KMS_URI), [name(1), name(2)]);
}

const PARTNER: &str = "kms.example.com";
const CAROL: &str = "sip:carol@example.com";

/// Another KMS, with a user.
struct Partner(TempDir);

impl Partner {
    async fn new() -> Self {
        let folder = folder();
        let options = InitOptions {
            key_period: PERIOD,
            key_offset: 11,
            kdf: KdfParameters::cheap_for_tests(),
            ..InitOptions::new(PARTNER, "example.com")
        };
        kms::init(folder.path(), options, &passphrase(), act()).await.unwrap();
        let (_, store) = open_store(folder.path()).await.unwrap();
        admin::add_user(&*store, &NewUser::new("carol", [CAROL]), &act()).await.unwrap();
        Self(folder)
    }

    async fn exported(&self) -> Vec<String> {
        let state = State::open(self.0.path(), &passphrase()).await.unwrap();
        certificates::exported(&state.authority, SystemTime::now()).iter().map(KmsCertificate::to_xml).collect()
    }

    /// Carol's keys of a period.
    async fn carol(&self, carol: &mut Client, period_no: u64) {
        let state = State::open(self.0.path(), &passphrase()).await.unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(start(period_no).unix_seconds().unwrap());
        let init = admin::init_document(&state, CAROL, None, at).await.unwrap();
        let keys = admin::issue(&state, CAROL, Some(period_no), None, &Act::new("the operator", at)).await.unwrap();
        client::import(&mut carol.store, init.as_bytes(), keys.document.as_bytes(), start(period_no)).unwrap();
    }
}

async fn add(folder: &Path, file: &str, replace: bool) -> Result<u64, Error> {
    let (config, store) = open_store(folder).await.unwrap();
    let fingerprint = certificates::fingerprint(file.as_bytes());
    let added = certificates::add(&config, &*store, file.as_bytes(), &fingerprint, replace, &act()).await;
    added.map(|(_, number)| number)
}

#[tokio::test]
async fn a_partner_rolls_over_and_is_reached_before_and_after() {
    let (world, partner) = (World::new().await, Partner::new().await);
    let (folder, current) = (world.folder.path(), current_period());
    let [endless] = &partner.exported().await[..] else { panic!("one") };
    add(folder, endless, false).await.unwrap();
    let mut alice = Client::new();
    alice.provision(&world, ALICE, now()).await;
    assert_eq!(alice.certificates(PARTNER), [None]);

    roll_over(partner.0.path(), None, -1).await.unwrap();
    let [present, coming] = &partner.exported().await[..] else { panic!("two") };
    let refused = add(folder, coming, false).await;
    assert!(matches!(refused, Err(Error::Store(StoreError::CertificateExists(_)))), "the other has no end");
    add(folder, present, true).await.unwrap();
    add(folder, coming, false).await.unwrap();
    let other = KmsCertificate { user_key_offset: 12, ..parse(coming) };
    let refused = add(folder, &other.to_xml(), true).await;
    assert!(matches!(refused, Err(Error::Certificate(CertificateError::KeyPeriods { .. }))), "{refused:?}");
    let of_partner = cache(&world, "cert/kms.example.com").await.certificates;
    assert_eq!(of_partner.iter().map(|other| other.role).collect::<Vec<_>>(), [Some(Role::External); 2]);
    assert_eq!(cache(&world, "cert/kms.example.com%23generation-2").await.certificates, of_partner[1..]);

    let report = alice.provision(&world, ALICE, now()).await;
    assert_eq!(report.other_kms, [PARTNER]);
    let names = [1, 2].map(|generation| Some(format!("{PARTNER}#generation-{generation}")));
    assert_eq!(alice.certificates(PARTNER), names);
    let mut carol = Client::new();
    for period_no in [current, current + 1] {
        partner.carol(&mut carol, period_no).await;
    }
    // Carol's store knows Alice's KMS by other keys in it.
    carol.provision(&world, BOB, now()).await;
    for at in [now(), start(current + 1)] {
        call(&mut alice, ALICE, &mut carol, CAROL, at).unwrap();
        call(&mut carol, CAROL, &mut alice, ALICE, at).unwrap();
    }
}

fn parse(xml: &str) -> KmsCertificate {
    KmsCertificate::from_xml(xml.as_bytes(), &mikey_sakke::kms_protocol::Limits::default()).unwrap()
}

async fn withdraw(folder: &Path, force: bool) -> Result<Withdrawn, Error> {
    kms::withdraw(folder, &passphrase(), force, &act()).await
}

#[tokio::test]
async fn a_roll_over_that_nobody_has_keys_of_is_withdrawn_and_all_is_as_before() {
    let world = World::new().await;
    let (folder, current) = (world.folder.path(), current_period());
    let before = init(&world).await;
    assert!(matches!(withdraw(folder, false).await, Err(Error::NoRollOverPending)));
    let done = roll_over(folder, Some(current + 9), 0).await.unwrap();
    let wrong = mikey_sakke::sealing::Passphrase::new("another".into()).unwrap();
    let error = kms::withdraw(folder, &wrong, false, &act()).await.unwrap_err();
    assert!(matches!(error, Error::Sealing(_)), "{error}");

    // Alice learns of the certificate that is to come, and so does the server.
    let mut world = world.restart().await;
    let mut alice = Client::new();
    alice.provision(&world, ALICE, now()).await;
    assert_eq!(alice.certificates(KMS_URI), [name(1), name(2)]);
    let withdrawn = withdraw(world.folder.path(), false).await.unwrap();
    let expected = (2, done.first_period, 0, 2);
    assert_eq!((withdrawn.generation, withdrawn.first_period, withdrawn.held, withdrawn.cache_num), expected);
    assert!(matches!(withdraw(world.folder.path(), true).await, Err(Error::NoRollOverPending)));
    // The server that still runs does not say that what it gives is all.
    assert_eq!(cache(&world, "certcache/1").await.cache_num, None);
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    let last = log(&state).await.into_iter().find(|entry| entry["event"] == "roll_over_withdrawn").unwrap();
    assert_eq!(
        (&last["generation"], &last["first_period"], &last["holders"]),
        (&2.into(), &(current + 9).into(), &0.into())
    );

    world = world.restart().await;
    assert_eq!(init(&world).await, before);
    let told = cache(&world, "certcache/1").await;
    assert_eq!(told.cache_num, Some(2));
    let summary: Vec<_> = told.certificates.iter().map(|own| (own.cert_uri.clone(), own.revoked)).collect();
    assert_eq!(summary, [(name(2), true), (None, false)]);
    if let Some(schema) = Schema::open() {
        let document = world.post("certcache", &world.token(ALICE)).await.text().await.unwrap();
        assert_eq!(schema.faults(&document), None, "{document}");
    }
    // Who had it knows that it is revoked; who comes now never hears of new keys.
    let report = alice.provision(&world, ALICE, now()).await;
    assert!(report.notes.iter().all(|note| !note.contains("left out")), "{report}");
    let mut bob = Client::new();
    let report = bob.provision(&world, BOB, now()).await;
    assert!(report.notes.iter().all(|note| !note.contains("left out")), "{report}");
    assert_eq!(bob.certificates(KMS_URI), [None]);
    assert_eq!(certificates::exported(&state.authority, SystemTime::now()).len(), 1);
    // In the period that the other secrets would have served, all goes on with the first.
    let later = start(done.first_period);
    let keys = |uri: &'static str| {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(later.unix_seconds().unwrap());
        let (state, act) = (&state, Act::new("the operator", at));
        async move {
            let init = admin::init_document(state, uri, None, at).await.unwrap();
            (init, admin::issue(state, uri, Some(done.first_period), None, &act).await.unwrap().document)
        }
    };
    for (client, uri) in [(&mut alice, ALICE), (&mut bob, BOB)] {
        let (init, keyprov) = keys(uri).await;
        client::import(&mut client.store, init.as_bytes(), keyprov.as_bytes(), later).unwrap();
    }
    call(&mut alice, ALICE, &mut bob, BOB, later).unwrap();
    call(&mut bob, BOB, &mut alice, ALICE, later).unwrap();

    // The next one has a number of its own.
    let next = roll_over(world.folder.path(), None, 0).await.unwrap();
    assert_eq!((next.generation, next.first_period), (4, done.first_period + 1), "after what was issued");
    let world = world.restart().await;
    alice.provision(&world, ALICE, now()).await;
    assert_eq!(alice.certificates(KMS_URI), [name(1), name(2), name(4)]);
}

#[tokio::test]
async fn a_roll_over_that_somebody_has_keys_of_is_withdrawn_by_force_alone() {
    let world = World::new().await;
    // It begins with the next period, for which everybody gets keys by now.
    let done = roll_over(world.folder.path(), None, -1).await.unwrap();
    let world = world.restart().await;
    let (mut alice, mut bob) = (Client::new(), Client::new());
    alice.provision(&world, ALICE, now()).await;
    bob.provision(&world, BOB, now()).await;
    let error = withdraw(world.folder.path(), false).await.unwrap_err();
    let in_use = StoreError::GenerationInUse { first_period: done.first_period, holders: 2 };
    assert_eq!(error.to_string(), in_use.to_string());
    assert!(error.to_string().contains("--force"), "{error}");
    assert_eq!(key_sets(world.post("keyprov", &world.token(ALICE)).await).await.len(), 2, "nothing has changed");

    assert_eq!(withdraw(world.folder.path(), true).await.unwrap().held, 2);
    // A server that has not learnt of it gives no more keys of what was withdrawn.
    let given = key_sets(world.post("keyprov", &world.token(ALICE)).await).await;
    assert_eq!(names(&given), [(ALICE, current_period())]);
    let world = world.restart().await;
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    assert_eq!(state.authority.certificates_of(&[done.first_period])[0].cert_uri, None);
    // Whoever provisions again has good keys in place of the others.
    for (client, uri) in [(&mut alice, ALICE), (&mut bob, BOB)] {
        assert_eq!(client.provision(&world, uri, now()).await.periods, [current_period(), done.first_period]);
    }
    for at in [now(), start(done.first_period)] {
        call(&mut alice, ALICE, &mut bob, BOB, at).unwrap();
        call(&mut bob, BOB, &mut alice, ALICE, at).unwrap();
    }
}

#[tokio::test]
async fn a_roll_over_that_has_begun_is_not_withdrawn() {
    let world = World::new().await;
    roll_over(world.folder.path(), None, -2).await.unwrap();
    for force in [false, true] {
        let error = withdraw(world.folder.path(), force).await.unwrap_err();
        assert!(matches!(error, Error::NoRollOverPending), "{error}");
    }
}

/// Keys of a period from a KMS, as files.
async fn files_of(state: &State, uri: &str, period_no: u64) -> (Vec<u8>, Vec<u8>) {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(start(period_no).unix_seconds().unwrap());
    let init = admin::init_document(state, uri, None, at).await.unwrap();
    let keys = admin::issue(state, uri, Some(period_no), None, &Act::new("the operator", at)).await.unwrap();
    (init.as_bytes().to_vec(), keys.document.as_bytes().to_vec())
}

#[tokio::test]
async fn a_backup_from_before_a_roll_over_needs_the_newer_secrets() {
    let world = World::new().await;
    let elsewhere = folder();
    let (older, restored) = (elsewhere.path().join("older"), elsewhere.path().join("restored"));
    backup::save(world.folder.path(), &older, &passphrase(), act()).await.unwrap();
    let done = roll_over(world.folder.path(), None, 0).await.unwrap();
    let newer = elsewhere.path().join("newer");
    backup::save(world.folder.path(), &newer, &passphrase(), act()).await.unwrap();
    let world = world.restart().await;
    let mut alice = Client::new();
    alice.provision(&world, ALICE, now()).await;
    assert_eq!(alice.certificates(KMS_URI), [name(1), name(2)]);

    // What was made right after the roll-over has all.
    let whole = elsewhere.path().join("whole");
    backup::restore(&newer, &whole, &passphrase(), act()).await.unwrap();
    let whole = State::open(&whole, &passphrase()).await.unwrap();
    assert_eq!(whole.authority.newest_generation(), 2);

    backup::restore(&older, &restored, &passphrase(), act()).await.unwrap();
    let state = State::open(&restored, &passphrase()).await.unwrap();
    assert_eq!(state.authority.newest_generation(), 1);
    // Until then it serves, and from then on clients do not take its keys.
    let import = |alice: &mut Client, (init, keyprov): (Vec<u8>, Vec<u8>), period_no| {
        client::import(&mut alice.store, &init, &keyprov, start(period_no))
    };
    let before = done.first_period - 1;
    import(&mut alice, files_of(&state, ALICE, before).await, before).unwrap();
    // On a copy, for the audit log of the restored KMS must not have an issue of these periods.
    let copy = elsewhere.path().join("copy");
    backup::restore(&older, &copy, &passphrase(), act()).await.unwrap();
    let copy = State::open(&copy, &passphrase()).await.unwrap();
    let old = import(&mut alice, files_of(&copy, ALICE, done.first_period).await, done.first_period).unwrap_err();
    assert!(matches!(old, client::Error::KeysInvalid { .. }), "{old}");
    state.store.close().await.unwrap();

    fs::copy(world.folder.path().join("secrets.sealed"), restored.join("secrets.sealed")).unwrap();
    let error = State::open(&restored, &passphrase()).await.unwrap_err();
    assert!(matches!(error, Error::RollOverUnfinished { first_period, .. } if first_period == done.first_period));
    let completed = roll_over(&restored, None, 0).await.unwrap();
    assert!(completed.completed && completed.pub_enc_key == done.pub_enc_key);
    let state = State::open(&restored, &passphrase()).await.unwrap();
    import(&mut alice, files_of(&state, ALICE, done.first_period).await, done.first_period).unwrap();

    // Without them, another roll-over ends what was lost.
    copy.store.close().await.unwrap();
    let another = roll_over(&elsewhere.path().join("copy"), None, 0).await.unwrap();
    assert_eq!(another.first_period, done.first_period + 1);
    let copy = State::open(&elsewhere.path().join("copy"), &passphrase()).await.unwrap();
    import(&mut alice, files_of(&copy, ALICE, another.first_period).await, another.first_period).unwrap();
}

#[tokio::test]
async fn a_roll_over_that_was_withdrawn_is_announced_again_by_an_older_backup() {
    let world = World::new().await;
    let elsewhere = folder();
    let (file, restored) = (elsewhere.path().join("backup"), elsewhere.path().join("restored"));
    let done = roll_over(world.folder.path(), None, 0).await.unwrap();
    backup::save(world.folder.path(), &file, &passphrase(), act()).await.unwrap();
    let world = world.restart().await;
    let mut alice = Client::new();
    alice.provision(&world, ALICE, now()).await;
    withdraw(world.folder.path(), false).await.unwrap();
    let world = world.restart().await;
    alice.provision(&world, ALICE, now()).await;

    backup::restore(&file, &restored, &passphrase(), act()).await.unwrap();
    let state = State::open(&restored, &passphrase()).await.unwrap();
    assert_eq!(state.authority.certificates_of(&[done.first_period])[0].cert_uri, name(2));
    let (init, keyprov) = files_of(&state, ALICE, done.first_period).await;
    let error = client::import(&mut alice.store, &init, &keyprov, start(done.first_period)).unwrap_err();
    assert!(matches!(error, client::Error::CertificateRevoked { .. }), "{error}");
    state.store.close().await.unwrap();
    let error = withdraw(&restored, false).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::GenerationInUse { holders: 1, .. })), "{error}");
    withdraw(&restored, true).await.unwrap();
    let state = State::open(&restored, &passphrase()).await.unwrap();
    let (init, keyprov) = files_of(&state, ALICE, done.first_period).await;
    client::import(&mut alice.store, &init, &keyprov, start(done.first_period)).unwrap();

    // A backup of a KMS that withdrew one knows it.
    let after = elsewhere.path().join("after");
    backup::save(world.folder.path(), &elsewhere.path().join("later"), &passphrase(), act()).await.unwrap();
    backup::restore(&elsewhere.path().join("later"), &after, &passphrase(), act()).await.unwrap();
    assert_eq!(State::open(&after, &passphrase()).await.unwrap().authority.newest_generation(), 3);
}
