//! Under a pre-shared key that the fuzzer does not have, any octets are refused by responder and initiator, or come without
//! proof. What is built of any parts opens as what it was built of, and never once an octet of it was bent.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use mikey_sakke::exchange::{
    Answer, ErrorMessage, Incoming, KeysInClear, Offer, Opened, Parties, PreSharedKey, Protection, Reception, Sent,
    Settings,
};
use mikey_sakke::mikey::{
    CsIdMap, EncryptionAlgorithm, ErrorNumber, GenericIdEntry, GenericIdMap, Id, KeyData, KeyDataType, KeyValidity,
    MacAlgorithm, NtpTime, PrfFunction, ProtocolType, SdpIds, SecurityPolicy, SrtpIdEntry, SrtpParameter, Timestamp,
};
use mikey_sakke::replay::ReplayCache;

const NOW: NtpTime = NtpTime::from_bits(0xd6b4_3232_8000_0001);
const TRUSTING: Settings = Settings {
    clock_skew: 600,
    keys_in_clear: KeysInClear::OverProtectedTransport,
    unnamed_initiator: false,
};

fuzz_target!(|octets: &[u8]| {
    let key = PreSharedKey::new(vec![0x5a; 32]).expect("it has octets");
    respond_to(octets, &key);
    initiate(octets, &key);
    // Too few octets for a message end the attempt.
    let _ = build_and_bend(&mut Unstructured::new(octets), &key);
});

fn respond_to(octets: &[u8], key: &PreSharedKey) {
    let Ok(incoming) = Incoming::parse(octets) else { return };
    let now = match incoming.timestamp() {
        Timestamp::NtpUtc(time) | Timestamp::Ntp(time) => time,
        _ => NOW,
    };
    let reception = Reception { settings: TRUSTING, ..Reception::at(now) };
    assert!(incoming.open(Some(key), &reception, &mut ReplayCache::default()).is_err());
    if let Ok(opened) = incoming.open(None, &reception, &mut ReplayCache::default()) {
        for cs_id in 0..=u8::MAX {
            let _ = opened.bundle().srtp_keys(cs_id);
        }
        assert!(opened.verification_message(opened.bundle().cs_id_map().clone()).is_err(), "there is no MAC");
    }
    let report = ErrorMessage::new(ErrorNumber::UNSPECIFIED);
    assert!(incoming.error_message(&report, Some(key), &reception).is_ok());
}

fn initiate(octets: &[u8], key: &PreSharedKey) {
    let tgk = KeyData::new(KeyDataType::Tgk, vec![1; 16], KeyValidity::Null);
    let offer =
        Offer { keys: vec![tgk], wants_verification: true, ..Offer::new(1, Timestamp::NtpUtc(NOW), vec![2; 16]) };
    let sent = offer.seal(Some(key), &Settings::default()).expect("the offer is sound");
    match sent.read_answer(octets) {
        Ok(Answer::Verified(_) | Answer::Refused { authenticated: true, .. }) => panic!("nobody authenticated this"),
        Ok(Answer::Refused { .. }) | Err(_) => {}
    }
}

fn build_and_bend(parts: &mut Unstructured<'_>, key: &PreSharedKey) -> Result<()> {
    let offer = offer(parts)?;
    // Key data may not fit key wrap, and a map may refer to what is not there.
    let Ok(sent) = offer.seal(Some(key), &TRUSTING) else { return Ok(()) };
    let opened = open(sent.octets(), key).expect("what was sealed opens");
    assert_eq!(opened.bundle(), sent.bundle());
    if let Some(bent) = bend(sent.octets(), parts)? {
        assert!(open(&bent, key).is_none());
    }
    let chosen = choice(sent.bundle().cs_id_map(), parts)?;
    let Ok(answer) = opened.verification_message(chosen.clone()) else { return Ok(()) };
    assert_eq!(*answer.bundle.cs_id_map(), chosen);
    let Ok(Answer::Verified(agreed)) = sent.read_answer(&answer.octets) else { panic!("it is authentic") };
    assert_eq!(agreed, answer.bundle);
    for cs_id in 0..=u8::MAX {
        assert_eq!(agreed.srtp_keys(cs_id), answer.bundle.srtp_keys(cs_id));
    }
    refuse_bent(&sent, &answer.octets, parts)
}

/// What a responder might fill in, right or wrong.
fn choice(offered: &CsIdMap<'static>, parts: &mut Unstructured<'_>) -> Result<CsIdMap<'static>> {
    let CsIdMap::GenericId(map) = offered else { return Ok(offered.clone()) };
    let entries = map.entries().map(|entry| generic_entry(entry.cs_id, parts)).collect::<Result<Vec<_>>>()?;
    Ok(generic_id(&entries))
}

/// CS ID, policies, session data, SPI.
type Entry = (u8, Vec<u8>, Vec<u8>, Vec<u8>);

fn generic_entry(cs_id: u8, parts: &mut Unstructured<'_>) -> Result<Entry> {
    let policies = parts.bytes(2)?.iter().map(|octet| octet % 3).take(parts.int_in_range(0..=2)?).collect();
    let data_len = *parts.choose(&[0, 4, 10])?;
    let data = parts.bytes(data_len)?.to_vec();
    let spi_len = parts.int_in_range(0..=1)?;
    Ok((cs_id, policies, data, parts.bytes(spi_len)?.to_vec()))
}

fn generic_id(entries: &[Entry]) -> CsIdMap<'static> {
    let entries: Vec<_> = entries.iter().map(as_entry).collect();
    CsIdMap::GenericId(GenericIdMap::new(&entries).expect("it is short"))
}

fn as_entry((cs_id, policy_numbers, session_data, spi): &Entry) -> GenericIdEntry<'_> {
    let (cs_id, protocol, session_data_flag) = (*cs_id, ProtocolType::SRTP, session_data.len() == 10);
    GenericIdEntry { cs_id, protocol, session_data_flag, policy_numbers, session_data, spi }
}

fn refuse_bent(sent: &Sent, answer: &[u8], parts: &mut Unstructured<'_>) -> Result<()> {
    if let Some(bent) = bend(answer, parts)? {
        assert!(!matches!(sent.read_answer(&bent), Ok(Answer::Verified(_))));
    }
    Ok(())
}

fn open(octets: &[u8], key: &PreSharedKey) -> Option<Opened> {
    let reception = Reception { settings: TRUSTING, ..Reception::at(NOW) };
    Incoming::parse(octets).ok()?.open(Some(key), &reception, &mut ReplayCache::default()).ok()
}

/// The message with some octets changed, and perhaps cut; `None` if that left it as it was.
fn bend(octets: &[u8], parts: &mut Unstructured<'_>) -> Result<Option<Vec<u8>>> {
    let mut bent = octets.to_vec();
    for _ in 0..parts.int_in_range(1..=3)? {
        let at = parts.choose_index(bent.len())?;
        bent[at] ^= parts.arbitrary::<u8>()?;
    }
    if parts.ratio(1, 8)? {
        bent.truncate(parts.choose_index(octets.len())?);
    }
    Ok(Some(bent).filter(|bent| bent != octets))
}

fn offer(parts: &mut Unstructured<'_>) -> Result<Offer<'static>> {
    let mut offer = Offer::new(parts.arbitrary()?, Timestamp::NtpUtc(NOW), parts.bytes(16)?.to_vec());
    offer.prf = if parts.arbitrary()? { PrfFunction::MIKEY_1 } else { PrfFunction::HMAC_SHA_256 };
    offer.protection = Protection {
        encryption: EncryptionAlgorithm(parts.int_in_range(0..=3)?),
        mac: if parts.arbitrary()? { MacAlgorithm::HmacSha1 } else { MacAlgorithm::HmacSha256 },
    };
    offer.wants_verification = parts.arbitrary()?;
    if parts.arbitrary()? {
        offer.parties = Parties::new(Id::uri("sip:alice@example.org"), Id::uri("sip:bob@example.org"));
    }
    let sessions = (0..parts.int_in_range(0..=3)?)
        .map(|_| Ok(SrtpIdEntry { policy_no: 0, ssrc: parts.arbitrary()?, roc: parts.arbitrary()? }))
        .collect::<Result<_>>()?;
    offer.cs_id_map = if parts.arbitrary()? {
        CsIdMap::SrtpId(sessions)
    } else {
        let entries =
            (0..sessions.len()).map(|_| generic_entry(parts.arbitrary()?, parts)).collect::<Result<Vec<_>>>()?;
        generic_id(&entries)
    };
    let key_len = parts.arbitrary::<u8>()?;
    let policy = |number, len| SecurityPolicy::srtp(number, &[(SrtpParameter::SESSION_ENCRYPTION_KEY_LENGTH, len)]);
    offer.policies = vec![policy(0, key_len), policy(1, 16)];
    if parts.arbitrary()? {
        offer.extensions = vec![SdpIds::new(&["mikey"]).expect("an identifier").to_extension()];
    }
    offer.keys = (0..parts.int_in_range(1..=3)?).map(|_| key(parts)).collect::<Result<_>>()?;
    Ok(offer)
}

fn key(parts: &mut Unstructured<'_>) -> Result<KeyData<'static>> {
    let validity = match parts.int_in_range(0..=2)? {
        0 => KeyValidity::Null,
        1 if parts.arbitrary()? => KeyValidity::spi(parts.bytes(1)?.to_vec()),
        1 => KeyValidity::spi(short(parts)?),
        _ => KeyValidity::Interval { from: short(parts)?.into(), to: short(parts)?.into() },
    };
    let key_type = *parts.choose(&[KeyDataType::Tgk, KeyDataType::TgkSalt, KeyDataType::Tek, KeyDataType::TekSalt])?;
    let salt = if key_type.has_salt() { short(parts)? } else { Vec::new() };
    let octets = [vec![parts.arbitrary()?], short(parts)?].concat();
    Ok(KeyData { salt: salt.into(), ..KeyData::new(key_type, octets, validity) })
}

fn short(parts: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let len = parts.int_in_range(0..=40)?;
    Ok(parts.bytes(len)?.to_vec())
}
