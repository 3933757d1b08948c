//! Any text is refused as a `KeyMgmt` header and as an RTSP message, or gives messages that the header built from them gives
//! back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_sakke::mikey::rtsp;

fuzz_target!(|text: &[u8]| {
    for found in [rtsp::parse_header(text), rtsp::parse_message(text)].into_iter().flatten() {
        if found.is_empty() {
            continue;
        }
        let line = rtsp::header(&found).expect("what is read can be written");
        assert_eq!(rtsp::parse_header(line.as_bytes()), Ok(found.clone()));
        assert_eq!(rtsp::parse_message(line.as_bytes()), Ok(found));
        assert!(rtsp::protocol_ids(line.as_bytes()).expect("it has one").ids().all(|id| id == "mikey"));
    }
    if let Ok(ids) = rtsp::protocol_ids(text) {
        assert!(ids.ids().count() <= text.len());
    }
});
