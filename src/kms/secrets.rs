use super::Error;
use super::audit::Origin;
use super::config::Config;
use super::hash::{Hash, hex};
use super::store::Generation;
use crate::sealing::file::read_private;
use crate::sealing::{self, KdfParameters, Passphrase, SealingKey};
use crate::{eccsi, sakke};
use core::fmt;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use std::path::PathBuf;
use std::{io, iter};
use zeroize::Zeroizing;

/// The name of the file with the master secrets in the folder of a KMS.
pub(super) const FILE: &str = "secrets.sealed";

/// Where a roll-over keeps the file that it replaces.
pub(super) const OLD_FILE: &str = "secrets.sealed.old";

const NONCE_SECRET_LEN: usize = 32;
/// z, KSAK, and the secret of v.
const GENERATION_LEN: usize = sakke::MASTER_SECRET_LEN + eccsi::SECRET_LEN + NONCE_SECRET_LEN;
const FIRST_PERIOD_LEN: usize = 8;

/// The form of a KMS that never rolled over: one generation, for all key periods.
const ONE_GENERATION: u8 = 1;
/// The form of all others: each generation has the number of its first key period before it.
const SEVERAL_GENERATIONS: u8 = 2;

/// What a KMS must never lose and never show, of all generations.
///
/// Sealed, they are one octet 1 and the first generation; or one octet 2, and for each generation the number of its first
/// key period (8 octets), z of SAKKE (128), KSAK of ECCSI (32) and the secret that v follows from (32).
pub struct MasterSecrets {
    first: GenerationSecrets,
    /// In the order in which they were made; but for those that were withdrawn, by first period, ascending.
    later: Vec<GenerationSecrets>,
}

/// The secrets of one generation.
pub(super) struct GenerationSecrets {
    /// The first key period that it serves: 0 of the first generation.
    pub(super) first_period: u64,
    pub(super) sakke: sakke::MasterSecret,
    pub(super) eccsi: eccsi::MasterSecret,
    /// ECCSI's v is derived from it.
    pub(super) nonce_secret: Zeroizing<[u8; NONCE_SECRET_LEN]>,
    /// It serves no period. The database knows, not the sealed file.
    pub(super) withdrawn: bool,
}

impl MasterSecrets {
    /// New secrets from the operating system's random numbers.
    ///
    /// # Errors
    /// [`Error::RandomSource`].
    pub fn generate() -> Result<Self, Error> {
        Ok(Self::of_first(GenerationSecrets::generate(0)?))
    }

    pub(super) fn of_first(first: GenerationSecrets) -> Self {
        Self { first, later: Vec::new() }
    }

    /// Marks those that the database knows to be withdrawn.
    pub(super) fn mark_withdrawn(&mut self, known: &[Generation]) {
        for generation in &mut self.later {
            let fingerprint = generation.fingerprint().to_string();
            generation.withdrawn = known.iter().any(|known| known.withdrawn && known.fingerprint == fingerprint);
        }
    }

    /// Adds a generation that begins after all others that serve.
    pub(super) fn add(&mut self, generation: GenerationSecrets) {
        self.later.push(generation);
    }

    pub(super) const fn first(&self) -> &GenerationSecrets {
        &self.first
    }

    /// All generations with their numbers, in the order in which they were made. That one was withdrawn has a number too.
    pub(super) fn generations(&self) -> impl Iterator<Item = (u64, &GenerationSecrets)> {
        let numbered = |next: &mut u64, generation: &'_ GenerationSecrets| {
            let number = *next;
            *next = number.saturating_add(1 + u64::from(generation.withdrawn));
            Some(number)
        };
        let all = || iter::once(&self.first).chain(&self.later);
        all().scan(1, numbered).zip(all())
    }

    /// What the audit log begins with.
    pub(super) fn origin(&self) -> Origin {
        let GenerationSecrets { sakke, eccsi, .. } = &self.first;
        let (pub_enc_key, pub_auth_key) = (hex(&sakke.public_key().to_bytes()), hex(&eccsi.public_key().to_bytes()));
        Origin { pub_enc_key, pub_auth_key }
    }

    /// What the database may know of them.
    pub(super) fn public(&self) -> Vec<Generation> {
        let generation = |(number, generation): (u64, &GenerationSecrets)| Generation {
            number,
            first_period: generation.first_period,
            fingerprint: generation.fingerprint().to_string(),
            withdrawn: generation.withdrawn,
        };
        self.generations().map(generation).collect()
    }

    /// Writes them, sealed for this configuration, into its folder, unless there are some.
    pub(super) fn create(&self, config: &Config, passphrase: &Passphrase, kdf: KdfParameters) -> Result<(), Error> {
        let sealed = SealingKey::generate(passphrase, kdf)?.seal(&context(config), &self.to_octets())?;
        let path = config.folder.join(FILE);
        sealing::file::create(&path, &sealed).map_err(|source| Error::creating(&path, source))
    }

    fn to_octets(&self) -> Zeroizing<Vec<u8>> {
        let mut octets =
            Zeroizing::new(Vec::with_capacity(1 + (FIRST_PERIOD_LEN + GENERATION_LEN) * (1 + self.later.len())));
        octets.push(if self.later.is_empty() { ONE_GENERATION } else { SEVERAL_GENERATIONS });
        for (_, generation) in self.generations() {
            if !self.later.is_empty() {
                octets.extend_from_slice(&generation.first_period.to_be_bytes());
            }
            octets.extend_from_slice(&*generation.sakke.to_bytes());
            octets.extend_from_slice(&*generation.eccsi.to_bytes());
            octets.extend_from_slice(&*generation.nonce_secret);
        }
        octets
    }

    /// `None` for octets that [`to_octets`](Self::to_octets) does not give.
    fn from_octets(octets: &[u8]) -> Option<Self> {
        match octets.split_first()? {
            (&ONE_GENERATION, octets) => Some(Self::of_first(GenerationSecrets::from_octets(0, octets)?)),
            (&SEVERAL_GENERATIONS, octets) => {
                let mut generations = octets.chunks(FIRST_PERIOD_LEN + GENERATION_LEN).map(|octets| {
                    let (first_period, octets) = octets.split_first_chunk()?;
                    GenerationSecrets::from_octets(u64::from_be_bytes(*first_period), octets)
                });
                let secrets = Self { first: generations.next()??, later: generations.collect::<Option<_>>()? };
                let is_later = secrets.later.iter().all(|generation| generation.first_period > 0);
                (is_later && secrets.first.first_period == 0 && !secrets.later.is_empty()).then_some(secrets)
            }
            _ => None,
        }
    }
}

impl GenerationSecrets {
    pub(super) fn generate(first_period: u64) -> Result<Self, Error> {
        let mut rng = UnwrapErr(SysRng);
        let mut nonce_secret = Zeroizing::new([0; NONCE_SECRET_LEN]);
        rand_core::Rng::fill_bytes(&mut rng, nonce_secret.as_mut_slice());
        Ok(Self {
            first_period,
            sakke: sakke::MasterSecret::generate(&mut rng).map_err(|_| Error::RandomSource)?,
            eccsi: eccsi::MasterSecret::generate(&mut rng).map_err(|_| Error::RandomSource)?,
            nonce_secret,
            withdrawn: false,
        })
    }

    fn from_octets(first_period: u64, octets: &[u8]) -> Option<Self> {
        let (z, octets) = octets.split_at_checked(sakke::MASTER_SECRET_LEN)?;
        let (ksak, nonce_secret) = octets.split_at_checked(eccsi::SECRET_LEN)?;
        Some(Self {
            first_period,
            sakke: sakke::MasterSecret::from_bytes(z).ok()?,
            eccsi: eccsi::MasterSecret::from_bytes(ksak).ok()?,
            nonce_secret: Zeroizing::new(nonce_secret.try_into().ok()?),
            withdrawn: false,
        })
    }

    /// SHA-256 of Z and KPAK.
    pub(super) fn fingerprint(&self) -> Hash {
        Hash::of(&[&self.sakke.public_key().to_bytes()[..], &self.eccsi.public_key().to_bytes()].concat())
    }
}

/// The sealed file, opened: what is needed to seal other secrets in its place.
pub(super) struct SecretsFile {
    folder: PathBuf,
    context: Vec<u8>,
    key: SealingKey,
    sealed: Vec<u8>,
}

impl SecretsFile {
    /// Reads and unseals it from the folder of this configuration.
    pub(super) fn open(config: &Config, passphrase: &Passphrase) -> Result<(Self, MasterSecrets), Error> {
        let path = config.folder.join(FILE);
        let sealed = read_private(&path).map_err(|source| Error::file(&path, source))?.to_vec();
        let key = match SealingKey::of_sealed(passphrase, &sealed) {
            Err(sealing::Error::UnsupportedVersion(_)) => return Err(Error::SecretsNewer { path }),
            key => key?,
        };
        let context = context(config);
        let octets = match key.open(&context, &sealed) {
            Err(sealing::Error::Damaged) => return Err(Error::SecretsDamaged { path }),
            octets => octets?,
        };
        if octets.first().is_some_and(|form| *form > SEVERAL_GENERATIONS) {
            return Err(Error::SecretsNewer { path });
        }
        let secrets = MasterSecrets::from_octets(&octets).ok_or(Error::SecretsDamaged { path })?;
        Ok((Self { folder: config.folder.clone(), context, key, sealed }, secrets))
    }

    /// The file octet for octet, and the key that it is sealed under.
    pub(super) fn into_parts(self) -> (Vec<u8>, SealingKey) {
        (self.sealed, self.key)
    }

    /// Seals other secrets, to be [written](SealedSecrets::write) in the place of these.
    pub(super) fn seal(self, secrets: &MasterSecrets) -> Result<SealedSecrets, Error> {
        let new = self.key.seal(&self.context, &secrets.to_octets())?;
        Ok(SealedSecrets { folder: self.folder, old: self.sealed, new })
    }
}

/// Secrets that are ready to take the place of others.
pub(super) struct SealedSecrets {
    folder: PathBuf,
    old: Vec<u8>,
    new: Vec<u8>,
}

impl SealedSecrets {
    /// Keeps the old file under another name, then replaces it: as a whole, or not at all.
    pub(super) fn write(&self) -> io::Result<()> {
        sealing::file::replace(&self.folder.join(OLD_FILE), &self.old)?;
        sealing::file::replace(&self.folder.join(FILE), &self.new)
    }
}

impl fmt::Debug for MasterSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterSecrets(..)")
    }
}

/// Binds the secrets to what is hashed into the UIDs beside the user: under another URI, period or offset they would
/// quietly issue keys that belong to no certificate handed out before.
fn context(config: &Config) -> Vec<u8> {
    format!("KMS master secrets\0{}\0{}\0{}", config.kms_uri, config.key_period, config.key_offset).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::InitOptions;

    fn secrets(first_periods: &[u64]) -> MasterSecrets {
        let mut secrets = MasterSecrets::generate().unwrap();
        for first_period in first_periods {
            secrets.add(GenerationSecrets::generate(*first_period).unwrap());
        }
        secrets
    }

    #[test]
    fn every_form_is_read_as_it_was_written() {
        for (first_periods, form, len) in [(&[][..], 1, 193), (&[7], 2, 401), (&[7, 8, u64::MAX], 2, 801)] {
            let secrets = secrets(first_periods);
            let octets = secrets.to_octets();
            assert_eq!((octets[0], octets.len()), (form, len));
            let read = MasterSecrets::from_octets(&octets).unwrap();
            assert_eq!(read.to_octets(), octets);
            assert_eq!(read.public(), secrets.public());
            let public: Vec<_> = read.public().iter().map(|known| (known.number, known.first_period)).collect();
            let expected: Vec<_> = (1..).zip([0].iter().chain(first_periods).copied()).collect();
            assert_eq!(public, expected);
        }
    }

    #[test]
    fn what_no_form_allows_is_refused() {
        let good = secrets(&[7, 8]).to_octets();
        assert!(MasterSecrets::from_octets(&good).is_some());
        let altered = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut octets = good.to_vec();
            change(&mut octets);
            MasterSecrets::from_octets(&octets).is_none()
        };
        assert!(altered(&Vec::clear), "empty");
        assert!(altered(&|octets| octets.truncate(1)), "no generation");
        assert!(altered(&|octets| octets.truncate(201)), "one generation is of form 1");
        assert!(altered(&|octets| octets.truncate(600)), "cut");
        assert!(altered(&|octets| octets.push(0)), "too long");
        assert!(altered(&|octets| octets[0] = 1), "form 1");
        assert!(altered(&|octets| octets[0] = 3), "a form of later");
        assert!(altered(&|octets| octets[8] = 1), "the first does not begin with period 0");
        assert!(altered(&|octets| octets[208] = 0), "another one begins with period 0");
        assert!(altered(&|octets| octets[209..337].fill(0)), "z of 0");
        assert!(altered(&|octets| octets[337..369].fill(0xff)), "KSAK above the order of the group");
    }

    #[test]
    fn a_file_of_a_later_form_is_told_from_a_damaged_one() {
        let folder = tempfile::tempdir().unwrap();
        let config = InitOptions::new("kms.example.org", "example.org").config(folder.path()).unwrap();
        let passphrase = Passphrase::new("a passphrase".into()).unwrap();
        let key = SealingKey::generate(&passphrase, KdfParameters::cheap_for_tests()).unwrap();
        let open = |sealed: &[u8]| {
            sealing::file::replace(&folder.path().join(FILE), sealed).unwrap();
            SecretsFile::open(&config, &passphrase).map(drop).unwrap_err()
        };
        let mut octets = secrets(&[]).to_octets();
        octets[0] = 3;
        let sealed = key.seal(&context(&config), &octets).unwrap();
        assert!(matches!(open(&sealed), Error::SecretsNewer { .. }));
        let mut later = sealed.clone();
        later[8] = 2;
        assert!(matches!(open(&later), Error::SecretsNewer { .. }));
        octets[0] = 0;
        assert!(matches!(open(&key.seal(&context(&config), &octets).unwrap()), Error::SecretsDamaged { .. }));
    }

    #[test]
    fn that_one_was_withdrawn_takes_a_number_too() {
        let mut secrets = secrets(&[9, 7, 8]);
        let mut known = secrets.public();
        known[1].withdrawn = true;
        secrets.mark_withdrawn(&known);
        let marked: Vec<_> = secrets.public().iter().map(|one| (one.number, one.first_period, one.withdrawn)).collect();
        assert_eq!(marked, [(1, 0, false), (2, 9, true), (4, 7, false), (5, 8, false)]);
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", secrets(&[7])), "MasterSecrets(..)");
    }
}
