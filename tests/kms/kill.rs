//! A server that is killed under load, again and again: the database opens, the audit log holds, what was answered is in it, and the
//! same keys are issued again. `MIKEY_SAKKE_KILLS` says how often; few by default.

use crate::support::process::Process;
use crate::support::*;
use mikey_sakke::kms::{NewUser, admin, open_store};
use mikey_sakke::kms_protocol::{KmsKeySet, KmsResponse, Limits};
use reqwest::Client;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ASKERS: usize = 8;
const LONGEST: u64 = 400;

/// What one user was answered: by which request, and with what.
struct Answer {
    request_id: String,
    key_sets: Vec<KmsKeySet>,
}

async fn ask(client: &Client, address: &str, token: &str) -> Option<Answer> {
    let response = client.post(format!("https://{address}{ROOT}/keyprov")).bearer_auth(token).send().await.ok()?;
    assert_eq!(response.status(), 200);
    let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body = response.bytes().await.ok()?;
    let (document, _) = KmsResponse::from_xml(&body, &Limits::default()).unwrap().into_parts();
    Some(Answer { request_id, key_sets: document.message.unwrap().into_key_prov().unwrap().key_sets })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_that_it_answered() {
    let kills: u32 = std::env::var("MIKEY_SAKKE_KILLS").map_or(4, |text| text.parse().unwrap());
    let world =
        World::with_config(|text| text.replace("requests_per_minute = 60\n", "requests_per_minute = 1000000\n"));
    let world = world.await;
    let (_, store) = open_store(world.folder.path()).await.unwrap();
    let uris: Vec<String> = (0..ASKERS).map(|number| format!("sip:asker{number}@example.org")).collect();
    for uri in &uris {
        admin::add_user(&*store, &NewUser::new(uri, [uri]), &act()).await.unwrap();
    }
    store.close().await.unwrap();
    let token =
        |uri: &String| world.provider.token(uri, std::time::SystemTime::now(), Duration::from_secs(7200)).unwrap();
    let tokens: Arc<Vec<String>> = Arc::new(uris.iter().map(token).collect());

    let mut known: HashMap<(String, u64), KmsKeySet> = HashMap::new();
    let mut answered: HashSet<String> = HashSet::new();
    for kill in 0..kills {
        let program = Process::start(world.folder.path(), "error");
        let until = Instant::now() + Duration::from_millis(100 + u64::from(kill) * 37 % LONGEST);
        let askers: Vec<_> = (0..ASKERS)
            .map(|number| {
                let (tokens, address) = (tokens.clone(), program.address.clone());
                let client = trusting(world.folder.path()).build().unwrap();
                tokio::spawn(async move {
                    let mut answers = Vec::new();
                    // Until the server is gone.
                    while let Some(answer) = ask(&client, &address, &tokens[number]).await {
                        answers.push(answer);
                    }
                    answers
                })
            })
            .collect();
        tokio::time::sleep_until(until.into()).await;
        drop(program);
        for asker in askers {
            for Answer { request_id, key_sets } in asker.await.unwrap() {
                assert!(answered.insert(request_id), "each request has a number of its own");
                for key_set in key_sets {
                    let name = (key_set.user_uri.clone(), key_set.key_period_no);
                    match known.entry(name) {
                        Entry::Vacant(vacant) => drop(vacant.insert(key_set)),
                        Entry::Occupied(before) => assert_eq!(before.get(), &key_set),
                    }
                }
            }
        }
    }
    println!("{kills} kills, {} answers, {} key sets", answered.len(), known.len());
    assert!(answered.len() > ASKERS, "the server was under load");

    let state = mikey_sakke::kms::State::open(world.folder.path(), &passphrase()).await.unwrap();
    let recorded: HashSet<String> = log(&state)
        .await
        .iter()
        .filter(|entry| entry["event"] == "issued")
        .map(|entry| entry["request_id"].as_str().unwrap().to_owned())
        .collect();
    assert!(answered.is_subset(&recorded), "an answer is not in the audit log");
    for ((uri, period), key_set) in &known {
        assert_eq!(state.authority.key_set(uri, *period).unwrap(), *key_set);
    }
}
