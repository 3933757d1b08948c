use super::listener::shortened;
use super::narrator::Narrator;
use super::world::{DOMAIN, EVERYONE, KMS_URI, World};
use crate::cli::failure::{Context, Failure};
use mikey_sakke::kms::audit::Act;
use mikey_sakke::kms::{self, InitOptions, NewUser, Server, State, admin};
use mikey_sakke::sealing::file;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;

/// A key management server comes into being.
pub fn play(narrator: &mut Narrator<'_>, world: &mut World) -> Result<(), Failure> {
    narrator.act("A key management server opens");
    narrator.say(
        "The KMS draws two master secrets, one for encryption (SAKKE) and one for signatures (ECCSI). Their public \
         halves are all that the world must know of it. The secrets go to disk only under a passphrase.",
    );
    let folder = world.kms_folder();
    let passphrase = World::passphrase()?;
    let made = narrator
        .step("Master secrets are drawn and sealed, a database and a TLS certificate are made", || {
            world.runtime.block_on(kms::init(&folder, InitOptions::new(KMS_URI, DOMAIN), &passphrase, act()))
        })?;
    narrator.detail("encryption key", shortened(&made.pub_enc_key.to_bytes()));
    narrator.detail("signature key", shortened(&made.pub_auth_key.to_bytes()));
    file::create(&folder.join("jwks.json"), world.issuer.jwks().as_bytes()).context("cannot write jwks.json")?;

    let state = narrator
        .step("The operator unseals the secrets again", || world.runtime.block_on(State::open(&folder, &passphrase)))?;
    narrator.step("Three people, an MCPTT server and a group management server are entered as users", || {
        world.runtime.block_on(async {
            for party in EVERYONE {
                let user = NewUser { kind: party.kind, ..NewUser::new(party.uri, [party.uri]) };
                admin::add_user(&*state.store, &user, &act()).await?;
            }
            Ok::<_, kms::Error>(())
        })
    })?;
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = narrator.step("HTTPS opens on a loopback port", || {
        world.runtime.block_on(Server::bind(&state, Some(loopback), act()))
    })?;
    world.open_kms(server)?;
    narrator.detail("address", world.kms_url());
    Ok(())
}

fn act() -> Act {
    Act::new("demo", SystemTime::now())
}
