//! What earlier runs have left in the folders: kept where it is good still, removed where it is not.

use super::batch::{DOCUMENTS, INK, KEY_FILES, KEY_PROV, TRK, blocking};
use super::folder::Folder;
use super::names::{file_name, uri_of};
use super::run::{BATCH, Run};
use super::{Outdated, Removed, WithoutKeys};
use crate::batch::{self, Threads};
use crate::kms::issue::Grant;
use crate::kms::store::Holder;
use crate::kms::{Error, Progress};
use crate::kms_protocol::{self, ClientKeys, KmsMessage, KmsResponse, Limits, SignatureStatus};
use crate::xml_security;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

#[derive(Default)]
pub(super) struct Earlier {
    /// The names, without endings, of URIs whose files are good still.
    pub(super) kept: HashSet<String>,
    pub(super) removed: Vec<Removed>,
}

impl Earlier {
    /// Looks at all files, whether their URIs are asked for now or not. After `stop` is set, what is left is neither kept nor removed.
    pub(super) async fn sift(
        run: &Arc<Run>,
        stop: &AtomicBool,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Self, Error> {
        let mut earlier = Self::default();
        let mut left = left(run)?.into_iter();
        let of = left.len();
        while !stop.load(Ordering::Relaxed) {
            let some: Vec<Left> = left.by_ref().take(BATCH).collect();
            if some.is_empty() {
                break;
            }
            earlier.sift_some(run, some).await?;
            progress(Progress { what: "files of earlier runs", done: of - left.len(), of });
        }
        Ok(earlier)
    }

    async fn sift_some(&mut self, run: &Arc<Run>, left: Vec<Left>) -> Result<(), Error> {
        let with = run.clone();
        let found = blocking(move || {
            let read = |left: &[Left]| left.iter().map(|left| left.read(&with)).collect::<Vec<_>>();
            batch::map(&left, Threads::available(), read).into_iter().collect::<Result<Vec<Found>, Error>>()
        })
        .await?;

        let uris: Vec<&str> = found.iter().filter_map(|found| found.uri.as_deref()).collect();
        let holders = run.state.store.holders(&uris).await?;
        let holders: HashMap<String, Holder> = holders.into_iter().map(|holder| (holder.uri.clone(), holder)).collect();

        let with = run.clone();
        let (kept, removed) = blocking(move || {
            let judge = |found: &[Found]| found.iter().map(|found| found.judge(&with, &holders)).collect::<Vec<_>>();
            let judged = batch::map(&found, Threads::available(), judge);
            remove(&with, found.into_iter().map(|found| found.left).zip(judged))
        })
        .await?;
        self.kept.extend(kept);
        self.removed.extend(removed);
        Ok(())
    }
}

/// Removes what is good no more; the names of documents that stay, and what was removed.
fn remove(
    run: &Run,
    judged: impl Iterator<Item = (Left, Result<(), Outdated>)>,
) -> Result<(Vec<String>, Vec<Removed>), Error> {
    let (mut kept, mut removed) = (Vec::new(), Vec::new());
    for (Left { of, name }, judgement) in judged {
        match (judgement, of) {
            (Ok(()), Of::Uri) => kept.push(name),
            (Ok(()), Of::TransportKeys) => {}
            (Err(reason), of) => {
                let Some(folder) = of.folder(run) else { continue };
                of.endings().iter().try_for_each(|ending| folder.remove(&format!("{name}{ending}")))?;
                removed.push(Removed { file: folder.path.join(format!("{name}{}", of.last_ending())), reason });
            }
        }
    }
    if !removed.is_empty() {
        [Of::Uri, Of::TransportKeys].iter().filter_map(|of| of.folder(run)).try_for_each(Folder::flush_names)?;
    }
    Ok((kept, removed))
}

/// Finished files of one name.
struct Left {
    of: Of,
    name: String,
}

#[derive(Clone, Copy)]
enum Of {
    /// The answers for a URI.
    Uri,
    /// The TrK and the InK of a user.
    TransportKeys,
}

impl Of {
    fn folder(self, run: &Run) -> Option<&Folder> {
        match self {
            Self::Uri => Some(&run.out),
            Self::TransportKeys => run.keys.as_ref(),
        }
    }

    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Uri => DOCUMENTS,
            Self::TransportKeys => KEY_FILES,
        }
    }

    /// That of the file which says that all are there.
    fn last_ending(self) -> &'static str {
        match self {
            Self::Uri => KEY_PROV,
            Self::TransportKeys => TRK,
        }
    }
}

fn left(run: &Run) -> Result<Vec<Left>, Error> {
    let mut left = Vec::new();
    for of in [Of::Uri, Of::TransportKeys] {
        let Some(folder) = of.folder(run) else { continue };
        let finished = folder.finished()?;
        let names = finished.iter().filter_map(|file| file.strip_suffix(of.last_ending()));
        left.extend(names.map(|name| Left { of, name: name.to_owned() }));
    }
    Ok(left)
}

/// What is in the files.
struct Found {
    left: Left,
    /// The URI that they are named after.
    uri: Option<String>,
    content: Content,
}

enum Content {
    KeyProv(Zeroizing<Vec<u8>>),
    Keys(ClientKeys),
    Unreadable,
}

impl Left {
    fn read(&self, run: &Run) -> Result<Found, Error> {
        let Self { of, name } = self;
        let file = |ending| match of.folder(run) {
            Some(folder) => folder.read(&format!("{name}{ending}")),
            None => Ok(None),
        };
        let content = match of {
            Of::Uri => file(KEY_PROV)?.map(Content::KeyProv),
            Of::TransportKeys => {
                let both = file(TRK)?.zip(file(INK)?);
                both.and_then(|(trk, ink)| ClientKeys::from_files(&trk, Some(&ink)).ok()).map(Content::Keys)
            }
        };
        let content = content.unwrap_or(Content::Unreadable);
        // Long names do not tell it.
        let uri = uri_of(name).or_else(|| content.claimed_uri().filter(|uri| file_name(uri) == *name));
        Ok(Found { left: Self { of: *of, name: name.clone() }, uri, content })
    }
}

impl Content {
    /// The URI that they say that they are for, whether that is true or not.
    fn claimed_uri(&self) -> Option<String> {
        match self {
            Self::KeyProv(document) => {
                let (response, _) = KmsResponse::from_xml(document, &Limits::default()).ok()?.into_parts();
                Some(response.user_uri)
            }
            Self::Keys(keys) => Some(keys.user_uri.clone()),
            Self::Unreadable => None,
        }
    }
}

impl Found {
    /// Whether they are what would be made now.
    fn judge(&self, run: &Run, holders: &HashMap<String, Holder>) -> Result<(), Outdated> {
        let uri = self.uri.as_deref().ok_or(Outdated::Damaged)?;
        let holder = holders.get(uri);
        let Grant { user_id, .. } = Grant::of(holder, uri).map_err(Outdated::NotEntitled)?;
        let in_use = holder.and_then(Holder::keys_in_use).map(|row| run.state.vault.open(row, uri)).transpose();
        // What does not open in the database protects nothing any more.
        let in_use = in_use.map_err(|_| Outdated::TransportKey(user_id.clone()))?;
        match &self.content {
            Content::KeyProv(document) => judge_key_prov(run, uri, document, in_use.as_ref(), &user_id),
            Content::Keys(keys) if Some(keys) == in_use.as_ref() => Ok(()),
            Content::Keys(_) => Err(Outdated::TransportKey(user_id)),
            Content::Unreadable => Err(Outdated::Damaged),
        }
    }
}

fn judge_key_prov(
    run: &Run,
    uri: &str,
    document: &[u8],
    in_use: Option<&ClientKeys>,
    user_id: &str,
) -> Result<(), Outdated> {
    let limits = Limits::default();
    let read = match in_use {
        Some(keys) => KmsResponse::from_xml_with_keys(document, &limits, &[keys.signing_key()]),
        None => KmsResponse::from_xml(document, &limits),
    };
    let (response, signature) = read
        .map_err(|error| match error {
            kms_protocol::Error::Signature(
                xml_security::Error::UnknownKey { .. } | xml_security::Error::WrongMac { .. },
            ) => Outdated::TransportKey(user_id.to_owned()),
            _ => Outdated::Damaged,
        })?
        .into_parts();
    match (in_use, signature) {
        // The InK is made with the TrK, and goes with it.
        (Some(_), SignatureStatus::Verified { .. }) => {}
        (None, SignatureStatus::Absent) if run.without_keys == WithoutKeys::Clear => {}
        (_, SignatureStatus::Absent) => return Err(Outdated::InClear(user_id.to_owned())),
        _ => return Err(Outdated::TransportKey(user_id.to_owned())),
    }
    let Some(KmsMessage::KeyProv(content)) = &response.message else { return Err(Outdated::Damaged) };
    let periods = content.key_sets.iter().map(|key_set| key_set.key_period_no);
    let is_theirs = response.user_uri == uri && content.key_sets.iter().all(|key_set| key_set.user_uri == uri);
    let is_ours = response.kms_uri == run.state.config.kms_uri;
    match is_theirs && is_ours && periods.eq(run.periods.iter().copied()) {
        true => Ok(()),
        false => Err(Outdated::Damaged),
    }
}
