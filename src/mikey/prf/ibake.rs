use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{NO_CS, Prf};

/// Constant of the MIKEY protection key (MPK) from the session key of MIKEY-IBAKE (RFC 6267 5.1).
pub const IBAKE_MPK: u32 = 0x220E_99A2;
/// Constant of the TGK from the session key of MIKEY-IBAKE (RFC 6267 5.1).
pub const IBAKE_TGK: u32 = 0x1F4D_675B;

impl Prf {
    /// The MPK or the TGK of MIKEY-IBAKE from K_SESSION, the octet string of the point that the parties agreed on
    /// (RFC 6267 5.1): [`IBAKE_MPK`] or [`IBAKE_TGK`].
    pub fn ibake_key(self, k_session: &[u8], constant: u32, rand: &[u8], out_len: usize) -> Zeroizing<Vec<u8>> {
        self.session_key(k_session, constant, NO_CS, u32::MAX, rand, out_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_laid_out_as_specified() {
        let label = [0x22, 0x0e, 0x99, 0xa2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xaa];
        for prf in [Prf::Mikey1, Prf::HmacSha256] {
            assert_eq!(prf.ibake_key(b"key", IBAKE_MPK, &[0xaa], 40), prf.derive(b"key", &label, 40));
        }
    }
}
