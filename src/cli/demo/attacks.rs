use super::narrator::Narrator;
use super::thief::{Denied, ask_for_keys};
use super::voice;
use super::world::{ALICE, BOB, CAROL, World};
use crate::cli::failure::{Context, Failure};
use mikey_sakke::client::{self, MediaError, MediaReceiver, MediaSender, OfferRequest, Offered};
use mikey_sakke::kms_protocol::ErrorCode;
use mikey_sakke::mc::{self, CsId, KeyType, Service, Side};
use std::time::{Duration, SystemTime};

/// Whoever tries to cheat is refused, and told why.
pub fn play(narrator: &mut Narrator<'_>, world: &mut World) -> Result<(), Failure> {
    narrator.act("Attackers try");
    narrator.say(
        "Alice calls Bob once more, and this time somebody is in the way. Each attempt must be refused, and for the \
         right reason.",
    );
    let request = OfferRequest::new(ALICE.uri, BOB.uri, KeyType::Pck);
    let offered = narrator.step("Alice makes another message for Bob", || world.offer(ALICE, &request))?;
    narrator.detail("note", "quicker than her first: what can be computed once for her KMS is there already");
    on_the_message(narrator, world, &offered)?;
    on_the_voice(narrator, &offered);
    at_the_kms(narrator, world)
}

fn on_the_message(narrator: &mut Narrator<'_>, world: &mut World, offered: &Offered) -> Result<(), Failure> {
    let mut bent = offered.message.clone();
    let middle = bent.len() / 2;
    flip_a_bit(&mut bent, middle);
    narrator.attack(
        "One bit of it is flipped",
        || world.accept(BOB, ALICE, &bent),
        |error| matches!(error, client::Error::Message(mc::Error::SignatureInvalid(_))),
    );
    narrator.attack(
        "Carol tries to open what is for Bob",
        || world.accept(CAROL, ALICE, &offered.message),
        |error| matches!(error, client::Error::Message(mc::Error::NotForMe { .. })),
    );
    narrator.step("The true message reaches Bob and opens", || world.accept(BOB, ALICE, &offered.message))?;
    narrator.attack(
        "The same message is sent to Bob again",
        || world.accept(BOB, ALICE, &offered.message),
        |error| matches!(error, client::Error::Replayed),
    );
    Ok(())
}

fn on_the_voice(narrator: &mut Narrator<'_>, offered: &Offered) {
    let keys = offered.bundle.media_keys(CsId::private(Service::Mcptt, Side::Initiator));
    let forge = || {
        let mut packet = MediaSender::new(&keys)?.protect(voice::packet())?;
        flip_a_bit(&mut packet, voice::RTP_HEADER.len());
        MediaReceiver::new(&keys)?.unprotect(packet)
    };
    narrator.attack("A bit of Alice's voice is flipped", forge, |error| matches!(error, MediaError::Forged));
}

fn at_the_kms(narrator: &mut Narrator<'_>, world: &World) -> Result<(), Failure> {
    let (now, minute) = (SystemTime::now(), Duration::from_secs(60));
    let carols = world.issuer.token(CAROL.uri, now, minute).context("the identity provider gave no token")?;
    narrator.attack(
        "Carol asks the KMS for Alice's keys, with her own token",
        || ask_for_keys(world, ALICE.uri, &carols),
        |error| is(error, ErrorCode::NotAuthorised),
    );
    let yesterday = now - Duration::from_secs(24 * 3600);
    let expired = world.issuer.token(ALICE.uri, yesterday, minute).context("the identity provider gave no token")?;
    narrator.attack(
        "Somebody asks for Alice's keys with a token that she used yesterday",
        || ask_for_keys(world, ALICE.uri, &expired),
        |error| is(error, ErrorCode::InvalidToken),
    );
    Ok(())
}

fn is(error: &Denied, expected: ErrorCode) -> bool {
    matches!(error, Denied::ByKms { status, error } if *status == expected.http_status() && error.code == expected.number())
}

fn flip_a_bit(octets: &mut [u8], at: usize) {
    if let Some(octet) = octets.get_mut(at) {
        *octet ^= 1;
    }
}
