//! What is measured, and beside what.

use super::load::{Askers, Connections, Pace, Times, tls};
use super::world::{Served, World};
use super::{Arguments, Scenario, bulk, report};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;

/// How long a server is asked before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);
/// How often each of two servers is asked that are compared.
const TURNS: u32 = 10;
/// How long those wait who send slowly.
const SLOWNESS: Duration = Duration::from_secs(1);

pub async fn run(scenario: Scenario, arguments: &Arguments, duration: Duration) {
    let world = Arc::new(World::new(scenario == Scenario::Protected).await);
    let measured = Measured { world: &world, arguments, duration };
    match scenario {
        Scenario::Keyprov => measured.both("keyprov", Connections::Kept, 1500).await,
        Scenario::Protected => measured.both("keyprov, signed and wrapped", Connections::Kept, 1000).await,
        Scenario::Handshakes => measured.both("keyprov, new TLS connections", Connections::New, 400).await,
        Scenario::Idle => measured.beside_idle().await,
        Scenario::Crowd => measured.in_a_crowd().await,
        Scenario::KeySets => bulk::key_sets(&world, duration).await,
        Scenario::Files => bulk::files(&world, arguments).await,
    }
}

struct Measured<'a> {
    world: &'a Arc<World>,
    arguments: &'a Arguments,
    duration: Duration,
}

impl Measured<'_> {
    async fn both(&self, name: &str, connections: Connections, goal: u32) {
        let served = self.world.serve();
        let rate = self.arguments.rate.unwrap_or(goal);
        self.measure(name, connections, Pace::Full, &served).await;
        self.measure(&format!("{name}, {rate}/s"), connections, Pace::Rate(rate), &served).await;
    }

    async fn measure(&self, name: &str, connections: Connections, pace: Pace, served: &Served) {
        let askers = Askers { world: self.world, connections: self.arguments.connections, kind: connections, pace };
        askers.ask(served, WARM_UP).await;
        report::line(name, &askers.ask(served, self.duration).await, served);
    }

    async fn beside_idle(&self) {
        let served = self.world.serve();
        let idle = self.arguments.idle;
        let connector = TlsConnector::from(Arc::new(tls(self.world)));
        let holders: Vec<JoinHandle<()>> = (0..idle)
            .zip(EVERY_IDLENESS.into_iter().cycle())
            .map(|(_, idleness)| tokio::spawn(hold(served.address, connector.clone(), idleness)))
            .collect();
        sleep(Duration::from_secs(5)).await;
        let rate = self.arguments.rate.unwrap_or(1000);
        self.measure(&format!("keyprov beside {idle} idle"), Connections::Kept, Pace::Full, &served).await;
        let name = format!("keyprov beside {idle} idle, {rate}/s");
        self.measure(&name, Connections::Kept, Pace::Rate(rate), &served).await;
        holders.iter().for_each(JoinHandle::abort);
    }

    /// Few and many take turns, so that both meet the same disturbances.
    async fn in_a_crowd(&self) {
        let few = Arc::new(World::new(false).await);
        self.world.add_users(self.arguments.identities).await;
        let alternatives = [&few, self.world].map(|world| {
            let kind = Connections::Kept;
            (Askers { world, connections: self.arguments.connections, kind, pace: Pace::Full }, world.serve())
        });
        let mut times = [Times::default(), Times::default()];
        for round in 0..=TURNS {
            for ((askers, served), times) in alternatives.iter().zip(&mut times) {
                let duration = if round == 0 { WARM_UP } else { self.duration / TURNS };
                let asked = askers.ask(served, duration).await;
                if round > 0 {
                    times.add(asked);
                }
            }
        }
        let names = ["keyprov among 64 identities".to_owned(), format!("keyprov among {}", self.arguments.identities)];
        for ((name, times), (_, served)) in names.iter().zip(&times).zip(&alternatives) {
            report::line(name, times, served);
        }
    }
}

/// What someone does who keeps a connection.
#[derive(Clone, Copy)]
enum Idleness {
    /// Asks nothing after the TLS handshake.
    Silent,
    /// Sends nothing at all.
    Mute,
    /// Sends a TLS record an octet at a time.
    SlowHandshake,
    /// Sends the head of a request an octet at a time.
    SlowHead,
}

const EVERY_IDLENESS: [Idleness; 4] = [Idleness::Silent, Idleness::Mute, Idleness::SlowHandshake, Idleness::SlowHead];

/// Keeps a connection, and opens another when the server has closed it.
async fn hold(address: SocketAddr, connector: TlsConnector, idleness: Idleness) {
    loop {
        let Ok(stream) = TcpStream::connect(address).await else {
            sleep(SLOWNESS).await;
            continue;
        };
        match idleness {
            Idleness::Mute => drip(stream, &[]).await,
            // A record that says it has 16 KiB.
            Idleness::SlowHandshake => drip(stream, &[0x16, 3, 1, 0x3f, 0xff]).await,
            Idleness::Silent | Idleness::SlowHead => {
                let Ok(stream) = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await else {
                    continue;
                };
                let head = b"POST /keymanagement/identity/v1/init HTTP/1.1\r\nX-Slow: ";
                drip(stream, if matches!(idleness, Idleness::SlowHead) { head } else { &[] }).await;
            }
        }
    }
}

/// Sends this and then the letter a for ever, an octet each time; nothing at all where there is nothing to begin with. Ends when the
/// server closes the connection.
async fn drip(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &[u8]) {
    let mut octets = text.iter().copied().chain(std::iter::repeat(b'a'));
    loop {
        tokio::select! {
            read = stream.read_u8() => if read.is_err() { return },
            () = sleep(SLOWNESS), if !text.is_empty() => {
                let octet = octets.next().unwrap();
                if stream.write_u8(octet).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
        }
    }
}
