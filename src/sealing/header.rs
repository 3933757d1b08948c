use super::Error;

pub(super) const HEADER_LEN: usize = 68;
pub(super) const SALT_LEN: usize = 16;
pub(super) const CHECK_LEN: usize = 16;
pub(super) const NONCE_LEN: usize = 12;
pub(super) const TAG_LEN: usize = 16;

const MAGIC: [u8; 8] = *b"MSSEALED";
const VERSION: u8 = 1;

/// What Argon2id costs: memory in KiB, passes over it, lanes.
///
/// Every blob carries its parameters, so they can be raised later. What is read from a blob is bounded, so that a
/// forged header cannot make the program take all memory: at most 1 GiB, 16 passes and 8 lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfParameters {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl KdfParameters {
    const MEMORY_KIB: (u32, u32) = (8, 1024 * 1024);
    const PASSES: (u32, u32) = (1, 16);
    const LANES: (u32, u32) = (1, 8);

    /// Parameters of one's own choice.
    ///
    /// # Errors
    /// [`Error::ParametersOutOfBounds`]: memory 8 KiB a lane to 1 GiB, 1 to 16 passes, 1 to 8 lanes.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Error> {
        if let Err(error) = within("lanes", lanes, Self::LANES) {
            return Err(error);
        }
        if let Err(error) = within("memory in KiB", memory_kib, (Self::MEMORY_KIB.0 * lanes, Self::MEMORY_KIB.1)) {
            return Err(error);
        }
        if let Err(error) = within("passes", passes, Self::PASSES) {
            return Err(error);
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    /// So cheap that tests do not wait. Protects nothing that matters.
    pub const fn cheap_for_tests() -> Self {
        Self { memory_kib: 8, passes: 1, lanes: 1 }
    }

    /// Memory in KiB.
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes.
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }
}

/// 64 MiB, 3 passes, 1 lane: above the second recommendation of RFC 9106 for one lane, a fraction of a second.
impl Default for KdfParameters {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

const fn within(name: &'static str, value: u32, (min, max): (u32, u32)) -> Result<(), Error> {
    if value < min || value > max {
        return Err(Error::ParametersOutOfBounds { name, value, min, max });
    }
    Ok(())
}

/// The octets before the ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) parameters: KdfParameters,
    pub(super) salt: [u8; SALT_LEN],
    pub(super) check: [u8; CHECK_LEN],
    pub(super) nonce: [u8; NONCE_LEN],
}

impl Header {
    /// Splits a blob into its header and the ciphertext with its tag.
    pub(super) fn split(sealed: &[u8]) -> Result<(Self, &[u8]), Error> {
        let truncated = Error::Truncated { found: sealed.len(), needed: HEADER_LEN + TAG_LEN };
        let Some((header, ciphertext)) = sealed.split_first_chunk::<HEADER_LEN>() else {
            return Err(if MAGIC.starts_with(sealed) || sealed.starts_with(&MAGIC) {
                truncated
            } else {
                Error::NotSealed
            });
        };
        let mut reader = Reader(header);
        if reader.take::<8>() != MAGIC {
            return Err(Error::NotSealed);
        }
        let [version, reserved @ ..] = reader.take::<4>();
        if version != VERSION {
            return Err(Error::UnsupportedVersion(version));
        }
        if reserved != [0; 3] {
            return Err(Error::Damaged);
        }
        if ciphertext.len() < TAG_LEN {
            return Err(truncated);
        }
        let [memory_kib, passes, lanes] = [(); 3].map(|()| u32::from_be_bytes(reader.take()));
        let parameters = KdfParameters::new(memory_kib, passes, lanes)?;
        Ok((Self { parameters, salt: reader.take(), check: reader.take(), nonce: reader.take() }, ciphertext))
    }

    pub(super) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        let fields: [&[u8]; 8] = [
            &MAGIC,
            &[VERSION, 0, 0, 0],
            &self.parameters.memory_kib.to_be_bytes(),
            &self.parameters.passes.to_be_bytes(),
            &self.parameters.lanes.to_be_bytes(),
            &self.salt,
            &self.check,
            &self.nonce,
        ];
        for (octet, value) in header.iter_mut().zip(fields.into_iter().flatten()) {
            *octet = *value;
        }
        header
    }
}

/// Takes fixed-length fields from the front of a header; zeros once it is used up.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((field, rest)) => {
                self.0 = rest;
                *field
            }
            None => [0; N],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header {
        parameters: KdfParameters { memory_kib: 65536, passes: 3, lanes: 2 },
        salt: [0xa1; SALT_LEN],
        check: [0xb2; CHECK_LEN],
        nonce: [0xc3; NONCE_LEN],
    };

    fn blob() -> Vec<u8> {
        [&HEADER.to_bytes()[..], &[0xd4; TAG_LEN]].concat()
    }

    #[test]
    fn layout_is_the_documented_one() {
        let bytes = HEADER.to_bytes();
        assert_eq!(&bytes[..12], b"MSSEALED\x01\0\0\0");
        assert_eq!(bytes[12..24], [0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2]);
        assert_eq!(bytes[24..40], [0xa1; 16]);
        assert_eq!(bytes[40..56], [0xb2; 16]);
        assert_eq!(bytes[56..], [0xc3; 12]);
        let blob = blob();
        let (read, ciphertext) = Header::split(&blob).unwrap();
        assert_eq!(read, HEADER);
        assert_eq!(ciphertext, [0xd4; TAG_LEN]);
    }

    #[test]
    fn every_truncation_is_named() {
        let blob = blob();
        for len in 0..blob.len() {
            let error = Header::split(&blob[..len]).unwrap_err();
            assert!(matches!(error, Error::Truncated { found, needed: 84 } if found == len), "{len}: {error}");
        }
    }

    #[test]
    fn foreign_data_is_named() {
        assert!(matches!(Header::split(b"-----BEGIN"), Err(Error::NotSealed)));
        let mut blob = blob();
        blob[0] ^= 1;
        assert!(matches!(Header::split(&blob), Err(Error::NotSealed)));
    }

    #[test]
    fn other_version_and_reserved_octets_are_refused() {
        let mut other = blob();
        other[8] = 2;
        assert!(matches!(Header::split(&other), Err(Error::UnsupportedVersion(2))));
        let mut reserved = blob();
        reserved[10] = 1;
        assert!(matches!(Header::split(&reserved), Err(Error::Damaged)));
    }

    #[test]
    fn parameters_are_bounded() {
        for (offset, value, expected) in [
            (12, u32::MAX, "memory in KiB"),
            (12, 1024 * 1024 + 1, "memory in KiB"),
            (12, 15, "memory in KiB"),
            (16, 0, "passes"),
            (16, 17, "passes"),
            (20, 0, "lanes"),
            (20, 9, "lanes"),
        ] {
            let mut blob = blob();
            blob[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
            let error = Header::split(&blob).unwrap_err();
            assert!(
                matches!(error, Error::ParametersOutOfBounds { name, value: found, .. } if name == expected && found == value),
                "{error}"
            );
        }
        assert_eq!(KdfParameters::new(8, 1, 1).unwrap(), KdfParameters::cheap_for_tests());
    }
}
