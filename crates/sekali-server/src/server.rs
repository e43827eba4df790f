//! A running server: opens the store, listens, and stops in order.
//!
//! The order of stopping: accept no more connections, finish the requests in progress, let the
//! committers drain the waits, close the partitions.

mod announcement;
mod bind;
mod config;
mod directory;
mod error;
mod handover;
mod internals;
mod keys;
mod prepared;
mod reload;
mod sockets;
mod timed_disk;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};

use sekali_store::disk::Disk;
use sekali_store::{HashKey, Store, StoreMeta, StoreOptions, Tuning};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{error, info, warn};

use self::bind::Open;
use self::handover::{Offer, Taker};
use self::prepared::Prepared;
use self::reload::Reload;
use crate::ingest::CONTENT_RULES;
use crate::limits::{HANDOVER_TIMEOUT, STOPPED_LINGER};
use crate::listen::{Draining, Listening};
use crate::service::{Committers, Pipeline, Tails};

pub use crate::protocols::Port;
pub use config::Config;
pub use error::StartError;
#[doc(hidden)]
pub use internals::Internals;
pub use sockets::Sockets;

/// A running server. Dropping it lets it stop in the background; [`Server::stop`] waits.
#[derive(Debug)]
pub struct Server {
    /// The first of the main port is the one that is told.
    addrs: Vec<(Option<Port>, SocketAddr)>,
    is_tls: bool,
    reload: Arc<Mutex<Reload>>,
    stop: watch::Sender<Stop>,
    ended: JoinHandle<Ended>,
    offer: Option<Offer>,
    resumption: Resumption,
}

/// Everything that it takes to start again in the same place.
#[derive(Debug)]
struct Resumption {
    config: Config,
    internals: Internals,
    sockets: Sockets,
    /// Whether the sockets stay open when the server ends.
    is_supervised: bool,
}

/// Whether a server is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    /// Its sockets close with it.
    Close,
    /// Its sockets stay open, so that clients are given time to send what is on its way and to
    /// connect again.
    Leave,
}

/// Why a server ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// Another process serves in its place.
    HandedOver,
    /// Another process was to take over and did not, and then this one could not go on, for this
    /// reason. Everything that was answered is safe.
    NotResumed(String),
    /// A write or sync of the store failed, for this reason. Everything that was answered is safe.
    StorageFailed(String),
}

impl Server {
    /// Begins to listen, opens the store, making one if there is none, and serves. Must be called
    /// on a multi-threaded tokio runtime; connections have threads of their own.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::start_on(config, Sockets::default()).await
    }

    /// As [`Server::start`], on the sockets of a supervisor, if there are any, and not on the
    /// address of the settings.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_on(config: Config, sockets: Sockets) -> Result<Self, StartError> {
        if config.take_over {
            return handover::take_over(config, Internals::default(), sockets).await;
        }
        Prepared::new(config, Internals::default(), Open::of(sockets)).await?.open().await
    }

    /// As [`Server::start`], with other parts than the usual ones.
    ///
    /// # Errors
    /// See [`StartError`].
    #[doc(hidden)]
    pub async fn start_with(config: Config, internals: Internals) -> Result<Self, StartError> {
        Prepared::new(config, internals, Open::of(Sockets::default())).await?.open().await
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        // There always is one.
        let main = self.addrs.iter().find(|(port, _)| port.is_none());
        main.map_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)), |(_, addr)| *addr)
    }

    /// Where the protocols listen that have ports of their own.
    pub fn ports(&self) -> impl Iterator<Item = (Port, SocketAddr)> {
        self.addrs.iter().filter_map(|(port, addr)| Some(((*port)?, *addr)))
    }

    /// Its address as a URL: `https` with TLS, or `http`.
    pub fn url(&self) -> String {
        self.url_of(self.addr())
    }

    fn url_of(&self, addr: SocketAddr) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{addr}")
    }

    /// Returns a function that reads certificates and keys again, and logs what was read. It blocks
    /// for small files, and may outlive the server.
    pub fn reload(&self) -> impl Fn() + Send + use<> {
        let reload = Arc::clone(&self.reload);
        move || {
            let reload = reload.lock().unwrap_or_else(PoisonError::into_inner).clone();
            reload.run();
        }
    }

    /// Stops it, in order, and waits until it has ended.
    pub async fn stop(self) -> Ended {
        self.run_until(std::future::ready(())).await
    }

    /// Lets it run until `shutdown` is ready, until another process has taken over, or until the
    /// store fails. Then stops it in order and waits until it has ended.
    pub async fn run_until(mut self, shutdown: impl Future<Output = ()>) -> Ended {
        let mut shutdown = pin!(shutdown);
        loop {
            let occasion = tokio::select! {
                ended = &mut self.ended => return ended_of(ended),
                () = &mut shutdown => None,
                taker = taken(&mut self.offer) => Some(taker),
            };
            let Some(taker) = occasion else {
                self.offer = None;
                let how = if self.resumption.is_supervised { Stop::Leave } else { Stop::Close };
                // An error here is a server that has ended by itself in this moment.
                let _ = self.stop.send(how);
                return ended_of(self.ended.await);
            };
            self = match self.hand_over(taker, shutdown.as_mut()).await {
                Ok(server) => server,
                Err(ended) => return ended,
            };
        }
    }

    /// Stops, and lets another process serve in its place. If that one fails, this one goes on.
    async fn hand_over(self, taker: Taker, shutdown: Pin<&mut impl Future<Output = ()>>) -> Result<Self, Ended> {
        info!("another process takes over");
        let Self { stop, ended, resumption, reload, .. } = self;
        let _ = stop.send(Stop::Leave);
        match ended_of(ended.await) {
            Ended::Stopped => {}
            other => return Err(other),
        }
        let outcome = tokio::select! {
            outcome = taker.hand_over() => outcome,
            () = shutdown => return Err(Ended::Stopped),
        };
        let Err(reason) = outcome else {
            info!("the other process serves");
            return Err(Ended::HandedOver);
        };
        error!(%reason, "the other process did not start: this one goes on");
        let Resumption { config, internals, sockets, is_supervised } = resumption;
        let resumed = async {
            Prepared::new(config, internals, Open::Supervised(sockets)).await?.open_within(HANDOVER_TIMEOUT).await
        };
        let mut server = resumed.await.map_err(|error: StartError| Ended::NotResumed(error.to_string()))?;
        server.resumption.is_supervised = is_supervised;
        let fresh = server.reload.lock().unwrap_or_else(PoisonError::into_inner).clone();
        *reload.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        server.reload = reload;
        Ok(server)
    }
}

fn ended_of(ended: Result<Ended, tokio::task::JoinError>) -> Ended {
    ended.unwrap_or_else(|error| Ended::StorageFailed(format!("the server broke off: {error}")))
}

/// Waits until another process takes over, if one can.
async fn taken(offer: &mut Option<Offer>) -> Taker {
    match offer {
        Some(offer) => offer.taken().await,
        None => std::future::pending().await,
    }
}

async fn run(
    listening: Listening,
    pipeline: Pipeline,
    committers: Committers,
    tails: Tails,
    mut chores: JoinSet<()>,
    mut stopping: watch::Receiver<Stop>,
) -> Ended {
    let draining = tokio::select! {
        stop = told_to_stop(&mut stopping) => {
            info!("stopping");
            if stop == Stop::Leave { Draining::Gently } else { Draining::AtOnce }
        }
        reason = pipeline.until_stopped() => {
            error!(%reason, "stopping: the store takes no more events");
            tokio::time::sleep(STOPPED_LINGER).await;
            Draining::AtOnce
        }
    };
    chores.shutdown().await;
    // They would never end by themselves.
    tails.close();
    listening.drain(draining).await;
    pipeline.close();
    let join = move || {
        committers.join();
        tails.join();
    };
    // The only error is that of a runtime that is going down.
    let _ = tokio::task::spawn_blocking(join).await;
    match pipeline.stopped() {
        Some(reason) => Ended::StorageFailed(reason.to_string()),
        None => Ended::Stopped,
    }
}

async fn told_to_stop(stopping: &mut watch::Receiver<Stop>) -> Stop {
    // An error here is a `Server` that was dropped, which stops it as well.
    stopping.wait_for(|stop| *stop != Stop::No).await.map_or(Stop::Close, |stop| *stop)
}

/// Opens the store. Id and secret of a new one are drawn here: the engine has no randomness of its
/// own.
fn open(disk: Arc<dyn Disk>, tuning: Tuning, config: &Config) -> Result<Store, StartError> {
    let new = StoreMeta { store_id: rand::random(), hash_key: HashKey(rand::random()), partitions: config.partitions };
    let options = StoreOptions::new().disk(disk).rules(CONTENT_RULES).tuning(tuning);
    let store = options.open_or_create(&config.data_dir, &new);
    let store = store.map_err(|error| directory::denied(&config.data_dir, error))?;
    if store.partition_count() != config.partitions {
        let (has, asked) = (store.partition_count(), config.partitions);
        warn!(has, asked, "the number of partitions was fixed when the store was made");
    }
    Ok(store)
}
