//! How often a client may ask, and how often an address may be refused: so that nobody can keep the server from others, nor fill
//! its audit log.

use super::ClientKind;
use super::config::Config;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many clients are counted one by one that ask too often; further ones are counted together.
const MAX_COUNTED: usize = 4096;
/// What those are called.
const OTHERS: &str = "others";
/// The first 64 bits of an IPv6 address are the network, which gives each host as many addresses as it likes.
const IPV6_NETWORK: u128 = !0 << 64;

/// The limits of the present configuration, and how far each is used up.
pub(super) struct Limits {
    clients: HashMap<ClientKind, DefaultKeyedRateLimiter<String>>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    /// Requests beyond a limit since the last [`Limits::take_counts`], after the first of each client.
    beyond: Mutex<HashMap<String, u64>>,
}

/// A request is one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany {
    /// When one more will be answered.
    pub(super) retry_after: Duration,
    /// It is the first of this client in a while: the others are only counted.
    pub(super) is_first: bool,
}

impl Limits {
    pub(super) fn new(config: &Config) -> Self {
        let quota = |kind| Quota::per_minute(config.clients.of(kind).requests_per_minute);
        Self {
            clients: ClientKind::ALL.into_iter().map(|kind| (kind, RateLimiter::keyed(quota(kind)))).collect(),
            addresses: RateLimiter::keyed(Quota::per_minute(config.server.refusals_per_minute)),
            clock: DefaultClock::default(),
            beyond: Mutex::default(),
        }
    }

    /// Counts a request of a client of this kind and name.
    pub(super) fn request(&self, kind: ClientKind, client: &str) -> Result<(), TooMany> {
        let Some(limiter) = self.clients.get(&kind) else { return Ok(()) };
        limiter.check_key(&client.to_owned()).map_err(|until| self.beyond(client.to_owned(), &until))
    }

    /// Counts a refusal of someone who is not known.
    pub(super) fn refusal(&self, address: IpAddr) -> Result<(), TooMany> {
        let network = network(address);
        self.addresses.check_key(&network).map_err(|until| self.beyond(network.to_string(), &until))
    }

    /// Who went beyond a limit how often since the last call, without the first time of each.
    pub(super) fn take_counts(&self) -> Vec<(String, u64)> {
        let counts = std::mem::take(&mut *self.beyond.lock().unwrap_or_else(PoisonError::into_inner));
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Forgets those who may ask as often as if they had never asked.
    pub(super) fn tidy(&self) {
        self.clients.values().for_each(shrink);
        shrink(&self.addresses);
    }

    fn beyond(&self, client: String, until: &NotUntil<<DefaultClock as Clock>::Instant>) -> TooMany {
        let mut beyond = self.beyond.lock().unwrap_or_else(PoisonError::into_inner);
        let is_room = beyond.len() < MAX_COUNTED || beyond.contains_key(&client);
        let counted = if is_room { client } else { OTHERS.to_owned() };
        let is_first = !beyond.contains_key(&counted);
        let count = beyond.entry(counted).or_insert(0);
        *count += u64::from(!is_first);
        TooMany { retry_after: until.wait_time_from(self.clock.now()), is_first }
    }
}

fn shrink<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>) {
    limiter.retain_recent();
    limiter.shrink_to_fit();
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::InitOptions;
    use std::path::Path;

    fn limits() -> Limits {
        let mut config = InitOptions::new("kms.example.org", "example.org").config(Path::new("")).unwrap();
        config.server.refusals_per_minute = 2.try_into().unwrap();
        Limits::new(&config)
    }

    #[test]
    fn each_client_has_its_own_limit_and_what_is_beyond_is_counted() {
        let limits = limits();
        for _ in 0..60 {
            limits.request(ClientKind::User, "alice").unwrap();
        }
        let first = limits.request(ClientKind::User, "alice").unwrap_err();
        assert!(first.is_first && first.retry_after <= Duration::from_secs(1) && !first.retry_after.is_zero());
        assert!(!limits.request(ClientKind::User, "alice").unwrap_err().is_first);
        assert!(!limits.request(ClientKind::User, "alice").unwrap_err().is_first);
        limits.request(ClientKind::User, "bob").unwrap();
        for _ in 0..600 {
            limits.request(ClientKind::Gms, "gms").unwrap();
        }
        assert!(limits.request(ClientKind::Gms, "gms").unwrap_err().is_first);
        assert_eq!(limits.take_counts(), [("alice".to_owned(), 2)]);
        assert!(limits.request(ClientKind::User, "alice").unwrap_err().is_first, "a new count");
        assert_eq!(limits.take_counts(), []);
    }

    #[test]
    fn addresses_of_one_network_share_a_limit() {
        let limits = limits();
        let refusal = |text: &str| limits.refusal(text.parse().unwrap());
        refusal("2001:db8::1").unwrap();
        refusal("2001:db8::2").unwrap();
        assert!(refusal("2001:db8::ffff:3").unwrap_err().is_first);
        refusal("2001:db8:0:1::1").unwrap();
        refusal("192.0.2.1").unwrap();
        refusal("::ffff:192.0.2.1").unwrap();
        assert!(refusal("192.0.2.1").is_err());
        refusal("192.0.2.2").unwrap();
    }

    #[test]
    fn no_number_of_names_takes_more_memory() {
        let limits = limits();
        for number in 0..MAX_COUNTED + 10 {
            let client = number.to_string();
            (0..61).for_each(|_| _ = limits.request(ClientKind::User, &client));
        }
        assert_eq!(limits.take_counts(), [(OTHERS.to_owned(), 9)]);
        limits.tidy();
    }
}
