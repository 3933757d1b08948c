use super::narrator::Narrator;
use super::world::{EVERYONE, World};
use crate::cli::failure::{Advise, Failure};
use mikey_sakke::client;
use std::time::{Duration, SystemTime};

/// Everyone gets keys.
pub fn play(narrator: &mut Narrator<'_>, world: &mut World) -> Result<(), Failure> {
    narrator.act("Everyone gets keys");
    narrator.say(
        "Each party has logged in at an identity provider and shows its token to the KMS, over HTTPS. It gets one key \
         to decrypt and one to sign for this key period of thirty days, and for the next. Before it keeps them in its \
         own encrypted store, it checks both against the KMS's public keys.",
    );
    for party in EVERYONE {
        let token = world.issuer.token(party.uri, SystemTime::now(), Duration::from_secs(300));
        let token = token.map_err(|error| Failure::new("the identity provider gave no token").because(&error))?;
        let mut store = world.new_store()?;
        let provisioner = world.provisioner(party.uri, &token)?;
        let name = format!("{}, at {}: init, keyprov, certcache", capitalised(party.name), party.reference_point);
        let report = narrator
            .step(&name, || world.runtime.block_on(provisioner.provision(&mut store, client::now())))
            .advise("Is the loopback interface up, and may this program listen on it?")?;
        if party == EVERYONE[0] {
            let periods: Vec<_> = report.periods.iter().map(u64::to_string).collect();
            narrator.detail("key periods", periods.join(", "));
        }
        world.keep_store(party, store);
    }
    Ok(())
}

fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
