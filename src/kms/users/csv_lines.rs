//! The lines of a file of users, each by itself.

use super::{FileFault, LineFault, MAX_LINE};
use crate::kms::{ClientKind, NewUser, check_user_uri};
use crate::kms_protocol::excerpt;
use csv_core::{ReadRecordResult, Reader};
use std::io::{self, BufRead, BufReader, Read};

/// Spreadsheets begin files with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file whose first line that is not empty was read.
pub(super) struct CsvLines<R> {
    lines: Lines<R>,
    parser: Parser,
    columns: Vec<Column>,
}

/// A line, judged.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) user: Result<NewUser, LineFault>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    User,
    Kind,
    Uri,
}

impl<R: Read> CsvLines<R> {
    pub(super) fn open(file: R) -> Result<Self, FileFault> {
        let (lines, columns) = Self::begin(file)?;
        Ok(lines.with_columns(columns?))
    }

    /// The same, and takes a file whose first line names no columns for one of URIs, one a line.
    pub(super) fn open_list(file: R) -> Result<Self, FileFault> {
        let (mut lines, columns) = Self::begin(file)?;
        lines.lines.is_read = columns.is_ok();
        Ok(lines.with_columns(columns.unwrap_or_default()))
    }

    /// The next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Line>, FileFault> {
        if !self.lines.advance()? {
            return Ok(None);
        }
        let line = self.lines.line.trim_ascii();
        let user = match self.columns.is_empty() {
            true => sole_uri(line),
            false => self.parser.user(&self.columns, line),
        };
        Ok(Some(Line { number: self.lines.number, user }))
    }

    fn begin(file: R) -> Result<(Self, Result<Vec<Column>, FileFault>), FileFault> {
        let lines = Lines { file: BufReader::new(file), line: Vec::new(), number: 0, is_read: true };
        let mut lines = Self { lines, parser: Parser(Reader::new()), columns: Vec::new() };
        lines.lines.advance()?;
        // UTF-16, as some spreadsheets write it, has one in each ASCII character.
        if lines.lines.line.contains(&0) {
            return Err(FileFault::NotUtf8);
        }
        let columns = columns(&mut lines.parser, &lines.lines.line);
        Ok((lines, columns))
    }

    fn with_columns(self, columns: Vec<Column>) -> Self {
        Self { columns, ..self }
    }
}

fn sole_uri(line: &[u8]) -> Result<NewUser, LineFault> {
    if line.len() > MAX_LINE {
        return Err(LineFault::TooLong);
    }
    let uri = core::str::from_utf8(line).map_err(|_| LineFault::NotUtf8)?;
    require_uri(uri)?;
    Ok(NewUser::new(uri, [uri]))
}

fn require_uri(text: &str) -> Result<(), LineFault> {
    check_user_uri(text).map_err(|fault| LineFault::Uri { uri: excerpt(text), fault })
}

/// The lines of a file, of each no more than what shows that it is too long.
struct Lines<R> {
    file: BufReader<R>,
    line: Vec<u8>,
    number: u64,
    /// The line was used.
    is_read: bool,
}

impl<R: Read> Lines<R> {
    /// Whether there is another line that is not empty, which [`Lines::line`] then is.
    fn advance(&mut self) -> io::Result<bool> {
        if !core::mem::replace(&mut self.is_read, true) {
            return Ok(!self.line.is_empty());
        }
        while self.read_line()? {
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.number += 1;
        let limit = MAX_LINE as u64 + 2;
        if self.file.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(false);
        }
        if self.line.len() > MAX_LINE && !self.line.ends_with(b"\n") {
            self.file.skip_until(b'\n')?;
        }
        if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(true)
    }
}

/// Takes lines apart. What it keeps between them is only its tables.
struct Parser(Reader);

impl Parser {
    fn user(&mut self, columns: &[Column], line: &[u8]) -> Result<NewUser, LineFault> {
        let cells = self.cells(line)?;
        let (found, expected) = (cells.len(), columns.len());
        if found != expected {
            return Err(LineFault::Cells { found, expected });
        }
        let (mut id, mut kind, mut uris) = (None, ClientKind::default(), Vec::new());
        for (column, cell) in columns.iter().zip(cells) {
            match column {
                _ if cell.is_empty() => {}
                Column::Kind => kind = ClientKind::from_name(&cell).ok_or_else(|| LineFault::Kind(excerpt(&cell)))?,
                Column::User => {
                    require_uri(&cell)?;
                    id = Some(cell);
                }
                Column::Uri => {
                    require_uri(&cell)?;
                    uris.push(cell);
                }
            }
        }
        let id = id.ok_or(LineFault::NoUser)?;
        uris.insert(0, id.clone());
        Ok(NewUser { id, kind, uris })
    }

    /// The cells of one line, without white space around them.
    fn cells(&mut self, line: &[u8]) -> Result<Vec<String>, LineFault> {
        let line = line.trim_ascii_end();
        if line.len() > MAX_LINE {
            return Err(LineFault::TooLong);
        }
        if line.iter().filter(|octet| **octet == b'"').count() % 2 == 1 {
            return Err(LineFault::OpenQuotation);
        }
        // No cell is longer than the line, and there is no more than one cell for each octet.
        let (mut octets, mut ends) = (vec![0; line.len() + 1], vec![0; line.len() + 1]);
        self.0.reset();
        let (mut input, mut written, mut count) = (line, 0, 0);
        loop {
            let (result, read, wrote, ended) = self.0.read_record(
                input,
                octets.get_mut(written..).unwrap_or_default(),
                ends.get_mut(count..).unwrap_or_default(),
            );
            (written, count) = (written + wrote, count + ended);
            input = input.get(read..).unwrap_or_default();
            match result {
                // Told once more that there is no more, it ends the record.
                ReadRecordResult::InputEmpty => {}
                _ => break,
            }
        }
        if !input.is_empty() {
            return Err(LineFault::InnerLineEnd);
        }
        let mut start = 0;
        let cell = |end: &usize| {
            let cell = octets.get(start..*end).unwrap_or_default();
            start = *end;
            core::str::from_utf8(cell).map(|cell| cell.trim().to_owned()).map_err(|_| LineFault::NotUtf8)
        };
        ends.iter().take(count).map(cell).collect()
    }
}

fn columns(parser: &mut Parser, names: &[u8]) -> Result<Vec<Column>, FileFault> {
    let text = core::str::from_utf8(names).map_err(|_| FileFault::NotUtf8)?;
    let column = |name: &String| match name.as_str() {
        "user" => Some(Column::User),
        "kind" => Some(Column::Kind),
        "uri" => Some(Column::Uri),
        _ => None,
    };
    let columns = parser.cells(names).ok().and_then(|names| names.iter().map(column).collect::<Option<Vec<Column>>>());
    let count = |columns: &[Column], wanted| columns.iter().filter(|column| **column == wanted).count();
    columns
        .filter(|columns| count(columns, Column::User) == 1 && count(columns, Column::Kind) <= 1)
        .ok_or_else(|| FileFault::Columns(excerpt(text.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::{UriFault, admin};

    fn lines(file: &[u8]) -> Vec<(u64, Result<NewUser, LineFault>)> {
        let mut lines = CsvLines::open(file).unwrap();
        core::iter::from_fn(|| lines.next().unwrap().map(|line| (line.number, line.user))).collect()
    }

    fn fault(line: &[u8]) -> LineFault {
        let file = [b"user,kind,uri\n", line, b"\nsip:next@example.org,,\n"].concat();
        let mut lines = lines(&file).into_iter();
        let (number, result) = lines.next().unwrap();
        assert_eq!((number, lines.next().unwrap().0), (2, 3), "the next line is not touched by it");
        result.unwrap_err()
    }

    #[test]
    fn columns_may_stand_in_any_order_and_be_left_out() {
        let alice = NewUser::new("sip:alice@example.org", ["sip:alice@example.org"]);
        assert_eq!(lines(b"user\nsip:alice@example.org\n"), [(2, Ok(alice.clone()))]);
        let file = b"\xef\xbb\xbfuri, kind ,uri,user\r\n\r\n, ,,sip:alice@example.org\r\n\
            tel:+1555,gms,\"sip:a,b@example.org\",sip:gms@example.org";
        let gms = NewUser {
            kind: ClientKind::Gms,
            ..NewUser::new("sip:gms@example.org", ["sip:gms@example.org", "tel:+1555", "sip:a,b@example.org"])
        };
        assert_eq!(lines(file), [(3, Ok(alice)), (4, Ok(gms))]);
    }

    #[test]
    fn each_fault_of_a_line_is_named() {
        let uri = |text: &str, fault| LineFault::Uri { uri: text.into(), fault };
        assert_eq!(fault(b"alice,,"), uri("alice", UriFault::NoScheme));
        assert_eq!(
            fault(b"sip:alice@example.org,,sip:a lice@example.org"),
            uri("sip:a lice@example.org", UriFault::Character(' '))
        );
        let cafe = "sip:caf\u{e9}@example.org";
        assert_eq!(fault(format!("{cafe},,").as_bytes()), uri(cafe, UriFault::Character('\u{e9}')));
        assert_eq!(fault(b"sip:alice@example.org,GMS,"), LineFault::Kind("GMS".into()));
        assert_eq!(fault(b",gms,sip:alice@example.org"), LineFault::NoUser);
        assert_eq!(fault(b"sip:caf\xe9@example.org,,"), LineFault::NotUtf8);
        assert_eq!(fault(b"sip:alice@example.org"), LineFault::Cells { found: 1, expected: 3 });
        assert_eq!(fault(b"sip:a,b@example.org,,"), LineFault::Cells { found: 4, expected: 3 });
        assert_eq!(fault(b"sip:alice@example.org,,\"tel:1"), LineFault::OpenQuotation);
        assert_eq!(fault(b"sip:alice@example.org,,\rsip:bob@example.org,,"), LineFault::InnerLineEnd);
        let long = format!("sip:{}@example.org", "a".repeat(240));
        assert_eq!(fault(format!("{long},,").as_bytes()), uri(&format!("{}...", &long[..64]), UriFault::TooLong));
        assert_eq!(fault(format!("{},,", "a".repeat(MAX_LINE + 1)).as_bytes()), LineFault::TooLong);
        let longer = "a".repeat(3 * MAX_LINE);
        assert_eq!(fault(longer.as_bytes()), LineFault::TooLong);
    }

    #[test]
    fn what_is_taken_from_a_line_is_taken_by_itself() {
        for uri in [
            "sip:alice@example.org",
            "SIP:alice@example.org",
            "sip:a b@example.org",
            "sip:a\u{7f}@example.org",
            "sip:alice@",
            "tel:+1555",
            "tel:alice",
            "alice",
        ] {
            let alone = admin::check_user(&NewUser::new(uri, [uri])).is_ok();
            assert_eq!(lines(format!("user\n{uri}\n").as_bytes())[0].1.is_ok(), alone, "{uri:?}");
            let list = CsvLines::open_list(uri.as_bytes()).unwrap().next().unwrap().unwrap();
            assert_eq!(list.user.is_ok(), alone, "{uri:?}");
        }
    }

    #[test]
    fn empty_lines_before_the_names_of_columns_count_and_do_no_harm() {
        let alice = NewUser::new("sip:alice@example.org", ["sip:alice@example.org"]);
        for before in ["\n", " \t\r\n", "\u{feff}\n", "\u{feff}  \r\n"] {
            let file = format!("{before}\nkind,user\n\n,sip:alice@example.org\n");
            assert_eq!(lines(file.as_bytes()), [(5, Ok(alice.clone()))], "{before:?}");
            let mut list = CsvLines::open_list(file.as_bytes()).unwrap();
            assert_eq!(list.next().unwrap().map(|line| (line.number, line.user)), Some((5, Ok(alice.clone()))));
        }
        let mut list = CsvLines::open_list(&b" \n\nsip:alice@example.org\n"[..]).unwrap();
        assert_eq!(list.next().unwrap().map(|line| (line.number, line.user)), Some((3, Ok(alice))));
        assert!(list.next().unwrap().is_none());
    }

    #[test]
    fn a_file_in_another_encoding_is_told_as_such() {
        let utf_16: Vec<u8> = "\u{feff}user\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for file in [&utf_16[..], &utf_16[2..], b"user,caf\xe9\n"] {
            assert!(matches!(CsvLines::open(file), Err(FileFault::NotUtf8)), "{file:?}");
        }
        assert!(matches!(CsvLines::open_list(&utf_16[..]), Err(FileFault::NotUtf8)));
        let mut list = CsvLines::open_list(&b"sip:caf\xe9\nsip:bob@example.org"[..]).unwrap();
        assert_eq!(
            list.next().unwrap().unwrap().user,
            Err(LineFault::NotUtf8),
            "one line of a list spoils only itself"
        );
        assert!(list.next().unwrap().unwrap().user.is_ok());
    }

    #[test]
    fn a_file_without_names_of_columns_is_refused() {
        for file in
            ["", "sip:alice@example.org\n", "kind\n", "user,user\n", "user,kind,kind\n", "user;kind\n", "User\n"]
        {
            let refused = CsvLines::open(file.as_bytes()).err();
            assert!(matches!(refused, Some(FileFault::Columns(found)) if found == file.trim_end()), "{file:?}");
        }
    }
}
