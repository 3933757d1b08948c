use super::narrator::Narrator;
use super::world::{ALICE, MCPTT_SERVER, World};
use crate::cli::failure::Failure;
use crate::cli::output::hex;
use mikey_sakke::client::OfferRequest;
use mikey_sakke::mc::{CsId, KeyType};

/// Alice shares a key with her MCPTT server.
pub fn play(narrator: &mut Narrator<'_>, world: &mut World) -> Result<(), Failure> {
    narrator.act("Alice protects her signalling");
    narrator.say(
        "Who calls whom, who may speak: that is nobody else's business either. Alice sends a client-server key (CSK) to \
         her MCPTT server, which is an identity like any other.",
    );
    let request = OfferRequest::new(ALICE.uri, MCPTT_SERVER.uri, KeyType::Csk);
    let offered = narrator.step("Alice makes the message", || world.offer(ALICE, &request))?;
    let opened = narrator.step("The MCPTT server opens it", || world.accept(MCPTT_SERVER, ALICE, &offered.message))?;
    narrator.detail("CSK-ID", hex(opened.bundle.key_id.to_bytes()));
    narrator.step("Both derive the keys of floor control (SRTCP), and they are equal", || {
        let [alice, server] = [&offered.bundle, &opened.bundle].map(|bundle| bundle.media_keys(CsId::McpttCsk));
        if alice == server { Ok(()) } else { Err("they differ") }
    })
}
