//! Which payloads a message of a data type is made of, and in which order.
use super::super::finding::Finding;
use super::super::payloads;
use super::Extent;
use mikey_sakke::mikey::{DataType, IdRole, Message, Payload, PayloadType, RandRole};

/// The payloads behind HDR, as the figure of an RFC shows them.
pub struct Composition {
    parts: &'static [Part],
    clause: &'static str,
}

/// One of them.
struct Part {
    name: &'static str,
    kind: Kind,
    least: usize,
    most: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Payload(PayloadType),
    /// An identity, or a certificate in its place.
    IdOrCert,
    Idr(IdRole),
    /// The IDR of a user, whichever end that is.
    IdrUser,
    Randr(RandRole),
}

const fn one(name: &'static str, payload_type: PayloadType) -> Part {
    Part { name, kind: Kind::Payload(payload_type), least: 1, most: 1 }
}

const fn perhaps(name: &'static str, payload_type: PayloadType) -> Part {
    Part { least: 0, ..one(name, payload_type) }
}

const fn any(name: &'static str, payload_type: PayloadType) -> Part {
    Part { least: 0, most: usize::MAX, ..one(name, payload_type) }
}

const fn perhaps_idr(name: &'static str, role: IdRole) -> Part {
    Part { name, kind: Kind::Idr(role), least: 0, most: 1 }
}

const fn randr(name: &'static str, role: RandRole, least: usize) -> Part {
    Part { name, kind: Kind::Randr(role), least, most: 1 }
}

const T: Part = one("T", PayloadType::T);
const RAND: Part = one("RAND", PayloadType::RAND);
const PERHAPS_RAND: Part = perhaps("RAND", PayloadType::RAND);
const IDENTITIES: Part = Part { name: "ID", kind: Kind::Payload(PayloadType::ID), least: 0, most: 2 };
const IDENTITIES_OR_CERT: Part = Part { name: "ID or CERT", kind: Kind::IdOrCert, least: 0, most: usize::MAX };
const SP: Part = any("SP", PayloadType::SP);
const KEMAC: Part = one("KEMAC", PayloadType::KEMAC);
const PERHAPS_KEMAC: Part = perhaps("KEMAC", PayloadType::KEMAC);
const CERT: Part = any("CERT", PayloadType::CERT);
const CHASH: Part = perhaps("CHASH", PayloadType::CHASH);
const PKE: Part = one("PKE", PayloadType::PKE);
const DH: Part = one("DH", PayloadType::DH);
const V: Part = one("V", PayloadType::V);
const SIGN: Part = one("SIGN", PayloadType::SIGN);
const IDR_I: Part = perhaps_idr("IDRi", IdRole::INITIATOR);
const IDR_R: Part = perhaps_idr("IDRr", IdRole::RESPONDER);
const IDR_I_NEEDED: Part = Part { least: 1, ..IDR_I };
const IDR_R_NEEDED: Part = Part { least: 1, ..IDR_R };
const IDR_KMS: Part = perhaps_idr("IDRkms", IdRole::KMS);
const IDR_KMS_NEEDED: Part = Part { least: 1, ..IDR_KMS };
const IDR_PSK: Part = perhaps_idr("IDRpsk", IdRole::PSK);
const IDR_USERS: Part = Part { name: "IDRi or IDRr", kind: Kind::IdrUser, least: 1, most: usize::MAX };
const TICKET: Part = one("TICKET", PayloadType::TICKET);
const IBAKE: Part = one("IBAKE", PayloadType::IBAKE);
const ESK: Part = perhaps("ESK", PayloadType::ESK);
const PERHAPS_ID_R: Part = perhaps("IDr", PayloadType::ID);
const ERRORS: Part = any("ERR", PayloadType::ERR);
const PERHAPS_V: Part = perhaps("V", PayloadType::V);
const PERHAPS_SIGN: Part = perhaps("SIGN", PayloadType::SIGN);
const RANDR_I: Part = randr("RANDRi", RandRole::INITIATOR, 1);
const RANDR_R: Part = randr("RANDRr", RandRole::RESPONDER, 1);
const PERHAPS_RANDR_R: Part = randr("RANDRr", RandRole::RESPONDER, 0);
const PERHAPS_RANDR_KMS: Part = randr("RANDRkms", RandRole::KMS, 0);
const TP: Part = one("TP", PayloadType::TP);
const PERHAPS_IBAKE: Part = perhaps("IBAKE", PayloadType::IBAKE);
/// The values of both ends.
const DH_BOTH: Part = Part { least: 2, most: 2, ..DH };

impl Composition {
    /// That of a data type; `None` for MIKEY-SAKKE, whose rules are those of the profile.
    pub const fn of(data_type: DataType) -> Option<Self> {
        let (parts, clause): (&'static [Part], _) = match data_type {
            DataType::PreShared => (&[T, RAND, IDENTITIES, SP, KEMAC], "RFC 3830 3.1"),
            DataType::PreSharedVerification => (&[T, PERHAPS_ID_R, V], "RFC 3830 3.1"),
            DataType::PublicKey => (&[T, RAND, IDENTITIES_OR_CERT, SP, KEMAC, CHASH, PKE, SIGN], "RFC 3830 3.2"),
            DataType::PublicKeyVerification => (&[T, PERHAPS_ID_R, V], "RFC 3830 3.2"),
            DataType::DiffieHellmanInit => (&[T, RAND, IDENTITIES_OR_CERT, SP, DH, SIGN], "RFC 3830 3.3"),
            DataType::DiffieHellmanResponse => {
                (&[T, Part { name: "IDi", least: 1, ..IDENTITIES_OR_CERT }, DH_BOTH, SIGN], "RFC 3830 3.3")
            }
            DataType::Error => (&[T, ERRORS, SP, PERHAPS_V, PERHAPS_SIGN], "RFC 3830 5.1.2"),
            DataType::DhHmacInit => {
                (&[T, RAND, Part { name: "IDr", least: 1, ..IDENTITIES }, SP, DH, KEMAC], "RFC 4650 3")
            }
            DataType::DhHmacResponse => {
                (&[T, Part { name: "IDi", least: 1, ..IDENTITIES }, DH_BOTH, KEMAC], "RFC 4650 3")
            }
            DataType::RsaReverseInit => (&[T, PERHAPS_RAND, IDENTITIES_OR_CERT, SP, SIGN], "RFC 4738 3.1"),
            DataType::RsaReverseResponse => {
                (&[T, PERHAPS_RAND, IDENTITIES_OR_CERT, SP, KEMAC, PKE, SIGN], "RFC 4738 3.1")
            }
            DataType::TicketRequestPreShared => (&[T, RANDR_I, IDR_I, IDR_KMS, TP, IDR_PSK, V], "RFC 6043 4.2.1"),
            DataType::TicketRequestPublicKey => {
                (&[T, RANDR_I, IDR_I, CERT, IDR_KMS, TP, CHASH, PKE, SIGN], "RFC 6043 4.2.1")
            }
            DataType::TicketRequestResponse => (&[T, IDR_KMS, TICKET, KEMAC, V], "RFC 6043 4.2.1"),
            DataType::TicketTransferInit => {
                (&[T, RANDR_I, IDR_I, IDR_R, SP, TICKET, PERHAPS_KEMAC, V], "RFC 6043 4.2.2")
            }
            DataType::TicketTransferResponse => {
                (&[T, PERHAPS_RANDR_R, IDR_R, PERHAPS_RANDR_KMS, SP, PERHAPS_KEMAC, V], "RFC 6043 4.2.2")
            }
            DataType::TicketResolvePreShared => (&[T, RANDR_R, IDR_R, IDR_KMS, TICKET, IDR_PSK, V], "RFC 6043 4.2.3"),
            DataType::TicketResolvePublicKey => {
                (&[T, RANDR_R, IDR_R, CERT, IDR_KMS, TICKET, CHASH, PKE, SIGN], "RFC 6043 4.2.3")
            }
            DataType::TicketResolveResponse => (&[T, IDR_KMS, KEMAC, IDR_R, PERHAPS_RANDR_KMS, V], "RFC 6043 4.2.3"),
            DataType::IbakeRequestPreShared => {
                (&[T, RAND, IDR_USERS, IDR_KMS_NEEDED, IDR_PSK, PERHAPS_KEMAC, V], "RFC 6267 4.2.1")
            }
            DataType::IbakeRequestPublicKey => {
                (&[T, RAND, IDR_USERS, CERT, IDR_KMS_NEEDED, PERHAPS_KEMAC, CHASH, PKE, SIGN], "RFC 6267 4.2.1")
            }
            DataType::IbakeRequestResponse => {
                (&[T, Part { least: 0, ..IDR_USERS }, IDR_KMS, KEMAC, V], "RFC 6267 4.2.1")
            }
            DataType::IbakeInit1 | DataType::IbakeInit2 => {
                (&[T, RAND, IDR_I_NEEDED, IDR_R_NEEDED, IBAKE, ESK], "RFC 6267 4.2.2")
            }
            DataType::IbakeResponse1 => (&[T, IDR_I_NEEDED, IDR_R_NEEDED, IBAKE], "RFC 6267 4.2.2"),
            DataType::IbakeResponse2 => (&[T, IDR_I, IDR_R, PERHAPS_IBAKE, V], "RFC 6267 4.2.2"),
            _ => return None,
        };
        Some(Self { parts, clause })
    }

    /// What is missing, again, in another order or has no place.
    pub fn judge(&self, message: &Message<'_>, extent: Extent) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut counts = vec![0; self.parts.len()];
        let mut latest = 0;
        let mut disordered = false;
        for payload in message.payloads.iter().filter(|payload| !is_extension(payload)) {
            match self.place(payload, &counts, latest) {
                Place::At(index) => {
                    if let Some(count) = counts.get_mut(index) {
                        *count += 1;
                    }
                    disordered |= index < latest;
                    latest = latest.max(index);
                }
                Place::Again(name) => findings.push(self.contradiction(format!("the message has another {name}"))),
                Place::Nowhere => {
                    let what = format!("{} has no place in this message", name(payload));
                    findings.push(self.contradiction(what));
                }
            }
        }
        if disordered {
            let what = format!("the payloads are in another order than {}", self.figure());
            findings.push(Finding::accepted(what, self.clause));
        }
        if extent == Extent::Whole {
            findings.extend(self.missing(&counts));
            findings.extend(self.ending(message));
        }
        findings
    }

    /// Where a payload belongs: behind what came before it, if it can.
    fn place(&self, payload: &Payload<'_>, counts: &[usize], latest: usize) -> Place {
        let fits = |(part, count): &(&Part, &usize)| part.kind.is(payload) && **count < part.most;
        let free = |from: usize, to: usize| {
            self.parts.iter().zip(counts).enumerate().skip(from).take(to.saturating_sub(from)).find(|(_, at)| fits(at))
        };
        if let Some((index, _)) = free(latest, self.parts.len()).or_else(|| free(0, latest)) {
            return Place::At(index);
        }
        self.parts.iter().find(|part| part.kind.is(payload)).map_or(Place::Nowhere, |part| Place::Again(part.name))
    }

    fn missing(&self, counts: &[usize]) -> Vec<Finding> {
        let lacking = |part: &Part, count: usize| count < part.least;
        let is_update = self.may_be_update()
            && self.parts.iter().zip(counts).any(|(part, count)| part.name == RAND.name && lacking(part, *count));
        self.parts
            .iter()
            .zip(counts)
            .filter(|(part, count)| lacking(part, **count))
            .filter_map(|(part, count)| match (is_update, part.name) {
                (true, "RAND") => {
                    let what = "the message has no RAND, which only an update of a bundle leaves out";
                    Some(Finding::accepted(what, "RFC 3830 4.5"))
                }
                (true, "DH") => None,
                _ if *count > 0 => {
                    let what = format!("the message has {count} {}: expected {}", part.name, part.least);
                    Some(self.contradiction(what))
                }
                _ => Some(self.contradiction(format!("the message has no {}", part.name))),
            })
            .collect()
    }

    /// The MAC or signature of the last payload covers what precedes it: nothing may follow.
    fn ending(&self, message: &Message<'_>) -> Option<Finding> {
        let last = self.parts.last().filter(|part| part.least > 0)?;
        let is_there = message.payloads.iter().any(|payload| last.kind.is(payload));
        let is_last = message.payloads.last().is_some_and(|payload| last.kind.is(payload));
        (is_there && !is_last && last.protects())
            .then(|| self.contradiction(format!("{} is not the last payload", last.name)))
    }

    /// Whether a message of this kind may update a bundle that there is already.
    fn may_be_update(&self) -> bool {
        self.clause.starts_with("RFC 3830 3") || self.clause.starts_with("RFC 4650")
    }

    fn figure(&self) -> String {
        let names: Vec<_> = self.parts.iter().map(|part| part.name).collect();
        names.join(", ")
    }

    fn contradiction(&self, what: String) -> Finding {
        Finding::contradiction(what, self.clause)
    }
}

enum Place {
    At(usize),
    Again(&'static str),
    Nowhere,
}

impl Part {
    fn protects(&self) -> bool {
        matches!(self.kind, Kind::Payload(PayloadType::KEMAC | PayloadType::V | PayloadType::SIGN))
    }
}

impl Kind {
    fn is(self, payload: &Payload<'_>) -> bool {
        match (self, payload) {
            (Self::Payload(payload_type), payload) => payload.payload_type() == payload_type,
            (Self::IdOrCert, Payload::Id(_) | Payload::Cert(_)) => true,
            (Self::Idr(role), Payload::Idr(idr)) => idr.role == role,
            (Self::IdrUser, Payload::Idr(idr)) => matches!(idr.role, IdRole::INITIATOR | IdRole::RESPONDER),
            (Self::Randr(role), Payload::Randr(randr)) => randr.role == role,
            _ => false,
        }
    }
}

/// General extensions may stand anywhere (RFC 3830 6.15).
fn is_extension(payload: &Payload<'_>) -> bool {
    matches!(payload, Payload::GeneralExtension(_))
}

/// A payload with the role that it has.
pub fn name(payload: &Payload<'_>) -> String {
    match payload {
        Payload::Idr(idr) => format!("IDR of role {}", idr.role),
        Payload::Randr(randr) => format!("RANDR of role {}", randr.role),
        payload => payloads::name(payload),
    }
}
