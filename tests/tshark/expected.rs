//! What tshark ought to see: the fields of a message by its typed form, not by its octets.

use crate::dissect::Field;
use mikey_sakke::mikey::{
    CsIdMap, Dh, EncryptionAlgorithm, ExtensionType, GeneralExtension, Header, KeyValidity, Mac, Message, Payload,
    PayloadType, ProtocolType, SecurityPolicy, SubPayload, SubPayloads, Timestamp,
};

/// All fields of a message in their order.
pub fn fields(message: &Message<'_>) -> Vec<Field> {
    let mut types: Vec<PayloadType> = message.payloads.iter().map(Payload::payload_type).collect();
    types.push(PayloadType::LAST);
    let mut fields = Fields { found: Vec::new(), position: 0 };
    fields.header(&message.header, types[0]);
    for ((range, payload), next) in message.located().zip(&types[1..]) {
        assert_eq!(range.start, fields.position);
        fields.payload(payload, range.len(), *next);
    }
    fields.found
}

struct Fields {
    found: Vec<Field>,
    position: usize,
}

impl Fields {
    fn header(&mut self, header: &Header<'_>, next: PayloadType) {
        self.whole("hdr", header.encoded_len());
        self.octet("version", 1);
        self.octet("type", header.data_type.number());
        self.octet("next_payload", next.0);
        self.bits("v.set", 1, u32::from(header.verification_expected));
        self.position -= 1;
        self.bits("prf_func", 1, header.prf.0.into());
        self.octets("csb_id", &header.csb_id.to_be_bytes());
        self.octet("cs_count", u8::try_from(header.cs_id_map.cs_count()).unwrap());
        self.octet("cs_id_map_type", header.cs_id_map.type_number());
        match &header.cs_id_map {
            CsIdMap::SrtpId(entries) => {
                for entry in entries {
                    self.whole("srtp_id", 9);
                    self.octet("srtp_id.policy_no", entry.policy_no);
                    self.octets("srtp_id.ssrc", &entry.ssrc.to_be_bytes());
                    self.octets("srtp_id.roc", &entry.roc.to_be_bytes());
                }
            }
            // tshark has no fields for it.
            _ => self.position = header.encoded_len(),
        }
    }

    fn payload(&mut self, payload: &Payload<'_>, len: usize, next: PayloadType) {
        let end = self.position + len;
        self.whole(name(payload), len);
        if !matches!(payload, Payload::Sign(_)) {
            self.octet("next_payload", next.0);
        }
        match payload {
            Payload::Timestamp(timestamp) => self.timestamp(*timestamp),
            Payload::Rand(rand) => {
                self.octet("rand.len", u8::try_from(rand.octets.len()).unwrap());
                self.octets("rand.data", &rand.octets);
            }
            Payload::Id(id) => {
                self.octet("id.type", id.id_type.0);
                self.data("id.len", "id.data", &id.data);
            }
            Payload::Idr(idr) => {
                self.octet("id.role", idr.role.0);
                self.octet("id.type", idr.id_type.0);
                self.data("id.len", "id.data", &idr.data);
            }
            Payload::SecurityPolicy(policy) => self.policy(policy),
            Payload::Sakke(sakke) => {
                self.octet("sakke.params", sakke.parameters.0);
                self.octet("sakke.idscheme", sakke.id_scheme.0);
                self.data("sakke.len", "sakke.data", &sakke.data);
            }
            Payload::GeneralExtension(extension) => self.extension(extension),
            Payload::Kemac(kemac) => {
                self.octet("kemac.encr_alg", kemac.encryption.0);
                match SubPayloads::parse(PayloadType::KEY_DATA, &kemac.data) {
                    Ok(keys) if kemac.encryption == EncryptionAlgorithm::NULL => {
                        self.octets("kemac.key_data_len", &u16::try_from(kemac.data.len()).unwrap().to_be_bytes());
                        self.keys(&keys);
                    }
                    _ => self.data("kemac.key_data_len", "kemac.key_data", &kemac.data),
                }
                self.mac("kemac.mac_alg", "kemac.mac", &kemac.mac);
            }
            Payload::Pke(pke) => {
                self.bits("pke.c", 2, pke.cache.0.into());
                self.position -= 2;
                self.bits("pke.len", 2, u32::try_from(pke.data.len()).unwrap());
                self.octets("pke.data", &pke.data);
            }
            Payload::Dh(dh) => self.dh(dh),
            Payload::Cert(cert) => {
                self.octet("cert.type", cert.cert_type.0);
                self.data("cert.len", "cert.data", &cert.data);
            }
            Payload::Verification(verification) => self.mac("v.auth_alg", "v.ver_data", &verification.mac),
            Payload::ErrorPayload(error) => {
                self.octet("err.no", error.number.0);
                self.octets("err.reserved", &error.reserved.to_be_bytes());
            }
            Payload::Sign(sign) => {
                self.bits("sign.type", 2, sign.signature_type.0.into());
                self.position -= 2;
                self.bits("sign.len", 2, u32::try_from(sign.signature.len()).unwrap());
                self.octets("sign.data", &sign.signature);
            }
            // tshark has no fields for the others.
            _ => self.position = end,
        }
        assert_eq!(self.position, end, "{payload:?}");
    }

    fn timestamp(&mut self, timestamp: Timestamp) {
        self.octet("t.ts_type", timestamp.type_number());
        match timestamp {
            Timestamp::NtpUtc(time) | Timestamp::Ntp(time) => self.octets("t.ntp", &time.to_bits().to_be_bytes()),
            _ => self.position += 4,
        }
    }

    fn policy(&mut self, policy: &SecurityPolicy<'_>) {
        self.octet("sp.no", policy.policy_no);
        self.octet("sp.proto_type", policy.protocol.0);
        let len: usize = policy.parameters().map(|parameter| 2 + parameter.value.len()).sum();
        self.octets("sp.param_len", &u16::try_from(len).unwrap().to_be_bytes());
        for parameter in policy.parameters() {
            let named = parameter_name(policy.protocol, parameter.parameter_type);
            self.octet("sp.param.type", parameter.parameter_type);
            self.octet("sp.param.len", u8::try_from(parameter.value.len()).unwrap());
            // Twice: by the name of the parameter, and as a value, which tshark misspells.
            self.octets(named, parameter.value);
            self.position -= parameter.value.len();
            self.octets("sp.patam.value", parameter.value);
        }
    }

    fn extension(&mut self, extension: &GeneralExtension<'_>) {
        self.octet("ext.type", extension.extension_type.0);
        let data = if extension.extension_type == ExtensionType::SDP_IDS { "ext.value" } else { "ext.data" };
        self.data("ext.len", data, &extension.data);
    }

    /// The one key in clear.
    fn keys(&mut self, keys: &SubPayloads<'_>) {
        let [SubPayload::KeyData(key)] = &keys.payloads[..] else { panic!("{keys:?}") };
        self.whole("key", keys.encoded_len());
        // tshark passes over its next payload.
        self.position += 1;
        self.bits("key.type", 1, key.key_type.number().into());
        self.position -= 1;
        self.bits("key.kv", 1, key.validity.type_number().into());
        self.data("key.data.len", "key.data", &key.key);
    }

    fn dh(&mut self, dh: &Dh<'_>) {
        self.octet("dh.group", dh.group().number());
        self.octets("dh.value", dh.value());
        self.bits("dh.reserv", 1, dh.reserved.into());
        self.position -= 1;
        self.bits("dh.kv", 1, dh.validity.type_number().into());
        // tshark has no fields for the data.
        self.position += match &dh.validity {
            KeyValidity::Spi(spi) => 1 + spi.len(),
            KeyValidity::Interval { from, to } => 2 + from.len() + to.len(),
            _ => 0,
        };
    }

    fn mac(&mut self, algorithm: &str, octets: &str, mac: &Mac<'_>) {
        self.octet(algorithm, mac.algorithm().number());
        self.octets(octets, mac.octets());
    }

    fn data(&mut self, len: &str, octets: &str, data: &[u8]) {
        self.octets(len, &u16::try_from(data.len()).unwrap().to_be_bytes());
        self.octets(octets, data);
    }

    fn whole(&mut self, name: &str, len: usize) {
        let (name, value, shown) = (name.into(), String::new(), String::new());
        self.found.push(Field { name, start: self.position, len, value, shown });
    }

    fn octet(&mut self, name: &str, octet: u8) {
        self.octets(name, &[octet]);
    }

    fn octets(&mut self, name: &str, octets: &[u8]) {
        let value = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let (name, shown) = (name.into(), String::new());
        self.found.push(Field { name, start: self.position, len: octets.len(), value, shown });
        self.position += octets.len();
    }

    /// A number of fewer bits than its octets have.
    fn bits(&mut self, name: &str, len: usize, number: u32) {
        let (name, value, shown) = (name.into(), format!("{number:X}"), String::new());
        self.found.push(Field { name, start: self.position, len, value, shown });
        self.position += len;
    }
}

fn name(payload: &Payload<'_>) -> &'static str {
    match payload {
        Payload::Timestamp(_) => "t",
        Payload::Rand(_) => "rand",
        Payload::Id(_) => "id",
        Payload::Idr(_) => "idr",
        Payload::SecurityPolicy(_) => "sp",
        Payload::Sakke(_) => "sakke",
        Payload::GeneralExtension(_) => "ext",
        Payload::Kemac(_) => "kemac",
        Payload::Pke(_) => "pke",
        Payload::Dh(_) => "dh",
        Payload::Cert(_) => "cert",
        Payload::Chash(_) => "chash",
        Payload::Verification(_) => "v",
        Payload::ErrorPayload(_) => "err",
        Payload::Sign(_) => "sign",
        _ => "payload",
    }
}

/// What tshark calls the parameters of RFC 3830; it knows no others.
fn parameter_name(protocol: ProtocolType, parameter_type: u8) -> &'static str {
    const SRTP: [&str; 13] = [
        "sp.encr_alg",
        "sp.encr_len",
        "sp.auth_alg",
        "sp.auth_key_len",
        "sp.salt_len",
        "sp.prf",
        "sp.kd_rate",
        "sp.srtp_encr",
        "sp.srtcp_encr",
        "sp.fec",
        "sp.srtp_auth",
        "sp.auth_tag_len",
        "sp.srtp_prefix",
    ];
    let srtp = if protocol == ProtocolType::SRTP { &SRTP[..] } else { &[] };
    srtp.get(usize::from(parameter_type)).unwrap_or(&"sp.param")
}
