//! GStreamer's MIKEY and ours read each other's messages of the pre-shared key method. A small C program, `mikey.c`
//! beside this file, is built against libgstsdp (Debian package libgstreamer-plugins-base1.0-dev): its Python binding has
//! neither KEMAC nor keys nor policies.
//!
//! GStreamer encrypts nothing and has no MAC, and it hangs on ID payloads (1.22), so that messages for it name nobody.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use mikey_sakke::exchange::{
    Bundle, Error, Incoming, KeysInClear, Offer, Opened, PreSharedKey, Protection, Reception, Settings,
};
use mikey_sakke::mikey::{
    CsIdMap, EncryptionAlgorithm, KeyData, KeyDataType, KeyValidity, MacAlgorithm, NtpTime, SecurityPolicy,
    SrtpEncryption, SrtpIdEntry, SrtpParameter, Timestamp, sdp,
};
use mikey_sakke::replay::ReplayCache;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

const TRUSTING: Settings =
    Settings { clock_skew: 600, keys_in_clear: KeysInClear::OverProtectedTransport, unnamed_initiator: false };
const NOW: NtpTime = NtpTime::from_bits(0xd6b4_3232_8000_0001);

/// The C program, built.
struct Gstreamer {
    folder: tempfile::TempDir,
}

impl Gstreamer {
    /// `None`, with a note, where GStreamer or a compiler is missing; in continuous integration that is a failure.
    fn build() -> Option<Self> {
        match Self::try_build() {
            Ok(built) => Some(built),
            Err(reason) if std::env::var_os("CI").is_some() => panic!("this test cannot run: {reason}"),
            Err(reason) => {
                eprintln!("left out: {reason} (tests/run installs what it needs)");
                None
            }
        }
    }

    fn try_build() -> Result<Self, String> {
        let flags = Command::new("pkg-config").args(["--cflags", "--libs", "gstreamer-sdp-1.0"]).output();
        let flags = flags.map_err(|error| format!("pkg-config: {error}"))?;
        if !flags.status.success() {
            return Err(String::from_utf8_lossy(&flags.stderr).into_owned());
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gstreamer/mikey.c");
        let built = Command::new("cc")
            .args(["-Wall", "-Wextra", "-Werror", "-o"])
            .args([folder.path().join("mikey"), source])
            .args(String::from_utf8_lossy(&flags.stdout).split_whitespace())
            .output()
            .map_err(|error| format!("cc: {error}"))?;
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Ok(Self { folder })
    }

    /// Its lines for these arguments. It is stopped after a while, for it may hang on what it reads.
    fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let program: PathBuf = self.folder.path().join("mikey");
        let output = Command::new("timeout").arg("20").arg(program).args(arguments).output().expect("timeout runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
    }

    /// The message that it makes for these arguments.
    fn message(&self, arguments: &[&str]) -> Vec<u8> {
        let lines = self.lines(arguments);
        let [octets, base64] = &lines[..] else { panic!("octets and base64, not {lines:?}") };
        let octets = unhex(octets.strip_prefix("octets ").expect("octets"));
        let attribute = format!("a=key-mgmt:mikey {}", base64.strip_prefix("base64 ").expect("base64"));
        assert_eq!(sdp::parse_line(attribute.as_bytes()).unwrap(), octets);
        octets
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

fn now() -> NtpTime {
    NtpTime::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs())
}

fn open(octets: &[u8], now: NtpTime, settings: Settings) -> Result<Opened, Error> {
    let reception = Reception { settings, ..Reception::at(now) };
    Incoming::parse(octets)?.open(None, &reception, &mut ReplayCache::default())
}

fn first_srtp_keys(bundle: &Bundle) -> (Vec<u8>, Vec<u8>) {
    let keys = bundle.srtp_keys(1).expect("keys of a session");
    (keys[0].master_key.to_vec(), keys[0].master_salt.to_vec())
}

fn offer(keys: Vec<KeyData<'static>>) -> Offer<'static> {
    let policy = [
        (SrtpParameter::ENCRYPTION_ALGORITHM, SrtpEncryption::AES_CM.0),
        (SrtpParameter::SESSION_ENCRYPTION_KEY_LENGTH, 16),
        (SrtpParameter::AUTHENTICATION_ALGORITHM, 1),
        (SrtpParameter::SESSION_AUTHENTICATION_KEY_LENGTH, 10),
    ];
    Offer {
        cs_id_map: CsIdMap::SrtpId(vec![
            SrtpIdEntry { policy_no: 0, ssrc: 0x1122_3344, roc: 5 },
            SrtpIdEntry { policy_no: 0, ssrc: 0, roc: 0 },
        ]),
        policies: vec![SecurityPolicy::srtp(0, &policy)],
        keys,
        protection: Protection::NONE,
        names_parties: false,
        ..Offer::new(0x1234_5678, Timestamp::NtpUtc(NOW), vec![0xa5; 16])
    }
}

fn tek(octets: Vec<u8>) -> KeyData<'static> {
    KeyData::new(KeyDataType::Tek, octets, KeyValidity::Null)
}

#[test]
fn gstreamers_offers_open_where_the_transport_protects_them() {
    let Some(gstreamer) = Gstreamer::build() else { return };
    for (cipher, auth, key_len, salt_len) in [
        ("aes-128-icm", "hmac-sha1-80", 16, 14),
        ("aes-256-icm", "hmac-sha1-32", 32, 14),
        ("aes-128-gcm", "null", 16, 12),
        ("aes-256-gcm", "null", 32, 12),
    ] {
        let key: Vec<u8> = (0..key_len + salt_len).collect();
        let octets = gstreamer.message(&["offer", cipher, auth, &hex(&key), "305419896", "7"]);
        assert_eq!(open(&octets, now(), Settings::default()).unwrap_err(), Error::KeysInClear);
        let opened = open(&octets, now(), TRUSTING).unwrap();
        let (master_key, master_salt) = key.split_at(key_len.into());
        assert_eq!(first_srtp_keys(opened.bundle()), (master_key.to_vec(), master_salt.to_vec()), "{cipher}");
        assert!(!opened.wants_verification());
    }
}

#[test]
fn whatever_gstreamer_can_set_is_read() {
    let Some(gstreamer) = Gstreamer::build() else { return };
    let incoming = Incoming::parse(&gstreamer.message(&["build"])).unwrap();
    assert_eq!((incoming.csb_id(), incoming.timestamp()), (0x1234_5678, Timestamp::Ntp(NOW)));
    assert!(incoming.wants_verification());
    let reception = Reception { settings: TRUSTING, ..Reception::at(NOW) };
    let opened = incoming.open(None, &reception, &mut ReplayCache::default()).unwrap();
    let bundle = opened.bundle();
    assert_eq!(bundle.rand(), b"sixteen octets..");
    let session = |ssrc, roc| SrtpIdEntry { policy_no: 1, ssrc, roc };
    assert_eq!(*bundle.cs_id_map(), CsIdMap::SrtpId(vec![session(0x1122_3344, 5), session(0, 0)]));
    let key = b"a key to generate".to_vec();
    let tgk = KeyData::new(KeyDataType::Tgk, key, KeyValidity::spi(b"mki1".to_vec()));
    let interval = KeyValidity::Interval { from: vec![0, 0, 0, 0, 0, 1].into(), to: vec![0, 0, 0, 0, 1, 0].into() };
    let salted = KeyData::new(KeyDataType::TekSalt, b"key of the media".to_vec(), interval);
    let salted = KeyData { salt: b"and their salt".to_vec().into(), ..salted };
    assert_eq!(bundle.keys(), [tgk, salted]);
    assert_eq!(bundle.srtp_keys(2).unwrap()[1].master_salt[..], *b"and their salt");
}

#[test]
fn gstreamer_reads_our_offers() {
    let Some(gstreamer) = Gstreamer::build() else { return };
    let spi = KeyData::new(KeyDataType::Tgk, vec![0x44; 16], KeyValidity::spi(vec![1, 2, 3, 4]));
    let interval = KeyValidity::Interval { from: vec![0; 6].into(), to: vec![0xff; 6].into() };
    let salted = KeyData::new(KeyDataType::TekSalt, vec![0x66; 16], interval);
    let salted = KeyData { salt: vec![0x77; 14].into(), ..salted };
    let key = PreSharedKey::new(vec![9; 16]).unwrap();
    let authenticated = Protection { encryption: EncryptionAlgorithm::NULL, mac: MacAlgorithm::HmacSha1 };
    for (protection, key, mac) in [(Protection::NONE, None, 0), (authenticated, Some(&key), 1)] {
        let offer = Offer { protection, ..offer(vec![spi.clone(), salted.clone()]) };
        let sent = offer.seal(key, &TRUSTING).unwrap();
        let kemac = format!("KEMAC encryption 0 mac {mac}");
        let expected = [
            "HDR version 1 type 0 V 0 PRF 0 CSB 305419896 map 0",
            "CS policy 0 SSRC 287454020 ROC 5",
            "CS policy 0 SSRC 0 ROC 0",
            "T type 0",
            "time d6b4323280000001",
            "RAND a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            "SP policy 0 protocol 0",
            "parameter 0 value 01",
            "parameter 1 value 10",
            "parameter 2 value 01",
            "parameter 3 value 0a",
            &kemac,
            "key type 0 validity 1",
            "key 44444444444444444444444444444444",
            "salt ",
            "spi 01020304",
            "key type 2 validity 2",
            "key 66666666666666666666666666666666",
            "salt 7777777777777777777777777777",
            "from 000000000000",
            "to ffffffffffff",
        ];
        assert_eq!(gstreamer.lines(&["read", &hex(sent.octets())]), expected);
    }
}

#[test]
fn gstreamer_makes_srtp_caps_of_our_offers() {
    let Some(gstreamer) = Gstreamer::build() else { return };
    let key: Vec<u8> = (0..30).collect();
    let sent = offer(vec![tek(key.clone())]).seal(None, &TRUSTING).unwrap();
    let expected = [
        format!("srtp-key {}", hex(&key)),
        "srtp-cipher aes-128-icm".into(),
        "srtp-auth hmac-sha1-80".into(),
        "srtcp-cipher aes-128-icm".into(),
        "srtcp-auth hmac-sha1-80".into(),
    ];
    assert_eq!(gstreamer.lines(&["caps", &hex(sent.octets())]), expected);
    assert_eq!(first_srtp_keys(sent.bundle()), (key[..16].to_vec(), key[16..].to_vec()));
}
