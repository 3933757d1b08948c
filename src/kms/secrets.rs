use super::Error;
use super::config::Config;
use crate::sealing::{self, KdfParameters, Passphrase, SealingKey};
use crate::{eccsi, sakke};
use core::fmt;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use std::fs;
use std::path::Path;
use zeroize::Zeroizing;

/// The name of the file with the master secrets in the folder of a KMS.
pub(super) const FILE: &str = "secrets.sealed";

const NONCE_SECRET_LEN: usize = 32;
const FORM: u8 = 1;

/// What a KMS must never lose and never show: z of SAKKE, KSAK of ECCSI, and the secret that ECCSI's v is derived from.
///
/// Sealed, they are one octet 1, then z (128 octets), KSAK (32) and the nonce secret (32).
pub struct MasterSecrets {
    pub(super) sakke: sakke::MasterSecret,
    pub(super) eccsi: eccsi::MasterSecret,
    pub(super) nonce_secret: Zeroizing<[u8; NONCE_SECRET_LEN]>,
}

impl MasterSecrets {
    /// New secrets from the operating system's random numbers.
    ///
    /// # Errors
    /// [`Error::RandomSource`].
    pub fn generate() -> Result<Self, Error> {
        let mut rng = UnwrapErr(SysRng);
        let mut nonce_secret = Zeroizing::new([0; NONCE_SECRET_LEN]);
        rand_core::Rng::fill_bytes(&mut rng, nonce_secret.as_mut_slice());
        Ok(Self {
            sakke: sakke::MasterSecret::generate(&mut rng).map_err(|_| Error::RandomSource)?,
            eccsi: eccsi::MasterSecret::generate(&mut rng).map_err(|_| Error::RandomSource)?,
            nonce_secret,
        })
    }

    /// Writes them, sealed for this configuration, into its folder, unless there are some.
    pub(super) fn create(&self, config: &Config, passphrase: &Passphrase, kdf: KdfParameters) -> Result<(), Error> {
        let plaintext = Zeroizing::new(
            [&[FORM][..], &*self.sakke.to_bytes(), &*self.eccsi.to_bytes(), &*self.nonce_secret].concat(),
        );
        let sealed = SealingKey::generate(passphrase, kdf)?.seal(&context(config), &plaintext)?;
        let path = config.folder.join(FILE);
        sealing::file::create(&path, &sealed).map_err(|source| Error::file(&path, source))
    }

    /// Reads and unseals them from the folder of this configuration.
    pub(super) fn open(config: &Config, passphrase: &Passphrase) -> Result<Self, Error> {
        let path = config.folder.join(FILE);
        let sealed = fs::read(&path).map_err(|source| Error::file(&path, source))?;
        match sealing::open(passphrase, &context(config), &sealed) {
            Ok(plaintext) => Self::parse(&path, &plaintext),
            Err(sealing::Error::Damaged) => Err(Error::SecretsDamaged { path }),
            Err(error) => Err(error.into()),
        }
    }

    fn parse(path: &Path, plaintext: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::SecretsDamaged { path: path.to_owned() };
        let (form, rest) = plaintext.split_first().ok_or_else(damaged)?;
        let (z, rest) = rest.split_at_checked(sakke::MASTER_SECRET_LEN).ok_or_else(damaged)?;
        let (ksak, nonce_secret) = rest.split_at_checked(eccsi::SECRET_LEN).ok_or_else(damaged)?;
        if *form != FORM {
            return Err(damaged());
        }
        Ok(Self {
            sakke: sakke::MasterSecret::from_bytes(z).map_err(|_| damaged())?,
            eccsi: eccsi::MasterSecret::from_bytes(ksak).map_err(|_| damaged())?,
            nonce_secret: Zeroizing::new(nonce_secret.try_into().map_err(|_| damaged())?),
        })
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
