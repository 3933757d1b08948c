//! Rules of single payloads, whatever the method.
use super::super::finding::Finding;
use super::Extent;
use mikey_sakke::exchange::{self, MapRole, map_faults, repeated_extensions};
use mikey_sakke::mikey::{
    CsIdMap, DataType, EncryptionAlgorithm, ExtensionType, GeneralExtension, Kemac, KeyData, KeyIdInformation,
    MacAlgorithm, Message, OmaBcast, Payload, PayloadType, SdpIds, SecurityPolicy, SubPayload, SubPayloads,
};

/// The fewest octets of RAND that are recommended.
const RAND_LEN: usize = 16;

/// Everything about RAND, keys, policies, sessions and extensions.
pub fn judge(message: &Message<'_>, extent: Extent) -> Vec<Finding> {
    let mut findings: Vec<Finding> = message.payloads.iter().flat_map(|payload| of_payload(payload, message)).collect();
    findings.extend(extensions(message));
    findings.extend(repeated_extensions(general_extensions(message)).iter().map(Finding::of_exchange));
    findings.extend(policies_beside_empty_map(message));
    findings.extend(sessions(message, extent));
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
    if let Some(Err(error)) = keys_in_clear(kemac, data_type) {
        let finding = Finding::of_exchange(&error);
        findings.push(Finding { what: format!("in Encr data of KEMAC: {}", finding.what), ..finding });
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

/// The keys of a KEMAC that hides nothing, where the method has nothing before Key data.
fn keys_in_clear<'m>(kemac: &'m Kemac<'_>, data_type: DataType) -> Option<Result<Vec<KeyData<'m>>, exchange::Error>> {
    let begins_with_keys = matches!(
        data_type,
        DataType::PreShared
            | DataType::TicketRequestResponse
            | DataType::TicketTransferInit
            | DataType::TicketTransferResponse
            | DataType::TicketResolveResponse
    );
    let is_clear = kemac.encryption == EncryptionAlgorithm::NULL && !kemac.data.is_empty();
    (begins_with_keys && is_clear).then(|| {
        let inside = SubPayloads::parse(PayloadType::KEY_DATA, &kemac.data)?;
        let keys = inside.payloads.into_iter().map(|payload| match payload {
            SubPayload::KeyData(key) => Ok(key),
            other => Err(exchange::Error::UnexpectedPayload { found: other.payload_type() }),
        });
        keys.collect()
    })
}

/// General extensions of RFCs that cannot be read, in whatever message.
pub fn extensions<'m>(message: &'m Message<'m>) -> impl Iterator<Item = Finding> {
    general_extensions(message).filter_map(extension_data)
}

fn general_extensions<'m>(message: &'m Message<'m>) -> impl Iterator<Item = &'m GeneralExtension<'m>> + Clone {
    message.payloads.iter().filter_map(|payload| match payload {
        Payload::GeneralExtension(extension) => Some(extension),
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

/// What an exchange refuses of the crypto sessions and their policies.
fn sessions(message: &Message<'_>, extent: Extent) -> Vec<Finding> {
    let policies: Vec<SecurityPolicy<'_>> = policies(message).cloned().collect();
    let role = role(message, extent);
    let keys = match role {
        MapRole::Offer => pre_shared_method_keys(message),
        MapRole::Update | MapRole::Answer => None,
    };
    let faults = map_faults(&message.header.cs_id_map, &policies, keys.as_deref(), role);
    faults.iter().map(Finding::of_exchange).collect()
}

/// What a message says of sessions is an offer, unless it answers one, updates a bundle, or breaks before all policies were
/// there. Only an update has no RAND (RFC 3830 4.5, RFC 6043 5.2), save in RSA-R, where it may be missing (RFC 4738 3.1).
fn role(message: &Message<'_>, extent: Extent) -> MapRole {
    let has_rand = message.payloads.iter().any(|payload| matches!(payload, Payload::Rand(_) | Payload::Randr(_)));
    let is_first = match message.header.data_type {
        DataType::PreSharedVerification
        | DataType::PublicKeyVerification
        | DataType::DiffieHellmanResponse
        | DataType::DhHmacResponse
        | DataType::RsaReverseResponse
        | DataType::TicketTransferResponse => return MapRole::Answer,
        DataType::PreShared
        | DataType::PublicKey
        | DataType::DiffieHellmanInit
        | DataType::DhHmacInit
        | DataType::TicketTransferInit => has_rand,
        DataType::RsaReverseInit => true,
        _ => false,
    };
    if is_first && extent == Extent::Whole { MapRole::Offer } else { MapRole::Update }
}

/// All keys of a message, where it has them in clear. Other methods have further keys elsewhere.
fn pre_shared_method_keys<'m>(message: &'m Message<'m>) -> Option<Vec<KeyData<'m>>> {
    let data_type = Some(message.header.data_type).filter(|data_type| *data_type == DataType::PreShared)?;
    message.payloads.iter().find_map(|payload| match payload {
        Payload::Kemac(kemac) => keys_in_clear(kemac, data_type)?.ok(),
        _ => None,
    })
}

/// The security policies of a message.
pub fn policies<'m>(message: &'m Message<'m>) -> impl Iterator<Item = &'m SecurityPolicy<'m>> {
    message.payloads.iter().filter_map(|payload| match payload {
        Payload::SecurityPolicy(policy) => Some(policy),
        _ => None,
    })
}
