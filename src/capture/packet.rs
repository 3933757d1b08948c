//! Packets: from the link layer to what IP carries.
use super::Fault;
use core::net::IpAddr;
use etherparse::{
    EtherType, IpAuthHeaderSlice, IpNumber, Ipv6FragmentHeaderSlice, Ipv6RawExtHeaderSlice, LaxNetSlice,
    LaxSlicedPacket,
};

const NULL: i32 = 0;
const ETHERNET: i32 = 1;
/// Raw IP as OpenBSD and some BSD systems number it.
const RAW_BSD: [i32; 2] = [12, 14];
const RAW: i32 = 101;
const LOOP: i32 = 108;
const LINUX_COOKED: i32 = 113;
const IPV4: i32 = 228;
const IPV6: i32 = 229;
const LINUX_COOKED_2: i32 = 276;

/// Octets before what a Linux cooked packet carries.
const COOKED_LEN: usize = 16;
const COOKED_2_LEN: usize = 20;

/// The payload of an IP packet, or a fragment of it.
pub(super) struct IpPayload<'a> {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// UDP, TCP and others, by their numbers.
    pub protocol: u8,
    pub fragment: Option<Fragment>,
    pub octets: &'a [u8],
}

/// Which part of an IP packet a fragment is.
#[derive(Clone, Copy)]
pub(super) struct Fragment {
    pub identification: u32,
    pub offset: usize,
    pub more: bool,
}

/// What a packet of the network `link` carries, if it is one of IP.
pub(super) fn ip_payload(link: i32, octets: &[u8]) -> Result<Option<IpPayload<'_>>, Fault> {
    let ethertype = |octets: &[u8], at: usize| {
        let number = octets.get(at..).and_then(|rest| rest.first_chunk());
        number.map(|number| EtherType(u16::from_be_bytes(*number)))
    };
    let packet = match link {
        ETHERNET => LaxSlicedPacket::from_ethernet(octets).ok(),
        RAW | IPV4 | IPV6 => LaxSlicedPacket::from_ip(octets).ok(),
        link if RAW_BSD.contains(&link) => LaxSlicedPacket::from_ip(octets).ok(),
        // Four octets of address family, in one order or the other; the version of IP says the same.
        NULL | LOOP => octets.get(4..).and_then(|octets| LaxSlicedPacket::from_ip(octets).ok()),
        LINUX_COOKED => ethertype(octets, 14)
            .zip(octets.get(COOKED_LEN..))
            .map(|(ethertype, octets)| LaxSlicedPacket::from_ether_type(ethertype, octets)),
        LINUX_COOKED_2 => ethertype(octets, 0)
            .zip(octets.get(COOKED_2_LEN..))
            .map(|(ethertype, octets)| LaxSlicedPacket::from_ether_type(ethertype, octets)),
        link => return Err(Fault::LinkType { link }),
    };
    Ok(packet.and_then(|packet| packet.net).and_then(payload))
}

fn payload(net: LaxNetSlice<'_>) -> Option<IpPayload<'_>> {
    let (source, destination, fragment, payload): (IpAddr, IpAddr, _, _) = match &net {
        LaxNetSlice::Ipv4(packet) => {
            let header = packet.header();
            let fragment = packet.payload().fragmented.then(|| Fragment {
                identification: header.identification().into(),
                offset: header.fragments_offset().byte_offset().into(),
                more: header.more_fragments(),
            });
            (header.source_addr().into(), header.destination_addr().into(), fragment, packet.payload().clone())
        }
        LaxNetSlice::Ipv6(packet) => {
            let header = packet.header();
            let extensions = packet.extensions();
            let fragment = extensions.first_header().and_then(|first| ipv6_fragment(first, extensions.slice()));
            (header.source_addr().into(), header.destination_addr().into(), fragment, packet.payload().clone())
        }
        LaxNetSlice::Arp(_) => return None,
    };
    Some(IpPayload { source, destination, protocol: payload.ip_number.0, fragment, octets: payload.payload })
}

/// The fragment header among extension headers of IPv6. They are walked here since etherparse's own iterator reads beyond
/// their end where the last is cut.
fn ipv6_fragment(first: IpNumber, mut octets: &[u8]) -> Option<Fragment> {
    let mut next = first;
    loop {
        let (following, len) = match next {
            IpNumber::IPV6_HEADER_HOP_BY_HOP | IpNumber::IPV6_ROUTE_HEADER | IpNumber::IPV6_DESTINATION_OPTIONS => {
                let header = Ipv6RawExtHeaderSlice::from_slice(octets).ok()?;
                (header.next_header(), header.slice().len())
            }
            IpNumber::AUTHENTICATION_HEADER => {
                let header = IpAuthHeaderSlice::from_slice(octets).ok()?;
                (header.next_header(), header.slice().len())
            }
            IpNumber::IPV6_FRAGMENTATION_HEADER => {
                let header = Ipv6FragmentHeaderSlice::from_slice(octets).ok()?;
                if header.is_fragmenting_payload() {
                    return Some(Fragment {
                        identification: header.identification(),
                        offset: header.fragment_offset().byte_offset().into(),
                        more: header.more_fragments(),
                    });
                }
                (header.next_header(), header.slice().len())
            }
            _ => return None,
        };
        octets = octets.get(len..)?;
        next = following;
    }
}
