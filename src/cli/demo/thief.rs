use super::world::World;
use mikey_sakke::kms_protocol::resource::Resource;
use mikey_sakke::kms_protocol::{self, KmsError, KmsResponse, Limits};
use reqwest::{Certificate, Client};

/// Why somebody who has no right to keys did not get them.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// The KMS said so.
    #[error("HTTP {status}, {error}")]
    ByKms {
        /// HTTP status code.
        status: u16,
        /// KmsError of the answer.
        error: KmsError,
    },
    /// The answer is none of a KMS.
    #[error("the answer cannot be read: {0}")]
    Unreadable(kms_protocol::Error),
    /// There was no answer.
    #[error("no answer: {0}")]
    NoAnswer(#[from] reqwest::Error),
}

/// Asks the KMS for the keys of `victim_uri` with whatever token is at hand. A client of good manners would check first
/// whether the token is its own; a thief does not.
pub fn ask_for_keys(world: &World, victim_uri: &str, token: &str) -> Result<(), Denied> {
    let resource = Resource::KeyProv { user_uri: Some(victim_uri.to_owned()), time: None };
    world.runtime.block_on(async {
        let authority = Certificate::from_pem(world.tls_certificate())?;
        let client = Client::builder().tls_certs_only([authority]).no_proxy().build()?;
        let answer = client.post(resource.url(world.kms_url())).bearer_auth(token).send().await?;
        let status = answer.status().as_u16();
        let document = answer.bytes().await?;
        let (response, _) =
            KmsResponse::from_xml(&document, &Limits::default()).map_err(Denied::Unreadable)?.into_parts();
        match response.into_message() {
            Ok(_) => Ok(()),
            Err(kms_protocol::Error::Refused(error)) => Err(Denied::ByKms { status, error }),
            Err(error) => Err(Denied::Unreadable(error)),
        }
    })
}
