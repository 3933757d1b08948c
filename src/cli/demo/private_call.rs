use super::listener::listen;
use super::narrator::Narrator;
use super::voice;
use super::world::{ALICE, BOB, World};
use crate::cli::failure::Failure;
use mikey_sakke::client::OfferRequest;
use mikey_sakke::mc::{Bundle, CsId, KeyType, MediaKeys, Service, Side};

/// Alice calls Bob.
pub fn play(narrator: &mut Narrator<'_>, world: &mut World) -> Result<(), Failure> {
    narrator.act("Alice calls Bob");
    narrator.say(
        "Alice draws a private call key (PCK), encrypts it to Bob's name and signs the message. It is one line of the \
         call's set-up; Bob need not answer. Names travel as UIDs, hashes that change with every key period.",
    );
    let request = OfferRequest::new(ALICE.uri, BOB.uri, KeyType::Pck);
    let offered =
        narrator.step("Alice makes the message: encapsulate the key, build, sign", || world.offer(ALICE, &request))?;
    listen(narrator, &offered.message)?;
    let opened = narrator.step("Bob checks it (form, replay, recipient, time, signature), then opens it", || {
        world.accept(BOB, ALICE, &offered.message)
    })?;

    let (alice, bob) = (directions(&offered.bundle), directions(&opened.bundle));
    narrator.step("Both derive SRTP keys, one for each direction, and they are equal", || {
        if alice == bob { Ok(()) } else { Err("they differ") }
    })?;
    let ([alice_sends, alice_receives], [bob_receives, bob_sends]) = (&alice, &bob);
    voice::transmission(narrator, "Alice", "Bob", alice_sends, bob_receives)?;
    voice::transmission(narrator, "Bob", "Alice", bob_sends, alice_receives)
}

/// The SRTP keys of what the caller sends and of what the called sends.
fn directions(bundle: &Bundle) -> [MediaKeys; 2] {
    [Side::Initiator, Side::Receiver].map(|side| bundle.media_keys(CsId::private(Service::Mcptt, side)))
}
