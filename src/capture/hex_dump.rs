//! Hex dumps with offsets: xxd, hexdump -C, tcpdump -X, Wireshark's copy.
use super::{Fault, MAX_TEXT_LEN};
use core::iter::Zip;
use core::ops::RangeFrom;
use core::str::Lines;

/// The octets of a row, unless the next row says otherwise.
const ROW: usize = 16;
/// Some dumps have a wider gap in the middle of a row.
const MIDDLE: usize = 8;

/// Digits of the offsets that dumps of words have.
const WORDS_OFFSET: usize = 7;

/// A line of a dump.
struct Row<'a> {
    line: usize,
    offset: usize,
    rest: &'a str,
    /// Whether the rows before it are repeated up to here.
    squeezed: bool,
}

/// Whether a line of the text is the first of a dump.
pub(super) fn is_one(text: &str) -> bool {
    text.lines().filter_map(split).any(|(offset, rest)| offset == 0 && !rest.is_empty())
}

/// The octets of dumps, one behind the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    octets: Vec<u8>,
    starts: Vec<usize>,
}

impl Blocks {
    /// The octets of each dump.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let ends = self.starts.iter().skip(1).copied().chain(core::iter::once(self.octets.len()));
        self.starts.iter().zip(ends).filter_map(|(&start, end)| self.octets.get(start..end))
    }
}

/// The octets of each dump in the text: one begins wherever an offset is 0.
pub(super) fn parse(text: &str) -> Result<Blocks, Fault> {
    let mut blocks = Blocks::default();
    let mut rows = Rows::new(text).peekable();
    while let Some(row) = rows.next().transpose()? {
        if row.offset == 0 {
            blocks.starts.push(blocks.octets.len());
        }
        let Some(&start) = blocks.starts.last() else { continue };
        if row.squeezed {
            repeat(&mut blocks.octets, start, &row, text.len())?;
        }
        let expected = blocks.octets.len() - start;
        if row.offset != expected {
            return Err(Fault::HexDumpOffset { line: row.line, stated: row.offset, expected });
        }
        let next = match rows.peek() {
            Some(Ok(next)) if next.offset > row.offset && !next.squeezed => Some(next.offset - row.offset),
            _ => None,
        };
        blocks.octets.extend(octets(&row, next.filter(|width| *width <= 256))?);
    }
    Ok(blocks)
}

/// The rows of a text.
struct Rows<'a> {
    lines: Zip<RangeFrom<usize>, Lines<'a>>,
    last_offset: usize,
}

impl<'a> Rows<'a> {
    fn new(text: &'a str) -> Self {
        Self { lines: (1..).zip(text.lines()), last_offset: 0 }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut squeezed = false;
        loop {
            let (line, content) = self.lines.next()?;
            if content.trim() == "*" {
                squeezed = true;
                continue;
            }
            let Some((offset, rest)) = split(content) else { continue };
            if offset > MAX_TEXT_LEN {
                return Some(Err(Fault::HexDumpOffset { line, stated: offset, expected: self.last_offset }));
            }
            if words(content, rest) {
                return Some(Err(Fault::HexDumpWords));
            }
            self.last_offset = offset;
            return Some(Ok(Row { line, offset, rest, squeezed }));
        }
    }
}

/// The offset at the beginning of a line, and what follows it.
fn split(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("0x").unwrap_or(line);
    let digits = line.bytes().take_while(u8::is_ascii_hexdigit).count();
    let (offset, rest) = line.split_at_checked(digits)?;
    if !(4..=8).contains(&digits) {
        return None;
    }
    let offset = usize::from_str_radix(offset, 16).ok()?;
    if let Some(rest) = rest.strip_prefix(':') {
        return Some((offset, rest.trim()));
    }
    // Digits in groups of four, without a colon, are a dump only after a wider gap.
    let spaces = rest.len() - rest.trim_start().len();
    let first = rest.trim_start().bytes().take_while(u8::is_ascii_hexdigit).count();
    let follows = spaces >= 2 || first == 2 || digits == WORDS_OFFSET || rest.is_empty();
    (follows && (first > 0 || rest.trim().is_empty())).then(|| (offset, rest.trim()))
}

/// Offsets of seven digits and words of four are what hexdump and od -x print.
fn words(line: &str, rest: &str) -> bool {
    let offset = line.trim_start().bytes().take_while(u8::is_ascii_hexdigit).count();
    let first = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    offset == WORDS_OFFSET && first == 4 && !line.contains(':')
}

/// The octets of a row: at most `exact` of them, or as many as stand before the column of characters.
fn octets(row: &Row<'_>, exact: Option<usize>) -> Result<Vec<u8>, Fault> {
    let limit = exact.unwrap_or(ROW);
    let mut octets = Vec::new();
    let mut rest = row.rest;
    while octets.len() < limit {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let Some((group, after)) = rest.split_at_checked(digits) else { break };
        if digits == 0 || !(after.is_empty() || after.starts_with(char::is_whitespace)) {
            break;
        }
        octets.extend(super::from_hex(group.as_bytes()).map_err(|_| Fault::HexDumpDigits { line: row.line })?);
        rest = after.trim_start();
        let gap = after.len() - rest.len();
        let in_the_middle = gap == 2 && digits == 2 && octets.len() == MIDDLE;
        if exact.is_none() && gap > 1 && !in_the_middle {
            break;
        }
    }
    octets.truncate(limit);
    Ok(octets)
}

/// What `*` stands for: the row before it, again and again, up to this row. All that is left out must not be more than the
/// text has octets: a dump of a message has five for each octet that it shows.
fn repeat(octets: &mut Vec<u8>, start: usize, row: &Row<'_>, limit: usize) -> Result<(), Fault> {
    let block = octets.get(start..).unwrap_or_default();
    let Some(repeated) = block.last_chunk::<ROW>().copied() else { return Ok(()) };
    let missing = row.offset.saturating_sub(block.len()) / ROW * ROW;
    if octets.len() + missing > limit {
        return Err(Fault::HexDumpRepeats { line: row.line, stated: row.offset, limit });
    }
    octets.extend(repeated.iter().cycle().take(missing));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Result<Vec<Vec<u8>>, Fault> {
        Ok(parse(text)?.iter().map(<[u8]>::to_vec).collect())
    }

    fn dumped() -> Vec<u8> {
        (0..43).map(|octet| if octet == 20 { b' ' } else { b'a' + octet % 6 }).collect()
    }

    /// Rows as the programs print them: offset, hex in groups, characters.
    fn dump(octets: &[u8], row: impl Fn(usize, &[u8], &str) -> String) -> String {
        octets
            .chunks(16)
            .enumerate()
            .map(|(index, chunk)| row(index * 16, chunk, std::str::from_utf8(chunk).unwrap()) + "\n")
            .collect()
    }

    fn groups(chunk: &[u8], of: usize) -> String {
        let group = |group: &[u8]| group.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        chunk.chunks(of).map(group).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_program_is_understood() {
        let octets = dumped();
        let xxd = dump(&octets, |at, chunk, text| format!("{at:08x}: {:39}  {text}", groups(chunk, 2)));
        let tcpdump = dump(&octets, |at, chunk, text| format!("\t0x{at:04x}:  {:39}  {text}", groups(chunk, 2)));
        let tcpdump = format!("12:00:00.000000 IP 10.0.0.1.5060 > 10.0.0.2.5060: SIP: INVITE\n{tcpdump}");
        let wireshark = dump(&octets, |at, chunk, text| format!("{at:04x}   {:47}   {text}", groups(chunk, 1)));
        let hexdump = dump(&octets, |at, chunk, text| {
            let (left, right) = chunk.split_at(chunk.len().min(8));
            format!("{at:08x}  {:23}  {:23}  |{text}|", groups(left, 1), groups(right, 1))
        });
        let hexdump = format!("{hexdump}{:08x}\n", octets.len());
        for dump in [xxd, tcpdump, wireshark, hexdump] {
            assert!(is_one(&dump), "{dump}");
            assert_eq!(blocks(&dump).unwrap(), std::slice::from_ref(&octets), "{dump}");
        }
    }

    #[test]
    fn two_dumps_are_two() {
        let text = "00000000: 0102  ..\n\n00000000: 0304  ..\n";
        assert_eq!(blocks(text).unwrap(), [[1, 2], [3, 4]]);
    }

    #[test]
    fn repeated_rows_are_filled_in() {
        let text =
            "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n00000030  01  |.|\n";
        let parsed = blocks(text).unwrap();
        assert_eq!(parsed, [[vec![0; 48], vec![1]].concat()]);
    }

    #[test]
    fn no_more_rows_are_filled_in_than_a_dump_of_a_message_could_leave_out() {
        let row = "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n";
        let text = format!("{row}00000060  01  |.|\n");
        assert_eq!(blocks(&text).unwrap()[0].len(), 97);
        let text = format!("{row}00100000  01  |.|\n");
        let refused = Fault::HexDumpRepeats { line: 3, stated: 1 << 20, limit: text.len() };
        assert_eq!(blocks(&text), Err(refused));
        let many = text.replace("00100000", "00000050").repeat(100);
        assert!(blocks(&many).unwrap().iter().map(Vec::len).sum::<usize>() <= many.len());
    }

    #[test]
    fn what_is_missing_is_named() {
        let row = "00000000: 0102 0304 0506 0708 090a 0b0c 0d0e 0f10  ................\n";
        let hole = format!("{row}00000020: 01  .");
        assert_eq!(blocks(&hole), Err(Fault::HexDumpOffset { line: 2, stated: 0x20, expected: 0x10 }));
        let short = format!("{row}00000010: 01  .\n00000014: 01");
        assert_eq!(blocks(&short), Err(Fault::HexDumpOffset { line: 3, stated: 0x14, expected: 0x11 }));
        assert_eq!(blocks("00000000: 010\n"), Err(Fault::HexDumpDigits { line: 1 }));
        assert_eq!(blocks("0000000 1a01 8105\n"), Err(Fault::HexDumpWords));
        let far = format!("{row}*\n00000028: 01");
        assert_eq!(blocks(&far), Err(Fault::HexDumpOffset { line: 3, stated: 0x28, expected: 0x20 }));
    }
}
