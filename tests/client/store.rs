//! The folder on disk.

use crate::support::{ALICE, BOB, TestKms, TestStore, now, options, passphrase};
use mikey_sakke::client::{Error, Store};
use mikey_sakke::sealing::{KdfParameters, Passphrase};
use std::fs;
use std::path::Path;

fn open_error(folder: &Path) -> Error {
    Store::open(folder, &passphrase(), &options()).unwrap_err()
}

#[test]
fn several_users_kmss_and_periods_survive_reopening() {
    let (first, second) = (TestKms::new("kms.example.org"), TestKms::new("kms.example.net"));
    let mut made = TestStore::empty();
    let period = first.period_now();
    made.import(&first, ALICE, period);
    made.import(&first, ALICE, period + 1);
    made.import(&first, BOB, period);
    made.import(&second, ALICE, period);
    let (key_sets, kms_list) = (made.store.key_sets(), made.store.kms_list());
    assert_eq!((key_sets.len(), kms_list.len()), (4, 2));

    let mut made = made.reopen();
    assert_eq!(made.store.key_sets(), key_sets);
    assert_eq!(made.store.kms_list(), kms_list);
    assert_eq!(made.store.kmss_of(ALICE).unwrap(), ["kms.example.org", "kms.example.net"]);
    let key_set = made.store.key_set_at(ALICE, "kms.example.net", now()).unwrap();
    assert_eq!((key_set.user_uri(), key_set.period_no()), (ALICE, period));
}

#[test]
fn a_wrong_passphrase_is_named_and_changes_nothing() {
    let TestStore { store, folder } = TestStore::of(&TestKms::new("kms.example.org"), ALICE);
    drop(store);
    let before = fs::read(folder.path().join("keys.sealed")).unwrap();
    let wrong = Passphrase::new("battery staple".into()).unwrap();
    let error = Store::open(folder.path(), &wrong, &options()).unwrap_err();
    assert!(matches!(error, Error::WrongPassphrase { .. }), "{error}");
    assert_eq!(fs::read(folder.path().join("keys.sealed")).unwrap(), before);
    assert_eq!(Store::open(folder.path(), &passphrase(), &options()).unwrap().key_sets().len(), 1);
}

#[test]
fn nothing_secret_stands_in_the_files_and_only_the_owner_reads_them() {
    let made = TestStore::of(&TestKms::new("kms.example.org"), ALICE);
    for name in ["keys.sealed", "replay.sealed", "lock"] {
        let path = made.folder.path().join(name);
        let content = fs::read(&path).unwrap();
        assert!(!content.windows(5).any(|window| window == b"alice"), "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{name}");
        }
    }
}

#[test]
fn damage_is_named() {
    for (file, damage) in [
        ("keys.sealed", "flip"),
        ("keys.sealed", "cut"),
        ("keys.sealed", "empty"),
        ("replay.sealed", "flip"),
        ("replay.sealed", "cut"),
        ("replay.sealed", "remove"),
    ] {
        let TestStore { store, folder } = TestStore::of(&TestKms::new("kms.example.org"), ALICE);
        drop(store);
        let path = folder.path().join(file);
        let mut content = fs::read(&path).unwrap();
        match damage {
            "flip" => *content.last_mut().unwrap() ^= 1,
            "cut" => content.truncate(content.len() - 1),
            "empty" => content.clear(),
            _ => fs::remove_file(&path).unwrap(),
        }
        if damage != "remove" {
            fs::write(&path, content).unwrap();
        }
        let error = open_error(folder.path());
        assert!(
            matches!(&error, Error::StoreDamaged { path: named, .. } if *named == path),
            "{file} {damage}: {error}"
        );
    }
}

#[test]
fn one_sealed_file_cannot_stand_in_for_another() {
    let TestStore { store, folder } = TestStore::of(&TestKms::new("kms.example.org"), ALICE);
    drop(store);
    fs::copy(folder.path().join("replay.sealed"), folder.path().join("keys.sealed")).unwrap();
    assert!(matches!(open_error(folder.path()), Error::StoreDamaged { .. }));
}

#[test]
fn the_replay_cache_of_another_store_is_refused() {
    let other = TestStore::empty();
    let TestStore { store, folder } = TestStore::empty();
    drop(store);
    fs::copy(other.folder.path().join("replay.sealed"), folder.path().join("replay.sealed")).unwrap();
    assert!(matches!(open_error(folder.path()), Error::StoreDamaged { .. }));
}

#[test]
fn one_process_at_a_time() {
    let TestStore { store, folder } = TestStore::empty();
    assert!(matches!(open_error(folder.path()), Error::StoreInUse { .. }));
    drop(store);
    Store::open(folder.path(), &passphrase(), &options()).unwrap();
}

#[test]
fn what_is_not_there_and_what_is_there_already() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("a/b");
    assert!(matches!(open_error(&inside), Error::StoreMissing { .. }));
    assert!(!inside.exists());
    drop(Store::open_or_create(&inside, &passphrase(), &options()).unwrap());
    let error = Store::create(&inside, &passphrase(), &options()).unwrap_err();
    assert!(matches!(error, Error::StoreExists { .. }), "{error}");
    Store::open_or_create(&inside, &passphrase(), &options()).unwrap();
}

#[test]
fn a_crash_between_write_and_rename_leaves_the_old_store_and_no_litter() {
    let TestStore { store, folder } = TestStore::of(&TestKms::new("kms.example.org"), ALICE);
    // What a killed process leaves behind: half-written files beside the real ones.
    let half = fs::read(folder.path().join("keys.sealed")).unwrap();
    let litter = [".keys.sealed.0123456789abcdef.tmp", ".replay.sealed.fedcba9876543210.tmp"];
    let kept = ["keys.sealed.tmp", ".keys.sealed.mine.tmp", ".other.0123456789abcdef.tmp"];
    for name in litter.iter().chain(&kept) {
        fs::write(folder.path().join(name), &half[..half.len() / 2]).unwrap();
    }
    // Whoever does not hold the lock leaves them alone: they may be in use.
    assert!(matches!(open_error(folder.path()), Error::StoreInUse { .. }));
    assert!(folder.path().join(litter[0]).exists());
    drop(store);
    let store = Store::open(folder.path(), &passphrase(), &options()).unwrap();
    assert_eq!(store.key_sets().len(), 1);
    assert!(!litter.iter().any(|name| folder.path().join(name).exists()));
    assert!(kept.iter().all(|name| folder.path().join(name).exists()));
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_looked_into_is_not_taken_for_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    // A link to itself cannot be followed, not even by root, whom permissions do not stop.
    let closed = folder.path().join("closed");
    std::os::unix::fs::symlink(&closed, &closed).unwrap();
    assert!(matches!(Store::exists(&closed), Err(Error::File { .. })));
    let error = open_error(&closed);
    assert!(matches!(error, Error::File { .. }), "{error}");
    assert!(!Store::exists(&folder.path().join("nothing")).unwrap());
}

#[test]
fn a_deleted_store_leaves_nothing_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("store");
    Store::create(&inside, &passphrase(), &options()).unwrap().delete().unwrap();
    assert!(!inside.exists());
    let store = Store::create(&inside, &passphrase(), &options()).unwrap();
    fs::write(inside.join("notes"), "mine").unwrap();
    store.delete().unwrap();
    let left: Vec<_> = fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["notes"]);
}

#[cfg(unix)]
#[test]
fn a_failed_write_changes_neither_disk_nor_memory() {
    let kms = TestKms::new("kms.example.org");
    let mut made = TestStore::of(&kms, ALICE);
    let keys = made.folder.path().join("keys.sealed");
    let aside = made.folder.path().join("aside");
    // A folder in the file's place makes the rename fail, for root as well.
    fs::rename(&keys, &aside).unwrap();
    fs::create_dir(&keys).unwrap();
    fs::write(keys.join("inside"), "").unwrap();
    let (init, keyprov) = (kms.init(kms.certificate()), kms.key_prov(vec![kms.key_set(BOB, kms.period_now())]));
    let error = mikey_sakke::client::import(&mut made.store, &init, &keyprov, now()).unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error}");
    assert_eq!(made.store.key_sets().len(), 1);
    fs::remove_dir_all(&keys).unwrap();
    fs::rename(&aside, &keys).unwrap();
    assert_eq!(made.reopen().store.key_sets().len(), 1);
}

#[test]
fn the_usual_cost_of_a_passphrase_fits_a_small_client() {
    let kdf = mikey_sakke::client::StoreOptions::default().kdf;
    assert_eq!((kdf.memory_kib(), kdf.passes(), kdf.lanes()), (4096, 16, 1));
    assert_ne!(kdf, KdfParameters::default());
}

#[test]
fn debug_shows_the_folder_alone() {
    let made = TestStore::of(&TestKms::new("kms.example.org"), ALICE);
    let text = format!("{:?}", made.store);
    assert!(text.starts_with("Store { folder: ") && text.len() < 200, "{text}");
}
