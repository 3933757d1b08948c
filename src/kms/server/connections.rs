//! How many connections each address holds, so that one client cannot take all that the server has.

use crate::kms::limits::network;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections that are open, by address; those of an IPv6 network of 64 bits together.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections(Arc<Mutex<HashMap<IpAddr, Held>>>);

/// What one address holds: at least one connection.
#[derive(Debug)]
struct Held {
    open: usize,
    is_logged: bool,
}

/// An open connection, which is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    address: IpAddr,
    connections: Connections,
}

impl Connections {
    /// Counts one more, if the address has fewer than `most`.
    pub(super) fn open(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let address = network(address);
        let mut held = self.held();
        let of_address = held.entry(address).or_insert(Held { open: 0, is_logged: false });
        if of_address.open < most {
            of_address.open += 1;
            return Some(Counted { address, connections: self.clone() });
        }
        // Once, until all that it holds are closed: whoever floods the server shall not flood its log.
        if !std::mem::replace(&mut of_address.is_logged, true) {
            tracing::warn!(%address, "as many connections as server.connections_per_address allows: further ones are closed");
        }
        None
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Entry::Occupied(mut held) = self.connections.held().entry(self.address) {
            held.get_mut().open = held.get().open.saturating_sub(1);
            if held.get().open == 0 {
                held.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_holds_so_many_and_what_is_closed_is_forgotten() {
        let connections = Connections::default();
        let open = |address: &str| connections.open(address.parse().unwrap(), 2);
        let (first, second) = (open("192.0.2.1").unwrap(), open("::ffff:192.0.2.1").unwrap());
        assert!(open("192.0.2.1").is_none());
        let others = [open("192.0.2.2").unwrap(), open("2001:db8::1").unwrap(), open("2001:db8::2").unwrap()];
        assert!(open("2001:db8::ffff:3").is_none());
        drop(first);
        let third = open("192.0.2.1").unwrap();
        assert!(open("192.0.2.1").is_none());
        drop((second, third, others));
        assert!(connections.held().is_empty());
    }

    #[test]
    fn fewer_are_allowed_at_once_where_the_setting_is_lowered() {
        let connections = Connections::default();
        let address = "192.0.2.1".parse().unwrap();
        let held: Vec<_> = (0..3).map(|_| connections.open(address, 3).unwrap()).collect();
        assert!(connections.open(address, 1).is_none());
        drop(held);
        assert!(connections.open(address, 1).is_some());
    }
}
