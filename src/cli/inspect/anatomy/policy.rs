use super::super::node::Fields;
use crate::cli::output::hex;
use mikey_sakke::mikey::{
    ProtocolType, SecurityPolicy, SrtpAuthentication, SrtpEncryption, SrtpParameter, TeslaParameter,
};

/// SP (RFC 3830 6.10).
pub fn security_policy(policy: &SecurityPolicy<'_>, fields: Fields) -> Fields {
    let len = policy.parameters().map(|parameter| 2 + parameter.value.len()).sum();
    let fields = fields.field("Policy no", 1, policy.policy_no).field("Prot type", 1, policy.protocol).field(
        "Policy param length",
        2,
        len,
    );
    fields.nested("Policy param", len, "", |fields| {
        policy.parameters().fold(fields, |fields, parameter| {
            let number = parameter.parameter_type;
            let (name, value) = match policy.protocol {
                ProtocolType::SRTP => {
                    let kind = SrtpParameter(number);
                    (kind.to_string(), srtp_value(kind, parameter.value))
                }
                ProtocolType::TESLA => (TeslaParameter(number).to_string(), hex(parameter.value)),
                _ => (number.to_string(), hex(parameter.value)),
            };
            fields.nested(&name, 2 + parameter.value.len(), value, |inner| inner)
        })
    })
}

fn srtp_value(parameter: SrtpParameter, value: &[u8]) -> String {
    match (parameter, value) {
        (SrtpParameter::ENCRYPTION_ALGORITHM, [value]) => SrtpEncryption(*value).to_string(),
        (SrtpParameter::AUTHENTICATION_ALGORITHM, [value]) => SrtpAuthentication(*value).to_string(),
        (_, [value]) => value.to_string(),
        _ => hex(value),
    }
}
