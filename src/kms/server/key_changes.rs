//! Writes down that the identity provider's keys have changed, while requests go on.

use super::SERVER;
use super::serving::Serving;
use crate::kms::audit::{Act, Event};
use crate::kms::auth::KeysChanged;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How long to wait for a database that cannot be written.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Until it is told to stop, and then what is left. The store and the list of changes outlast a reload.
pub(super) async fn record(serving: Arc<Serving>, mut stopped: oneshot::Receiver<()>) {
    let changes = serving.app().authenticator.key_changes();
    loop {
        let change = tokio::select! {
            _ = &mut stopped => break,
            change = changes.next() => change,
        };
        tracing::info!(origin = change.origin, jwks = %change.jwks, "the identity provider's keys have changed");
        while !is_recorded(&serving, &change).await {
            tokio::select! {
                _ = &mut stopped => return,
                () = sleep(TRY_AGAIN) => {}
            }
        }
    }
    while let Some(change) = changes.take() {
        is_recorded(&serving, &change).await;
    }
}

async fn is_recorded(serving: &Serving, change: &KeysChanged) -> bool {
    let event = Event::TokenKeysChanged {
        origin: change.origin.clone(),
        jwks: change.jwks.to_string(),
        before: change.before.map(|before| before.to_string()),
    };
    let recorded = serving.state().store.record(event, Act::new(SERVER, change.at)).await;
    if let Err(error) = &recorded {
        tracing::error!(%error, "a change of the identity provider's keys could not be recorded");
    }
    recorded.is_ok()
}
