use super::batch::{Batch, Committed};
use super::earlier::Earlier;
use super::folder::Folder;
use super::names::file_name;
use super::plan::{self, Plan};
use super::{FolderFault, Issued, Order, Refused, WithoutKeys};
use crate::kms::absent::absent_is_fine;
use crate::kms::admin::{self, certificates_message, document, further_certificates, init_message};
use crate::kms::audit::Act;
use crate::kms::{Error, Progress, State, issue};
use crate::kms_protocol::resource::Resource;
use crate::sealing::file;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// URIs of a batch: what an interruption costs, and how many share a flush of the disk.
pub(super) const BATCH: usize = 2048;

/// The certificates for clients without transport key.
const INIT: &str = "init.xml";
const CERT_CACHE: &str = "certcache.xml";

/// What stays the same from batch to batch.
pub(super) struct Run {
    pub(super) state: State,
    pub(super) periods: Vec<u64>,
    pub(super) out: Folder,
    /// The folder for new transport keys.
    pub(super) keys: Option<Folder>,
    pub(super) without_keys: WithoutKeys,
}

/// Issues the key sets of many URIs to files: see [the module](super). A URI that is there twice counts once. After `stop` is set it
/// ends with the batch in progress.
///
/// # Errors
/// [`Error::BulkFolder`], [`Error::Period`], [`Error::File`], [`Error::Store`]: what was finished by then stays, and the same order
/// goes on.
pub async fn issue(
    state: &State,
    uris: Vec<String>,
    order: &Order,
    act: &Act,
    stop: &AtomicBool,
    mut progress: impl FnMut(Progress),
) -> Result<Issued, Error> {
    let run = Arc::new(Run::open(state, order, act)?);
    let Earlier { kept, removed } = Earlier::sift(&run, stop, &mut progress).await?;
    let (uris, of, already) = unfinished(uris, &kept);
    drop(kept);
    let mut issued = Issued {
        periods: run.periods.clone(),
        uris: 0,
        key_sets: 0,
        already: already as u64,
        has_further_certificates: !further_certificates(state, &run.periods, act.at).is_empty(),
        new_keys: 0,
        removed,
        refused: Vec::new(),
        left: uris.len() as u64,
    };
    progress(Progress { what: "users", done: already, of });

    let mut uris = uris.into_iter();
    let mut before: Option<Batch> = None;
    loop {
        let next: Vec<String> = match stop.load(Ordering::Relaxed) {
            true => Vec::new(),
            false => uris.by_ref().take(BATCH).collect(),
        };
        if next.is_empty() && before.is_none() {
            break;
        }
        issued.left -= next.len() as u64;
        let (mut unknown, mut dropped) = (Vec::new(), Vec::new());
        let committing = commit(&run, before.take(), &mut dropped);
        let preparing = prepare(&run, next, act, &mut unknown);
        let (committed, prepared) = if run.keys.is_some() {
            // The next batch may have other URIs of users whose new keys must be in the database by then.
            (committing.await, preparing.await)
        } else {
            // While one batch waits for the disk, the next one is derived.
            tokio::join!(committing, preparing)
        };
        let committed = committed?;
        before = prepared?;
        issued.uris += committed.uris;
        issued.key_sets += committed.uris.saturating_mul(run.periods.len() as u64);
        issued.new_keys += committed.new_keys;
        issued.refused.append(&mut dropped);
        issued.refused.append(&mut unknown);
        let done = of - uris.len() - before.as_ref().map_or(0, Batch::len);
        progress(Progress { what: "users", done, of });
    }
    let (refused, removed) = (issued.refused.len(), issued.removed.len());
    tracing::info!(uris = issued.uris, refused, removed, left = issued.left, "issued to files");
    Ok(issued)
}

async fn commit(run: &Arc<Run>, batch: Option<Batch>, refused: &mut Vec<Refused>) -> Result<Committed, Error> {
    match batch {
        Some(batch) => batch.commit(run.clone(), refused).await,
        None => Ok(Committed::default()),
    }
}

async fn prepare(
    run: &Arc<Run>,
    uris: Vec<String>,
    act: &Act,
    refused: &mut Vec<Refused>,
) -> Result<Option<Batch>, Error> {
    if uris.is_empty() {
        return Ok(None);
    }
    // Each batch has a time of its own: an issue may take hours.
    let act = Act { at: SystemTime::now(), ..act.clone() };
    Batch::prepare(run.clone(), uris, act, refused).await.map(Some)
}

impl Run {
    pub(super) fn open(state: &State, order: &Order, act: &Act) -> Result<Self, Error> {
        let periods = issue::periods(state, order.period_no, act.at)?;
        if let WithoutKeys::Make(path) = &order.without_keys {
            require_apart(path, &order.out)?;
        }
        let out = Folder::open(&order.out, plan::FILE)?;
        let plan = Plan::of_key_sets(state, &out, order.period_no, periods, &order.without_keys)?;
        let keys = match &order.without_keys {
            WithoutKeys::Make(path) => Some(key_folder(state, path)?),
            _ => None,
        };
        let periods = plan.numbers();
        write_certificates(state, &out.path, &periods, act)?;
        let without_keys = order.without_keys.clone();
        Ok(Self { state: state.clone(), periods, out, keys, without_keys })
    }
}

fn key_folder(state: &State, path: &Path) -> Result<Folder, Error> {
    let folder = Folder::open(path, plan::FILE)?;
    Plan::of_transport_keys(state, &folder)?;
    Ok(folder)
}

/// Whoever copies one folder shall not have the other with it.
fn require_apart(keys: &Path, out: &Path) -> Result<(), Error> {
    let real = |path: &Path| real(path).map_err(|source| Error::file(path, source));
    let (real_keys, real_out) = (real(keys)?, real(out)?);
    match real_keys.starts_with(&real_out) || real_out.starts_with(&real_keys) {
        true => Err(FolderFault::KeysBeside(keys.to_owned()).into()),
        false => Ok(()),
    }
}

/// A path without links, as far as there is something.
fn real(path: &Path) -> io::Result<PathBuf> {
    let path = path::absolute(path)?;
    let found = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let rest = found.and_then(|(above, real)| Some(real.join(path.strip_prefix(above).ok()?)));
    Ok(rest.unwrap_or(path))
}

/// For nobody in particular: the KMS names itself where an answer names the user. They are of now whenever an issue goes on.
fn write_certificates(state: &State, folder: &Path, periods: &[u64], act: &Act) -> Result<(), Error> {
    let write = |name: &str, resource: &Resource, message| {
        let path = folder.join(name);
        let document = document(state, &state.config.kms_uri, resource, message, None, act.at)?;
        file::replace(&path, document.as_bytes()).map_err(|source| Error::file(&path, source))
    };
    write(INIT, &Resource::Init, init_message(state, act.at))?;
    let further = further_certificates(state, periods, act.at);
    if !further.is_empty() {
        return write(CERT_CACHE, &admin::CERT_CACHE, certificates_message(further));
    }
    let path = folder.join(CERT_CACHE);
    absent_is_fine(fs::remove_file(&path)).map_err(|source| Error::file(&path, source))
}

/// The URIs that have no files yet, each once; how many there are in all; how many have their files.
fn unfinished(uris: Vec<String>, kept: &HashSet<String>) -> (Vec<String>, usize, usize) {
    let mut seen = HashSet::with_capacity(uris.len());
    let mut already = 0;
    let mut left = Vec::new();
    for uri in uris {
        if !seen.insert(uri.clone()) {
            continue;
        }
        if kept.contains(&file_name(&uri)) {
            already += 1;
        } else {
            left.push(uri);
        }
    }
    let of = left.len() + already;
    (left, of, already)
}
