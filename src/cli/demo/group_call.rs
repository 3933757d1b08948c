use super::narrator::Narrator;
use super::voice;
use super::world::{ALICE, GROUP, GROUP_SERVER, MEMBERS, World};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::hex;
use crate::cli::rng;
use mikey_sakke::client::OfferRequest;
use mikey_sakke::mc::{Bundle, CsId, GukId, KeyId, KeyParameters, KeyType, Service};

/// A group of three gets its key and talks.
pub fn play(narrator: &mut Narrator<'_>, world: &mut World) -> Result<(), Failure> {
    narrator.act("A group of three");
    narrator.say(
        "The group management server draws one group master key (GMK) and sends it to each member, encrypted to that \
         member's name. Each member gets an identifier of its own for it (GUK-ID), the key's identifier mixed with its \
         name, so that nobody speaks with another's keys by accident.",
    );
    let gmk_id = KeyId::generate(KeyType::Gmk, &mut rng::system());
    let mut bundles = Vec::new();
    for member in MEMBERS {
        let parameters = KeyParameters { groups: vec![GROUP.to_owned()], ..KeyParameters::live(KeyType::Gmk) };
        let request = OfferRequest {
            key_id: Some(gmk_id),
            parameters: Some(parameters),
            ..OfferRequest::new(GROUP_SERVER.uri, member.uri, KeyType::Gmk)
        };
        let name = format!("The server sends the key to {0}, {0} opens it", member.name);
        let opened = narrator.step(&name, || {
            let offered = world.offer(GROUP_SERVER, &request)?;
            world.accept(member, GROUP_SERVER, &offered.message)
        })?;
        let guk_id = opened.bundle.guk_id().ok_or_else(|| Failure::new("the key of a group has no GUK-ID"))?;
        narrator.detail("GUK-ID", hex(guk_id.to_bytes()));
        bundles.push((member, opened.bundle));
    }
    narrator.step("One key for all, and an identifier for each", || require_shared(gmk_id, &bundles))?;
    narrator.detail("GMK-ID", hex(gmk_id.to_bytes()));

    let Some(((_, alice), others)) = bundles.split_first() else { return Ok(()) };
    let sent_with = alice.media_keys(CsId::group(Service::Mcptt));
    for (member, bundle) in others {
        // The MKI of Alice's packets names her GUK-ID; with it the others derive what she sends with.
        let alice_id = alice.guk_id().ok_or_else(|| Failure::new("Alice has no GUK-ID"))?;
        let received_with = bundle
            .for_sender(alice_id)
            .context(format_args!("{} cannot derive Alice's keys", member.name))?
            .media_keys(CsId::group(Service::Mcptt));
        voice::transmission(narrator, ALICE.name, member.name, &sent_with, &received_with)?;
    }
    Ok(())
}

fn require_shared(gmk_id: KeyId, bundles: &[(super::world::Party, Bundle)]) -> Result<(), String> {
    let mut seen: Vec<GukId> = Vec::new();
    for (member, bundle) in bundles {
        if bundle.key_id != gmk_id {
            return Err(format!("{} has another GMK-ID", member.name));
        }
        if bundles.iter().any(|(_, other)| other.key.as_bytes() != bundle.key.as_bytes() || other.rand != bundle.rand) {
            return Err(format!("{} has another key than the rest", member.name));
        }
        match bundle.guk_id() {
            Some(guk_id) if !seen.contains(&guk_id) => seen.push(guk_id),
            _ => return Err(format!("{} has no GUK-ID of its own", member.name)),
        }
    }
    Ok(())
}
