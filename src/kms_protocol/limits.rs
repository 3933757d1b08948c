//! How much a reader is ready to work.

use super::{Error, value};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Octets that a request or an ordinary response may have.
pub const DEFAULT_MAX_BYTES: usize = 64 * 1024;

/// Bounds that are checked in one linear pass, before a document is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the body. A key set takes about 1300.
    pub max_bytes: usize,
    /// Levels of elements; the deepest that the schema needs is 9, a signature's transforms a little more.
    pub max_depth: u32,
    /// Attributes of one element, namespace declarations included.
    pub max_attributes: usize,
    /// Namespace declarations that are in force at one element: canonicalization looks at all of them, at each element.
    pub max_namespaces: usize,
    /// Elements of the document. Those of Annex D take 24 octets each at the least.
    pub max_elements: usize,
}

/// Octets that an element takes on average, at the least, in a document that is admitted.
const MIN_ELEMENT: usize = 16;
/// Elements that even the smallest body may have: a signed request has about 30.
const MIN_ELEMENTS: usize = 256;

impl Limits {
    /// The usual bounds, but for the size of the body and the number of elements in it: for answers and files with many key sets.
    pub fn with_max_bytes(max_bytes: usize) -> Self {
        let max_elements = (max_bytes / MIN_ELEMENT).max(MIN_ELEMENTS);
        Limits { max_bytes, max_depth: 24, max_attributes: 24, max_namespaces: 32, max_elements }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::with_max_bytes(DEFAULT_MAX_BYTES)
    }
}

impl Limits {
    /// The document's text, if it is XML of which a DOM can be made in time and memory in proportion to its size: one
    /// linear pass that keeps next to nothing.
    pub(super) fn admit<'b>(&self, body: &'b [u8]) -> Result<&'b str, Error> {
        if body.len() > self.max_bytes {
            return Err(Error::TooLarge { found: body.len(), limit: self.max_bytes });
        }
        let text = core::str::from_utf8(body).map_err(|error| Error::NotUtf8 { offset: error.valid_up_to() })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        self.scan(text)?;
        Ok(text)
    }

    fn scan(&self, text: &str) -> Result<(), Error> {
        let mut reader = Reader::from_str(text);
        let (mut depth, mut roots, mut elements) = (0_u32, 0_u32, 0_usize);
        // Of each element that is open, how many declarations are in force in it.
        let mut in_force: Vec<usize> = Vec::new();
        loop {
            let event = reader.read_event().map_err(|error| Error::NotWellFormed {
                reason: format!("{error} at octet {}", reader.error_position()),
            })?;
            let offset = reader.buffer_position();
            let empty = matches!(event, Event::Empty(_));
            match event {
                Event::Start(start) | Event::Empty(start) => {
                    if depth == 0 {
                        roots += 1;
                    }
                    if roots > 1 {
                        return Err(Error::SecondRoot { offset });
                    }
                    if depth >= self.max_depth {
                        return Err(Error::TooDeep { limit: self.max_depth, offset });
                    }
                    elements += 1;
                    if elements > self.max_elements {
                        return Err(Error::TooManyElements { limit: self.max_elements, offset });
                    }
                    let namespaces = in_force.last().unwrap_or(&0) + self.count_attributes(&start, offset)?;
                    if namespaces > self.max_namespaces {
                        return Err(Error::TooManyNamespaces { limit: self.max_namespaces, offset });
                    }
                    if !empty {
                        depth += 1;
                        in_force.push(namespaces);
                    }
                }
                Event::End(_) => {
                    depth = depth.saturating_sub(1);
                    in_force.pop();
                }
                Event::DocType(_) => return Err(Error::Doctype { offset }),
                Event::GeneralRef(reference) if depth > 0 => check_reference(&reference, offset)?,
                Event::Text(content) if depth > 0 || is_blank(&content) => {}
                Event::CData(_) if depth > 0 => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(Error::NotXml { found: "text outside of any element".to_owned() });
                }
                Event::Decl(declaration) => {
                    if let Some(encoding) = declaration.encoding() {
                        let encoding = encoding.map_err(|error| Error::NotWellFormed { reason: error.to_string() })?;
                        if !text.is_ascii() && !encoding.eq_ignore_ascii_case("utf-8") {
                            return Err(Error::Encoding { found: value::excerpt(&encoding) });
                        }
                    }
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof if roots == 0 => return Err(Error::NotXml { found: "no element".to_owned() }),
                Event::Eof if depth > 0 => {
                    return Err(Error::NotWellFormed { reason: "the document ends inside an element".to_owned() });
                }
                Event::Eof => return Ok(()),
            }
        }
    }

    /// Refuses too many attributes; the number of namespace declarations among them.
    fn count_attributes(&self, start: &BytesStart<'_>, offset: u64) -> Result<usize, Error> {
        let (mut attributes, mut namespaces) = (0, 0);
        for attribute in start.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| Error::NotWellFormed { reason: format!("{error} before octet {offset}") })?;
            attributes += 1;
            if attributes > self.max_attributes {
                return Err(Error::TooManyAttributes { limit: self.max_attributes, offset });
            }
            if attribute.key.as_namespace_binding().is_some() {
                namespaces += 1;
            }
        }
        Ok(namespaces)
    }
}

fn check_reference(reference: &str, offset: u64) -> Result<(), Error> {
    if reference.starts_with('#') || matches!(reference, "lt" | "gt" | "amp" | "apos" | "quot") {
        return Ok(());
    }
    Err(Error::Entity { name: value::excerpt(reference), offset })
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_whitespace())
}
