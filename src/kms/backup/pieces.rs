//! A stream in sealed pieces: none can be altered, left out, moved or taken from another backup.

use super::BackupFault;
use crate::sealing::{self, Passphrase, SealingKey};
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"MSBACKUP";
const FORM: u8 = 1;
const ID_LEN: usize = 16;
/// Octets of a piece, before it is sealed; and at most after.
const PIECE: usize = 1 << 20;
const MAX_SEALED: u32 = (PIECE + 4096) as u32;

/// Seals what is written. Without [`finish`](Self::finish) it has no end.
pub(super) struct Sealer<W> {
    out: W,
    key: SealingKey,
    position: Position,
    piece: Zeroizing<Vec<u8>>,
}

impl<W: Write> Sealer<W> {
    pub(super) fn begin(mut out: W, key: SealingKey) -> io::Result<Self> {
        let mut id = [0; ID_LEN];
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        out.write_all(MAGIC)?;
        out.write_all(&[FORM])?;
        out.write_all(&id)?;
        Ok(Self { out, key, position: Position { id, number: 0 }, piece: Zeroizing::new(Vec::with_capacity(PIECE)) })
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.out)
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let sealed = self.key.seal(&self.position.context(is_last), &self.piece).map_err(io::Error::other)?;
        let len = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        self.out.write_all(&[u8::from(is_last)])?;
        self.out.write_all(&len.to_be_bytes())?;
        self.out.write_all(&sealed)?;
        self.position.number += 1;
        self.piece.clear();
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE {
            self.seal(false)?;
        }
        let taken = octets.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(octets.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    /// A piece is not cut short for it.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what a [`Sealer`] wrote, piece by piece. Each fault is the [`BackupFault`] in an [`io::Error`].
pub(super) struct Opener<R> {
    from: R,
    key: SealingKey,
    position: Position,
    piece: Zeroizing<Vec<u8>>,
    read: usize,
    is_last: bool,
}

impl<R: Read> Opener<R> {
    pub(super) fn begin(mut from: R, passphrase: &Passphrase) -> io::Result<Self> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic).map_err(|error| cut(error, BackupFault::NotABackup))?;
        if magic != *MAGIC {
            return Err(io::Error::other(BackupFault::NotABackup));
        }
        let mut form = [0];
        read(&mut from, &mut form)?;
        if form != [FORM] {
            return Err(io::Error::other(BackupFault::Form(form[0].into())));
        }
        let mut id = [0; ID_LEN];
        read(&mut from, &mut id)?;
        let (is_last, sealed) = next(&mut from)?;
        let key = SealingKey::of_sealed(passphrase, &sealed).map_err(|error| io::Error::other(fault(error)))?;
        let position = Position { id, number: 0 };
        let mut opener = Self { from, key, position, piece: Zeroizing::default(), read: 0, is_last };
        opener.open(&sealed)?;
        Ok(opener)
    }

    /// Reads to the end: all of it is what was sealed. Gives back what it was read from.
    pub(super) fn finish(mut self) -> io::Result<R> {
        io::copy(&mut self, &mut io::sink())?;
        match self.from.read(&mut [0])? {
            0 => Ok(self.from),
            _ => Err(io::Error::other(BackupFault::Damaged)),
        }
    }

    fn open(&mut self, sealed: &[u8]) -> io::Result<()> {
        let context = self.position.context(self.is_last);
        self.piece = self.key.open(&context, sealed).map_err(|_| io::Error::other(BackupFault::Damaged))?;
        self.read = 0;
        self.position.number += 1;
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.piece.len() && !self.is_last {
            let (is_last, sealed) = next(&mut self.from)?;
            self.is_last = is_last;
            self.open(&sealed)?;
        }
        let count = self.piece.get(self.read..).unwrap_or_default().read(into)?;
        self.read += count;
        Ok(count)
    }
}

/// Which backup, and which piece of it comes next.
struct Position {
    id: [u8; ID_LEN],
    number: u64,
}

impl Position {
    fn context(&self, is_last: bool) -> Vec<u8> {
        [b"KMS backup\0", &self.id[..], &self.number.to_be_bytes(), &[u8::from(is_last)]].concat()
    }
}

/// Whether it is the last piece, and the sealed piece.
fn next(from: &mut impl Read) -> io::Result<(bool, Vec<u8>)> {
    let mut head = [0; 5];
    read(from, &mut head)?;
    let [is_last, len @ ..] = head;
    let len = u32::from_be_bytes(len);
    if is_last > 1 || len > MAX_SEALED {
        return Err(io::Error::other(BackupFault::Damaged));
    }
    let mut sealed = vec![0; len as usize];
    read(from, &mut sealed)?;
    Ok((is_last == 1, sealed))
}

fn read(from: &mut impl Read, into: &mut [u8]) -> io::Result<()> {
    from.read_exact(into).map_err(|error| cut(error, BackupFault::Truncated))
}

fn cut(error: io::Error, fault: BackupFault) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { io::Error::other(fault) } else { error }
}

/// What is wrong with the header of the first piece.
fn fault(error: sealing::Error) -> BackupFault {
    match error {
        sealing::Error::WrongPassphrase => BackupFault::WrongPassphrase,
        sealing::Error::UnsupportedVersion(version) => BackupFault::Form(version.into()),
        _ => BackupFault::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealing::KdfParameters;

    fn passphrase() -> Passphrase {
        Passphrase::new("a passphrase".into()).unwrap()
    }

    fn sealed(octets: &[u8]) -> Vec<u8> {
        let key = SealingKey::generate(&passphrase(), KdfParameters::cheap_for_tests()).unwrap();
        let mut sealer = Sealer::begin(Vec::new(), key).unwrap();
        sealer.write_all(octets).unwrap();
        sealer.finish().unwrap()
    }

    fn open(backup: &[u8]) -> Result<Vec<u8>, BackupFault> {
        let read = || {
            let mut opener = Opener::begin(backup, &passphrase())?;
            let mut octets = Vec::new();
            opener.read_to_end(&mut octets)?;
            opener.finish()?;
            Ok(octets)
        };
        read().map_err(|error: io::Error| *error.into_inner().unwrap().downcast().unwrap())
    }

    #[test]
    fn every_length_is_opened_again() {
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE] {
            let octets: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            assert_eq!(open(&sealed(&octets)).unwrap(), octets, "{len}");
        }
    }

    #[test]
    fn pieces_left_out_exchanged_or_cut_are_found() {
        let backup = sealed(&vec![7; 2 * PIECE + 5]);
        let len = |at: usize| u32::from_be_bytes(backup[at + 1..at + 5].try_into().unwrap()) as usize + 5;
        let first = MAGIC.len() + 1 + ID_LEN;
        let second = first + len(first);
        let third = second + len(second);
        let of = |pieces: &[&[u8]]| open(&[&[&backup[..first]], pieces].concat().concat()).unwrap_err();
        let [one, two, three] = [&backup[first..second], &backup[second..third], &backup[third..]];
        assert!(open(&[&backup[..first], one, two, three].concat()).is_ok());
        assert!(matches!(of(&[one, two]), BackupFault::Truncated));
        assert!(matches!(of(&[one, three]), BackupFault::Damaged));
        assert!(matches!(of(&[two, one, three]), BackupFault::Damaged));
        assert!(matches!(of(&[one, two, three, b"x"]), BackupFault::Damaged));
        let as_last = [&[1], &two[1..]].concat();
        assert!(matches!(of(&[one, &as_last]), BackupFault::Damaged));
        assert!(matches!(open(&[&sealed(b"")[..first], one, two, three].concat()), Err(BackupFault::Damaged)));
        let huge = [&[0, 0xff, 0xff, 0xff, 0xff][..], b"x"].concat();
        assert!(matches!(of(&[&huge]), BackupFault::Damaged));
    }

    #[test]
    fn every_cut_and_altered_octet_of_a_small_one_is_found() {
        let backup = sealed(b"small");
        for len in 0..backup.len() {
            let error = open(&backup[..len]).unwrap_err();
            let expected = if len < MAGIC.len() {
                matches!(error, BackupFault::NotABackup)
            } else {
                matches!(error, BackupFault::Truncated)
            };
            assert!(expected, "{len}: {error}");
        }
        let blob = MAGIC.len() + 1 + ID_LEN + 5;
        for at in 0..backup.len() {
            // Memory and passes of Argon2 within bounds are only slow.
            if (blob + 12..blob + 24).contains(&at) {
                continue;
            }
            let mut altered = backup.clone();
            altered[at] ^= 0x10;
            assert!(open(&altered).is_err(), "{at}");
        }
        let mut later = backup.clone();
        later[MAGIC.len()] = 2;
        assert!(matches!(open(&later), Err(BackupFault::Form(2))));
    }

    #[test]
    fn another_passphrase_is_told_from_damage() {
        let other = Passphrase::new("another".into()).unwrap();
        let error = Opener::begin(sealed(b"x").as_slice(), &other).err().unwrap().into_inner().unwrap();
        let fault = error.downcast::<BackupFault>().unwrap();
        assert!(matches!(*fault, BackupFault::WrongPassphrase));
        // The salt follows from no passphrase: it cannot be told which of both is wrong.
        let mut altered = sealed(b"x");
        altered[MAGIC.len() + 1 + ID_LEN + 5 + 24] ^= 1;
        let error = Opener::begin(altered.as_slice(), &passphrase()).err().unwrap().into_inner().unwrap();
        let text = error.downcast::<BackupFault>().unwrap().to_string();
        assert!(text.contains("wrong passphrase") && text.contains("damaged"), "{text}");
    }
}
