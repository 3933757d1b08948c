//! A KMS is saved while it serves, and what is restored is the same KMS; what is no whole backup is refused by name.

use crate::support;
use crate::support::{ALICE, BOB, World, act, current_period, key_sets, passphrase, serve, tamper, trusting};
use mikey_sakke::kms::audit::{self, Anchor, Fault};
use mikey_sakke::kms::backup::{self, BackupFault, Restored, Saved};
use mikey_sakke::kms::bulk::{self, Order, WithoutKeys};
use mikey_sakke::kms::{self, Error, State, admin, open_store};
use mikey_sakke::kms_protocol::ErrorCode;
use mikey_sakke::sealing::file::Temporary;
use mikey_sakke::sealing::{self, Passphrase};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;
use tempfile::TempDir;

/// A backup of a KMS that served meanwhile.
struct Backup {
    world: World,
    folder: TempDir,
    file: PathBuf,
    saved: Saved,
}

impl Backup {
    async fn new() -> Self {
        let world = World::new().await;
        let folder = support::folder();
        let file = folder.path().join("kms.backup");
        // The write-ahead log has what the database file has not.
        let (passphrase, token) = (passphrase(), world.token(ALICE));
        let requests = async {
            for _ in 0..20 {
                assert_eq!(key_sets(world.post("keyprov", &token).await).await.len(), 2);
            }
        };
        let (saved, ()) = tokio::join!(backup::save(world.folder.path(), &file, &passphrase, act()), requests);
        Self { world, folder, file, saved: saved.unwrap() }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("restored")
    }

    async fn restore(&self) -> Result<Restored, Error> {
        backup::restore(&self.file, &self.target(), &passphrase(), act()).await
    }

    async fn refused(&self, backup: &[u8]) -> BackupFault {
        let altered = self.folder.path().join("altered");
        fs::write(&altered, backup).unwrap();
        let error = backup::restore(&altered, &self.target(), &passphrase(), act()).await.unwrap_err();
        assert!(!self.target().exists(), "{error}");
        fault(error)
    }
}

fn fault(error: Error) -> BackupFault {
    match error {
        Error::Backup(fault) => fault,
        other => panic!("{other}"),
    }
}

fn sha256(file: &Path) -> String {
    Sha256::digest(fs::read(file).unwrap()).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Waits until a backup has begun to copy the database.
async fn until_it_copies(folder: &Path) {
    while !folder.read_dir().unwrap().any(|entry| entry.unwrap().path().join("kms.sqlite").exists()) {
        tokio::task::yield_now().await;
    }
}

/// The events of backups in the log.
async fn told(folder: &Path) -> Vec<serde_json::Value> {
    let state = State::open(folder, &passphrase()).await.unwrap();
    let is_told =
        |entry: &serde_json::Value| ["backed_up", "backup_failed"].iter().any(|event| entry["event"] == *event);
    support::log(&state).await.into_iter().filter(is_told).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_restored_kms_issues_the_same_octets_and_serves_the_same_users() {
    let backup = Backup::new().await;
    let mut files = vec!["kms.toml", "secrets.sealed", "kms.sqlite", "tls-cert.pem", "tls-key.pem", "jwks.json"];
    assert_eq!(backup.saved.files, files);
    assert_eq!(backup.saved.left_out, []);
    assert_eq!(fs::metadata(&backup.file).unwrap().len(), backup.saved.octets);
    let restored = backup.restore().await.unwrap();
    assert_eq!((restored.kms_uri.as_str(), restored.head), ("kms.example.org", backup.saved.head));
    assert!(!restored.cleared);
    files.sort_unstable();
    assert_eq!(names(&backup.target()), files);
    for name in ["kms.toml", "secrets.sealed", "tls-cert.pem", "tls-key.pem", "jwks.json"] {
        assert_eq!(
            fs::read(backup.target().join(name)).unwrap(),
            fs::read(backup.world.folder.path().join(name)).unwrap()
        );
    }

    let [before, after] = [backup.world.folder.path(), &backup.target()].map(Path::to_owned);
    let before = State::open(&before, &passphrase()).await.unwrap();
    let after = State::open(&after, &passphrase()).await.unwrap();
    for uri in [ALICE, BOB] {
        let key_set = |state: &State| state.authority.key_set(uri, current_period()).unwrap();
        assert_eq!(key_set(&before), key_set(&after));
    }
    let at = SystemTime::now();
    let document = async |state: &State| admin::init_document(state, ALICE, None, at).await.unwrap();
    assert_eq!(document(&before).await, document(&after).await);
    // One chain, which parts where the backup was made: both sides name it.
    let (log, other) = (support::log(&after).await, support::log(&before).await);
    let entries = usize::try_from(restored.head.number).unwrap();
    assert_eq!((log.len(), &log[..entries]), (entries + 1, &other[..entries]));
    let sha256 = sha256(&backup.file);
    assert_eq!((restored.sha256.to_string(), backup.saved.sha256.to_string()), (sha256.clone(), sha256.clone()));
    let last = log.last().unwrap();
    assert_eq!((&last["event"], &last["by"]), (&"restored".into(), &"the operator".into()));
    let made = other[entries..].iter().find(|entry| entry["event"] == "backed_up").unwrap();
    assert_eq!((&made["sha256"], &last["sha256"]), (&sha256.clone().into(), &sha256.into()));
    assert_eq!(made["entries"], restored.head.number);
    assert!(made["file"].as_str().unwrap().ends_with("kms.backup"), "{made}");
    let anchor = Anchor { number: restored.head.number, hash: restored.head.hash };
    for state in [&before, &after] {
        audit::verify(&*state.store, Some(anchor)).await.unwrap();
    }

    let server = serve(&backup.target()).await;
    let client = trusting(&backup.target()).build().unwrap();
    let url = format!("https://{}{}/keyprov", server.address(), support::ROOT);
    let answer = client.post(&url).bearer_auth(backup.world.token(BOB)).send().await.unwrap();
    assert_eq!(key_sets(answer).await.len(), 2);
    let revoked = client.post(&url).bearer_auth(backup.world.token(support::REVOKED)).send().await.unwrap();
    support::refused(revoked, ErrorCode::RevokedUser).await;
}

#[tokio::test]
async fn transport_keys_open_after_restoring() {
    let world = World::new().await;
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    let keys = admin::new_client_keys(&state, ALICE, false, &act()).await.unwrap();
    let folder = support::folder();
    let (file, target) = (folder.path().join("b"), folder.path().join("restored"));
    backup::save(world.folder.path(), &file, &passphrase(), act()).await.unwrap();
    backup::restore(&file, &target, &passphrase(), act()).await.unwrap();
    let state = State::open(&target, &passphrase()).await.unwrap();
    let rotated = admin::rotate_client_keys(&state, ALICE, &act()).await.unwrap();
    assert_eq!(rotated.trk_id, keys.transport.name().replace("tk.1.", "tk.2."));
    let order = Order { out: folder.path().join("out"), period_no: None, without_keys: WithoutKeys::Refuse };
    let (stop, uris) = (AtomicBool::new(false), vec![ALICE.to_owned()]);
    let issued = bulk::issue(&state, uris, &order, &act(), &stop, |_| {}).await.unwrap();
    assert_eq!((issued.uris, issued.refused.len()), (1, 0), "wrapped under the key that the backup holds");
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_by_name() {
    let backup = Backup::new().await;
    let whole = fs::read(&backup.file).unwrap();
    assert!(matches!(backup.refused(b"").await, BackupFault::NotABackup));
    assert!(matches!(backup.refused(b"SQLite format 3\0").await, BackupFault::NotABackup));
    for len in [8, 20, 100, whole.len() / 2, whole.len() - 1] {
        assert!(matches!(backup.refused(&whole[..len]).await, BackupFault::Truncated), "{len}");
    }
    for at in [10, 30, whole.len() / 2, whole.len() - 1] {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        let fault = backup.refused(&altered).await;
        assert!(matches!(fault, BackupFault::Damaged), "{at}: {fault}");
    }
    assert!(matches!(backup.refused(&[&whole[..], b"more"].concat()).await, BackupFault::Damaged));
    let mut later = whole.clone();
    later[8] = 2;
    assert!(matches!(backup.refused(&later).await, BackupFault::Form(2)));

    let other = Passphrase::new("another passphrase".into()).unwrap();
    let error = backup::restore(&backup.file, &backup.target(), &other, act()).await.unwrap_err();
    assert!(matches!(fault(error), BackupFault::WrongPassphrase));
    let deep = backup.target().join("a/b");
    let absent = backup::restore(Path::new("absent"), &deep, &passphrase(), act()).await.unwrap_err();
    assert!(matches!(fault(absent), BackupFault::File { path, .. } if path == Path::new("absent")));
    backup::restore(&backup.folder.path().join("altered"), &deep, &passphrase(), act()).await.unwrap_err();
    assert!(!backup.target().exists(), "nor the folders above");

    fs::create_dir(backup.target()).unwrap();
    fs::write(backup.target().join("notes"), "").unwrap();
    assert!(matches!(fault(backup.restore().await.unwrap_err()), BackupFault::NotEmpty(_)));
    assert_eq!(names(&backup.target()), ["notes"]);
}

#[tokio::test]
async fn a_kms_that_rolls_over_meanwhile_is_not_saved() {
    let world = World::new().await;
    let (folder, passphrase) = (world.folder.path(), passphrase());
    let elsewhere = support::folder();
    let file = elsewhere.path().join("kms.backup");
    let (own, newer) = (folder.join("secrets.sealed"), elsewhere.path().join("secrets.sealed"));
    backup::save(folder, &elsewhere.path().join("before"), &passphrase, act()).await.unwrap();
    let copy = elsewhere.path().join("copy");
    backup::restore(&elsewhere.path().join("before"), &copy, &passphrase, act()).await.unwrap();
    kms::roll_over(&copy, &passphrase, kms::RollOverAt::default(), &act()).await.unwrap();
    fs::copy(copy.join("secrets.sealed"), &newer).unwrap();
    fs::copy(&own, elsewhere.path().join("kept")).unwrap();

    let rolling_over = async {
        until_it_copies(folder).await;
        fs::copy(&newer, &own).unwrap();
    };
    let (saved, ()) = tokio::join!(backup::save(folder, &file, &passphrase, act()), rolling_over);
    assert!(matches!(fault(saved.unwrap_err()), BackupFault::RolledOver));
    assert!(!file.exists());
    fs::copy(elsewhere.path().join("kept"), &own).unwrap();
    assert_eq!(told(folder).await.len(), 1, "of the backup that was made before");
}

#[tokio::test]
async fn what_is_not_recorded_is_no_backup_and_what_gets_no_name_is_told() {
    let world = World::new().await;
    let (folder, passphrase) = (world.folder.path(), passphrase());
    let elsewhere = support::folder();
    let (file, away) = (elsewhere.path().join("kms.backup"), elsewhere.path().join("kms.sqlite"));
    let own = folder.join("kms.sqlite");

    // A database that is not in its place any more is not written to.
    let remove = async {
        until_it_copies(folder).await;
        fs::rename(&own, &away).unwrap();
    };
    let (saved, ()) = tokio::join!(backup::save(folder, &file, &passphrase, act()), remove);
    let error = saved.unwrap_err();
    // It is found out by who looks, or by SQLite first, if that opens another connection at that moment.
    assert!(matches!(error, Error::Store(_)), "{error}");
    fs::rename(&away, &own).unwrap();
    assert_eq!((names(elsewhere.path()), told(folder).await), (vec![], vec![]));

    // Somebody else takes the name.
    let take = async {
        until_it_copies(folder).await;
        fs::write(&file, "kept").unwrap();
    };
    let (saved, ()) = tokio::join!(backup::save(folder, &file, &passphrase, act()), take);
    assert!(matches!(fault(saved.unwrap_err()), BackupFault::Exists(path) if path == file));
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    assert_eq!(names(elsewhere.path()), ["kms.backup"]);
    let told = told(folder).await;
    let [made, failed] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((&made["event"], &failed["event"]), (&"backed_up".into(), &"backup_failed".into()));
    assert_eq!((&made["file"], &made["sha256"]), (&failed["file"], &failed["sha256"]));
    assert!(failed["reason"].as_str().unwrap().contains("exists already"), "{failed}");
    assert!(names(folder).iter().all(|name| !name.starts_with('.')));
}

#[tokio::test]
async fn what_killed_commands_have_left_is_removed_by_the_next_one() {
    let world = World::new().await;
    let folder = world.folder.path();
    let elsewhere = support::folder();
    let leave = |folder: &Path, stem: &str| {
        let path = folder.join(format!(".{stem}.0123456789abcdef.tmp"));
        fs::write(&path, "left").unwrap();
        path
    };
    let mut left = vec![
        leave(folder, "backup"),
        leave(folder, "tls-key.pem"),
        leave(folder, "secrets.sealed"),
        leave(elsewhere.path(), "mikey-sakke-backup"),
    ];
    let copy = folder.join(".backup.0123456789abcdef.copy");
    fs::create_dir(&copy).unwrap();
    fs::write(copy.join("kms.sqlite"), "left").unwrap();
    // Of others that go on.
    let running = Temporary::new(folder, "backup").unwrap();
    let its_copy = running.path().with_extension("copy");
    fs::create_dir(&its_copy).unwrap();
    let unrelated = leave(elsewhere.path(), "another");

    let file = elsewhere.path().join("kms.backup");
    let mut saved = backup::save(folder, &file, &passphrase(), act()).await.unwrap();
    saved.swept.sort();
    left.sort();
    assert_eq!(saved.swept, left);
    assert!(left.iter().chain([&copy]).all(|path| !path.exists()));
    assert!([running.path(), &its_copy, &unrelated].iter().all(|path| path.exists()));

    let left = leave(folder, "secrets.sealed");
    kms::roll_over(folder, &passphrase(), kms::RollOverAt::default(), &act()).await.unwrap();
    assert!(!left.exists());
    let new = elsewhere.path().join("new");
    fs::create_dir(&new).unwrap();
    let left = leave(&new, "secrets.sealed");
    kms::init(&new, support::options(), &passphrase(), act()).await.unwrap();
    assert!(!left.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_tls_key_that_others_can_read_is_not_carried_on() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().await;
    let key = world.folder.path().join("tls-key.pem");
    let elsewhere = support::folder();
    let save = async || {
        let file = elsewhere.path().join("kms.backup");
        backup::save(world.folder.path(), &file, &passphrase(), act()).await
    };
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let error = save().await.unwrap_err();
    assert!(error.to_string().contains("mode 0644") && error.to_string().contains("chmod 600"), "{error}");
    assert!(matches!(fault(error), BackupFault::File { path, .. } if path == key));
    assert_eq!((names(elsewhere.path()), told(world.folder.path()).await), (vec![], vec![]));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    save().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_place_of_the_hidden_folder_is_not_followed() {
    let backup = Backup::new().await;
    let other = backup.folder.path().join("other");
    fs::create_dir_all(other.join("kms")).unwrap();
    fs::create_dir(backup.target()).unwrap();
    std::os::unix::fs::symlink(&other, backup.target().join(".restoring")).unwrap();
    assert!(matches!(fault(backup.restore().await.unwrap_err()), BackupFault::NotEmpty(_)));
    assert_eq!((names(&other), names(&backup.target())), (vec!["kms".to_owned()], vec![".restoring".to_owned()]));
}

/// What a restoring that was interrupted in the midst of giving the files their places has left.
fn half_restored(whole: &Path, target: &Path) {
    let unpacked = target.join(".restoring/kms");
    fs::create_dir_all(unpacked.join("tls")).unwrap();
    fs::create_dir(target.join("tls")).unwrap();
    let files = ["kms.toml", "secrets.sealed", "kms.sqlite", "tls-cert.pem", "tls-key.pem", "tls/more.pem"];
    fs::write(target.join(".restoring/files.json"), serde_json::to_string(&files).unwrap()).unwrap();
    for (name, folder) in files.iter().zip([&unpacked, target, target, &unpacked, &unpacked, target]) {
        let from = whole.join(name.replace("tls/more.pem", "tls-cert.pem"));
        fs::copy(from, folder.join(name)).unwrap();
    }
}

#[tokio::test]
async fn what_an_interrupted_restoring_left_is_told_and_cleared_away() {
    let backup = Backup::new().await;
    let target = backup.target();
    half_restored(backup.world.folder.path(), &target);
    let is_told = |error: Error| {
        assert!(matches!(&error, Error::HalfRestored { folder } if *folder == target), "{error}");
        assert!(error.to_string().contains("`kms restore`"), "{error}");
    };
    is_told(State::open(&target, &passphrase()).await.unwrap_err());
    is_told(open_store(&target).await.unwrap_err());
    is_told(kms::init(&target, support::options(), &passphrase(), act()).await.unwrap_err());
    is_told(kms::roll_over(&target, &passphrase(), kms::RollOverAt::default(), &act()).await.unwrap_err());

    // Something of somebody else is there as well: it is left alone, and so is all the rest.
    fs::write(target.join("notes"), "").unwrap();
    assert!(matches!(fault(backup.restore().await.unwrap_err()), BackupFault::NotEmpty(_)));
    assert_eq!(names(&target), [".restoring", "kms.sqlite", "notes", "secrets.sealed", "tls"]);
    fs::remove_file(target.join("notes")).unwrap();

    // A file that still waits to get its place did not come from there.
    fs::copy(backup.world.folder.path().join("secrets.sealed"), target.join("tls-key.pem")).unwrap();
    assert!(matches!(fault(backup.restore().await.unwrap_err()), BackupFault::NotEmpty(_)));
    fs::remove_file(target.join("tls-key.pem")).unwrap();

    // Before the files got their places, nothing in the folder came from there.
    let started = backup.folder.path().join("started");
    fs::create_dir_all(started.join(".restoring/kms")).unwrap();
    fs::copy(backup.world.folder.path().join("secrets.sealed"), started.join("secrets.sealed")).unwrap();
    let error = backup::restore(&backup.file, &started, &passphrase(), act()).await.unwrap_err();
    assert!(matches!(fault(error), BackupFault::NotEmpty(_)));
    fs::remove_file(started.join("secrets.sealed")).unwrap();
    assert!(backup::restore(&backup.file, &started, &passphrase(), act()).await.unwrap().cleared);

    let lock = fs::File::create(target.join(".restoring/lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(fault(backup.restore().await.unwrap_err()), BackupFault::Busy(folder) if folder == target));
    drop(lock);
    assert!(backup.restore().await.unwrap().cleared);
    let mut files = backup.saved.files.clone();
    files.sort();
    assert_eq!(names(&target), files);
    // A KMS that is whole is not touched, whatever else lies beside it.
    fs::create_dir(target.join(".restoring")).unwrap();
    State::open(&target, &passphrase()).await.unwrap();
    assert!(matches!(fault(backup.restore().await.unwrap_err()), BackupFault::NotEmpty(_)));
    assert!(target.join("secrets.sealed").exists());

    // Refused the second time, nothing is left either.
    let other = backup.folder.path().join("other");
    half_restored(backup.world.folder.path(), &other);
    let wrong = Passphrase::new("another passphrase".into()).unwrap();
    let error = backup::restore(&backup.file, &other, &wrong, act()).await.unwrap_err();
    assert!(matches!(fault(error), BackupFault::WrongPassphrase));
    assert_eq!(names(&other), [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_saved_is_told() {
    let world = World::new().await;
    let folder = support::folder();
    let file = folder.path().join("kms.backup");
    let save = async |passphrase: &Passphrase| backup::save(world.folder.path(), &file, passphrase, act()).await;

    let other = Passphrase::new("another passphrase".into()).unwrap();
    let error = save(&other).await.unwrap_err();
    assert!(matches!(error, Error::Sealing(sealing::Error::WrongPassphrase)), "{error}");
    fs::write(&file, "kept").unwrap();
    assert!(matches!(fault(save(&passphrase()).await.unwrap_err()), BackupFault::Exists(path) if path == file));
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    fs::remove_file(&file).unwrap();

    tamper(&world.folder.path().join("kms.sqlite"), "UPDATE audit SET entry = '{}' WHERE number = 2").await;
    let error = save(&passphrase()).await.unwrap_err();
    assert!(matches!(error, Error::Audit(Fault::Altered { number: 2 })), "{error}");
    assert_eq!(names(folder.path()), [""; 0], "nothing half done");
    assert!(names(world.folder.path()).iter().all(|name| !name.starts_with('.')));
}

#[tokio::test]
async fn files_elsewhere_or_absent_are_left_out_and_told() {
    let elsewhere = support::folder();
    let certificate = elsewhere.path().join("cert.pem");
    let world = World::new().await;
    let path = |name: &str| world.folder.path().join(name);
    fs::copy(path("tls-cert.pem"), &certificate).unwrap();
    fs::create_dir(path("tls")).unwrap();
    fs::rename(path("tls-key.pem"), path("tls/key.pem")).unwrap();
    fs::remove_file(path("jwks.json")).unwrap();
    let toml = fs::read_to_string(path("kms.toml")).unwrap();
    let toml = toml.replace("tls-cert.pem", certificate.to_str().unwrap()).replace("tls-key.pem", "tls/key.pem");
    fs::write(path("kms.toml"), toml).unwrap();

    let (file, target) = (elsewhere.path().join("b"), elsewhere.path().join("restored"));
    let saved = backup::save(world.folder.path(), &file, &passphrase(), act()).await.unwrap();
    assert_eq!(saved.files, ["kms.toml", "secrets.sealed", "kms.sqlite", "tls/key.pem"]);
    let left_out: Vec<_> = saved.left_out.iter().map(|left| (left.file.clone(), left.reason.as_str())).collect();
    assert_eq!(
        left_out,
        [(certificate, "it does not lie in the folder of the KMS"), (path("jwks.json"), "there is no such file")]
    );
    let restored = backup::restore(&file, &target, &passphrase(), act()).await.unwrap();
    assert_eq!(restored.left_out, saved.left_out);
    assert!(target.join("tls/key.pem").exists());
}
