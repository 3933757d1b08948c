use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_8, put_data_16};
use crate::mikey::registry::registry;

registry! {
    /// The security protocol that a policy or a crypto session is for (RFC 3830 6.10, RFC 4442 4.1).
    ProtocolType {
        SRTP = 0, "SRTP";
        TESLA = 1, "TESLA";
    }
}

registry! {
    /// A parameter of an SRTP policy (RFC 3830 6.10.1, RFC 4771, RFC 7714, TS 33.180 E.2).
    SrtpParameter {
        ENCRYPTION_ALGORITHM = 0, "encryption algorithm";
        SESSION_ENCRYPTION_KEY_LENGTH = 1, "session encryption key length";
        AUTHENTICATION_ALGORITHM = 2, "authentication algorithm";
        SESSION_AUTHENTICATION_KEY_LENGTH = 3, "session authentication key length";
        SESSION_SALT_LENGTH = 4, "session salt key length";
        PRF = 5, "SRTP pseudo-random function";
        KEY_DERIVATION_RATE = 6, "key derivation rate";
        SRTP_ENCRYPTION = 7, "SRTP encryption off/on";
        SRTCP_ENCRYPTION = 8, "SRTCP encryption off/on";
        FEC_ORDER = 9, "sender's FEC order";
        SRTP_AUTHENTICATION = 10, "SRTP authentication off/on";
        AUTHENTICATION_TAG_LENGTH = 11, "authentication tag length";
        PREFIX_LENGTH = 12, "SRTP prefix length";
        ROC_TRANSMISSION_RATE = 13, "ROC transmission rate";
        SRTP_AUTHENTICATION_ALGORITHM = 14, "SRTP authentication algorithm";
        SRTCP_AUTHENTICATION_ALGORITHM = 15, "SRTCP authentication algorithm";
        SRTP_SESSION_AUTHENTICATION_KEY_LENGTH = 16, "SRTP session authentication key length";
        SRTCP_SESSION_AUTHENTICATION_KEY_LENGTH = 17, "SRTCP session authentication key length";
        SRTP_AUTHENTICATION_TAG_LENGTH = 18, "SRTP authentication tag length";
        SRTCP_AUTHENTICATION_TAG_LENGTH = 19, "SRTCP authentication tag length";
        AEAD_TAG_LENGTH = 20, "AEAD authentication tag length";
    }
}

registry! {
    /// Values of [`SrtpParameter::ENCRYPTION_ALGORITHM`] (RFC 3830 6.10.1, RFC 5748, RFC 7714, RFC 8269).
    SrtpEncryption {
        NULL = 0, "NULL";
        AES_CM = 1, "AES-CM";
        AES_F8 = 2, "AES-F8";
        SEED_CTR = 3, "SEED-CTR";
        SEED_CCM = 4, "SEED-CCM";
        SEED_GCM = 5, "SEED-GCM";
        AES_GCM = 6, "AES-GCM";
        ARIA_CTR = 7, "ARIA-CTR";
        ARIA_GCM = 8, "ARIA-GCM";
    }
}

registry! {
    /// Values of [`SrtpParameter::PRF`] (RFC 3830 6.10.1, RFC 5748, RFC 8269).
    SrtpPrf {
        AES_CM = 0, "AES-CM";
        SEED_CTR = 1, "SEED-CTR";
        ARIA_CTR = 2, "ARIA-CTR";
    }
}

registry! {
    /// A parameter of a TESLA policy (RFC 4442 4.2).
    TeslaParameter {
        PRF = 1, "PRF identifier for f and f'";
        PRF_OUTPUT_LENGTH = 2, "length of PRF f' output";
        MAC = 3, "identifier for the TESLA MAC";
        MAC_OUTPUT_LENGTH = 4, "length of TESLA MAC output";
        START_OF_SESSION = 5, "start of session";
        INTERVAL_DURATION = 6, "interval duration";
        KEY_DISCLOSURE_DELAY = 7, "key disclosure delay";
        KEY_CHAIN_LENGTH = 8, "key chain length";
        RECEIVER_TIMESTAMP = 9, "local timestamp media receiver";
    }
}

registry! {
    /// Values of [`SrtpParameter::AUTHENTICATION_ALGORITHM`] (RFC 3830 6.10.1, RFC 4771).
    SrtpAuthentication {
        NULL = 0, "NULL";
        HMAC_SHA_1 = 1, "HMAC-SHA-1";
        RCCM_1 = 2, "RCCm1";
        RCCM_2 = 3, "RCCm2";
        RCCM_3 = 4, "RCCm3";
    }
}

/// SP, a numbered list of parameters for a security protocol (RFC 3830 6.10). Crypto sessions refer to its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityPolicy<'a> {
    /// Number of the policy.
    pub policy_no: u8,
    /// The protocol that the parameters are for.
    pub protocol: ProtocolType,
    /// Well-formed type, length, value triples.
    parameters: Cow<'a, [u8]>,
}

/// One parameter of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyParameter<'a> {
    /// What the parameter is; the numbers depend on the protocol, see [`PolicyParameter::srtp_name`].
    pub parameter_type: u8,
    /// Its value, at most 255 octets.
    pub value: &'a [u8],
}

impl SecurityPolicy<'static> {
    /// An SRTP policy from parameters of one octet each.
    pub fn srtp(policy_no: u8, parameters: &[(SrtpParameter, u8)]) -> Self {
        let parameters: Vec<u8> = parameters.iter().flat_map(|&(parameter, value)| [parameter.0, 1, value]).collect();
        Self { policy_no, protocol: ProtocolType::SRTP, parameters: Cow::Owned(parameters) }
    }

    /// A policy from any parameters.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a value has more than 255 octets.
    pub fn new(policy_no: u8, protocol: ProtocolType, parameters: &[PolicyParameter<'_>]) -> Result<Self, Error> {
        let mut octets = Vec::new();
        for parameter in parameters {
            octets.push(parameter.parameter_type);
            put_data_8(&mut octets, parameter.value, "SP parameter value")?;
        }
        Ok(Self { policy_no, protocol, parameters: Cow::Owned(octets) })
    }
}

impl<'a> SecurityPolicy<'a> {
    /// The parameters in the order of the message.
    pub fn parameters(&self) -> impl Iterator<Item = PolicyParameter<'_>> {
        let mut reader = Reader::new(&self.parameters);
        core::iter::from_fn(move || PolicyParameter::read(&mut reader).ok())
    }

    /// The value of an SRTP parameter that has one octet, or `None` if the policy is not for SRTP, the parameter is
    /// absent, or its value has another length. Of a repeated parameter, the first counts.
    pub fn srtp_value(&self, parameter: SrtpParameter) -> Option<u8> {
        let found = self.parameters().find(|found| found.parameter_type == parameter.0)?;
        match found.value {
            [value] if self.protocol == ProtocolType::SRTP => Some(*value),
            _ => None,
        }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> SecurityPolicy<'static> {
        SecurityPolicy {
            policy_no: self.policy_no,
            protocol: self.protocol,
            parameters: Cow::Owned(self.parameters.into_owned()),
        }
    }

    pub(super) fn body_len(&self) -> usize {
        4 + self.parameters.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let policy_no = reader.octet("SP policy number")?;
        let protocol = ProtocolType(reader.octet("SP protocol type")?);
        let mut list = reader.confined_16("SP parameters")?;
        let parameters = Cow::Borrowed(list.rest());
        while list.remaining() > 0 {
            PolicyParameter::read(&mut list)?;
        }
        Ok(Self { policy_no, protocol, parameters })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(&[self.policy_no, self.protocol.0]);
        put_data_16(out, &self.parameters, "SP parameters")
    }
}

impl<'a> PolicyParameter<'a> {
    /// The name of the parameter if the policy is for SRTP.
    pub const fn srtp_name(&self) -> Option<&'static str> {
        SrtpParameter(self.parameter_type).name()
    }

    /// The name of the parameter in a policy for this protocol.
    pub const fn name(&self, protocol: ProtocolType) -> Option<&'static str> {
        match protocol {
            ProtocolType::SRTP => self.srtp_name(),
            ProtocolType::TESLA => TeslaParameter(self.parameter_type).name(),
            _ => None,
        }
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let parameter_type = reader.octet("SP parameter type")?;
        let value = reader.data_8("SP parameter value")?;
        Ok(Self { parameter_type, value })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;

    fn policy() -> SecurityPolicy<'static> {
        SecurityPolicy::srtp(
            3,
            &[
                (SrtpParameter::ENCRYPTION_ALGORITHM, SrtpEncryption::AES_GCM.0),
                (SrtpParameter::SESSION_ENCRYPTION_KEY_LENGTH, 16),
            ],
        )
    }

    #[test]
    fn parameters_are_type_length_and_value() {
        assert_form(policy(), &[0, 3, 0, 0, 6, 0, 1, 6, 1, 1, 16]);
        assert_form(SecurityPolicy::srtp(0, &[]), &[0, 0, 0, 0, 0]);
        let long = PolicyParameter { parameter_type: 200, value: &[1, 2, 3] };
        let empty = PolicyParameter { parameter_type: 0, value: &[] };
        let other = SecurityPolicy::new(1, ProtocolType(7), &[long, empty]).unwrap();
        assert_eq!(other.parameters().collect::<Vec<_>>(), [long, empty]);
        assert_form(other, &[0, 1, 7, 0, 7, 200, 3, 1, 2, 3, 0, 0]);
    }

    #[test]
    fn values_are_found_by_their_names() {
        let policy = policy();
        assert_eq!(policy.srtp_value(SrtpParameter::ENCRYPTION_ALGORITHM), Some(6));
        assert_eq!(policy.srtp_value(SrtpParameter::AEAD_TAG_LENGTH), None);
        let names: Vec<_> = policy.parameters().map(|parameter| parameter.srtp_name()).collect();
        assert_eq!(names, [Some("encryption algorithm"), Some("session encryption key length")]);

        let interval = PolicyParameter { parameter_type: 6, value: &[] };
        assert_eq!(interval.name(ProtocolType::SRTP), Some("key derivation rate"));
        assert_eq!(interval.name(ProtocolType::TESLA), Some("interval duration"));
        assert_eq!(interval.name(ProtocolType(2)), None);

        let of_two_octets = PolicyParameter { parameter_type: 6, value: &[0, 1] };
        let policy = SecurityPolicy::new(0, ProtocolType::SRTP, &[of_two_octets]).unwrap();
        assert_eq!(policy.srtp_value(SrtpParameter::KEY_DERIVATION_RATE), None);
        let of_one_octet = PolicyParameter { parameter_type: 6, value: &[0] };
        let policy = SecurityPolicy::new(0, ProtocolType(1), &[of_one_octet]).unwrap();
        assert_eq!(policy.srtp_value(SrtpParameter::KEY_DERIVATION_RATE), None);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        // The list ends inside the second parameter, although the message goes on.
        let error = parse_error(PayloadType::SP, &[0, 3, 0, 0, 5, 0, 1, 6, 1, 1, 16]);
        let field = "SP parameter value";
        assert_eq!(error, Error::Truncated { field, offset: HEADER_LEN + 10, expected: 1, found: 0 });
        let error = parse_error(PayloadType::SP, &[0, 3, 0, 0, 4, 0, 1, 6, 1, 1, 16]);
        assert_eq!(error, Error::Truncated { field, offset: HEADER_LEN + 9, expected: 1, found: 0 });
        let error = parse_error(PayloadType::SP, &[0, 3, 0, 0, 6, 0, 5, 6, 1, 1, 16]);
        assert_eq!(error, Error::Truncated { field, offset: HEADER_LEN + 7, expected: 5, found: 4 });
        let error = parse_error(PayloadType::SP, &[0, 3, 0, 0, 7, 0, 1, 6, 1, 1, 16]);
        let field = "SP parameters";
        assert_eq!(error, Error::Truncated { field, offset: HEADER_LEN + 5, expected: 7, found: 6 });
        let error = parse_error(PayloadType::SP, &[0, 3, 0, 0, 3, 0, 1, 6, 1, 1, 16]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 8, count: 3 });

        let long = [0; 256];
        let error = SecurityPolicy::new(0, ProtocolType::SRTP, &[PolicyParameter { parameter_type: 0, value: &long }]);
        assert_eq!(error, Err(Error::TooLong { field: "SP parameter value", found: 256, limit: 255 }));
        let many = vec![(SrtpParameter::PRF, 0); 21846];
        let error = build_error(SecurityPolicy::srtp(0, &many));
        assert_eq!(error, Error::TooLong { field: "SP parameters", found: 65538, limit: 65535 });
    }
}
