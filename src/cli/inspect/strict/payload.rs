//! Rules of single payloads, whatever the method.
use super::super::finding::Finding;
use super::Extent;
use mikey_sakke::mikey::{
    CsIdMap, DataType, EncryptionAlgorithm, ExtensionType, GeneralExtension, Kemac, KeyIdInformation, MacAlgorithm,
    Message, OmaBcast, Payload, SdpIds, SecurityPolicy,
};

/// The fewest octets of RAND that are recommended.
const RAND_LEN: usize = 16;

/// Everything about RAND, keys, policies and extensions.
pub fn judge(message: &Message<'_>, extent: Extent) -> Vec<Finding> {
    let mut findings: Vec<Finding> = message.payloads.iter().flat_map(|payload| of_payload(payload, message)).collect();
    findings.extend(extensions(message));
    findings.extend(policies_beside_empty_map(message));
    findings.extend(repeated_policies(message));
    if extent == Extent::Whole {
        findings.extend(unknown_policies(message));
    }
    findings
}

fn of_payload(payload: &Payload<'_>, message: &Message<'_>) -> Vec<Finding> {
    match payload {
        Payload::Rand(rand) if rand.octets.len() < RAND_LEN => {
            let what = format!("RAND has {} octets: at least {RAND_LEN} are recommended", rand.octets.len());
            vec![Finding::accepted(what, "RFC 3830 6.11")]
        }
        Payload::Kemac(kemac) => keys(kemac, message.header.data_type),
        Payload::Verification(verification) if verification.mac.algorithm() == MacAlgorithm::Null => {
            vec![Finding::contradiction("V has the NULL MAC, which verifies nothing", "RFC 3830 4.2.4")]
        }
        _ => Vec::new(),
    }
}

fn keys(kemac: &Kemac<'_>, data_type: DataType) -> Vec<Finding> {
    let mut findings = Vec::new();
    if kemac.encryption == EncryptionAlgorithm::NULL && !kemac.data.is_empty() {
        let what = "the keys are in clear, which the protocol below has to protect";
        findings.push(Finding::accepted(what, "RFC 3830 4.2.3"));
    }
    let null_mac = kemac.mac.algorithm() == MacAlgorithm::Null;
    // In exchanges with V the MAC is there, and KEMAC has none.
    let in_v = match data_type {
        DataType::TicketRequestResponse => Some("RFC 6043 4.2.1.5"),
        DataType::TicketResolveResponse => Some("RFC 6043 4.2.3.5"),
        _ => None,
    };
    match (in_v, data_type) {
        (Some(clause), _) if !null_mac => {
            findings.push(Finding::contradiction("KEMAC has a MAC beside that of V: expected NULL", clause));
        }
        (None, DataType::PreShared | DataType::PublicKey | DataType::RsaReverseResponse) if null_mac => {
            findings.push(Finding::accepted("KEMAC has the NULL MAC: nothing authenticates it", "RFC 3830 4.2.4"));
        }
        (None, DataType::DhHmacInit | DataType::DhHmacResponse) if null_mac => {
            findings.push(Finding::contradiction("KEMAC has the NULL MAC: expected an HMAC", "RFC 4650 3"));
        }
        _ => {}
    }
    findings
}

/// General extensions of RFCs that cannot be read, in whatever message.
pub fn extensions<'m>(message: &'m Message<'m>) -> impl Iterator<Item = Finding> {
    message.payloads.iter().filter_map(|payload| match payload {
        Payload::GeneralExtension(extension) => extension_data(extension),
        _ => None,
    })
}

fn extension_data(extension: &GeneralExtension<'_>) -> Option<Finding> {
    let (outcome, clause) = match extension.extension_type {
        ExtensionType::KEY_ID => (KeyIdInformation::parse(&extension.data).map(drop), "RFC 4563 4"),
        ExtensionType::SDP_IDS => (SdpIds::parse(&extension.data).map(drop), "RFC 4567 4.1.4"),
        ExtensionType::OMA_BCAST => (OmaBcast::parse(&extension.data).map(drop), "RFC 5410 3"),
        _ => return None,
    };
    let error = outcome.err()?;
    Some(Finding::contradiction(format!("{}: {error} of its data", extension.extension_type), clause))
}

/// "In this case, there MUST NOT be any Security Policy payload present in the message."
pub fn policies_beside_empty_map(message: &Message<'_>) -> Option<Finding> {
    let is_empty = matches!(message.header.cs_id_map, CsIdMap::Empty { .. });
    let policies = message.payloads.iter().filter(|payload| matches!(payload, Payload::SecurityPolicy(_))).count();
    (is_empty && policies > 0).then(|| {
        let what = format!("{policies} SP beside an empty CS ID map, which says that policies are not in the message");
        Finding::accepted(what, "RFC 4563 5")
    })
}

/// Numbers that two policies have.
fn repeated_policies(message: &Message<'_>) -> Vec<Finding> {
    let numbers: Vec<u8> = policies(message).map(|policy| policy.policy_no).collect();
    let again = numbers.iter().enumerate().filter(|(index, number)| numbers.iter().take(*index).any(|n| n == *number));
    again
        .map(|(_, number)| {
            Finding::contradiction(format!("another security policy has the number {number}"), "RFC 3830 6.10")
        })
        .collect()
}

/// Numbers that an entry of the map names and no policy has.
fn unknown_policies(message: &Message<'_>) -> Vec<Finding> {
    let numbers: Vec<u8> = policies(message).map(|policy| policy.policy_no).collect();
    let mut findings = Vec::new();
    let unknown = |number: &u8| !numbers.is_empty() && !numbers.contains(number);
    let missing = |cs_id: usize, number: u8, clause| {
        let what = format!("crypto session {cs_id} names security policy {number}, which the message does not have");
        Finding::contradiction(what, clause)
    };
    match &message.header.cs_id_map {
        CsIdMap::SrtpId(entries) => {
            let numbered = (1..).zip(entries).filter(|(_, entry)| unknown(&entry.policy_no));
            findings.extend(numbered.map(|(cs_id, entry)| missing(cs_id, entry.policy_no, "RFC 3830 6.1.1")));
        }
        CsIdMap::GenericId(map) => findings.extend(map.entries().flat_map(|entry| {
            let named = entry.policy_numbers.iter().filter(|number| unknown(number));
            named.map(move |number| missing(entry.cs_id.into(), *number, "RFC 6043 6.1.1")).collect::<Vec<_>>()
        })),
        _ => {}
    }
    findings
}

/// The security policies of a message.
pub fn policies<'m>(message: &'m Message<'m>) -> impl Iterator<Item = &'m SecurityPolicy<'m>> {
    message.payloads.iter().filter_map(|payload| match payload {
        Payload::SecurityPolicy(policy) => Some(policy),
        _ => None,
    })
}
