use super::failure::{Advise, Context, Failure};
use mikey_sakke::capture::{self, Error, Found, MAX_CAPTURE_LEN};
use std::io::Read;
use std::path::Path;

const FORMS: &str = "A message may be given as base64, `mikey BASE64`, an SDP a=key-mgmt line or a whole SDP body, a SIP or \
                     RTSP message, hex, a hex dump, or binary; inspect reads pcap and pcapng captures too, with SIP, RTSP, \
                     and MIKEY on port 2269.";

/// Reads a MIKEY message from `file`, or from standard input if it is `-` or absent, in whatever form it comes: the first,
/// if there are several. A capture is refused: which of its messages is meant is not for a program to guess.
pub fn read(file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let octets = octets(file)?;
    if capture::is_capture(&octets) {
        return Err(Failure::new(format!("{} is a capture of packets", name(file))))
            .advise("See what is in it with mikey-sakke inspect, and give the message that you mean.");
    }
    let found = found(&octets, file)?;
    let first = found.messages.into_iter().next();
    first.map(|message| message.octets).ok_or_else(|| Failure::new(format!("{} holds no message", name(file))))
}

/// Reads every MIKEY message from `file`, or from standard input if it is `-` or absent.
pub fn read_all(file: Option<&Path>) -> Result<Found, Failure> {
    found(&octets(file)?, file)
}

fn found(octets: &[u8], file: Option<&Path>) -> Result<Found, Failure> {
    capture::read(octets)
        .map_err(|error: Error| Failure::new(format!("{} holds no message", name(file))).because(&error))
        .advise(FORMS)
}

/// One octet more than the longest input, so that what is too long shows.
fn octets(file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let read = || -> std::io::Result<Vec<u8>> {
        let source: Box<dyn Read> = match path(file) {
            Some(path) => Box::new(std::fs::File::open(path)?),
            None => Box::new(std::io::stdin().lock()),
        };
        let mut octets = Vec::new();
        let limit = u64::try_from(MAX_CAPTURE_LEN).unwrap_or(u64::MAX);
        source.take(limit.saturating_add(1)).read_to_end(&mut octets)?;
        Ok(octets)
    };
    read().context(format_args!("cannot read {}", name(file)))
}

fn path(file: Option<&Path>) -> Option<&Path> {
    file.filter(|path| path.as_os_str() != "-")
}

fn name(file: Option<&Path>) -> String {
    path(file).map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
}

/// The octets that an even number of hexadecimal digits stands for.
pub fn from_hex(digits: &str) -> Result<Vec<u8>, String> {
    capture::from_hex(digits.as_bytes()).map_err(|fault| fault.to_string())
}
