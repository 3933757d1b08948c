//! What tshark 4.0 gets wrong. Each fault is excused where it is known to be, and must still be there: once it is mended, the
//! test fails, and its entry goes.

use crate::difference::Difference;
use mikey_sakke::mikey::{CsIdMap, MacAlgorithm, Message, Payload};

/// A known fault of tshark.
pub struct Fault {
    pub name: &'static str,
    /// Whether it explains a difference in what tshark makes of a message.
    pub explains: fn(&Message<'_>, &Difference) -> bool,
}

pub const FAULTS: [Fault; 6] = [
    // It does not know CS ID map type 2 and takes the map for payloads, which it then calls malformed: what it sees from there
    // on is wrong, what precedes is right.
    Fault {
        name: "GENERIC-ID map",
        explains: |message, difference| has_generic_id_map(message) && is_behind_header(difference),
    },
    // It adds the place of the policy in the message twice.
    Fault { name: "places of SP parameters", explains: |_, difference| is_moved_parameter(difference) },
    // Its list of parameters is one longer than it has names: the value of the first that it does not know gets none.
    Fault { name: "SP parameter 13", explains: |message, difference| has_parameter_13(message) && unnamed(difference) },
    // It reads the length of a certificate from the octet before, and with it the certificate: the payload and what is behind
    // its type are wrong, what precedes is right.
    Fault {
        name: "length of a certificate",
        explains: |message, difference| cert(message).is_some_and(|start| is_in_cert(difference, start)),
    },
    // It knows no MAC but HMAC-SHA-1-160.
    Fault { name: "HMAC-SHA-256", explains: |message, difference| has_sha_256(message) && is_missing_mac(difference) },
    // It knows nothing of RFC 6043 but IDR, and nothing of RFC 6267.
    Fault {
        name: "payloads of MIKEY-TICKET and MIKEY-IBAKE",
        explains: |_, difference| matches!(difference, Difference::Missing(field) if field.name == "payload"),
    },
];

fn has_generic_id_map(message: &Message<'_>) -> bool {
    matches!(&message.header.cs_id_map, CsIdMap::GenericId(map) if !map.is_empty())
}

fn is_moved_parameter(difference: &Difference) -> bool {
    matches!(difference, Difference::Moved(field) if ["sp.param.type", "sp.param.len"].contains(&field.name.as_str()))
}

fn has_parameter_13(message: &Message<'_>) -> bool {
    message.payloads.iter().any(|payload| match payload {
        Payload::SecurityPolicy(policy) => policy.parameters().any(|parameter| parameter.parameter_type == 13),
        _ => false,
    })
}

fn unnamed(difference: &Difference) -> bool {
    matches!(difference, Difference::Missing(field) if field.name == "sp.param")
}

/// What it says once it has lost the chain of payloads.
fn is_of_lost_chain(complaint: &str) -> bool {
    ["_ws.malformed", "Malformed Packet (Exception occurred)", "Trailing stray characters"].contains(&complaint)
}

/// Where the map begins. The header, which ends behind it, is too short for tshark.
const MAP_START: usize = 10;

fn is_behind_header(difference: &Difference) -> bool {
    match difference {
        // Complaints have no place. What the map and the random octets behind it are taken for decides on them.
        Difference::Complaint(_) => true,
        Difference::Missing(field) | Difference::Extra(field) if field.name == "hdr" => field.start == 0,
        Difference::Missing(field) | Difference::Extra(field) | Difference::Moved(field) => field.start >= MAP_START,
    }
}

/// Where the first certificate begins.
fn cert(message: &Message<'_>) -> Option<usize> {
    let mut located = message.located();
    located.find(|(_, payload)| matches!(payload, Payload::Cert(_))).map(|(octets, _)| octets.start)
}

/// Next payload and type of the certificate precede its length, which is read one octet too early.
fn is_in_cert(difference: &Difference, start: usize) -> bool {
    match difference {
        Difference::Complaint(text) => is_of_lost_chain(text),
        Difference::Missing(field) | Difference::Extra(field) if field.name == "cert" => field.start == start,
        Difference::Extra(field) if field.name == "cert.len" => field.start == start + 1,
        Difference::Missing(field) | Difference::Extra(field) => field.start >= start + 2,
        Difference::Moved(_) => false,
    }
}

fn has_sha_256(message: &Message<'_>) -> bool {
    message.payloads.iter().any(|payload| match payload {
        Payload::Kemac(kemac) => kemac.mac.algorithm() == MacAlgorithm::HmacSha256,
        Payload::Verification(verification) => verification.mac.algorithm() == MacAlgorithm::HmacSha256,
        _ => false,
    })
}

fn is_missing_mac(difference: &Difference) -> bool {
    let Difference::Missing(field) = difference else { return false };
    ["kemac.mac", "v.ver_data"].contains(&field.name.as_str())
}
