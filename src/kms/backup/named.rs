use super::BackupFault;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

/// A file whose errors say that they are its own, and not those of the backup that is read or written beside it.
pub(super) struct Named<'a, T> {
    inner: T,
    path: &'a Path,
}

impl<'a, T> Named<'a, T> {
    pub(super) fn new(inner: T, path: &'a Path) -> Self {
        Self { inner, path }
    }

    fn name(&self, error: io::Error) -> io::Error {
        match error.kind() {
            // Who copies tries again.
            ErrorKind::Interrupted => error,
            _ => io::Error::other(BackupFault::file(self.path, error)),
        }
    }
}

impl<T: Read> Read for Named<'_, T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.inner.read(into).map_err(|error| self.name(error))
    }
}

impl<T: Write> Write for Named<'_, T> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.inner.write(octets).map_err(|error| self.name(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush().map_err(|error| self.name(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_full_disk_is_told_of_the_file_that_is_written() {
        let place = Path::new("kms/kms.sqlite");
        let written = |kind| {
            let error = io::copy(&mut &b"octets"[..], &mut Named::new(Failing(kind), place)).unwrap_err();
            BackupFault::within(error, Path::new("kms.backup"))
        };
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge] {
            let fault = written(kind);
            assert!(matches!(&fault, BackupFault::Full { path, .. } if path == place), "{fault}");
            assert!(fault.to_string().contains("make room"), "{fault}");
        }
        let fault = written(ErrorKind::PermissionDenied);
        assert!(matches!(&fault, BackupFault::File { path, .. } if path == place), "{fault}");
        let fault = BackupFault::within(ErrorKind::PermissionDenied.into(), place);
        assert!(matches!(&fault, BackupFault::File { path, .. } if path == place), "{fault}");
    }
}
