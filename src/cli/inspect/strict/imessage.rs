//! I_MESSAGEs of MIKEY-SAKKE: the profile of TS 33.180, and RFC 6509 and the RFCs below it where the profile says nothing.
use super::super::finding::Finding;
use super::composition::name;
use super::{Extent, payload};
use mikey_sakke::mc::imessage::{Judgement, Opened, Revocation, default_policy};
use mikey_sakke::mc::{CsId, Error, KeyId, KeyType, ProtectedLayout};
use mikey_sakke::mikey::{CsIdMap, ExtensionType, IdRole, Message, Payload, SecurityPolicy};

const ORDER: &str = "TS 33.180 E.1.2";
const SESSIONS: &str = "TS 33.180 E.1.3";
const POLICY_SET: &str = "TS 33.180 E.2, E.3";
const KEY_PARAMETERS: &str = "TS 33.180 E.6.1";

/// What a receiver refuses, what a setting excuses, and what is accepted although it is not as it should be.
pub fn judge(message: &Message<'_>, extent: Extent) -> Vec<Finding> {
    let Judgement { refusals, deviations, to_self } = Judgement::of(message);
    // What follows a fault may be what seems to be missing.
    let may_follow = |error: &Error| matches!(error, Error::Missing { .. } | Error::NoSuchPolicy { .. });
    let known = |error: &&Error| extent == Extent::Whole || !may_follow(error);
    let mut findings: Vec<Finding> = deviations.into_iter().map(Finding::excusable).collect();
    findings.extend(refusals.iter().filter(known).map(Finding::refused));
    findings.extend(to_self.iter().map(Finding::of_to_self));
    findings.extend(order(message));
    if let Ok(csb_id) = KeyId::from_u32(message.header.csb_id) {
        findings.extend(policies(message, csb_id.key_type()));
    }
    findings.extend(payload::policies_beside_empty_map(message));
    findings.extend(payload::extensions(message));
    findings.extend(type_of_no_map(message));
    findings.extend(message.payloads.iter().filter_map(payload_numbers));
    findings
}

/// The same for what only a store can open.
pub fn judge_opened(opened: &Opened) -> Vec<Finding> {
    let mut findings = Vec::new();
    if opened.revocation == Revocation::Possible {
        findings.push(Finding::accepted(
            "status 0 says that the key is revoked: expected 1 for a live key",
            KEY_PARAMETERS,
        ));
    }
    let reserved = opened.parameters.as_ref().map_or(0, |parameters| parameters.status.0 & !3);
    if reserved != 0 {
        findings.push(Finding::accepted(format!("reserved bits {reserved:#x} of the status are set"), KEY_PARAMETERS));
    }
    findings
}

/// HDR, T, RAND, IDRi, IDRr, IDRkmsi, IDRkmsr, SP, SAKKE, General Extension, SIGN.
fn order(message: &Message<'_>) -> Option<Finding> {
    let mut previous = (0, String::from("HDR"));
    for payload in &message.payloads {
        let (rank, name) = (rank(payload)?, name(payload));
        if rank < previous.0 {
            let what =
                format!("{name} follows {}: expected T, RAND, IDR, SP, SAKKE, General Extension, SIGN", previous.1);
            return Some(Finding::accepted(what, ORDER));
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

/// Policies that are not the default of the key, and what binds them to sessions.
fn policies(message: &Message<'_>, key_type: KeyType) -> Vec<Finding> {
    let default = sorted(&default_policy(key_type));
    let policies: Vec<&SecurityPolicy<'_>> = payload::policies(message).collect();
    let unusual: Vec<_> = policies.iter().filter(|policy| sorted(policy) != default).collect();
    let mut findings: Vec<Finding> = unusual
        .iter()
        .map(|policy| {
            let what = format!("security policy {} is not the default profile of a {key_type}", policy.policy_no);
            Finding::accepted(what, POLICY_SET)
        })
        .collect();
    let mapped = !matches!(message.header.cs_id_map, CsIdMap::Empty { .. }) && message.header.cs_id_map.cs_count() > 0;
    let needs_map = !unusual.is_empty() || policies.len() > 1;
    if needs_map && !mapped && CsId::first(key_type).is_some() {
        let what =
            "no GENERIC-ID map says which crypto session the security policy is for: without one the default holds";
        findings.push(Finding::accepted(what, SESSIONS));
    }
    findings
}

fn sorted(policy: &SecurityPolicy<'_>) -> Vec<(u8, Vec<u8>)> {
    let mut parameters: Vec<_> =
        policy.parameters().map(|parameter| (parameter.parameter_type, parameter.value.to_vec())).collect();
    parameters.sort();
    parameters
}

/// Without a crypto session the map is the empty one.
fn type_of_no_map(message: &Message<'_>) -> Option<Finding> {
    let map = &message.header.cs_id_map;
    (map.cs_count() == 0 && !matches!(map, CsIdMap::Empty { .. })).then(|| {
        let what = format!("no crypto session, and a CS ID map of type {}: expected 1 (empty)", map.type_name());
        Finding::accepted(what, "TS 36.579-1 5.5.9.1")
    })
}

/// Payload ID and sequence number of key parameters, which receivers ignore.
fn payload_numbers(payload: &Payload<'_>) -> Option<Finding> {
    let Payload::GeneralExtension(extension) = payload else { return None };
    let of_key_parameters = extension.extension_type == ExtensionType::KEY_PARAMETERS;
    let layout = ProtectedLayout::parse(&extension.data).ok().filter(|_| of_key_parameters)?;
    (layout.payload_id != [0; 4] || layout.sequence != 0).then(|| {
        let what = "payload ID or sequence number of the key parameters is not 0";
        Finding::accepted(what, KEY_PARAMETERS)
    })
}
