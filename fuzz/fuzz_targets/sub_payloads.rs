//! Any octets are refused as sub-payloads of the type that the first octet names, or are exactly those that they are read as.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_sakke::mikey::{PayloadType, SubPayloads};

fuzz_target!(|octets: &[u8]| {
    let Some((&first, octets)) = octets.split_first() else { return };
    let Ok(payloads) = SubPayloads::parse(PayloadType(first), octets) else { return };
    assert_eq!(payloads.first_type().0, first);
    assert_eq!(*payloads.to_bytes().unwrap(), octets);
    assert_eq!(payloads.encoded_len(), octets.len());
    assert_eq!(payloads.clone().into_owned(), payloads);
});
