use super::batch::{Batch, Committed, last_file};
use super::folder::Folder;
use super::plan::{self, Plan};
use super::{FolderFault, Issued, Order, Refused, WithoutKeys};
use crate::kms::admin::{document, init_message};
use crate::kms::audit::Act;
use crate::kms::{Error, Progress, State, issue};
use crate::kms_protocol::resource::Resource;
use crate::sealing::file;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// URIs of a batch: what an interruption costs, and how many share a flush of the disk.
const BATCH: usize = 2048;

/// The certificate for clients without transport key.
const INIT: &str = "init.xml";

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
    let finished: HashSet<String> = run.out.finished()?.into_iter().collect();
    let (uris, of, already) = unfinished(uris, &finished);
    drop(finished);
    let mut issued = Issued {
        periods: run.periods.clone(),
        uris: 0,
        key_sets: 0,
        already: already as u64,
        new_keys: 0,
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
    tracing::info!(uris = issued.uris, refused = issued.refused.len(), left = issued.left, "issued to files");
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
        if let Some(period) = order.period_no {
            state.authority.validity(period)?;
            issue::require_near(state, period, act.at)?;
        }
        let out = Folder::open(&order.out, plan::FILE)?;
        let plan = Plan::settle(state, &out.path, order.period_no, &issue::current_and_next(state, act.at)?)?;
        let keys = match &order.without_keys {
            WithoutKeys::Make(path) => Some(key_folder(state, path, &out.path)?),
            _ => None,
        };
        write_init(state, &out.path, act)?;
        let without_keys = order.without_keys.clone();
        Ok(Self { state: state.clone(), periods: plan.periods, out, keys, without_keys })
    }
}

fn key_folder(state: &State, path: &Path, out: &Path) -> Result<Folder, Error> {
    // The output is locked already: the same folder again would be reported as another command's.
    let real = |path: &Path| path.canonicalize().ok();
    if real(path).is_some_and(|path| Some(path) == real(out)) {
        return Err(FolderFault::KeysBeside(path.to_owned()).into());
    }
    let folder = Folder::open(path, plan::FILE)?;
    Plan::settle(state, path, None, &[])?;
    Ok(folder)
}

/// It is for nobody in particular: the KMS names itself where an answer names the user.
fn write_init(state: &State, folder: &Path, act: &Act) -> Result<(), Error> {
    let path = folder.join(INIT);
    let document = document(state, &state.config.kms_uri, &Resource::Init, init_message(state, act.at), None, act.at)?;
    match file::create(&path, document.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::file(&path, error)),
        _ => Ok(()),
    }
}

/// The URIs that have no files yet, each once; how many there are in all; how many have their files.
fn unfinished(uris: Vec<String>, finished: &HashSet<String>) -> (Vec<String>, usize, usize) {
    let mut seen = HashSet::with_capacity(uris.len());
    let mut already = 0;
    let mut left = Vec::new();
    for uri in uris {
        if !seen.insert(uri.clone()) {
            continue;
        }
        if finished.contains(&last_file(&uri)) {
            already += 1;
        } else {
            left.push(uri);
        }
    }
    let of = left.len() + already;
    (left, of, already)
}
