//! What a message says about SRTP: the security policies and crypto sessions that TS 33.180 gives each key type.
use crate::mc::{Bundle, CsId, Error, KeyType};
use crate::mikey::{
    CsIdMap, GenericIdEntry, GenericIdMap, ProtocolType, SecurityPolicy, SrtpAuthentication, SrtpEncryption,
    SrtpParameter,
};
use alloc::vec::Vec;

/// The policy number that we write.
const POLICY_NO: u8 = 0;
/// No map: the sessions are those of table E.1.3-1.
pub(super) const EMPTY_MAP: CsIdMap<'static> = CsIdMap::Empty { cs_count: 0 };

/// How media is protected under AEAD_AES_128_GCM: what the media layer must know beyond the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum SrtpPolicy {
    /// Table E.2-1: packets carry the roll-over counter in a tag of four octets (RFC 4771, RCCm3), for late joiners.
    Group,
    /// Table E.3-1: packets do not.
    Pair,
}

/// An SRTP policy parameter (RFC 3830 6.10.1) with its value, which is one octet in all that the profile has.
type Parameter = (SrtpParameter, u8);

const AES_GCM: Parameter = (SrtpParameter::ENCRYPTION_ALGORITHM, SrtpEncryption::AES_GCM.0);
const KEY_LENGTH: Parameter = (SrtpParameter::SESSION_ENCRYPTION_KEY_LENGTH, 16);
/// RFC 4771 mode 3: packets carry the roll-over counter, without integrity protection beyond that of the cipher.
const ROC_MODE: Parameter = (SrtpParameter::AUTHENTICATION_ALGORITHM, SrtpAuthentication::RCCM_3.0);
const SALT_LENGTH: Parameter = (SrtpParameter::SESSION_SALT_LENGTH, 12);
const SRTP_PRF: Parameter = (SrtpParameter::PRF, 0);
const KEY_DERIVATION_RATE: Parameter = (SrtpParameter::KEY_DERIVATION_RATE, 0);
const SRTP_ENCRYPTED: Parameter = (SrtpParameter::SRTP_ENCRYPTION, 1);
const SRTCP_ENCRYPTED: Parameter = (SrtpParameter::SRTCP_ENCRYPTION, 1);
const ROC_RATE: Parameter = (SrtpParameter::ROC_TRANSMISSION_RATE, 1);
const ROC_TAG_LENGTH: Parameter = (SrtpParameter::SRTP_AUTHENTICATION_TAG_LENGTH, 4);
const SRTCP_TAG_LENGTH: Parameter = (SrtpParameter::SRTCP_AUTHENTICATION_TAG_LENGTH, 0);
const AEAD_TAG_LENGTH: Parameter = (SrtpParameter::AEAD_TAG_LENGTH, 16);

/// Table E.2-1: a group, whose late joiners need the roll-over counter.
const GROUP: [Parameter; 10] = [
    AES_GCM,
    KEY_LENGTH,
    ROC_MODE,
    SALT_LENGTH,
    SRTP_PRF,
    KEY_DERIVATION_RATE,
    ROC_RATE,
    ROC_TAG_LENGTH,
    SRTCP_TAG_LENGTH,
    AEAD_TAG_LENGTH,
];
/// Table E.3-1: two parties.
const PAIR: [Parameter; 6] = [AES_GCM, KEY_LENGTH, SALT_LENGTH, SRTP_PRF, KEY_DERIVATION_RATE, AEAD_TAG_LENGTH];

/// The security policy that goes with a key by default: that of a group for a GMK (table E.2-1), that of two parties for
/// all others (table E.3-1).
pub fn default_policy(key_type: KeyType) -> SecurityPolicy<'static> {
    let parameters = match key_type {
        KeyType::Gmk => GROUP.as_slice(),
        _ => &PAIR,
    };
    SecurityPolicy::srtp(POLICY_NO, parameters)
}

/// A GENERIC-ID map of the first crypto session under a key, with the key's identifiers as SPI: GMK-ID || GUK-ID for a
/// GMK. Fails with [`Error::NoCryptoSessions`] for keys that have none. The session is under the default policy, if the
/// message has it.
pub(super) fn generic_id_map(bundle: &Bundle, has_policy: bool) -> Result<CsIdMap<'static>, Error> {
    let key_type = bundle.key_id.key_type();
    let cs_id = CsId::first(key_type).ok_or(Error::NoCryptoSessions { key_type })?;
    let map = GenericIdMap::new(&[GenericIdEntry {
        cs_id: cs_id.to_u8(),
        protocol: ProtocolType::SRTP,
        session_data_flag: false,
        policy_numbers: if has_policy { &[POLICY_NO] } else { &[] },
        session_data: &[],
        spi: &bundle.mki(),
    }])?;
    Ok(CsIdMap::GenericId(map))
}

/// Every fault of a received security policy, which should be AEAD_AES_128_GCM in one of the two forms of the tables, or
/// less explicitly.
///
/// Deployed senders mix the two forms, so each parameter is judged by itself. Each has one acceptable value; what is left
/// out has the same meaning by default, save the cipher, which must be there.
pub(super) fn policy_faults<'p>(policy: &'p SecurityPolicy<'_>) -> impl Iterator<Item = Error> + 'p {
    let (policy_no, is_srtp) = (policy.policy_no, policy.protocol == ProtocolType::SRTP);
    let protocol = (!is_srtp).then_some(Error::PolicyProtocol { policy_no, found: policy.protocol });
    let mut seen: Vec<SrtpParameter> = Vec::new();
    let parameters = parameters(policy).filter_map(move |(kind, value)| {
        if seen.contains(&kind) {
            return Some(Error::Repeated { what: "parameter of one type in a security policy" });
        }
        seen.push(kind);
        let known = match *value {
            [value] => GROUP.iter().chain(&[SRTP_ENCRYPTED, SRTCP_ENCRYPTED]).any(|known| *known == (kind, value)),
            _ => false,
        };
        (!known).then_some(Error::PolicyParameter { policy_no, parameter: kind })
    });
    let has_cipher = self::parameters(policy).any(|(kind, _)| kind == SrtpParameter::ENCRYPTION_ALGORITHM);
    let cipher = (!has_cipher).then_some(Error::PolicyCipher { policy_no });
    // The parameters of another protocol have other meanings.
    protocol.into_iter().chain(parameters.chain(cipher).filter(move |_| is_srtp))
}

/// Which of the two tables a policy without faults follows.
pub(super) fn srtp_policy(policy: &SecurityPolicy<'_>) -> SrtpPolicy {
    let (roc_mode, value) = ROC_MODE;
    match parameters(policy).any(|parameter| parameter == (roc_mode, &[value])) {
        true => SrtpPolicy::Group,
        false => SrtpPolicy::Pair,
    }
}

fn parameters<'p>(policy: &'p SecurityPolicy<'_>) -> impl Iterator<Item = (SrtpParameter, &'p [u8])> {
    policy.parameters().map(|parameter| (SrtpParameter(parameter.parameter_type), parameter.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mikey::PolicyParameter;

    fn judge_policy(policy: &SecurityPolicy<'_>) -> Result<SrtpPolicy, Error> {
        policy_faults(policy).next().map_or_else(|| Ok(srtp_policy(policy)), Err)
    }

    fn judge(parameters: &[Parameter]) -> Result<SrtpPolicy, Error> {
        judge_policy(&SecurityPolicy::srtp(7, parameters))
    }

    fn refused(parameter: SrtpParameter) -> Result<SrtpPolicy, Error> {
        Err(Error::PolicyParameter { policy_no: 7, parameter })
    }

    #[test]
    fn our_own_policies_and_those_of_the_vendors_are_accepted() {
        for key_type in KeyType::ALL {
            let expected = if key_type == KeyType::Gmk { SrtpPolicy::Group } else { SrtpPolicy::Pair };
            assert_eq!(judge_policy(&default_policy(key_type)), Ok(expected));
        }
        let streamwide: Vec<Parameter> = GROUP.into_iter().filter(|p| *p != ROC_RATE).collect();
        assert_eq!(judge(&streamwide), Ok(SrtpPolicy::Group));
    }

    #[test]
    fn every_other_value_and_parameter_is_refused() {
        for at in 0..GROUP.len() {
            let mut parameters = GROUP;
            parameters[at].1 ^= 1;
            assert_eq!(judge(&parameters), refused(GROUP[at].0));
        }
        assert_eq!(judge(&[AES_GCM, (SRTP_ENCRYPTED.0, 0)]), refused(SRTP_ENCRYPTED.0));
        assert_eq!(judge(&[AES_GCM, (SrtpParameter(21), 0)]), refused(SrtpParameter(21)));
        let wide = [PolicyParameter { parameter_type: 0, value: &[0, 6] }];
        assert_eq!(judge_policy(&SecurityPolicy::new(7, ProtocolType::SRTP, &wide).unwrap()), refused(AES_GCM.0));
    }

    #[test]
    fn a_repeated_parameter_is_refused() {
        let refused = Err(Error::Repeated { what: "parameter of one type in a security policy" });
        assert_eq!(judge(&[AES_GCM, KEY_LENGTH, AES_GCM]), refused);
    }

    #[test]
    fn a_policy_without_a_cipher_is_refused() {
        assert_eq!(judge(&[KEY_LENGTH]), Err(Error::PolicyCipher { policy_no: 7 }));
    }

    #[test]
    fn every_fault_is_found() {
        let wrong = [(KEY_LENGTH.0, 32), (SALT_LENGTH.0, 14)];
        let faults: Vec<_> = policy_faults(&SecurityPolicy::srtp(7, &wrong)).collect();
        let parameter = |parameter| Error::PolicyParameter { policy_no: 7, parameter };
        let expected = [parameter(KEY_LENGTH.0), parameter(SALT_LENGTH.0), Error::PolicyCipher { policy_no: 7 }];
        assert_eq!(faults, expected);
    }

    #[test]
    fn another_protocol_is_refused() {
        let policy = SecurityPolicy::new(7, ProtocolType(1), &[]).unwrap();
        assert_eq!(judge_policy(&policy), Err(Error::PolicyProtocol { policy_no: 7, found: ProtocolType(1) }));
    }
}
