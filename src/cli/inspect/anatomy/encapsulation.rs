use super::super::node::Fields;
use super::super::short_hex;
use crate::cli::output::hex;
use mikey_sakke::mikey::Sakke;
use mikey_sakke::sakke::POINT_LEN;

/// Octets of a coordinate of a point of the curve of RFC 6509.
const COORDINATE: usize = POINT_LEN / 2;

/// SAKKE (RFC 6509 4.2).
pub fn encapsulation(sakke: &Sakke<'_>, fields: Fields) -> Fields {
    let data = &sakke.data;
    fields
        .field("SAKKE params", 1, sakke.parameters)
        .field("ID scheme", 1, sakke.id_scheme)
        .field("SAKKE data length", 2, data.len())
        .nested("SAKKE data", data.len(), "", |fields| match data.split_at_checked(POINT_LEN) {
            Some(([form, x_y @ ..], hint)) if x_y.len() == 2 * COORDINATE => {
                let (x, y) = x_y.split_at_checked(COORDINATE).unwrap_or_default();
                fields
                    .nested("R", POINT_LEN, "point of E(F_p)", |fields| {
                        fields.field("form", 1, format!("{form:02x}")).field("x", x.len(), short_hex(x)).field(
                            "y",
                            y.len(),
                            short_hex(y),
                        )
                    })
                    .field("H", hint.len(), hex(hint))
            }
            _ => fields.field("octets", data.len(), short_hex(data)),
        })
}
