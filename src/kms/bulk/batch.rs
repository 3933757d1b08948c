//! A batch on its way from URIs to files.

use super::names::file_name;
use super::run::Run;
use super::{Refused, WithoutKeys};
use crate::batch::{self, Threads};
use crate::kms::admin::{self, certificates_message, document, further_certificates, init_message};
use crate::kms::audit::Act;
use crate::kms::issue::Grant;
use crate::kms::protection::Protection;
use crate::kms::store::{Holder, Issue, SealedClientKeys, StoreError};
use crate::kms::{Error, calendar};
use crate::kms_protocol::resource::Resource;
use crate::kms_protocol::{ClientKeys, KmsCertificate, KmsKeyProv, KmsKeySet, KmsMessage};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) const KEY_PROV: &str = ".keyprov.xml";
const INIT: &str = ".init.xml";
const CERT_CACHE: &str = ".certcache.xml";
pub(super) const TRK: &str = ".trk.key";
pub(super) const INK: &str = ".ink.key";
/// All that a URI or a user may have; the one that says that it is done comes last.
pub(super) const DOCUMENTS: &[&str] = &[INIT, CERT_CACHE, KEY_PROV];
pub(super) const KEY_FILES: &[&str] = &[INK, TRK];

/// A batch whose files are written, flushed and not yet seen.
pub(super) struct Batch {
    jobs: Vec<Job>,
    /// Transport and integrity keys that were made for users, by identifier.
    new_keys: HashMap<String, ClientKeys>,
    /// The same for the database.
    rows: Vec<SealedClientKeys>,
    /// The certificates that the keys need beside that of `init`.
    further: Vec<KmsCertificate>,
    act: Act,
}

/// One URI.
struct Job {
    uri: String,
    user_id: String,
    keys: Option<ClientKeys>,
}

impl Batch {
    /// Looks the URIs up, derives their keys and writes their files.
    pub(super) async fn prepare(
        run: Arc<Run>,
        uris: Vec<String>,
        act: Act,
        refused: &mut Vec<Refused>,
    ) -> Result<Self, Error> {
        let names: Vec<&str> = uris.iter().map(String::as_str).collect();
        let holders = run.state.store.holders(&names).await?;
        let mut holders: HashMap<String, Holder> =
            holders.into_iter().map(|holder| (holder.uri.clone(), holder)).collect();
        let further = further_certificates(&run.state, &run.periods, act.at);
        let jobs = Vec::with_capacity(uris.len());
        let mut batch = Self { jobs, new_keys: HashMap::new(), rows: Vec::new(), further, act };
        for uri in uris {
            match batch.job(&run, holders.remove(&uri), &uri) {
                Ok(job) => batch.jobs.push(job),
                Err(reason @ (Error::Store(_) | Error::Sealing(_))) => return Err(reason),
                Err(reason) => refused.push(Refused { uri, reason }),
            }
        }
        blocking(move || {
            batch.write(&run)?;
            Ok(batch)
        })
        .await
    }

    /// URIs that get files.
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    fn job(&mut self, run: &Run, holder: Option<Holder>, uri: &str) -> Result<Job, Error> {
        let Grant { user_id, .. } = Grant::of(holder.as_ref(), uri)?;
        let in_use = holder.as_ref().and_then(Holder::keys_in_use);
        let keys = match (in_use, &run.without_keys) {
            (Some(row), _) => Some(run.state.vault.open(row, uri)?),
            (None, WithoutKeys::Refuse) => return Err(Error::NoClientKeys(user_id)),
            (None, WithoutKeys::Clear) => None,
            (None, WithoutKeys::Make(_)) => match self.new_keys.get(&user_id) {
                Some(keys) => Some(ClientKeys { user_uri: uri.to_owned(), ..keys.clone() }),
                None => {
                    let created = calendar::unix_seconds(self.act.at);
                    let (keys, row) = run.state.vault.make(&user_id, uri, 1, created)?;
                    self.rows.push(row);
                    self.new_keys.insert(user_id.clone(), keys.clone());
                    Some(keys)
                }
            },
        };
        Ok(Job { uri: uri.to_owned(), user_id, keys })
    }

    fn write(&self, run: &Run) -> Result<(), Error> {
        let written = batch::map(&self.jobs, Threads::available(), |jobs| vec![self.write_some(run, jobs)]);
        written.into_iter().collect::<Result<(), Error>>()?;
        run.out.flush()?;
        let Some(folder) = &run.keys else { return Ok(()) };
        for keys in self.new_keys.values() {
            let (transport, integrity) = keys.to_files();
            let name = file_name(&keys.user_uri);
            folder.write(&format!("{name}{TRK}"), transport.as_bytes())?;
            if let Some(integrity) = integrity {
                folder.write(&format!("{name}{INK}"), integrity.as_bytes())?;
            }
        }
        folder.flush()
    }

    fn write_some(&self, run: &Run, jobs: &[Job]) -> Result<(), Error> {
        let Run { state, periods, out, .. } = run;
        let wanted: Vec<(&str, u64)> =
            jobs.iter().flat_map(|job| periods.iter().map(|period| (job.uri.as_str(), *period))).collect();
        let mut key_sets = state.authority.key_sets(&wanted, Threads::ONE).into_iter();
        for Job { uri, keys, .. } in jobs {
            let of_uri: Result<Vec<KmsKeySet>, Error> = key_sets.by_ref().take(periods.len()).collect();
            let protection = || keys.clone().map(Protection::under);
            let name = file_name(uri);
            if keys.is_some() {
                let init =
                    document(state, uri, &Resource::Init, init_message(state, self.act.at), protection(), self.act.at)?;
                out.write(&format!("{name}{INIT}"), init.as_bytes())?;
                if !self.further.is_empty() {
                    let message = certificates_message(self.further.clone());
                    let document = document(state, uri, &admin::CERT_CACHE, message, protection(), self.act.at)?;
                    out.write(&format!("{name}{CERT_CACHE}"), document.as_bytes())?;
                }
            }
            let resource = Resource::KeyProv { user_uri: Some(uri.clone()), time: None };
            let message = KmsMessage::KeyProv(KmsKeyProv { key_sets: of_uri?, ..KmsKeyProv::default() });
            let key_prov = document(state, uri, &resource, message, protection(), self.act.at)?;
            out.write(&format!("{name}{KEY_PROV}"), key_prov.as_bytes())?;
        }
        Ok(())
    }

    /// Hands over new transport keys, records the issue, and gives the files their names. How many URIs there are in the end.
    pub(super) async fn commit(self, run: Arc<Run>, refused: &mut Vec<Refused>) -> Result<Committed, Error> {
        let with = run.clone();
        let mut batch = blocking(move || {
            self.finish_transport_keys(&with)?;
            Ok(self)
        })
        .await?;
        let store = &run.state.store;
        let mut needless = Needless::default();
        while !batch.rows.is_empty()
            && let Err(error) = store.add_first_client_keys(&batch.rows, &batch.act).await
        {
            let user_id = batch.drop_user(error, &mut needless, refused)?;
            batch.rows.retain(|row| row.user_id != user_id);
            let keys = batch.new_keys.get(&user_id);
            needless.finished_keys.extend(keys.iter().flat_map(|keys| names(&keys.user_uri, KEY_FILES)));
        }
        while let Err(error) = store.record_issues(batch.issues(&run), batch.act.clone()).await {
            batch.drop_user(error, &mut needless, refused)?;
        }
        let committed = Committed { uris: batch.jobs.len() as u64, new_keys: batch.rows.len() as u64 };
        blocking(move || {
            needless.remove(&run)?;
            for job in &batch.jobs {
                names(&job.uri, batch.endings(job)).try_for_each(|name| run.out.finish(&name))?;
            }
            run.out.flush_names()
        })
        .await?;
        Ok(committed)
    }

    fn finish_transport_keys(&self, run: &Run) -> Result<(), Error> {
        let Some(folder) = &run.keys else { return Ok(()) };
        for keys in self.new_keys.values() {
            names(&keys.user_uri, KEY_FILES).try_for_each(|name| folder.finish(&name))?;
        }
        folder.flush_names()
    }

    /// Of the files of a URI, the one that says that it is done comes last.
    fn endings(&self, job: &Job) -> &'static [&'static str] {
        match (&job.keys, self.further.is_empty()) {
            (None, _) => &[KEY_PROV],
            (Some(_), true) => &[INIT, KEY_PROV],
            (Some(_), false) => DOCUMENTS,
        }
    }

    fn issues(&self, run: &Run) -> Vec<Issue> {
        let newest_generation = run.state.authority.newest_generation();
        let issue = |Job { uri, user_id, .. }: &Job| Issue {
            user_id: user_id.clone(),
            uri: uri.clone(),
            periods: run.periods.clone(),
            newest_generation,
        };
        self.jobs.iter().map(issue).collect()
    }

    /// Leaves the user out that the store refuses, and says which. Any other error stays one.
    fn drop_user(
        &mut self,
        error: StoreError,
        needless: &mut Needless,
        refused: &mut Vec<Refused>,
    ) -> Result<String, Error> {
        let (StoreError::AlreadyRevoked(user_id)
        | StoreError::NoSuchUser(user_id)
        | StoreError::ClientKeysExist(user_id)) = &error
        else {
            return Err(error.into());
        };
        let user_id = user_id.clone();
        let dropped: Vec<Job> = self.jobs.extract_if(.., |job| job.user_id == user_id).collect();
        for job in dropped {
            needless.unfinished.extend(names(&job.uri, self.endings(&job)));
            let reason = match &error {
                StoreError::ClientKeysExist(_) => Error::ClientKeysExist(user_id.clone()),
                _ => Error::Revoked { user_id: user_id.clone(), uri: job.uri.clone() },
            };
            refused.push(Refused { uri: job.uri, reason });
        }
        Ok(user_id)
    }
}

/// Files of users who were left out.
#[derive(Default)]
struct Needless {
    unfinished: Vec<String>,
    finished_keys: Vec<String>,
}

impl Needless {
    fn remove(&self, run: &Run) -> Result<(), Error> {
        self.unfinished.iter().try_for_each(|name| run.out.discard(name))?;
        match &run.keys {
            Some(folder) => self.finished_keys.iter().try_for_each(|name| folder.remove(name)),
            None => Ok(()),
        }
    }
}

/// What a batch came to.
#[derive(Default)]
pub(super) struct Committed {
    pub(super) uris: u64,
    pub(super) new_keys: u64,
}

fn names<'a>(uri: &str, endings: &'a [&str]) -> impl Iterator<Item = String> + use<'a> {
    let name = file_name(uri);
    endings.iter().map(move |ending| format!("{name}{ending}"))
}

/// Runs what waits for the disk or computes for long where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Interrupted)?
}

#[cfg(test)]
mod tests {
    use super::super::run::Run;
    use super::super::{Order, WithoutKeys};
    use super::*;
    use crate::kms::{InitOptions, NewUser, State, admin, init};
    use crate::sealing::{KdfParameters, Passphrase};
    use std::path::Path;
    use std::time::SystemTime;

    fn act() -> Act {
        Act::new("the operator", SystemTime::now())
    }

    async fn state(folder: &Path) -> State {
        let passphrase = Passphrase::new("a passphrase".into()).unwrap();
        let options =
            InitOptions { kdf: KdfParameters::cheap_for_tests(), ..InitOptions::new("kms.example.org", "example.org") };
        init(folder, options, &passphrase, act()).await.unwrap();
        let state = State::open(folder, &passphrase).await.unwrap();
        for id in ["alice", "bob", "carol"] {
            let user = NewUser::new(id, [format!("sip:{id}@example.org")]);
            admin::add_user(&*state.store, &user, &act()).await.unwrap();
        }
        state
    }

    #[tokio::test]
    async fn who_is_revoked_or_gets_keys_while_a_batch_is_made_gets_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let state = state(&folder.path().join("kms")).await;
        let (out, keys) = (folder.path().join("out"), folder.path().join("keys"));
        let order = Order { out: out.clone(), period_no: None, without_keys: WithoutKeys::Make(keys.clone()) };
        let run = Arc::new(Run::open(&state, &order, &act()).unwrap());
        let uris = ["alice", "bob", "carol"].map(|id| format!("sip:{id}@example.org")).to_vec();
        let mut refused = Vec::new();
        let batch = Batch::prepare(run.clone(), uris, act(), &mut refused).await.unwrap();
        assert_eq!((batch.len(), refused.len()), (3, 0));
        let file = out.join(format!("{}{KEY_PROV}", file_name("sip:alice@example.org")));
        assert!(!file.exists(), "nothing is seen before it is recorded");

        admin::revoke_user(&*state.store, "alice", &act()).await.unwrap();
        admin::new_client_keys(&state, "sip:bob@example.org", false, &act()).await.unwrap();
        let committed = batch.commit(run, &mut refused).await.unwrap();
        assert_eq!((committed.uris, committed.new_keys), (1, 1));
        assert!(matches!(
            &refused[..],
            [Refused { reason: Error::Revoked { user_id, .. }, .. }, Refused { reason: Error::ClientKeysExist(id), .. }]
                if user_id == "alice" && id == "bob"
        ));
        for (id, has_files) in [("alice", false), ("bob", false), ("carol", true)] {
            let name = file_name(&format!("sip:{id}@example.org"));
            for (folder, ending) in [(&out, KEY_PROV), (&out, INIT), (&keys, TRK), (&keys, INK)] {
                assert_eq!(folder.join(format!("{name}{ending}")).exists(), has_files, "{id}{ending}");
            }
        }
        assert!(!out.join(".unfinished").exists());
        let head = crate::kms::audit::verify(&*state.store, None).await.unwrap();
        assert_eq!(head.key_sets, 2, "of carol alone");
    }
}
