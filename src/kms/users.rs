//! Users from a file: CSV whose first line names the columns.
//!
//! | column | is |
//! |---|---|
//! | `user` | the URI that the user is added with |
//! | `kind` | what it is ([`ClientKind`](super::ClientKind)); a person's client where the column or the cell is left out |
//! | `uri` | a further URI of the same user, or nothing; there may be several such columns |
//!
//! Each line is judged by itself and each bad one is reported. Cells are separated and quoted as in RFC 4180, but none goes over
//! the end of its line; empty lines are passed over.

mod csv_lines;
mod import;
mod list;

pub use import::{Import, import};
pub use list::read_uris;

use super::UriFault;
use thiserror::Error;

/// Octets that a line of a file of users may have.
pub const MAX_LINE: usize = 8192;

/// A line of a file of users that adds nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, counted from 1; the line of the columns' names counts.
    pub line: u64,
    /// What is wrong with it.
    pub fault: LineFault,
}

/// What is wrong with a line of a file of users.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LineFault {
    /// It has cells too many or too few.
    #[error("it has {found} cells, the first line has {expected}: put a URI with commas in it in quotation marks")]
    Cells {
        /// Cells of this line.
        found: usize,
        /// Cells of the first line.
        expected: usize,
    },
    /// A quotation mark opens a cell and none closes it in this line.
    #[error("a quotation mark in it is not closed")]
    OpenQuotation,
    /// A line end that does not end the line.
    #[error("a carriage return stands in the line: end lines with a line feed")]
    InnerLineEnd,
    /// More octets than [`MAX_LINE`].
    #[error("it has more than {MAX_LINE} octets")]
    TooLong,
    /// It is no UTF-8 text.
    #[error("it is not UTF-8: write the file in UTF-8; other characters than ASCII are escaped in URIs")]
    NotUtf8,
    /// The cell `user` is empty.
    #[error("it names no user: the column user must have a URI")]
    NoUser,
    /// Not a user's URI.
    #[error("{uri:?} is no URI of a user: {fault}")]
    Uri {
        /// The beginning of it.
        uri: String,
        /// Why not.
        fault: UriFault,
    },
    /// There is no such kind of client.
    #[error(
        "{0:?} is no kind of client: write user, mcx-server, gms, signalling-proxy or security-gateway, or leave it out"
    )]
    Kind(String),
    /// A URI of it stands in the file before.
    #[error("{uri} is in line {line} already: a URI belongs to one user")]
    Again {
        /// The URI.
        uri: String,
        /// The line that it was first in.
        line: u64,
    },
    /// A URI of it belongs to a user of the KMS.
    #[error("{0} belongs to a user of this KMS already: `kms user list` shows whose it is")]
    Taken(String),
}

/// Why a file of users is none.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileFault {
    /// The first line that is not empty has something else than the names of columns.
    #[error(
        "the first line must name the columns, separated by commas: user once, kind at most once, uri as often as need be; found {0:?}"
    )]
    Columns(String),
    /// It is no UTF-8 text.
    #[error("the file of users is not UTF-8: save it as CSV in UTF-8 (not as UTF-16 or \"Unicode text\")")]
    NotUtf8,
    /// It could not be read.
    #[error("the file of users cannot be read: {0}")]
    Read(#[from] std::io::Error),
}
