//! Capture files: pcap and pcapng, block by block.
use super::Fault;
use core::time::Duration;
use pcap_parser::nom::{Err as NomError, IResult};
use pcap_parser::pcap::{LegacyPcapBlock, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified};
use pcap_parser::{Block, PcapBlockOwned, PcapError, PcapHeader, PcapNGSlice, parse_pcap_header};

/// The formats of a capture file.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Pcap,
    PcapNg,
}

/// A packet as it was captured.
pub(super) struct Frame<'a> {
    pub number: u64,
    /// Since 1970.
    pub time: Option<Duration>,
    /// Link type in tcpdump's list.
    pub link: i32,
    pub octets: &'a [u8],
    /// Octets that the packet had, of which the capture may have kept fewer.
    pub original_len: usize,
}

impl Kind {
    /// Told by the first four octets.
    pub(super) fn of(input: &[u8]) -> Option<Self> {
        let magic = u32::from_be_bytes(*input.first_chunk()?);
        match magic {
            0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1 | 0xa1b2_cd34 | 0x34cd_b2a1 => Some(Self::Pcap),
            0x0a0d_0d0a => Some(Self::PcapNg),
            _ => None,
        }
    }
}

/// Shows every frame of the file to `visit`.
pub(super) fn frames<'a>(input: &'a [u8], mut visit: impl FnMut(Frame<'a>)) -> Result<(), Fault> {
    match Kind::of(input) {
        Some(Kind::Pcap) => pcap(input, &mut visit),
        Some(Kind::PcapNg) => pcapng(input, &mut visit),
        None => Err(Fault::CaptureDamaged { frame: 0 }),
    }
}

fn pcap<'a>(input: &'a [u8], visit: &mut impl FnMut(Frame<'a>)) -> Result<(), Fault> {
    let (mut rest, header) = parse_pcap_header(input).map_err(|error| fault(&error, 0))?;
    let parse = parser(&header);
    let fraction = if header.is_nanosecond_precision() { 1 } else { 1000 };
    let mut number = 0;
    while !rest.is_empty() {
        let (after, block) = parse(rest).map_err(|error| fault(&error, number))?;
        rest = after;
        number += 1;
        let nanoseconds = u64::from(block.ts_usec) * fraction;
        visit(Frame {
            number,
            time: Some(Duration::from_secs(block.ts_sec.into()) + Duration::from_nanos(nanoseconds)),
            // The upper bits of the field say how long the frame check sequence is.
            link: header.network.0 & 0xffff,
            octets: block.data.get(..size(block.caplen)).unwrap_or(block.data),
            original_len: size(block.origlen),
        });
    }
    Ok(())
}

type FrameParser = fn(&[u8]) -> IResult<&[u8], LegacyPcapBlock<'_>, PcapError<&[u8]>>;

fn parser(header: &PcapHeader) -> FrameParser {
    if header.is_modified_format() {
        parse_pcap_frame_modified
    } else if header.is_bigendian() {
        parse_pcap_frame_be
    } else {
        parse_pcap_frame
    }
}

/// An interface that packets of a pcapng file were captured on.
#[derive(Clone, Copy)]
struct Interface {
    link: i32,
    /// Units of a time stamp in a second.
    resolution: u64,
    /// Seconds to add.
    offset: i64,
    snap_len: u32,
}

fn pcapng<'a>(input: &'a [u8], visit: &mut impl FnMut(Frame<'a>)) -> Result<(), Fault> {
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut number = 0;
    for block in PcapNGSlice::from_slice(input).map_err(|error| fault(&error, 0))? {
        let PcapBlockOwned::NG(block) = block.map_err(|error| fault(&error, number))? else { continue };
        match block {
            Block::SectionHeader(_) => interfaces.clear(),
            Block::InterfaceDescription(interface) => interfaces.push(Interface {
                link: interface.linktype.0,
                resolution: interface.ts_resolution().filter(|units| *units > 0).unwrap_or(1_000_000),
                offset: interface.ts_offset(),
                snap_len: interface.snaplen,
            }),
            Block::EnhancedPacket(packet) => {
                number += 1;
                let interface = usize::try_from(packet.if_id).ok().and_then(|id| interfaces.get(id));
                let interface = interface.ok_or(Fault::CaptureDamaged { frame: number - 1 })?;
                let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                visit(Frame {
                    number,
                    time: interface.time(units),
                    link: interface.link,
                    octets: packet.data.get(..size(packet.caplen)).unwrap_or(packet.data),
                    original_len: size(packet.origlen),
                });
            }
            Block::SimplePacket(packet) => {
                number += 1;
                let interface = interfaces.first().ok_or(Fault::CaptureDamaged { frame: number - 1 })?;
                let kept = match interface.snap_len {
                    0 => size(packet.origlen),
                    limit => size(packet.origlen.min(limit)),
                };
                // Behind the packet its data have padding.
                let octets = packet.data.get(..kept).unwrap_or(packet.data);
                visit(Frame { number, time: None, link: interface.link, octets, original_len: size(packet.origlen) });
            }
            _ => {}
        }
    }
    Ok(())
}

impl Interface {
    fn time(&self, units: u64) -> Option<Duration> {
        let seconds = i128::from(units / self.resolution) + i128::from(self.offset);
        let nanoseconds = u128::from(units % self.resolution) * 1_000_000_000 / u128::from(self.resolution);
        let seconds = u64::try_from(seconds).ok()?;
        Some(Duration::new(seconds, u32::try_from(nanoseconds).ok()?))
    }
}

fn fault<E>(error: &NomError<E>, frame: u64) -> Fault {
    match error {
        NomError::Incomplete(_) => Fault::CaptureCut { frame },
        _ => Fault::CaptureDamaged { frame },
    }
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
