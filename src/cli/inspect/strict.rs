//! What `--strict` finds beyond the first refusal: every rule by itself, and what is accepted although it deviates.
use super::clause;
use super::finding::Finding;
use mikey_sakke::mc::imessage::{Opened, Revocation, default_policy};
use mikey_sakke::mc::{CsId, Error, KeyId, KeyType};
use mikey_sakke::mikey::{
    CsIdMap, DataType, ExtensionType, IdRole, IdScheme, Message, Payload, PayloadType, PrfFunction, SakkeParameters,
    SecurityPolicy, SignatureType, Timestamp,
};
use mikey_sakke::{eccsi, sakke};

const RAND_LEN: usize = 16;

/// Everything in a message that the specification does not allow or that is not as it wants it.
pub fn judge(message: &Message<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = header(message).iter().map(Finding::refused).collect();
    findings.extend(message.payloads.iter().flat_map(refusals).map(|error| Finding::refused(&error)));
    findings.extend(order(message));
    if let Ok(csb_id) = KeyId::from_u32(message.header.csb_id) {
        findings.extend(policies(message, csb_id.key_type()));
    }
    findings.extend(message.payloads.iter().filter_map(payload_numbers));
    findings
}

/// The same for what only a store can open.
pub fn judge_opened(opened: &Opened) -> Vec<Finding> {
    let mut findings = Vec::new();
    if opened.revocation == Revocation::Possible {
        findings.push(Finding::accepted(
            "status 0 says that the key is revoked: expected 1 for a live key",
            clause::STATUS,
        ));
    }
    let reserved = opened.parameters.as_ref().map_or(0, |parameters| parameters.status.0 & !3);
    if reserved != 0 {
        findings.push(Finding::accepted(format!("reserved bits {reserved:#x} of the status are set"), clause::STATUS));
    }
    findings
}

fn header(message: &Message<'_>) -> Vec<Error> {
    let header = &message.header;
    let mut errors = Vec::new();
    if header.data_type != DataType::Sakke {
        errors.push(Error::DataType { found: header.data_type });
    }
    if !matches!(header.prf, PrfFunction::HMAC_SHA_256 | PrfFunction::MIKEY_1) {
        errors.push(Error::Prf { found: header.prf });
    }
    errors
}

fn refusals(payload: &Payload<'_>) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut refuse = |wrong: bool, error: Error| errors.extend(wrong.then_some(error));
    match payload {
        Payload::Timestamp(time) => {
            let found = time.type_number();
            refuse(!matches!(time, Timestamp::NtpUtc(_)), Error::TimestampType { found });
        }
        Payload::Rand(rand) => {
            let found = rand.octets.len();
            refuse(found != RAND_LEN, Error::RandLength { found });
        }
        Payload::Sakke(sakke) => {
            let found = sakke.data.len();
            refuse(sakke.parameters != SakkeParameters::SET_1, Error::SakkeParameterSet { found: sakke.parameters });
            refuse(sakke.id_scheme != IdScheme::MCX_UID, Error::IdScheme { found: sakke.id_scheme });
            refuse(found != sakke::SED_LEN, Error::SakkeLength { found });
        }
        Payload::Sign(sign) => {
            let found = sign.signature.len();
            refuse(sign.signature_type != SignatureType::ECCSI, Error::SignatureType { found: sign.signature_type });
            refuse(found != eccsi::SIGNATURE_LEN, Error::SignatureLength { found });
        }
        _ => {}
    }
    errors
}

/// HDR, T, RAND, IDRi, IDRr, IDRkmsi, IDRkmsr, SP, SAKKE, General Extension, SIGN.
fn order(message: &Message<'_>) -> Option<Finding> {
    let mut previous = (0, String::from("HDR"));
    for payload in &message.payloads {
        let (rank, name) = (rank(payload)?, name(payload));
        if rank < previous.0 {
            let what =
                format!("{name} follows {}: expected T, RAND, IDR, SP, SAKKE, General Extension, SIGN", previous.1);
            return Some(Finding::accepted(what, clause::ORDER));
        }
        previous = (rank, name);
    }
    None
}

/// Where a payload belongs; none for one that does not belong in an I_MESSAGE.
fn rank(payload: &Payload<'_>) -> Option<u8> {
    Some(match payload {
        Payload::Timestamp(_) => 1,
        Payload::Rand(_) => 2,
        Payload::Idr(idr) => match idr.role {
            IdRole::INITIATOR | IdRole::INITIATOR_UID => 3,
            IdRole::RESPONDER | IdRole::RESPONDER_UID => 4,
            IdRole::INITIATOR_KMS => 5,
            IdRole::RESPONDER_KMS => 6,
            _ => return None,
        },
        Payload::SecurityPolicy(_) => 7,
        Payload::Sakke(_) => 8,
        Payload::GeneralExtension(_) => 9,
        Payload::Sign(_) => 10,
        _ => return None,
    })
}

fn name(payload: &Payload<'_>) -> String {
    match payload {
        Payload::Idr(idr) => format!("IDR of role {}", idr.role),
        payload => {
            let kind: PayloadType = payload.payload_type();
            kind.name().map_or_else(|| kind.to_string(), str::to_owned)
        }
    }
}

/// Policies that are not the default of the key, and what binds them to sessions.
fn policies(message: &Message<'_>, key_type: KeyType) -> Vec<Finding> {
    let default = sorted(&default_policy(key_type));
    let policies: Vec<&SecurityPolicy<'_>> = message
        .payloads
        .iter()
        .filter_map(|payload| match payload {
            Payload::SecurityPolicy(policy) => Some(policy),
            _ => None,
        })
        .collect();
    let unusual: Vec<_> = policies.iter().filter(|policy| sorted(policy) != default).collect();
    let mut findings: Vec<Finding> = unusual
        .iter()
        .map(|policy| {
            let what = format!("security policy {} is not the default profile of a {key_type}", policy.policy_no);
            Finding::accepted(what, clause::POLICY_SET)
        })
        .collect();
    let mapped = !matches!(message.header.cs_id_map, CsIdMap::Empty { .. }) && message.header.cs_id_map.cs_count() > 0;
    let needs_map = !unusual.is_empty() || policies.len() > 1;
    if needs_map && !mapped && CsId::first(key_type).is_some() {
        let what =
            "no GENERIC-ID map says which crypto session the security policy is for: without one the default holds";
        findings.push(Finding::accepted(what, clause::SESSION_MAP));
    }
    findings
}

fn sorted(policy: &SecurityPolicy<'_>) -> Vec<(u8, Vec<u8>)> {
    let mut parameters: Vec<_> =
        policy.parameters().map(|parameter| (parameter.parameter_type, parameter.value.to_vec())).collect();
    parameters.sort();
    parameters
}

/// Payload ID and sequence number of key parameters, which receivers ignore.
fn payload_numbers(payload: &Payload<'_>) -> Option<Finding> {
    let Payload::GeneralExtension(extension) = payload else { return None };
    let numbers = extension.data.get(6..11)?;
    let wrong = extension.extension_type == ExtensionType::KEY_PARAMETERS && numbers.iter().any(|octet| *octet != 0);
    wrong.then(|| {
        let what = "payload ID or sequence number of the key parameters is not 0";
        Finding::accepted(what, clause::PAYLOAD_NUMBERS)
    })
}
