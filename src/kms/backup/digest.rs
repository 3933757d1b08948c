use crate::kms::audit::Hash;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// Passes octets on, and hashes and counts them: a backup is known by its SHA-256 in the audit logs of both KMSs.
pub(super) struct Digesting<T> {
    inner: T,
    sha256: Sha256,
    octets: u64,
}

/// Of all that went through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digested {
    pub(super) sha256: Hash,
    pub(super) octets: u64,
}

impl<T> Digesting<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, sha256: Sha256::new(), octets: 0 }
    }

    pub(super) fn finish(self) -> (T, Digested) {
        (self.inner, Digested { sha256: Hash(self.sha256.finalize().into()), octets: self.octets })
    }

    fn take(&mut self, octets: &[u8]) {
        self.sha256.update(octets);
        self.octets += octets.len() as u64;
    }
}

impl<T: Read> Read for Digesting<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.take(into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<T: Write> Write for Digesting<T> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(octets)?;
        self.take(octets.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
