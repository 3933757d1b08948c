//! Key sets without a server: derived alone, and written to files.

use super::Arguments;
use super::world::{World, act};
use mikey_sakke::batch::Threads;
use mikey_sakke::kms::State;
use mikey_sakke::kms::bulk::{self, Order, WithoutKeys};
use mikey_sakke::mikey::NtpTime;
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Key sets that are derived between two looks at the clock.
const SOME: u64 = 1024;

/// What `Authority::key_sets` gives on one thread, before anything is written.
pub async fn key_sets(world: &World, duration: Duration) {
    let state = world.open().await;
    let period = present_period(&state);
    let uris: Vec<String> = (0..SOME).map(|number| format!("sip:user{number}@example.org")).collect();
    let wanted: Vec<(&str, u64)> = uris.iter().map(|uri| (uri.as_str(), period)).collect();
    let begun = Instant::now();
    let mut derived = 0;
    while begun.elapsed() < duration {
        derived += state.authority.key_sets(&wanted, Threads::ONE).into_iter().map(Result::unwrap).count();
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{:<44} {:>9.0} a second", "key sets, one thread, no files", derived as f64 / seconds);
}

/// The keys of `--users` users to files in clear, of one key period and of two.
pub async fn files(world: &World, arguments: &Arguments) {
    world.add_users(arguments.users).await;
    let state = world.open().await;
    let period = present_period(&state);
    for (period_no, periods) in [(Some(period), "one key period"), (None, "two key periods")] {
        let out = world.folder.path().join(periods);
        let order = Order { out: out.clone(), period_no, without_keys: WithoutKeys::Clear };
        let uris = state.store.active_uris().await.unwrap();
        let (begun, before) = (Instant::now(), processor_time());
        let issued = bulk::issue(&state, uris, &order, &act(), &AtomicBool::new(false), |_| ()).await.unwrap();
        let (elapsed, used) = (begun.elapsed(), processor_time() - before);
        println!(
            "{:<44} {:>9.1} s, {:.1} s of processor time",
            format!("{} users to files, {periods}", issued.uris),
            elapsed.as_secs_f64(),
            used.as_secs_f64(),
        );
        fs::remove_dir_all(out).unwrap();
    }
}

fn present_period(state: &State) -> u64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    state.authority.period_at(NtpTime::from_unix(unix.as_secs())).unwrap()
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}
