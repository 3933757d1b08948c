//! Requests of HTTP/1 that give their length twice. HTTP forbids both `Content-Length` and `Transfer-Encoding` in one head, and servers
//! differ in which counts: behind a proxy of another opinion, the end of one client's request becomes the beginning of another's. hyper
//! drops the first without a trace, so the heads are read here as well, by the same parser.

use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most lines of a head, as hyper has it.
const MAX_LINES: usize = 100;

/// Whether a connection has had a request that gives its length twice.
#[derive(Clone, Debug, Default)]
pub(super) struct TwoLengths(Arc<AtomicBool>);

impl TwoLengths {
    pub(super) fn were_given(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream on which the heads of requests are looked at as they are read. They hold tokens: nothing prints this.
pub(super) struct Watched<S> {
    stream: S,
    place: Place,
    max_head: usize,
    two_lengths: TwoLengths,
}

/// Where in its requests a stream is.
enum Place {
    /// In a head, of which this is known.
    Head(Vec<u8>),
    /// In a body that has so many octets more.
    Body(u64),
    /// After the head of the last request: what it is refused for, or the end of a body in chunks, ends the connection.
    Last,
}

impl<S> Watched<S> {
    /// Nobody takes a head of `max_head` octets or more.
    pub(super) fn new(stream: S, max_head: usize, two_lengths: TwoLengths) -> Self {
        Self { stream, place: Place::Head(Vec::new()), max_head, two_lengths }
    }

    fn see(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let (place, rest) = match mem::replace(&mut self.place, Place::Last) {
                Place::Head(head) => self.in_head(head, octets),
                Place::Body(more) => {
                    let here = usize::try_from(more).map_or(octets.len(), |more| more.min(octets.len()));
                    let (body, rest) = octets.split_at(here);
                    let more = more.saturating_sub(body.len().try_into().unwrap_or(u64::MAX));
                    (if more == 0 { Place::Head(Vec::new()) } else { Place::Body(more) }, rest)
                }
                Place::Last => return,
            };
            (self.place, octets) = (place, rest);
        }
    }

    fn in_head<'a>(&self, mut head: Vec<u8>, octets: &'a [u8]) -> (Place, &'a [u8]) {
        let mut rest = octets;
        while let Some((octet, after)) = rest.split_first() {
            rest = after;
            // Empty lines in front of a request are none of it.
            if head.is_empty() && b"\r\n".contains(octet) {
                continue;
            }
            head.push(*octet);
            if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") {
                return (self.after(&head), rest);
            }
            if head.len() > self.max_head {
                return (Place::Last, &[]);
            }
        }
        (Place::Head(head), rest)
    }

    /// What comes after a whole head.
    fn after(&self, head: &[u8]) -> Place {
        let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
        let mut request = httparse::Request::new(&mut lines);
        let Ok(httparse::Status::Complete(_)) = request.parse(head) else { return Place::Last };
        let value = |name: &str| request.headers.iter().find(|line| line.name.eq_ignore_ascii_case(name));
        match (value("content-length"), value("transfer-encoding")) {
            (None, None) => Place::Head(Vec::new()),
            (Some(length), None) => match decimal(length.value) {
                Some(0) => Place::Head(Vec::new()),
                Some(length) => Place::Body(length),
                None => Place::Last,
            },
            (None, Some(_)) => Place::Last,
            (Some(_), Some(_)) => {
                self.two_lengths.0.store(true, Ordering::Relaxed);
                Place::Last
            }
        }
    }
}

fn decimal(value: &[u8]) -> Option<u64> {
    let is_decimal = value.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(value).ok().filter(|_| is_decimal)?.parse().ok()
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.see(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

    /// Whether two lengths are seen, however the text is cut.
    fn is_seen(text: &str) -> bool {
        let seen = [1, 2, 7, text.len()].map(|size| {
            let two_lengths = TwoLengths::default();
            let mut watched = Watched::new((), 1000, two_lengths.clone());
            text.as_bytes().chunks(size).for_each(|octets| watched.see(octets));
            two_lengths.were_given()
        });
        assert!(seen.iter().all(|one| *one == seen[0]), "{text:?}: {seen:?}");
        seen[0]
    }

    #[test]
    fn two_lengths_are_seen_in_any_order_case_and_request() {
        assert!(is_seen(TWO));
        assert!(is_seen("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nhost: a\r\ncontent-length: 4\r\n\r\n"));
        assert!(is_seen("POST / HTTP/1.1\nTRANSFER-ENCODING: x\nCONTENT-LENGTH: y\n\n"));
        for before in [
            "\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n\n\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n12345",
        ] {
            assert!(is_seen(&format!("{before}{TWO}")), "{before:?}");
            assert!(!is_seen(before), "{before:?}");
        }
    }

    #[test]
    fn what_is_no_head_is_not_taken_for_one() {
        for text in [
            format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{TWO}", TWO.len()),
            format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{TWO}", TWO.len()),
            format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n{TWO}", "x".repeat(1000)),
            format!("POST / HTTP/1.1\r\nContent-Length: +4\r\n\r\n1234{TWO}"),
            format!("rubbish\r\n\r\n{TWO}"),
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
        ] {
            assert!(!is_seen(&text), "{text:?}");
        }
    }
}
