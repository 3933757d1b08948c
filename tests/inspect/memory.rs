//! What a large capture takes of memory.
use crate::message::{invite, octets};
use crate::wire::{self, ETHERNET};
use serde_json::Value;
use std::process::Command;

const MIB: usize = 1 << 20;
/// Octets of address space of the program without an input: code, stacks, tables.
const PROGRAM: usize = 96 * MIB;

#[test]
fn a_capture_of_20_mb_takes_less_than_three_times_that_with_json() {
    let frame = wire::udp(&invite(&octets()));
    let frames = vec![frame; 20 * MIB / (invite(&octets()).len() + 58)];
    let capture = wire::pcap(ETHERNET, &frames);
    assert!((19 * MIB..21 * MIB).contains(&capture.len()), "{}", capture.len());
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("calls.pcap"), folder.path().join("calls.json"));
    std::fs::write(&input, &capture).unwrap();
    let run = |limit: usize| {
        let script = format!("ulimit -v {}; exec \"$0\" inspect --json \"$1\" > \"$2\"", limit / 1024);
        let status = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_mikey-sakke")])
            .args([&input, &output])
            .status()
            .unwrap();
        status.success()
    };
    assert!(!run(capture.len()), "the limit is not kept");
    assert!(run(3 * capture.len() + PROGRAM), "more than three times the capture");
    let result: Value = serde_json::from_slice(&std::fs::read(&output).unwrap()).unwrap();
    assert_eq!(result["messages"].as_array().unwrap().len(), 4096);
    assert_eq!(result["csb_id"], "10000001");
}
