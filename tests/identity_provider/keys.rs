//! The provider's keys change, and the provider is away.

use crate::kms_of;
use crate::peers::kms::{Answer, Kms};
use crate::provider::{ALL, Provider};
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::kms_protocol::ErrorCode;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant, SystemTime};

const FIRST: (&str, &str) = ("first", "RS256");
const SECOND: (&str, &str) = ("second", "RS256");

/// Keys are fetched at most once in five seconds.
const SOON: Duration = Duration::from_secs(30);

/// Asks with a token until the KMS says what is expected; how often it said something else before.
fn until(kms: &Kms, token: &str, expected: Result<(), ErrorCode>) -> usize {
    let began = Instant::now();
    for earlier in 0.. {
        let answer = kms.post("init", token, &[]);
        if verdict(&answer) == expected {
            return earlier;
        }
        assert!(began.elapsed() < SOON, "{answer:?}");
        sleep(Duration::from_millis(250));
    }
    unreachable!()
}

fn verdict(answer: &Answer) -> Result<(), ErrorCode> {
    let codes = [ErrorCode::InvalidToken, ErrorCode::Unavailable];
    match answer.code {
        None => Ok(()),
        Some(code) => {
            let code = codes.into_iter().find(|known| known.number() == code).unwrap_or_else(|| panic!("{answer:?}"));
            assert_eq!(answer.status, code.http_status());
            Err(code)
        }
    }
}

/// A token of this provider under a key that it never published.
fn invented(provider: &Provider) -> String {
    let stranger = TokenIssuer::new(&provider.issuer, "kms.example.org", "invented").unwrap();
    stranger.token("sip:ptt@example.org", SystemTime::now(), Duration::from_secs(60)).unwrap()
}

#[test]
fn a_new_key_is_fetched_and_a_withdrawn_one_stops_working() {
    let Some(mut provider) = Provider::start() else { return };
    let kms = kms_of(&provider, &[("jwks_refresh = 600 ", "jwks_refresh = 5 ")]);
    let by_first = provider.token(ALL);
    assert_eq!(provider.fetched(), 0, "a KMS asks for keys when it needs some");
    assert_eq!(verdict(&kms.post("init", &by_first, &[])), Ok(()));
    assert_eq!(provider.fetched(), 1);

    provider.publish(&[SECOND, FIRST]);
    let by_second = provider.token(ALL);
    until(&kms, &by_second, Ok(()));
    assert_eq!(verdict(&kms.post("init", &by_first, &[])), Ok(()));

    provider.publish(&[SECOND]);
    until(&kms, &by_first, Err(ErrorCode::InvalidToken));
    let refusal = kms.post("init", &by_first, &[]);
    assert!(refusal.body.contains("does not publish"), "{refusal:?}");
    assert_eq!(verdict(&kms.post("init", &by_second, &[])), Ok(()));
    assert_eq!(kms.requests().iter().filter(|request| request["kid"] == "first").count(), 2);
}

#[test]
fn invented_keys_do_not_make_the_kms_hammer_at_the_provider() {
    let Some(mut provider) = Provider::start() else { return };
    let kms = kms_of(&provider, &[]);
    let (good, bad) = (provider.token(ALL), invented(&provider));
    assert_eq!(verdict(&kms.post("init", &good, &[])), Ok(()));
    for _ in 0..5 {
        assert_eq!(verdict(&kms.post("init", &bad, &[])), Err(ErrorCode::InvalidToken));
    }
    // Later once more, and not once for each of the many that ask at a time while the provider hangs.
    sleep(Duration::from_secs(6));
    let before = provider.connections();
    provider.process.signal("STOP");
    scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| verdict(&kms.post("init", &bad, &[])))).collect();
        assert_eq!(verdict(&kms.post("init", &good, &[])), Ok(()), "a known key needs nobody");
        for answer in asked {
            assert_eq!(answer.join().unwrap(), Err(ErrorCode::InvalidToken));
        }
    });
    assert_eq!(verdict(&kms.post("init", &bad, &[])), Err(ErrorCode::InvalidToken));
    provider.process.signal("CONT");
    // It takes the connections that waited.
    sleep(Duration::from_millis(500));
    assert_eq!(provider.connections() - before, 1);
}

#[test]
fn an_outage_stops_neither_known_keys_nor_the_return_of_the_provider() {
    let Some(provider) = Provider::start() else { return };
    let kms = kms_of(&provider, &[("jwks_refresh = 600 ", "jwks_refresh = 5 ")]);
    let too_late =
        kms_of(&provider, &[("jwks_refresh = 600 ", "jwks_refresh = 5 "), ("jwks_keep = 86400 ", "jwks_keep = 5 ")]);
    let never_asked = kms_of(&provider, &[]);
    let token = provider.token(ALL);
    assert_eq!(verdict(&kms.post("init", &token, &[])), Ok(()));
    assert_eq!(verdict(&too_late.post("init", &token, &[])), Ok(()));

    provider.process.signal("KILL");
    // Without any keys nobody is let in, and it is not the client's fault.
    assert_eq!(verdict(&never_asked.post("init", &token, &[])), Err(ErrorCode::Unavailable));
    until(&too_late, &token, Err(ErrorCode::Unavailable));
    // By now the keys are due to be fetched again, which fails: they hold on.
    assert_eq!(verdict(&kms.post("init", &token, &[])), Ok(()));
    assert_eq!(verdict(&kms.post("init", &invented(&provider), &[])), Err(ErrorCode::InvalidToken));
    assert_eq!(verdict(&kms.post("init", &token, &[])), Ok(()));

    let mut provider = provider.again();
    let new_token = provider.token(ALL);
    for kms in [&kms, &too_late, &never_asked] {
        until(kms, &new_token, Ok(()));
    }
    assert_eq!(provider.fetched(), 3, "once for each");
}
