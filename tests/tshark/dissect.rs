//! Runs tshark over a capture and takes its words for what is in each packet.

use std::path::Path;
use std::process::Command;

/// What tshark makes of one message.
#[derive(Debug)]
pub struct Dissection {
    /// Its fields in their order.
    pub fields: Vec<Field>,
    /// What it complains of: `_ws.malformed` and expert errors and warnings, by name.
    pub complaints: Vec<String>,
}

/// A field, where it is in the message, and its contents.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name, `mikey.` left out.
    pub name: String,
    pub start: usize,
    pub len: usize,
    /// Octets in hex, or a number in hex where the field has fewer bits than its octets; empty for a whole payload.
    pub value: String,
    /// As tshark shows it to people: not part of what is compared.
    pub shown: String,
}

/// Whether there is a tshark. Without it the tests that need it pass silently, but not in CI.
pub fn is_installed() -> bool {
    let found = Command::new("tshark").arg("--version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "tshark is needed");
    if !found {
        eprintln!("tshark is not installed: nothing is tested here");
    }
    found
}

/// Dissects the packets of a capture, each with one message.
pub fn dissect(capture: &[u8]) -> Vec<Dissection> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.pcap");
    std::fs::write(&path, capture).unwrap();
    let pdml = pdml(&path);
    pdml.split("<packet>").skip(1).map(Dissection::of_packet).collect()
}

/// tshark's account in XML. What it shows of octets that are no text is no XML either: it is read tag by tag.
fn pdml(capture: &Path) -> String {
    let output = Command::new("tshark").args(["-n", "-T", "pdml", "-r"]).arg(capture).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Dissection {
    fn of_packet(packet: &str) -> Self {
        let mut fields: Vec<Field> = packet.split('<').filter_map(Field::of_tag).collect();
        let base = fields.iter().find(|field| field.name == "hdr").map_or(0, |header| header.start);
        fields.iter_mut().for_each(|field| field.start = field.start.wrapping_sub(base));
        let complaints = packet.split('<').filter_map(complaint).collect();
        Self { fields, complaints }
    }
}

impl Field {
    fn of_tag(tag: &str) -> Option<Self> {
        let name = attribute(tag, "name")?.strip_prefix("mikey.")?.to_owned();
        let number = |name| attribute(tag, name)?.parse().ok();
        let text = |name| attribute(tag, name).unwrap_or_default().to_owned();
        Some(Self { name, start: number("pos")?, len: number("size")?, value: text("value"), shown: text("showname") })
    }

    /// Whether the other is the same field with the same contents, wherever it is.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.name, self.len, &self.value) == (&other.name, other.len, &other.value)
    }
}

fn complaint(tag: &str) -> Option<String> {
    let name = attribute(tag, "name")?;
    match name {
        "_ws.malformed" => Some(name.to_owned()),
        "_ws.expert.message" => Some(attribute(tag, "show")?.to_owned()),
        _ => None,
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}
