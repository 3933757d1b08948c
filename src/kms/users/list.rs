use super::csv_lines::{CsvLines, Line};
use super::{BadLine, FileFault};
use std::io::Read;

/// The URIs in a file, and the lines that name none: one URI a line, or all URIs of the users of a CSV file.
///
/// # Errors
/// [`FileFault::Read`].
pub fn read_uris(file: impl Read) -> Result<(Vec<String>, Vec<BadLine>), FileFault> {
    let (mut uris, mut bad) = (Vec::new(), Vec::new());
    let mut lines = CsvLines::open_list(file)?;
    while let Some(Line { number: line, user }) = lines.next()? {
        match user {
            Ok(user) => uris.extend(user.uris),
            Err(fault) => bad.push(BadLine { line, fault }),
        }
    }
    Ok((uris, bad))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::UriFault;
    use crate::kms::users::LineFault;

    #[test]
    fn uris_stand_one_a_line_or_in_csv() {
        let uris = |file: &str| read_uris(file.as_bytes()).unwrap();
        let three = ["sip:a@example.org", "sip:b@example.org", "sip:c,d@example.org"].map(str::to_owned).to_vec();
        let plain = "sip:a@example.org\r\n\n  sip:b@example.org\nsip:c,d@example.org";
        assert_eq!(uris(plain), (three.clone(), vec![]));
        assert_eq!(uris("user,uri\nsip:a@example.org,sip:b@example.org\n\"sip:c,d@example.org\",\n"), (three, vec![]));
        let bad = |line, text: &str, fault| BadLine { line, fault: LineFault::Uri { uri: text.into(), fault } };
        assert_eq!(
            uris("users\nsip:a@example.org\nsip:b c"),
            (
                vec!["sip:a@example.org".into()],
                vec![bad(1, "users", UriFault::NoScheme), bad(3, "sip:b c", UriFault::Character(' '))]
            )
        );
        assert_eq!(uris(""), (vec![], vec![]));
    }
}
