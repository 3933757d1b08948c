use crate::mc::error::Party;
use core::fmt;

/// Something in a message that TS 33.180 does not allow but deployed senders do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Deviation {
    /// The V flag asks for a verification message, which SAKKE has none of here.
    VFlag,
    /// PRF function 0 (MIKEY-1) is named; PRF-HMAC-SHA-256 is used nonetheless.
    PrfZero,
    /// An SRTP-ID CS map in place of a GENERIC-ID or empty one.
    SrtpIdMap,
    /// A UID in the role of a plain identity (1 or 2).
    UidInPlainRole(Party),
    /// A KMS URI that ends with a NUL octet.
    KmsUriTrailingNul(Party),
    /// H of the encapsulation has fewer than 16 octets.
    ShortEncapsulation,
    /// Key parameters in clear, with key types counted from 1.
    ClearKeyParameters,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VFlag => f.write_str("the V flag is set: expected 0"),
            Self::PrfZero => f.write_str("PRF function 0 (MIKEY-1): expected 1 (PRF-HMAC-SHA-256)"),
            Self::SrtpIdMap => f.write_str("CS ID map type 0 (SRTP-ID): expected 2 (GENERIC-ID) or 1 (empty)"),
            Self::UidInPlainRole(party) => write!(f, "the identity of the {party} is a UID in the role of a URI"),
            Self::KmsUriTrailingNul(party) => write!(f, "the KMS URI of the {party} ends with a NUL octet"),
            Self::ShortEncapsulation => f.write_str("H of the SAKKE data has fewer than 16 octets"),
            Self::ClearKeyParameters => f.write_str("the key parameters are not encrypted"),
        }
    }
}

/// What to excuse in messages of a peer. By default nothing that weakens a check is excused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Compatibility {
    /// Accept V = 1 (no verification message is sent).
    pub v_flag: bool,
    /// Accept PRF function 0, meaning PRF-HMAC-SHA-256.
    pub prf_zero: bool,
    /// Accept an SRTP-ID CS map.
    pub srtp_id_map: bool,
    /// Accept UIDs in roles 1 and 2.
    pub uids_in_plain_roles: bool,
    /// Accept a KMS URI that ends with a NUL octet, and leave that out of comparisons and UIDs.
    pub kms_uri_trailing_nul: bool,
    /// Accept a signature that leaves out the two header octets of the SIGN payload, as old Alea and Softil senders make
    /// it, when it does not verify with them.
    pub unsigned_sign_header: bool,
    /// Accept hidden identities of the key period before or after that of T, as senders make it whose clock or period
    /// arithmetic is off at a boundary.
    pub neighbouring_periods: bool,
    /// Accept encapsulations whose sender dropped leading zero octets, of H in the message or of g^r before hashing it, as
    /// Streamwide's does with one message in a hundred.
    pub dropped_zeros: bool,
    /// Accept key parameters in clear, 17 octets with key types counted from 1, as SmartMS and Streamwide up to 1.1.13 send
    /// them. The signature covers them; anyone on the way can read them.
    pub clear_key_parameters: bool,
    /// What status 0 in key parameters means.
    pub status_zero: StatusZero,
}

impl Compatibility {
    pub(super) const fn excuses(&self, deviation: Deviation) -> bool {
        match deviation {
            Deviation::VFlag => self.v_flag,
            Deviation::PrfZero => self.prf_zero,
            Deviation::SrtpIdMap => self.srtp_id_map,
            Deviation::UidInPlainRole(_) => self.uids_in_plain_roles,
            Deviation::KmsUriTrailingNul(_) => self.kms_uri_trailing_nul,
            Deviation::ShortEncapsulation => self.dropped_zeros,
            Deviation::ClearKeyParameters => self.clear_key_parameters,
        }
    }
}

/// What status 0 in key parameters means.
///
/// By table E.6.1-1 a status without bit 0 is that of a revoked key, and Alea sends 0 with live GMKs. The two cannot be
/// told apart within one message unless its key has expired too, but a receiver can: 0 for a key that it already holds
/// revokes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum StatusZero {
    /// The key opens, and [`Opened::revocation`](super::Opened::revocation) says
    /// [`Possible`](super::Revocation::Possible).
    #[default]
    PossiblyLive,
    /// The key is live, also where the receiver holds it already.
    Live,
    /// The key is revoked.
    Revoked,
}
