use super::failure::{Advise, Context, Failure};
use mikey_sakke::sealing::Passphrase;
use std::io::IsTerminal;
use std::path::PathBuf;

const VARIABLE: &str = "MIKEY_SAKKE_PASSPHRASE";

/// Where a command takes the passphrase of a sealed folder from.
#[derive(clap::Args)]
pub struct Source {
    /// File whose first line is the passphrase. Without it the environment variable MIKEY_SAKKE_PASSPHRASE is read, or
    /// you are asked.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Source {
    /// The passphrase that opens `what`, for example `the store alice`.
    pub fn read(&self, what: &str) -> Result<Passphrase, Failure> {
        match self.without_prompt()? {
            Some(passphrase) => Ok(passphrase),
            None => prompt(&format!("Passphrase of {what}: ")),
        }
    }

    /// The passphrase that shall seal the new `what`; whoever types it types it twice.
    pub fn choose(&self, what: &str) -> Result<Passphrase, Failure> {
        if let Some(passphrase) = self.without_prompt()? {
            return Ok(passphrase);
        }
        let first = ask(&format!("New passphrase of {what}: "))?;
        let second = ask("The same again: ")?;
        if *first != *second {
            return Err(Failure::new("the two passphrases differ").advise("Run the command again."));
        }
        new(&first)
    }

    fn without_prompt(&self) -> Result<Option<Passphrase>, Failure> {
        if let Some(path) = &self.passphrase_file {
            let passphrase = Passphrase::from_file(path)
                .context(format_args!("cannot read the passphrase file {}", path.display()))
                .advise("The first line of the file must be the passphrase, in UTF-8.")?;
            return Ok(Some(passphrase));
        }
        match std::env::var(VARIABLE) {
            Ok(text) => Passphrase::new(text).map(Some).context(format_args!("the environment variable {VARIABLE}")),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(error) => Err(Failure::new(format!("the environment variable {VARIABLE}")).because(&error)),
        }
    }
}

fn prompt(question: &str) -> Result<Passphrase, Failure> {
    new(&ask(question)?)
}

fn new(text: &str) -> Result<Passphrase, Failure> {
    Passphrase::new(text.to_owned()).context("no passphrase was given")
}

fn ask(question: &str) -> Result<zeroize::Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("a passphrase is needed, and there is no terminal to ask for it")
            .advise(format!("Give --passphrase-file FILE or set {VARIABLE}.")));
    }
    rpassword::prompt_password(question).map(Into::into).context("cannot read a passphrase from the terminal")
}
