//! The sample documents of a vendor whose KMS follows an older convention.

use crate::support::TestStore;
use mikey_sakke::client::{self, Error};
use mikey_sakke::mc::{IdentityForm, PeriodEpoch};
use std::path::PathBuf;
use std::{env, fs};

const INIT: &str = "kms-init-response.xml";
const KEY_PROV: &str = "kms-keyprov-response.xml";

/// A file of the shared vectors; `None` where there are none, which CI does not let pass.
fn vendor(name: &str) -> Option<Vec<u8>> {
    let Some(shared) = env::var_os("MIKEY_SAKKE_SHARED") else {
        assert!(env::var_os("CI").is_none(), "MIKEY_SAKKE_SHARED must name the shared vectors");
        println!("skipped: MIKEY_SAKKE_SHARED is not set");
        return None;
    };
    let path = PathBuf::from(shared).join("vectors/vendor").join(name);
    Some(fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

#[test]
fn the_samples_import_with_their_convention() {
    let (Some(init), Some(keyprov)) = (vendor(INIT), vendor(KEY_PROV)) else { return };
    let mut made = TestStore::empty();
    let report = client::import(&mut made.store, &init, &keyprov, client::now()).unwrap();
    assert_eq!((report.user_uri.as_str(), report.kms_uri.as_str()), ("alice@org.com", "localhost:8080"));
    assert_eq!(report.periods, [625]);
    assert_eq!((report.identity_form, report.period_epoch), (IdentityForm::HexText, PeriodEpoch::Unix));
    assert!(report.notes.iter().any(|note| note.contains("64 hex characters")), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("1970")), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("2021-05-03T00:00:00Z to 2021-06-02")), "{report}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((json["identity_form"].as_str(), json["period_epoch"].as_str()), (Some("hex_text"), Some("unix")));

    let mut made = made.reopen();
    let at = mikey_sakke::mikey::NtpTime::from_unix(1_621_257_916);
    let key_set = made.store.key_set_at("alice@org.com", "localhost:8080", at).unwrap();
    assert_eq!(key_set.uid().to_string(), "060c5cddd13b87be1e37d3ff091101684b88aadef26c409a8b49c8da9dd81a05");
}

#[test]
fn a_changed_user_or_period_makes_them_invalid_and_nothing_is_stored() {
    let (Some(init), Some(keyprov)) = (vendor(INIT), vendor(KEY_PROV)) else { return };
    let keyprov = String::from_utf8(keyprov).unwrap();
    for (from, to) in [("alice@org.com", "mallory@org.com"), ("<KeyPeriodNo>625", "<KeyPeriodNo>626")] {
        let mut made = TestStore::empty();
        let changed = keyprov.replace(from, to);
        let error = client::import(&mut made.store, &init, changed.as_bytes(), client::now()).unwrap_err();
        // The keys still fit the UserID, which is no longer this user's UID.
        assert!(matches!(error, Error::KeysOfOtherIdentity { .. }), "{error}");
        assert!(made.store.key_sets().is_empty() && made.store.kms_list().is_empty());
        assert!(made.reopen().store.kms_list().is_empty());
    }
}
