use super::super::node::Fields;
use super::super::short_hex;
use crate::cli::output::hex;
use mikey_sakke::mikey::{Cert, Chash, Dh, Kemac, KeyValidity, Mac, Pke};

/// KEMAC (RFC 3830 6.2).
pub fn kemac(kemac: &Kemac<'_>, fields: Fields) -> Fields {
    let fields = fields.field("Encr alg", 1, kemac.encryption);
    mac(&kemac.mac, data_16("Encr data", &kemac.data, fields))
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
