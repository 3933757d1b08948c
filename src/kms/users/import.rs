use super::csv_lines::{CsvLines, Line};
use super::{BadLine, LineFault};
use crate::kms::audit::Act;
use crate::kms::store::{Store, StoreError};
use crate::kms::{Error, NewUser, Progress};
use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;

/// Users of one transaction: it must not keep a server that runs beside it from writing for long.
const SHARE: usize = 20_000;

/// A server that waits to write looks again after at most a tenth of a second.
const PAUSE: Duration = Duration::from_millis(110);

/// What became of a file of users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Lines with users, the bad ones included.
    pub lines: u64,
    /// Users that were added.
    pub added: u64,
    /// Lines that add nobody, ordered.
    pub bad: Vec<BadLine>,
}

/// Adds the users of a CSV file; without `skip_bad` only if no line is bad.
///
/// All lines are judged before the first user is added. Beyond 20,000 users there are several transactions, so that a server can
/// go on beside: where this is interrupted, the users of the first lines were added. If somebody else takes a URI of the file
/// meanwhile, its line becomes a bad one.
///
/// # Errors
/// [`Error::UserFile`] and [`Error::Store`].
pub async fn import(
    store: &dyn Store,
    file: impl Read,
    skip_bad: bool,
    act: &Act,
    mut progress: impl FnMut(Progress),
) -> Result<Import, Error> {
    let (mut candidates, mut import) = read(file)?;
    refuse_repetitions(&mut candidates, &mut import.bad);
    let (mut shares, of) = (Vec::new(), candidates.len());
    let mut done = 0;
    let mut candidates = candidates.into_iter();
    while let Some(share) = next_share(&mut candidates) {
        done += share.len();
        shares.push(refuse_taken(store, share, &mut import.bad).await?);
        progress(Progress { what: "checked", done, of });
    }
    let of = shares.iter().map(Vec::len).sum();
    let mut done = 0;
    for share in shares {
        if !skip_bad && !import.bad.is_empty() {
            break;
        }
        if done > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        done += share.len();
        import.added += add(store, share, skip_bad, &mut import.bad, act).await?;
        progress(Progress { what: "added", done, of });
    }
    import.bad.sort_by_key(|bad| bad.line);
    tracing::info!(lines = import.lines, added = import.added, bad = import.bad.len(), "users imported");
    Ok(import)
}

struct Candidate {
    line: u64,
    user: NewUser,
}

fn read(file: impl Read) -> Result<(Vec<Candidate>, Import), Error> {
    let (mut candidates, mut import) = (Vec::new(), Import::default());
    let mut lines = CsvLines::open(file)?;
    while let Some(Line { number: line, user }) = lines.next()? {
        import.lines += 1;
        match user {
            Ok(user) => candidates.push(Candidate { line, user }),
            Err(fault) => import.bad.push(BadLine { line, fault }),
        }
    }
    Ok((candidates, import))
}

/// Of lines with the same URI the first one stays.
fn refuse_repetitions(candidates: &mut Vec<Candidate>, bad: &mut Vec<BadLine>) {
    let mut seen: HashMap<&str, u64> = HashMap::with_capacity(candidates.len());
    let mut again = HashMap::new();
    for Candidate { line, user } in &*candidates {
        let before = user.uris.iter().find_map(|uri| Some((uri, *seen.get(uri.as_str())?)));
        if let Some((uri, first)) = before.or_else(|| repeated(&user.uris).map(|uri| (uri, *line))) {
            again.insert(*line, LineFault::Again { uri: uri.clone(), line: first });
        } else {
            seen.extend(user.uris.iter().map(|uri| (uri.as_str(), *line)));
        }
    }
    if !again.is_empty() {
        candidates.retain(|candidate| !again.contains_key(&candidate.line));
        bad.extend(again.into_iter().map(|(line, fault)| BadLine { line, fault }));
    }
}

fn repeated(uris: &[String]) -> Option<&String> {
    uris.iter().enumerate().find(|(at, uri)| uris.iter().take(*at).any(|other| other == *uri)).map(|(_, uri)| uri)
}

/// The candidates whose names nobody has yet.
async fn refuse_taken(
    store: &dyn Store,
    candidates: Vec<Candidate>,
    bad: &mut Vec<BadLine>,
) -> Result<Vec<Candidate>, Error> {
    let names: Vec<&str> = candidates.iter().flat_map(|candidate| &candidate.user.uris).map(String::as_str).collect();
    let taken = store.names_taken(&names).await?;
    if taken.is_empty() {
        return Ok(candidates);
    }
    let free = |Candidate { line, user }: &Candidate| {
        let uri = user.uris.iter().find(|uri| taken.contains(*uri));
        bad.extend(uri.map(|uri| BadLine { line: *line, fault: LineFault::Taken(uri.clone()) }));
        uri.is_none()
    };
    Ok(candidates.into_iter().filter(free).collect())
}

/// How many were added: all of them, unless somebody took a name since it was looked for.
async fn add(
    store: &dyn Store,
    mut candidates: Vec<Candidate>,
    skip_bad: bool,
    bad: &mut Vec<BadLine>,
    act: &Act,
) -> Result<u64, Error> {
    loop {
        let users: Vec<NewUser> = candidates.iter().map(|candidate| candidate.user.clone()).collect();
        let error = match store.add_users(&users, act).await {
            Ok(()) => return Ok(users.len() as u64),
            Err(error) => error,
        };
        candidates = refuse_taken(store, candidates, bad).await?;
        let was_taken = matches!(error, StoreError::UserExists(_) | StoreError::UriTaken(_));
        if !was_taken || candidates.len() == users.len() {
            return Err(error.into());
        }
        if !skip_bad {
            return Ok(0);
        }
    }
}

fn next_share(candidates: &mut impl Iterator<Item = Candidate>) -> Option<Vec<Candidate>> {
    let share: Vec<Candidate> = candidates.take(SHARE).collect();
    (!share.is_empty()).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::UriFault;
    use crate::kms::audit::{self, Event};
    use crate::kms::store::SqliteStore;
    use std::time::SystemTime;

    const FILE: &str = "\
user,kind,uri
sip:alice@example.org,,sip:alice.video@example.org
sip:gms@example.org,gms,
sip:bob@example.org,,sip:taken@example.org
sip:alice.video@example.org,,
sip:carol@example.org,,sip:carol@example.org
nobody,,
sip:dave@example.org,,
";

    async fn store(folder: &tempfile::TempDir) -> SqliteStore {
        let store = SqliteStore::create(&folder.path().join("kms.sqlite")).await.unwrap();
        store.record(Event::initialised_for_tests(), act()).await.unwrap();
        store.add_user(&NewUser::new("taken", ["sip:taken@example.org"]), &act()).await.unwrap();
        store
    }

    fn act() -> Act {
        Act::new("the operator", SystemTime::UNIX_EPOCH)
    }

    fn bad_lines() -> Vec<BadLine> {
        let again = |uri: &str, line| LineFault::Again { uri: uri.into(), line };
        [
            (4, LineFault::Taken("sip:taken@example.org".into())),
            (5, again("sip:alice.video@example.org", 2)),
            (6, again("sip:carol@example.org", 6)),
            (7, LineFault::Uri { uri: "nobody".into(), fault: UriFault::NoScheme }),
        ]
        .map(|(line, fault)| BadLine { line, fault })
        .into()
    }

    #[tokio::test]
    async fn one_bad_line_keeps_all_out_unless_it_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let refused = import(&store, FILE.as_bytes(), false, &act(), |_| {}).await.unwrap();
        assert_eq!(refused, Import { lines: 7, added: 0, bad: bad_lines() });
        assert_eq!(store.users().await.unwrap().len(), 1);

        let mut steps = Vec::new();
        let skipped = import(&store, FILE.as_bytes(), true, &act(), |step| steps.push(step)).await.unwrap();
        assert_eq!(skipped, Import { lines: 7, added: 3, bad: bad_lines() });
        assert_eq!(steps.last(), Some(&Progress { what: "added", done: 3, of: 3 }));
        let users = store.users().await.unwrap();
        let ids: Vec<_> = users.iter().map(|user| user.id.as_str()).collect();
        assert_eq!(ids, ["sip:alice@example.org", "sip:dave@example.org", "sip:gms@example.org", "taken"]);
        assert_eq!(users[0].uris, ["sip:alice.video@example.org", "sip:alice@example.org"]);
        assert_eq!(users[2].kind, crate::kms::ClientKind::Gms);

        let head = audit::verify(&store, None).await.unwrap();
        assert_eq!(head.number, 5);
        let entries = store.audit_entries(2, 1).await.unwrap();
        assert!(entries[0].entry.ends_with(
            r#""event":"user_added","user":"sip:alice@example.org","kind":"user","uris":["sip:alice@example.org","sip:alice.video@example.org"]}"#
        ));
    }

    #[tokio::test]
    async fn more_users_than_one_transaction_takes_are_all_added() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let count = SHARE + 5;
        let file: String = core::iter::once("user\n".to_owned())
            .chain((0..count).map(|i| format!("sip:u{i}@example.org\n")))
            .collect();
        let imported = import(&store, file.as_bytes(), false, &act(), |_| {}).await.unwrap();
        assert_eq!(imported, Import { lines: count as u64, added: count as u64, bad: Vec::new() });
        assert_eq!(audit::verify(&store, None).await.unwrap().number, count as u64 + 2);
        let again = import(&store, file.as_bytes(), false, &act(), |_| {}).await.unwrap();
        assert_eq!((again.added, again.bad.len()), (0, count));
    }

    #[tokio::test]
    async fn a_name_that_is_taken_meanwhile_makes_its_line_a_bad_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let candidates = || {
            let user = |line, id: &str| Candidate { line, user: NewUser::new(id, [id]) };
            vec![user(2, "sip:taken@example.org"), user(3, "sip:bob@example.org")]
        };
        for (skip_bad, expected) in [(false, 0), (true, 1)] {
            let mut bad = Vec::new();
            assert_eq!(add(&store, candidates(), skip_bad, &mut bad, &act()).await.unwrap(), expected);
            assert_eq!(bad, [BadLine { line: 2, fault: LineFault::Taken("sip:taken@example.org".into()) }]);
        }
        assert_eq!(store.counts().await.unwrap().active_users, 2);
    }
}
