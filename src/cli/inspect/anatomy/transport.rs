use super::super::node::Fields;
use super::super::payloads::is_encrypted;
use super::super::{HIDDEN, short_hex};
use crate::cli::output::hex;
use mikey_sakke::mikey::{
    Cert, Chash, Dh, EncryptionAlgorithm, Kemac, KeyData, KeyValidity, Mac, PayloadType, Pke, SubPayload, SubPayloads,
};

/// KEMAC (RFC 3830 6.2). Keys that are not encrypted are secrets.
pub fn kemac(kemac: &Kemac<'_>, fields: Fields, show_secrets: bool) -> Fields {
    let fields = fields.field("Encr alg", 1, kemac.encryption);
    let data = &kemac.data;
    let fields = match kemac.encryption {
        EncryptionAlgorithm::NULL => {
            let keys = SubPayloads::parse(PayloadType::KEY_DATA, data).unwrap_or_default();
            let whole = if keys.payloads.is_empty() { secret(data, show_secrets) } else { String::new() };
            fields.field("Encr data len", 2, data.len()).nested("Encr data", data.len(), whole, |fields| {
                let mut following = keys.payloads.iter().skip(1).map(SubPayload::payload_type);
                keys.payloads.iter().fold(fields, |fields, payload| {
                    let next = following.next().unwrap_or(PayloadType::LAST);
                    let (name, len) = (payload.payload_type().to_string(), payload.encoded_len());
                    fields.nested(&name, len, "", |fields| match payload {
                        SubPayload::KeyData(key) => key_data(key, fields.field("Next payload", 1, next), show_secrets),
                        _ => fields,
                    })
                })
            })
        }
        algorithm if is_encrypted(algorithm) || show_secrets => data_16("Encr data", data, fields),
        _ => fields.field("Encr data len", 2, data.len()).field("Encr data", data.len(), HIDDEN),
    };
    mac(&kemac.mac, fields)
}

/// Key data (RFC 3830 6.13).
fn key_data(key: &KeyData<'_>, fields: Fields, show_secrets: bool) -> Fields {
    let fields = fields
        .bits("Key data type", key.key_type)
        .bits("KV", key.validity.type_name())
        .skip(1)
        .field("Key data len", 2, key.key.len())
        .field("Key data", key.key.len(), secret(&key.key, show_secrets));
    let fields = match key.key_type.has_salt() {
        true => {
            let salt = secret(&key.salt, show_secrets);
            fields.field("Salt len", 2, key.salt.len()).field("Salt data", key.salt.len(), salt)
        }
        false => fields,
    };
    validity(&key.validity, fields)
}

fn secret(octets: &[u8], show_secrets: bool) -> String {
    if show_secrets { hex(octets) } else { HIDDEN.to_owned() }
}

/// PKE (RFC 3830 6.3).
pub fn pke(pke: &Pke<'_>, fields: Fields) -> Fields {
    let data = &pke.data;
    fields.bits("C", pke.cache).bits("Data len", data.len()).skip(2).field("Data", data.len(), short_hex(data))
}

/// DH (RFC 3830 6.4).
pub fn diffie_hellman(dh: &Dh<'_>, fields: Fields) -> Fields {
    let value = dh.value();
    let fields = fields.field("DH-Group", 1, dh.group()).field("DH-value", value.len(), short_hex(value));
    validity(&dh.validity, fields.bits("Reserv", dh.reserved).bits("KV", dh.validity.type_name()).skip(1))
}

/// CERT (RFC 3830 6.7).
pub fn certificate(cert: &Cert<'_>, fields: Fields) -> Fields {
    data_16("Cert", &cert.data, fields.field("Cert Type", 1, cert.cert_type))
}

/// CHASH (RFC 3830 6.8).
pub fn certificate_hash(chash: &Chash<'_>, fields: Fields) -> Fields {
    fields.field("Hash func", 1, chash.function()).field("Hash", chash.hash().len(), hex(chash.hash()))
}

/// V, and the end of KEMAC (RFC 3830 6.9).
pub fn mac(mac: &Mac<'_>, fields: Fields) -> Fields {
    fields.field("Mac alg", 1, mac.algorithm()).field("MAC", mac.octets().len(), hex(mac.octets()))
}

/// Data of 16 bits of length, named for it.
pub fn data_16(name: &str, data: &[u8], fields: Fields) -> Fields {
    fields.field(&format!("{name} len"), 2, data.len()).field(name, data.len(), short_hex(data))
}

/// The same for data that could have keys in clear in them.
pub fn hidden_16(name: &str, data: &[u8], fields: Fields, show_secrets: bool) -> Fields {
    match data {
        [] => data_16(name, data, fields),
        _ if show_secrets => data_16(name, data, fields),
        _ => fields.field(&format!("{name} len"), 2, data.len()).field(name, data.len(), HIDDEN),
    }
}

/// Key validity data (RFC 3830 6.14).
fn validity(validity: &KeyValidity<'_>, fields: Fields) -> Fields {
    let part = |name: &str, data: &[u8], fields: Fields| {
        fields.field(&format!("{name} Length"), 1, data.len()).field(name, data.len(), hex(data))
    };
    match validity {
        KeyValidity::Spi(spi) => part("SPI", spi, fields),
        KeyValidity::Interval { from, to } => part("Valid To", to, part("Valid From", from, fields)),
        _ => fields,
    }
}
