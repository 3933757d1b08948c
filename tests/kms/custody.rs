//! What others than its user can write opens no KMS.

use crate::support::{self, World, act, options, passphrase};
use mikey_sakke::kms::backup;
use mikey_sakke::kms::{self, Error, Exposure, State, open_store};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn is_exposed(error: Error, expected: &Path) -> Exposure {
    let text = error.to_string();
    let Error::Exposed { path, exposure } = error else { panic!("{text}") };
    assert!(path == expected && text.contains(&*expected.to_string_lossy()) && text.contains("chmod"), "{text}");
    exposure
}

#[tokio::test]
async fn a_kms_that_others_can_write_is_opened_by_nobody_and_not_taken_up_anew() {
    let with_authority = |toml| format!("{toml}\n[auth.certificates]\nca = \"clients-ca.pem\"\n");
    let world = World::with_files(
        |folder| {
            fs::copy(folder.join("tls-cert.pem"), folder.join("clients-ca.pem")).unwrap();
        },
        with_authority,
    )
    .await;
    let (folder, passphrase) = (world.folder.path(), passphrase());
    for (name, wrong) in [
        ("", 0o770),
        ("", 0o1777),
        ("kms.toml", 0o606),
        ("jwks.json", 0o664),
        ("clients-ca.pem", 0o646),
        ("kms.sqlite", 0o660),
        ("kms.sqlite", 0o644),
        ("kms.sqlite-wal", 0o604),
    ] {
        let path = if name.is_empty() { folder.to_owned() } else { folder.join(name) };
        let right = mode(&path);
        set_mode(&path, wrong);
        for error in [
            State::open(folder, &passphrase).await.unwrap_err(),
            open_store(folder).await.unwrap_err(),
            kms::roll_over(folder, &passphrase, kms::RollOverAt::default(), &act()).await.unwrap_err(),
            backup::save(folder, &folder.join("backup"), &passphrase, act()).await.unwrap_err(),
            world.server.reload(act()).await.unwrap_err(),
        ] {
            let exposure = is_exposed(error, &path);
            let is_database = name.starts_with("kms.sqlite");
            let expected = match is_database {
                true => Exposure::Usable { mode: wrong },
                false => Exposure::Writable { mode: wrong },
            };
            assert_eq!(exposure, expected, "{name}");
        }
        set_mode(&path, right);
    }
    // Others may read what is no secret, and enter the folder.
    for (name, readable) in [("", 0o755), ("kms.toml", 0o644), ("jwks.json", 0o444), ("clients-ca.pem", 0o644)] {
        set_mode(&folder.join(name), readable);
    }
    State::open(folder, &passphrase).await.unwrap();
    world.server.reload(act()).await.unwrap();
}

#[tokio::test]
async fn none_is_made_or_restored_where_others_can_write() {
    let world = World::new().await;
    let temporary = support::folder();
    let (file, folder) = (temporary.path().join("kms.backup"), temporary.path().join("kms"));
    backup::save(world.folder.path(), &file, &passphrase(), act()).await.unwrap();
    fs::create_dir(&folder).unwrap();
    set_mode(&folder, 0o777);
    is_exposed(kms::init(&folder, options(), &passphrase(), act()).await.unwrap_err(), &folder);
    is_exposed(backup::restore(&file, &folder, &passphrase(), act()).await.unwrap_err(), &folder);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    set_mode(&folder, 0o755);
    backup::restore(&file, &folder, &passphrase(), act()).await.unwrap();
}
