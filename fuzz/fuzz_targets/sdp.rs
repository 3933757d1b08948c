//! Any text is refused, or gives octets that the line built from them gives back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_sakke::mikey::{SdpIds, sdp};

fuzz_target!(|text: &[u8]| {
    if let Ok(message) = sdp::parse_line(text) {
        assert_eq!(sdp::parse_line(sdp::line(&message).as_bytes()).as_ref(), Ok(&message));
        assert_eq!(sdp::parse_line(sdp::value(&message).as_bytes()), Ok(message));
    }
    if let Ok(ids) = sdp::protocol_ids(text) {
        assert_eq!(SdpIds::parse(&ids.to_extension().data), Ok(ids));
    }
    let Ok(found) = sdp::parse_body(text) else { return };
    for key_management in found {
        assert!(key_management.message.len() < text.len());
    }
});
