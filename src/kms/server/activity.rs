//! When a connection was last of use. Pings and half a preface of HTTP/2 are of none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How many requests a connection has in progress, and since when.
#[derive(Debug)]
pub(super) struct Activity(Mutex<(Instant, usize)>);

impl Default for Activity {
    fn default() -> Self {
        Self(Mutex::new((Instant::now(), 0)))
    }
}

impl Activity {
    /// Returns when there was no request for so long.
    pub(super) async fn too_long(&self, limit: Duration) {
        loop {
            let (since, requests) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = since.elapsed();
            if requests == 0 && idle >= limit {
                return;
            }
            sleep(if requests == 0 { limit - idle } else { limit }).await;
        }
    }

    fn change(&self, requests: impl FnOnce(usize) -> usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (Instant::now(), requests(state.1));
    }
}

/// A request in progress.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Busy {
    pub(super) fn new(activity: &Arc<Activity>) -> Self {
        activity.change(|requests| requests + 1);
        Self(activity.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(|requests| requests.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    async fn elapsed(activity: &Activity) -> u64 {
        let begun = Instant::now();
        activity.too_long(LIMIT).await;
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_its_last_request_on() {
        let activity = Arc::new(Activity::default());
        assert_eq!(elapsed(&activity).await, 60);
        let (first, second) = (Busy::new(&activity), Busy::new(&activity));
        drop(first);
        let ending = async {
            sleep(Duration::from_secs(100)).await;
            drop(second);
        };
        assert_eq!(tokio::join!(elapsed(&activity), ending).0, 160);
    }
}
