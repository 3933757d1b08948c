//! Pre-provisioning many users: what is in the files, who gets none, and what happens on the way.

use mikey_sakke::batch::Threads;
use mikey_sakke::client::{self, ImportFiles, ImportReport, StoreOptions, now};
use mikey_sakke::kms::audit::{self, Act};
use mikey_sakke::kms::bulk::{self, FolderFault, Issued, Order, Outdated, WithoutKeys, file_name};
use mikey_sakke::kms::{self, Error, InitOptions, NewUser, State, admin};
use mikey_sakke::kms_protocol::{ClientKeys, KmsKeySet};
use mikey_sakke::sealing::{KdfParameters, Passphrase};
use serde_json::{Value, json};
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use tempfile::TempDir;

const ALICE: &str = "sip:alice@example.org";
const ALICE_VIDEO: &str = "sip:Alice/video@example.org";
const BOB: &str = "sip:bob@example.org";
const REVOKED: &str = "sip:revoked@example.org";
const UNKNOWN: &str = "sip:unknown@example.org";

struct World {
    folder: TempDir,
    state: State,
}

impl World {
    /// Alice with two URIs, Bob, and someone who is revoked; nobody has transport keys.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("kms");
        let options =
            InitOptions { kdf: KdfParameters::cheap_for_tests(), ..InitOptions::new("kms.example.org", "example.org") };
        kms::init(&dir, options, &passphrase(), act()).await.unwrap();
        let state = State::open(&dir, &passphrase()).await.unwrap();
        for user in [
            NewUser::new("alice", [ALICE, ALICE_VIDEO]),
            NewUser::new("bob", [BOB]),
            NewUser::new("revoked", [REVOKED]),
        ] {
            admin::add_user(&*state.store, &user, &act()).await.unwrap();
        }
        admin::revoke_user(&*state.store, "revoked", &act()).await.unwrap();
        Self { folder, state }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn order(&self, without_keys: WithoutKeys) -> Order {
        Order { out: self.path("out"), period_no: None, without_keys }
    }

    async fn issue(&self, uris: &[&str], order: &Order) -> Result<Issued, Error> {
        let uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
        bulk::issue(&self.state, uris, order, &act(), &AtomicBool::new(false), |_| {}).await
    }

    /// A client imports what was issued for a URI, with the keys that were handed over for `keys_of`.
    fn import(&self, uri: &str, keys_of: Option<&str>) -> Result<ImportReport, client::Error> {
        let read = |path: PathBuf| fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let out = |name: String| read(self.path("out").join(name));
        let store = tempfile::tempdir().unwrap();
        let options = StoreOptions { kdf: KdfParameters::cheap_for_tests(), ..StoreOptions::default() };
        let mut store = client::Store::create(store.path(), &passphrase(), &options).unwrap();
        let name = file_name(uri);
        let keyprov = out(format!("{name}.keyprov.xml"));
        let beside = |kind: &str| match keys_of {
            None => self.path("out").join(kind),
            Some(_) => self.path("out").join(format!("{name}.{kind}")),
        };
        let certcache = beside("certcache.xml");
        let certcache = certcache.exists().then(|| read(certcache));
        let keys = keys_of.map(|owner| {
            let file = |kind| read(self.path("keys").join(format!("{}.{kind}.key", file_name(owner))));
            ClientKeys::from_files(&file("trk"), Some(&file("ink"))).unwrap()
        });
        let init = read(beside("init.xml"));
        let (certcache, keys) = (certcache.as_deref(), keys.as_ref());
        client::import_files(&mut store, &ImportFiles { init: &init, keyprov: &keyprov, certcache, keys }, now())
    }

    async fn log(&self) -> Vec<Value> {
        audit::verify(&*self.state.store, None).await.unwrap();
        let entries = audit::page(&*self.state.store, 1).await.unwrap();
        entries.iter().map(|entry| serde_json::from_str(&entry.entry).unwrap()).collect()
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new("a passphrase".into()).unwrap()
}

fn act() -> Act {
    Act::new("the operator", SystemTime::now())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".lock")
        .collect();
    names.sort();
    names
}

fn refused(issued: &Issued) -> Vec<(&str, &Error)> {
    issued.refused.iter().map(|refused| (refused.uri.as_str(), &refused.reason)).collect()
}

#[tokio::test]
async fn a_batch_gives_the_same_octets_as_one_by_one() {
    let World { state, .. } = World::new().await;
    let period = admin::current_periods(&state, SystemTime::now()).unwrap()[0];
    let uris: Vec<String> = (0..70).map(|i| format!("sip:u{i}@example.org")).collect();
    let wanted: Vec<(&str, u64)> = uris
        .iter()
        .enumerate()
        .map(|(i, uri)| (uri.as_str(), if i % 9 == 4 { u64::MAX } else { period + i as u64 % 3 }))
        .collect();
    let one_by_one: Vec<Result<KmsKeySet, Error>> =
        wanted.iter().map(|(uri, period)| state.authority.key_set(uri, *period)).collect();
    for threads in [Threads::ONE, Threads::count(NonZeroUsize::new(3).unwrap())] {
        for count in [0, 1, 2, 8, 33, 70] {
            let batch = state.authority.key_sets(&wanted[..count], threads);
            assert_eq!(batch.len(), count);
            for (batch, one) in batch.iter().zip(&one_by_one) {
                match (batch, one) {
                    (Ok(batch), Ok(one)) => assert_eq!(batch, one),
                    (Err(Error::Period(batch)), Err(Error::Period(one))) => assert_eq!(batch, one),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn clients_import_the_files_and_who_may_have_none_gets_none() {
    let world = World::new().await;
    let periods = admin::current_periods(&world.state, SystemTime::now()).unwrap();
    let asked = [ALICE, UNKNOWN, BOB, REVOKED, ALICE_VIDEO, BOB];
    let nothing = world.issue(&asked, &world.order(WithoutKeys::Refuse)).await.unwrap();
    assert_eq!((nothing.uris, nothing.refused.len()), (0, 5));
    assert!(nothing.refused.iter().any(|refused| matches!(&refused.reason, Error::NoClientKeys(id) if id == "bob")));
    assert_eq!(names(&world.path("out")), ["init.xml", "issue.json"]);

    let issued = world.issue(&asked, &world.order(WithoutKeys::Clear)).await.unwrap();
    assert_eq!((issued.uris, issued.key_sets, issued.already, issued.left), (3, 6, 0, 0));
    assert_eq!(issued.periods, periods);
    assert!(matches!(refused(&issued)[..], [(UNKNOWN, Error::UnknownUri(_)), (REVOKED, Error::Revoked { .. })]));
    let name = |uri| format!("{}.keyprov.xml", file_name(uri));
    let mut expected = vec![name(ALICE), name(ALICE_VIDEO), name(BOB), "init.xml".into(), "issue.json".into()];
    expected.sort();
    assert_eq!(names(&world.path("out")), expected);
    for uri in [ALICE, ALICE_VIDEO, BOB] {
        let report = world.import(uri, None).unwrap();
        assert_eq!((report.user_uri.as_str(), report.periods.as_slice()), (uri, &periods[..]));
        assert_eq!(report.wrapped_with, None);
    }
    let log = world.log().await;
    let issues: Vec<&Value> = log.iter().filter(|entry| entry["event"] == "issued").collect();
    assert_eq!(issues.len(), 3);
    assert_eq!((&issues[2]["user"], &issues[2]["uri"]), (&json!("alice"), &json!(ALICE_VIDEO)));
    assert_eq!((&issues[2]["by"], &issues[2]["periods"]), (&json!("the operator"), &json!(periods)));
    #[cfg(unix)]
    for (path, mode) in [(world.path("out"), 0o700), (world.path("out").join(name(BOB)), 0o600)] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[tokio::test]
async fn transport_keys_are_made_once_for_a_user_and_protect_what_is_issued() {
    let world = World::new().await;
    let bobs = admin::new_client_keys(&world.state, BOB, false, &act()).await.unwrap();
    let order = world.order(WithoutKeys::Make(world.path("keys")));
    let issued = world.issue(&[ALICE, ALICE_VIDEO, BOB], &order).await.unwrap();
    assert_eq!((issued.uris, issued.new_keys, issued.refused.len()), (3, 1, 0));
    let name = file_name(ALICE);
    assert_eq!(names(&world.path("keys")), ["issue.json", &format!("{name}.ink.key"), &format!("{name}.trk.key")]);
    for uri in [ALICE, ALICE_VIDEO] {
        let report = world.import(uri, Some(ALICE)).unwrap();
        assert_eq!(report.wrapped_with.as_deref(), Some("tk.1.alice@example.org"));
        assert_eq!(report.signed_with.as_deref(), Some("ink.1.alice@example.org"));
        let without = world.import(uri, None).unwrap_err();
        assert!(matches!(without, client::Error::IntegrityKeyNeeded { .. }), "{without}");
    }
    let keyprov = fs::read_to_string(world.path("out").join(format!("{}.keyprov.xml", file_name(BOB)))).unwrap();
    assert!(keyprov.contains(bobs.transport.name()) && keyprov.contains("EncryptedKey"), "{keyprov}");
    assert!(world.log().await.iter().any(|entry| entry["event"] == "client_keys_made" && entry["user"] == "alice"));
    let again = admin::new_client_keys(&world.state, ALICE_VIDEO, false, &act()).await.unwrap_err();
    assert!(matches!(again, Error::ClientKeysExist(_)));
}

#[tokio::test]
async fn an_issue_that_was_stopped_goes_on_and_leaves_what_is_there() {
    let world = World::new().await;
    let order = world.order(WithoutKeys::Clear);
    let stop = AtomicBool::new(true);
    let both = || vec![ALICE.to_owned(), BOB.to_owned()];
    let stopped = bulk::issue(&world.state, both(), &order, &act(), &stop, |_| {}).await.unwrap();
    assert_eq!((stopped.uris, stopped.left), (0, 2));

    world.issue(&[ALICE], &order).await.unwrap();
    let file = world.path("out").join(format!("{}.keyprov.xml", file_name(ALICE)));
    let mark = |text: String| text + "<!-- left as it is -->";
    fs::write(&file, mark(fs::read_to_string(&file).unwrap())).unwrap();
    // What a process that died has left.
    fs::create_dir(world.path("out/.unfinished")).unwrap();
    fs::write(world.path("out/.unfinished").join(format!("{}.keyprov.xml", file_name(BOB))), "half").unwrap();
    stop.store(false, Ordering::Relaxed);
    let mut steps = Vec::new();
    let step = |step: kms::Progress| steps.push((step.what, step.done, step.of));
    let on = bulk::issue(&world.state, both(), &order, &act(), &stop, step).await.unwrap();
    assert_eq!((on.uris, on.already, on.left, on.removed.len()), (1, 1, 0, 0));
    assert_eq!(steps, [("files of earlier runs", 1, 1), ("users", 1, 2), ("users", 1, 2), ("users", 2, 2)]);
    assert!(fs::read_to_string(&file).unwrap().ends_with("<!-- left as it is -->"));
    assert_eq!(names(&world.path("out")).len(), 4, "nothing unfinished");
    world.import(BOB, None).unwrap();
    assert_eq!(world.log().await.iter().filter(|entry| entry["event"] == "issued").count(), 2);
}

/// The files that were removed, without the folder, with the reason.
fn removed(issued: &Issued) -> Vec<(String, &Outdated)> {
    let removed = issued.removed.iter();
    let mut removed: Vec<_> = removed
        .map(|removed| (removed.file.file_name().unwrap().to_str().unwrap().to_owned(), &removed.reason))
        .collect();
    removed.sort_by(|(a, _), (b, _)| a.cmp(b));
    removed
}

fn key_prov(uri: &str) -> String {
    format!("{}.keyprov.xml", file_name(uri))
}

#[tokio::test]
async fn files_of_who_was_revoked_since_are_removed_whoever_is_asked_for() {
    let world = World::new().await;
    let order = world.order(WithoutKeys::Make(world.path("keys")));
    world.issue(&[ALICE, ALICE_VIDEO, BOB], &order).await.unwrap();
    admin::revoke_user(&*world.state.store, "alice", &act()).await.unwrap();

    let stop = AtomicBool::new(true);
    let stopped = bulk::issue(&world.state, vec![BOB.into()], &order, &act(), &stop, |_| {}).await.unwrap();
    assert_eq!((stopped.removed.len(), stopped.already, stopped.left), (0, 0, 1), "nobody has looked at it");

    // As --all asks, which leaves out who is revoked.
    let on = world.issue(&[BOB], &order).await.unwrap();
    assert_eq!((on.uris, on.already, on.refused.len()), (0, 1, 0));
    let mut files = [key_prov(ALICE), key_prov(ALICE_VIDEO), format!("{}.trk.key", file_name(ALICE))];
    files.sort();
    assert_eq!(removed(&on).iter().map(|(file, _)| file.clone()).collect::<Vec<_>>(), files);
    for (_, reason) in removed(&on) {
        assert!(matches!(reason, Outdated::NotEntitled(Error::Revoked { user_id, .. }) if user_id == "alice"));
    }
    let bob = file_name(BOB);
    let of_bob = |endings: [&str; 2]| endings.map(|ending| format!("{bob}.{ending}"));
    let [init, keyprov] = of_bob(["init.xml", "keyprov.xml"]);
    let mut expected = ["init.xml", "issue.json", &init, &keyprov];
    expected.sort();
    assert_eq!(names(&world.path("out")), expected, "nothing of alice");
    let [ink, trk] = of_bob(["ink.key", "trk.key"]);
    let mut expected = ["issue.json", &ink, &trk];
    expected.sort();
    assert_eq!(names(&world.path("keys")), expected);

    // Who is asked for is refused as well.
    let order = Order { out: world.path("clear"), ..world.order(WithoutKeys::Clear) };
    admin::add_user(&*world.state.store, &NewUser::new("carol", ["sip:carol@example.org"]), &act()).await.unwrap();
    let asked = ["sip:carol@example.org", BOB];
    world.issue(&asked, &order).await.unwrap();
    admin::revoke_user(&*world.state.store, "carol", &act()).await.unwrap();
    let on = world.issue(&asked, &order).await.unwrap();
    assert_eq!((on.already, on.removed.len()), (1, 1));
    assert!(matches!(refused(&on)[..], [("sip:carol@example.org", Error::Revoked { .. })]));
    assert!(!world.path("clear").join(key_prov("sip:carol@example.org")).exists());
}

#[tokio::test]
async fn files_under_a_transport_key_that_was_ended_are_made_anew() {
    let world = World::new().await;
    let order = world.order(WithoutKeys::Make(world.path("keys")));
    let both = [ALICE, BOB];
    world.issue(&both, &order).await.unwrap();
    let hand_over = |keys: &ClientKeys| {
        let (trk, ink) = keys.to_files();
        for (ending, file) in [("trk", trk), ("ink", ink.unwrap())] {
            fs::write(world.path("keys").join(format!("{}.{ending}.key", file_name(ALICE))), &*file).unwrap();
        }
    };
    let of_alice = |issued: &Issued, files: &[String]| {
        let removed = removed(issued);
        assert_eq!(removed.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>(), files);
        assert!(removed.iter().all(|(_, reason)| matches!(reason, Outdated::TransportKey(id) if id == "alice")));
    };
    let trk_file = format!("{}.trk.key", file_name(ALICE));

    let replaced = admin::new_client_keys(&world.state, ALICE, true, &act()).await.unwrap();
    let on = world.issue(&both, &order).await.unwrap();
    assert_eq!((on.uris, on.already, on.new_keys), (1, 1, 0));
    of_alice(&on, &[key_prov(ALICE), trk_file.clone()]);
    assert!(!world.path("keys").join(&trk_file).exists(), "nobody hands over what is good no more");
    hand_over(&replaced);
    assert_eq!(world.import(ALICE, Some(ALICE)).unwrap().wrapped_with.as_deref(), Some("tk.2.alice@example.org"));

    // Keys that are only to come change nothing; once the client has them, the old ones are good no more.
    admin::rotate_client_keys(&world.state, ALICE, &act()).await.unwrap();
    assert_eq!(world.issue(&both, &order).await.unwrap().already, 2);
    world.state.store.confirm_client_keys("alice", 3, &act()).await.unwrap();
    let on = world.issue(&both, &order).await.unwrap();
    assert_eq!((on.uris, on.already), (1, 1));
    of_alice(&on, &[key_prov(ALICE), trk_file]);
    let document = fs::read_to_string(world.path("out").join(key_prov(ALICE))).unwrap();
    assert!(document.contains("tk.3.alice@example.org") && !document.contains("tk.2."), "{document}");
    // Not asked for, they are removed all the same.
    admin::new_client_keys(&world.state, ALICE, true, &act()).await.unwrap();
    let on = world.issue(&[BOB], &order).await.unwrap();
    assert_eq!((on.uris, on.already), (0, 1));
    of_alice(&on, &[key_prov(ALICE)]);
    assert!(!world.path("out").join(key_prov(ALICE)).exists());
}

#[tokio::test]
async fn keys_in_clear_of_who_has_a_transport_key_by_now_are_wrapped() {
    let world = World::new().await;
    let order = world.order(WithoutKeys::Clear);
    world.issue(&[ALICE, BOB], &order).await.unwrap();
    admin::new_client_keys(&world.state, BOB, false, &act()).await.unwrap();
    let on = world.issue(&[ALICE, BOB], &order).await.unwrap();
    assert_eq!((on.uris, on.already), (1, 1));
    assert!(matches!(&removed(&on)[..], [(file, Outdated::InClear(id))] if *file == key_prov(BOB) && id == "bob"));
    assert!(fs::read_to_string(world.path("out").join(key_prov(BOB))).unwrap().contains("EncryptedKey"));
}

#[tokio::test]
async fn what_is_no_answer_for_its_name_is_made_anew() {
    let world = World::new().await;
    let order = world.order(WithoutKeys::Clear);
    let long = format!("sip:{}@example.org", "a".repeat(230));
    admin::add_user(&*world.state.store, &NewUser::new("long", [long.as_str()]), &act()).await.unwrap();
    let asked = [ALICE, ALICE_VIDEO, BOB, &long];
    world.issue(&asked, &order).await.unwrap();
    let good = world.issue(&asked, &order).await.unwrap();
    assert_eq!((good.already, good.removed.len()), (4, 0), "names that were cut as well");
    let other_period = Order { out: world.path("other"), period_no: Some(good.periods[0]), ..order.clone() };
    world.issue(&[ALICE], &other_period).await.unwrap();

    let out = |name: String| world.path("out").join(name);
    fs::copy(world.path("other").join(key_prov(ALICE)), out(key_prov(ALICE))).unwrap();
    fs::copy(out(key_prov(BOB)), out(key_prov(ALICE_VIDEO))).unwrap();
    fs::copy(out(key_prov(BOB)), out(key_prov(UNKNOWN))).unwrap();
    fs::copy(out(key_prov(&long)), out("sip%3Ab~0.keyprov.xml".into())).unwrap();
    let whole = fs::read(out(key_prov(BOB))).unwrap();
    fs::write(out(key_prov(BOB)), &whole[..whole.len() / 2]).unwrap();
    let on = world.issue(&asked, &order).await.unwrap();
    assert_eq!((on.uris, on.already, on.refused.len()), (3, 1, 0));
    let mut expected = [ALICE, ALICE_VIDEO, BOB, UNKNOWN].map(key_prov).to_vec();
    expected.push("sip%3Ab~0.keyprov.xml".into());
    expected.sort();
    assert_eq!(removed(&on).iter().map(|(file, _)| file.clone()).collect::<Vec<_>>(), expected);
    for (file, reason) in removed(&on) {
        match reason {
            Outdated::NotEntitled(Error::UnknownUri(uri)) => {
                assert_eq!((file, uri.as_str()), (key_prov(UNKNOWN), UNKNOWN))
            }
            reason => assert!(matches!(reason, Outdated::Damaged) && file != key_prov(UNKNOWN), "{file}: {reason}"),
        }
    }
    for uri in asked {
        assert_eq!(world.import(uri, None).unwrap().periods, on.periods);
    }

    // Nothing in clear is taken for what is wrapped.
    let wrapped = Order { out: world.path("wrapped"), ..world.order(WithoutKeys::Make(world.path("keys"))) };
    world.issue(&[ALICE, BOB], &wrapped).await.unwrap();
    let keys = world.path("keys").join(format!("{}.trk.key", file_name(BOB)));
    fs::write(&keys, "nothing").unwrap();
    fs::copy(out(key_prov(ALICE)), world.path("wrapped").join(key_prov(ALICE))).unwrap();
    let on = world.issue(&[ALICE, BOB], &wrapped).await.unwrap();
    assert_eq!((on.uris, on.already), (1, 1));
    assert!(matches!(removed(&on)[..], [(_, Outdated::InClear(_)), (_, Outdated::Damaged)]));
    assert!(!keys.exists());
}

#[tokio::test]
async fn a_folder_with_keys_of_withdrawn_master_secrets_is_refused() {
    let mut world = World::new().await;
    let dir = world.path("kms");
    let reopened = async || State::open(&dir, &passphrase()).await.unwrap();
    let done = kms::roll_over(&dir, &passphrase(), kms::RollOverAt::default(), &act()).await.unwrap();
    world.state = reopened().await;
    let clear = world.order(WithoutKeys::Clear);
    let coming = Order { period_no: Some(done.first_period), ..clear.clone() };
    let of_now = Order { out: world.path("now"), ..clear.clone() };
    for order in [&coming, &of_now] {
        world.issue(&[ALICE], order).await.unwrap();
    }
    assert_eq!(world.issue(&[ALICE], &coming).await.unwrap().already, 1);

    kms::withdraw(&dir, &passphrase(), true, &act()).await.unwrap();
    let outdated = world.issue(&[BOB], &coming).await.unwrap_err();
    assert!(matches!(outdated, Error::Store(kms::store::StoreError::SecretsOutdated { .. })), "{outdated}");
    world.state = reopened().await;
    // With the period and without it.
    for order in [&coming, &clear] {
        let error = world.issue(&[ALICE, BOB], order).await.unwrap_err();
        assert!(
            matches!(&error, Error::BulkFolder(FolderFault::OtherSecrets { period_no, .. }) if *period_no == done.first_period),
            "{error}"
        );
        let text = error.to_string();
        assert!(text.contains(&done.first_period.to_string()) && text.contains("a new folder"), "{text}");
    }
    let on = world.issue(&[ALICE, BOB], &of_now).await.unwrap();
    assert_eq!((on.already, on.uris), (1, 1), "these periods have the secrets that they had");
    let anew = Order { out: world.path("anew"), ..coming };
    assert_eq!(world.issue(&[ALICE, BOB], &anew).await.unwrap().uris, 2);
}

#[tokio::test]
async fn a_folder_of_something_else_is_refused() {
    let world = World::new().await;
    let clear = || world.order(WithoutKeys::Clear);
    let fault = async |order: &Order| match world.issue(&[ALICE], order).await.unwrap_err() {
        Error::BulkFolder(fault) => fault,
        other => panic!("{other}"),
    };
    fs::create_dir(world.path("full")).unwrap();
    fs::write(world.path("full/notes"), "").unwrap();
    let full = world.path("full");
    assert!(
        matches!(fault(&Order { out: full.clone(), ..clear() }).await, FolderFault::NotEmpty(path) if path == full)
    );
    let keys_in_full = Order { without_keys: WithoutKeys::Make(full.clone()), ..clear() };
    assert!(matches!(fault(&keys_in_full).await, FolderFault::NotEmpty(path) if path == full));
    fs::remove_dir_all(world.path("out")).unwrap();
    let file = full.join("notes");
    assert!(
        matches!(fault(&Order { out: file.clone(), ..clear() }).await, FolderFault::NoFolder(path) if path == file)
    );

    world.issue(&[ALICE], &clear()).await.unwrap();
    let other_period = Order { period_no: Some(1529), ..clear() };
    let FolderFault::OtherPlan { found, wanted, .. } = fault(&other_period).await else { panic!() };
    assert!(found.contains("kms.example.org") && wanted.contains("period 1529"), "{found}; {wanted}");

    let other = World::new().await;
    let there = Order { out: world.path("out"), ..clear() };
    let error = other.issue(&[ALICE], &there).await.unwrap_err();
    assert!(matches!(error, Error::BulkFolder(FolderFault::OtherPlan { .. })), "{error}");

    let lock = fs::File::options().write(true).open(world.path("out/.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(fault(&clear()).await, FolderFault::Busy(_)));
    drop(lock);
    fs::write(world.path("out/issue.json"), "{").unwrap();
    assert!(matches!(fault(&clear()).await, FolderFault::Plan(_)));
    let of_period = |period_no| Order { out: world.path("fresh"), period_no: Some(period_no), ..clear() };
    assert!(matches!(world.issue(&[ALICE], &of_period(0)).await, Err(Error::Period(0))));
    assert!(matches!(world.issue(&[ALICE], &of_period(u64::MAX)).await, Err(Error::PeriodAhead { .. })));
    assert!(!world.path("fresh").exists());
}

#[tokio::test]
async fn transport_keys_do_not_lie_with_what_they_protect() {
    let world = World::new().await;
    #[cfg(unix)]
    std::os::unix::fs::symlink(world.folder.path(), world.path("link")).unwrap();
    let pairs = [("out", "out"), ("out", "out/keys"), ("out/deep/down", "out"), ("out", "./out/keys")];
    for (out, keys) in pairs.into_iter().chain(cfg!(unix).then_some(("out", "link/out/keys"))) {
        let (out, keys) = (world.path(out), world.path(keys));
        let order = Order { out: out.clone(), period_no: None, without_keys: WithoutKeys::Make(keys.clone()) };
        let error = world.issue(&[ALICE], &order).await.unwrap_err();
        assert!(matches!(&error, Error::BulkFolder(FolderFault::KeysBeside(path)) if *path == keys), "{error}");
        assert!(!world.path("out").exists());
    }
    let order = world.order(WithoutKeys::Make(world.path("out-keys")));
    assert_eq!(world.issue(&[ALICE], &order).await.unwrap().uris, 1, "a name that begins alike");
}

#[tokio::test]
async fn keys_in_clear_and_wrapped_keys_go_to_folders_of_their_own() {
    let world = World::new().await;
    let make = || world.order(WithoutKeys::Make(world.path("keys")));
    let other_plan = async |order: &Order| match world.issue(&[BOB], order).await.unwrap_err() {
        Error::BulkFolder(FolderFault::OtherPlan { found, wanted, .. }) => (found, wanted),
        other => panic!("{other}"),
    };
    world.issue(&[ALICE], &world.order(WithoutKeys::Clear)).await.unwrap();
    for order in [make(), world.order(WithoutKeys::Refuse)] {
        let (found, wanted) = other_plan(&order).await;
        assert!(found.ends_with("keys in clear") && wanted.ends_with("wrapped keys alone"), "{found}; {wanted}");
    }
    assert!(!world.path("keys").exists());
    fs::rename(world.path("out"), world.path("clear")).unwrap();

    world.issue(&[ALICE], &make()).await.unwrap();
    let (found, wanted) = other_plan(&world.order(WithoutKeys::Clear)).await;
    assert!(found.ends_with("wrapped keys alone") && wanted.ends_with("keys in clear"), "{found}; {wanted}");
    // A folder for one of both is none for the other.
    let exchanged =
        Order { out: world.path("keys"), period_no: None, without_keys: WithoutKeys::Make(world.path("clear")) };
    let (found, wanted) = other_plan(&Order { out: world.path("fresh"), ..exchanged.clone() }).await;
    assert!(found.ends_with("keys in clear") && wanted.ends_with("transport keys"), "{found}; {wanted}");
    // Who has transport keys by now gets wrapped keys, with or without the option.
    let again = world.issue(&[ALICE, BOB], &world.order(WithoutKeys::Refuse)).await.unwrap();
    assert!(again.already == 1 && matches!(refused(&again)[..], [(BOB, Error::NoClientKeys(_))]));
    assert_eq!(world.issue(&[ALICE, BOB], &make()).await.unwrap().new_keys, 1);
}

#[tokio::test]
async fn keys_of_a_coming_generation_bring_its_certificate() {
    let mut world = World::new().await;
    let [current, next] = admin::current_periods(&world.state, SystemTime::now()).unwrap();
    // A run that is begun before the roll-over, and stopped.
    let stop = AtomicBool::new(true);
    let clear = world.order(WithoutKeys::Clear);
    bulk::issue(&world.state, vec![ALICE.to_owned()], &clear, &act(), &stop, |_| {}).await.unwrap();
    world.issue(&[BOB], &clear).await.unwrap();
    assert!(!fs::read_to_string(world.path("out/init.xml")).unwrap().contains("ValidTo"));
    let dir = world.path("kms");
    let done = kms::roll_over(&dir, &passphrase(), kms::RollOverAt::default(), &act()).await.unwrap();
    world.state = State::open(&dir, &passphrase()).await.unwrap();
    let issued = world.issue(&[ALICE], &clear).await.unwrap();
    assert_eq!((issued.uris, issued.has_further_certificates), (1, false));
    let init = fs::read_to_string(world.path("out/init.xml")).unwrap();
    assert!(init.contains("#generation-1") && init.contains("ValidTo"), "{init}");
    assert!(!world.path("out/certcache.xml").exists());
    for uri in [ALICE, BOB] {
        assert_eq!(world.import(uri, None).unwrap().periods, [current, next]);
    }
    fs::remove_dir_all(world.path("out")).unwrap();

    let coming = Order { period_no: Some(done.first_period), ..clear };
    let issued = world.issue(&[ALICE], &coming).await.unwrap();
    assert!(issued.has_further_certificates);
    assert_eq!(world.import(ALICE, None).unwrap().periods, [done.first_period]);
    let certcache = fs::read(world.path("out/certcache.xml")).unwrap();
    fs::remove_file(world.path("out/certcache.xml")).unwrap();
    let error = world.import(ALICE, None).unwrap_err();
    assert!(matches!(&error, client::Error::CertificateMissing { period_no, .. } if *period_no == done.first_period));
    assert!(error.to_string().contains("certcache.xml"), "{error}");
    fs::remove_dir_all(world.path("out")).unwrap();
    // What an earlier run needed and this one does not is not left beside it.
    world.issue(&[], &world.order(WithoutKeys::Clear)).await.unwrap();
    fs::write(world.path("out/certcache.xml"), certcache).unwrap();
    world.issue(&[], &world.order(WithoutKeys::Clear)).await.unwrap();
    assert!(!world.path("out/certcache.xml").exists());
    fs::remove_dir_all(world.path("out")).unwrap();

    let wrapped = Order { without_keys: WithoutKeys::Make(world.path("keys")), ..coming };
    world.issue(&[ALICE, ALICE_VIDEO], &wrapped).await.unwrap();
    assert_eq!(names(&world.path("out")).len(), 3 * 2 + 3);
    for uri in [ALICE, ALICE_VIDEO] {
        let report = world.import(uri, Some(ALICE)).unwrap();
        assert_eq!((report.periods.as_slice(), report.wrapped_with.is_some()), (&[done.first_period][..], true));
    }
    // What is not signed is not taken for what is.
    fs::copy(world.path("out/certcache.xml"), world.path("out").join(format!("{}.certcache.xml", file_name(ALICE))))
        .unwrap();
    let error = world.import(ALICE, Some(ALICE)).unwrap_err();
    assert!(matches!(error, client::Error::SignatureMissing { .. }), "{error}");

    // One by one.
    let (period, at) = (Some(done.first_period), SystemTime::now());
    let init = admin::init_document(&world.state, BOB, None, at).await.unwrap();
    let further = admin::further_certificates_document(&world.state, BOB, period, None, at).await.unwrap().unwrap();
    let keyprov = admin::issue(&world.state, BOB, period, None, &act()).await.unwrap().document;
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { kdf: KdfParameters::cheap_for_tests(), ..StoreOptions::default() };
    let mut store = client::Store::create(folder.path(), &passphrase(), &options).unwrap();
    let files = ImportFiles {
        init: init.as_bytes(),
        keyprov: keyprov.as_bytes(),
        certcache: Some(further.as_bytes()),
        keys: None,
    };
    assert_eq!(client::import_files(&mut store, &files, now()).unwrap().periods, [done.first_period]);
    let none = admin::further_certificates_document(&world.state, BOB, None, None, at).await.unwrap();
    assert!(none.is_none(), "the present keys need the present certificate alone");
}
