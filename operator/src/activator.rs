//! Where clients' connections wait while their cluster has no scheduler that could take them.
//!
//! A cluster has a listener for each of its ports here, whose number the operating system chooses, so that a connection says
//! by its port alone whose it is. Only the operator that leads listens. Requests are HTTP/1.1 or HTTP/2 (gRPC is the latter),
//! and it is they that wait, not bytes: the client has its connection, so no time for connecting runs out, and when the
//! scheduler has been ready for a while it is asked, in HTTP/2's own way, to connect again, which leads it to the scheduler.
//! This knows nothing of Kubernetes: `control` says which clusters there are and where their schedulers are.

mod connection;
mod refusal;
pub(crate) mod tls;
mod upstream;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::channel::mpsc::UnboundedSender;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::decide::activate::slice::PORTS;
use crate::decide::pods::REST_PORT;
use crate::metrics::Metrics;
use tls::Keys;

/// Requests of one cluster that wait at most.
const HELD: usize = 256;
/// Connections of all clusters at most.
const CONNECTIONS: usize = 512;
const BACKLOG: u32 = 128;

/// The waiting rooms of all clusters.
pub(crate) struct Activator {
    /// What connections are led to from elsewhere.
    pub(crate) address: IpAddr,
    patience: Duration,
    woken: UnboundedSender<Name>,
    metrics: Arc<Metrics>,
    rooms: Mutex<HashMap<String, Open>>,
    connections: Arc<Semaphore>,
    listeners: Mutex<JoinSet<()>>,
}

/// Whom a request wakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) namespace: String,
    pub(crate) cluster: String,
}

/// What requests are to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lead {
    /// Wait; for this.
    Hold(String),
    /// Go on to the scheduler's address.
    Pass(IpAddr),
    /// Go away, for this reason.
    Shut(String),
}

/// What is spoken at the ports of Spark Connect and Flight SQL.
#[derive(Debug, Clone)]
pub(crate) enum Speech {
    Plain,
    /// TLS, with these keys; nobody can be spoken to without.
    Tls(Option<Arc<Keys>>),
}

struct Open {
    room: Arc<Room>,
    lead: watch::Sender<Lead>,
    ports: Vec<u16>,
}

/// What the connections of a cluster share.
struct Room {
    name: Name,
    speech: Mutex<Speech>,
    patience: Duration,
    held: AtomicUsize,
    woken: UnboundedSender<Name>,
    metrics: Arc<Metrics>,
}

impl Activator {
    /// One that nobody waits in. `woken` is told of clusters that somebody began to wait for.
    pub(crate) fn new(
        address: IpAddr,
        patience: Duration,
        woken: UnboundedSender<Name>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            address,
            patience,
            woken,
            metrics,
            rooms: Mutex::new(HashMap::new()),
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            listeners: Mutex::new(JoinSet::new()),
        }
    }

    /// Listens for a cluster, if that has not begun, and has its requests do as `lead` says. Returns the ports, as in [`PORTS`].
    ///
    /// # Errors
    /// When there are no more ports or files.
    pub(crate) fn open(&self, uid: &str, name: Name, speech: Speech, lead: Lead) -> io::Result<Vec<u16>> {
        let mut rooms = self.rooms.lock();
        if let Some(open) = rooms.get(uid) {
            *open.room.speech.lock() = speech;
            open.direct(lead);
            return Ok(open.ports.clone());
        }
        let room = Arc::new(Room {
            name,
            speech: Mutex::new(speech),
            patience: self.patience,
            held: AtomicUsize::new(0),
            woken: self.woken.clone(),
            metrics: Arc::clone(&self.metrics),
        });
        let bound: Vec<TcpListener> = PORTS.iter().map(|_| listen(self.address)).collect::<io::Result<_>>()?;
        let ports = bound.iter().map(|listener| Ok(listener.local_addr()?.port())).collect::<io::Result<Vec<u16>>>()?;
        let (sender, receiver) = watch::channel(lead);
        let mut listeners = self.listeners.lock();
        // Those that have ended make room.
        while listeners.try_join_next().is_some() {}
        for (listener, (_, port)) in bound.into_iter().zip(PORTS) {
            let (room, lead, all) = (Arc::clone(&room), receiver.clone(), Arc::clone(&self.connections));
            listeners.spawn(accept(listener, port, room, lead, all));
        }
        rooms.insert(uid.to_owned(), Open { room, lead: sender, ports: ports.clone() });
        Ok(ports)
    }

    /// Has the requests of a cluster do as `lead` says, if there is a listener for it.
    pub(crate) fn direct(&self, uid: &str, lead: Lead) {
        if let Some(open) = self.rooms.lock().get(uid) {
            open.direct(lead);
        }
    }

    /// Listens no more. Requests that wait are told why; those that run come to their end.
    pub(crate) fn shut(&self, uid: &str, why: String) {
        if let Some(open) = self.rooms.lock().remove(uid) {
            open.direct(Lead::Shut(why));
        }
    }

    /// Listens only for clusters that there are.
    pub(crate) fn keep(&self, there: &HashSet<String>) {
        let mut rooms = self.rooms.lock();
        let gone: Vec<Open> = rooms.extract_if(|uid, _| !there.contains(uid)).map(|(_, open)| open).collect();
        for open in gone {
            open.direct(Lead::Shut("it is deleted".to_owned()));
        }
    }

    /// Requests that wait for a cluster.
    pub(crate) fn held(&self, uid: &str) -> usize {
        self.rooms.lock().get(uid).map_or(0, |open| open.room.held.load(Ordering::SeqCst))
    }
}

impl Open {
    fn direct(&self, lead: Lead) {
        self.lead.send_if_modified(|known| {
            let changes = *known != lead;
            *known = lead;
            changes
        });
    }
}

/// A place among the requests that wait, until it is dropped.
struct Held(Arc<Room>);

impl Room {
    /// What is spoken at a port. Probes and the operator itself come to REST, which is in the clear.
    fn speech(&self, port: i32) -> Speech {
        if port == REST_PORT { Speech::Plain } else { self.speech.lock().clone() }
    }

    /// Takes a place; the first one wakes the cluster.
    fn hold(self: &Arc<Self>) -> Option<Held> {
        let before = self.held.fetch_add(1, Ordering::SeqCst);
        // It counts from here on, also when it is refused.
        let held = Held(Arc::clone(self));
        if before == 0 {
            self.metrics.woken();
            // An error means that the operator stops, and the connection with it.
            let _stopping = self.woken.unbounded_send(self.name.clone());
        }
        (before < HELD).then_some(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A place among the connections, until it is dropped.
struct Place {
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    fn take(all: &Arc<Semaphore>, metrics: &Arc<Metrics>) -> Option<Self> {
        let permit = Arc::clone(all).try_acquire_owned().ok()?;
        metrics.connected(1);
        Some(Self { metrics: Arc::clone(metrics), _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.connected(-1);
    }
}

/// A port of the address' family that is free.
fn listen(address: IpAddr) -> io::Result<TcpListener> {
    let (socket, any) = match address {
        IpAddr::V4(_) => (TcpSocket::new_v4()?, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        IpAddr::V6(_) => (TcpSocket::new_v6()?, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
    };
    socket.bind(SocketAddr::new(any, 0))?;
    socket.listen(BACKLOG)
}

/// Takes connections until the room is shut, and waits for the end of those it took.
async fn accept(
    listener: TcpListener,
    port: i32,
    room: Arc<Room>,
    mut lead: watch::Receiver<Lead>,
    all: Arc<Semaphore>,
) {
    let mut taken = JoinSet::new();
    let until = lead.clone();
    let shut = async { lead.wait_for(|lead| matches!(lead, Lead::Shut(_))).await.map(|_| ()) };
    tokio::pin!(shut);
    loop {
        tokio::select! {
            // An error means that the room is gone, too.
            _ = &mut shut => break,
            Some(_) = taken.join_next() => {}
            accepted = listener.accept() => {
                let stream: TcpStream = match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        // Such as too many files; some end meanwhile.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                let Some(place) = Place::take(&all, &room.metrics) else {
                    tracing::warn!(cluster = room.name.cluster, "a connection is refused: there are too many");
                    continue;
                };
                let serving = connection::serve(stream, port, Arc::clone(&room), until.clone());
                taken.spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    while taken.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests;
