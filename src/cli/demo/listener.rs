use super::narrator::Narrator;
use crate::cli::failure::{Context, Failure};
use crate::cli::output::hex;
use mikey_sakke::mikey::{IdRole, Message, Payload};

/// Shows what somebody on the wire learns from a message.
pub fn listen(narrator: &Narrator<'_>, message: &[u8]) -> Result<(), Failure> {
    let read = Message::parse(message).context("the message cannot be read")?;
    narrator.detail(
        "a listener sees",
        format_args!("{} octets of MIKEY, data type {}", message.len(), read.header.data_type),
    );
    for payload in &read.payloads {
        match payload {
            Payload::Idr(idr) if idr.role == IdRole::INITIATOR_UID => narrator.detail("from", uid(&idr.data)),
            Payload::Idr(idr) if idr.role == IdRole::RESPONDER_UID => narrator.detail("to", uid(&idr.data)),
            Payload::Sakke(sakke) => narrator.detail("the encrypted key", shortened(&sakke.data)),
            Payload::Sign(sign) => narrator.detail("the signature", shortened(&sign.signature)),
            _ => {}
        }
    }
    Ok(())
}

fn uid(octets: &[u8]) -> String {
    format!("UID {}", hex(octets))
}

/// Octets as far as they say something to the eye.
pub fn shortened(octets: &[u8]) -> String {
    format!("{}... ({} octets)", hex(octets.get(..16).unwrap_or(octets)), octets.len())
}
