//! The messages of one exchange: an offer, the answer that takes it, and the one that refuses it.
use mikey_sakke::exchange::{Answer, ErrorMessage, Incoming, Offer, Parties, PreSharedKey, Reception, Settings};
use mikey_sakke::mikey::{
    CsIdMap, ErrorNumber, Id, KeyData, KeyDataType, KeyValidity, NtpTime, SdpIds, SrtpIdEntry, Timestamp,
};
use mikey_sakke::replay::ReplayCache;

pub struct Exchange {
    pub i_message: Vec<u8>,
    pub r_message: Vec<u8>,
    pub error: Vec<u8>,
}

impl Exchange {
    pub const CSB_ID: u32 = 0x89ab_cdef;

    pub fn new() -> Self {
        let key = PreSharedKey::new(vec![0x5a; 32]).unwrap();
        let now = NtpTime::from_unix(1_700_000_000);
        let mikey_alone = SdpIds::new(&["mikey"]).unwrap();
        let offer = Offer {
            cs_id_map: CsIdMap::SrtpId(vec![SrtpIdEntry { policy_no: 0, ssrc: 0x1234_5678, roc: 0 }]),
            parties: Parties::new(Id::uri("rtsp://camera.example.org"), Id::uri("rtsp://recorder.example.org")),
            keys: vec![KeyData::new(KeyDataType::Tgk, vec![0x33; 16], KeyValidity::spi(vec![1]))],
            extensions: vec![mikey_alone.to_extension()],
            wants_verification: true,
            ..Offer::new(Self::CSB_ID, Timestamp::NtpUtc(now), vec![0xa5; 16])
        };
        let sent = offer.seal(Some(&key), &Settings::default()).unwrap();
        let incoming = Incoming::parse(sent.octets()).unwrap();
        let reception = Reception { sdp_ids: Some(mikey_alone), ..Reception::at(now) };
        let opened = incoming.open(Some(&key), &reception, &mut ReplayCache::default()).unwrap();
        let answer = opened.verification_message(opened.bundle().cs_id_map().clone()).unwrap();
        assert_eq!(sent.read_answer(&answer.octets), Ok(Answer::Verified(answer.bundle)));
        let report = ErrorMessage::new(ErrorNumber::INVALID_SP);
        let error = incoming.error_message(&report, Some(&key), &reception).unwrap();
        Self { i_message: sent.octets().to_vec(), r_message: answer.octets, error }
    }
}
