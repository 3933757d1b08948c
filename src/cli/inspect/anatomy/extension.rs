use super::super::node::Fields;
use super::super::short_hex;
use super::encapsulation::encapsulation;
use crate::cli::clock;
use crate::cli::output::hex;
use mikey_sakke::mc::ProtectedLayout;
use mikey_sakke::mikey::{ExtensionType, GeneralExtension, KeyId, KeyIdInformation, OmaBcast, Sakke, SdpIds};

/// General Extension (RFC 3830 6.15).
pub fn general_extension(extension: &GeneralExtension<'_>, fields: Fields) -> Fields {
    let data = &extension.data;
    let fields = fields.field("Type", 1, extension.extension_type).field("Length", 2, data.len());
    fields.nested("Data", data.len(), "", |fields| match extension.extension_type {
        ExtensionType::KEY_PARAMETERS => protected_payload(data, fields),
        ExtensionType::SAKKE_TO_SELF => match (data.first(), Sakke::from_standalone(data)) {
            (Some(next), Ok(sakke)) => {
                encapsulation(&sakke, fields.field("Next payload", 1, format!("{next} (ignored)")))
            }
            _ => fields.field("octets", data.len(), short_hex(data)),
        },
        ExtensionType::KEY_ID => match KeyIdInformation::parse(data) {
            Ok(information) => information.key_ids().fold(fields, key_id),
            Err(_) => fields.field("octets", data.len(), short_hex(data)),
        },
        ExtensionType::SDP_IDS => match SdpIds::parse(data) {
            Ok(protocols) => sdp_ids(&protocols, fields),
            Err(_) => fields.field("octets", data.len(), short_hex(data)),
        },
        ExtensionType::OMA_BCAST => match OmaBcast::parse(data) {
            Ok(part) => fields.field("Subtype", 1, part.subtype).field("data", part.data.len(), short_hex(&part.data)),
            Err(_) => fields.field("octets", data.len(), short_hex(data)),
        },
        _ => fields.field("octets", data.len(), short_hex(data)),
    })
}

/// The key management protocols of an SDP description, with a semicolon between them (RFC 4567 4.1.4).
fn sdp_ids(protocols: &SdpIds<'_>, fields: Fields) -> Fields {
    (0..).zip(protocols.ids()).fold(fields, |fields, (index, protocol)| {
        let fields = if index == 0 { fields } else { fields.skip(1) };
        fields.field("protocol", protocol.len(), protocol)
    })
}

/// RFC 4563 section 4.
fn key_id(fields: Fields, key_id: KeyId<'_>) -> Fields {
    let KeyId { key_id_type, id } = key_id;
    fields.field("Key ID Type", 1, key_id_type).field("Key ID Length", 1, id.len()).field("Key ID", id.len(), hex(id))
}

/// MCData Protected Payload (TS 33.180 8.5.4).
fn protected_payload(data: &[u8], fields: Fields) -> Fields {
    let Ok(layout) = ProtectedLayout::parse(data) else { return fields.field("octets", data.len(), short_hex(data)) };
    let (kind, protected) = (layout.message_type, layout.protected);
    let flags = match (layout.is_encrypted(), layout.is_authenticated()) {
        (true, true) => " (encrypted, authenticated)",
        (true, false) => " (encrypted)",
        (false, true) => " (authenticated)",
        (false, false) => " (in clear)",
    };
    let cipher = match layout.algorithm {
        1 => " (AES-128-GCM)",
        2 => " (AES-256-GCM)",
        _ => "",
    };
    let text_len = protected.len().saturating_sub(ProtectedLayout::TAG_LEN);
    let (text, tag) = protected.split_at_checked(text_len).unwrap_or_default();
    fields
        .field("Message type", 1, format!("{kind:02x}{flags}"))
        .field("Date and time", 5, clock::display_unix(layout.time))
        .field("Payload ID", 4, hex(layout.payload_id))
        .field("Payload sequence number", 1, layout.sequence)
        .field("Algorithm", 1, format!("{}{cipher}", layout.algorithm))
        .field("IV", layout.iv.len(), hex(layout.iv))
        .field("DPPK-ID", 4, hex(layout.dppk_id))
        .nested("Payload", 3 + protected.len(), "", |fields| {
            fields
                .field("Payload IEI", 1, format!("{:02x}", layout.iei))
                .field("Length", 2, layout.length)
                .field("ciphertext", text.len(), short_hex(text))
                .field("tag", tag.len(), hex(tag))
        })
}
