//! Any octets are refused as an I_MESSAGE and as key parameters, or are read; parameters that are read can be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_sakke::mc::imessage::Incoming;
use mikey_sakke::mc::{KeyId, KeyParameters};
use mikey_sakke::sakke::SharedSecret;

fuzz_target!(|octets: &[u8]| {
    if let Ok(incoming) = Incoming::parse(octets) {
        assert_eq!(incoming.csb_id().to_bytes(), octets[4..8]);
        assert_eq!(incoming.replay_tag(), Incoming::parse(octets).expect("as before").replay_tag());
    }
    if let Ok(parameters) = KeyParameters::parse(octets) {
        let written = parameters.to_bytes().expect("what is read can be written");
        assert_eq!(KeyParameters::parse(&written), Ok(parameters));
    }
    let key_id = KeyId::from_u32(0x1a2b_3c4d).expect("tag 1 is that of a PCK");
    // Sealed under a key that the fuzzer does not have, so that only the clear part can be right.
    assert!(KeyParameters::unprotect(octets, &SharedSecret::new([1; 16]), key_id).is_err());
});
