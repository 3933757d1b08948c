//! Everything that is wrong with the shape of a message, for people who look for the cause.
use super::payloads::Payloads;
use super::sessions::Sessions;
use super::{Deviation, header, to_self};
use crate::mc::{Error, KeyId};
use crate::mikey::Message;
use alloc::vec::Vec;

/// What step 1 of the [order](super) has against a message: not the first refusal alone, but every one.
///
/// A receiver has no use for it: [`Incoming::parse`](super::Incoming::parse) stops at the first refusal, which is one of
/// these, and succeeds where there is none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judgement {
    /// What nothing excuses, in the order of the rules.
    pub refusals: Vec<Error>,
    /// What only a [`Compatibility`](super::Compatibility) setting excuses.
    pub deviations: Vec<Deviation>,
    /// What is wrong with the SAKKE-to-self extension. It is for the initiator alone: a recipient does not read it.
    pub to_self: Vec<Error>,
}

impl Judgement {
    /// Judges the shape of a message whose syntax is right.
    pub fn of(message: &Message<'_>) -> Self {
        let mut deviations: Vec<_> = header::deviations(&message.header).collect();
        let mut refusals: Vec<Error> = header::rules(&message.header).into_iter().filter_map(Result::err).collect();
        let csb_id = KeyId::from_u32(message.header.csb_id).ok();
        // A list of refusals takes each and goes on.
        let payloads = Payloads::collect(message, &mut refusals).unwrap_or_default();
        refusals.extend(payloads.time().err());
        refusals.extend(payloads.rand().err());
        refusals.extend(payloads.party_faults(&mut deviations));
        let policies = payloads.policies(&mut refusals).unwrap_or_default();
        let map = &message.header.cs_id_map;
        let _ = Sessions::judge(map, policies, csb_id, &mut deviations, &mut refusals);
        refusals.extend(payloads.sakke_faults(&mut deviations));
        refusals.extend(payloads.parameters_faults(message.header.csb_id, &mut deviations));
        refusals.extend(payloads.signature_rules().into_iter().filter_map(Result::err));
        let to_self = payloads.to_self.map(|extension| to_self::faults(&extension.data)).unwrap_or_default();
        Self { refusals, deviations, to_self }
    }
}
