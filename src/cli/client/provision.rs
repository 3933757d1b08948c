use super::{advice, fill, print_report};
use crate::cli::failure::{Advise, Context, Failure};
use crate::cli::output::Output;
use crate::cli::{key_files, passphrase, runtime};
use clap::ArgGroup;
use mikey_sakke::client::{Credentials, ProvisionRequest, Provisioner, now};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Get keys from a KMS over HTTPS: its certificate, the keys of this and the next period, and the certificates of other
/// KMSs.
///
/// Run it again before the key period ends.
///
/// With the transport and integrity key that the KMS's operator handed over, requests are signed, and so must answers be, with
/// wrapped keys. They are kept in the store and used from then on; the KMS may replace them.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("credentials").required(true).args(["token", "cert"])))]
#[command(after_help = "\
Example:
  mikey-sakke client provision --store alice --kms https://kms.example.org:8443 \\
      --user sip:alice@example.org --token token.jwt")]
pub struct Arguments {
    /// Folder of the client store; made if need be.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// URL of the KMS: https://host or https://host:port.
    #[arg(long, value_name = "URL")]
    kms: String,
    /// URI to get keys for, exactly as the token or the certificate has it.
    #[arg(long, value_name = "URI")]
    user: String,
    /// File with the access token of the identity provider (a JWT).
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// PEM file with a TLS certificate that the KMS knows, in place of a token, and those between it and its authority.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// PEM file with the private key of the certificate.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// HTTP proxy to reach the KMS through; TLS still ends at the KMS.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// File with name:password for the proxy, where it wants to know who asks.
    #[arg(long, value_name = "FILE", requires = "proxy")]
    proxy_login: Option<PathBuf>,
    /// PEM file with the certificate authority of the KMS's TLS certificate, in place of those of the system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Do not tell the KMS of an answer that cannot be used; its operator would learn what is wrong with it.
    #[arg(long)]
    no_report: bool,
    #[command(flatten)]
    keys: key_files::KeyFiles,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let provisioner = arguments.provisioner()?;
    let runtime = runtime::start()?;
    let report = fill(&arguments.store, &arguments.passphrase, |store| {
        runtime.block_on(provisioner.provision(store, now())).map_err(|error| {
            let failure =
                Failure::new(format!("no keys for {} from {}", arguments.user, arguments.kms)).because(&error);
            match advice(&error) {
                Some(advice) => failure.advise(advice),
                None => failure,
            }
        })
    })?;
    print_report(&report, output)
}

impl Arguments {
    fn provisioner(&self) -> Result<Provisioner, Failure> {
        let mut request = ProvisionRequest::new(&self.kms, &self.user);
        request.keys = self.keys.read()?;
        request.complain = !self.no_report;
        request.transport.proxy.clone_from(&self.proxy);
        if let Some(path) = &self.proxy_login {
            let login = std::fs::read_to_string(path)
                .map(Zeroizing::new)
                .context(format_args!("cannot read the login for the proxy in {}", path.display()))?;
            request.transport.proxy_login = Some(Zeroizing::new(login.trim_end_matches(['\r', '\n']).to_owned()));
        }
        if let Some(path) = &self.ca {
            let pem = std::fs::read(path).context(format_args!("cannot read {}", path.display()))?;
            request.transport.trust_anchors = Some(pem);
        }
        let made = match (&self.token, &self.cert, &self.key) {
            (Some(path), ..) => {
                let token = std::fs::read_to_string(path)
                    .map(Zeroizing::new)
                    .context(format_args!("cannot read the token in {}", path.display()))
                    .advise("Log in at the identity provider and save the access token in this file.")?;
                Provisioner::new(request, token.trim())
            }
            (None, Some(cert), Some(key)) => {
                let mut pem = Zeroizing::new(Vec::new());
                for path in [cert, key] {
                    let file = std::fs::read(path).map(Zeroizing::new);
                    pem.extend_from_slice(&file.context(format_args!("cannot read {}", path.display()))?);
                    pem.push(b'\n');
                }
                Provisioner::with_credentials(request, Credentials::Certificate(&pem))
            }
            (None, ..) => return Err(Failure::new("give --token, or --cert and --key")),
        };
        made.context("the KMS cannot be asked")
    }
}
