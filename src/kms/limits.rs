//! How often a client may ask, and how often an address may be refused: so that nobody can keep the server from others, nor fill
//! its audit log.

use super::ClientKind;
use super::config::Config;
use super::kind::OfEachKind;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many clients are counted one by one that ask too often; further ones are counted together.
const MAX_COUNTED: usize = 4096;
/// What those are called.
const OTHERS: &str = "others";
/// The first 64 bits of an IPv6 address are the network, which gives each host as many addresses as it likes.
const IPV6_NETWORK: u128 = !0 << 64;

/// The limits of the present configuration, and how far each is used up.
pub(super) struct Limits {
    clients: OfEachKind<Limiter<String>>,
    addresses: Limiter<IpAddr>,
    clock: DefaultClock,
    /// Requests beyond a limit since the last [`Limits::take_counts`], after the first of each client.
    beyond: Arc<Mutex<HashMap<String, u64>>>,
}

/// So many in a minute, and how far each has used that up.
struct Limiter<K: Hash + Eq + Clone> {
    per_minute: NonZeroU32,
    used: Arc<DefaultKeyedRateLimiter<K>>,
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
        Self {
            clients: OfEachKind::new(|kind| Limiter::new(config.clients.of(kind).requests_per_minute)),
            addresses: Limiter::new(config.server.refusals_per_minute),
            clock: DefaultClock::default(),
            beyond: Arc::default(),
        }
    }

    /// The limits of another configuration. Where a number stays the same, what was used up stays so.
    pub(super) fn renewed(&self, config: &Config) -> Self {
        let client = |kind| self.clients.of(kind).renewed(config.clients.of(kind).requests_per_minute);
        Self {
            clients: OfEachKind::new(client),
            addresses: self.addresses.renewed(config.server.refusals_per_minute),
            clock: self.clock.clone(),
            beyond: self.beyond.clone(),
        }
    }

    /// Counts a request of a client of this kind and name.
    pub(super) fn request(&self, kind: ClientKind, client: &str) -> Result<(), TooMany> {
        let used = &self.clients.of(kind).used;
        used.check_key(&client.to_owned()).map_err(|until| self.beyond(client.to_owned(), &until))
    }

    /// Counts a refusal of someone who is not known.
    pub(super) fn refusal(&self, address: IpAddr) -> Result<(), TooMany> {
        let network = network(address);
        self.addresses.used.check_key(&network).map_err(|until| self.beyond(network.to_string(), &until))
    }

    /// Who went beyond a limit how often since the last call, without the first time of each.
    pub(super) fn take_counts(&self) -> Vec<(String, u64)> {
        let counts = std::mem::take(&mut *self.beyond.lock().unwrap_or_else(PoisonError::into_inner));
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Forgets those who may ask as often as if they had never asked.
    pub(super) fn tidy(&self) {
        ClientKind::ALL.into_iter().for_each(|kind| self.clients.of(kind).tidy());
        self.addresses.tidy();
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

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(per_minute: NonZeroU32) -> Self {
        Self { per_minute, used: Arc::new(RateLimiter::keyed(Quota::per_minute(per_minute))) }
    }

    fn renewed(&self, per_minute: NonZeroU32) -> Self {
        if per_minute == self.per_minute { Self { per_minute, used: self.used.clone() } } else { Self::new(per_minute) }
    }

    fn tidy(&self) {
        self.used.retain_recent();
        self.used.shrink_to_fit();
    }
}

/// What limits take for one address: an IPv4 address, or the network of an IPv6 address.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::InitOptions;
    use std::net::Ipv4Addr;
    use std::path::Path;

    fn config() -> Config {
        let mut config = InitOptions::new("kms.example.org", "example.org").config(Path::new("")).unwrap();
        config.server.refusals_per_minute = 2.try_into().unwrap();
        config
    }

    fn limits() -> Limits {
        Limits::new(&config())
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
    fn those_beyond_so_many_are_counted_together() {
        let limits = limits();
        for number in 0..MAX_COUNTED + 10 {
            let client = number.to_string();
            (0..61).for_each(|_| _ = limits.request(ClientKind::User, &client));
        }
        assert_eq!(limits.take_counts(), [(OTHERS.to_owned(), 9)]);
    }

    #[test]
    fn who_has_used_up_nothing_takes_no_memory() {
        let mut config = config();
        config.server.refusals_per_minute = 1_000_000.try_into().unwrap();
        let mut rules = config.clients.of(ClientKind::User).clone();
        rules.requests_per_minute = 1.try_into().unwrap();
        config.clients.set(ClientKind::User, rules);
        let limits = Limits::new(&config);
        for number in 0..1000 {
            limits.refusal(Ipv4Addr::from_bits(number).into()).unwrap();
        }
        limits.request(ClientKind::User, "alice").unwrap();
        // Each has used up 60 microseconds of its minute, and Alice all of it.
        std::thread::sleep(Duration::from_millis(1));
        limits.tidy();
        let remembered = (limits.addresses.used.len(), limits.clients.of(ClientKind::User).used.len());
        assert_eq!(remembered, (0, 1));
    }

    #[test]
    fn what_was_used_up_stays_so_where_the_number_stays() {
        let mut config = config();
        let old = Limits::new(&config);
        (0..61).for_each(|_| _ = old.request(ClientKind::User, "alice"));
        (0..601).for_each(|_| _ = old.request(ClientKind::Gms, "gms"));
        (0..3).for_each(|_| _ = old.refusal(Ipv4Addr::LOCALHOST.into()));
        let mut rules = config.clients.of(ClientKind::Gms).clone();
        rules.requests_per_minute = 601.try_into().unwrap();
        config.clients.set(ClientKind::Gms, rules);
        let new = old.renewed(&config);
        assert!(!new.request(ClientKind::User, "alice").unwrap_err().is_first);
        assert!(new.refusal(Ipv4Addr::LOCALHOST.into()).is_err());
        new.request(ClientKind::Gms, "gms").unwrap();
        // Who is still answered by the old ones uses up the same, and is counted with the others.
        assert!(old.request(ClientKind::User, "alice").is_err());
        let mut counts = new.take_counts();
        counts.sort();
        assert_eq!(counts, [("127.0.0.1".to_owned(), 1), ("alice".to_owned(), 2)]);
        config.server.refusals_per_minute = 3.try_into().unwrap();
        new.renewed(&config).refusal(Ipv4Addr::LOCALHOST.into()).unwrap();
    }
}
