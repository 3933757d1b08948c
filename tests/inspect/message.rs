//! A message as TS 33.180 wants it, save that nothing in it is genuine, and SIP around it.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mikey_sakke::mc::KeyType;
use mikey_sakke::mc::imessage::default_policy;
use mikey_sakke::mikey::{CsIdMap, Header, IdRole, Idr, Message, NtpTime, Rand, Sakke, Sign, Timestamp};

pub fn message() -> Message<'static> {
    Message::new(Header::sakke(0x1000_0001, CsIdMap::Empty { cs_count: 0 }))
        .with(Timestamp::NtpUtc(NtpTime::from_unix(1_700_000_000)))
        .with(Rand::new(vec![7; 16]))
        .with(Idr::uri(IdRole::INITIATOR, b"sip:alice@example.org".as_slice()))
        .with(Idr::uri(IdRole::RESPONDER, b"sip:bob@example.org".as_slice()))
        .with(Idr::uri(IdRole::INITIATOR_KMS, b"kms.example.org".as_slice()))
        .with(Idr::uri(IdRole::RESPONDER_KMS, b"kms.example.org".as_slice()))
        .with(default_policy(KeyType::Pck))
        .with(Sakke::mcx(vec![4; 273]))
        .with(Sign::eccsi(vec![5; 129]))
}

pub fn octets() -> Vec<u8> {
    message().to_bytes().unwrap()
}

pub fn base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// An INVITE with the message in its SDP, beside a body of another kind.
pub fn invite(octets: &[u8]) -> Vec<u8> {
    let body = format!(
        "--part\r\nContent-Type: application/vnd.3gpp.mcptt-info+xml\r\n\r\n<mcpttinfo/>\r\n\
         --part\r\nContent-Type: application/sdp\r\n\r\nv=0\r\na=key-mgmt:mikey {}\r\n\r\n--part--\r\n",
        base64(octets)
    );
    format!(
        "INVITE sip:bob@example.org SIP/2.0\r\nCall-ID: call-1\r\nCSeq: 1 INVITE\r\n\
         Content-Type: multipart/mixed;boundary=part\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
