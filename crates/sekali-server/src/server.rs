//! A running server: opens the store, listens, and stops in order.
//!
//! The order of stopping: accept no more connections, finish the requests in progress, let the
//! committers drain the waits, close the partitions.

mod announcement;
mod bind;
mod config;
mod directory;
mod error;
mod internals;
mod keys;
mod reload;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use sekali_store::disk::Disk;
use sekali_store::{HashKey, Store, StoreMeta, StoreOptions, Tuning};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{error, info, warn};

use self::reload::Reload;
use crate::access::Access;
use crate::consumers::Consumers;
use crate::http::{Browsers, Door};
use crate::ingest::CONTENT_RULES;
use crate::limits::STOPPED_LINGER;
use crate::listen::{Certificates, ConnectionContext, Listening, OpenLimits, Threads};
use crate::service::{Committers, Pipeline, Service, Tails};

pub use config::Config;
pub use error::StartError;
#[doc(hidden)]
pub use internals::Internals;

/// A running server. Dropping it lets it stop in the background; [`Server::stop`] waits.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    reload: Reload,
    stop: watch::Sender<bool>,
    ended: JoinHandle<Ended>,
}

/// Why a server ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
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
        Self::start_with(config, Internals::default()).await
    }

    /// As [`Server::start`], with other parts than the usual ones.
    ///
    /// # Errors
    /// See [`StartError`].
    #[doc(hidden)]
    pub async fn start_with(config: Config, internals: Internals) -> Result<Self, StartError> {
        let Internals { disk, timeouts, tuning } = internals;
        let cors_origins = config.checked_cors_origins()?;
        let hosts = config.checked_hosts()?;
        let certificates = config.tls.clone().map(Certificates::load).transpose()?;
        let dir = config.data_dir.clone();
        let checked = Arc::clone(&disk);
        let load = move || {
            directory::check(&*checked, &dir)?;
            Access::load(&dir).map_err(|error| StartError::of_keys(&dir, error))
        };
        let access = tokio::task::spawn_blocking(load).await.map_err(StartError::other)??;
        // Before the store is opened, which may take a while: a wrong address is told at once.
        let listener = bind::bind(&config, &access).await?;
        let addr = listener.local_addr().map_err(StartError::other)?;
        let hosts = Some(hosts).filter(|_| bind::is_loopback(&addr) || !config.allow_hosts.is_empty());
        let (data_dir, retention) = (config.data_dir.clone(), config.retention.clone());
        let open = move || {
            let store = open(Arc::clone(&disk), tuning, &config)?;
            Ok::<_, StartError>((store, Consumers::open(disk, &config.data_dir)?))
        };
        let (store, consumers) = tokio::task::spawn_blocking(open).await.map_err(StartError::other)??;
        let started = Service::start_with(store, consumers);
        let (service, committers, store_chores) = started.map_err(StartError::other)?;
        directory::spill(&data_dir);
        announcement::opened(&data_dir, &service, &retention);
        let (pipeline, tails) = (service.pipeline().clone(), service.tails().clone());
        let mut chores = JoinSet::new();
        store_chores.spawn_on(&mut chores, retention);
        chores.spawn(keys::run(access.clone()));
        let door = Door::new(service, access.clone(), Browsers { cors_origins, hosts }, timeouts);
        let threads = Threads::start().map_err(StartError::other)?;
        let context = ConnectionContext { door, timeouts, certificates: certificates.clone() };
        let limits = OpenLimits::raise();
        let listening = Listening::start(listener, threads, context, limits);
        let (stop, stopping) = watch::channel(false);
        let ended = tokio::spawn(run(listening, pipeline, committers, tails, chores, stopping));
        let server = Self { addr, reload: Reload { access, certificates }, stop, ended };
        announcement::listening(&server.url(), &server.reload.access, limits);
        Ok(server)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its address as a URL: `https` with TLS, or `http`.
    pub fn url(&self) -> String {
        let scheme = if self.reload.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// Returns a function that reads certificates and keys again, and logs what was read. It blocks
    /// for small files, and may outlive the server.
    pub fn reload(&self) -> impl Fn() + Send + use<> {
        let reload = self.reload.clone();
        move || reload.run()
    }

    /// Stops it, in order, and waits until it has ended.
    pub async fn stop(self) -> Ended {
        self.run_until(std::future::ready(())).await
    }

    /// Lets it run until `shutdown` is ready, or until the store fails, then stops it in order and
    /// waits until it has ended.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Ended {
        let Self { stop, mut ended, .. } = self;
        let ended = tokio::select! {
            ended = &mut ended => ended,
            () = shutdown => {
                // An error here is a server that has ended by itself in this moment.
                let _ = stop.send(true);
                ended.await
            }
        };
        ended.unwrap_or_else(|error| Ended::StorageFailed(format!("the server broke off: {error}")))
    }
}

async fn run(
    listening: Listening,
    pipeline: Pipeline,
    committers: Committers,
    tails: Tails,
    mut chores: JoinSet<()>,
    mut stopping: watch::Receiver<bool>,
) -> Ended {
    tokio::select! {
        () = told_to_stop(&mut stopping) => info!("stopping"),
        reason = pipeline.until_stopped() => {
            error!(%reason, "stopping: the store takes no more events");
            tokio::time::sleep(STOPPED_LINGER).await;
        }
    }
    chores.shutdown().await;
    // They would never end by themselves.
    tails.close();
    listening.drain().await;
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

async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    // An error here is a `Server` that was dropped, which stops it as well.
    let _ = stopping.wait_for(|stop| *stop).await;
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
