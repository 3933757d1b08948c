//! TCP connections between any ports, and what tshark sees in them.
use etherparse::PacketBuilder;
use std::process::Command;

pub const RTSP: u16 = 554;
pub const MIKEY: u16 = 2269;

/// One direction of a connection.
pub struct Connection {
    pub source: u16,
    pub destination: u16,
}

impl Connection {
    /// Ethernet frames with a SYN and the stream, so many octets in each.
    pub fn segments(&self, stream: &[u8], size: usize) -> Vec<Vec<u8>> {
        let mut sequence = 1;
        let mut frames = vec![self.frame(0, true, &[])];
        for piece in stream.chunks(size) {
            frames.push(self.frame(sequence, false, piece));
            sequence += u32::try_from(piece.len()).unwrap();
        }
        frames
    }

    fn frame(&self, sequence: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).tcp(
            self.source,
            self.destination,
            sequence,
            65_535,
        );
        let builder = if syn { builder.syn() } else { builder.ack(1) };
        let mut octets = Vec::new();
        builder.write(&mut octets, payload).unwrap();
        octets
    }
}

/// Whether there is a tshark. Without it the test that needs it passes silently, but not in CI.
pub fn tshark_is_installed() -> bool {
    let found = Command::new("tshark").arg("--version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "tshark is needed");
    found
}

/// The values of a field in the packets of a capture.
pub fn tshark_field(capture: &[u8], field: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.pcap");
    std::fs::write(&path, capture).unwrap();
    let output = Command::new("tshark").args(["-n", "-T", "fields", "-e", field, "-r"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
