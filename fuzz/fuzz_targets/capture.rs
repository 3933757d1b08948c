//! Any input gives messages or faults, none of which holds more than the input did.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_sakke::capture::{Error, read};

fuzz_target!(|input: &[u8]| match read(input) {
    Ok(found) => {
        assert!(!found.messages.is_empty());
        for message in &found.messages {
            assert!(message.octets.len() <= input.len());
        }
        found.unread.iter().for_each(|unread| assert!(!unread.fault.to_string().is_empty()));
    }
    Err(error @ (Error::Empty | Error::TooLong { .. } | Error::NoMessage { .. })) => {
        assert!(!error.to_string().is_empty());
    }
});
